package surrogate

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/floats"
)

// A cliff is a metric that collapses in part of the region: a merge that is broken scores about the same
// wherever it is. Its sign is a mode, a cluster of values at one end of the measured range, together with
// either nearest neighbours that are almost the whole range apart, or an empty gap between the mode and
// the rest; and a jump between near places that what changes smoothly elsewhere does not explain. Merges of small
// networks, which are smooth, show modes and differences between neighbours of up to .78 of the range, but not both
// together.
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

	minRatio = 1.1 // of a positive metric's ends: what differs by less has not collapsed

	jumpSlope = 1.5  // times as steep as anything between measurements that hold; floors reached by a slope had 1.0, steps 2.3 and more
	jumpWidth = 0.25 // of the range of a coefficient: at this slope the whole range of values is crossed within
	jumpLeast = 0.05 // likewise: what is nearer counts as that far

	minPlateau   = 5    // values that are the same but for their noise
	minStep      = 0.20 // of the range, from a plateau to the next value
	plateauNoise = 2    // times the variance that noise explains
)

// cliff says whether a metric collapses in part of the region, and in words where: at the end where merges that
// are broken read, and where that is not known at the one where fewer measurements lie.
func cliff(s *sample) (bool, string) {
	var fewest []int
	for _, end := range s.ends {
		if fallen := s.fallen(end); len(fallen) > 0 && (fewest == nil || len(fallen) < len(fewest)) {
			fewest = fallen
		}
	}
	if fewest == nil {
		return false, ""
	}
	return true, s.describeCliff(len(fewest), s.y[fewest[0]])
}

func (s *sample) describeCliff(fallen int, level float64) string {
	return fmt.Sprintf("collapses: %.0f %% of the measurements lie near %.3g", 100*float64(fallen)/float64(s.n()), level)
}

// fallen are the measurements beyond a cliff at one end, the farthest first; nil where there is none.
func (s *sample) fallen(end End) []int {
	if s.n() < max(minCliffPoints, 2*s.dim()+4) || s.flat() {
		return nil
	}
	v := s.y
	if s.link == Log {
		if slices.Max(s.y) < minRatio*slices.Min(s.y) {
			return nil // seconds of an evaluation, losses of merges that are all alike
		}
		v = s.z
	}
	lo, hi := slices.Min(v), slices.Max(v)
	unit := make([]float64, len(v))
	for i, a := range v {
		if unit[i] = (a - lo) / (hi - lo); end == High {
			unit[i] = 1 - unit[i]
		}
	}
	fallen := s.order(end)[:s.collapsed(unit)]
	if !s.jumps(fallen, v) {
		return nil
	}
	return fallen
}

// jumps says whether between those that have fallen and the others there is a jump that no smooth change explains: two
// near each other whose values v lie much farther apart for it than those of any two that hold. How many values lie at an
// end says nothing of the landscape: a search asks for a coefficient of 0 again and again, and a task may reach its floor
// by a slope. What noise explains of a difference does not count. O(n²d).
func (s *sample) jumps(fallen []int, v []float64) bool {
	down, noise := make([]bool, s.n()), make([]float64, s.n())
	for _, i := range fallen {
		down[i] = true
	}
	for i, variance := range s.noise {
		slope := 1.0
		if s.link == Logit {
			slope, _ = s.link.slopes(s.z[i])
		}
		noise[i] = slope * slope * variance
	}
	over, within := 0.0, 0.0 // the steepest slopes
	for i, u := range s.u {
		for j, w := range s.u[:i] {
			slope := max(math.Abs(v[i]-v[j])-2*math.Sqrt(noise[i]+noise[j]), 0) / max(floats.Distance(u, w, math.Inf(1)), jumpLeast)
			switch {
			case down[i] != down[j]:
				over = max(over, slope)
			case !down[i]:
				within = max(within, slope)
			}
		}
	}
	return over > jumpSlope*within && over*jumpWidth*math.Sqrt(float64(s.dim())) > slices.Max(v)-slices.Min(v)
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
