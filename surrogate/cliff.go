package surrogate

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// What makes a cliff: a crowd of values at one end of the range, and beside it either neighbours that are
// almost the whole range apart, or nothing in between. Real merges of small networks, which are smooth,
// show crowds and jumps of up to .78 of the range, but not both signs together.
const (
	cliffFewest = 8    // points below which nothing can be said
	cliffEnd    = 0.05 // of the range: at the end
	cliffCrowd  = 0.10 // share of the points at the end
	cliffThrong = 0.25 // the same, where only a gap tells
	cliffJump   = 0.80 // of the range between nearest neighbours
	cliffGap    = 0.40 // of the range: where nothing lies between, up to here
	cliffStray  = 0.05 // share of the points that may lie there all the same
)

// cliff looks for a metric that collapses in part of the region: near 0 for a rate, at either end for
// other metrics (a loss explodes upwards).
func cliff(s *sample) (bool, string) {
	if s.n() < cliffFewest || s.flat() {
		return false, ""
	}
	v := s.y
	if s.link == Log {
		v = s.z
	}
	lo, hi := slices.Min(v), slices.Max(v)
	unit := make([]float64, len(v))
	for i, a := range v {
		unit[i] = (a - lo) / (hi - lo)
	}
	jump := s.jump(unit)
	if why, ok := collapse(unit, jump); ok {
		return true, fmt.Sprintf("collapses: %s near %.3g", why, s.link.back(lo))
	}
	if n := s.level(unit); n > 0 {
		return true, fmt.Sprintf("collapses: %.0f %% of the measurements are the same but for noise, near %.3g", 100*float64(n)/float64(s.n()), s.link.back(lo))
	}
	if s.link == Logit {
		return false, ""
	}
	for i := range unit {
		unit[i] = 1 - unit[i]
	}
	if why, ok := collapse(unit, jump); ok {
		return true, fmt.Sprintf("collapses: %s near %.3g", why, s.link.back(hi))
	}
	return false, ""
}

// back is inverse for the scale on which cliff looks.
func (l Link) back(v float64) float64 {
	if l == Log {
		return math.Exp(v)
	}
	return v
}

// How many measurements that are exactly the same at one end tell: a few with nothing near them, or so many
// that no slope is left there; and how many that are the same but for noise, with a step above them.
const (
	cliffTie   = 3
	cliffLevel = 5
	cliffShare = 0.15 // of the measurements
	cliffStep  = 0.20 // of the range, above measurements that differ by their noise alone
	cliffNoise = 2    // times the variance that noise explains
)

// collapse judges values in [0, 1] at whose lower end the crowd would be.
func collapse(unit []float64, jump float64) (string, bool) {
	crowd, between, above, tied := 0.0, 0.0, 0.0, 0
	for _, v := range unit {
		if v <= 1e-9 {
			tied++
		}
		switch {
		case v <= cliffEnd:
			crowd++
		case v <= cliffGap:
			between++
		default:
			above++
		}
	}
	n := float64(len(unit))
	if crowd/n < cliffCrowd && (crowd < cliffTie || jump < cliffJump) || above < 2 {
		return "", false // a search that keeps away from the edge leaves few behind it
	}
	if tied >= cliffTie && between == 0 || tied >= cliffLevel && float64(tied) >= cliffShare*n {
		return fmt.Sprintf("%.0f %% of the measurements lie", 100*crowd/n), true
	}
	if jump < cliffJump && (between/n > cliffStray || crowd/n < cliffThrong) {
		return "", false
	}
	return fmt.Sprintf("%.0f %% of the measurements lie", 100*crowd/n), true
}

// level is how many measurements at the lower end are the same but for their noise, with a gap above them; 0
// where there are none such.
func (s *sample) level(unit []float64) int {
	if s.n() < fewPoints {
		return 0
	}
	order := make([]int, len(unit))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(unit[i], unit[j]) })
	for n := cliffLevel; n < len(order)-1; n++ {
		at, width := unit[order[n-1]], unit[order[n-1]]-unit[order[0]]
		gap := unit[order[n]] - at
		if at > cliffGap || float64(n) < cliffCrowd*float64(len(order)) || gap < cliffStep || gap < 2*width {
			continue
		}
		var z, noise []float64
		for _, i := range order[:n] {
			z, noise = append(z, s.z[i]), append(noise, s.noise[i])
		}
		if _, variance := moments(z); variance < cliffNoise*meanPositive(noise) {
			return n
		}
	}
	return 0
}

// jump is the largest difference between nearest neighbours.
func (s *sample) jump(v []float64) float64 {
	largest := 0.0
	for i, u := range s.u {
		near, at := math.Inf(1), i
		for j, w := range s.u {
			if d := squared(u, w); j != i && d < near {
				near, at = d, j
			}
		}
		largest = max(largest, math.Abs(v[i]-v[at]))
	}
	return largest
}

func squared(a, b []float64) float64 {
	sum := 0.0
	for i, v := range a {
		d := v - b[i]
		sum += float64(d * d)
	}
	return sum
}
