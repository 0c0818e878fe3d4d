package search

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"
)

// surrogateStrategies are those that fit before they ask.
var surrogateStrategies = []string{"adaptive", "ehvi", "bayesian", "map", "design"}

func TestSurrogateStrategiesHoldInEveryShape(t *testing.T) {
	sick := map[string]func(Point, int) Point{
		"well": func(p Point, _ int) Point { return p },
		"every third fails": func(p Point, n int) Point {
			if n%3 == 1 {
				return Point{Failed: true, Y: make([]Measurement, len(p.Y))}
			}
			return p
		},
		"a NaN in a corner": func(p Point, _ int) Point {
			if p.Y[0].Value > 0.6 {
				p.Y[0].Value = math.NaN()
			}
			return p
		},
		"all fail":             func(Point, int) Point { return Point{Failed: true} },
		"one never measured":   func(p Point, _ int) Point { p.Y[1].Value = math.NaN(); return p },
		"one that is constant": func(p Point, _ int) Point { p.Y[1].Value = 0.5; return p },
	}
	for _, name := range surrogateStrategies {
		for shape, space := range shapes() {
			for illness, hurt := range sick {
				t.Run(name+"/"+shape+"/"+illness, func(t *testing.T) {
					t.Parallel()
					n := 0
					g := game{space: space, tasks: rates(2), budget: 20, batch: 6, seed: 7, measure: func(x []float64) Point {
						n++
						return hurt(slopes(2)(x), n)
					}}
					done, stop := g.play(t, strategyOf(t, name, nil))
					if len(done) != 20 {
						t.Errorf("stopped after %d of 20 points: %s", len(done), stop)
					}
				})
			}
		}
	}
}

func TestSurrogateStrategiesRememberNothing(t *testing.T) {
	for _, name := range surrogateStrategies {
		t.Run(name, func(t *testing.T) {
			g := game{space: box(2, 0, 1.2), tasks: rates(2), budget: 20, batch: 3, seed: 3, measure: measure}
			s := strategyOf(t, name, nil)
			var asked []Question
			var answers []string
			_, _ = g.play(t, recorder{s, &asked, &answers})
			for i := len(asked) - 1; i >= 0; i-- {
				p, err := strategyOf(t, name, nil).Ask(context.Background(), asked[i])
				if got := fmt.Sprint(p, err); got != answers[i] {
					t.Errorf("batch %d: %s, was %s", i, got, answers[i])
				}
			}
		})
	}
}

// Points asked for by persons, batches of any size, and a budget raised later are no trouble.
func TestDesignGoesOnFromWhatIsThere(t *testing.T) {
	space := box(3, 0, 1.2)
	q := Question{Space: space, Tasks: rates(3), N: 64, Budget: 5, Seed: 1}
	p, err := design{}.Ask(context.Background(), q)
	if err != nil || len(p.X) != 5 {
		t.Fatalf("%d points, %v: a budget of 5 was to be spent", len(p.X), err)
	}
	for _, x := range p.X {
		q.Done = append(q.Done, Point{X: x, Failed: true})
	}
	q.Done = append(q.Done, Point{X: []float64{0.5, 0.5, 0.5}, Batch: -1, Failed: true})
	q.Asked, q.Budget, q.N = 5, 30, 1
	if p, err = (design{}).Ask(context.Background(), q); err != nil || len(p.X) != 1 {
		t.Fatalf("%d points, %v", len(p.X), err)
	}
	if slices.ContainsFunc(q.taken(), func(x []float64) bool { return space.Gap(x, p.X[0]) < sameGap }) {
		t.Errorf("%v is there already", p.X[0])
	}
}

func TestAdaptiveStopsWhenThereIsLittleToGain(t *testing.T) {
	g := game{space: box(2, 0, 1.2), tasks: rates(2), budget: 100, batch: 4, seed: 1, measure: measure}
	done, stop := g.play(t, strategyOf(t, "adaptive", map[string]any{"enough": 0.02}))
	if len(done) >= 100 || stop == "" {
		t.Errorf("spent %d of 100 trials, said %q", len(done), stop)
	}
	t.Log(len(done), stop)
}

func TestUnknownStrategyNamesTheNearest(t *testing.T) {
	for name, code := range map[string]Code{"adptive": UnknownStrategy, "nothing like it at all": UnknownStrategy} {
		var e *Error
		if _, err := New(name, nil); !errors.As(err, &e) || e.Code != code {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := New("", nil); err != nil {
		t.Error(err)
	}
	for _, i := range Strategies() {
		if _, err := New(i.Name, nil); err != nil {
			t.Errorf("%s: %v", i.Name, err)
		}
		if i.Line == "" || i.Paper == "" {
			t.Errorf("%s has no line or no paper", i.Name)
		}
	}
}

func BenchmarkAdaptiveAsk(b *testing.B) {
	for _, c := range []struct{ d, n int }{{4, 40}, {8, 100}, {8, 300}} {
		b.Run(fmt.Sprintf("%dmodels/%dtrials", c.d, c.n), func(b *testing.B) {
			space := box(c.d, 0, 1.2)
			q := Question{Space: space, Tasks: rates(c.d), N: 4, Seed: 1}
			for _, x := range newRegion(space).spread(c.n, 1) {
				q.Done = append(q.Done, measure(x))
			}
			for b.Loop() {
				if _, err := (adaptive{}).Ask(context.Background(), q); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
