package search

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"

	"parfait/evaluator"
	"parfait/evaluator/digits"
	"parfait/surrogate"
)

// game is a study without files: what a strategy is asked and what its points are worth.
type game struct {
	space   Space
	tasks   []Task
	budget  int
	batch   int
	slots   int // above 0: a point whenever fewer than so many are open, in place of batches
	seed    uint64
	measure func(x []float64) Point
	fits    surrogate.Choice
}

// tester is what tests of this package and of rapid have in common.
type tester interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

// play asks a strategy for batch after batch, each before the batch before it is finished, as a study
// does, or point after point, and holds every answer to the contract.
func (g game) play(t tester, s Strategy) (done []Point, stop string) {
	t.Helper()
	s = Hold(Info{Name: "tested"}, s)
	q := Question{Space: g.space, Tasks: g.tasks, N: g.batch, Budget: g.budget, Seed: g.seed, Surrogate: g.fits}
	if g.slots > 0 {
		q.N = 1
	}
	finish := func(n int) {
		for _, x := range q.Pending[:n] {
			point := g.measure(x)
			point.X, point.Batch = x, q.Batch-1
			q.Done = append(q.Done, point)
		}
		q.Pending = slices.Clone(q.Pending[n:])
	}
	for {
		p, err := s.Ask(context.Background(), q)
		if err != nil {
			t.Fatalf("batch %d: %v", q.Batch, err)
		}
		if g.slots == 0 || p.Stop != "" {
			finish(len(q.Pending))
		}
		if p.Stop != "" {
			return q.Done, p.Stop
		}
		q.Pending, q.Batch, q.Asked = append(q.Pending, p.Xs()...), q.Batch+1, q.Asked+len(p.Points)
		if g.slots > 0 && (p.Wait != "" || len(q.Pending) == g.slots) {
			finish(1)
		}
	}
}

func strategyOf(t testing.TB, name string, options map[string]any) Strategy {
	t.Helper()
	s, err := New(name, options)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// slopes measures as many tasks as asked for, smooth in the coefficients; a rate each.
func slopes(n int) func(x []float64) Point {
	return func(x []float64) Point {
		var p Point
		for t := range n {
			eta := 0.2
			for i, v := range x {
				eta += math.Cos(float64(3*i+5*t))*v - 0.4*v*v
			}
			p.Y = append(p.Y, Measurement{Value: 1 / (1 + math.Exp(-eta)), N: 400})
		}
		return p
	}
}

type recorder struct {
	Strategy
	asked   *[]Question
	answers *[]string
}

func (r recorder) Ask(ctx context.Context, q Question) (Proposal, error) {
	p, err := r.Strategy.Ask(ctx, q)
	q.Done, q.Pending = slices.Clone(q.Done), slices.Clone(q.Pending)
	*r.asked, *r.answers = append(*r.asked, q), append(*r.answers, fmt.Sprint(p, err))
	return p, err
}

func TestAskRefuses(t *testing.T) {
	parameters := Space{Coefficients: []Coefficient{{Name: "t", Lo: 0, Hi: 1, Kind: Parameter}}}
	for name, c := range map[string]struct {
		strategy string
		options  map[string]any
		space    Space
		code     Code
	}{
		"soups of nothing":         {"greedy", nil, parameters, BadQuestion},
		"pairs of nothing":         {"nested", nil, parameters, BadQuestion},
		"no coefficients":          {"direct", nil, Space{}, BadQuestion},
		"weights of another study": {"greedy", map[string]any{"weights": map[string]any{"gsm8k": 1}}, box(2, 0, 1), BadOption},
		"weights of a stranger":    {"evolution", map[string]any{"weights": map[string]any{"t0": 1, "t7": 2.5}}, box(2, 0, 1), BadOption},
		"nothing worth anything":   {"nested", map[string]any{"weights": map[string]any{"t0": 0, "t1": 0}}, box(2, 0, 1), BadOption},
		"no mapping":               {"nested", map[string]any{"weights": "t0"}, box(2, 0, 1), BadOption},
		"a negative weight":        {"greedy", map[string]any{"weights": map[string]any{"t0": -1}}, box(2, 0, 1), BadOption},
		"too few a pair":           {"nested", map[string]any{"pair": 3}, box(2, 0, 1), BadOption},
		"half an individual":       {"evolution", map[string]any{"population": 2.5}, box(2, 0, 1), BadOption},
		"another algorithm":        {"direct", map[string]any{"algorithm": "nsga2"}, box(2, 0, 1), BadOption},
		"an unknown option":        {"direct", map[string]any{"populaton": 8}, box(2, 0, 1), UnknownOption},
	} {
		s, err := New(c.strategy, c.options)
		if err == nil {
			_, err = s.Ask(context.Background(), Question{Space: c.space, Tasks: rates(2), N: 4, Budget: 20})
		}
		var e *Error
		if !errors.As(err, &e) || e.Code != c.code {
			t.Errorf("%s: %v, expected %s", name, err, c.code)
		}
	}
	for _, name := range []string{"evolution", "direct"} { // need no models
		g := game{space: parameters, tasks: rates(1), budget: 20, batch: 4, measure: slopes(1)}
		if done, stop := g.play(t, strategyOf(t, name, nil)); len(done) != 20 {
			t.Errorf("%s: %d of 20 points: %s", name, len(done), stop)
		}
	}
}

// digitsGame is merging n real networks, measured in memory.
func digitsGame(t testing.TB, n int) game {
	t.Helper()
	l, err := digits.NewLandscape(context.Background(), n)
	if err != nil {
		t.Fatal(err)
	}
	g := game{batch: 4, seed: 1}
	for _, name := range digits.Tasks(n) {
		g.space.Coefficients = append(g.space.Coefficients, Coefficient{Name: name, Model: name, Hi: 1.2, Kind: Scaling})
	}
	for _, name := range l.Tasks() {
		g.tasks = append(g.tasks, Task{Name: name, Link: surrogate.Logit, Maximize: true, Optimise: name != digits.Guard})
	}
	g.measure = func(x []float64) Point {
		p := Point{X: x}
		m := l.At(x, evaluator.Validation)
		for _, name := range l.Tasks() {
			p.Y = append(p.Y, Measurement{Value: m[name].Value, Stderr: m[name].Stderr, N: m[name].N})
		}
		return p
	}
	return g
}

// mean is over the optimised tasks.
func (g game) mean(p Point) float64 {
	sum, n := 0.0, 0.0
	for i, t := range g.tasks {
		if t.Optimise {
			sum, n = sum+p.Y[i].Value, n+1
		}
	}
	return sum / n
}

// worst is over the optimised tasks.
func (g game) worst(p Point) float64 {
	worst := math.Inf(1)
	for i, t := range g.tasks {
		if t.Optimise {
			worst = min(worst, p.Y[i].Value)
		}
	}
	return worst
}

// top is the best mean among points.
func (g game) top(points []Point) float64 {
	best := 0.0
	for _, p := range points {
		best = max(best, g.mean(p))
	}
	return best
}
