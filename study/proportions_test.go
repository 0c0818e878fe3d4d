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
	"parfait/search"
	"parfait/yamldoc"
)

// mixes are all methods with proportions, as study.yaml writes them, with every kind of thing beside those.
func mixes(t *testing.T) map[string]string {
	out := map[string]string{}
	for _, m := range method.All() {
		if most := m.Models[1]; !slices.Contains(m.Domains, method.Simplex) || m.Models[0] > 3 || most > 0 && most < 3 {
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

// Proportions have the ranges that they are given, by every method that has them, less what they can never be, as they sum
// to 1; what leaves nothing is refused where it stands.
func TestRangesOfProportions(t *testing.T) {
	for name, mix := range mixes(t) {
		if info, _ := method.Describe(name); info.Least > 0 {
			continue // as fisher, see below
		}
		for _, more := range []string{"", "groups: [{name: early, match: 'x.*'}, {name: rest, match: '*'}]\n"} {
			for ranges, want := range map[string][3][2]float64{
				"[0, 0.5]":    {{0, 0.5}, {0, 1}, {0, 1}},
				"[0.1, 1]":    {{0.1, 1}, {0, 0.9}, {0, 0.9}},
				"[0.3, 1.2]":  {{0.3, 1}, {0, 0.7}, {0, 0.7}},
				"[-0.2, 0.9]": {{0, 0.9}, {0, 1}, {0, 1}},
				"[0, 1]":      {{0, 1}, {0, 1}, {0, 1}},
				"[-1, 1.5]":   {{0, 1}, {0, 1}, {0, 1}},
				"":            {{0, 1}, {0, 1}, {0, 1}},
				"[2, 3]":      {},
				"[-2, -1]":    {},
			} {
				s, err := ParseSpec("study.yaml", []byte(mixSpec(mix, ranges, more)))
				var p *yamldoc.Problems
				if refused := want == ([3][2]float64{}); refused || err != nil {
					if !refused || !errors.As(err, &p) || len(p.List) != 1 || p.List[0].Line != 4 || !strings.Contains(p.List[0].Msg, "proportions") {
						t.Errorf("%s with the range %q: %v, want it refused at line 4 (%v)", name, ranges, err, refused)
					}
					continue
				}
				sp, err := s.space()
				for _, set := range sp.Simplex {
					for k, i := range set {
						if c := sp.Coefficients[i]; [2]float64{c.Lo, c.Hi} != want[k] {
							t.Errorf("%s with the range %q: %s is within [%g, %g] (%v), want %v", name, ranges, c.Name, c.Lo, c.Hi, err, want[k])
						}
					}
				}
			}
		}
	}
}

// A model of weight 0 is another function where methods say so: there the search stays away from it, unless it is told.
func TestProportionsStayOffFaces(t *testing.T) {
	spec := mixSpec("{name: fisher, fisher: {math: a, code: b, wit: c}}", "", "")
	spec = strings.ReplaceAll(spec, ", range: [0, 1.2]", "")
	for ranges, want := range map[string][3][2]float64{
		"":         {{0.01, 0.98}, {0.01, 0.98}, {0.01, 0.98}},
		"[0, 1]":   {{0, 0.98}, {0.01, 0.99}, {0.01, 0.99}},
		"[0, 0.5]": {{0, 0.5}, {0.01, 0.99}, {0.01, 0.99}},
	} {
		text := spec
		if ranges != "" {
			text = strings.ReplaceAll(text, "path: a}", "path: a, range: "+ranges+"}")
		}
		s, err := ParseSpec("study.yaml", []byte(text))
		if err != nil {
			t.Fatalf("%q: %v", ranges, err)
		}
		sp, err := s.space()
		for i, c := range sp.Coefficients {
			if [2]float64{c.Lo, c.Hi} != want[i] {
				t.Errorf("range %q: %s is within [%g, %g] (%v), want %v", ranges, c.Name, c.Lo, c.Hi, err, want[i])
			}
		}
	}
}

// Ranges within which proportions cannot sum to 1 are refused where they stand, before anything is measured.
func TestRangesWithoutProportions(t *testing.T) {
	for ranges, said := range map[string]string{"[0, 0.3]": "0.6 at most", "[0.6, 1]": "1.2 at least", "[0.1, 0.5]": ""} {
		spec := strings.ReplaceAll(mixSpec("linear", ranges, ""), "path: b}", "path: b, range: "+ranges+"}")
		spec = strings.ReplaceAll(spec, "  - {name: wit, path: c, range: [0, 1.2]}\n", "")
		_, err := ParseSpec("study.yaml", []byte(spec))
		switch {
		case said == "" && err != nil:
			t.Errorf("%s twice: %v, want it taken", ranges, err)
		case said != "" && (err == nil || !strings.Contains(err.Error(), said) || !strings.Contains(err.Error(), "study.yaml:4:") || !strings.Contains(err.Error(), "normalize: false")):
			t.Errorf("%s twice: %v, want it refused at line 4 with %q and what to do", ranges, err, said)
		}
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

// The average of three is asked for at 1 : 1 : 1, and was measured at .334, .333, .333: that is one merge.
func TestAverageOfThreeIsMeasuredOnce(t *testing.T) {
	sp := search.Space{Simplex: [][]int{{0, 1, 2}}}
	for _, name := range []string{"a", "b", "c"} {
		sp.Coefficients = append(sp.Coefficients, search.Coefficient{Name: name, Model: name, Kind: search.Scaling, Hi: 1})
	}
	snap := Snapshot{Space: sp, Trials: []Trial{{ID: 1, X: []float64{0.334, 0.333, 0.333}, State: evaluator.Done}}}
	for _, c := range []struct {
		x    []float64
		find bool
	}{
		{[]float64{1, 1, 1}, true},
		{[]float64{0.5, 0.5, 0.5}, true},
		{[]float64{0.334, 0.333, 0.333}, true},
		{[]float64{0.333, 0.334, 0.333}, false}, // by hand, and another
		{[]float64{0.33, 0.33, 0.34}, false},
	} {
		if found := snap.At(c.x) != nil; found != c.find {
			t.Errorf("the trial at %v is that of %v: %v, want %v", snap.Trials[0].X, c.x, found, c.find)
		}
	}
	box := Snapshot{Space: search.Space{Coefficients: []search.Coefficient{{Name: "a", Model: "a", Kind: search.Scaling, Hi: 1.2}}}, Trials: []Trial{{ID: 1, X: []float64{1.2}, State: evaluator.Done}}}
	if box.At([]float64{1.5}) != nil {
		t.Error("1.5 is taken for the trial at 1.2, the end of the range: want it to be another merge")
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

// A study's proportions can be narrowed at any time: what was measured stays, and the front is within the range; a range
// that leaves nothing is refused where it stands, and taken back gives everything back.
func TestNarrowedProportions(t *testing.T) {
	dir := linearStudy(t)
	s := open(t, dir)
	if err := s.Run(t.Context(), RunOptions{}); err != nil {
		t.Fatal(err)
	}
	edit(t, dir, "path: a}", "path: a, range: [0.2, 0.6]}")
	edit(t, dir, "budget: 4", "budget: 8")
	s = open(t, dir)
	if err := s.Run(t.Context(), RunOptions{}); err != nil {
		t.Fatal(err)
	}
	snap := load(t, s)
	within := func(x []float64) bool { return x[0] >= 0.2-1e-9 && x[0] <= 0.6+1e-9 }
	if len(snap.Trials) != 8 || slices.ContainsFunc(snap.Trials[4:], func(t Trial) bool { return !within(t.X) }) {
		t.Errorf("trials %+v, want 8, those after the fourth within the range", snap.Trials)
	}
	if len(snap.Analysis.Front) == 0 || slices.ContainsFunc(snap.Analysis.Front, func(p FrontPoint) bool { return !within(p.X) }) {
		t.Errorf("the front %+v, want one within the range", snap.Analysis.Front)
	}
	edit(t, dir, "range: [0.2, 0.6]", "range: [1.5, 2]")
	_, err := Open(dir)
	if want := filepath.Join(dir, SpecFile) + ":4:"; err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "leave it out") {
		t.Errorf("%v, want it refused at %s with what to do", err, want)
	}
	edit(t, dir, "range: [1.5, 2]", "range: [0, 1]")
	if n := len(load(t, open(t, dir)).Trials); n != 8 {
		t.Errorf("%d trials, want 8", n)
	}
}
