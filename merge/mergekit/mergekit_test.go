package mergekit

import (
	"bytes"
	"encoding/binary"
	"errors"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"parfait/merge"
	"parfait/merge/method"
	"parfait/merge/safetensors"
	"parfait/problem"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// layeredModel is a checkpoint with four layers of random numbers.
func layeredModel(t testing.TB, dir string, seed uint64) string {
	t.Helper()
	shapes := map[string][]int64{"model.embed_tokens.weight": {5, 3}, "lm_head.weight": {5, 3}}
	for _, l := range []string{"0", "1", "2", "3"} {
		shapes["model.layers."+l+".mlp.weight"] = []int64{3, 3}
		shapes["model.layers."+l+".self_attn.weight"] = []int64{3, 3}
	}
	var list []safetensors.Tensor
	for name, shape := range shapes {
		list = append(list, safetensors.Tensor{Name: name, DType: safetensors.F32, Shape: shape})
	}
	layout, err := safetensors.NewLayout(list, safetensors.FormatPT())
	must(t, err)
	r := rand.New(rand.NewPCG(seed, 0))
	var b bytes.Buffer
	must(t, layout.Write(&b, func(st safetensors.Tensor) ([]byte, error) {
		var raw []byte
		for range st.Elements() {
			raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(float32(r.NormFloat64())))
		}
		return raw, nil
	}))
	must(t, os.MkdirAll(dir, 0o755))
	must(t, os.WriteFile(filepath.Join(dir, "model.safetensors"), b.Bytes(), 0o644))
	return dir
}

// merged is the bytes of a recipe's merge.
func merged(t testing.TB, r *merge.Recipe) []byte {
	t.Helper()
	out := filepath.Join(t.TempDir(), "out")
	p, err := r.Plan(t.Context(), out, 0, nil)
	must(t, err)
	defer p.Close() //nolint:errcheck // a test
	_, err = p.Write(t.Context(), []merge.Output{{At: r.At(), Target: out}}, merge.WriteOptions{}, nil)
	must(t, err)
	data, err := os.ReadFile(filepath.Join(out, "model.safetensors"))
	must(t, err)
	return data
}

func importText(t testing.TB, dir, text string) (*merge.Recipe, []merge.Problem, error) {
	t.Helper()
	path := filepath.Join(dir, "config.yaml")
	must(t, os.WriteFile(path, []byte(text), 0o644))
	return Import(path)
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
	if spec.DType != merge.F16 || spec.Base != "org/base" || spec.Models[1].Path != "org/code.v2" || len(spec.Groups) != 0 {
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
	groupOf := byGroups(spec.Groups)
	for name, want := range map[string]float64{
		"model.embed_tokens.weight": 0.25, "lm_head.weight": 0.25,
		"model.layers.0.self_attn.weight": 0, "model.layers.1.self_attn.weight": 1.0 / 3, "model.layers.3.self_attn.weight": 1,
		"model.layers.0.mlp.weight": 1, "model.layers.2.mlp.weight": 1.0 / 3, "model.layers.3.mlp.weight": 0,
	} {
		g := groupOf(name)
		values, _ := spec.Params["t"].(map[string]any)
		if got, _ := values[spec.Groups[g].Name].(float64); math.Abs(got-want) > 1e-15 {
			t.Errorf("%s: t is %v, want %v", name, got, want)
		}
	}
	if spec.Models[0].Path != a || spec.Models[1].Path != b {
		t.Errorf("models: %v", spec.Models)
	}
	// And back again, to the same values.
	text, _, err := Export(*r)
	must(t, err)
	again, _, err := importText(t, root, string(text))
	must(t, err)
	if !bytes.Equal(merged(t, r), merged(t, again)) {
		t.Errorf("what was exported and imported again is another merge:\n%s", text)
	}
}

// What mergekit does where a file says nothing is what an import says, whatever the defaults here.
func TestDefaultsAreMergekits(t *testing.T) {
	for text, want := range map[string]map[string]any{
		"merge_method: dare_ties\nmodels: [{model: org/x, parameters: {weight: 1}}]\n":                                                               {"density": 1.0, "lambda": 1.0, "rescale": "l1", "normalize": false},
		"merge_method: dare_linear\nmodels: [{model: org/x, parameters: {weight: 1}}]\nparameters: {rescale: false}\n":                               {"density": 1.0, "lambda": 1.0, "rescale": "none"},
		"merge_method: della\nmodels: [{model: org/x, parameters: {weight: 1}}]\n":                                                                   {"density": 1.0, "lambda": 1.0, "epsilon": 0.15, "rescale": "l1", "normalize": true},
		"merge_method: ties\nmodels: [{model: org/x, parameters: {weight: 1}}]\nparameters: {rescale: true}\n":                                       {"density": 1.0, "lambda": 1.0, "rescale": "l1", "normalize": true},
		"merge_method: breadcrumbs\nmodels: [{model: org/x, parameters: {weight: 1}}]\n":                                                             {"density": 1.0, "lambda": 1.0, "gamma": 0.0, "rescale": "none"},
		"merge_method: sce\nmodels: [{model: org/x}]\n":                                                                                              {"lambda": 1.0, "select_topk": 1.0, "even_below": 1e-6},
		"merge_method: karcher\nmodels: [{model: org/x}, {model: org/y}]\nparameters: {max_iter: 1000, tol: 1e-9}\n":                                 {"max_iter": 1000.0, "tol": 1e-9},
		"merge_method: karcher\nmodels: [{model: org/x}, {model: org/y}]\n":                                                                          {"max_iter": 10.0, "tol": 1e-5},
		"merge_method: multislerp\nmodels: [{model: org/x, parameters: {weight: 1}}]\nparameters: {eps: 1e-8, normalize_weights: false}\n":           {"normalize": false},
		"merge_method: multislerp\nmodels: [{model: org/x, parameters: {weight: 1}}]\n":                                                              {"normalize": true},
		"merge_method: nuslerp\nmodels: [{model: org/x}, {model: org/y}]\nparameters: {weight: 1}\n":                                                 {"vectors": "tensor"},
		"merge_method: nuslerp\nmodels: [{model: org/x}, {model: org/y}]\nparameters: {weight: 1, nuslerp_flatten: false}\n":                         {"vectors": "rows"},
		"merge_method: nuslerp\nmodels: [{model: org/x}, {model: org/y}]\nparameters: {weight: 1, nuslerp_flatten: false, nuslerp_row_wise: true}\n": {"vectors": "columns"},
		"merge_method: model_stock\nmodels: [{model: org/x}, {model: org/y}]\nparameters: {filter_wise: true}\n":                                     {"vectors": "rows"},
		"merge_method: ram\nmodels: [{model: org/x}]\n":                                                                                              {"lambda": 1.0, "epsilon": 1e-5},
		"merge_method: ramplus_tl\nmodels: [{model: org/x}]\nparameters: {r: 0.3}\n":                                                                 {"lambda": 1.0, "epsilon": 1e-5, "r": 0.3, "alpha": 0.2},
		"merge_method: nearswap\nmodels: [{model: org/base}, {model: org/x}]\nparameters: {t: 0.001}\n":                                              {"t": 0.001},
		"merge_method: passthrough\nmodels: [{model: org/x, parameters: {scale: 2}}]\n":                                                              {"scale": 2.0},
	} {
		r, _, err := importText(t, t.TempDir(), "base_model: org/base\n"+text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := r.Spec().Params; !maps.Equal(got, want) {
			t.Errorf("%s: parameters %v, want %v", text, got, want)
		}
	}
}

func TestExportOfWhatMergekitLacks(t *testing.T) {
	two := []merge.Source{{Name: "x", Path: "/x"}, {Name: "y", Path: "/y"}}
	for want, s := range map[string]merge.Spec{
		"its weight is not that of the other models": {Method: "sce", Params: map[string]any{"even_below": 1e-6}},
		"lambda: 1 is exported":                      {Method: "sce", Params: map[string]any{"even_below": 1e-6, "lambda": 0.5}},
		"trim: tensor is exported":                   {Method: "ties", Params: map[string]any{"trim": "global"}},
	} {
		s.Base, s.Models = "/base", two
		if _, _, err := Export(recipe(t, s, map[string]float64{"x": 1, "y": 3})); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s of %v: error %v, want %q in it", s.Method, s.Params, err, want)
		}
	}
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
		"merge_method: scf\nmodels: [{model: org/x}]\n":                                                           ":1:15: merge_method: unknown merge method",
		"merge_method: linear\nmodels: [{model: org/x}]\n":                                                        "weight: is missing",
		"merge_method: linear\nmodels: [{model: org/x, parameters: {weight: 1}}]\nmodules: {a: {}}\n":             "models and modules: one of them",
		"merge_method: linear\nmodules: {text: {models: [{model: org/x}]}, vision: {models: [{model: org/x}]}}\n": "several modules",
		"genome: {models: [org/x]}\n":                                                                             "mergekit-evolve",
		"base_model: org/x\ngate_mode: random\nexperts: [{source_model: org/y}]\n":                                "mergekit-moe",
		"merge_methd: linear\nmodels: [{model: org/x}]\n":                                                         `did you mean "merge_method"`,
		"merge_method: linear\nmodels: [{model: org/x, parameters: {weight: 1}}]\nparameters: {normalize: 2}\n":   "true or false",
		"merge_method: linear\nname: a\nmodels: [{model: org/x, parameters: {weight: 1}}]\n---\nname: a\nmerge_method: linear\nmodels: [{model: b, parameters: {weight: 1}}]\n---\nmerge_method: linear\nmodels: [{model: a, parameters: {weight: 1}}]\n": "two of the name",
		"merge_method: linear\nslices:\n  - sources: [{model: org/x, layer_range: [0, 2], parameters: {weight: 1}}]\n  - sources: [{model: org/x, layer_range: [0, 2]}, {model: org/y, layer_range: [0, 2]}]\n":                                           "as many in every one",
		"merge_method: linear\nslices:\n  - sources: [{model: org/x, layer_range: [0, 2]}, {model: org/y, layer_range: [0, 3]}]\n":                                                                                                                        "3 layers, and 2 in the first source",
		"merge_method: passthrough\nslices:\n  - sources: [{model: org/x, layer_range: [2, 2]}]\n":                                                                                                                                                        "are none",
		"merge_method: linear\nmodels: [{model: org/x, parameters: {weight: 1}}]\ntokenizer: {source: base, tokens: {x: {source: org/x}}}\n":                                                                                                              `rules for single tokens ("x")`,
		"merge_method: linear\nmodels: [{model: org/x, parameters: {weight: 1}}]\ntokenizer_source: org/y\n":                                                                                                                                              "org/y, which is not merged",
		"merge_method: linear\nmodels: [{model: org/x, parameters: {weight: 1, wieght: 2}}]\n":                                                                                                                                                            `did you mean "weight"`,
		"merge_method: ties\nbase_model: org/b\nmodels: [{model: org/x, parameters: {weight: 1, density: 1.5}}]\n":                                                                                                                                        "density",
		"merge_method: ties\nbase_model: org/b\nmodels: [{model: org/x, parameters: {weight: [0, 1]}}]\n":                                                                                                                                                 "headers",
		"merge_method: dare_ties\nbase_model: org/b\nmodels: [{model: org/x, parameters: {weight: 1}}]\nparameters: {rescale: l1}\n":                                                                                                                      "expected true or false",
		"merge_method: linear\nmerge_method: ties\nmodels: []\n":                                                                                                                                                                                          "twice",
		"merge_method: slerp\nmodels: [{model: org/x}, {model: org/y}]\nparameters: {t: 0.5}\n":                                                                                                                                                           "base_model",
		"models: [": "YAML",
	} {
		_, _, err := importText(t, t.TempDir(), text)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want %q in it", text, err, want)
		}
		if err != nil && strings.Contains(text, "scf") && strings.Contains(err.Error(), "is missing") {
			t.Errorf("%q: a method that is not known is called missing: %v", text, err)
		}
	}
}

// What mergekit does not read changes nothing here either, and is said once.
func TestMergekitParametersOfOtherMethods(t *testing.T) {
	for text, want := range map[string][]string{
		"merge_method: linear\nmodels: [{model: org/x, parameters: {weight: 1, density: 0.5}}, {model: org/y, parameters: {weight: 1, density: 0.4}}]\nparameters: {lambda: 0.5}\n": {"lambda", "density"},
		"merge_method: model_stock\nbase_model: org/b\nmodels: [{model: org/x}, {model: org/y, parameters: {density: 0.1}}]\n":                                                      {"density"},
		"merge_method: sce\nbase_model: org/b\nmodels: [{model: org/x}, {model: org/y}]\nparameters: {select_topk: 0.3, lambda: 0.6}\n":                                             {"lambda"},
		"merge_method: linear\nmodels: [{model: org/x, parameters: {weight: 1}}]\nparameters: {quality: 3}\n":                                                                       {"quality"},
	} {
		r, warnings, err := importText(t, t.TempDir(), text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		var said []string
		for _, w := range warnings {
			said = append(said, w.Where)
		}
		if !slices.Equal(said, want) {
			t.Errorf("%s: warnings %v, want those of %v", text, warnings, want)
		}
		if l, has := r.Spec().Params["lambda"]; has && l != 1.0 {
			t.Errorf("%s: lambda is %v", text, l)
		}
	}
}

// One thing that is wrong is one problem.
func TestMergekitProblemsOnce(t *testing.T) {
	for text, want := range map[string]string{
		"merge_method: passthrough\nslices:\n  - sources: [{model: org/x, layer_range: 0-4}]\n":               "[0, 16]",
		"base_model: org/x\ngate_mode: random\nexperts: [{source_model: org/y}]\n":                            "mergekit-moe, and no merge",
		"genome: {models: [org/x]}\ntasks: []\n":                                                              "mergekit-evolve, and no merge",
		"merge_method: linear\nmodels: [{model: org/x, parameters: {weight: 1}}]\nparameters: {normalise: 1}": "(known: int8_mask, normalize, rescale, weight)",
	} {
		_, _, err := importText(t, t.TempDir(), text)
		var all problem.List
		if !errors.As(err, &all) || len(all) != 1 || !strings.Contains(all[0].What, want) {
			t.Errorf("%q: want one problem with %q in it, found %v", text, want, err)
		}
	}
}

// modelWith is a model with some layers, each tensor of its own numbers.
func modelWith(t testing.TB, root, name string, seed uint64) string {
	return layeredModel(t, filepath.Join(root, name), seed)
}

// sameMerge says whether two configurations are the same merge.
func sameMerge(t *testing.T, root, one, other string) {
	t.Helper()
	a, _, err := importText(t, root, one)
	must(t, err)
	b, _, err := importText(t, root, other)
	must(t, err)
	if !bytes.Equal(merged(t, a), merged(t, b)) {
		t.Errorf("these are two merges:\n%s\nand\n%s", one, other)
	}
}

// What is written in several ways is one merge.
func TestMergekitForms(t *testing.T) {
	root := t.TempDir()
	a, b, base := modelWith(t, root, "a", 1), modelWith(t, root, "b", 2), modelWith(t, root, "base", 3)
	at := strings.NewReplacer("@a", a, "@b", b, "@base", base)
	const plain = `
merge_method: ties
base_model: @base
models:
  - {model: @a, parameters: {weight: 0.4, density: 0.6}}
  - {model: @b, parameters: {weight: 0.5, density: 0.7}}
parameters: {normalize: true}
dtype: float32
`
	for name, form := range map[string]string{
		"as mergekit writes it out": `
merge_method: ties
base_model: @base
modules:
  default:
    slices:
      - sources:
          - {layer_range: [0, 4], model: @a, parameters: {weight: 0.4, density: 0.6}}
          - {layer_range: [0, 4], model: @b, parameters: {weight: 0.5, density: 0.7}}
          - {layer_range: [0, 4], model: @base}
parameters: {normalize: 1.0, int8_mask: 1.0}
dtype: float32
`,
		"in slices that are the whole together": `
merge_method: ties
base_model: @base
slices:
  - sources: [{model: @a, layer_range: [0, 1], parameters: {weight: 0.4, density: 0.6}}, {model: @b, layer_range: [0, 1], parameters: {weight: 0.5, density: 0.7}}]
  - sources: [{model: @a, layer_range: [1, 4], parameters: {weight: 0.4, density: 0.6}}, {model: @b, layer_range: [1, 4], parameters: {weight: 0.5, density: 0.7}}]
parameters: {normalize: true}
dtype: float32
`,
		"with names and other keys": plain + "name: mine\nrandom_seed: 3\nembed_slerp: true\nlicense: mit\ntokenizer: {source: base}\n",
		"with a base of the slice": `
merge_method: ties
slices:
  - base_model: @base
    sources: [{model: @a, layer_range: [0, 4], parameters: {weight: 0.4}}, {model: @b, layer_range: [0, 4], parameters: {weight: 0.5, density: 0.7}}]
    parameters: {density: 0.6, normalize: true}
dtype: float32
`,
	} {
		t.Run(name, func(t *testing.T) { sameMerge(t, root, at.Replace(plain), at.Replace(form)) })
	}
	for text, want := range map[string]string{"license: mit": "license", "name: x": "name"} {
		_, warnings, err := importText(t, root, at.Replace(plain)+text+"\n")
		must(t, err)
		if !slices.ContainsFunc(warnings, func(p merge.Problem) bool { return p.Where == want }) {
			t.Errorf("%s: nobody says that it changes nothing: %v", text, warnings)
		}
	}
}

// Values of slices belong to the layers that the slices give, and gradients go over a slice.
func TestMergekitValuesOfSlices(t *testing.T) {
	root := t.TempDir()
	a, b := modelWith(t, root, "a", 1), modelWith(t, root, "b", 2)
	r, _, err := importText(t, root, `
merge_method: slerp
base_model: `+a+`
slices:
  - sources: [{model: `+a+`, layer_range: [0, 3]}, {model: `+b+`, layer_range: [0, 3]}]
    parameters: {t: [0, 1]}
  - sources: [{model: `+a+`, layer_range: [1, 4]}, {model: `+b+`, layer_range: [1, 4]}]
    parameters: {t: [{filter: mlp, value: 0.3}, {value: 0.7}]}
dtype: float32
`)
	must(t, err)
	spec := r.Spec()
	groupOf := byGroups(spec.Groups)
	for name, want := range map[string]float64{
		"model.embed_tokens.weight": 0, "lm_head.weight": 0.7,
		"model.layers.0.mlp.weight": 0, "model.layers.1.mlp.weight": 0.5, "model.layers.2.self_attn.weight": 1,
		"model.layers.3.mlp.weight": 0.3, "model.layers.5.mlp.weight": 0.3, "model.layers.5.self_attn.weight": 0.7,
	} {
		values, _ := spec.Params["t"].(map[string]any)
		if got, _ := values[spec.Groups[groupOf(name)].Name].(float64); got != want {
			t.Errorf("%s: t is %v, want %v", name, got, want)
		}
	}
	if want := []merge.Slice{{Path: b, Layers: [2]int{0, 3}}, {Path: b, Layers: [2]int{1, 4}}}; !slices.Equal(spec.Stacks["b"], want) {
		t.Errorf("b is put together from %v", spec.Stacks["b"])
	}
	if len(merged(t, r)) == 0 {
		t.Error("nothing was merged")
	}
}

// Several documents are steps of the last one, and an adapter on another model than the base is one too.
func TestMergekitSteps(t *testing.T) {
	root := t.TempDir()
	a, b, c := modelWith(t, root, "a", 1), modelWith(t, root, "b", 2), modelWith(t, root, "c", 3)
	r, warnings, err := importText(t, root, `
name: first
merge_method: linear
models: [{model: `+a+`}, {model: `+b+`}]
parameters: {weight: 1}
dtype: float32
---
merge_method: linear
models: [{model: first, parameters: {weight: 0.5}}, {model: `+c+`, parameters: {weight: 0.5}}]
dtype: float32
`)
	must(t, err)
	if len(warnings) > 0 {
		t.Errorf("warnings: %v", warnings)
	}
	flat, _, err := importText(t, root, "merge_method: linear\nmodels: [{model: "+a+", parameters: {weight: 0.25}}, {model: "+b+", parameters: {weight: 0.25}}, {model: "+c+", parameters: {weight: 0.5}}]\ndtype: float32\n")
	must(t, err)
	got, want := floats(merged(t, r)), floats(merged(t, flat))
	for i := range want {
		if math.Abs(float64(got[i]-want[i])) > 1e-6 {
			t.Fatalf("element %d is %v, want %v", i, got[i], want[i])
		}
	}
	if r.Steps()[0].Name != "first" || r.Spec().Models[0].Path != merge.StepPath("first") {
		t.Errorf("the steps are %v", r.Steps())
	}
}

// floats are the values of a file of float32.
func floats(file []byte) []float32 {
	header := binary.LittleEndian.Uint64(file)
	var out []float32
	for at := 8 + int(header); at+4 <= len(file); at += 4 {
		out = append(out, math.Float32frombits(binary.LittleEndian.Uint32(file[at:])))
	}
	return out
}

// Breadcrumbs without a density drop nothing there.
func TestMergekitBreadcrumbsWithoutDensity(t *testing.T) {
	r, _, err := importText(t, t.TempDir(), "merge_method: breadcrumbs\nbase_model: org/b\nmodels: [{model: org/x, parameters: {weight: 1}}, {model: org/y, parameters: {weight: 1, density: 0.5}}]\n")
	must(t, err)
	if gamma, _ := r.Spec().Params["gamma"].(map[string]any); gamma["x"] != 0.0 || gamma["y"] != 0.01 {
		t.Errorf("gamma is %v", r.Spec().Params["gamma"])
	}
}

// recipe is a recipe that is made here.
func recipe(t testing.TB, s merge.Spec, at map[string]float64) merge.Recipe {
	t.Helper()
	r, err := merge.NewRecipe("recipe.yaml", s, at)
	must(t, err)
	return *r
}

// Every method that says what it is in mergekit goes there and comes back.
func TestMethodsThereAndBack(t *testing.T) {
	n := 0
	for _, info := range method.All() {
		if info.Mergekit.Name == "" {
			continue
		}
		n++
		s := merge.Spec{Method: info.Name, Params: map[string]any{}}
		if info.NeedsBase {
			s.Base = "/base"
		}
		at := map[string]float64{}
		for i := range info.Models[0] {
			name := string(rune('x' + i))
			s.Models = append(s.Models, merge.Source{Name: name, Path: "/" + name})
			if !weightless(info) {
				at[name] = 1
			}
		}
		for _, p := range info.Params {
			if slices.Contains(info.Mergekit.Lacks, p.Name) {
				s.Params[p.Name] = info.Mergekit.Default(p)
			} else if p.Kind == method.Number && p.Default == nil {
				s.Params[p.Name] = 0.25
			}
		}
		text, _, err := Export(recipe(t, s, at))
		must(t, err)
		back, _, err := importText(t, t.TempDir(), string(text))
		if err != nil {
			t.Errorf("%s: %v in\n%s", info.Name, err, text)
			continue
		}
		if got := back.Spec(); got.Method != info.Name || !slices.Equal(got.Models, s.Models) || !maps.Equal(back.At(), at) {
			t.Errorf("%s came back as %+v at %v", info.Name, got, back.At())
		}
	}
	if n < 20 {
		t.Errorf("%d methods are known to mergekit, want at least 20", n)
	}
}

func TestMergekitExportRefuses(t *testing.T) {
	base := merge.Spec{Base: "b", Models: []merge.Source{{Name: "x", Path: "x"}}, Method: "task_arithmetic", Params: map[string]any{}}
	for name, change := range map[string]func(*merge.Spec){
		"masks":   func(s *merge.Spec) { s.Masks = merge.MasksUnion },
		"prepare": func(s *merge.Spec) { s.Prepare.Name = merge.PrepareIsoC },
		"fisher":  func(s *merge.Spec) { s.Method, s.Params = "fisher", map[string]any{"fisher": map[string]any{"x": "f"}} },
		"groups":  func(s *merge.Spec) { s.Groups = []merge.Group{{Name: "g", Match: "a*b"}} },
		"trim":    func(s *merge.Spec) { s.Method, s.Params = "ties", map[string]any{"trim": "global"} },
		"adapter": func(s *merge.Spec) { s.Form = merge.FormAdapter },
	} {
		s, at := base, map[string]float64{"x": 1}
		change(&s)
		if s.Groups != nil {
			at = map[string]float64{"x.g": 1}
		}
		if _, _, err := Export(recipe(t, s, at)); err == nil {
			t.Errorf("%s is exported", name)
		}
	}
	s := base
	s.Skip, s.Groups = []string{"*classifier*"}, []merge.Group{{Name: "early", Match: "model.layers.[0-2].*"}, {Name: "rest", Match: "*"}}
	text, _, err := Export(recipe(t, s, map[string]float64{"x.early": 0.5, "x.rest": 1}))
	must(t, err)
	if !strings.Contains(string(text), `weight: [{filter: classifier, value: 0}, {filter: model.layers.0., value: 0.5}, {filter: model.layers.1., value: 0.5}`) {
		t.Errorf("want filters of every layer of the group early in\n%s", text)
	}
}

func FuzzImportMergekit(f *testing.F) {
	f.Add("merge_method: linear\nmodels: [{model: org/x, parameters: {weight: [1, {filter: a, value: 2}]}}]\n")
	f.Add("merge_method: slerp\nslices: [{sources: [{model: a, layer_range: [0, 3]}]}]\n")
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, text string) {
		r, _, err := importText(t, dir, text)
		if err == nil {
			if _, _, err := Export(*r); err != nil {
				t.Logf("cannot go back: %v", err)
			}
		}
	})
}
