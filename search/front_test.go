package search

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"gonum.org/v1/gonum/mat"
)

// hilly is what hills look like after n trials of the adaptive strategy.
func hilly(t testing.TB, d, n int) *Landscape {
	t.Helper()
	s, err := New("adaptive", nil)
	if err != nil {
		t.Fatal(err)
	}
	points, _ := game{space: box(d, 0, 1.2), tasks: rates(d), budget: n, batch: 4, seed: 1, measure: measure}.play(t, s)
	l, err := Fit(t.Context(), Question{Space: box(d, 0, 1.2), Tasks: rates(d), Done: points})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// Most of a front is where nobody ships. A good part of the points stands where every task is about as good as in the
// uniform average, or better, and the best of every task is there too.
func TestFrontIsWherePeopleShip(t *testing.T) {
	for _, d := range []int{3, 5} {
		t.Run(fmt.Sprint(d), func(t *testing.T) {
			l := hilly(t, d, 24)
			const n = 150
			xs, err := l.Front(t.Context(), n)
			if err != nil || len(xs) < n*2/3 || len(xs) > n {
				t.Fatalf("%d points of %d: %v", len(xs), n, err)
			}
			even, err := l.front(t.Context(), n, l.doubt)
			if err != nil {
				t.Fatal(err)
			}
			refs := l.worthBeating()
			if len(refs) != 2 {
				t.Fatalf("worth beating: %v, want the average and the base", refs)
			}
			var fs [][]float64
			for _, x := range xs {
				fs = append(fs, l.at(x))
			}
			ref := l.below(refs[0].X, ideal(fs, l.ref), shownBelow)
			worth := func(xs [][]float64) (n int) {
				for _, x := range xs {
					if weaklyDominates(l.at(x), ref) {
						n++
					}
				}
				return n
			}
			if got, before := worth(xs), worth(even); got < n/8 || got < before {
				t.Errorf("%d points of %d are about as good as the average or better; of an even spread %d", got, n, before)
			}
			best := func(xs [][]float64, k int) float64 {
				least := l.at(xs[0])[k]
				for _, x := range xs {
					least = min(least, l.at(x)[k])
				}
				return least
			}
			for k := range d {
				if a, b := best(xs, k), best(even, k); a > b+0.01 {
					t.Errorf("the best of task %d is %.3f, of an even spread %.3f", k, -a, -b)
				}
			}
		})
	}
}

// No reference is left behind: of what the front has above each of them, the points that are chosen have about the same share,
// and nearly all.
func TestFrontHasMuchOfEveryReference(t *testing.T) {
	l := hilly(t, 4, 24)
	chosen, err := l.worthHaving(t.Context(), 150, nil, nil)
	if err != nil || len(chosen) != 150 {
		t.Fatalf("%d points of 150: %v", len(chosen), err)
	}
	rays, err := l.newChebyshev(t.Context(), l.everywhere())
	if err == nil {
		err = rays.aim(3*wantedDirections, l.ref)
	}
	if err != nil {
		t.Fatal(err)
	}
	refs := [][]float64{l.ref}
	for _, p := range l.worthBeating() {
		refs = append(refs, l.below(p.X, rays.ideal(), shownBelow))
	}
	var shares []float64
	for _, ref := range refs {
		xs, fs, err := l.chebyshevFront(t.Context(), wantedDirections, ref)
		if err != nil {
			t.Fatal(err)
		}
		var taken []int
		for _, x := range chosen {
			taken = append(taken, len(xs))
			xs, fs = append(xs, x), append(fs, l.at(x))
		}
		c, err := above(t.Context(), fs, ref, taken)
		if err != nil || c.all == 0 {
			t.Fatalf("nothing lies above %v: %v", ref, err)
		}
		shares = append(shares, c.had/c.all)
	}
	if slices.Min(shares) < 0.8 || slices.Max(shares)-slices.Min(shares) > 0.15 {
		t.Errorf("150 points have %.3f of what lies above the reference of the search, the average and the base: at least .8, and about the same, is wanted", shares)
	}
}

// The reference lies below the average by a quarter of what can be gained, and by something where nothing can be.
func TestBelow(t *testing.T) {
	l := hilly(t, 3, 12)
	x := l.worthBeating()[0].X
	f := l.at(x)
	none, much := l.below(x, f, shownBelow), l.below(x, []float64{f[0] - 4, f[1], f[2]}, shownBelow)
	if !(none[1] > f[1]) {
		t.Errorf("below an average that nothing beats lies %v, of %v", none, f)
	}
	if d := much[0] - f[0]; d < 1-1e-9 {
		t.Errorf("with 4 to gain it lies %v lower, want at least 1", d)
	}
}

// A front of 300 points costs as much as so many predictions of all tasks with their gradients (predictions/op), whatever
// else the machine does meanwhile. Bars, on two quiet cores: 8 tasks in .5 s, 16 in 2 s, 8 of 64 coefficients in 10 s.
func BenchmarkFrontOfEightTasks(b *testing.B) { frontsOf(b, hilly(b, 8, 60)) }

func BenchmarkFrontUnderFloors(b *testing.B) {
	l := spread(b, 7, 7, 60)
	var floors []Floor
	for k, v := range l.at(l.worthBeating()[0].X) {
		floors = append(floors, Floor{Task: l.tasks[k].Name, Least: true, Value: -v - 0.02, Sure: FloorSure})
	}
	l, err := l.Under(floors)
	if err != nil {
		b.Fatal(err)
	}
	frontsOf(b, l)
}

func BenchmarkFrontOfSixteenTasks(b *testing.B) { frontsOf(b, spread(b, 16, 16, 100)) }

func BenchmarkFrontOfSixtyFourCoefficients(b *testing.B) { frontsOf(b, spread(b, 64, 8, 200)) }

func frontsOf(b *testing.B, l *Landscape) {
	b.Helper()
	jac, f := mat.NewDense(len(l.goals), len(l.space.Coefficients), nil), make([]float64, len(l.goals))
	xs := newRegion(l.space).spread(500, 1)
	var predictions, fronts time.Duration
	for b.Loop() {
		began := time.Now()
		for _, x := range xs {
			l.objectives(f, jac, x)
		}
		predictions += time.Since(began)
		if _, err := l.Front(b.Context(), 300); err != nil {
			b.Fatal(err)
		}
		fronts += time.Since(began)
	}
	fronts -= predictions
	b.ReportMetric(float64(len(xs))*float64(fronts)/float64(predictions), "predictions/op")
}

// spread is d coefficients and m smooth tasks, measured at n points all over the region.
func spread(t testing.TB, d, m, n int) *Landscape {
	t.Helper()
	q := Question{Space: box(d, 0, 1.2), Tasks: rates(m)}
	measured := slopes(m)
	for _, x := range newRegion(q.Space).spread(n, 1) {
		p := measured(x)
		p.X = x
		q.Done = append(q.Done, p)
	}
	l, err := Fit(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	return l
}
