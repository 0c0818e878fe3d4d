package merge

import (
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"parfait/merge/codes"
	"parfait/merge/safetensors"
)

// writeAdapter puts an adapter into a folder.
func writeAdapter(t testing.TB, dir string, config map[string]any, m model) string {
	t.Helper()
	m.write(t, dir)
	must(t, os.Rename(filepath.Join(dir, "model.safetensors"), filepath.Join(dir, adapterWeights)))
	must(t, os.Remove(filepath.Join(dir, "config.json")))
	must(t, os.Remove(filepath.Join(dir, "tokenizer.json")))
	data, err := json.Marshal(config)
	must(t, err)
	must(t, os.WriteFile(filepath.Join(dir, adapterConfigFile), data, 0o644))
	return dir
}

func loraConfig(more map[string]any) map[string]any {
	c := map[string]any{"peft_type": "LORA", "r": 2, "lora_alpha": 3.0, "bias": "none", "target_modules": []string{"q"}}
	for k, v := range more {
		c[k] = v
	}
	return c
}

// adapted is a base and two adapters of different kinds on it, and their task vectors.
func adapted(t testing.TB) (base string, models []Source, deltas []map[string][]float64) {
	r := rand.New(rand.NewPCG(5, 5))
	f := safetensors.F32
	root := t.TempDir()
	m := model{
		"model.q.weight":            drawn(r, f, 1, 6, 4),
		"model.c_attn.weight":       drawn(r, f, 1, 4, 9), // stored (in, out)
		"model.square.weight":       drawn(r, f, 1, 5, 5), // stored (in, out)
		"model.embed_tokens.weight": drawn(r, f, 1, 12, 3),
		"model.norm.weight":         drawn(r, f, 1, 4),
		"score.weight":              drawn(r, f, 1, 2, 4),
	}
	base = m.write(t, filepath.Join(root, "base"))
	p := "base_model.model."
	a := model{
		p + "model.q.lora_A.weight": drawn(r, f, 1, 2, 4), p + "model.q.lora_B.weight": drawn(r, f, 1, 6, 2),
		p + "model.c_attn.lora_A.weight": drawn(r, f, 1, 2, 4), p + "model.c_attn.lora_B.weight": drawn(r, f, 1, 9, 2),
		p + "model.square.lora_A.weight": drawn(r, f, 1, 2, 5), p + "model.square.lora_B.weight": drawn(r, f, 1, 5, 2),
	}
	b := model{
		p + "model.q.lora_A.weight": drawn(r, f, 1, 3, 4), p + "model.q.lora_B.weight": drawn(r, f, 1, 6, 3),
		p + "model.embed_tokens.lora_embedding_A": drawn(r, f, 1, 3, 12), p + "model.embed_tokens.lora_embedding_B": drawn(r, f, 1, 3, 3),
		p + "score.weight": drawn(r, f, 1, 2, 4),
	}
	models = []Source{
		{"a", writeAdapter(t, filepath.Join(root, "a"), loraConfig(map[string]any{"fan_in_fan_out": true, "alpha_pattern": map[string]any{"c_attn": 8.0}}), a)},
		{"b", writeAdapter(t, filepath.Join(root, "b"), loraConfig(map[string]any{"fan_in_fan_out": true, "use_rslora": true, "r": 3}), b)},
	}
	rs := 3 / math.Sqrt(3)
	full := make([]float64, 8)
	for e := range full {
		full[e] = b[p+"score.weight"].data[e] - m["score.weight"].data[e]
	}
	return base, models, []map[string][]float64{
		{
			"model.q.weight":      matmul(a[p+"model.q.lora_B.weight"], a[p+"model.q.lora_A.weight"], 1.5, false),
			"model.c_attn.weight": matmul(a[p+"model.c_attn.lora_B.weight"], a[p+"model.c_attn.lora_A.weight"], 4, true),
			"model.square.weight": matmul(a[p+"model.square.lora_B.weight"], a[p+"model.square.lora_A.weight"], 1.5, true),
		},
		{
			"model.q.weight":            matmul(b[p+"model.q.lora_B.weight"], b[p+"model.q.lora_A.weight"], rs, false),
			"model.embed_tokens.weight": matmul(b[p+"model.embed_tokens.lora_embedding_B"], b[p+"model.embed_tokens.lora_embedding_A"], rs, true),
			"score.weight":              full,
		},
	}
}

// matmul is scale·B·A, row-major, transposed where asked for.
func matmul(b, a values, scale float64, transposed bool) []float64 {
	rows, inner, cols := int(b.shape[0]), int(b.shape[1]), int(a.shape[1])
	out := make([]float64, rows*cols)
	for i := range rows {
		for j := range cols {
			sum := 0.0
			for k := range inner {
				sum += b.data[i*inner+k] * a.data[k*cols+j]
			}
			if transposed {
				out[j*rows+i] = scale * sum
			} else {
				out[i*cols+j] = scale * sum
			}
		}
	}
	return out
}

func closeTo(t *testing.T, what string, got, want []float64, slack float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d elements, want %d", what, len(got), len(want))
	}
	for e := range want {
		if math.Abs(got[e]-want[e]) > slack*(1+math.Abs(want[e])) {
			t.Fatalf("%s[%d] = %v, want %v", what, e, got[e], want[e])
		}
	}
}

func TestAdaptersAreModels(t *testing.T) {
	base, models, deltas := adapted(t)
	b := read(t, base)
	got := one(t, Spec{Base: base, Models: models, Method: "task_arithmetic"}, map[string]float64{"a": 0.5, "b": -0.25})
	for _, name := range sortedKeys(b) {
		want := append([]float64(nil), b[name].data...)
		for e := range want {
			for i, c := range []float64{0.5, -0.25} {
				if d := deltas[i][name]; d != nil {
					want[e] += c * d[e]
				}
			}
		}
		closeTo(t, name, got[name].data, want, 1e-5)
	}
	zero := one(t, Spec{Base: base, Models: models, Method: "task_arithmetic"}, map[string]float64{"a": 0, "b": 0})
	sameBits(t, "no weight", zero, b)
	for _, method := range []string{"ties", "dare_linear", "linear", "model_stock"} {
		at := map[string]float64{"a": 0.5, "b": 0.5, "density": 1}
		switch method {
		case "linear":
			delete(at, "density")
		case "model_stock":
			at = nil
		}
		merged := one(t, Spec{Base: base, Models: models, Method: method}, at)
		closeTo(t, method, merged["model.norm.weight"].data, b["model.norm.weight"].data, 1e-6)
	}
}

func TestAdapterForm(t *testing.T) {
	base, models, deltas := adapted(t)
	spec := Spec{Base: base, Models: models, Method: "task_arithmetic", Form: FormAdapter}
	at := map[string]float64{"a": 0.5, "b": -0.25}
	dir := filepath.Join(t.TempDir(), "adapter")
	_, err := plan(t, spec).Export(t.Context(), at, dir, ExportOptions{}, nil)
	must(t, err)
	v, err := Verify(t.Context(), dir, VerifyOptions{Recompute: true}, nil)
	must(t, err)
	if len(v.Problems) > 0 || !v.Recomputed {
		t.Errorf("verify: %+v", v.Problems)
	}
	digestsAreThoseOfAnExport(t, plan(t, spec), at)
	// The adapter on the base, with weight 1, is the merge.
	spec.Form = FormFull
	want := one(t, spec, at)
	got := one(t, Spec{Base: base, Models: []Source{{"sum", dir}}, Method: "task_arithmetic"}, map[string]float64{"sum": 1})
	for _, name := range sortedKeys(want) {
		closeTo(t, name, got[name].data, want[name].data, 1e-5)
	}
	if deltas[0]["model.q.weight"] == nil {
		t.Fatal("the test has no module that both change")
	}
	var config struct {
		R       int            `json:"r"`
		Alpha   float64        `json:"lora_alpha"`
		RS      bool           `json:"use_rslora"`
		Ranks   map[string]int `json:"rank_pattern"`
		Saved   []string       `json:"modules_to_save"`
		Targets []string       `json:"target_modules"`
	}
	data, err := os.ReadFile(filepath.Join(dir, adapterConfigFile))
	must(t, err)
	must(t, json.Unmarshal(data, &config))
	if config.R != 5 || config.Alpha != 5 || config.RS || config.Ranks["model.c_attn"] != 2 || len(config.Targets) != 4 || len(config.Saved) != 1 {
		t.Errorf("config: %s", data)
	}
}

func TestAdaptersThatAreRefused(t *testing.T) {
	base, models, _ := adapted(t)
	for name, more := range map[string]map[string]any{
		"DoRA":         {"use_dora": true},
		"another kind": {"peft_type": "IA3"},
		"bias":         {"bias": "all"},
		"PiSSA":        {"init_lora_weights": "pissa_niter_4"},
		"no alpha":     {"lora_alpha": nil},
		"bad pattern":  {"alpha_pattern": map[string]any{"(": 1.0}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			data, err := json.Marshal(loraConfig(more))
			must(t, err)
			must(t, os.WriteFile(filepath.Join(dir, adapterConfigFile), data, 0o644))
			_, err = NewPlan(t.Context(), Spec{Base: base, Models: []Source{{"x", dir}}, Method: "task_arithmetic"})
			if !errors.Is(err, Problem{Code: codes.Adapter}) || !strings.Contains(err.Error(), "PEFT") {
				t.Errorf("error: %v", err)
			}
		})
	}
	_, err := NewPlan(t.Context(), Spec{Models: models, Method: "linear"})
	if !errors.Is(err, Problem{Code: codes.Adapter}) {
		t.Errorf("without a base: %v", err)
	}
	_, err = NewPlan(t.Context(), Spec{Base: base, Models: []Source{{"x", base}}, Method: "task_arithmetic", Form: FormAdapter})
	if !errors.Is(err, Problem{Code: codes.Adapter}) {
		t.Errorf("a full checkpoint in the form of an adapter: %v", err)
	}
}

// An adapter as a base has nothing that could be merged, which must not pass for a merge of nothing.
func TestAdapterIsNoBase(t *testing.T) {
	base, models, _ := adapted(t)
	for _, spec := range []Spec{
		{Base: models[0].Path, Models: models, Method: "task_arithmetic"},
		{Base: models[0].Path, Models: []Source{{"full", base}}, Method: "linear"},
	} {
		_, err := NewPlan(t.Context(), spec)
		if list := problemsOf(t, err); len(list) != 1 || list[0].Code != codes.Adapter || list[0].Where != "base" {
			t.Errorf("%s: %v", spec.Method, err)
		}
	}
}

// An adapter without a tensor is no model; one whose scale is 0 changes nothing, and that is said.
func TestAdaptersThatChangeNothing(t *testing.T) {
	base, models, _ := adapted(t)
	empty := writeAdapter(t, t.TempDir(), loraConfig(nil), model{})
	_, err := NewPlan(t.Context(), Spec{Base: base, Models: []Source{models[0], {"empty", empty}}, Method: "task_arithmetic"})
	found := problemsOf(t, err)
	if len(found) != 1 || found[0].Code != codes.Adapter || found[0].Where != "empty" || !strings.Contains(found[0].What, "no tensors") {
		t.Errorf("%v, want one problem of the adapter without tensors", err)
	}
	r := rand.New(rand.NewPCG(5, 5))
	const q = "base_model.model.model.q."
	off := writeAdapter(t, t.TempDir(), loraConfig(map[string]any{"lora_alpha": 0.0}), model{
		q + "lora_A.weight": drawn(r, safetensors.F32, 1, 2, 4), q + "lora_B.weight": drawn(r, safetensors.F32, 1, 6, 2),
	})
	p := plan(t, Spec{Base: base, Models: []Source{models[0], {"off", off}}, Method: "task_arithmetic"})
	if w := p.Warnings(); len(w) != 1 || w[0].Where != "off" || !strings.Contains(w[0].What, "lora_alpha is 0 for 1 of the 1 modules") {
		t.Errorf("warnings %v, want that it changes nothing", w)
	}
}
