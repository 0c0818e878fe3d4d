package surrogate

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// Bounds below which a surrogate is flagged: 96.6 % of 520 fits with a leave-one-out Q² of .90 or more were truly
// good, 62 % of those below were bad.
const (
	goodQ2       = 0.90
	goodByChance = 0.05 // of good fits, errors are larger than noise and what a good fit leaves make them
	mostHeldOut  = 2    // times as much variance as it has, noise makes of held-out errors at most
	minPoints    = 15   // below, Q² is too uncertain to say more than that more measurements are needed
	minPointsPer = 4    // coefficient: below this and below minPoints, a high Q² says nothing
	manyPer      = 3    // coefficient, of more than five: likewise
)

// Bounds of an outlier, a measurement far from what the others predict there: a good Q² can hide one. An error of
// a quarter of the range put into one of some thirty leaves Q² at .90 or more in every second case; with these
// bounds nine of ten of those were found, and one of a hundred fits without an error had a measurement outside.
const (
	outlierShare  = 0.15 // of the measured range
	outlierSigmas = 3    // leave-one-out standard deviations
	outlierNoise  = 4    // standard errors of the measurement
)

// newTrust computes the held-out figures from a model's leave-one-out predictions.
func newTrust(m model, s *sample) Trust {
	loo, sd := m.loo, m.sd
	t := Trust{Fitter: m.fitter, N: s.n(), LOO: make([]float64, s.n()), Ceiling: 1, Range: slices.Max(s.y) - slices.Min(s.y)}
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
		t.Ceiling = min(max(1-meanPositive(s.noiseAt(loo))/variance, t.Q2, 0), 1) // what is reached is allowed
		if m.noise > 0 {
			t.heldOut = min(max(dot(sd, sd)/n/m.noise, 1), mostHeldOut)
		}
	}
	errors, half := m.studentised(s, 0), studentQuantile(shownLevel, m.dof)*onFronts*max(m.lack, 1)
	for i, e := range errors {
		if e <= half*calibration(slices.Delete(slices.Clone(errors), i, i+1), m.dof) {
			inside++
		}
	}
	t.Coverage = float64(inside) / n
	t.Spread = m.newMargin(s).spread()
	t.Outliers = s.outliers(t.LOO, residual, sd)
	t.Cliff, t.CliffWhy = cliff(s)
	t.flagIfPoor(s)
	return t
}

// flagIfPoor flags what should not be believed and says why.
func (t *Trust) flagIfPoor(s *sample) {
	switch {
	case t.N < max(min(minPoints, minPointsPer*s.dim()), manyPer*s.dim()) && t.Q2 >= goodQ2:
		t.flag("%d measurements of %d coefficients are too few to tell a good fit from a bad one, although leave-one-out Q² is %.2f: measure more", t.N, s.dim(), t.Q2)
	case t.N < minPoints && t.Q2 < goodQ2:
		t.flag("%d measurements are few, and leave-one-out Q² is %s: measure more", t.N, hundredths(t.Q2))
	case len(t.Outliers) > 0 && t.Q2 >= goodQ2:
		t.flag("%s: the task jumps, or that was measured wrong", t.describeOutliers(s))
	case len(t.Outliers) > 0:
		t.flag("leave-one-out Q² %s is below %.2f, and %s: measure more near what matters", hundredths(t.Q2), goodQ2, t.describeOutliers(s))
	case t.Q2 >= goodQ2:
	case t.noiseExplains():
		t.NoiseLimited = true
		t.Why = fmt.Sprintf("limited by noise, not by the fit: leave-one-out Q² %s, of %.2f that the noise of the evaluation allows; more items a measurement would show more", hundredths(t.Q2), max(t.Ceiling, t.Q2))
	default:
		t.flag("leave-one-out Q² %s is below %.2f: the worst prediction was off by %.3g; measure more near what matters", hundredths(t.Q2), goodQ2, t.Worst)
	}
}

// noiseExplains says whether noise is most of what is missing, and held-out errors are no larger than it and what a good
// fit leaves of the rest make them, by chance (χ² of as many measurements).
func (t *Trust) noiseExplains() bool {
	noise, off, n := (1-t.Ceiling)*max(t.heldOut, 1), 1-t.Q2, float64(t.N) // shares of the variance
	most := noise + (1-goodQ2)*t.Ceiling
	return noise >= off/2 && off <= most*distuv.ChiSquared{K: n}.Quantile(1-goodByChance)/n
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
