package merge

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"parfait/merge/codes"
	"parfait/merge/safetensors"
)

// expertProduct is what PEFT's ParamWrapper adds to the matrix of one expert, (out, in): the sum over the rank of
// lora_B[o][k·experts + e] · lora_A[e·rank + k][i], scaled.
func expertProduct(a, b values, experts, e int, scale float64) [][]float64 {
	rank, in, out := int(a.shape[0])/experts, int(a.shape[1]), int(b.shape[0])
	delta := make([][]float64, out)
	for o := range delta {
		delta[o] = make([]float64, in)
		for i := range delta[o] {
			for k := range rank {
				delta[o][i] += scale * b.data[o*rank*experts+k*experts+e] * a.data[(e*rank+k)*in+i]
			}
		}
	}
	return delta
}

// mixture are a base with experts as its files have them, an adapter on gate_up_proj and down_proj of width hidden and
// inner, and what the adapter adds to each tensor.
func mixture(t *testing.T, files string, hidden, inner int64, version string) (base, adapter string, want map[string][]float64, m model) {
	r := rand.New(rand.NewPCG(17, 3))
	f := safetensors.F32
	const experts, rank = 3, 2
	const layer = "model.layers.0."
	m = model{layer + "q.weight": drawn(r, f, 1, hidden, hidden)}
	wrapped := "base_model.model." + layer + "mlp.experts."
	a := model{ // down_proj, the later parameter, is the outer wrapper
		wrapped + "base_layer.lora_A.weight": drawn(r, f, 1, experts*rank, hidden), wrapped + "base_layer.lora_B.weight": drawn(r, f, 1, 2*inner, experts*rank),
		wrapped + "lora_A.weight": drawn(r, f, 1, experts*rank, inner), wrapped + "lora_B.weight": drawn(r, f, 1, hidden, experts*rank),
	}
	want = map[string][]float64{}
	for e := range experts {
		gateUp := expertProduct(a[wrapped+"base_layer.lora_A.weight"], a[wrapped+"base_layer.lora_B.weight"], experts, e, 2)
		down := expertProduct(a[wrapped+"lora_A.weight"], a[wrapped+"lora_B.weight"], experts, e, 2)
		put := func(name string, rows [][]float64, turned bool) {
			for i := 0; turned && i < len(rows[0]); i++ {
				for o := range rows {
					want[name] = append(want[name], rows[o][i])
				}
			}
			for o := 0; !turned && o < len(rows); o++ {
				want[name] = append(want[name], rows[o]...)
			}
		}
		switch files {
		case "each": // Mixtral
			expert := fmt.Sprintf("%sblock_sparse_moe.experts.%d.", layer, e)
			put(expert+"w1.weight", gateUp[:inner], false)
			put(expert+"w3.weight", gateUp[inner:], false)
			put(expert+"w2.weight", down, false)
		case "out, in": // Qwen3-MoE in memory
			put(layer+"mlp.experts.gate_up_proj", gateUp, false)
			put(layer+"mlp.experts.down_proj", down, false)
		case "out, in; renamed": // Granite MoE
			put(layer+"mlp.input_linear.weight", gateUp, false)
			put(layer+"mlp.output_linear.weight", down, false)
		case "in, out": // GPT-OSS
			put(layer+"mlp.experts.gate_up_proj", gateUp, true)
			put(layer+"mlp.experts.down_proj", down, true)
		}
	}
	shapes := map[string]map[string][]int64{
		"each":    {"w1.weight": {inner, hidden}, "w3.weight": {inner, hidden}, "w2.weight": {hidden, inner}},
		"out, in": {"gate_up_proj": {experts, 2 * inner, hidden}, "down_proj": {experts, hidden, inner}},
		"in, out": {"gate_up_proj": {experts, hidden, 2 * inner}, "down_proj": {experts, inner, hidden}},

		"out, in; renamed": {"input_linear.weight": {experts, 2 * inner, hidden}, "output_linear.weight": {experts, hidden, inner}},
	}[files]
	for name := range want {
		for end, shape := range shapes {
			if strings.HasSuffix(name, end) {
				m[name] = drawn(r, f, 1, shape...)
			}
		}
	}
	root := t.TempDir()
	kind := "mixtral"
	if files == "in, out" {
		kind = "gpt_oss"
	}
	return configured(t, m.write(t, filepath.Join(root, "base")), `{"model_type": "`+kind+`"}`), writeAdapter(t, filepath.Join(root, "a"), loraConfig(map[string]any{
		"lora_alpha": 4.0, "peft_version": version, "target_parameters": []string{"mlp.experts.gate_up_proj", "mlp.experts.down_proj"},
	}), a), want, m
}

// Adapters on the experts of a mixture are merged into files that have the experts one by one or together, in
// either order, square or not, in several chunks.
func TestAdaptersOnExperts(t *testing.T) {
	for _, files := range []string{"each", "out, in", "out, in; renamed", "in, out"} {
		for _, size := range [][2]int64{{6, 5}, {4, 4}, {8, 4}, {700, 300}} {
			t.Run(fmt.Sprint(files, size), func(t *testing.T) {
				base, adapter, want, m := mixture(t, files, size[0], size[1], "0.21.2")
				got := one(t, Spec{Base: base, Models: []Source{{"a", adapter}}, Method: "task_arithmetic"}, map[string]float64{"a": 0.5})
				for _, name := range sortedKeys(m) {
					sum := append([]float64(nil), m[name].data...)
					for e, d := range want[name] {
						sum[e] += 0.5 * d
					}
					closeTo(t, name, got[name].data, sum, 1e-4)
				}
			})
		}
	}
}

// Square matrices are turned as the PEFT that wrote them had them: before 0.19 lora_A has the width of the
// second dimension in memory, which is the output's where experts are (out, in).
func TestSquareExpertsGoByPEFTsVersion(t *testing.T) {
	for _, version := range []string{"", "0.18.1", "0.19.0"} {
		base, adapter, want, m := mixture(t, "each", 4, 4, version)
		got := one(t, Spec{Base: base, Models: []Source{{"a", adapter}}, Method: "task_arithmetic"}, map[string]float64{"a": 1})
		const name = "model.layers.0.block_sparse_moe.experts.1.w2.weight"
		turned := append([]float64(nil), m[name].data...)
		for i := range 4 {
			for o := range 4 {
				turned[i*4+o] += want[name][o*4+i]
			}
		}
		closeTo(t, "PEFT "+version, got[name].data, turned, 1e-4)
	}
}

// Of experts as (in, out) it depends on the model what PEFT takes for the input: Llama 4's class does not say that it is the
// first, and of a model that is not known nothing is guessed.
func TestSquareExpertsGoByTheModel(t *testing.T) {
	const name = "model.layers.0.mlp.experts.down_proj"
	base, adapter, want, m := mixture(t, "in, out", 4, 4, "0.21.2")
	spec := Spec{Base: configured(t, base, `{"model_type": "llama4_text"}`), Models: []Source{{"a", adapter}}, Method: "task_arithmetic"}
	got := one(t, spec, map[string]float64{"a": 1})
	straight := append([]float64(nil), m[name].data...)
	for e := range 3 {
		for i := range 4 {
			for o := range 4 {
				straight[e*16+i*4+o] += want[name][e*16+o*4+i]
			}
		}
	}
	closeTo(t, "Llama 4", got[name].data, straight, 1e-4)
	configured(t, base, `{"model_type": "of_tomorrow"}`)
	_, err := NewPlan(t.Context(), spec)
	if list := problemsOf(t, err); len(list) != 1 || list[0].Where != "a: "+name || !strings.Contains(list[0].What, "nothing tells") {
		t.Errorf("of a model that is not known: %v", err)
	}
}

// What cannot be placed is said, with the parameter; an adapter on experts is no adapter of modules.
func TestAdaptersOnExpertsThatAreRefused(t *testing.T) {
	base, adapter, _, m := mixture(t, "out, in", 6, 5, "0.21.2")
	spec := Spec{Base: base, Models: []Source{{"a", adapter}}, Method: "task_arithmetic"}
	delete(m, "model.layers.0.mlp.experts.down_proj")
	spec.Base = m.write(t, filepath.Join(t.TempDir(), "lacking"))
	_, err := NewPlan(t.Context(), spec)
	if list := problemsOf(t, err); len(list) != 1 || list[0].Where != "a: model.layers.0.mlp.experts.down_proj" || !strings.Contains(list[0].What, "parameter that the base lacks") {
		t.Errorf("a parameter that is not there: %v", err)
	}
	spec.Base, spec.Form = base, FormAdapter
	_, err = NewPlan(t.Context(), spec)
	if list := problemsOf(t, err); len(list) != 1 || !strings.Contains(list[0].What, "target_parameters") || list[0].Fix != "leave form out" {
		t.Errorf("form adapter: %v", err)
	}
}

// What is not known to be a plain LoRA is refused for what it is, and what PEFT cannot merge is not sent there.
func TestAdaptersAreAllowedByList(t *testing.T) {
	base, models, _ := adapted(t)
	weights, err := os.ReadFile(filepath.Join(models[0].Path, adapterWeights))
	must(t, err)
	for _, c := range []struct {
		key   string
		value any
		what  string
		fix   string
	}{
		{"trainable_token_indices", []int{5, 7}, "single rows of the embeddings", "AutoPeftModelForCausalLM"},
		{"kasa_config", map[string]any{"beta": 1e-4}, "KaSA", "merge_and_unload"},
		{"alora_invocation_tokens", []int{5}, "aLoRA", "leave it out"},
		{"use_qalora", true, "QA-LoRA", "leave it out"},
		{"use_superlora", true, "use_superlora: true, which is not known here (written by PEFT 0.99.0)", "take it out of the file"},
		{"init_lora_weights", "mifsvd", "mifsvd, which is not known here (written by PEFT 0.99.0)", "merge_and_unload"},
		{"init_lora_weights", "pissa_niter_4", "takes from the base what its matrices begin with", "merge_and_unload"},
		{"bias", "lora_only", "it trained biases", "merge_and_unload"},
		{"ensure_weight_tying", true, "", ""},
		{"init_lora_weights", "mica", "", ""},
		{"use_superlora", false, "", ""},
		{"eva_config", map[string]any{"rho": 2.0, "tau": 0.99}, "", ""},
		{"unsloth_version", "2026.1", "", ""},
	} {
		dir := t.TempDir()
		config := writeAdapter(t, dir, loraConfig(map[string]any{"fan_in_fan_out": true, "peft_version": "0.99.0", c.key: c.value}), model{})
		must(t, os.WriteFile(filepath.Join(config, adapterWeights), weights, 0o644))
		p, err := NewPlan(t.Context(), Spec{Base: base, Models: []Source{{"x", dir}}, Method: "task_arithmetic"})
		if c.what == "" {
			if err != nil {
				t.Errorf("%s: %v: %v", c.key, c.value, err)
				continue
			}
			must(t, p.Close())
			continue
		}
		if list := problemsOf(t, err); len(list) != 1 || list[0].Code != codes.Adapter || !strings.Contains(list[0].What, c.what) || !strings.Contains(list[0].Fix, c.fix) {
			t.Errorf("%s: %v: %v, want %q and %q", c.key, c.value, err, c.what, c.fix)
		}
	}
}

// An adapter as a pickle is refused with the command that converts it, in its place.
func TestAdapterAsPickle(t *testing.T) {
	base, models, _ := adapted(t)
	dir := models[0].Path
	must(t, os.Rename(filepath.Join(dir, adapterWeights), filepath.Join(dir, "adapter_model.bin")))
	_, err := NewPlan(t.Context(), Spec{Base: base, Models: []Source{{"x", dir}}, Method: "task_arithmetic"})
	if list := problemsOf(t, err); !errors.Is(err, Problem{Code: codes.NotConverted}) || len(list) != 1 || !strings.Contains(list[0].Fix, filepath.Join(dir, "adapter_model.bin")) || !strings.Contains(list[0].Fix, filepath.Join(dir, adapterWeights)) {
		t.Errorf("%v", err)
	}
}
