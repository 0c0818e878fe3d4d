package pareto

import (
	"math"
	"slices"
)

// Subset returns the indices of at most n rows that are spread evenly over the front: the best of every
// objective first, then always the row farthest from those taken (Gonzalez 1985), with each objective in
// units of its range. Only non-dominated rows are taken; the order is that of the taking, so that every
// prefix is spread too. O(n · len(fs)).
func Subset(fs [][]float64, n int) []int {
	front := NonDominated(fs)
	if n <= 0 || len(front) == 0 {
		return nil
	}
	s := rangesOf(fs, front)
	points := make([][]float64, len(front))
	for i, f := range front {
		points[i] = make([]float64, len(fs[f]))
		for k, v := range fs[f] {
			points[i][k] = s.unit(k, v)
		}
	}
	taken, _ := farthestFirst(points, n)
	for i, t := range taken {
		taken[i] = front[t]
	}
	return taken
}

// farthestFirst takes at most n points: the least in every coordinate, then always the one farthest from those
// taken. It also returns how far the last was.
func farthestFirst(points [][]float64, n int) (taken []int, last float64) {
	m := len(points[0])
	v := slices.Concat(points...)
	gap := make([]float64, len(points))
	for i := range gap {
		gap[i] = math.Inf(1)
	}
	take := func(t int) {
		taken = append(taken, t)
		last = math.Sqrt(gap[t])
		p := v[t*m : (t+1)*m]
		for i := range gap {
			if gap[i] >= 0 {
				gap[i] = min(gap[i], squared(v[i*m:(i+1)*m], p))
			}
		}
		gap[t] = -1
	}
	for k := 0; k < m && len(taken) < n; k++ {
		t := argLeast(v, m, k)
		if gap[t] >= 0 {
			take(t)
		}
	}
	for len(taken) < min(n, len(points)) {
		far := 0
		for i, g := range gap {
			if g > gap[far] {
				far = i
			}
		}
		take(far)
	}
	return taken, last
}

// argLeast is the row with the least objective k, of equals the one with the least sum.
func argLeast(v []float64, m, k int) int {
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
