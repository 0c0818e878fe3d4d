package mergekit

import (
	"bytes"
	"encoding/binary"
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
	p, err := merge.NewPlan(t.Context(), r.Spec())
	must(t, err)
	defer p.Close() //nolint:errcheck // a test
	out := filepath.Join(t.TempDir(), "out")
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
	if n < 12 {
		t.Errorf("%d methods are known to mergekit, want at least 12", n)
	}
}

func TestMergekitExportRefuses(t *testing.T) {
	base := merge.Spec{Base: "b", Models: []merge.Source{{Name: "x", Path: "x"}}, Method: "task_arithmetic", Params: map[string]any{}}
	for name, change := range map[string]func(*merge.Spec){
		"masks":   func(s *merge.Spec) { s.Masks = merge.MasksUnion },
		"fisher":  func(s *merge.Spec) { s.Method, s.Params = "fisher", map[string]any{"fisher": map[string]any{"x": "f"}} },
		"groups":  func(s *merge.Spec) { s.Groups = []merge.Group{{Name: "g", Match: "a*b"}} },
		"trim":    func(s *merge.Spec) { s.Method, s.Params = "ties", map[string]any{"trim": "global"} },
		"adapter": func(s *merge.Spec) { s.Form = merge.FormAdapter },
	} {
		s := base
		change(&s)
		at := map[string]float64{"x": 1}
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
