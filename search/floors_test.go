package search

import (
	"fmt"
	"math"
	"slices"
	"testing"
)

// guarded is what hills look like after 32 trials of a strategy, the last task a guard with the floors given.
func guarded(t testing.TB, d int, strategy string, guard Task) (l *Landscape, points []Point) {
	t.Helper()
	s, err := New(strategy, nil)
	if err != nil {
		t.Fatal(err)
	}
	tasks := rates(d)
	tasks[d-1].Optimise, tasks[d-1].AtLeast, tasks[d-1].AtMost = false, guard.AtLeast, guard.AtMost
	points, _ = game{space: box(d, 0, 1.2), tasks: tasks, budget: 32, batch: 4, seed: 1, measure: measure}.play(t, s)
	if l, err = Fit(t.Context(), Question{Space: box(d, 0, 1.2), Tasks: tasks, Done: points}); err != nil {
		t.Fatal(err)
	}
	return l, points
}

// The front under a floor is that of what keeps it: of thousands of random points that do, none is better than all of it,
// also where the floor is of a task that is not optimised, an upper bound of one that is maximised, or far from the front
// without it.
func TestFrontIsTracedUnderFloors(t *testing.T) {
	v := func(v float64) *float64 { return &v }
	seen := 0
	for name, guard := range map[string]Task{"at least": {AtLeast: v(0.6)}, "at most": {AtMost: v(0.2)}, "between": {AtLeast: v(0.3), AtMost: v(0.35)}} {
		for _, d := range []int{2, 4} {
			t.Run(fmt.Sprint(name, d), func(t *testing.T) {
				l, _ := guarded(t, d, "adaptive", guard)
				xs, err := l.Front(t.Context(), 300)
				if err != nil || len(xs) == 0 {
					t.Fatalf("%d points: %v", len(xs), err)
				}
				sure := slices.ContainsFunc(xs, func(x []float64) bool { return l.missing(x) <= 0 })
				var fs [][]float64
				for _, x := range xs {
					fs = append(fs, l.at(x))
					if l.asPredicted().missing(x) > 0 || sure && l.missing(x) > 0 {
						t.Errorf("%.3v misses a floor by %.3f of its range", x, l.missing(x))
					}
				}
				for _, x := range newRegion(l.space).whole().spread(4000, 9) {
					if l.believedWithin(x) > 0 {
						continue
					}
					if !sure {
						t.Errorf("%.3v keeps the floors with the probability that they ask for, and nothing of the front does", x)
					}
					seen++
					f := l.at(x)
					const tolerance = 0.03
					if !slices.ContainsFunc(fs, func(o []float64) bool {
						for k := range o {
							if o[k] > f[k]+tolerance {
								return false
							}
						}
						return true
					}) {
						t.Errorf("%.3v keeps the floors, and nothing of the front comes near to %.3v", x, f)
					}
				}
			})
		}
	}
	if seen < 1000 {
		t.Errorf("%d random points keep the floors: too few to show anything", seen)
	}
}

// An objective that must not fall below a floor bounds the front as a guard does.
func TestFrontKeepsFloorsOfObjectives(t *testing.T) {
	l := hilly(t, 3, 24)
	u, err := l.Under([]Floor{{Task: "t0", Least: true, Value: 0.5}, {Task: "t1", Least: true, Value: 0.3, Sure: FloorSure}})
	if err != nil {
		t.Fatal(err)
	}
	xs, err := u.Front(t.Context(), 100)
	if err != nil || len(xs) < 50 {
		t.Fatalf("%d points: %v", len(xs), err)
	}
	for _, x := range xs {
		if a, b := l.Surrogate(0).Mean(nil, x), l.Surrogate(1).Mean(nil, x); a < 0.5 || b < 0.3 {
			t.Errorf("%.3v has t0 %.3f and t1 %.3f, under floors of .5 and .3", x, a, b)
		}
	}
	if _, err := l.Under([]Floor{{Task: "x"}, {Task: "y"}}); err == nil {
		t.Error("floors of tasks that do not exist are taken")
	}
}

// What cannot be kept says which floor to lower: the one that has to be lowered by the least, in units of its range, so that
// a merge keeps the others.
func TestUnmetSaysWhichFloorToGiveUp(t *testing.T) {
	l := hilly(t, 3, 24)
	for name, floors := range map[string][]Floor{
		"one":          {{Task: "t0", Least: true, Value: 0.9}},
		"the first":    {{Task: "t0", Least: true, Value: 0.75}, {Task: "t1", Least: true, Value: 0.6}, {Task: "t2", Least: true, Value: 0.01}},
		"the second":   {{Task: "t0", Least: true, Value: 0.6}, {Task: "t1", Least: true, Value: 0.8}},
		"no one alone": {{Task: "t0", Least: true, Value: 0.9}, {Task: "t1", Least: true, Value: 0.9}},
	} {
		t.Run(name, func(t *testing.T) {
			under, err := l.Under(floors)
			if err != nil {
				t.Fatal(err)
			}
			u, err := under.Unmet(t.Context())
			if err != nil || u == nil || u.Nearest == nil {
				t.Fatalf("%+v: %v: want to hear what is missing", u, err)
			}
			miss := func(k int, x []float64) float64 { return -l.slack(&under.floors[k], nil, x) }
			least := slices.Repeat([]float64{math.Inf(1)}, len(floors))
			for _, x := range newRegion(l.space).whole().spread(8000, 9) {
				if l.doubt(x) > 0 {
					continue
				}
				for k := range floors {
					if under.without(k).missing(x) <= 0 {
						least[k] = min(least[k], miss(k, x))
					}
				}
			}
			if best := slices.Min(least); math.IsInf(best, 1) != (u.Floor < 0) {
				t.Errorf("floor %d is to be given up, and by random points these miss theirs by %.3v", u.Floor, least)
			} else if u.Floor >= 0 && (miss(u.Floor, u.Instead) > best+0.01 || under.without(u.Floor).missing(u.Instead) > 0) {
				t.Errorf("without floor %d it is missed by %.3f at %.3v; random points miss by %.3v", u.Floor, miss(u.Floor, u.Instead), u.Instead, least)
			}
			if u.Floor < 0 {
				return
			}
			advised := slices.Clone(floors)
			v := l.Surrogate(under.floors[u.Floor].task).Mean(nil, u.Instead)
			advised[u.Floor].Value = math.Floor(v*1000) / 1000
			again, err := l.Under(advised)
			if err != nil {
				t.Fatal(err)
			}
			if more, err := again.Unmet(t.Context()); more != nil || err != nil {
				t.Errorf("with %g instead of %g, as advised: %+v, %v", advised[u.Floor].Value, floors[u.Floor].Value, more, err)
			}
			xs, err := again.Front(t.Context(), 20)
			if err != nil || len(xs) == 0 || again.asPredicted().missing(xs[0]) > 0 {
				t.Errorf("with %g, as advised, the front has %d points, %v: want such as keep it", advised[u.Floor].Value, len(xs), err)
			}
		})
	}
	kept, err := l.Under([]Floor{{Task: "t0", Least: true, Value: 0.5}})
	if err != nil {
		t.Fatal(err)
	}
	if u, err := kept.Unmet(t.Context()); u != nil || err != nil {
		t.Errorf("%+v, %v: nothing is missing of what can be kept", u, err)
	}
}

// A search measures where floors are kept: what it finds under them is near to what there is, and that where without them
// next to nothing that it measures keeps them.
func TestStrategiesAskUnderFloors(t *testing.T) {
	if testing.Short() {
		t.Skip("computes for long, in no other way than shorter tests")
	}
	floor := 0.7
	best := 0.0 // of the worse of the two others, by thousands of evaluations
	for _, x := range newRegion(box(3, 0, 1.2)).whole().spread(20000, 9) {
		if y := hills(x); y[2] >= floor {
			best = max(best, min(y[0], y[1]))
		}
	}
	for _, strategy := range []string{"adaptive", "ehvi"} {
		t.Run(strategy, func(t *testing.T) {
			_, points := guarded(t, 3, strategy, Task{AtLeast: &floor})
			kept, got := 0, 0.0
			for _, p := range points[12:] {
				if p.Y[2].Value >= floor-0.02 {
					kept++
				}
				if p.Y[2].Value >= floor {
					got = max(got, min(p.Y[0].Value, p.Y[1].Value))
				}
			}
			if kept < 10 {
				t.Errorf("%d of the 20 trials after the start keep the floor of %g, or nearly", kept, floor)
			}
			if got < best-0.05 {
				t.Errorf("of what keeps the floor the best worse task is %.3f, and there is %.3f", got, best)
			}
		})
	}
}
