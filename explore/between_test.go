package explore_test

import (
	"math"
	"strings"
	"testing"

	"parfait/explore"
	"parfait/explore/exploretest"
	"parfait/search"
	"parfait/study"
)

func TestBranches(t *testing.T) {
	snap := exploretest.Snapshot(exploretest.Options{Trials: 20, Tasks: []string{"a", "b", "c"}})
	leaf := func(name string, x ...float64) *search.Branch {
		return &search.Branch{Name: name, X: x, Tasks: []string{name}}
	}
	a, b, c := leaf("a", 1, 0, 0), leaf("b", 0, 1, 0), leaf("c", 0, 0, 1)
	pair := &search.Branch{Name: "(a + b)", Round: 1, Parts: []*search.Branch{a, b}, Measured: 7, Wanted: 20}
	rows := explore.Branches(snap, []*search.Branch{pair, c})
	want := []string{"round 1: 7 of 20 measured", "├─ a: best at a", "└─ b: best at b", "c: best at c; waits for its partner"}
	if len(rows) != len(want) {
		t.Fatalf("%d rows", len(rows))
	}
	for i, r := range rows {
		if got := r.Stem + r.Title + ": " + r.State; got != want[i] || !math.IsNaN(r.Scale) {
			t.Errorf("%q (scaled by %g), want %q", got, r.Scale, want[i])
		}
	}
	if next := explore.NextBranch(snap, []*search.Branch{pair, c}); next != "Next, in round 1: 13 more of (a + b)." {
		t.Error(next)
	}
	pair.X, pair.At, pair.Measured = []float64{0.5, 0.6, 0}, [2]float64{0.5, 0.6}, 20
	root := &search.Branch{Name: "((a + b) + c)", Round: 2, Parts: []*search.Branch{pair, c}, X: []float64{0.4, 0.48, 0.9}, At: [2]float64{0.8, 0.9}, Wanted: 20}
	rows = explore.Branches(snap, []*search.Branch{root})
	if rows[1].Scale != 0.8 || rows[2].Stem != "│  ├─ " || rows[4].Scale != 0.9 || rows[0].Trial >= 0 {
		t.Errorf("%+v", rows)
	}
	if next := explore.NextBranch(snap, []*search.Branch{root}); !strings.HasPrefix(next, "Next: the nested merge itself is measured, 0.8·(0.5·a + 0.6·b) + 0.9·c") {
		t.Error(next)
	}
	root.X = snap.Trials[9].X
	if next := explore.NextBranch(snap, []*search.Branch{root}); !strings.HasPrefix(next, "The nested merge is ") {
		t.Error(next)
	}
	if next := explore.NextBranch(exploretest.Snapshot(exploretest.Options{}), []*search.Branch{a, b, c}); next != "Next: a, b and c alone, so that the models can be paired." {
		t.Error(next)
	}
}

func TestHoles(t *testing.T) {
	snap := exploretest.Snapshot(exploretest.Options{Trials: 12, Strategy: "barrier", Minimize: true})
	lines, err := snap.Lines()
	if err != nil || len(lines) != 3 {
		t.Fatalf("%d lines (%v)", len(lines), err)
	}
	if v := explore.Verdict(snap.Tasks, lines); v != "a barrier on 2 of 3 lines measured: rotated – upside_down and mirrored – upside_down" {
		t.Error(v)
	}
	fine, deep := explore.Holes(snap.Tasks, lines[0]), explore.Holes(snap.Tasks, lines[1])
	for i, want := range map[int]string{0: " above the straight line, ", 1: "mirrored: a barrier: .121 ±.013 below the straight line, half way from rotated to upside_down"} {
		if got := deep[i].Words(snap.Tasks[i]); !strings.Contains(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if got := fine[1].Words(snap.Tasks[1]); !strings.Contains(got, "no barrier") || fine[1].Real {
		t.Error(got)
	}
	lines[1].Points = lines[1].Points[:1]
	if got := explore.Holes(snap.Tasks, lines[1])[1].Words(snap.Tasks[1]); !strings.Contains(got, "not measured yet") {
		t.Error(got)
	}
	if v := explore.Verdict(snap.Tasks, lines[:1]); v != "no barrier beyond noise" {
		t.Error(v)
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
		{"value", func(m study.Metric) study.Metric { return study.Metric{Value: m.Value} }, 0, 6, "on 2 of 3 lines measured a barrier cannot be told from noise, which is not known: rotated – upside_down and mirrored – upside_down; "},
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
		for _, l := range lines {
			for i, h := range explore.Holes(snap.Tasks, l) {
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
