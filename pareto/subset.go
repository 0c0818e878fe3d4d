package pareto

import "math"

// Subset returns the indices of at most n rows that are spread evenly over the front: the best of every
// objective first, then always the row farthest from those taken (Gonzalez 1985), with each objective in
// units of its range. Only non-dominated rows are taken; the order is that of the taking, so that every
// prefix is spread too. O(n · len(fs)).
func Subset(fs [][]float64, n int) []int {
	front := NonDominated(fs)
	if n <= 0 || len(front) == 0 {
		return nil
	}
	s := scaleOf(fs, front)
	m := len(s.ideal)
	v := make([]float64, 0, len(front)*m)
	for _, i := range front {
		for k, f := range fs[i] {
			v = append(v, s.unit(k, f))
		}
	}
	gap := make([]float64, len(front))
	for i := range gap {
		gap[i] = math.Inf(1)
	}
	var out []int
	take := func(t int) {
		out = append(out, front[t])
		p := v[t*m : (t+1)*m]
		for i := range gap {
			if gap[i] >= 0 {
				gap[i] = min(gap[i], squared(v[i*m:(i+1)*m], p))
			}
		}
		gap[t] = -1
	}
	for k := 0; k < m && len(out) < n; k++ {
		t := extreme(v, m, k)
		if gap[t] >= 0 {
			take(t)
		}
	}
	for len(out) < min(n, len(front)) {
		far := 0
		for i, g := range gap {
			if g > gap[far] {
				far = i
			}
		}
		take(far)
	}
	return out
}

// extreme is the row with the least objective k, of equals the one with the least sum.
func extreme(v []float64, m, k int) int {
	best, at := [2]float64{math.Inf(1), math.Inf(1)}, 0
	for i := range len(v) / m {
		sum := 0.0
		for _, x := range v[i*m : (i+1)*m] {
			sum += x
		}
		if x := v[i*m+k]; x < best[0] || (x == best[0] && sum < best[1]) {
			best, at = [2]float64{x, sum}, i
		}
	}
	return at
}

func squared(a, b []float64) float64 {
	sum := 0.0
	for i, v := range a {
		d := v - b[i]
		sum += d * d
	}
	return sum
}
