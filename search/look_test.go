package search

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
)

// looking asks a strategy with a focus.
type looking struct {
	Strategy
	focus Focus
}

func (l looking) Ask(ctx context.Context, q Question) (Proposal, error) {
	q.Focus = &l.focus
	return l.Strategy.Ask(ctx, q)
}

// fulfilled is the best achievement of some points.
func fulfilled(t *testing.T, points []Point, w Wishes) float64 {
	t.Helper()
	n := len(points[0].Y)
	aim, err := NewAim(rates(n), w, make([]float64, n), slices.Repeat([]float64{1}, n))
	if err != nil {
		t.Fatal(err)
	}
	best := math.Inf(-1)
	for _, p := range points {
		y := make([]float64, n)
		for i, m := range p.Y {
			y[i] = m.Value
		}
		best = max(best, aim.Achievement(y))
	}
	return best
}

// Whoever wishes something has it measured sooner than along the front, whatever the wish is, and reads why.
func TestLookMeasuresWhatIsWished(t *testing.T) {
	g := game{space: box(6, 0, 1.2), tasks: rates(6), budget: 24, batch: 4, seed: 1, measure: measure}
	plain, _ := g.play(t, adaptive{})
	for name, w := range map[string]Wishes{
		"aspirations": {Aspire: map[string]float64{"t0": 0.8, "t2": 0.8, "t5": 0.8}},
		"weights":     {Weights: map[string]float64{"t1": 1, "t3": 2, "t4": 1}},
		"floors":      {Floors: []Floor{{Task: "t0", Least: true, Value: 0.6}, {Task: "t1", Least: true, Value: 0.6}}, Weights: map[string]float64{"t2": 1}},
	} {
		looked, _ := g.play(t, looking{adaptive{}, Focus{Wishes: w}})
		had, has := fulfilled(t, plain, w), fulfilled(t, looked, w)
		t.Logf("%s: %.4f along the front, %.4f where it was wished", name, had, has)
		if !(has > had) {
			t.Errorf("%s: the best measured has %.4f, and %.4f without the wish", name, has, had)
		}
	}
	w := Wishes{Floors: []Floor{{Task: "t0", Least: true, Value: 0.6}}, Weights: map[string]float64{"t2": 1}}
	q := Question{Space: g.space, Tasks: g.tasks, Done: plain, N: 3, Seed: 1, Focus: &Focus{Wishes: w}}
	p, err := strategyOf(t, "adaptive", nil).Ask(t.Context(), q)
	if err != nil || len(p.Points) != 3 {
		t.Fatalf("%d points, %v: expected 3", len(p.Points), err)
	}
	if why := p.Points[0].Why; !strings.HasPrefix(why, "looks for t0 ≥ .60, most t2: better than all that is measured with probability ") {
		t.Errorf("it says %q", why)
	}
}

// What cannot be told where to look says so, and who can.
func TestOnlySomeStrategiesLook(t *testing.T) {
	q := Question{Space: box(2, 0, 1), Tasks: rates(2), N: 1, Focus: &Focus{}}
	for _, info := range Strategies() {
		if info.Models > 2 {
			continue
		}
		_, err := strategyOf(t, info.Name, nil).Ask(t.Context(), q)
		var e *Error
		refused := errors.As(err, &e) && e.Code == BadQuestion
		if refused == info.Looks {
			t.Errorf("%s, looks %v: %v", info.Name, info.Looks, err)
		}
		if refused && !strings.Contains(err.Error(), "adaptive") {
			t.Errorf("%s does not say who can: %v", info.Name, err)
		}
	}
}

func TestWishesInWords(t *testing.T) {
	for _, c := range []struct {
		w    Wishes
		want string
	}{
		{Wishes{}, "the most of every task"},
		{Wishes{Aspire: map[string]float64{"b": 0.5, "a": 0.25}}, "a .25, b .50"},
		{Wishes{Floors: []Floor{{Task: "a", Least: true, Value: 0.9}, {Task: "b", Least: false, Value: 2}}, Weights: map[string]float64{"c": 1}}, "a ≥ .90, b ≤ 2, most c"},
		{Wishes{Weights: map[string]float64{"c": 1, "d": 2, "e": 0}}, "most c×1 + d×2"},
	} {
		if got := c.w.String(); got != c.want {
			t.Errorf("%q, expected %q", got, c.want)
		}
	}
}

// What settles a pick and what may be better are drawn as wide as held-out errors are.
func TestDrawsAreAsWideAsHeldOutErrors(t *testing.T) {
	q := settling(t, 14, nil, Wishes{})
	l, err := Fit(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	x, tasks, widened := []float64{0.4, 0.5, 0.3}, []int{0, 1, 2}, 0
	d, err := l.drawn(t.Context(), tasks, [][]float64{x}, 4000)
	if err != nil {
		t.Fatal(err)
	}
	for k := range tasks {
		var sum, square float64
		for s := range 4000 {
			v := d.values[k].At(s, 0)
			sum, square = sum+v, square+v*v
		}
		_, std := l.Surrogate(k).Predict(x)
		spread := l.Trust(k).Spread
		if sd := math.Sqrt(square/4000 - sum/4000*sum/4000); math.Abs(sd/(std*spread)-1) > 0.06 {
			t.Errorf("task %d: draws have a standard deviation of %.4f, expected %.4f, widened by %.2f", k, sd, std*spread, spread)
		}
		if spread > 1.1 {
			widened++
		}
	}
	if widened == 0 {
		t.Error("no task is widened, and nothing was tested")
	}
}
