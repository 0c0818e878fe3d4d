package search

import (
	"math"

	"parfait/pareto"
)

// maxFit is how many points a fit takes: its cost grows with the cube of their number, and of thousands
// in a space of few coefficients most tell what their neighbours tell.
const maxFit = 500

// thin says which points to fit: all where there are few, else the measured front, as far as it takes half
// of them, and then again and again the point that is farthest from those taken (Gonzalez 1985). O(maxFit ·
// points · coefficients), and the same for the same points.
func (l *Landscape) thin(points []Point) []bool {
	keep := make([]bool, len(points))
	var whole []int // that have something measured
	for k, p := range points {
		for _, m := range p.Y {
			if !p.Failed && !math.IsNaN(m.Value) {
				whole = append(whole, k)
				break
			}
		}
	}
	if len(whole) <= maxFit {
		for _, k := range whole {
			keep[k] = true
		}
		return keep
	}
	far := make([]float64, len(whole)) // squared gap to the nearest that is taken; below 0: taken itself
	for i := range far {
		far[i] = math.Inf(1)
	}
	taken := 0
	take := func(i int) {
		keep[whole[i]], far[i] = true, -1
		taken++
		for j, k := range whole {
			if far[j] >= 0 {
				gap := l.space.Gap(points[k].X, points[whole[i]].X)
				far[j] = min(far[j], gap*gap)
			}
		}
	}
	var rows []int
	var fs [][]float64
	for i, k := range whole {
		if f, ok := l.goalsOf(points[k]); ok {
			rows, fs = append(rows, i), append(fs, f)
		}
	}
	front := pareto.NonDominated(fs)
	for n := range min(len(front), maxFit/2) {
		take(rows[front[n*len(front)/min(len(front), maxFit/2)]])
	}
	for taken < maxFit {
		best := -1
		for i, d := range far {
			if d >= 0 && (best < 0 || d > far[best]) {
				best = i
			}
		}
		take(best)
	}
	return keep
}
