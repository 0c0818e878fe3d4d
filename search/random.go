package search

import "math/rand/v2"

// mix is the finaliser of SplitMix64 (Steele, Lea and Flood 2014).
func mix(z uint64) uint64 {
	z += 0x9e3779b97f4a7c15
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb
	return z ^ (z >> 31)
}

// generator returns the random numbers of one purpose of one question.
func generator(seed uint64, purpose uint64) *rand.Rand {
	return rand.New(rand.NewPCG(seed, mix(purpose)))
}
