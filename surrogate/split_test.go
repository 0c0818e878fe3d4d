package surrogate

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// One measurement that diverged must not ruin the fit to the others: predictions everywhere are what they are
// without it, and it is named.
func TestOneDivergedMeasurementIsFittedApart(t *testing.T) {
	smooth := func(x []float64) float64 { return 2 + (x[1]-0.6)*(x[1]-0.6) + 0.3*x[0] }
	for _, c := range []struct {
		link Link
		ends End
		bad  []float64
	}{
		{Log, "", []float64{5000, 1e5, 1e15, 1e300}},
		{Log, Low, []float64{1e-9}},
		{Identity, "", []float64{5000, -1e6, 1e300}},
		{Identity, High, []float64{5000}},
	} {
		for _, kind := range []Kind{KindAuto, KindGP, KindQuadratic} {
			for _, bad := range c.bad {
				for seed := range uint64(3) {
					d := sampled(16, 2, seed, 0, smooth)
					d.Link, d.Breaks, d.N = c.link, c.ends, nil
					d.Y[3] = bad
					s, trust := fit(t, Choice{Kind: kind}, d)
					if !slices.Equal(trust.Apart, []int{3}) || trust.Q2 < 0.97 || trust.Flagged || trust.Cliff || trust.N != 15 || len(trust.LOO) != 16 {
						t.Errorf("%s, %s, %g: %+v, want measurement 3 fitted apart and a Q² of .97", c.link, kind, bad, trust)
					}
					for _, x := range sampled(50, 2, 9, 0, smooth).X {
						if m, _ := s.Predict(x); math.Abs(m-smooth(x)) > 0.1 {
							t.Errorf("%s, %s, %g: %g is predicted where %g is true", c.link, kind, bad, m, smooth(x))
						}
					}
				}
			}
		}
	}
}

// What reads better than all others is no stray: it may be the only merge that works.
func TestTheOnlyMergeThatWorksIsNotFittedApart(t *testing.T) {
	d := sampled(12, 2, 1, 450, func([]float64) float64 { return 0.01 })
	d.Y[5] = 0.9
	if _, trust := fit(t, Choice{}, d); len(trust.Apart) > 0 {
		t.Errorf("%v are fitted apart, want none", trust.Apart)
	}
}

// Nothing of a smooth metric is fitted apart.
func TestSmoothMetricsAreFittedWhole(t *testing.T) {
	for _, n := range []int{8, 16, 30, 60} {
		for seed := range uint64(10) {
			if _, trust := fit(t, Choice{}, sampled(n, 3, seed, 450, bowl)); len(trust.Apart) > 0 {
				t.Errorf("n %d, seed %d: %v are fitted apart, want none", n, seed, trust.Apart)
			}
		}
	}
}

func brokenSample(t *testing.T, n int) (Surrogate, Trust) {
	t.Helper()
	return fit(t, Choice{}, sampled(n, 2, 4, 450, func(x []float64) float64 {
		if x[0]+x[1] > 1.2 {
			return 0.02
		}
		return bowl(x)
	}))
}

// Beyond an edge the floor is predicted, this side of it what holds, and between them both are in the interval.
func TestAMetricThatBreaks(t *testing.T) {
	s, trust := brokenSample(t, 40)
	if len(trust.Apart) == 0 || !trust.Cliff {
		t.Fatalf("%+v, want a cliff with what fell down it fitted apart", trust)
	}
	for _, c := range []struct {
		x            []float64
		least, most  float64 // of the chance that it is broken
		lower, upper float64 // of the mean
	}{{[]float64{0.3, 0.3}, 0, 0.1, bowl([]float64{0.3, 0.3}) - 0.06, 1}, {[]float64{1, 1}, 0.9, 1, 0, 0.1}} {
		chance, _ := s.Broken(c.x)
		if m, _ := s.Predict(c.x); chance < c.least || chance > c.most || m < c.lower || m > c.upper {
			t.Errorf("at %v: %g, broken with probability %g", c.x, m, chance)
		}
	}
	lo, hi := s.Interval([]float64{0.6, 0.6}, 0.9)
	if lo > 0.02 || hi < 0.5 {
		t.Errorf("on the edge the interval is [%g, %g], want both what is broken and what holds in it", lo, hi)
	}
}

func TestGradientsAndJointOfAMetricThatBreaks(t *testing.T) {
	s, _ := brokenSample(t, 40)
	rng := rand.New(rand.NewPCG(1, 1))
	const h = 1e-6
	for range 30 {
		x := []float64{rng.Float64(), rng.Float64()}
		mean, std, alone := make([]float64, 2), make([]float64, 2), make([]float64, 2)
		s.Gradient(mean, std, x)
		s.Mean(alone, x)
		for i := range x {
			up, down := slices.Clone(x), slices.Clone(x)
			up[i], down[i] = x[i]+h, x[i]-h
			m1, s1 := s.Predict(up)
			m0, s0 := s.Predict(down)
			if dm := (m1 - m0) / (2 * h); math.Abs(dm-mean[i]) > 1e-4*(1+math.Abs(dm)) || math.Abs(dm-alone[i]) > 1e-4*(1+math.Abs(dm)) {
				t.Errorf("at %v: the mean's slope is %g, Gradient says %g and Mean %g", x, dm, mean[i], alone[i])
			}
			if ds := (s1 - s0) / (2 * h); math.Abs(ds-std[i]) > 1e-3*(1+math.Abs(ds)) {
				t.Errorf("at %v: the deviation's slope is %g, Gradient says %g", x, ds, std[i])
			}
		}
		m, sd := s.Predict(x)
		means, cov := s.Joint([][]float64{x, {0.2, 0.9}})
		if math.Abs(means[0]-m) > 1e-9 || math.Abs(cov.At(0, 0)-sd*sd) > 1e-9 {
			t.Errorf("at %v: Joint says %g, %g, want %g, %g", x, means[0], cov.At(0, 0), m, sd*sd)
		}
		if c := cov.At(0, 1); c*c > cov.At(0, 0)*cov.At(1, 1)*(1+1e-9) {
			t.Errorf("at %v: a covariance of %g with variances %g and %g", x, c, cov.At(0, 0), cov.At(1, 1))
		}
	}
}

// A draw is broken or whole: on the edge as often the one as Broken says, and in none of them better than what holds; what
// lies side by side is mostly broken together.
func TestDrawsOfAMetricThatBreaks(t *testing.T) {
	s, _ := brokenSample(t, 40)
	var xs [][]float64
	for i := range 13 {
		xs = append(xs, []float64{0.3 + 0.05*float64(i), 0.3 + 0.05*float64(i)}, []float64{0.3 + 0.05*float64(i), 0.301 + 0.05*float64(i)})
	}
	const n = 2000
	rng := rand.New(rand.NewPCG(1, 1))
	draws := s.Draws(xs, n, 1, rng.NormFloat64)
	down := func(i, j int) bool { return draws.At(i, j) < 0.1 }
	for j, x := range xs {
		chance, std := s.Broken(x)
		broken, apart, sum, most := 0, 0, 0.0, 0.0
		for i := range n {
			if v := draws.At(i, j); down(i, j) {
				broken++
			} else {
				most = max(most, v)
			}
			if down(i, j) != down(i, j^1) {
				apart++
			}
			sum += draws.At(i, j)
		}
		if share := float64(broken) / n; math.Abs(share-chance) > 0.04 {
			t.Errorf("at %v broken in %.3f of the draws, by Broken with probability %.3f", x, share, chance)
		}
		if m := s.Mean(nil, x); math.Abs(sum/n-m) > 0.04 {
			t.Errorf("at %v the draws have the mean %.3f, Mean says %.3f", x, sum/n, m)
		}
		if holds := bowl(x) + 0.05 + 5*std; most > holds {
			t.Errorf("at %v a draw has %.3f, more than the %.3f that may hold", x, most, holds)
		}
		if float64(apart)/n > 0.1 {
			t.Errorf("at %v and beside it one is broken and the other whole in %.2f of the draws", x, float64(apart)/n)
		}
	}
}

// A smooth metric of one coefficient of which the search asked for 0 again and again has a crowd of values at its
// end: one function fits them all.
func TestACrowdThatTheSearchMadeIsNotFittedApart(t *testing.T) {
	d := sampled(24, 1, 1, 0, func(x []float64) float64 { return x[0] })
	for i, x := range d.X {
		if i%4 == 0 {
			x[0] = 0
		} else {
			x[0] = 0.4 + x[0]/2
		}
		d.Y[i] = 1 / (1 + math.Exp(1.5-3*x[0]))
	}
	if _, trust := fit(t, Choice{}, d); len(trust.Apart) > 0 {
		t.Errorf("%v are fitted apart, want none", trust.Apart)
	}
}
