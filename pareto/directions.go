package pareto

// DasDennis returns the directions with m non-negative coordinates that are multiples of 1/p and sum to
// one: (m+p−1 choose p) of them, in lexicographic order (Das and Dennis 1998). None where m < 1 or p < 1.
func DasDennis(m, p int) [][]float64 {
	if m < 1 || p < 1 {
		return nil
	}
	var out [][]float64
	at := make([]int, m)
	var fill func(k, left int)
	fill = func(k, left int) {
		if k == m-1 {
			at[k] = left
			r := make([]float64, m)
			for i, v := range at {
				r[i] = float64(v) / float64(p)
			}
			out = append(out, r)
			return
		}
		for v := range left + 1 {
			at[k] = v
			fill(k+1, left-v)
		}
	}
	fill(0, p)
	return out
}

// dasDennisLayers returns the directions of an outer layer of p divisions and of an inner layer of q,
// shrunk by half towards the centre, for more objectives than one layer can serve (Deb and Jain 2014).
func dasDennisLayers(m, p, q int) [][]float64 {
	out := DasDennis(m, p)
	for _, r := range DasDennis(m, q) {
		for i := range r {
			r[i] = (r[i] + 1/float64(m)) / 2
		}
		out = append(out, r)
	}
	return out
}

// Directions returns at most n Das–Dennis directions (and always the m axes): one layer as fine as fits,
// or two where one would have none off the edges, as Deb and Jain do above five objectives.
func Directions(m, n int) [][]float64 {
	p := 1
	for m > 1 && directionsCount(m, p+1) <= n {
		p++
	}
	if p >= m || m == 1 {
		return DasDennis(m, p)
	}
	for outer := p; outer > 1; outer-- {
		if directionsCount(m, outer)+directionsCount(m, outer-1) <= n {
			return dasDennisLayers(m, outer, outer-1)
		}
	}
	return DasDennis(m, p)
}

// directionsCount is the number of Das–Dennis directions.
func directionsCount(m, p int) int {
	n := 1
	for i := 1; i < m; i++ {
		if n = n * (p + i) / i; n > 1<<30 {
			return n
		}
	}
	return n
}
