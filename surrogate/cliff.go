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

// cliff looks for a metric that collapses in part of the region: downwards for a rate, upwards for a loss, and for
// other metrics at the end where fewer measurements lie.
func cliff(s *sample) (bool, string) {
	if s.n() < cliffFewest || s.flat() {
		return false, ""
	}
	v := s.y
	if s.link == Log {
		v = s.z
	}
	lo, hi := slices.Min(v), slices.Max(v)
	down, up := make([]float64, len(v)), make([]float64, len(v))
	for i, a := range v {
		down[i] = (a - lo) / (hi - lo)
		up[i] = 1 - down[i]
	}
	fewest, at := 0, 0.0
	if s.link != Log {
		fewest, at = s.fallen(down), lo
	}
	if s.link != Logit {
		if n := s.fallen(up); n > 0 && (fewest == 0 || n < fewest) {
			fewest, at = n, s.link.back(hi)
		}
	}
	if fewest == 0 {
		return false, ""
	}
	return true, fmt.Sprintf("collapses: %.0f %% of the measurements lie near %.3g", 100*float64(fewest)/float64(s.n()), at)
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

// fallen is how many measurements lie at the lower end in a way that tells of a cliff; 0 where they do not. The
// values are in [0, 1].
func (s *sample) fallen(unit []float64) int {
	crowd, between, above, tied := 0, 0, 0, 0
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
	n, jump := float64(len(unit)), s.jump(unit)
	share := float64(crowd) / n
	switch {
	case above < 2:
	case share < cliffCrowd && (crowd < cliffTie || jump < cliffJump): // a search that keeps away from the edge leaves few behind it
	case tied >= cliffTie && between == 0,
		tied >= cliffLevel && float64(tied) >= cliffShare*n,
		jump >= cliffJump,
		float64(between) <= cliffStray*n && share >= cliffThrong:
		return crowd
	}
	return s.level(unit)
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
