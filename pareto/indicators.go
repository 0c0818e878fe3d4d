package pareto

import "math"

// IGD is the inverted generational distance: the mean Euclidean distance of the reference's points to
// their nearest point of the set (Coello Coello and Reyes-Sierra 2004; as in pymoo and moocore). Smaller
// is better. +Inf for a set, NaN for a reference without comparable rows. O(len(set) · len(reference)).
func IGD(set, reference [][]float64) float64 {
	s := flatten(set, reference)
	total := 0.0
	for r := range s.references {
		best := math.Inf(1)
		for a := range s.points {
			sum := 0.0
			for k, v := range a {
				d := v - r[k]
				sum += d * d
			}
			if sum < best {
				best = sum
			}
		}
		total += math.Sqrt(best)
	}
	return total / float64(s.n)
}

// IGDPlus is IGD by how much worse the set's points are in each objective; unlike IGD it agrees with
// dominance (Ishibuchi, Masuda, Tanigaki and Nojima 2015).
func IGDPlus(set, reference [][]float64) float64 {
	s := flatten(set, reference)
	total := 0.0
	for r := range s.references {
		best := math.Inf(1)
		for a := range s.points {
			sum := 0.0
			for k, v := range a {
				if d := v - r[k]; d > 0 {
					sum += d * d
				}
			}
			if sum < best {
				if best = sum; best == 0 {
					break
				}
			}
		}
		total += math.Sqrt(best)
	}
	return total / float64(s.n)
}

// EpsilonAdditive is the least ε such that every point of the reference is covered by a point of the set
// less ε in every objective (Zitzler, Thiele, Laumanns, Fonseca and Grunert da Fonseca 2003). Smaller is
// better; 0 or less where the set covers the reference. +Inf and NaN as for IGD.
func EpsilonAdditive(set, reference [][]float64) float64 {
	return flatten(set, reference).epsilon(func(a, r float64) float64 { return a - r })
}

// EpsilonMultiplicative is EpsilonAdditive with factors in place of differences: 1 or less where the set
// covers the reference. NaN where an objective is not positive.
func EpsilonMultiplicative(set, reference [][]float64) float64 {
	for _, rows := range [][][]float64{set, reference} {
		for _, row := range rows {
			for _, v := range row {
				if v <= 0 {
					return math.NaN()
				}
			}
		}
	}
	return flatten(set, reference).epsilon(func(a, r float64) float64 { return a / r })
}

// pair is the comparable rows of a set and of a reference, row after row.
type pair struct {
	m, n           int // objectives; rows of the reference
	set, reference []float64
}

func flatten(set, reference [][]float64) pair {
	var p pair
	for _, i := range comparables(reference) {
		p.m = len(reference[i])
		p.reference = append(p.reference, reference[i]...)
		p.n++
	}
	for _, i := range comparables(set) {
		if len(set[i]) == p.m {
			p.set = append(p.set, set[i]...)
		}
	}
	return p
}

// points and references iterate over the rows.
func (p pair) points(yield func([]float64) bool)     { rows(p.set, p.m, yield) }
func (p pair) references(yield func([]float64) bool) { rows(p.reference, p.m, yield) }

func rows(flat []float64, m int, yield func([]float64) bool) {
	for i := 0; m > 0 && i+m <= len(flat); i += m {
		if !yield(flat[i : i+m : i+m]) {
			return
		}
	}
}

// epsilon is the largest over the reference of the least over the set of the largest worsening. A reference
// that is covered within the largest so far cannot raise it.
func (p pair) epsilon(worse func(a, r float64) float64) float64 {
	if p.n == 0 {
		return math.NaN()
	}
	largest := math.Inf(-1)
	for r := range p.references {
		least := math.Inf(1)
		for a := range p.points {
			worst := math.Inf(-1)
			for k, v := range a {
				if d := worse(v, r[k]); d > worst {
					if worst = d; worst >= least {
						break
					}
				}
			}
			if worst < least {
				if least = worst; least <= largest {
					break
				}
			}
		}
		largest = max(largest, least)
	}
	return largest
}
