package merge

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"parfait/merge/codes"
	"parfait/merge/internal/glob"
	"parfait/merge/safetensors"
	"parfait/yamldoc"
)

func TestRecipesReadBackToTheSame(t *testing.T) {
	number := rapid.OneOf(rapid.Float64Range(-1e6, 1e6), rapid.SampledFrom([]float64{0, 1, 1e-5, 1e21, 0.1, 1.0 / 3, -2.5e-300, math.MaxFloat32}))
	text := rapid.StringMatching(`[a-zA-Z0-9_ .:#'"\\{}\[\]*&!|>%@,-]{1,12}`)
	name := rapid.StringMatching(`[a-z][a-z0-9_-]{0,8}`)
	rapid.Check(t, func(t *rapid.T) {
		names := rapid.SliceOfNDistinct(name, 4, 4, rapid.ID).Draw(t, "names")
		r := Recipe{spec: Spec{
			Base:   "/" + text.Draw(t, "base"),
			Models: []Source{{names[0], "/" + text.Draw(t, "path")}, {names[1], "/x/" + text.Draw(t, "path")}},
			Method: "ties",
			Params: map[string]any{"lambda": math.Abs(number.Draw(t, "lambda")), "normalize": rapid.Bool().Draw(t, "normalize"), "trim": "tensor"},
			Seed:   rapid.Uint64().Draw(t, "seed"), Masks: rapid.SampledFrom([]Masks{"", MasksUnion}).Draw(t, "masks"),
			DType: rapid.SampledFrom([]DType{"", BF16, AsBase}).Draw(t, "dtype"), Vocab: rapid.SampledFrom([]Vocab{"", VocabPad}).Draw(t, "vocab"),
		}, weights: map[string]float64{}}
		r.spec.Params["normalize"] = false // any weights will do
		groups := []string{""}
		if rapid.Bool().Draw(t, "groups") {
			groups = names[2:]
			r.spec.Groups = []Group{{names[2], "*" + glob.Escape(text.Draw(t, "match")) + "*"}, {names[3], "*"}}
			r.spec.Skip = []string{glob.Escape(text.Draw(t, "skip"))}
			r.spec.Params["density"] = map[string]any{names[0]: map[string]any{names[2]: 0.25, names[3]: 0.5}, names[1]: 1.0}
		}
		for _, m := range names[:2] {
			for _, g := range groups {
				r.weights[join(m, g)] = number.Draw(t, "weight")
			}
		}
		got, err := ParseRecipe("/nowhere/recipe.yaml", r.WithComment("why\nand how\rmodels: []\u0085base: x\u2028seed: 3\x1b]0;t\a").YAML())
		if err != nil {
			t.Fatalf("%v\n%s", err, r.YAML())
		}
		want := r.spec
		if !reflect.DeepEqual(got.At(), r.At()) {
			t.Fatalf("weights %v, want %v\n%s", got.At(), r.At(), r.YAML())
		}
		if string(got.YAML()) != string(Recipe{spec: want, weights: r.weights}.YAML()) {
			t.Fatalf("read and written again:\n%s\nwas:\n%s", got.YAML(), r.YAML())
		}
		said, err := r.JSON()
		if err != nil {
			t.Fatal(err)
		}
		if got, err = ParseRecipe("/nowhere/recipe.json", said); err != nil || string(got.YAML()) != string(r.YAML()) {
			t.Fatalf("of the JSON %s became (%v):\n%s\nwant:\n%s", said, err, got.YAML(), r.YAML())
		}
	})
}

func TestRecipeErrors(t *testing.T) {
	dir := t.TempDir()
	for text, want := range map[string]string{
		"base: b\n": "version: is missing",
		"version: 2\nmodels: [{name: x, path: x, weight: 1}]\nmethod: {name: linear}\n": ":1:10: version: recipe version 2",
		"version: 1\nmodles: []\n": `:2:9: modles: unknown key "modles"; did you mean "models"?`,
		"version: 1\nmodels:\n  - {name: x, path: x, weight: heavy}\nmethod: {name: linear}\n":                           ":3:32: models[0].weight: expected a number",
		"version: 1\nversion: 1\nmodels: []\n":                                                                           "stands twice",
		"version: 1\nmodels: [{name: x, path: x}]\nmethod: {name: linear}\n":                                             "x: the coefficient has no value",
		"version: 1\nmodels: [{name: x, path: x, weight: 1}]\nmethod: {name: liner}\n":                                   `did you mean "linear"?`,
		"version: 1\nbase: b\nmodels: [{name: x, path: x, weight: 1}]\nmethod: {name: ties, density: 3}\n":               "method.density",
		"version: 1\nmodels: [{name: x, path: x, weight: {a: 1}}]\nmethod: {name: linear}\n":                             "x.a: there is no such coefficient",
		"version: 1\nmodels: [{name: x, path: x, weight: 1}]\nmethod: {name: linear}\nseed: -1\n":                        ":4:7: seed",
		"version: 1\nmodels: [{name: x, path: x, weight: 1}]\nmethod: {name: linear}\ndtype: int8\n":                     "unknown dtype",
		"version: 1\nmodels: [{name: x, path: x, weight: 1}]\nmethod: {name: linear}\nmasks: keep\nform: zip\n":          "form",
		"version: 1\nbase: {stack: [{path: a, layers: 0-4}]}\nmodels: [{name: x, path: x, weight: 1}]\nmethod: linear\n": "layers: expected [first, end]",
		"version: 1\nmodels: [{name: x, path: x, weight: 1}]\nmethod: liner\n":                                           `did you mean "linear"?`,
		"version: 1\nmodels: [{name: x, path: x, weight: 1}]\nmethod: [linear]\n":                                        "method: expected text, found a list",
		"- a list\n": "mapping",
		"version: [": "YAML",
	} {
		path := filepath.Join(dir, "recipe.yaml")
		must(t, os.WriteFile(path, []byte(text), 0o644))
		_, err := ReadRecipe(path)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want %q in it", text, err, want)
		}
		if strings.Contains(text, "0-4") && len(problemsOf(t, err)) != 1 {
			t.Errorf("%q: one thing is wrong, and said is %v", text, err)
		}
		if err != nil && !strings.Contains(err.Error(), path) {
			t.Errorf("%q: the error does not name the file: %v", text, err)
		}
	}
	if _, err := ReadRecipe(filepath.Join(dir, "none.yaml")); !errors.Is(err, Problem{Code: codes.NotFound}) {
		t.Errorf("a missing recipe: %v", err)
	}
}

// A method without parameters is its name, as in study.yaml.
func TestMethodAsText(t *testing.T) {
	const models = "version: 1\nmodels: [{name: x, path: x, weight: 1}, {name: y, path: y, weight: 1}]\n"
	mapping, err := ParseRecipe("/nowhere/recipe.yaml", []byte(models+"method: {name: karcher}\n"))
	must(t, err)
	text, err := ParseRecipe("/nowhere/recipe.yaml", []byte(models+"method: karcher\n"))
	must(t, err)
	if string(text.YAML()) != string(mapping.YAML()) {
		t.Errorf("method: karcher is\n%s\nand {name: karcher} is\n%s", text.YAML(), mapping.YAML())
	}
}

func TestRecipePathsAreFromItsFolder(t *testing.T) {
	base, models := family(t, 2, safetensors.F32, 1)
	root := t.TempDir()
	must(t, os.Symlink(base, filepath.Join(root, "base")))
	must(t, os.Symlink(models[0].Path, filepath.Join(root, "tuned")))
	path := filepath.Join(root, "recipe.yaml")
	must(t, os.WriteFile(path, []byte("version: 1\nbase: base\nmodels: [{name: a, path: ./tuned, weight: 0.5}]\nmethod: {name: task_arithmetic}\n"), 0o644))
	r, err := ReadRecipe(path)
	must(t, err)
	want := one(t, Spec{Base: base, Models: models, Method: "task_arithmetic"}, map[string]float64{"a": 0.5})
	sameBits(t, "from a recipe", one(t, r.Spec(), r.At()), want)
}

// TestRecipeNumbers: a weight and a parameter read the same numbers, and are written as such.
func TestRecipeNumbers(t *testing.T) {
	for text, want := range map[string]float64{"5e-1": 0.5, "'0.5'": 0.5, "0x1": 1, "1E0": 1} {
		for _, form := range []string{
			"version: 1\nbase: b\nmodels: [{name: a, path: a, weight: %s}]\nmethod: {name: task_arithmetic, lambda: 1}\n",
			"\xef\xbb\xbf%%YAML 1.2\n---\nversion: 1\nbase: b\nmodels: [{name: a, path: a, weight: 1}]\nmethod: {name: task_arithmetic, lambda: %s}\n",
		} {
			r, err := ParseRecipe("/nowhere/recipe.yaml", fmt.Appendf(nil, form, text))
			must(t, err)
			lambda, weight := r.Spec().Params["lambda"], r.At()["a"]
			if got, ok := yamldoc.Float(lambda); !ok || got*weight != want {
				t.Errorf("%s: lambda %#v and weight %v, want %v", text, lambda, weight, want)
			}
		}
	}
	for _, where := range []string{"weight: 010}]\nmethod: {name: task_arithmetic}", "weight: 1}]\nmethod: {name: task_arithmetic, lambda: 010}"} {
		_, err := ParseRecipe("/nowhere/recipe.yaml", []byte("version: 1\nbase: b\nmodels: [{name: a, path: a, "+where+"\n"))
		if err == nil || !strings.Contains(err.Error(), "leading zeros") {
			t.Errorf("%s: %v", where, err)
		}
	}
}

// TestRecipeFixesEveryCoefficient: what was turned for an export is in its recipe, by group where it differs.
func TestRecipeFixesEveryCoefficient(t *testing.T) {
	base, models := awkward(t, 2, safetensors.F32, 2)
	s := Spec{Base: base, Models: models, Method: "dare_ties", Seed: 9, Groups: []Group{{"m", "m*"}, {"rest", "*"}}}
	at := withWeights(t, s, 0.3, 0.7)
	at["density"], at["density.m"], at["lambda.rest"] = 0.5, 0.25, 0.9
	p := plan(t, s)
	r, err := ParseRecipe("/nowhere/recipe.yaml", p.Recipe(at).YAML())
	must(t, err)
	sameBits(t, "from its recipe", one(t, r.Spec(), r.At()), one(t, s, at))
	without, err := RecipeAt(s, at)
	must(t, err)
	if string(without.YAML()) != string(p.Recipe(at).YAML()) {
		t.Errorf("without a plan the recipe is\n%s\nwant\n%s", without.YAML(), p.Recipe(at).YAML())
	}
	if _, err := RecipeAt(s, map[string]float64{"a": 1}); err == nil {
		t.Error("a recipe of coefficients that there are not")
	}
}

func FuzzRecipe(f *testing.F) {
	f.Add([]byte("version: 1\nbase: b\nmodels: [{name: x, path: x, weight: {a: 1}}]\nmethod: {name: ties, density: {x: .1}}\ngroups: [{name: a, match: '*'}]\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := ParseRecipe("/nowhere/recipe.yaml", data)
		if err != nil {
			return
		}
		again, err := ParseRecipe("/nowhere/recipe.yaml", r.YAML())
		if err != nil {
			t.Fatalf("a recipe that was read is written wrongly: %v\n%s", err, r.YAML())
		}
		if string(again.YAML()) != string(r.YAML()) {
			t.Fatalf("written twice:\n%s\n%s", r.YAML(), again.YAML())
		}
	})
}
