package search

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"parfait/surrogate"
)

// Points asked for by persons, batches of any size, and a budget raised later are no trouble.
func TestDesignGoesOnFromWhatIsThere(t *testing.T) {
	space := box(3, 0, 1.2)
	q := Question{Space: space, Tasks: rates(3), N: 64, Budget: 5, Seed: 1}
	s := strategyOf(t, "design", nil)
	p, err := s.Ask(context.Background(), q)
	if err != nil || len(p.Points) != 5 {
		t.Fatalf("%d points, %v: a budget of 5 was to be spent", len(p.Points), err)
	}
	for _, x := range p.Xs() {
		q.Done = append(q.Done, Point{X: x, Failed: true})
	}
	q.Done = append(q.Done, Point{X: []float64{0.5, 0.5, 0.5}, Batch: -1, Failed: true})
	q.Asked, q.Budget, q.N = 5, 30, 1
	if p, err = s.Ask(context.Background(), q); err != nil || len(p.Points) != 1 {
		t.Fatalf("%d points, %v", len(p.Points), err)
	}
	if slices.ContainsFunc(q.taken(), func(x []float64) bool { return space.Gap(x, p.Points[0].X) < sameGap }) {
		t.Errorf("%v is there already", p.Points[0].X)
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
	for _, c := range []struct{ d, n int }{{4, 40}, {8, 100}, {8, 300}, {16, 100}} {
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

// Where points are asked for one by one, explore is a share of them all, and what explores ends no search.
func TestAdaptiveExploresPointByPoint(t *testing.T) {
	g := game{space: box(2, 0, 1.2), tasks: rates(2), budget: 30, slots: 2, seed: 1, measure: measure}
	g.fits.Kind = surrogate.KindGP // a quadratic knows these hills after a dozen points, and nothing is left to gain
	explored, asked := 0, 0
	s := strategyOf(t, "adaptive", map[string]any{"explore": 0.25, "enough": 1e-6})
	done, stop := g.play(t, watched{s, func(p Proposal) {
		for _, point := range p.Points {
			if strings.HasPrefix(point.Why, "least certain") {
				asked++
				if strings.HasPrefix(point.Why, "least certain in the whole region") {
					explored++
				}
			}
		}
	}})
	if len(done) != 30 || asked < 15 || explored < asked/4-1 || explored > asked/4+2 {
		t.Errorf("%d of %d points explore, expected a quarter; %d trials: %s", explored, asked, len(done), stop)
	}
}

type watched struct {
	Strategy
	see func(Proposal)
}

func (w watched) Ask(ctx context.Context, q Question) (Proposal, error) {
	p, err := w.Strategy.Ask(ctx, q)
	w.see(p)
	return p, err
}
