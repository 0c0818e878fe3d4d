package surrogate

import (
	"math"
	"testing"
)

// A plain quadratic with as many parameters as measurements goes through all of them: residuals of nothing
// must not be taken for a perfect fit.
func TestPlainThatInterpolatesIsFlagged(t *testing.T) {
	for _, n := range []int{6, 10} { // of 10 parameters
		d := sampled(n, 3, 1, 450, bowl)
		s, trust := fit(t, Choice{Kind: KindQuadratic, Plain: true}, d)
		if !trust.Flagged || trust.Q2 > 0.1 {
			t.Errorf("%d points: %+v", n, trust)
		}
		inside, tries := 0, sampled(100, 3, 2, 0, bowl)
		for i, x := range tries.X {
			if lo, hi := s.Interval(x, 0.9); lo <= tries.Y[i] && tries.Y[i] <= hi && hi-lo > 0.05 {
				inside++
			}
		}
		if inside < 30 {
			t.Errorf("%d points: %d of 100 values are in intervals that should be wide", n, inside)
		}
	}
}

func TestChoice(t *testing.T) {
	few, many := sampled(5, 3, 1, 450, bowl), sampled(20, 3, 1, 450, bowl)
	for _, c := range []struct {
		choice    Choice
		few, many string
	}{
		{Choice{}, "quadratic", "gp"},
		{Choice{Kind: KindAuto}, "quadratic", "gp"},
		{Choice{Kind: KindQuadratic}, "quadratic", "quadratic"},
		{Choice{Kind: KindQuadratic, Plain: true}, "plain", "plain"},
		{Choice{Kind: KindGP}, "gp", "gp"},
	} {
		if err := c.choice.Check(); err != nil {
			t.Error(err)
		}
		for i, data := range []Data{few, many} {
			n := []string{c.few, c.many}[i]
			for k, r := range Fit(t.Context(), []Data{data, data}, c.choice) {
				if r.Err != nil || r.Trust.Fitter != n {
					t.Errorf("%s of %d points, metric %d: %q, expected %q (%v)", c.choice, len(data.X), k, r.Trust.Fitter, n, r.Err)
				}
			}
			if _, trust := fit(t, c.choice, data); trust.Fitter != n {
				t.Errorf("%s of %d points, alone: %q, expected %q", c.choice, len(data.X), trust.Fitter, n)
			}
		}
	}
	for _, c := range []Choice{{Kind: "spline"}, {Plain: true}, {Kind: KindGP, Plain: true}} {
		if c.Check() == nil || alone(t.Context(), many, c).Err == nil {
			t.Errorf("%#v is accepted", c)
		}
	}
}

// logistic is a rate that a quadratic behind its link has, of three coefficients, one of them steeper.
func logistic(x []float64) float64 {
	eta := 1.8 - 2.8*(x[0]-0.85)*(x[0]-0.85)
	for _, v := range x[1:] {
		eta -= 1.4 * (v - 0.2) * (v - 0.2)
	}
	return 1 / (1 + math.Exp(-eta))
}

// cornered is one that bends once: merges are as good as the worse of two of their models.
func cornered(x []float64) float64 {
	return 1 / (1 + math.Exp(-2+3*max(math.Abs(x[0]-0.4), math.Abs(x[1]-0.7))))
}

// off is the error of a fit on the logit's scale over the box of sampled.
func off(s Surrogate, f func([]float64) float64) float64 {
	tries, sum := sampled(200, 3, 99, 0, f), 0.0
	for i, x := range tries.X {
		m, _ := s.Predict(x)
		e := Logit.forward(m, 0) - Logit.forward(tries.Y[i], 0)
		sum += e * e
	}
	return math.Sqrt(sum / float64(len(tries.X)))
}

// A metric that is a quadratic behind its link is fitted by one, where that is clear from the measurements left out; one that
// bends elsewhere is not. Whoever asks for a process gets one.
func TestAutoTakesTheQuadraticWhereItIsSurelyBetter(t *testing.T) {
	taken := 0
	for seed := range uint64(6) {
		d := sampled(30, 3, seed, 5000, logistic)
		s, trust := fit(t, Choice{}, d)
		process, asked := fit(t, Choice{Kind: KindGP}, d)
		if asked.Fitter != "gp" {
			t.Errorf("seed %d: a Gaussian process was asked for, and it is %q", seed, asked.Fitter)
		}
		if trust.Fitter != "quadratic" {
			continue
		}
		taken++
		if mine, other := off(s, logistic), off(process, logistic); mine > other {
			t.Errorf("seed %d: the quadratic is off by %.3f, the process by %.3f", seed, mine, other)
		}
	}
	if taken < 5 {
		t.Errorf("a quadratic is fitted by one in %d of 6 cases, want 5 or more", taken)
	}
	for seed := range uint64(6) {
		if _, trust := fit(t, Choice{}, sampled(30, 3, seed, 5000, cornered)); trust.Fitter != "gp" {
			t.Errorf("seed %d: what bends is fitted by %q, want a Gaussian process", seed, trust.Fitter)
		}
		if _, trust := fit(t, Choice{}, sampled(30, 8, seed, 5000, bowl)); trust.Fitter != "gp" {
			t.Errorf("seed %d: a quadratic with more terms than measurements is taken: %q", seed, trust.Fitter)
		}
	}
}

// What is said of the truth where the quadratic was taken holds: it was chosen by the same measurements, and is not as sure as
// it takes itself for.
func TestTheQuadraticThatWasTakenIsNotTooSure(t *testing.T) {
	taken, beyond, cases := 0, 0, 0
	for seed := range uint64(24) {
		s, trust := fit(t, Choice{}, sampled(24, 3, seed, 5000, logistic))
		if trust.Fitter != "quadratic" {
			continue
		}
		taken++
		for _, x := range sampled(60, 3, 99, 0, logistic).X {
			cases++
			if m, std := s.Predict(x); math.Abs(m-logistic(x)) > 1.645*std*trust.Spread {
				beyond++
			}
		}
	}
	if share := float64(beyond) / float64(cases); taken < 12 || share > 0.06 {
		t.Errorf("%.3f of true rates are beyond 1.645 of their standard deviations where the quadratic was taken (%d of 24 times), want .06 at most", share, taken)
	}
}
