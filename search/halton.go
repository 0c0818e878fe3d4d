package search

// halton returns n points of the d-dimensional Halton sequence (Halton 1960) in [0, 1)^d, each digit
// scrambled by a random permutation that depends on the digits before it (Owen 1995, 2017): as even as a
// lattice, without its regularities, and the same for the same seed.
func halton(n, d int, seed uint64) [][]float64 {
	out := make([][]float64, n)
	flat := make([]float64, n*d)
	for k := range out {
		out[k] = flat[k*d : (k+1)*d]
	}
	digits := make([]int, n)
	for j, base := range primes(d) {
		for k := range digits {
			digits[k] = k
		}
		nested(out, digits, j, uint64(base), seed)
	}
	return out
}

// nested scrambles coordinate j of all points: permutations of one level are drawn for each prefix.
func nested(out [][]float64, index []int, j int, base, seed uint64) {
	b := float64(base)
	for k := range index {
		i, prefix, scale, v := uint64(index[k]), seed*0x9e3779b97f4a7c15+uint64(j)+1, 1/b, 0.0
		for scale > 1e-12 {
			digit := i % base
			i /= base
			v += float64(float64(permuted(digit, base, prefix)) * scale)
			prefix = mix(prefix ^ (digit + 1))
			scale /= b
		}
		out[k][j] = min(v, 1-1e-12)
	}
}

// permuted maps a digit by a random shift and a random multiplier: a permutation, as the base is prime.
func permuted(digit, base, key uint64) uint64 {
	h := mix(key)
	multiplier := 1 + h%(base-1)
	shift := (h >> 32) % base
	return (digit*multiplier + shift) % base
}

func primes(n int) []int {
	var out []int
	for k := 2; len(out) < n; k++ {
		prime := true
		for _, p := range out {
			if p*p > k {
				break
			}
			if k%p == 0 {
				prime = false
				break
			}
		}
		if prime {
			out = append(out, k)
		}
	}
	return out
}
