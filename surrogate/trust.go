package surrogate

import (
	"fmt"
	"math"
	"slices"
)

// Bounds below which a surrogate is flagged: 96.6 % of 520 fits with a leave-one-out Q² of .90 or more were truly
// good, 62 % of those below were bad.
const (
	goodQ2       = 0.90
	goodCeiling  = 0.90 // of the ceiling that noise sets
	minPoints    = 15   // below, Q² is too uncertain to say more than that more measurements are needed
	minPointsPer = 4    // coefficient: below this and below minPoints, a high Q² says nothing
)

// Bounds of an outlier, a measurement far from what the others predict there: a good Q² can hide one. An error of
// a quarter of the range put into one of some thirty leaves Q² at .90 or more in every second case; with these
// bounds nine of ten of those were found, and one of a hundred fits without an error had a measurement outside.
const (
	outlierShare  = 0.15 // of the measured range
	outlierSigmas = 3    // leave-one-out standard deviations
	outlierNoise  = 4    // standard errors of the measurement
)

// newTrust computes the held-out figures from leave-one-out predictions and their standard deviations (of a
// measurement), both on the link's scale; dof as in fitted.
func newTrust(fitter string, s *sample, loo, sd []float64, dof float64) Trust {
	t := Trust{Fitter: fitter, N: s.n(), LOO: make([]float64, s.n()), Ceiling: 1}
	_, variance := s.moments()
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
	t.Outliers = s.outliers(t.LOO, residual, sd)
	t.Cliff, t.CliffWhy = cliff(s)
	t.flagIfPoor(s)
	return t
}

// flagIfPoor flags what should not be believed and says why.
func (t *Trust) flagIfPoor(s *sample) {
	switch {
	case t.N < min(minPoints, minPointsPer*s.dim()) && t.Q2 >= goodQ2:
		t.flag("%d measurements of %d coefficients are too few to tell a good fit from a bad one, although leave-one-out Q² is %.2f: measure more", t.N, s.dim(), t.Q2)
	case t.N < minPoints && t.Q2 < goodQ2:
		t.flag("%d measurements are few, and leave-one-out Q² is %s: measure more", t.N, hundredths(t.Q2))
	case len(t.Outliers) > 0 && t.Q2 >= goodQ2:
		t.flag("%s: the task jumps, or that was measured wrong", t.describeOutliers(s))
	case len(t.Outliers) > 0:
		t.flag("leave-one-out Q² %s is below %.2f, and %s: measure more near what matters", hundredths(t.Q2), goodQ2, t.describeOutliers(s))
	case t.Q2 >= goodQ2:
	case t.Q2 >= goodCeiling*t.Ceiling && 1-t.Ceiling >= (1-t.Q2)/2: // noise is most of what is missing
		t.flag("leave-one-out Q² %s, of %.2f that the noise of the evaluation allows: the fit is as good as it can be; more items a measurement would show more", hundredths(t.Q2), t.Ceiling)
	default:
		t.flag("leave-one-out Q² %s is below %.2f: the worst prediction was off by %.3g; measure more near what matters", hundredths(t.Q2), goodQ2, t.Worst)
	}
}

// describeOutliers says in words how far the outliers are off, and how far the others.
func (t *Trust) describeOutliers(s *sample) string {
	worst, square := 0.0, 0.0
	for i, y := range s.y {
		if r := math.Abs(y - t.LOO[i]); slices.Contains(t.Outliers, i) {
			worst = max(worst, r)
		} else {
			square += r * r
		}
	}
	usual := math.Sqrt(square / float64(max(t.N-len(t.Outliers), 1)))
	if len(t.Outliers) == 1 {
		return fmt.Sprintf("one measurement is %.3g from what all others predict there, where %.3g is usual", worst, usual)
	}
	return fmt.Sprintf("%d measurements are up to %.3g from what all others predict there, where %.3g is usual", len(t.Outliers), worst, usual)
}

// outliers returns the measurements that are farther from what the others predict there than noise explains.
func (s *sample) outliers(loo, residual, sd []float64) []int {
	if s.n() < minPoints {
		return nil
	}
	var out []int
	width := slices.Max(s.y) - slices.Min(s.y)
	for i, r := range residual {
		if math.Abs(s.y[i]-loo[i]) > outlierShare*width && r > outlierSigmas*sd[i] && r > outlierNoise*math.Sqrt(s.noise[i]) {
			out = append(out, i)
		}
	}
	return out
}

func (t *Trust) flag(format string, args ...any) {
	t.Flagged, t.Why = true, fmt.Sprintf(format, args...)
}

// hundredths writes a Q² below goodQ2 with two decimals, zero without a sign, and with more decimals where it
// would read as good.
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
