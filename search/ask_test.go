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
	seed    uint64
	measure func(x []float64) Point
}

// tester is what tests of this package and of rapid have in common.
type tester interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

// play asks a strategy for batch after batch, each before the batch before it is finished, as a study
// does, and holds every answer to the contract.
func (g game) play(t tester, s Strategy) (done []Point, stop string) {
	t.Helper()
	q := Question{Space: g.space, Tasks: g.tasks, N: g.batch, Budget: g.budget, Seed: g.seed}
	finish := func() {
		for _, x := range q.Pending {
			p := g.measure(x)
			p.X, p.Batch = x, q.Batch-1
			q.Done = append(q.Done, p)
		}
		q.Pending = nil
	}
	for {
		p, err := s.Ask(context.Background(), q)
		if err != nil {
			t.Fatal(err)
		}
		g.check(t, q, p)
		finish()
		if len(p.X) == 0 {
			return q.Done, p.Stop
		}
		q.Pending, q.Batch, q.Asked = p.X, q.Batch+1, q.Asked+len(p.X)
	}
}

// check holds one answer to the contract.
func (g game) check(t tester, q Question, p Proposal) {
	t.Helper()
	if len(p.X) != len(p.Why) || slices.Contains(p.Why, "") {
		t.Fatalf("batch %d: %d points with the reasons %q", q.Batch, len(p.X), p.Why)
	}
	if len(p.X) > g.batch || g.budget > 0 && q.Asked+len(p.X) > g.budget {
		t.Fatalf("batch %d: %d points, %d were asked for; %d of a budget of %d", q.Batch, len(p.X), g.batch, q.Asked+len(p.X), g.budget)
	}
	if len(p.X) == 0 && p.Stop == "" {
		t.Fatalf("batch %d: no points and no reason", q.Batch)
	}
	for i, x := range p.X {
		if !g.space.Bounds().Contains(x, 1e-9) {
			t.Fatalf("batch %d: %v is not in the space", q.Batch, x)
		}
		if slices.ContainsFunc(slices.Concat(q.taken(), p.X[:i]), func(y []float64) bool { return g.space.same(x, y) }) {
			t.Fatalf("batch %d: %v was asked for before", q.Batch, x)
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

// shapes are spaces of every kind that studies have.
func shapes() map[string]Space {
	model := func(name, group string, lo, hi float64) Coefficient {
		c := Coefficient{Name: name, Model: name, Group: group, Lo: lo, Hi: hi, Kind: Scaling}
		if group != "" {
			c.Name += "." + group
		}
		return c
	}
	param := Coefficient{Name: "density", Lo: 0.1, Hi: 0.9, Kind: Parameter}
	return map[string]Space{
		"one model":   box(1, 0, 1.2),
		"box":         box(3, 0, 1.2),
		"below zero":  box(4, -0.5, 1.5),
		"short":       {Coefficients: []Coefficient{model("a", "", 0, 0.7), model("b", "", 0.1, 0.4), model("c", "", 0, 1)}},
		"proportions": {Coefficients: []Coefficient{model("a", "", 0, 1), model("b", "", 0, 1), model("c", "", 0, 1), model("d", "", 0, 1)}, Simplex: [][]int{{0, 1, 2, 3}}},
		"groups":      {Coefficients: []Coefficient{model("a", "early", 0, 1.2), model("a", "late", 0, 1.2), model("b", "early", 0, 1), model("b", "late", 0, 1.2), param}},
		"group proportions": {
			Coefficients: []Coefficient{model("a", "early", 0, 1), model("b", "early", 0, 1), model("a", "late", 0, 1), model("b", "late", 0, 1), param},
			Simplex:      [][]int{{0, 1}, {2, 3}},
		},
	}
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

// The strategies that a question may be put to in any shape, and what tells their points from good ones.
func TestAskHoldsInEveryShape(t *testing.T) {
	strategies := map[string]map[string]any{"greedy": nil, "evolution": nil, "direct": nil, "nested": {"pair": 8}, "barrier": nil}
	sick := map[string]func(Point, int) Point{
		"well": func(p Point, _ int) Point { return p },
		"every third fails": func(p Point, n int) Point {
			if n%3 == 1 {
				return Point{Failed: true, Y: make([]Measurement, len(p.Y))}
			}
			return p
		},
		"a NaN in a corner": func(p Point, n int) Point {
			if p.Y[0].Value > 0.6 {
				p.Y[0].Value = math.NaN()
			}
			return p
		},
		"all fail": func(p Point, _ int) Point { return Point{Failed: true} },
	}
	for name, options := range strategies {
		for shape, space := range shapes() {
			if name == "barrier" && len(space.ingredients()) < 2 {
				continue
			}
			for illness, hurt := range sick {
				t.Run(name+"/"+shape+"/"+illness, func(t *testing.T) {
					for _, batch := range []int{2, 40} {
						n := 0
						g := game{space: space, tasks: rates(2), budget: 24, batch: batch, seed: 7, measure: func(x []float64) Point {
							n++
							return hurt(slopes(2)(x), n)
						}}
						done, stop := g.play(t, strategyOf(t, name, options))
						if len(done) < min(3, len(space.ingredients())) {
							t.Errorf("stopped after %d points: %s", len(done), stop)
						}
					}
				})
			}
		}
	}
}

// A question asked again in the middle of a study, by another process, is answered as it was.
func TestAskRemembersNothing(t *testing.T) {
	for _, name := range []string{"greedy", "evolution", "direct", "nested"} {
		g := game{space: box(3, 0, 1.2), tasks: rates(3), budget: 40, batch: 4, seed: 3, measure: measure}
		s := strategyOf(t, name, nil)
		var asked []Question
		var answers []string
		_, _ = g.play(t, recorder{s, &asked, &answers})
		for i := len(asked) - 1; i >= 0; i-- {
			p, err := strategyOf(t, name, nil).Ask(context.Background(), asked[i])
			if got := fmt.Sprint(p, err); got != answers[i] {
				t.Errorf("%s, batch %d: %s, was %s", name, i, got, answers[i])
			}
		}
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

func TestAskObeysItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for _, name := range []string{"evolution", "direct"} {
		_, err := strategyOf(t, name, nil).Ask(ctx, Question{Space: box(3, 0, 1), Tasks: rates(2), N: 4, Budget: 20})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", name, err)
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
