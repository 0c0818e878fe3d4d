package merge

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	"parfait/merge/safetensors"
)

// decoderOf is a model with embeddings, layers, a last norm and a head.
func decoderOf(r *rand.Rand, layers int, width int64) model {
	m := layered(r, layers, width)
	m["model.embed_tokens.weight"] = drawn(r, safetensors.BF16, 1, 7, width)
	m["lm_head.weight"] = drawn(r, safetensors.BF16, 1, 7, width)
	return m
}

// stackedByHand is what a stack is to be.
func stackedByHand(first, last model, runs ...struct {
	of       model
	from, to int
},
) model {
	out, n := model{}, 0
	for _, run := range runs {
		for layer := run.from; layer < run.to; layer++ {
			for name, v := range run.of {
				if prefix := fmt.Sprintf("model.layers.%d.", layer); strings.HasPrefix(name, prefix) {
					out[fmt.Sprintf("model.layers.%d.%s", n, strings.TrimPrefix(name, prefix))] = v
				}
			}
			n++
		}
	}
	out["model.embed_tokens.weight"] = first["model.embed_tokens.weight"]
	for _, name := range []string{"model.norm.weight", "lm_head.weight"} {
		out[name] = last[name]
	}
	return out
}

type runOf = struct {
	of       model
	from, to int
}

// Layers of two models one after the other, some of them twice: the tensors, the configuration, a receipt whose hashes are
// those of the files, and a recipe that gives the same again.
func TestStack(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 8))
	root := t.TempDir()
	a, b := decoderOf(r, 4, 4), decoderOf(r, 12, 4)
	config := func(n int, kinds string) string {
		return fmt.Sprintf(`{"architectures": ["XForCausalLM"], "num_hidden_layers": %d, "eos": [1, 2], "layer_types": [%s], "hidden_size": 4}`, n, kinds)
	}
	at := configured(t, a.write(t, filepath.Join(root, "a")), config(4, `"w", "x", "y", "z"`))
	bt := configured(t, b.write(t, filepath.Join(root, "b")), config(12, `0,1,2,3,4,5,6,7,8,9,10,11`))
	spec := Spec{Method: "passthrough", Models: []Source{{Name: "x"}}, Stacks: map[string][]Slice{"x": {{at, [2]int{0, 3}}, {bt, [2]int{9, 12}}, {at, [2]int{1, 2}}, {bt, [2]int{11, 12}}}}}
	want := stackedByHand(a, b, runOf{a, 0, 3}, runOf{b, 9, 12}, runOf{a, 1, 2}, runOf{b, 11, 12})
	target := filepath.Join(root, "out")
	p := plan(t, spec)
	_, err := p.Export(t.Context(), nil, target, ExportOptions{}, nil)
	must(t, err)
	sameBits(t, "the stack", read(t, target), want)
	if c := configOf(t, target); c["num_hidden_layers"] != 8.0 || fmt.Sprint(c["layer_types"]) != "[w x y 9 10 11 x 11]" || fmt.Sprint(c["eos"]) != "[1 2]" {
		t.Errorf("the configuration is %v", c)
	}
	v, err := Verify(t.Context(), target, VerifyOptions{Recompute: true}, nil)
	must(t, err)
	if !v.Recomputed || len(v.Problems) > 0 {
		t.Errorf("the export is not what its recipe gives: %v", v.Problems)
	}
	moved := v.Receipt
	recipe, err := ReadRecipe(target)
	must(t, err)
	text, err := recipe.JSON()
	must(t, err)
	again, err := ParseRecipe("recipe.json", text)
	must(t, err)
	if string(again.YAML()) != string(recipe.YAML()) || recipe.Spec().Stacks["x"][1] != (Slice{bt, [2]int{9, 12}}) {
		t.Errorf("as JSON it is\n%s and not\n%s", again.YAML(), recipe.YAML())
	}
	if got := recipe.Spec().Relocated(root, "/else").Stacks["x"][0].Path; got != "/else/a" {
		t.Errorf("it has moved to %s", got)
	}
	for _, f := range moved.Inputs[0].Files {
		if f.Hash == "" {
			t.Errorf("the receipt does not know %s", f.Name)
		}
	}
}

// Every method merges stacks as it merges the models that are like them.
func TestStacksAreMergedAsTheModelsThatTheyAre(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 9))
	root := t.TempDir()
	base := decoderOf(r, 4, 4)
	var models []model
	for range 2 {
		m := model{}
		for name, v := range base {
			m[name] = near2(r, v, 0.1)
		}
		models = append(models, m)
	}
	dir := func(name string, m model) string { return m.write(t, filepath.Join(root, name)) }
	stack := func(name string, m model) []Slice {
		path := dir(name, m)
		return []Slice{{path, [2]int{0, 3}}, {path, [2]int{1, 4}}}
	}
	byHand := func(m model) model { return stackedByHand(m, m, runOf{m, 0, 3}, runOf{m, 1, 4}) }
	for _, method := range []string{"ties", "task_arithmetic", "dare_ties", "breadcrumbs"} {
		s := Spec{Method: method, Models: []Source{{Name: "x"}, {Name: "y"}}, Stacks: map[string][]Slice{"": stack("base", base), "x": stack("x", models[0]), "y": stack("y", models[1])}}
		plain := Spec{Method: method, Base: dir("hand-base", byHand(base)), Models: []Source{{"x", dir("hand-x", byHand(models[0]))}, {"y", dir("hand-y", byHand(models[1]))}}}
		sameBits(t, method, one(t, s, withWeights(t, s, 0.4, 0.3)), one(t, plain, withWeights(t, plain, 0.4, 0.3)))
	}
}

// A head that the last model has by the name of its embeddings.
func TestAStackThatEndsWithATiedHead(t *testing.T) {
	r := rand.New(rand.NewPCG(10, 10))
	root := t.TempDir()
	a, b := decoderOf(r, 2, 4), decoderOf(r, 2, 4)
	tied := maps.Clone(b)
	delete(tied, "lm_head.weight")
	b["lm_head.weight"] = b["model.embed_tokens.weight"]
	at := configured(t, a.write(t, filepath.Join(root, "a")), `{"architectures": ["XForCausalLM"], "num_hidden_layers": 2, "tie_word_embeddings": false}`)
	bt := configured(t, tied.write(t, filepath.Join(root, "b")), `{"architectures": ["XForCausalLM"], "num_hidden_layers": 2, "tie_word_embeddings": true}`)
	s := Spec{Method: "passthrough", Models: []Source{{Name: "x"}}, Stacks: map[string][]Slice{"x": {{at, [2]int{0, 2}}, {bt, [2]int{0, 2}}}}}
	sameBits(t, "the stack", one(t, s, nil), stackedByHand(a, b, runOf{a, 0, 2}, runOf{b, 0, 2}))
}

func TestStacksThatAreRefused(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 11))
	root := t.TempDir()
	a := decoderOf(r, 2, 4).write(t, filepath.Join(root, "a"))
	wide := decoderOf(r, 2, 8).write(t, filepath.Join(root, "wide"))
	two := model{"enc.0.w": drawn(r, safetensors.F32, 1, 2), "dec.0.w": drawn(r, safetensors.F32, 1, 2)}.write(t, filepath.Join(root, "two"))
	for want, stack := range map[string][]Slice{
		"x.stack[1]: the layers [1, 3]; expected a first layer and the one after the last: " + a + " has 2": {{a, [2]int{0, 2}}, {a, [2]int{1, 3}}},
		"has the shape [8 8], and [4 4] in " + a:                                                            {{a, [2]int{0, 2}}, {wide, [2]int{0, 2}}},
		"2 runs of numbered layers are in it (dec., enc.)":                                                  {{two, [2]int{0, 1}}},
		"x.stack[0] (" + root + "/none): no such file":                                                      {{root + "/none", [2]int{0, 1}}},
	} {
		_, err := NewPlan(t.Context(), Spec{Method: "passthrough", Models: []Source{{Name: "x"}}, Stacks: map[string][]Slice{"x": stack}})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error is %v, want %q in it", err, want)
		}
	}
	for text, want := range map[string]string{
		"stack: []":                       "a list of runs of layers",
		"stack: [{path: a}]":              "expected a path and its layers",
		"stack: [{path: a, layers: [3]}]": "[first, end]",
	} {
		_, err := ParseRecipe("r.yaml", []byte("version: 1\nmodels: [{name: x, "+text+"}]\nmethod: {name: passthrough}\n"))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: the error is %v, want %q in it", text, err, want)
		}
	}
}
