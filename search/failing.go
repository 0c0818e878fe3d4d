package search

import (
	"math"
	"slices"
)

// How much larger the ball to the nearest point that failed must be than the ball to the nearest that was
// measured. In volumes, because with many coefficients all points are about as far from each other.
const (
	nearToBelieve = 2
	nearToAsk     = 4 // the edge is approached step by step, and a run does not consist of failures
)

// failing is above 0 where x lies near a point that could not be measured: what broke the merge there breaks it
// here too, as far as anybody knows. It is −1 where nothing failed.
func (l *Landscape) failing(x []float64, near float64) float64 {
	if len(l.failed) == 0 || len(l.worked) == 0 {
		return -1
	}
	_, bad := l.nearest(l.failed, x)
	_, good := l.nearest(l.worked, x)
	good *= math.Pow(near, 1/float64(max(len(x), 2)))
	return (good - bad) / max(good+bad, 1e-12)
}

// astray says whether what makes x failing is a stray.
func (l *Landscape) astray(x []float64) bool {
	_, any := l.nearest(l.failed, x)
	_, stray := l.nearest(l.strays, x)
	return stray <= any
}

func (l *Landscape) nearest(points [][]float64, x []float64) (at int, gap float64) {
	gap = math.Inf(1)
	for i, p := range points {
		if d := l.space.Gap(x, p); d < gap {
			at, gap = i, d
		}
	}
	return at, gap
}

// retreat moves a point that is failing towards the nearest one that could be measured, until it is not.
// Proportions stay proportions.
func (l *Landscape) retreat(x []float64) []float64 {
	if l.failing(x, nearToAsk) <= 0 {
		return x
	}
	i, _ := l.nearest(l.worked, x)
	safe, lo, hi := l.worked[i], 0.0, 1.0
	on := func(share float64) []float64 {
		y := slices.Clone(x)
		for k := range y {
			y[k] += share * (safe[k] - y[k])
		}
		return y
	}
	for range 12 {
		if mid := (lo + hi) / 2; l.failing(on(mid), nearToAsk) > 0 {
			lo = mid
		} else {
			hi = mid
		}
	}
	return on(hi)
}
