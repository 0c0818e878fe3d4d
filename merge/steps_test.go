package merge

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"parfait/merge/codes"
	"parfait/merge/safetensors"
)

// chain is a recipe of two steps: the second puts a model on the average that is the first's result.
func chain(t *testing.T, base string, models []Source) Recipe {
	t.Helper()
	mean, err := NewRecipe("mean", Spec{Method: "linear", Models: models[:2], DType: F32}, map[string]float64{models[0].Name: 0.5, models[1].Name: 0.5})
	must(t, err)
	on, err := NewRecipe("on", Spec{Method: "task_arithmetic", Base: base, Models: []Source{{"mean", StepPath("mean")}, models[2]}}, map[string]float64{"mean": 1, models[2].Name: 0.25})
	must(t, err)
	last, err := NewRecipe("last", Spec{Method: "slerp", Models: []Source{{"on", StepPath("on")}, models[0]}, Params: map[string]any{"t": 0.5}}, nil)
	must(t, err)
	r, err := last.After([]Step{{"mean", *mean}, {"on", *on}})
	must(t, err)
	return r
}

// Steps give what they give one after the other; the export says what they read and wrote, is made again to the last byte
// from its recipe, and nothing of them is left.
func TestSteps(t *testing.T) {
	base, models := family(t, 5, safetensors.BF16, 3)
	r := chain(t, base, models)
	root := t.TempDir()
	target := filepath.Join(root, "out")
	p, err := r.Plan(t.Context(), target, 0, nil)
	must(t, err)
	receipt, err := p.Export(t.Context(), nil, target, ExportOptions{}, nil)
	must(t, err)
	must(t, p.Close())

	byHand := func(name string, s Spec, at map[string]float64) string {
		dir := filepath.Join(t.TempDir(), name)
		p := plan(t, s)
		write(t, p, at, dir)
		return dir
	}
	mean := byHand("mean", Spec{Method: "linear", Models: models[:2], DType: F32}, map[string]float64{models[0].Name: 0.5, models[1].Name: 0.5})
	on := byHand("on", Spec{Method: "task_arithmetic", Base: base, Models: []Source{{"mean", mean}, models[2]}}, map[string]float64{"mean": 1, models[2].Name: 0.25})
	sameBits(t, "the chain", read(t, target), one(t, Spec{Method: "slerp", Models: []Source{{"on", on}, models[0]}, Params: map[string]any{"t": 0.5}}, nil))

	if len(receipt.Steps) != 2 || receipt.Inputs[0].Path != StepPath("on") || receipt.Steps[1].Inputs[1].Path != StepPath("mean") || len(receipt.Steps[0].Outputs) == 0 {
		t.Errorf("the receipt has the steps %+v and the inputs %+v", receipt.Steps, receipt.Inputs)
	}
	v, err := Verify(t.Context(), target, VerifyOptions{Recompute: true}, nil)
	if err != nil || !v.Recomputed || len(v.Problems) > 0 {
		t.Errorf("it is not what its recipe gives: %v %v", err, v.Problems)
	}
	again, err := ReadRecipe(target)
	must(t, err)
	text, err := again.JSON()
	must(t, err)
	fromJSON, err := ParseRecipe("recipe.json", text)
	must(t, err)
	if string(fromJSON.YAML()) != string(again.YAML()) {
		t.Errorf("as JSON it is\n%s and not\n%s", fromJSON.YAML(), again.YAML())
	}
	left, err := os.ReadDir(root)
	must(t, err)
	if len(left) != 1 {
		t.Errorf("%v is left", left)
	}
}

// What is wrong with the last step is said before the first is made.
func TestStepsThatAreRefused(t *testing.T) {
	base, models := family(t, 6, safetensors.BF16, 3)
	root := t.TempDir()
	r := chain(t, base, models)
	spec := r.Spec()
	spec.Models = append(slices.Clone(spec.Models[:1]), Source{"none", filepath.Join(root, "none")})
	_, err := r.With(spec).Plan(t.Context(), filepath.Join(root, "out"), 0, func(p Progress) { t.Errorf("%s was begun", p.Stage) })
	if err == nil || !strings.Contains(err.Error(), "no such file") {
		t.Errorf("the error is %v", err)
	}
	taken := filepath.Join(root, "taken")
	must(t, os.Mkdir(taken, 0o755))
	_, err = r.Plan(t.Context(), taken, 0, func(p Progress) { t.Errorf("%s was begun though the target is there", p.Stage) })
	if !errors.Is(err, Problem{Code: codes.Exists}) {
		t.Errorf("the error is %v", err)
	}
	for name, c := range map[string]struct {
		steps []Step
		want  string
	}{
		"later":  {[]Step{r.Steps()[1], r.Steps()[0]}, `the step "mean", and no step before it`},
		"twice":  {[]Step{r.Steps()[0], r.Steps()[0]}, "two of the name"},
		"nested": {[]Step{{"x", r}}, "steps of its own"},
		"name":   {[]Step{{"a/b", r.Steps()[0].Recipe}}, "the name"},
	} {
		if _, err := (Recipe{spec: spec}).After(c.steps); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: the error is %v, want %q in it", name, err, c.want)
		}
	}
}
