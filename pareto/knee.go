package pareto

import "math"

// Knee returns the index of the knee of a front, from where a gain in any objective costs the most in others:
// with each objective in units of its range over the front, the point farthest below the hyperplane through the
// extremes of that unit box. For two objectives that is the largest distance to the chord (Das 1999). Above, it
// is the point with a trade-off ratio of at least one towards every other: no move from it gains more, summed
// over objectives, than it loses (Rachmawati and Srinivasan 2009). On a flat front, where all tie, it is the most
// balanced point. Dominated rows are ignored; −1 where no row can be compared. O(n log n) and as NonDominated.
func Knee(fs [][]float64) int {
	front := NonDominated(fs)
	if len(front) == 0 {
		return -1
	}
	s := rangesOf(fs, front)
	best, sum, worst := -1, math.Inf(1), math.Inf(1)
	for _, i := range front {
		total, largest := 0.0, 0.0
		for k, v := range fs[i] {
			u := s.unit(k, v)
			total, largest = total+u, max(largest, u)
		}
		const tie = 1e-9
		if best < 0 || total < sum-tie || (total <= sum+tie && largest < worst-tie) {
			best, sum, worst = i, total, largest
		}
	}
	return best
}
