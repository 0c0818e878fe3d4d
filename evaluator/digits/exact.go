package digits

import "math"

// What training and evaluation compute must be the same on every machine. The language allows x*y+z to be
// fused into one rounding unless a conversion stands between, hence float32(x*y) everywhere in this
// package; math.Sqrt is correctly rounded; math.Exp differs between architectures, hence exp here.

// exp returns e^x for x in [-745, 0], to about one unit in the last place: x = k·ln 2 + r, Taylor's
// series of e^r to r¹³, and the exponent raised by k.
func exp(x float64) float64 {
	if x < -700 {
		return 0
	}
	const ln2high, ln2low = 6.93147180369123816490e-01, 1.90821492927058770002e-10
	k := math.Floor(float64(x*math.Log2E) + 0.5)
	r := (x - float64(k*ln2high)) - float64(k*ln2low)
	sum := 1.0
	for i := 13.0; i > 0; i-- {
		sum = 1 + float64(sum*r)/i
	}
	return float64(sum * math.Float64frombits(uint64(int64(k)+1023)<<52))
}

// stream is the generator splitmix64 (Steele, Lea and Flood 2014).
type stream struct{ state uint64 }

func newStream(seed uint64) *stream { return &stream{seed} }

func (s *stream) next() uint64 {
	s.state += 0x9e3779b97f4a7c15
	z := s.state
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// below returns a whole number in [0, n).
func (s *stream) below(n int) int { return int(s.next() % uint64(n)) }

// within returns a number in [-limit, limit).
func (s *stream) within(limit float64) float32 {
	u := float64(float64(s.next()>>11) / (1 << 53))
	return float32((float64(2*u) - 1) * limit)
}

// permutation returns 0 … n−1 shuffled (Fisher and Yates).
func (s *stream) permutation(n int) []int {
	p := make([]int, n)
	for i := range p {
		j := s.below(i + 1)
		p[i], p[j] = p[j], i
	}
	return p
}
