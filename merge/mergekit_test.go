package merge

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"parfait/merge/safetensors"
)

// layeredModel is a checkpoint with four layers.
func layeredModel(t testing.TB, dir string, seed uint64) string {
	r := rand.New(rand.NewPCG(seed, 0))
	m := model{"model.embed_tokens.weight": drawn(r, safetensors.F32, 1, 5, 3), "lm_head.weight": drawn(r, safetensors.F32, 1, 5, 3)}
	for _, l := range []string{"0", "1", "2", "3"} {
		m["model.layers."+l+".mlp.weight"] = drawn(r, safetensors.F32, 1, 3, 3)
		m["model.layers."+l+".self_attn.weight"] = drawn(r, safetensors.F32, 1, 3, 3)
	}
	return m.write(t, dir)
}

func importText(t testing.TB, dir, text string) (*Recipe, []Problem, error) {
	t.Helper()
	path := filepath.Join(dir, "config.yaml")
	must(t, os.WriteFile(path, []byte(text), 0o644))
	return ImportMergekit(path)
}

func TestMergekitScalars(t *testing.T) {
	r, warnings, err := importText(t, t.TempDir(), `
models:
  - model: org/base
  - model: org/math-7B
    parameters: {weight: 5e-1, density: "0.4"}
  - model: org/code.v2
    parameters: {weight: 0x1}
merge_method: ties
base_model: org/base
parameters: {density: 7e-1, int8_mask: true, lambda: 0.9}
dtype: bfloat16
out_dtype: float16
tokenizer_source: base
`)
	must(t, err)
	at, spec := r.At(), r.Spec()
	if at["math-7B"] != 0.5 || at["code_v2"] != 1 || len(at) != 2 {
		t.Errorf("weights: %v", at)
	}
	density, _ := spec.Params["density"].(map[string]any)
	if density["math-7B"] != 0.4 || density["code_v2"] != 0.7 || spec.Params["lambda"] != 0.9 || spec.Params["normalize"] != true {
		t.Errorf("parameters: %v", spec.Params)
	}
	if spec.DType != F16 || spec.Base != "org/base" || spec.Models[1].Path != "org/code.v2" || len(spec.Groups) != 0 {
		t.Errorf("spec: %+v", spec)
	}
	if len(warnings) != 1 || warnings[0].Where != "dtype" {
		t.Errorf("warnings: %v", warnings)
	}
}

func TestMergekitGradientsAndFilters(t *testing.T) {
	root := t.TempDir()
	a, b := layeredModel(t, filepath.Join(root, "a"), 1), layeredModel(t, filepath.Join(root, "b"), 2)
	r, _, err := importText(t, root, `
slices:
  - sources:
      - {model: `+a+`, layer_range: [0, 4]}
      - {model: `+b+`, layer_range: [0, 4]}
merge_method: slerp
base_model: `+a+`
parameters:
  t:
    - {filter: self_attn, value: [0, 0.5, 1]}
    - {filter: mlp, value: [1, 0]}
    - value: 0.25
dtype: float32
`)
	must(t, err)
	spec := r.Spec()
	found, p := resolve(spec)
	must(t, p.err())
	for name, want := range map[string]float64{
		"model.embed_tokens.weight": 0.25, "lm_head.weight": 0.25,
		"model.layers.0.self_attn.weight": 0, "model.layers.1.self_attn.weight": 1.0 / 3, "model.layers.3.self_attn.weight": 1,
		"model.layers.0.mlp.weight": 1, "model.layers.2.mlp.weight": 1.0 / 3, "model.layers.3.mlp.weight": 0,
	} {
		g := found.group(name)
		s := found.setting(0, spec.Groups[g].Name, r.At())
		approx(t, name, s.Number("t"), want)
	}
	if spec.Models[0].Path != a || spec.Models[1].Path != b {
		t.Errorf("models: %v", spec.Models)
	}
	_, err = plan(t, spec).Write(t.Context(), []Output{{r.At(), filepath.Join(root, "out")}}, WriteOptions{}, nil)
	must(t, err)
	// And back again, to the same values.
	text, _, err := ExportMergekit(*r)
	must(t, err)
	again, _, err := importText(t, root, string(text))
	must(t, err)
	want, got := one(t, spec, r.At()), one(t, again.Spec(), again.At())
	sameBits(t, "exported and imported", got, want)
}

func TestMergekitNormalizedWeights(t *testing.T) {
	r, _, err := importText(t, t.TempDir(), `
merge_method: task_arithmetic
base_model: org/base
models:
  - {model: org/x, parameters: {weight: 1}}
  - {model: org/y, parameters: {weight: 3}}
parameters: {normalize: true}
`)
	must(t, err)
	if at := r.At(); at["x"] != 0.25 || at["y"] != 0.75 {
		t.Errorf("weights: %v", at)
	}
}

func TestMergekitRefusals(t *testing.T) {
	for text, want := range map[string]string{
		"merge_method: sce\nmodels: [{model: org/x}]\n":                                                                                                ":1:15: merge_method: unknown merge method",
		"merge_method: linear\nmodels: [{model: org/x}]\n":                                                                                             "weight: is missing",
		"merge_method: linear\nmodels: [{model: org/x, parameters: {weight: 1}}]\ntokenizer_source: union\n":                                           ":3:",
		"merge_method: linear\nmodels: [{model: org/x, parameters: {weight: 1}}]\nmodules: {a: {}}\n":                                                  "modules",
		"merge_method: linear\nmodels: [{model: org/x, parameters: {weight: 1}}]\ntokenizer: {source: union}\n":                                        "tokenizer",
		"merge_method: passthrough\nslices:\n  - sources: [{model: org/x, layer_range: [0, 8]}]\n  - sources: [{model: org/y, layer_range: [4, 8]}]\n": ":4:",
		"merge_method: passthrough\nslices:\n  - sources: [{model: org/x, layer_range: [2, 8]}]\n":                                                     "layers",
		"merge_method: linear\nmodels: [{model: org/x, parameters: {weight: 1, wieght: 2}}]\n":                                                         `did you mean "weight"`,
		"merge_method: ties\nbase_model: org/b\nmodels: [{model: org/x, parameters: {weight: 1, density: 1.5}}]\n":                                     "density",
		"merge_method: ties\nbase_model: org/b\nmodels: [{model: org/x, parameters: {weight: [0, 1]}}]\n":                                              "headers",
		"merge_method: dare_ties\nbase_model: org/b\nmodels: [{model: org/x, parameters: {weight: 1}}]\nparameters: {rescale: false}\n":                "rescale",
		"merge_method: linear\nmerge_method: ties\nmodels: []\n":                                                                                       "twice",
		"merge_method: slerp\nmodels: [{model: org/x}, {model: org/y}]\nparameters: {t: 0.5}\n":                                                        "base_model",
		"models: [": "YAML",
	} {
		_, _, err := importText(t, t.TempDir(), text)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want %q in it", text, err, want)
		}
		if err != nil && strings.Contains(text, "sce") && strings.Contains(err.Error(), "is missing") {
			t.Errorf("%q: a method that is not known is called missing: %v", text, err)
		}
	}
}

func TestMergekitExportRefuses(t *testing.T) {
	base := Spec{Base: "b", Models: []Source{{"x", "x"}}, Method: "task_arithmetic", Params: map[string]any{}}
	for name, change := range map[string]func(*Spec){
		"masks":   func(s *Spec) { s.Masks = MasksUnion },
		"fisher":  func(s *Spec) { s.Method = "fisher" },
		"groups":  func(s *Spec) { s.Groups = []Group{{"g", "a*b"}} },
		"trim":    func(s *Spec) { s.Method, s.Params = "ties", map[string]any{"trim": "global"} },
		"adapter": func(s *Spec) { s.Form = FormAdapter },
	} {
		s := base
		change(&s)
		if _, _, err := ExportMergekit(Recipe{spec: s, weights: map[string]float64{"x": 1}}); err == nil {
			t.Errorf("%s is exported", name)
		}
	}
	s := base
	s.Skip, s.Groups = []string{"*classifier*"}, []Group{{"early", "model.layers.[0-2].*"}, {"rest", "*"}}
	text, _, err := ExportMergekit(Recipe{spec: s, weights: map[string]float64{"x.early": 0.5, "x.rest": 1}})
	must(t, err)
	if !strings.Contains(string(text), `weight: [{filter: classifier, value: 0}, {filter: model.layers.0., value: 0.5}, {filter: model.layers.1., value: 0.5}`) {
		t.Errorf("%s", text)
	}
}

func FuzzImportMergekit(f *testing.F) {
	f.Add("merge_method: linear\nmodels: [{model: org/x, parameters: {weight: [1, {filter: a, value: 2}]}}]\n")
	f.Add("merge_method: slerp\nslices: [{sources: [{model: a, layer_range: [0, 3]}]}]\n")
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, text string) {
		r, _, err := importText(t, dir, text)
		if err == nil {
			if _, _, err := ExportMergekit(*r); err != nil {
				t.Logf("cannot go back: %v", err)
			}
		}
	})
}
