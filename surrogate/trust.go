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
	fewPoints   = 15   // below, Q² is too uncertain for more than measure more
	fewEach     = 4    // a coefficient: below, and below fewPoints, a high Q² tells nothing
)

// A good Q² can hide one measurement that reads far from what all others say there. An error of a quarter of the
// range put into one of some thirty leaves Q² at .90 or more in every second case; with these bounds nine of ten
// of those were found, and one of a hundred fits without an error had a measurement outside them.
const (
	oddShare  = 0.15 // of the measured range that it is off, left out
	oddSigmas = 3    // of its own standard deviations
	oddNoise  = 4    // standard errors
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
	t.Odd = s.odd(t.LOO, residual, sd)
	t.Cliff, t.CliffWhy = cliff(s)
	t.verdict(s)
	return t
}

// verdict flags what should not be believed and says why.
func (t *Trust) verdict(s *sample) {
	switch {
	case t.N < min(fewPoints, fewEach*s.dim()) && t.Q2 >= goodQ2:
		t.flag("%d measurements of %d coefficients are too few to tell a good fit from a bad one, although leave-one-out Q² is %.2f: measure more", t.N, s.dim(), t.Q2)
	case t.N < fewPoints && t.Q2 < goodQ2:
		t.flag("%d measurements are few, and leave-one-out Q² is %s: measure more", t.N, hundredths(t.Q2))
	case len(t.Odd) > 0 && t.Q2 >= goodQ2:
		t.flag("%s: the task jumps, or that was measured wrong", t.strays(s))
	case len(t.Odd) > 0:
		t.flag("leave-one-out Q² %s is below %.2f, and %s: measure more near what matters", hundredths(t.Q2), goodQ2, t.strays(s))
	case t.Q2 >= goodQ2:
	case t.Q2 >= goodCeiling*t.Ceiling && 1-t.Ceiling >= (1-t.Q2)/2: // noise is most of what is missing
		t.flag("leave-one-out Q² %s, of %.2f that the noise of the evaluation allows: the fit is as good as it can be; more items a measurement would show more", hundredths(t.Q2), t.Ceiling)
	default:
		t.flag("leave-one-out Q² %s is below %.2f: the worst prediction was off by %.3g; measure more near what matters", hundredths(t.Q2), goodQ2, t.Worst)
	}
}

// strays says in words what is odd, and how far that is from the usual.
func (t *Trust) strays(s *sample) string {
	worst, square := 0.0, 0.0
	for i, y := range s.y {
		if r := math.Abs(y - t.LOO[i]); slices.Contains(t.Odd, i) {
			worst = max(worst, r)
		} else {
			square += r * r
		}
	}
	usual := math.Sqrt(square / float64(max(t.N-len(t.Odd), 1)))
	if len(t.Odd) == 1 {
		return fmt.Sprintf("one measurement is %.3g from what all others predict there, where %.3g is usual", worst, usual)
	}
	return fmt.Sprintf("%d measurements are up to %.3g from what all others predict there, where %.3g is usual", len(t.Odd), worst, usual)
}

// odd are the measurements that are far from what the others predict there, by more than their noise.
func (s *sample) odd(loo, residual, sd []float64) []int {
	if s.n() < fewPoints {
		return nil
	}
	var out []int
	width := slices.Max(s.y) - slices.Min(s.y)
	for i, r := range residual {
		if math.Abs(s.y[i]-loo[i]) > oddShare*width && r > oddSigmas*sd[i] && r > oddNoise*math.Sqrt(s.noise[i]) {
			out = append(out, i)
		}
	}
	return out
}

func (t *Trust) flag(format string, args ...any) {
	t.Flagged, t.Why = true, fmt.Sprintf(format, args...)
}

// hundredths is a Q² below goodQ2 with two decimals, without a sign before a zero, and with more decimals where
// it would read as good.
func hundredths(q2 float64) string {
	switch text := fmt.Sprintf("%.2f", q2); text {
	case "-0.00":
		return "0.00"
	case fmt.Sprintf("%.2f", goodQ2):
		return fmt.Sprintf("%.4f", q2)
	default:
		return text
	}
}
