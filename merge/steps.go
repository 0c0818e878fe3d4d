package merge

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"parfait/internal/stage"
	"parfait/merge/codes"
	"parfait/merge/safetensors"
)

// A recipe may have steps: recipes whose results are models of later ones, such as an average that a third model is then
// put on. The results live beside the target while it is made, and are gone afterwards.

// Step is a recipe whose result later ones take as [StepPath] of its name.
type Step struct {
	Name string
	Recipe
}

const stepPrefix = "step:"

// StepPath is the path of a step's result, for a base, a model or a stack of a later recipe.
func StepPath(name string) string { return stepPrefix + name }

func stepOf(path string) (name string, ok bool) { return strings.CutPrefix(path, stepPrefix) }

// After is the recipe with steps before it. Steps have no steps of their own: they are listed in their order. The error
// names what is made twice, or taken before it is made.
func (r Recipe) After(steps []Step) (Recipe, error) {
	var found problems
	made := map[string]bool{}
	check := func(where string, s Spec) {
		for _, path := range s.paths() {
			if name, ok := stepOf(path); ok && !made[name] {
				found.add(codes.Recipe, where, fmt.Sprintf("it takes the result of the step %q, and no step before it is called so", name), "one of: "+strings.Join(sortedKeys(made), ", "), "")
			}
		}
	}
	for _, s := range steps {
		switch where := "steps: " + s.Name; {
		case !ValidName(s.Name):
			found.add(codes.Name, where, fmt.Sprintf("the name %q", s.Name), "1 to 64 characters without spaces and without . , = : / and quotes", "")
		case made[s.Name]:
			found.add(codes.Duplicate, where, "there are two of the name", "a name of its own for every step", "")
		case s.steps != nil:
			found.add(codes.Recipe, where, "it has steps of its own", "all steps in one list, in their order", "")
		default:
			check(where, s.spec)
			made[s.Name] = true
		}
	}
	check("models", r.spec)
	r.steps = steps
	return r, found.err()
}

// Steps are what has to be merged before the recipe.
func (r Recipe) Steps() []Step { return r.steps }

// paths are all that a spec reads models from.
func (s Spec) paths() []string {
	out := []string{s.Base}
	for _, m := range s.Models {
		out = append(out, m.Path)
	}
	for _, name := range sortedKeys(s.Stacks) {
		for _, run := range s.Stacks[name] {
			out = append(out, run.Path)
		}
	}
	return out
}

// With is the recipe with another spec, of the same coefficients.
func (r Recipe) With(s Spec) Recipe {
	r.spec = s
	return r
}

// Mapped is the recipe with its spec and those of its steps changed by f.
func (r Recipe) Mapped(f func(Spec) Spec) Recipe {
	r.spec = f(r.spec)
	r.steps = slices.Clone(r.steps)
	for i := range r.steps {
		r.steps[i].Recipe = r.steps[i].Mapped(f)
	}
	return r
}

// StepMade is a step in a receipt: what it read and the weights that it came to.
type StepMade struct {
	Name    string       `json:"name"`
	Inputs  []InputFiles `json:"inputs"`
	Outputs []FileInfo   `json:"outputs"`
}

// workshop is the folder in which steps are made.
type workshop struct {
	folder *stage.Folder
	steps  []Step
	made   []StepMade
}

// name is what a path in the workshop is called in a recipe; all others stay.
func (w *workshop) name(path string) string {
	if w != nil && filepath.Dir(path) == w.folder.Path("") {
		return StepPath(filepath.Base(path))
	}
	return path
}

func (w *workshop) close() error {
	if w == nil {
		return nil
	}
	return w.folder.Discard()
}

// Plan checks the recipe, and makes its steps first where it has some, in a folder beside target that [Plan.Close] takes
// away. What is wrong with any step is said before one is made.
func (r Recipe) Plan(ctx context.Context, target string, workers int, progress func(Progress)) (*Plan, error) {
	if len(r.steps) == 0 {
		return NewPlan(ctx, r.spec)
	}
	if _, err := os.Lstat(target); err == nil {
		return nil, writeProblem(target, fs.ErrExist)
	}
	if err := r.rehearse(ctx); err != nil {
		return nil, err
	}
	w, err := openWorkshop(target, r.steps)
	if err != nil {
		return nil, err
	}
	place := func(s Spec) Spec { return s.mapped(w.path) }
	for i, s := range r.steps {
		label := fmt.Sprintf("step %d of %d, %s", i+1, len(r.steps), s.Name)
		err := w.make(ctx, s, place(s.spec), workers, func(p Progress) {
			if progress != nil {
				p.Stage = label + ": " + p.Stage
				progress(p)
			}
		})
		if err != nil {
			return nil, errors.Join(inFile("steps: "+s.Name, err), w.close())
		}
	}
	p, err := NewPlan(ctx, place(r.spec))
	if err != nil {
		return nil, errors.Join(err, w.close())
	}
	p.workshop = w
	return p, nil
}

func openWorkshop(target string, steps []Step) (*workshop, error) {
	path := filepath.Clean(target) + "-steps"
	folder, err := stage.New(stage.OS{}, path, tokenOf("", path))
	if err != nil {
		return nil, writeProblem(path, err)
	}
	return &workshop{folder: folder, steps: steps}, nil
}

// path is where a step's result is; other paths stay.
func (w *workshop) path(path string) string {
	if name, ok := stepOf(path); ok {
		return w.folder.Path(name)
	}
	return path
}

// make executes a step.
func (w *workshop) make(ctx context.Context, s Step, spec Spec, workers int, progress func(Progress)) error {
	p, err := NewPlan(ctx, spec)
	if err != nil {
		return err
	}
	p.workshop = &workshop{folder: w.folder} // so that its receipt has no paths of what is taken away
	never := false
	receipt, err := p.Export(ctx, s.At(), w.folder.Path(s.Name), ExportOptions{Workers: workers, SHA256: &never}, progress)
	p.workshop = nil
	if err == nil {
		made := StepMade{Name: s.Name, Inputs: receipt.Inputs}
		for _, f := range receipt.Outputs {
			if filepath.Ext(f.Name) == ".safetensors" {
				made.Outputs = append(made.Outputs, f)
			}
		}
		w.made = append(w.made, made)
	}
	return errors.Join(err, p.Close())
}

// rehearse plans every step and the merge itself on results without values: files of the right size with nothing in them.
func (r Recipe) rehearse(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "parfait-rehearsal-")
	if err != nil {
		return writeProblem(os.TempDir(), err)
	}
	defer os.RemoveAll(dir) //nolint:errcheck // it is the system's to clean up
	path := func(path string) string {
		if name, ok := stepOf(path); ok {
			return filepath.Join(dir, name)
		}
		return path
	}
	plan := func(where string, s Spec, at map[string]float64) (*Plan, error) {
		p, err := NewPlan(ctx, s.mapped(path))
		if err == nil {
			_, err = p.r.settings(0, at)
		}
		return p, inFile(where, err)
	}
	for _, s := range r.steps {
		p, err := plan("steps: "+s.Name, s.spec, s.weights)
		if err == nil {
			err = p.hollow(filepath.Join(dir, s.Name))
		}
		if p != nil {
			err = errors.Join(err, p.Close())
		}
		if err != nil {
			return err
		}
	}
	p, err := plan("models", r.spec, r.weights)
	if p != nil {
		err = errors.Join(err, p.Close())
	}
	return err
}

// hollow writes an output without values.
func (p *Plan) hollow(dir string) error {
	if err := os.Mkdir(dir, 0o755); err != nil {
		return writeProblem(dir, err)
	}
	list := make([]safetensors.Tensor, 0, len(p.tensors))
	for _, t := range p.tensors {
		list = append(list, safetensors.Tensor{Name: t.outName(), DType: t.out, Shape: t.Shape})
	}
	layout, err := safetensors.NewLayout(list, safetensors.FormatPT())
	if err != nil {
		return formatProblems(dir, err)
	}
	path := filepath.Join(dir, safetensors.SingleName)
	err = os.WriteFile(path, layout.Header(), 0o644)
	if err == nil {
		err = os.Truncate(path, layout.Size())
	}
	if err != nil {
		return writeProblem(path, err)
	}
	sidecars, err := p.sidecars()
	for _, f := range sidecars {
		if err == nil && f.from != "" {
			f.data, err = readSidecar(f.from)
		}
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, f.name), f.data, 0o644)
		}
	}
	return err
}

// mapped is the spec with every path of a model changed by f.
func (s Spec) mapped(f func(string) string) Spec {
	s.Base, s.Stacks = f(s.Base), movedStacks(s.Stacks, f)
	if isTemplateFile(s.ChatTemplate) {
		s.ChatTemplate = f(s.ChatTemplate)
	}
	s.Models = slices.Clone(s.Models)
	for i := range s.Models {
		s.Models[i].Path = f(s.Models[i].Path)
	}
	return s
}
