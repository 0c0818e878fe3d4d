package explore_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"parfait/explore"
	"parfait/explore/exploretest"
	"parfait/search"
	"parfait/study"
)

// nestedOf are the models a, b and c alone, the pair of a and b while it is measured, and the whole with it decided.
func nestedOf() (a, b, c, pair, whole *search.Branch) {
	leaf := func(name string, x ...float64) *search.Branch {
		return &search.Branch{Name: name, X: x, Tasks: []string{name}}
	}
	a, b, c = leaf("a", 1, 0, 0), leaf("b", 0, 1, 0), leaf("c", 0, 0, 1)
	pair = &search.Branch{Name: "(a + b)", Round: 1, Parts: []*search.Branch{a, b}, Measured: 7, Wanted: 20}
	decided := *pair
	decided.X, decided.At, decided.Measured = []float64{0.5, 0.6, 0}, [2]float64{0.5, 0.6}, 20
	whole = &search.Branch{Name: "((a + b) + c)", Round: 2, Parts: []*search.Branch{&decided, c}, X: []float64{0.4, 0.48, 0.9}, At: [2]float64{0.8, 0.9}, Wanted: 20}
	return a, b, c, pair, whole
}

func TestBranches(t *testing.T) {
	snap := exploretest.Snapshot(exploretest.Options{Trials: 20, Tasks: []string{"a", "b", "c"}})
	_, _, c, pair, whole := nestedOf()
	for _, tree := range []struct {
		of   []*search.Branch
		want []string // stem, title, state; scale, and the index of the trial that has measured it
	}{
		{[]*search.Branch{pair, c}, []string{
			"round 1: 7 of 20 measured (NaN, -1)", "├─ a: best at a (NaN, 1)", "└─ b: best at b (NaN, 2)", "c: best at c; waits for its partner (NaN, 3)",
		}},
		{[]*search.Branch{whole}, []string{
			"round 2: decided from 20 (NaN, -1)", "├─ round 1: decided from 20 (0.8, -1)", "│  ├─ a: best at a (0.5, 1)", "│  └─ b: best at b (0.6, 2)", "└─ c: best at c (0.9, 3)",
		}},
	} {
		var got []string
		for _, r := range explore.Branches(snap, tree.of) {
			got = append(got, fmt.Sprintf("%s%s: %s (%g, %d)", r.Stem, r.Title, r.State, r.Scale, r.Trial))
		}
		if !slices.Equal(got, tree.want) {
			t.Errorf("the tree\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(tree.want, "\n"))
		}
	}
}

func TestNextBranch(t *testing.T) {
	snap := exploretest.Snapshot(exploretest.Options{Trials: 20, Tasks: []string{"a", "b", "c"}})
	a, b, c, pair, whole := nestedOf()
	measured := *whole
	measured.X = snap.Trials[9].X
	for name, n := range map[string]struct {
		snap *study.Snapshot
		of   []*search.Branch
		want string // how it begins
	}{
		"nothing is measured":   {exploretest.Snapshot(exploretest.Options{}), []*search.Branch{a, b, c}, "Next: a, b and c alone, so that the models can be paired."},
		"a pair is measured":    {snap, []*search.Branch{pair, c}, "Next, in round 1: 13 more of (a + b)."},
		"the whole is decided":  {snap, []*search.Branch{whole}, "Next: the nested merge itself is measured, 0.8·(0.5·a + 0.6·b) + 0.9·c"},
		"the whole is measured": {snap, []*search.Branch{&measured}, "The nested merge is "},
	} {
		if got := explore.NextBranch(n.snap, n.of); !strings.HasPrefix(got, n.want) {
			t.Errorf("%s: %q, want %q", name, got, n.want)
		}
	}
}

func TestHoles(t *testing.T) {
	snap := exploretest.Snapshot(exploretest.Options{Trials: 12, Strategy: "barrier", Minimize: true})
	lines, err := snap.Lines()
	if err != nil || len(lines) != 3 {
		t.Fatalf("%d lines (%v), want three", len(lines), err)
	}
	holes := explore.Holes(snap.Tasks, lines)
	unmeasured := lines[1]
	unmeasured.Points = unmeasured.Points[:1]
	for name, h := range map[string]struct {
		of   explore.Hole
		task int
		want string
		real bool
	}{
		"a loss":  {holes[1][0], 0, " above the straight line, ", true},
		"a rate":  {holes[1][1], 1, "mirrored: a barrier: .121 ±.013 below the straight line, half way from rotated to upside_down", true},
		"no dip":  {holes[0][1], 1, "no barrier", false},
		"one end": {explore.Holes(snap.Tasks, []search.Line{unmeasured})[0][1], 1, "not measured yet", false},
	} {
		if got := h.of.Words(snap.Tasks[h.task]); !strings.Contains(got, h.want) || h.of.Real != h.real {
			t.Errorf("%s: %q (real: %v), want %q (%v)", name, got, h.of.Real, h.want, h.real)
		}
	}
	for want, of := range map[string][]search.Line{
		"a barrier on 2 of 3 lines measured: rotated – upside_down and mirrored – upside_down": lines,
		"no barrier beyond noise": lines[:1],
	} {
		if got := explore.Verdict(snap.Tasks, of); got != want {
			t.Errorf("of %d lines: %q, want %q", len(of), got, want)
		}
	}
}

// A dip of which nobody has said how much is noise is no barrier and no "no barrier", in whatever form the figures
// come; a rate of n items tells its noise by itself.
func TestHolesByForm(t *testing.T) {
	for _, c := range []struct {
		form    string
		as      func(study.Metric) study.Metric
		barred  int // of the six dips on two of three lines
		unsure  int
		verdict string
	}{
		{"value", func(m study.Metric) study.Metric { return study.Metric{Value: m.Value} }, 0, 6, "noise is not known on 2 of 3 lines measured, so that no barrier can be told: rotated – upside_down and mirrored – upside_down; "},
		{"value and n", func(m study.Metric) study.Metric { return study.Metric{Value: m.Value, N: 450} }, 6, 0, "a barrier on 2 of 3 lines measured: "},
		{"value and stderr", func(m study.Metric) study.Metric { return study.Metric{Value: m.Value, Stderr: .011} }, 6, 0, "a barrier on 2 of 3 lines measured: "},
		{"value and a stderr that explains it", func(m study.Metric) study.Metric { return study.Metric{Value: m.Value, Stderr: 1} }, 0, 0, "no barrier beyond noise on any of the 3 lines"},
	} {
		snap := exploretest.Snapshot(exploretest.Options{Trials: 12, Strategy: "barrier"})
		for _, trial := range snap.Trials {
			for task, m := range trial.Metrics {
				trial.Metrics[task] = c.as(m)
			}
		}
		lines, err := snap.Lines()
		if err != nil {
			t.Fatal(err)
		}
		barred, unsure := 0, 0
		for _, holes := range explore.Holes(snap.Tasks, lines) {
			for i, h := range holes {
				words := h.Words(snap.Tasks[i])
				if h.Real {
					barred++
				}
				if h.Unsure() {
					unsure++
				}
				if h.Unsure() != strings.Contains(words, "its noise is not known") || h.Real != strings.Contains(words, ": a barrier: ") {
					t.Errorf("%s: %q of %+v", c.form, words, h)
				}
			}
		}
		if verdict := explore.Verdict(snap.Tasks, lines); barred != c.barred || unsure != c.unsure || !strings.HasPrefix(verdict, c.verdict) {
			t.Errorf("%s: %d barred, %d unsure, %q; want %d, %d, %q", c.form, barred, unsure, verdict, c.barred, c.unsure, c.verdict)
		}
	}
}
