package pareto

import "math"

// IGD is the inverted generational distance: the mean Euclidean distance of the reference's points to
// their nearest point of the set (Coello Coello and Reyes-Sierra 2004; as in pymoo and moocore). Smaller
// is better. +Inf for a set, NaN for a reference without comparable rows. O(len(set) · len(reference)).
func IGD(set, reference [][]float64) float64 {
	return mean(nearest(set, reference, squared), math.Sqrt)
}

// IGDPlus is IGD by how much worse the set's points are in each objective; unlike IGD it agrees with
// dominance (Ishibuchi, Masuda, Tanigaki and Nojima 2015).
func IGDPlus(set, reference [][]float64) float64 {
	return mean(nearest(set, reference, func(a, r []float64) float64 {
		sum := 0.0
		for k, v := range a {
			if d := v - r[k]; d > 0 {
				sum += d * d
			}
		}
		return sum
	}), math.Sqrt)
}

// EpsilonAdditive is the least ε such that every point of the reference is covered by a point of the set
// less ε in every objective (Zitzler, Thiele, Laumanns, Fonseca and Grunert da Fonseca 2003). Smaller is
// better; 0 or less where the set covers the reference.
func EpsilonAdditive(set, reference [][]float64) float64 {
	return largest(nearest(set, reference, func(a, r []float64) float64 {
		worst := math.Inf(-1)
		for k, v := range a {
			worst = max(worst, v-r[k])
		}
		return worst
	}))
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
	return largest(nearest(set, reference, func(a, r []float64) float64 {
		worst := math.Inf(-1)
		for k, v := range a {
			worst = max(worst, v/r[k])
		}
		return worst
	}))
}

// nearest returns for every comparable row of the reference the least distance of a row of the set.
func nearest(set, reference [][]float64, distance func(a, r []float64) float64) []float64 {
	rows := comparables(set)
	var out []float64
	for _, i := range comparables(reference) {
		best := math.Inf(1)
		for _, j := range rows {
			if len(set[j]) == len(reference[i]) {
				best = min(best, distance(set[j], reference[i]))
			}
		}
		out = append(out, best)
	}
	return out
}

func mean(v []float64, f func(float64) float64) float64 {
	sum := 0.0
	for _, x := range v {
		sum += f(x)
	}
	return sum / float64(len(v))
}

func largest(v []float64) float64 {
	if len(v) == 0 {
		return math.NaN()
	}
	worst := v[0]
	for _, x := range v {
		worst = max(worst, x)
	}
	return worst
}
