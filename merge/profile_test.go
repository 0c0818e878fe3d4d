package merge

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"parfait/merge/codes"
	"parfait/merge/safetensors"
)

// fiveLayers is a family of models of five layers, with something before and after them.
func fiveLayers(t *testing.T) (base string, models []Source) {
	t.Helper()
	r := rand.New(rand.NewPCG(7, 5))
	root := t.TempDir()
	origin := model{}
	for _, name := range []string{"model.embed_tokens.weight", "model.norm.weight", "lm_head.weight"} {
		origin[name] = drawn(r, safetensors.BF16, 1, 6, 4)
	}
	for i := range 5 {
		origin[fmt.Sprintf("model.layers.%d.mlp.weight", i)] = drawn(r, safetensors.BF16, 1, 4, 4)
		origin[fmt.Sprintf("model.layers.%d.attn.weight", i)] = drawn(r, safetensors.BF16, 1, 4, 4)
	}
	for _, name := range []string{"math", "code"} {
		m := model{}
		for k, v := range origin {
			m[k] = near2(r, v, 0.1)
		}
		models = append(models, Source{name, m.write(t, filepath.Join(root, name))})
	}
	return origin.write(t, filepath.Join(root, "base")), models
}

// layerByLayer says the merge with a profile in groups, one for each layer, with what the profile has there.
func layerByLayer(spec Spec, at map[string]float64, kinds []string) (Spec, map[string]float64) {
	spec.Profile, spec.Groups = 0, nil
	out := map[string]float64{}
	knots := 0
	for at[fmt.Sprintf("math%s.k%d", kinds[0], knots+1)] != 0 {
		knots++
	}
	add := func(name, match, kind string, depth float64) {
		spec.Groups = append(spec.Groups, Group{name, match})
		for _, m := range spec.Models {
			var v []float64
			for k := range knots {
				v = append(v, at[fmt.Sprintf("%s%s.k%d", m.Name, kind, k+1)])
			}
			place := depth * float64(knots-1)
			lo := min(int(place), knots-2)
			out[m.Name+"."+name] = v[lo] + float64((place-float64(lo))*(v[lo+1]-v[lo]))
			if place == float64(knots-1) {
				out[m.Name+"."+name] = v[knots-1]
			}
		}
	}
	last := kinds[len(kinds)-1]
	for i := range 5 {
		for j, kind := range kinds {
			match := fmt.Sprintf("model.layers.%d.*", i)
			if j < len(kinds)-1 {
				match += "attn*"
			}
			add(fmt.Sprintf("l%d_%d", i, j), match, kind, float64(i)/4)
		}
	}
	add("before", "*embed*", last, 0)
	add("after", "*", last, 1)
	return spec, out
}

// A profile is the merge in which each layer has its own coefficients, those of the straight lines between the knots: what
// comes before the layers has the first knot's, what comes after them the last's.
func TestProfileIsEachLayersOwn(t *testing.T) {
	base, models := fiveLayers(t)
	for _, c := range []struct {
		method string
		params map[string]any
		groups []Group
		at     map[string]float64
	}{
		{"task_arithmetic", nil, nil, map[string]float64{"math.k1": 0.1, "math.k2": 0.9, "math.k3": 0.4, "code.k1": 1, "code.k2": -0.3, "code.k3": 0.7}},
		{"task_arithmetic", nil, nil, map[string]float64{"math.k1": 0.3, "math.k2": 1.1, "code.k1": 0.8, "code.k2": 0.1}},
		{"linear", nil, nil, map[string]float64{"math.k1": 0.1, "math.k2": 0.9, "math.k3": 0.4, "math.k4": 1, "code.k1": 1, "code.k2": 0.3, "code.k3": 0.7, "code.k4": 0.2}},
		{"ties", map[string]any{"density": 0.5}, nil, map[string]float64{"math.k1": 0.3, "math.k2": 1.1, "math.k3": 0.2, "code.k1": 0.8, "code.k2": 0.1, "code.k3": 0.6}},
		{"ties", map[string]any{"density": 0.5, "trim": "global"}, nil, map[string]float64{"math.k1": 0.3, "math.k2": 1.1, "math.k3": 0.2, "code.k1": 0.8, "code.k2": 0.1, "code.k3": 0.6}},
		{"karcher", nil, nil, map[string]float64{"math.k1": 0.3, "math.k2": 1.1, "code.k1": 0.8, "code.k2": 0.1}},
		{"consensus", nil, nil, map[string]float64{"math.k1": 0.3, "math.k2": 1.1, "code.k1": 0.8, "code.k2": 0.1}},
		{"dare_ties", map[string]any{"density": 0.7}, nil, map[string]float64{"math.k1": 0.3, "math.k2": 1.1, "code.k1": 0.8, "code.k2": 0.1}},
		{"task_arithmetic", nil, []Group{{"attn", "*attn*"}, {"rest", "*"}}, map[string]float64{
			"math.attn.k1": 0.1, "math.attn.k2": 0.9, "math.rest.k1": 0.4, "math.rest.k2": 0.6, "code.attn.k1": 1, "code.attn.k2": 0.5, "code.rest.k1": 0.2, "code.rest.k2": 0.7,
		}},
	} {
		kinds := []string{""}
		if c.groups != nil {
			kinds = []string{".attn", ".rest"}
		}
		spec := Spec{Base: base, Models: models, Method: c.method, Params: c.params, Groups: c.groups, Profile: len(c.at) / 2 / len(kinds), Seed: 3}
		apart, weights := layerByLayer(spec, c.at, kinds)
		sameBits(t, c.method, one(t, spec, c.at), one(t, apart, weights))
		flat := map[string]float64{}
		for name := range c.at {
			flat[name] = 0.4
		}
		plain := spec
		plain.Profile, plain.Groups = 0, nil
		sameBits(t, c.method+" with a flat profile", one(t, spec, flat), one(t, plain, map[string]float64{"math": 0.4, "code": 0.4}))
	}
}

// A recipe with a profile, as YAML and as JSON, is the same merge, and its export is what its receipt says.
func TestRecipeWithAProfile(t *testing.T) {
	base, models := fiveLayers(t)
	at := map[string]float64{"math.attn.k1": 0.1, "math.attn.k2": 0.9, "math.rest.k1": 0.25, "math.rest.k2": 0.6, "code.attn.k1": 1, "code.attn.k2": 0.5, "code.rest.k1": 0.2, "code.rest.k2": 0.7}
	for _, spec := range []Spec{
		{Base: base, Models: models, Method: "task_arithmetic", Profile: 2, Groups: []Group{{"attn", "*attn*"}, {"rest", "*"}}},
		{Base: base, Models: models, Method: "task_arithmetic", Profile: 2},
	} {
		values := at
		if spec.Groups == nil {
			values = map[string]float64{"math.k1": 0.1, "math.k2": 0.9, "code.k1": 1, "code.k2": 0.5}
		}
		target := filepath.Join(t.TempDir(), "out")
		p := plan(t, spec)
		if _, err := p.Export(t.Context(), values, target, ExportOptions{}, nil); err != nil {
			t.Fatal(err)
		}
		if v, err := Verify(t.Context(), target, VerifyOptions{Recompute: true}, nil); err != nil || len(v.Problems) > 0 {
			t.Errorf("the export is not what its recipe gives: %v %v", err, v.Problems)
		}
		recipe := p.Recipe(values)
		text, err := recipe.JSON()
		must(t, err)
		for _, data := range [][]byte{recipe.YAML(), text} {
			again, err := ParseRecipe("recipe.yaml", data)
			if err != nil {
				t.Fatalf("%v\n%s", err, data)
			}
			if !maps.Equal(again.At(), values) || again.Spec().Profile != 2 {
				t.Errorf("%s is read as %v with %d knots, want %v", data, again.At(), again.Spec().Profile, values)
			}
		}
	}
}

func TestProfilesThatCannotBe(t *testing.T) {
	base, models := fiveLayers(t)
	spec := Spec{Base: base, Models: models, Method: "task_arithmetic", Profile: 6}
	_, err := NewPlan(t.Context(), spec)
	if !errors.Is(err, Problem{Code: codes.Option}) || !strings.Contains(err.Error(), "6 knots, and the model has 5 layers") {
		t.Errorf("%v, want it to say that there are fewer layers than knots", err)
	}
	spec.Profile = 1
	if _, _, err := Coefficients(spec); err == nil || !strings.Contains(err.Error(), "profile: 1 knots") {
		t.Errorf("%v, want it to refuse a profile of one knot", err)
	}
	spec = Spec{Base: base, Models: models[:1], Method: "passthrough", Profile: 2}
	if _, _, err := Coefficients(spec); err == nil || !strings.Contains(err.Error(), "passthrough has no weights") {
		t.Errorf("%v, want it to refuse a profile of what has no weights", err)
	}
	for text, want := range map[string]string{
		"weight: [1, 2]}]":                "say profile: 2 at the top",
		"weight: [1, 2]}]\nprofile: 3":    "expected 3 weights, one for each knot of the profile, found 2",
		"weight: [1, 2, x]}]\nprofile: 3": "expected a number",
		"weight: 1}]\nprofile: 1":         "expected a whole number of at least 2, found 1",
	} {
		_, err := ParseRecipe("r.yaml", []byte("version: 1\nbase: b\nmethod: {name: task_arithmetic}\nmodels: [{name: a, path: a, "+text+"\n"))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want it to say %q", text, err, want)
		}
	}
	r, err := ParseRecipe("r.yaml", []byte("version: 1\nbase: b\nmethod: {name: task_arithmetic}\nprofile: 3\nmodels: [{name: a, path: a, weight: 0.5}]\n"))
	if err != nil || !maps.Equal(r.At(), map[string]float64{"a.k1": 0.5, "a.k2": 0.5, "a.k3": 0.5}) {
		t.Errorf("one weight with a profile of 3 is %v, %v; want it at each knot", r, err)
	}
}

// Where tensors stand is told by their names: each stack of layers has its own first and last one.
func TestDepths(t *testing.T) {
	names := map[string]float64{
		"shared.weight": 0, "encoder.block.0.layer.0.SelfAttention.q.weight": 0, "encoder.block.3.layer.1.wi.weight": 1, "encoder.block.1.layer.1.wi.weight": 1. / 3,
		"decoder.block.0.layer.2.wi.weight": 0, "decoder.block.1.layer.2.wi.weight": 1, "decoder.final_layer_norm.weight": 1, "lm_head.weight": 1,
		"vision.patch_embed.proj.weight": 0, "classifier.0.weight": 1, "classifier.3.weight": 1, "model.layers.0.mlp.experts.7.up.weight": 0, "transformer.h.2.mlp.weight": 1, "transformer.h.0.mlp.weight": 0,
	}
	at, layers := depths(slices.Collect(maps.Keys(names)))
	if layers != 4 {
		t.Errorf("the longest stack has %d layers, want 4", layers)
	}
	for name, want := range names {
		if at[name] != want {
			t.Errorf("%s is at %g, want %g", name, at[name], want)
		}
	}
}

// A sum of adapters with a profile, written as an adapter, full or of a rank, is the merge with that profile.
func TestAdapterWithAProfile(t *testing.T) {
	base, _ := fiveLayers(t)
	r := rand.New(rand.NewPCG(11, 2))
	p, f := "base_model.model.", safetensors.F32
	var models []Source
	for _, name := range []string{"math", "code"} {
		m := model{}
		for i := range 5 {
			in := fmt.Sprintf("%smodel.layers.%d.mlp.", p, i)
			m[in+"lora_A.weight"], m[in+"lora_B.weight"] = drawn(r, f, 1, 1, 4), drawn(r, f, 1, 4, 1)
		}
		models = append(models, Source{name, writeAdapter(t, filepath.Join(t.TempDir(), name), loraConfig(map[string]any{"r": 1, "lora_alpha": 1}), m)})
	}
	at := map[string]float64{"math.k1": 0.1, "math.k2": 0.9, "math.k3": -0.4, "code.k1": 1, "code.k2": 0.3, "code.k3": 0.7}
	spec := Spec{Base: base, Models: models, Method: "task_arithmetic", Profile: 3, DType: F32}
	want := one(t, spec, at)
	for _, rank := range []int{0, 2} {
		spec.Form, spec.MaxRank = FormAdapter, rank
		dir := filepath.Join(t.TempDir(), "adapter")
		_, err := plan(t, spec).Export(t.Context(), at, dir, ExportOptions{}, nil)
		must(t, err)
		got := one(t, Spec{Base: base, Models: []Source{{"sum", dir}}, Method: "task_arithmetic", DType: F32}, map[string]float64{"sum": 1})
		for _, name := range sortedKeys(want) {
			closeTo(t, name, got[name].data, want[name].data, 1e-5)
		}
	}
}
