package search

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"testing"
)

// settling is a question about a pick, on the hills of three models after a design of n points.
func settling(t *testing.T, n int, pick []float64, w Wishes) Question {
	t.Helper()
	g := game{space: box(3, 0, 1.2), tasks: rates(3), budget: n, batch: 4, seed: 1, measure: measure}
	done, _ := g.play(t, adaptive{})
	return Question{Space: g.space, Tasks: g.tasks, Done: done, Asked: len(done), N: 4, Seed: 1, Focus: &Focus{Wishes: w, Pick: &Pick{Name: "mine", X: pick}}}
}

// best is where the hills are best for equal weights.
func best(w Wishes) []float64 {
	x, top := []float64(nil), math.Inf(-1)
	for i := range 25 {
		for j := range 25 {
			for k := range 25 {
				at := []float64{float64(i) * 0.05, float64(j) * 0.05, float64(k) * 0.05}
				v := 0.0
				for task, y := range hills(at) {
					v += w.Weights[rates(3)[task].Name] * y
				}
				if v > top {
					x, top = at, v
				}
			}
		}
	}
	return x
}

// A pick is settled, or what is better is named, with the evaluations that it takes and no more.
func TestSettle(t *testing.T) {
	if testing.Short() {
		t.Skip("computes for long, in no other way than shorter tests")
	}
	w := Wishes{Weights: map[string]float64{"t0": 1, "t1": 1}}
	for name, c := range map[string]struct {
		pick []float64
		says string
	}{
		"the best of all": {best(w), "mine is settled: the best within its rivals with probability "},
		"the base":        {[]float64{0, 0, 0}, "mine is not the best within its rivals: with probability "},
	} {
		t.Run(name, func(t *testing.T) {
			q := settling(t, 12, c.pick, w)
			spent := 0
			for {
				p, err := strategyOf(t, "greedy", nil).Ask(t.Context(), q) // whatever the strategy
				if err != nil {
					t.Fatal(err)
				}
				if p.Stop != "" {
					if !strings.HasPrefix(p.Stop, c.says) {
						t.Errorf("after %d evaluations it says %q, expected %q", spent, p.Stop, c.says)
					}
					break
				}
				if spent += len(p.Points); spent > 40 || p.Advice.Text == "" {
					t.Fatalf("after %d evaluations it says %+v", spent, p.Advice)
				}
				for _, x := range p.Xs() {
					m := measure(x)
					m.X = x
					q.Done = append(q.Done, m)
				}
			}
		})
	}
}

// What it costs to know is more sure with more evaluations, and never less than nothing.
func TestStandingSaysWhatItCosts(t *testing.T) {
	if testing.Short() {
		t.Skip("computes for long, in no other way than shorter tests")
	}
	w := Wishes{Weights: map[string]float64{"t0": 1, "t1": 1}}
	near := best(w)
	near[0] -= 0.1
	s, err := StandingOf(t.Context(), settling(t, 10, near, w))
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s; %+v", s, s.Costs)
	if s.Best < 0 || s.Best > 1 || s.Better < 0 || s.Better > 1 || len(s.Rival) != 3 {
		t.Errorf("a pick stands as %+v, expected probabilities and a rival", s)
	}
	if s.Decided() {
		t.Fatalf("the pick stands decided (%.2f): the test needs one that does not", s.Best)
	}
	if len(s.Costs) < 3 {
		t.Fatalf("costs %v", s.Costs)
	}
	first, last := s.Costs[0], s.Costs[len(s.Costs)-1]
	if first.Evaluations != 1 || last.Settles+last.Ends < first.Settles+first.Ends || last.Settles+last.Ends > 1+1e-9 {
		t.Errorf("from %+v to %+v", first, last)
	}
	if n, chance := s.Worth(); n < 0 || n > last.Evaluations || n > 0 && chance < hopeless {
		t.Errorf("%d more evaluations, with probability %g", n, chance)
	}
	// What it would cost is no matter of what the budget leaves.
	q := settling(t, 10, near, w)
	for _, budget := range []int{len(q.Done), len(q.Done) + 1, len(q.Done) + 50} {
		q.Budget = budget
		if other, err := StandingOf(t.Context(), q); err != nil || other.String() != s.String() {
			t.Errorf("with a budget of %d: %v (%v), without %s", budget, other, err, s)
		}
	}
}

// The words of a standing and what is worth asking for are one.
func TestWordsOfAStanding(t *testing.T) {
	for _, c := range []struct {
		costs []Cost
		worth int
		words string
	}{
		{[]Cost{{1, 0.6, 0}, {2, 0.9, 0}}, 1, "probability 0.70; about 1 more evaluation decides it"},
		{[]Cost{{1, 0, 0}, {8, 0.3, 0.3}, {32, 0.4, 0.4}}, 8, "; about 8 more evaluations decide it"},
		{[]Cost{{1, 0, 0}, {32, 0.2, 0.26}}, 32, "; 32 more evaluations decide it with probability 0.46"},
		{[]Cost{{1, 0, 0}, {32, 0.02, 0}}, 0, "hardly any number of evaluations would tell"},
		{nil, 0, "hardly any number of evaluations would tell"},
	} {
		s := Standing{Best: 0.7, Costs: c.costs}
		if n, _ := s.Worth(); n != c.worth || !strings.Contains(s.String(), c.words) {
			t.Errorf("%v: %d and %q, want %d and %q", c.costs, n, s.String(), c.worth, c.words)
		}
	}
}

// collapsing is two models whose tasks are bumps, of which the first collapses where both coefficients together are large.
func collapsing(x []float64) Point {
	bump := func(a, b float64) float64 {
		return 0.1 + 0.8*math.Exp(-((x[0]-a)*(x[0]-a)+(x[1]-b)*(x[1]-b))/0.64)
	}
	math, code := bump(0.9, 0.3), bump(0.3, 0.9)
	if x[0]+x[1] > 1.35 {
		math = 0.02
	}
	return Point{X: x, Y: []Measurement{{Value: math}, {Value: code}}}
}

// A knee beside a cliff is held against what there may be this side of it and beyond, and not against a blend of both: a
// task that is as likely broken as whole is the one or the other, and never better than whole. What is not the knee is
// beaten by what is, and the rival that is named is believed, and truly better.
func TestSettleBesideACliff(t *testing.T) {
	if testing.Short() {
		t.Skip("computes for long, in no other way than shorter tests")
	}
	g := game{space: box(2, 0, 1.2), tasks: rates(2), budget: 40, batch: 4, seed: 1, measure: collapsing}
	done, _ := g.play(t, adaptive{})
	q := Question{Space: g.space, Tasks: g.tasks, Done: done, Asked: len(done), N: 4, Seed: 1}
	l, err := Fit(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	balance := &Balance{Worst: map[string]float64{"t0": 0.44, "t1": 0.44}, Best: map[string]float64{"t0": 0.9, "t1": 0.9}}
	product := func(math, code float64) float64 { return max(math-0.44, 0) * max(code-0.44, 0) }
	gain := func(x []float64) float64 { return product(collapsing(x).Y[0].Value, collapsing(x).Y[1].Value) }
	front, err := l.Front(t.Context(), 100)
	if err != nil {
		t.Fatal(err)
	}
	knee := slices.MaxFunc(front, func(a, b []float64) int {
		return cmp.Compare(product(l.Surrogate(0).Mean(nil, a), l.Surrogate(1).Mean(nil, a)), product(l.Surrogate(0).Mean(nil, b), l.Surrogate(1).Mean(nil, b)))
	})
	for _, c := range []struct {
		pick    []float64
		settled bool
	}{
		{knee, true},
		{[]float64{0.75, 0.45}, false},
		{[]float64{0.55, 0.76}, false}, // at the edge
		{[]float64{0.2, 0.2}, false},
	} {
		q.Focus = &Focus{Pick: &Pick{Name: "mine", X: c.pick, Balance: balance}}
		s, err := StandingOf(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%v: %s; %v with %.2f", c.pick, s, s.Rival, s.Better)
		switch {
		case c.settled && s.Best < Sure:
			t.Errorf("%v, which is the best, is so with probability %.2f", c.pick, s.Best)
		case c.settled:
		case s.Best > 1-Sure || !s.Decided():
			t.Errorf("%v, which is not the best, is so with probability %.2f, and %v better with %.2f", c.pick, s.Best, s.Rival, s.Better)
		case !l.Believed(s.Rival) || gain(s.Rival) < 0.9*gain([]float64{0.6, 0.6}):
			t.Errorf("%v is named in place of %v: believed %v, a product of gains of %.3f where %.3f can be had",
				s.Rival, c.pick, l.Believed(s.Rival), gain(s.Rival), gain([]float64{0.6, 0.6}))
		}
	}
}

// That some rival is better does not end anything before one can be named that is so more likely than not.
func TestBeatenByWhatCanBeNamed(t *testing.T) {
	for _, c := range []struct {
		best, better float64
		decided      bool
	}{{0.04, 0.24, false}, {0.04, 0.6, true}, {0.2, 0.8, false}, {0.96, 0.01, true}} {
		if s := (Standing{Best: c.best, Better: c.better}); s.Decided() != c.decided {
			t.Errorf("best with %.2f, and a rival better with %.2f: decided %v, expected %v", c.best, c.better, s.Decided(), c.decided)
		}
	}
}

// A rival of a pick that nobody has chosen by a wish has to be better on every task; of a knee the balance counts.
func TestRivalsWithoutWishes(t *testing.T) {
	x := []float64{0.7, 0.2, 0.2}
	plain, err := StandingOf(t.Context(), settling(t, 24, x, Wishes{}))
	if err != nil {
		t.Fatal(err)
	}
	q := settling(t, 24, x, Wishes{})
	ends := func(v float64) map[string]float64 { return map[string]float64{"t0": v, "t1": v, "t2": v} }
	q.Focus.Pick.Balance = &Balance{Worst: ends(0.2), Best: ends(0.8)}
	knee, err := StandingOf(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%.3f by every task, %.3f by balance", plain.Best, knee.Best)
	if knee.Best > 0.05 || plain.Best < 0.5 {
		t.Errorf("%.3f by balance, expected to be beaten; %.3f by every task, expected not to be", knee.Best, plain.Best)
	}
}

// The noise of measurements is found from what surrogates leave at the points.
func TestNoiseOfASurrogate(t *testing.T) {
	q := settling(t, 40, []float64{0, 0, 0}, Wishes{})
	rng := generator(1, 2)
	const noise = 0.02
	for i := range q.Done {
		for k := range q.Done[i].Y {
			q.Done[i].Y[k].Value += noise * rng.NormFloat64()
		}
	}
	for i := range q.Tasks {
		q.Tasks[i].Link = "identity"
	}
	l, err := Fit(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	for i := range q.Tasks {
		if sd := math.Sqrt(l.noise(i, l.worked)); sd < noise/2.5 || sd > noise*2.5 {
			t.Errorf("task %d: %.4f, expected about %g", i, sd, noise)
		}
	}
}

// A rival keeps a floor as surely as the pick does that was chosen under it: with the probability that the floor asks for. At
// the edge, where a prediction just keeps it, there is always a merge that is better on the rest: a floor that asks for no
// probability, of a rival, is kept as surely by both.
func TestRivalsKeepFloorsAsThePickDoes(t *testing.T) {
	q := settling(t, 14, nil, Wishes{})
	for i := range q.Done {
		for k := range q.Done[i].Y {
			q.Done[i].Y[k].N = 300 // noise, so that intervals are wider than nothing
		}
	}
	l, err := Fit(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	f := Floor{Task: "t0", Least: true, Value: 0.6, Sure: FloorSure}
	var pick []float64
	top := 0.0
	for i := range 4096 {
		x := []float64{float64(i%16) * 0.08, float64(i/16%16) * 0.08, float64(i/256) * 0.08}
		if v := l.Surrogate(1).Mean(nil, x); v > top && l.Believed(x) && Kept(l.Surrogate(0), f, x) >= FloorSure {
			pick, top = x, v
		}
	}
	q.Focus = &Focus{Wishes: Wishes{Floors: []Floor{f}, Weights: map[string]float64{"t1": 1}}, Pick: &Pick{Name: "mine", X: pick}}
	s, err := StandingOf(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	if kept := Kept(l.Surrogate(0), f, s.Rival); s.Better > 0 && kept < FloorSure {
		t.Errorf("%v keeps the floor with probability %.2f and is called better with probability %.2f", s.Rival, kept, s.Better)
	}
	f.Sure = 0 // of a rival: who keeps it as surely as pick asks is held against those that do
	q.Focus.Wishes.Floors = []Floor{f}
	edge, err := StandingOf(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("best with probability %.2f; under a rival's floor %.2f", s.Best, edge.Best)
	if math.Abs(edge.Best-s.Best) > 0.2 {
		t.Errorf("the pick is the best with probability %.2f, and under the same floor of a rival %.2f: expected about as much", s.Best, edge.Best)
	}
}
