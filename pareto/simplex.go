package pareto

import (
	"math"
	"slices"
)

// simplex is a set of proportions.
type simplex struct {
	set         []int
	least, most []float64 // of each; nil where they may be anything
	middle      []float64 // each as far within its bounds as the others
}

func (b Bounds) simplex(set []int) simplex {
	s := simplex{set: set}
	least, most := b.Sums(set)
	share := 1 / float64(len(set))
	if most > least {
		share = min(max((1-least)/(most-least), 0), 1)
	}
	bounded := false
	for _, i := range set {
		lo, hi := max(b.Lo[i], 0), min(b.Hi[i], 1)
		bounded = bounded || lo > 0 || hi < 1
		s.least, s.most = append(s.least, lo), append(s.most, hi)
		s.middle = append(s.middle, lo+share*(hi-lo))
	}
	if !bounded {
		s.least, s.most = nil, nil
	}
	return s
}

// project moves proportions to the nearest within their bounds.
func (s simplex) project(v []float64) {
	if s.least == nil {
		ontoSimplex(v, s.set)
		return
	}
	// Σ clamp(vᵢ − shift) falls with the shift, in straight pieces that end where one of them meets a bound.
	ends := make([]float64, 0, 2*len(s.set))
	for k, i := range s.set {
		ends = append(ends, v[i]-s.least[k], v[i]-s.most[k])
	}
	slices.Sort(ends)
	shift, sum := ends[0], s.sum(v, ends[0])
	for _, end := range ends[1:] {
		next := s.sum(v, end)
		if next <= 1 {
			if sum > next {
				shift += (end - shift) * min(max((sum-1)/(sum-next), 0), 1)
			}
			break
		}
		shift, sum = end, next
	}
	for k, i := range s.set {
		v[i] = min(max(v[i]-shift, s.least[k]), s.most[k])
	}
}

// sum is that of all proportions less a shift, within their bounds.
func (s simplex) sum(v []float64, shift float64) float64 {
	sum := 0.0
	for k, i := range s.set {
		sum += min(max(v[i]-shift, s.least[k]), s.most[k])
	}
	return sum
}

// spread moves proportions along the ray from the middle through them: as far of what the bounds leave of it as they are
// of what there is.
func (s simplex) spread(v []float64) {
	if s.least == nil {
		return
	}
	s.hold(v)
	all, left := math.Inf(1), math.Inf(1) // how far the ray goes, in lengths of the way to v
	for k, i := range s.set {
		switch way := v[i] - s.middle[k]; {
		case way < 0:
			all, left = min(all, -s.middle[k]/way), min(left, (s.least[k]-s.middle[k])/way)
		case way > 0:
			left = min(left, (s.most[k]-s.middle[k])/way)
		}
	}
	share := 0.0
	if !math.IsInf(all, 1) && all > 0 {
		share = left / all
	}
	for k, i := range s.set {
		v[i] = s.middle[k] + share*(v[i]-s.middle[k])
	}
	s.project(v)
}

// hold gives proportions without width their value, and the others the rest, in the ratios that they have.
func (s simplex) hold(v []float64) {
	held, others := 0.0, 0.0
	for k, i := range s.set {
		if s.least[k] == s.most[k] {
			held += s.least[k]
			v[i] = s.least[k]
		} else {
			others += v[i]
		}
	}
	if held == 0 || !(others > 0) {
		return
	}
	for k, i := range s.set {
		if s.least[k] < s.most[k] {
			v[i] *= (1 - held) / others
		}
	}
}

// ontoSimplex projects the coordinates of a set onto the simplex (Held, Wolfe and Crowder 1974).
func ontoSimplex(v []float64, set []int) {
	var room [16]float64
	sorted := room[:0]
	for _, i := range set {
		sorted = append(sorted, v[i])
	}
	slices.Sort(sorted)
	sum, shift := 0.0, 0.0
	for k := len(sorted) - 1; k >= 0; k-- {
		sum += sorted[k]
		t := (sum - 1) / float64(len(sorted)-k)
		if sorted[k] <= t {
			break
		}
		shift = t
	}
	for _, i := range set {
		v[i] = max(v[i]-shift, 0)
	}
}
