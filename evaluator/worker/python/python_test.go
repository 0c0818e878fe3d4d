package python_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"parfait/evaluator/worker/python"
	"parfait/merge"
	"parfait/merge/kernel"
	"parfait/merge/safetensors"
)

// interpreter is a Python with numpy.
func interpreter(t testing.TB) string {
	t.Helper()
	path := os.Getenv("PARFAIT_PYTHON")
	if path == "" {
		path = "python3"
	}
	if out, err := exec.Command(path, "-c", "import numpy").CombinedOutput(); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("PARFAIT_PYTHON names no Python with numpy: %v\n%s", err, out)
		}
		t.Skip("PARFAIT_PYTHON names no Python with numpy")
	}
	return path
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// put writes a file of a folder that is made where it is not there.
func put(t testing.TB, path string, data []byte) {
	t.Helper()
	must(t, os.MkdirAll(filepath.Dir(path), 0o755))
	must(t, os.WriteFile(path, data, 0o644))
}

// install puts worker.py into a new folder.
func install(t testing.TB) (dir string) {
	t.Helper()
	dir = t.TempDir()
	put(t, filepath.Join(dir, "worker.py"), python.Source)
	return dir
}

// llama are the tensors of a small model.
func llama(d safetensors.DType, wide int64) []safetensors.Tensor {
	list := []safetensors.Tensor{
		{Name: "model.embed_tokens.weight", DType: d, Shape: []int64{40, wide}},
		{Name: "model.norm.weight", DType: d, Shape: []int64{wide}},
		{Name: "lm_head.weight", DType: d, Shape: []int64{40, wide}},
		{Name: "model.position_ids", DType: safetensors.I64, Shape: []int64{1, 8}},
		{Name: "model.nothing", DType: d, Shape: []int64{0, 4}},
		{Name: "model.scalar", DType: d, Shape: []int64{}},
	}
	for l := range 3 {
		in := fmt.Sprintf("model.layers.%d.", l)
		for name, shape := range map[string][]int64{
			"self_attn.q_proj.weight": {wide, wide}, "self_attn.k_proj.weight": {wide / 4, wide}, "mlp.up_proj.weight": {3 * wide, wide},
			"mlp.down_proj.weight": {wide, 3 * wide}, "input_layernorm.weight": {wide},
		} {
			list = append(list, safetensors.Tensor{Name: in + name, DType: d, Shape: shape})
		}
	}
	return list
}

// numbers are n elements of a dtype, finite, with zeros of both signs and subnormals among them.
func numbers(r *rand.Rand, t safetensors.Tensor) []byte {
	out := make([]byte, 0, t.Elements()*t.DType.Bits()/8)
	for range t.Elements() {
		v := r.NormFloat64() * math.Ldexp(1, r.IntN(12)-6)
		switch r.IntN(50) {
		case 0:
			v = math.Copysign(0, v)
		case 1:
			v *= 0x1p-130
		case 2:
			v *= 0x1p-20
		}
		switch t.DType {
		case safetensors.I64:
			out = append(out, 7, 0, 0, 0, 0, 0, 0, 0)
		case safetensors.F64:
			out = binary.LittleEndian.AppendUint64(out, math.Float64bits(v))
		case safetensors.F32:
			out = safetensors.AppendF32(out, []float32{float32(v)})
		case safetensors.F16:
			var b [2]byte
			kernel.Encode(kernel.Vector{Data: b[:], Format: kernel.F16}, []float32{float32(v)})
			out = append(out, b[:]...)
		default:
			out = safetensors.AppendBF16(out, []float32{float32(v)})
		}
	}
	return out
}

// write writes tensors of random numbers as a file.
func write(t testing.TB, path string, seed uint64, list []safetensors.Tensor) {
	t.Helper()
	layout, err := safetensors.NewLayout(list, safetensors.FormatPT())
	must(t, err)
	r := rand.New(rand.NewPCG(seed, 1))
	var b bytes.Buffer
	must(t, layout.Write(&b, func(s safetensors.Tensor) ([]byte, error) { return numbers(r, s), nil }))
	put(t, path, b.Bytes())
}

const config = `{"architectures": ["LlamaForCausalLM"], "tie_word_embeddings": false, "torch_dtype": "float32"}`

// family writes a base and models of it, the second one in shards, and returns the recipe's head.
func family(t testing.TB, dir string, d safetensors.DType, wide int64) (base string, models []merge.Source) {
	t.Helper()
	base = filepath.Join(dir, "base")
	for i, name := range []string{"base", "math", "code", "chat"} {
		path := filepath.Join(dir, name)
		write(t, filepath.Join(path, "model.safetensors"), uint64(i+1), llama(d, wide))
		put(t, filepath.Join(path, "config.json"), []byte(config))
		if name == "base" {
			continue
		}
		if name == "code" {
			whole := path
			path += "-sharded"
			execute(t, merge.Spec{Method: "passthrough", Models: []merge.Source{{Name: "code", Path: whole}}}, nil, path, 4096)
		}
		models = append(models, merge.Source{Name: name, Path: path})
	}
	return base, models
}

// execute has the engine merge.
func execute(t testing.TB, spec merge.Spec, at map[string]float64, out string, shard int64) {
	t.Helper()
	plan, err := merge.NewPlan(t.Context(), spec)
	must(t, err)
	_, err = plan.Write(t.Context(), []merge.Output{{At: at, Target: out}}, merge.WriteOptions{ShardSize: shard}, nil)
	must(t, err)
	must(t, plan.Close())
}

// lora writes an adapter; edit changes its configuration and its tensors.
func lora(t testing.TB, dir string, seed uint64, d safetensors.DType, wide int64, edit func(config map[string]any, list *[]safetensors.Tensor)) {
	t.Helper()
	settings := map[string]any{"peft_type": "LORA", "r": 4, "lora_alpha": 6.1, "bias": "none", "init_lora_weights": true, "alpha_pattern": map[string]any{"layers.1.mlp.up_proj": 3}}
	var list []safetensors.Tensor
	for module, shape := range map[string][2]int64{"model.layers.0.self_attn.q_proj": {wide, wide}, "model.layers.1.mlp.up_proj": {3 * wide, wide}, "model.layers.1.self_attn.k_proj": {wide / 4, wide}} {
		list = append(list, safetensors.Tensor{Name: "base_model.model." + module + ".lora_A.weight", DType: d, Shape: []int64{4, shape[1]}},
			safetensors.Tensor{Name: "base_model.model." + module + ".lora_B.weight", DType: d, Shape: []int64{shape[0], 4}})
	}
	if edit != nil {
		edit(settings, &list)
	}
	write(t, filepath.Join(dir, "adapter_model.safetensors"), seed, list)
	b, err := json.Marshal(settings)
	must(t, err)
	put(t, filepath.Join(dir, "adapter_config.json"), b)
}

// variant is a merge of base and models.
type variant struct {
	name string
	spec func(*merge.Spec)
	at   map[string]float64
}

var variants = []variant{
	{"three", nil, map[string]float64{"math": 0.3, "code": -0.7, "chat": 1.1}},
	{"lambda", func(s *merge.Spec) { s.Params = map[string]any{"lambda": 0.9} }, map[string]float64{"math": 1.0 / 3, "code": 0, "chat": 0.6}},
	{"nothing", nil, map[string]float64{"math": 0, "code": 0, "chat": 0}},
	{"one", nil, map[string]float64{"math": 0, "code": 1, "chat": 0}},
	{"too small to count", nil, map[string]float64{"math": 1e-60, "code": 0.5, "chat": 0}},
	{"bf16", func(s *merge.Spec) { s.DType = merge.BF16 }, map[string]float64{"math": 0.3, "code": 0.2, "chat": 0.1}},
	{"f16", func(s *merge.Spec) { s.DType = merge.F16 }, map[string]float64{"math": 0.3, "code": 0.2, "chat": 0.1}},
	{"f32", func(s *merge.Spec) { s.DType = merge.F32 }, map[string]float64{"math": 0.3, "code": 0.2, "chat": 0.1}},
	{"nothing, bf16", func(s *merge.Spec) { s.DType = merge.BF16 }, map[string]float64{"math": 0, "code": 0, "chat": 0}},
	{"groups and skip", func(s *merge.Spec) {
		s.Groups = []merge.Group{{Name: "early", Match: "model.layers.[0].*"}, {Name: "norms", Match: "*norm.weight"}, {Name: "rest", Match: "*"}}
		s.Skip = []string{"lm_head.*", "model.layers.1.mlp.*"}
		s.Params = map[string]any{"lambda": map[string]any{"early": 0.5, "rest": 1.5}}
		s.DType = merge.BF16
	}, map[string]float64{"math.early": 0.3, "code.early": 0.1, "chat.early": 0, "math.norms": 0, "code.norms": 0, "chat.norms": 0, "math.rest": -0.3, "code.rest": 0.7, "chat.rest": 0.2}},
	{"profile", func(s *merge.Spec) { s.Profile = 2 }, map[string]float64{"math.k1": 0.3, "math.k2": 1, "code.k1": 0.1, "code.k2": -0.4, "chat.k1": 0, "chat.k2": 0.7}},
	{"profile in groups", func(s *merge.Spec) {
		s.Method, s.Profile = "linear", 3
		s.Groups = []merge.Group{{Name: "qk", Match: "model.layers.{0..1}.self_attn.{q,k}_proj.*"}, {Name: "rest", Match: "*"}}
	}, map[string]float64{
		"math.qk.k1": 0.3, "math.qk.k2": 1, "math.qk.k3": 0, "code.qk.k1": 0.1, "code.qk.k2": 0.4, "code.qk.k3": 0.2, "chat.qk.k1": 0, "chat.qk.k2": 0.7, "chat.qk.k3": 1,
		"math.rest.k1": 0.3, "math.rest.k2": 0, "math.rest.k3": 0.9, "code.rest.k1": 0.1, "code.rest.k2": 0.4, "code.rest.k3": 0.2, "chat.rest.k1": 0, "chat.rest.k2": 0.7, "chat.rest.k3": 0,
	}},
	{"linear", func(s *merge.Spec) { s.Method = "linear" }, map[string]float64{"math": 0.3, "code": 0.2, "chat": 0.9}},
	{"linear without a base", func(s *merge.Spec) { s.Method, s.Base, s.Skip = "linear", "", []string{"lm_head.*"} }, map[string]float64{"math": 0.3, "code": 0, "chat": 0.9}},
	{"linear sum", func(s *merge.Spec) { s.Method, s.Params = "linear", map[string]any{"normalize": false} }, map[string]float64{"math": 0.3, "code": -0.2, "chat": 0.9}},
	{"linear of nothing", func(s *merge.Spec) { s.Method, s.Params = "linear", map[string]any{"normalize": false} }, map[string]float64{"math": 0, "code": 0, "chat": 0}},
}

// pair is a recipe, and the folder where the engine has written it.
type pair struct{ name, recipe, merged string }

// merges has the engine merge every variant of every dtype, and adapters.
func merges(t testing.TB) (out []pair) {
	t.Helper()
	dir := t.TempDir()
	add := func(name string, spec merge.Spec, at map[string]float64) {
		p := pair{name, filepath.Join(dir, strings.ReplaceAll(name, " ", "_")+".json"), filepath.Join(dir, strings.ReplaceAll(name, " ", "_"))}
		execute(t, spec, at, p.merged, 0)
		r, err := merge.RecipeAt(spec, at)
		must(t, err)
		b, err := r.JSON()
		must(t, err)
		put(t, p.recipe, b)
		out = append(out, p)
	}
	for _, d := range []safetensors.DType{safetensors.BF16, safetensors.F16, safetensors.F32, safetensors.F64} {
		const wide = 32
		base, models := family(t, filepath.Join(dir, d.String()), d, wide)
		for _, v := range variants {
			spec := merge.Spec{Base: base, Models: models, Method: "task_arithmetic"}
			if v.spec != nil {
				v.spec(&spec)
			}
			add(d.String()+" "+v.name, spec, v.at)
		}
		plain, whole := filepath.Join(dir, d.String(), "plain"), filepath.Join(dir, d.String(), "whole")
		lora(t, plain, 11, safetensors.F32, wide, func(c map[string]any, _ *[]safetensors.Tensor) { c["use_rslora"] = true })
		lora(t, whole, 12, d, wide, func(_ map[string]any, list *[]safetensors.Tensor) {
			*list = append(*list, safetensors.Tensor{Name: "base_model.model.lm_head.modules_to_save.weight", DType: d, Shape: []int64{40, wide}})
		})
		adapters := []merge.Source{{Name: "plain", Path: plain}, {Name: "whole", Path: whole}, models[0]}
		at := map[string]float64{"plain": 0.7, "whole": -0.4, "math": 0.2}
		add(d.String()+" adapters", merge.Spec{Base: base, Models: adapters, Method: "task_arithmetic"}, at)
		at = map[string]float64{"plain": 0.7, "whole": 0.4, "math": 0.2}
		add(d.String()+" linear of adapters", merge.Spec{Base: base, Models: adapters, Method: "linear"}, at)
		at["math"] = 0
		add(d.String()+" adapters alone", merge.Spec{Base: base, Models: adapters, Method: "task_arithmetic", DType: merge.BF16}, at)
	}
	tied(t, filepath.Join(dir, "models"), add)
	// Inputs of different dtypes.
	mixed := []merge.Source{{Name: "math", Path: filepath.Join(dir, "F32", "math")}, {Name: "code", Path: filepath.Join(dir, "F64", "code")}}
	for _, d := range []string{"F32", "F64"} {
		spec := merge.Spec{Base: filepath.Join(dir, d, "base"), Models: mixed, Method: "task_arithmetic", DType: merge.F16}
		add("mixed on "+d, spec, map[string]float64{"math": 0.3, "code": 0.2})
		add("mixed on "+d+" nothing", spec, map[string]float64{"math": 0, "code": 0})
	}
	return out
}

// tied adds a base whose head is its embeddings, with a model that stores the head as well, one that is a single file and
// an adapter; and an adapter of Conv1D matrices and embeddings on another one.
func tied(t testing.TB, dir string, add func(string, merge.Spec, map[string]float64)) {
	t.Helper()
	var once []safetensors.Tensor
	for _, s := range llama(safetensors.BF16, 32) {
		if s.Name != "lm_head.weight" {
			once = append(once, s)
		}
	}
	for i, name := range []string{"base", "math"} {
		write(t, filepath.Join(dir, name, "model.safetensors"), uint64(20+i), once)
	}
	put(t, filepath.Join(dir, "base", "config.json"), []byte(strings.Replace(config, "false", "true", 1)))
	must(t, os.Rename(filepath.Join(dir, "math", "model.safetensors"), filepath.Join(dir, "math.safetensors")))
	twice := llama(safetensors.BF16, 32)
	layout, err := safetensors.NewLayout(twice, nil)
	must(t, err)
	kept := map[int64][]byte{} // of embeddings and head, which have a size of their own
	r := rand.New(rand.NewPCG(30, 1))
	var b bytes.Buffer
	must(t, layout.Write(&b, func(s safetensors.Tensor) ([]byte, error) {
		if len(s.Shape) != 2 || s.Shape[0] != 40 {
			return numbers(r, s), nil
		}
		if kept[s.Size] == nil {
			kept[s.Size] = numbers(r, s)
		}
		return kept[s.Size], nil
	}))
	put(t, filepath.Join(dir, "code", "model.safetensors"), b.Bytes())
	put(t, filepath.Join(dir, "code", "config.json"), []byte(strings.Replace(config, "false", "true", 1)))
	lora(t, filepath.Join(dir, "adapter"), 31, safetensors.F32, 32, nil)
	models := []merge.Source{{Name: "math", Path: filepath.Join(dir, "math.safetensors")}, {Name: "code", Path: filepath.Join(dir, "code")}, {Name: "chat", Path: filepath.Join(dir, "adapter")}}
	at := map[string]float64{"math": 0.3, "code": 0.2, "chat": 0.5}
	add("tied", merge.Spec{Base: filepath.Join(dir, "base"), Models: models, Method: "task_arithmetic"}, at)
	add("tied linear", merge.Spec{Base: filepath.Join(dir, "base"), Models: models, Method: "linear", DType: merge.F16}, at)

	write(t, filepath.Join(dir, "gpt", "model.safetensors"), 32, []safetensors.Tensor{
		{Name: "transformer.h.0.attn.c_attn.weight", DType: safetensors.F32, Shape: []int64{32, 96}},
		{Name: "transformer.h.0.attn.c_proj.weight", DType: safetensors.F32, Shape: []int64{32, 32}},
		{Name: "transformer.wte.weight", DType: safetensors.F32, Shape: []int64{40, 32}},
		{Name: "lm_head.weight", DType: safetensors.F32, Shape: []int64{40, 32}},
	})
	put(t, filepath.Join(dir, "gpt", "config.json"), []byte(config))
	lora(t, filepath.Join(dir, "conv"), 33, safetensors.F16, 32, func(c map[string]any, list *[]safetensors.Tensor) {
		c["fan_in_fan_out"] = true
		*list = []safetensors.Tensor{
			{Name: "base_model.model.transformer.h.0.attn.c_attn.lora_A.weight", DType: safetensors.F16, Shape: []int64{4, 32}},
			{Name: "base_model.model.transformer.h.0.attn.c_attn.lora_B.weight", DType: safetensors.F16, Shape: []int64{96, 4}},
			{Name: "base_model.model.transformer.h.0.attn.c_proj.lora_A.weight", DType: safetensors.F16, Shape: []int64{4, 32}},
			{Name: "base_model.model.transformer.h.0.attn.c_proj.lora_B.weight", DType: safetensors.F16, Shape: []int64{32, 4}},
			{Name: "base_model.model.transformer.wte.lora_embedding_A", DType: safetensors.F16, Shape: []int64{4, 40}},
			{Name: "base_model.model.transformer.wte.lora_embedding_B", DType: safetensors.F16, Shape: []int64{32, 4}},
		}
	})
	conv := []merge.Source{{Name: "conv", Path: filepath.Join(dir, "conv")}}
	add("conv", merge.Spec{Base: filepath.Join(dir, "gpt"), Models: conv, Method: "task_arithmetic"}, map[string]float64{"conv": 0.7})
	add("conv bf16", merge.Spec{Base: filepath.Join(dir, "gpt"), Models: conv, Method: "task_arithmetic", DType: merge.BF16}, map[string]float64{"conv": -1.7})
}

// drive merges every recipe in one process and writes it.
const drive = `
import json, sys, worker
worker.Numpy.chunk = worker.Torch.chunk = 1000  # so that tensors have several
mapped = worker.Mapped(*sys.argv[2:], keep=len(sys.argv) > 2)
for case in json.load(open(sys.argv[1])):
    model = mapped.candidate({"recipe": worker.read_recipe(case["recipe"])}, lambda *a: None)
    model.save(case["out"])
    for name, array in model.items():  # what evaluate sees is what is written
        dtype, shape, flat = model.raw(name)
        assert tuple(array.shape) == tuple(shape) and model.dtype(name) == dtype, name
        if not sys.argv[2:] and dtype == "BF16":
            assert array.dtype == "float32" and ((array.reshape(-1).view("uint32") >> 16) == flat).all(), name
`

// merged has the worker merge, and returns where.
func merged(t testing.TB, py string, cases []pair, device ...string) (out []string) {
	t.Helper()
	dir, to := install(t), t.TempDir()
	type job struct {
		Recipe string `json:"recipe"`
		Out    string `json:"out"`
	}
	var jobs []job
	for i, c := range cases {
		out = append(out, filepath.Join(to, fmt.Sprint(i)))
		jobs = append(jobs, job{c.recipe, out[i]})
	}
	b, err := json.Marshal(jobs)
	must(t, err)
	list := filepath.Join(to, "jobs.json")
	put(t, list, b)
	cmd := exec.Command(py, append([]string{"-c", drive, list}, device...)...)
	cmd.Dir = dir
	if said, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	return out
}

// What the worker merges in memory is what the engine writes, byte for byte, header and all.
func TestBitForBit(t *testing.T) {
	py := interpreter(t)
	cases := merges(t)
	for i, out := range merged(t, py, cases) {
		got, err := os.ReadFile(filepath.Join(out, "model.safetensors"))
		must(t, err)
		want, err := os.ReadFile(filepath.Join(cases[i].merged, "model.safetensors"))
		must(t, err)
		if !bytes.Equal(got, want) {
			t.Errorf("%s: the worker's merge is not that of the engine (%d and %d bytes)", cases[i].name, len(got), len(want))
		}
	}
}

// With torch it is that to one rounding, on the processor to the bit.
func TestTorch(t *testing.T) {
	py := withTorch(t)
	cases := merges(t)
	device := os.Getenv("PARFAIT_TORCH_DEVICE")
	if device == "" {
		device = "cpu"
	}
	for i, out := range merged(t, py, cases, device) {
		differ, far := distance(t, out, cases[i].merged)
		if far > 1 {
			t.Errorf("%s: %d elements differ, by up to %d roundings", cases[i].name, differ, far)
		} else if differ > 0 {
			t.Logf("%s: %d elements differ by one rounding", cases[i].name, differ)
		}
	}
}

// withTorch is a Python with torch. CI has none: it is 5 GB.
func withTorch(t testing.TB) string {
	t.Helper()
	py := os.Getenv("PARFAIT_TORCH_PYTHON")
	if py == "" {
		py = interpreter(t)
	}
	if out, err := exec.Command(py, "-c", "import numpy, torch").CombinedOutput(); err != nil {
		t.Skipf("there is no torch (PARFAIT_TORCH_PYTHON names a Python with it): %s", out[max(0, len(out)-100):])
	}
	return py
}

// loads fills modules of torch: one with the same names, with a head that is its embeddings, and two that do not fit.
const loads = `
import sys, torch, worker
recipe = worker.read_recipe(sys.argv[1])
for device in (None, "cpu"):
    model = worker.Mapped(device).candidate({"recipe": recipe}, lambda *a: None)

    def module(names):
        top = torch.nn.Module()
        for name in names:
            dtype, shape, flat = model.raw(name)
            kind = {"BF16": torch.bfloat16, "I64": torch.int64, "F32": torch.float32}[dtype]
            at = top
            *path, last = name.split(".")
            for part in path:
                if part not in at._modules:
                    at.add_module(part, torch.nn.Module())
                at = at._modules[part]
            at.register_buffer(last, torch.zeros(shape, dtype=kind))
        return top

    whole = module(model)
    whole.tied = torch.nn.Module()
    whole.tied.register_buffer("head", whole.model.embed_tokens.weight)
    model.load_into(whole)
    for name, tensor in whole.state_dict().items():
        dtype, shape, flat = model.raw(name if name in model else "model.embed_tokens.weight")
        bits = tensor.view(torch.int16) if dtype == "BF16" else tensor
        assert (bits.numpy().reshape(-1) == flat.view(bits.numpy().dtype)).all(), name
    for wrong, says in ((module(list(model)[1:]), "the module has no"), (module(model), "has nothing for")):
        wrong.register_buffer("more", torch.zeros(3))
        try:
            model.load_into(wrong)
        except worker.Refused as e:
            assert says in str(e), e
        else:
            raise SystemExit("a module that does not fit was filled")
`

// A module of torch is filled with what would be written, and one with other names is refused.
func TestLoadInto(t *testing.T) {
	py, dir := withTorch(t), install(t)
	base, models := family(t, filepath.Join(dir, "models"), safetensors.BF16, 16)
	r, err := merge.RecipeAt(merge.Spec{Base: base, Models: models, Method: "task_arithmetic"}, map[string]float64{"math": 0.3, "code": 0.2, "chat": 0.1})
	must(t, err)
	b, err := r.JSON()
	must(t, err)
	file := filepath.Join(dir, "recipe.json")
	put(t, file, b)
	cmd := exec.Command(py, "-c", loads, file)
	cmd.Dir = dir
	if said, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, said)
	}
}

// distance is how many elements of two checkpoints differ, and by how many representable numbers at most.
func distance(t testing.TB, a, b string) (differ int, far uint64) {
	t.Helper()
	x, err := safetensors.OpenFolder(a)
	must(t, err)
	defer func() { must(t, x.Close()) }()
	y, err := safetensors.OpenFolder(b)
	must(t, err)
	defer func() { must(t, y.Close()) }()
	for _, name := range y.Names() {
		f, s, _ := x.Lookup(name)
		g, u, ok := y.Lookup(name)
		if !ok || s.DType != u.DType || s.Size != u.Size {
			t.Fatalf("%s is %v, want %v", name, s, u)
		}
		p, q := make([]byte, s.Size), make([]byte, s.Size)
		if s.Size > 0 {
			_, err = f.ReadAt(p, s.Offset)
			must(t, err)
			_, err = g.ReadAt(q, u.Offset)
			must(t, err)
		}
		size := int(s.DType.Bits() / 8)
		for i := 0; i < len(p); i += size {
			if m, n := ordered(p[i:i+size]), ordered(q[i:i+size]); m != n {
				differ++
				far = max(far, max(m, n)-min(m, n))
			}
		}
	}
	return differ, far
}

// ordered is a float's place among all of its kind.
func ordered(b []byte) uint64 {
	var u uint64
	for i, v := range b {
		u |= uint64(v) << (8 * i)
	}
	sign := uint64(1) << (8*len(b) - 1)
	if u&sign != 0 {
		return sign - (u &^ sign)
	}
	return u + sign
}
