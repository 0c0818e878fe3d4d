package surrogate

import (
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"
)

// Nine of ten more measurements lie in their intervals, of few items and of many, and what is true does by quantiles.
func TestIntervalsHoldTheNextMeasurement(t *testing.T) {
	for _, items := range []int{20, 100, 2000} {
		inside, below, cases := 0, 0, 0
		for seed := range uint64(6) {
			s, _ := fit(t, Choice{}, sampled(40, 3, seed, items, bowl))
			r := rand.New(rand.NewPCG(seed, 9))
			for range 60 {
				x := []float64{r.Float64(), r.Float64(), r.Float64()}
				truth := bowl(x)
				k := distuv.Binomial{N: float64(items), P: truth, Src: r}.Rand()
				lo, hi := s.Interval(x, 0.9)
				if v := k / float64(items); lo <= v && v <= hi {
					inside++
				}
				if truth < s.Quantile(x, 0.05) {
					below++
				}
				cases++
			}
		}
		if share := float64(inside) / float64(cases); share < 0.86 || share > 0.99 {
			t.Errorf("%d items: %.3f of measurements are inside, want about .9", items, share)
		}
		if share := float64(below) / float64(cases); share > 0.08 {
			t.Errorf("%d items: the truth is below its 5 %% quantile in %.3f of cases", items, share)
		}
	}
}

// Quantiles of what breaks: the level of what is broken as far as that is likely, and what holds above it.
func TestQuantilesAscend(t *testing.T) {
	for name, d := range map[string]Data{"smooth": sampled(30, 2, 1, 200, bowl), "losses": exponential(30)} {
		s, _ := fit(t, Choice{}, d)
		for _, x := range [][]float64{d.X[0], d.X[7], {0.3, 0.9}} {
			before := math.Inf(-1)
			for _, p := range []float64{0.01, 0.2, 0.5, 0.8, 0.99} {
				v := s.Quantile(x, p)
				if !(v > before) {
					t.Errorf("%s: the %g quantile is %g, that before it is %g", name, p, v, before)
				}
				before = v
			}
			if v, m := s.Quantile(x, 0.5), s.Mean(nil, x); math.Abs(v-m) > 1e-9 {
				t.Errorf("%s: the median is %g, the prediction %g", name, v, m)
			}
		}
	}
}

// exponential are losses of two coefficients with known standard errors.
func exponential(n int) Data {
	r := rand.New(rand.NewPCG(4, 4))
	d := Data{Lo: []float64{0, 0}, Hi: []float64{1, 1}, Link: Log}
	for range n {
		x := []float64{r.Float64(), r.Float64()}
		v := math.Exp(x[0]*x[0] - x[1])
		d.X, d.Y, d.Stderr = append(d.X, x), append(d.Y, v*(1+0.01*r.NormFloat64())), append(d.Stderr, 0.01*v)
	}
	return d
}

// Held-out errors widen, never narrow, and few of them only a little.
func TestCalibration(t *testing.T) {
	same := filled
	for _, c := range []struct {
		errors []float64
		lo, hi float64
	}{
		{same(40, 0.5), 1, 1},
		{same(40, 1.645), 1, 1.001},
		{same(40, 3.29), 1.7, 2},
		{same(5, 3.29), 1.2, 1.3},
		{nil, 1, 1},
	} {
		if v := calibration(c.errors, math.Inf(1)); v < c.lo || v > c.hi {
			t.Errorf("%d errors of so many standard deviations widen by %.3f, want %g to %g", len(c.errors), v, c.lo, c.hi)
		}
	}
}

func TestStudentQuantile(t *testing.T) {
	for _, dof := range []float64{1, 3, 5, 9, 40, 1000} {
		for _, level := range []float64{0, 0.5, 0.9, 0.98} {
			want := distuv.StudentsT{Sigma: 1, Nu: dof}.Quantile(0.5 + level/2)
			if got := studentQuantile(level, dof); math.Abs(got-want) > 0.01*want+1e-9 {
				t.Errorf("level %g, %g degrees of freedom: %.4f, want %.4f", level, dof, got, want)
			}
		}
	}
}
