package surrogate

import (
	"fmt"
	"math"
	"slices"
)

// Below these a surrogate is flagged: 96.6 % of 520 fits with a leave-one-out Q² of .90 or more were
// truly good, 62 % of those below were bad.
const (
	goodQ2      = 0.90
	goodCeiling = 0.90 // of the ceiling that noise sets
	fewPoints   = 15   // below, Q² itself is too uncertain to judge by
)

// judge makes Trust of leave-one-out predictions and their standard deviations (of a measurement), both
// on the link's scale; dof as in fitted.
func judge(fitter string, s *sample, loo, sd []float64, dof float64) Trust {
	t := Trust{Fitter: fitter, N: s.n(), LOO: make([]float64, s.n()), Ceiling: 1}
	_, variance := s.spread()
	press, square, inside := 0.0, 0.0, 0
	residual := make([]float64, s.n())
	for i, z := range s.z {
		t.LOO[i] = s.link.inverse(loo[i])
		r := s.y[i] - t.LOO[i]
		square += r * r
		if math.Abs(r) > t.Worst {
			t.Worst, t.WorstAt = math.Abs(r), i
		}
		residual[i] = math.Abs(z - loo[i])
		press += residual[i] * residual[i]
	}
	n := float64(s.n())
	t.RMSE = math.Sqrt(square / n)
	if variance > 0 {
		t.Q2 = 1 - press/(variance*math.Max(n-1, 1))
		t.Ceiling = min(max(1-meanPositive(s.noise)/variance, 0), 1)
	}
	for i, r := range residual {
		others := slices.Delete(slices.Clone(residual), i, i+1)
		slices.Sort(others)
		if r <= max(studentQuantile(0.9, dof)*sd[i], upperQuantile(others, 0.9)) {
			inside++
		}
	}
	t.Coverage = float64(inside) / n
	t.Cliff, t.CliffWhy = cliff(s)
	t.verdict()
	return t
}

// verdict flags what should not be believed and says why.
func (t *Trust) verdict() {
	switch {
	case t.N < fewPoints && t.Q2 < goodQ2:
		t.flag("%d measurements are few, and leave-one-out Q² is %.2f: measure more", t.N, t.Q2)
	case t.Q2 >= goodQ2:
	case t.Q2 >= goodCeiling*t.Ceiling:
		t.flag("leave-one-out Q² %.2f, of %.2f that the noise of the evaluation allows: the fit is as good as it can be; more items a measurement would show more", t.Q2, t.Ceiling)
	default:
		t.flag("leave-one-out Q² %.2f is below %.2f: the worst prediction was off by %.3g; measure more near what matters", t.Q2, goodQ2, t.Worst)
	}
}

func (t *Trust) flag(format string, args ...any) {
	t.Flagged, t.Why = true, fmt.Sprintf(format, args...)
}
