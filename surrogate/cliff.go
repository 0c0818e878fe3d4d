package surrogate

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// A cliff is a metric that collapses in part of the region: a merge that is broken scores about the same
// wherever it is. Its sign is a mode, a cluster of values at one end of the measured range, together with
// either nearest neighbours that are almost the whole range apart, or an empty gap between the mode and
// the rest. Merges of small networks, which are smooth, show modes and differences between neighbours of
// up to .78 of the range, but not both together.
//
// Shares are of the measured range (values) or of the number of points.
const (
	minCliffPoints = 8 // below, nothing can be said

	modeWidth    = 0.05 // of the range: values so near its end are in the mode
	minMode      = 0.10 // share of the points in the mode
	minModeAlone = 0.25 // the same, where only the gap tells
	minJump      = 0.80 // of the range, between nearest neighbours
	gapTop       = 0.40 // of the range: the gap is between modeWidth and here
	maxInGap     = 0.05 // share of the points that may lie in the gap all the same

	minTied      = 3    // values exactly at the end, with none in the gap
	minTiedMany  = 5    // the same, where some may lie in the gap
	minTiedShare = 0.15 // of the points, likewise

	minPlateau   = 5    // values that are the same but for their noise
	minStep      = 0.20 // of the range, from a plateau to the next value
	plateauNoise = 2    // times the variance that noise explains
)

// cliff says whether a metric collapses in part of the region, and in words where: downwards for a rate, upwards
// for a loss, and for other metrics at the end where fewer measurements lie.
func cliff(s *sample) (bool, string) {
	if s.n() < minCliffPoints || s.flat() {
		return false, ""
	}
	v := s.y
	if s.link == Log {
		v = s.z
	}
	lo, hi := slices.Min(v), slices.Max(v)
	fromLow, fromHigh := make([]float64, len(v)), make([]float64, len(v))
	for i, a := range v {
		fromLow[i] = (a - lo) / (hi - lo)
		fromHigh[i] = 1 - fromLow[i]
	}
	collapsed, at := 0, 0.0
	if s.link != Log {
		collapsed, at = s.collapsed(fromLow), lo
	}
	if s.link != Logit {
		if n := s.collapsed(fromHigh); n > 0 && (collapsed == 0 || n < collapsed) {
			collapsed, at = n, hi
			if s.link == Log {
				at = math.Exp(hi)
			}
		}
	}
	if collapsed == 0 {
		return false, ""
	}
	return true, fmt.Sprintf("collapses: %.0f %% of the measurements lie near %.3g", 100*float64(collapsed)/float64(s.n()), at)
}

// collapsed returns how many measurements are beyond a cliff at the lower end; 0 where there is none. The values
// are in [0, 1].
func (s *sample) collapsed(unit []float64) int {
	mode, inGap, above, tied := 0, 0, 0, 0
	for _, v := range unit {
		if v <= 1e-9 {
			tied++
		}
		switch {
		case v <= modeWidth:
			mode++
		case v <= gapTop:
			inGap++
		default:
			above++
		}
	}
	n, jump := float64(len(unit)), s.maxNeighbourGap(unit)
	share := float64(mode) / n
	switch {
	case above < 2:
	case share < minMode && (mode < minTied || jump < minJump): // a search that keeps away from a cliff leaves few points beyond it
	case tied >= minTied && inGap == 0,
		tied >= minTiedMany && float64(tied) >= minTiedShare*n,
		jump >= minJump,
		float64(inGap) <= maxInGap*n && share >= minModeAlone:
		return mode
	}
	return s.plateau(unit)
}

// plateau returns how many measurements at the lower end are the same but for their noise, with a step above them;
// 0 where there are none such.
func (s *sample) plateau(unit []float64) int {
	if s.n() < minPoints {
		return 0
	}
	order := make([]int, len(unit))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(unit[i], unit[j]) })
	for n := minPlateau; n < len(order)-1; n++ {
		at, width := unit[order[n-1]], unit[order[n-1]]-unit[order[0]]
		step := unit[order[n]] - at
		if at > gapTop || float64(n) < minMode*float64(len(order)) || step < minStep || step < 2*width {
			continue
		}
		var z, noise []float64
		for _, i := range order[:n] {
			z, noise = append(z, s.z[i]), append(noise, s.noise[i])
		}
		if _, variance := moments(z); variance < plateauNoise*meanPositive(noise) {
			return n
		}
	}
	return 0
}

// maxNeighbourGap returns the largest difference of v between a point and the point nearest to it. O(n²d).
func (s *sample) maxNeighbourGap(v []float64) float64 {
	largest := 0.0
	for i, u := range s.u {
		least, nearest := math.Inf(1), i
		for j, w := range s.u {
			if d := squaredDistance(u, w); j != i && d < least {
				least, nearest = d, j
			}
		}
		largest = max(largest, math.Abs(v[i]-v[nearest]))
	}
	return largest
}

func squaredDistance(a, b []float64) float64 {
	sum := 0.0
	for i, v := range a {
		d := v - b[i]
		sum += float64(d * d)
	}
	return sum
}
