package merge

import (
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	"parfait/merge/safetensors"
)

// An adapter has the names of modules in memory, which for some families are not those in the base's files.
func TestNamesInMemory(t *testing.T) {
	for file, memory := range map[string]string{
		"language_model.model.layers.0.self_attn.q_proj": "model.language_model.layers.0.self_attn.q_proj",
		"vision_tower.layers.0.q_proj":                   "model.vision_tower.layers.0.q_proj",
		"model.layers.0.mlp.up_proj":                     "model.language_model.layers.0.mlp.up_proj",
		"vit.encoder.layer.0.attention.attention.query":  "vit.layers.0.attention.q_proj",
		"vit.encoder.layer.0.output.dense":               "vit.layers.0.mlp.fc2",
		"embed_out":                                      "lm_head",
	} {
		r := rand.New(rand.NewPCG(19, 19))
		root := t.TempDir()
		f := safetensors.F32
		base := model{file + ".weight": drawn(r, f, 1, 4, 3), "other.norm.weight": drawn(r, f, 1, 3)}.write(t, filepath.Join(root, "base"))
		a, b := drawn(r, f, 1, 2, 3), drawn(r, f, 1, 4, 2)
		adapter := func(name, module string) string {
			p := "base_model.model." + module
			return writeAdapter(t, filepath.Join(root, name), loraConfig(map[string]any{"r": 2}), model{p + ".lora_A.weight": a, p + ".lora_B.weight": b})
		}
		spec := Spec{Base: base, Method: "task_arithmetic", Models: []Source{{"x", adapter("file", file)}}}
		want := one(t, spec, map[string]float64{"x": 1})
		spec.Models[0].Path = adapter("memory", memory)
		sameBits(t, memory, one(t, spec, map[string]float64{"x": 1}), want)
		spec.Models[0].Path = adapter("neither", memory+".not")
		if _, err := NewPlan(t.Context(), spec); err == nil || strings.Count(err.Error(), "a module that the base lacks") != 1 {
			t.Errorf("%s.not: the error is %v", memory, err)
		}
	}
}

// A base that was saved without its head, and an adapter that has both the head's prefix and the names in memory.
func TestNamesInMemoryOfAModelWithAHead(t *testing.T) {
	r := rand.New(rand.NewPCG(21, 21))
	root := t.TempDir()
	const file = "encoder.layer.0.attention.attention."
	base := model{file + "query.weight": drawn(r, safetensors.F32, 1, 4, 3), file + "key.weight": drawn(r, safetensors.F32, 1, 4, 3), "layernorm.weight": drawn(r, safetensors.F32, 1, 3)}.write(t, filepath.Join(root, "base"))
	config := loraConfig(map[string]any{"r": 2, "auto_mapping": map[string]any{"base_model_class": "ViTForImageClassification"}})
	halves := [4]values{drawn(r, safetensors.F32, 1, 2, 3), drawn(r, safetensors.F32, 1, 4, 2), drawn(r, safetensors.F32, 1, 2, 3), drawn(r, safetensors.F32, 1, 4, 2)}
	of := func(q, k string) model {
		q, k = "base_model.model."+q, "base_model.model."+k
		return model{q + ".lora_A.weight": halves[0], q + ".lora_B.weight": halves[1], k + ".lora_A.weight": halves[2], k + ".lora_B.weight": halves[3]}
	}
	spec := Spec{Base: base, Method: "task_arithmetic", Models: []Source{{"x", writeAdapter(t, filepath.Join(root, "file"), config, of(file+"query", file+"key"))}}}
	want := one(t, spec, map[string]float64{"x": 1})
	named := of("vit.layers.0.attention.q_proj", "vit.layers.0.attention.k_proj")
	spec.Models[0].Path = writeAdapter(t, filepath.Join(root, "memory"), config, named)
	sameBits(t, "prefix and names", one(t, spec, map[string]float64{"x": 1}), want)

	named["base_model.model.classifier.weight"], named["base_model.model.classifier.bias"] = drawn(r, safetensors.F32, 1, 2, 3), drawn(r, safetensors.F32, 1, 2)
	spec.Models[0].Path = writeAdapter(t, filepath.Join(root, "head"), config, named)
	_, err := NewPlan(t.Context(), spec)
	list := problemsOf(t, err)
	if len(list) != 1 || list[0].Where != "x: classifier" || !strings.Contains(list[0].Fix, "peft.AutoPeftModel.from_pretrained") {
		t.Errorf("%v, want the classifier once, and a class of PEFT that loads it", err)
	}
	spec.Models[0].Path = writeAdapter(t, filepath.Join(root, "neither"), config, of("a.q", "a.k"))
	_, err = NewPlan(t.Context(), spec)
	if list := problemsOf(t, err); len(list) != 1 || !strings.Contains(list[0].What, "2 modules that the base lacks: a.k, a.q") {
		t.Errorf("%v, want both modules in one problem", err)
	}
}

// A model with a head and one that was saved without it are one model under two prefixes.
func TestNamesWithAndWithoutAHead(t *testing.T) {
	r := rand.New(rand.NewPCG(20, 20))
	root := t.TempDir()
	bare, headed := model{}, model{}
	for _, name := range []string{"h.0.w.weight", "h.1.w.weight", "wte.weight", "ln_f.weight"} {
		bare[name] = drawn(r, safetensors.F32, 1, 3, 3)
		headed["transformer."+name] = near2(r, bare[name], 0.1)
	}
	other := model{}
	for name, v := range headed {
		other[strings.TrimPrefix(name, "transformer.")] = v
	}
	without, with, plain := bare.write(t, filepath.Join(root, "bare")), headed.write(t, filepath.Join(root, "headed")), other.write(t, filepath.Join(root, "plain"))
	want := one(t, Spec{Base: without, Method: "task_arithmetic", Models: []Source{{"x", plain}}}, map[string]float64{"x": 0.5})
	s := Spec{Base: without, Method: "task_arithmetic", Models: []Source{{"x", with}}}
	sameBits(t, "a model with a head", one(t, s, map[string]float64{"x": 0.5}), want)
	if w := plan(t, s).Warnings(); len(w) == 0 || !strings.Contains(w[0].What, `begin with "transformer."`) {
		t.Errorf("nobody says that names differ: %v", w)
	}
	got := one(t, Spec{Base: with, Method: "task_arithmetic", Models: []Source{{"x", without}}}, map[string]float64{"x": 1})
	for name := range headed {
		if got[name].data == nil {
			t.Errorf("with a head in the base the output has no %s", name)
		}
	}
	// A head of its own is said by its name, and following what is said does it.
	headed["classifier.weight"] = drawn(r, safetensors.F32, 1, 2, 3)
	s.Models[0].Path = headed.write(t, filepath.Join(root, "classifies"))
	_, err := NewPlan(t.Context(), s)
	if err == nil || !strings.Contains(err.Error(), "classifier.weight") || strings.Contains(err.Error(), "wte") {
		t.Errorf("the error is %v", err)
	}
	s.Skip = []string{"classifier.weight"}
	sameBits(t, "without its classifier", one(t, s, map[string]float64{"x": 0.5}), want)
}
