package surrogate

import "testing"

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
