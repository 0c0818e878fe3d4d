package study

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"parfait/evaluator"
	"parfait/history"
	"parfait/merge/method"
	"parfait/yamldoc"
)

// mixes are all methods with proportions, as study.yaml writes them, with every kind of thing beside those.
func mixes(t *testing.T) map[string]string {
	out := map[string]string{}
	for _, m := range method.All() {
		if !slices.Contains(m.Domains, method.Simplex) {
			continue
		}
		words := []string{"name: " + m.Name}
		for _, p := range m.Params {
			switch {
			case p.Name == "normalize":
				words = append(words, "normalize: true")
			case p.Kind == method.Paths:
				words = append(words, p.Name+": {math: a, code: b, wit: c}")
			case p.Kind == method.Number && p.Default == nil || p.Name == "density":
				words = append(words, p.Name+": {range: [0.2, 0.9]}")
			}
		}
		out[m.Name] = "{" + strings.Join(words, ", ") + "}"
	}
	if len(out) < 3 {
		t.Fatalf("methods with proportions: %v, want linear, fisher, ties and more", out)
	}
	return out
}

// mixSpec is a study of three models whose first has a range, "" for none.
func mixSpec(method, ranges, more string) string {
	if ranges != "" {
		ranges = ", range: " + ranges
	}
	return fmt.Sprintf("version: 1\nbase: base\nmodels:\n  - {name: math, path: a%s}\n  - {name: code, path: b}\n  - {name: wit, path: c, range: [0, 1.2]}\nmethod: %s\n%stasks: [{name: t, unit: rate}]\nevaluators: {main: {fake: {}}}\n", ranges, method, more)
}

// Nothing searches a part of a simplex: a range that asks for that is refused where it stands, by every method with
// proportions. One that goes beyond them takes nothing away.
func TestSpecRefusesAPartOfProportions(t *testing.T) {
	for name, method := range mixes(t) {
		for _, more := range []string{"", "groups: [{name: early, match: 'x.*'}, {name: rest, match: '*'}]\n"} {
			for ranges, refused := range map[string]bool{"[0, 0.5]": true, "[0.1, 1]": true, "[0.3, 1.2]": true, "[-0.2, 0.9]": true, "[2, 3]": true, "[0, 1]": false, "[-1, 1.5]": false, "": false} {
				s, err := ParseSpec("study.yaml", []byte(mixSpec(method, ranges, more)))
				var p *yamldoc.Problems
				switch {
				case refused && (!errors.As(err, &p) || len(p.List) != 1 || p.List[0].Line != 4 || !strings.Contains(p.List[0].Msg, "proportions")):
					t.Errorf("%s with the range %s: %v, want it refused at line 4", name, ranges, err)
				case refused:
				case err != nil:
					t.Errorf("%s with the range %q: %v, want it taken", name, ranges, err)
				default:
					sp, err := s.space()
					for _, i := range slices.Concat(sp.Simplex...) {
						if c := sp.Coefficients[i]; c.Lo != 0 || c.Hi != 1 {
							t.Errorf("%s with the range %q: %s is within [%g, %g] (%v), want [0, 1]", name, ranges, c.Name, c.Lo, c.Hi, err)
						}
					}
				}
			}
		}
	}
	// What the message says to do helps.
	if _, err := ParseSpec("study.yaml", []byte(mixSpec("{name: linear, normalize: false}", "[0, 0.5]", ""))); err != nil {
		t.Errorf("linear with normalize: false: %v", err)
	}
	_, err := ParseSpec("study.yaml", []byte(mixSpec("linear", "[0, 0.5]", "")))
	if err == nil || !strings.Contains(err.Error(), "normalize: false") {
		t.Errorf("%v, want to be told of normalize: false", err)
	}
}

// linearStudy is a study of the two models' proportions.
func linearStudy(t *testing.T) string {
	dir := makeStudy(t, 4)
	edit(t, dir, "tasks:\n", "method: linear\ntasks:\n")
	return dir
}

// One merge has one form: whatever factor its proportions are given with, it is one trial, one pick, one recipe.
func TestProportionsHaveOneForm(t *testing.T) {
	dir := linearStudy(t)
	s := open(t, dir)
	var asked [][]float64
	fakes.Store(t.Name()+"-0", &fake{hook: func(_ context.Context, c evaluator.Candidate) error {
		asked = append(asked, []float64{c.At[0].Value, c.At[1].Value})
		return nil
	}})
	for _, x := range [][]float64{{0.2, 0.6}, {0.25, 0.75}, {1, 3}} {
		if err := s.Do(Command{Kind: CommandEvaluate, X: x, Once: true}); err != nil {
			t.Fatal(err)
		}
	}
	for _, x := range [][]float64{{-0.2, 1.2}, {0, 0}} {
		if err := s.Do(Command{Kind: CommandEvaluate, X: x}); CodeOf(err) != CodeInput || !strings.Contains(err.Error(), "proportions") && !strings.Contains(err.Error(), "a proportion") {
			t.Errorf("%v: %v, want it refused as proportions", x, err)
		}
		if _, err := s.SavePick(Pick{X: x}); CodeOf(err) != CodeInput {
			t.Errorf("a pick of %v: %v, want it refused", x, err)
		}
		if _, err := s.PlanExport(ExportRequest{X: x}); CodeOf(err) != CodeInput {
			t.Errorf("an export of %v: %v, want it refused", x, err)
		}
	}
	if err := s.Run(t.Context(), RunOptions{}); err != nil {
		t.Fatal(err)
	}
	if n := len(slices.DeleteFunc(slices.Clone(asked), func(x []float64) bool { return !slices.Equal(x, []float64{0.25, 0.75}) })); n != 1 {
		t.Errorf("measured %v, want .25 and .75 once", asked)
	}
	// A trial that is done has measured it; who wants it again says so.
	before := len(load(t, s).Trials)
	if err := s.Do(Command{Kind: CommandEvaluate, X: []float64{2, 6}, Once: true}); err != nil || len(load(t, s).Trials) != before {
		t.Errorf("asked for again: %d trials (%v), want %d", len(load(t, s).Trials), err, before)
	}
	if err := s.Do(Command{Kind: CommandEvaluate, X: []float64{2, 6}}); err != nil || len(load(t, s).Trials) != before+1 {
		t.Errorf("asked for once more: %d trials (%v), want %d", len(load(t, s).Trials), err, before+1)
	}
	p, err := s.SavePick(Pick{Name: "mine", X: []float64{1, 3}, Why: "so"})
	if err != nil || !slices.Equal(p.X, []float64{0.25, 0.75}) {
		t.Errorf("the pick is at %v (%v), want .25 and .75", p.X, err)
	}
	if at := load(t, s).At([]float64{3, 9}); at == nil || !slices.Equal(at.X, []float64{0.25, 0.75}) {
		t.Errorf("the trial of 3 : 9 is %+v, want the one at .25 and .75", at)
	}
}

// What an earlier parfait recorded as it was given is read as what was measured: so it is fitted, and found again.
func TestProportionsOfOldHistories(t *testing.T) {
	s := open(t, linearStudy(t))
	if err := s.store.Write("test", func(c *history.Change) error {
		for _, x := range [][]float64{{0.5, 1.5}, {-1, 2}} {
			if err := insertTrial(c, -1, x, "you", ""); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.store.addPick(Pick{Name: "old", X: []float64{3, 1}}); err != nil {
		t.Fatal(err)
	}
	snap := load(t, s)
	if got := fmt.Sprint(snap.Trials[0].X, snap.Trials[1].X, snap.Picks[0].X); got != "[0.25 0.75] [-1 2] [0.75 0.25]" {
		t.Errorf("read as %s, want [0.25 0.75], what stands for no merge as it is, and [0.75 0.25]", got)
	}
}

// A range that a healthy study cannot have is refused where it stands, and taken back gives everything back.
func TestNarrowedProportions(t *testing.T) {
	dir := linearStudy(t)
	s := open(t, dir)
	if err := s.Run(t.Context(), RunOptions{}); err != nil {
		t.Fatal(err)
	}
	edit(t, dir, "path: a}", "path: a, range: [0, 0.5]}")
	_, err := Open(dir)
	if want := filepath.Join(dir, SpecFile) + ":4:"; err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "leave the range out") {
		t.Errorf("%v, want it refused at %s with what to do", err, want)
	}
	edit(t, dir, "range: [0, 0.5]", "range: [0, 1]")
	if n := len(load(t, open(t, dir)).Trials); n != 4 {
		t.Errorf("%d trials, want 4", n)
	}
}
