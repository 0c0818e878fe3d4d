package pareto

import (
	"cmp"
	"slices"
)

// wfg is the hypervolume by exclusive volumes: each point's own box less the volume that the points
// after it, limited to that box, dominate in it (While, Bradstreet and Barone 2012).
func (c cloud) wfg() float64 {
	rows := make([][]float64, c.n())
	for i := range rows {
		rows[i] = c.v[i*c.m : (i+1)*c.m]
	}
	front := make([][]float64, 0, len(rows))
	for _, i := range NonDominated(rows) {
		front = append(front, rows[i])
	}
	// From the worst last objective on, so that limited sets are small.
	slices.SortFunc(front, func(a, b []float64) int { return cmp.Compare(b[c.m-1], a[c.m-1]) })
	total := 0.0
	for i, p := range front {
		box := 1.0
		for _, v := range p {
			box *= -v
		}
		rest := cloud{m: c.m - 1}
		for _, q := range front[i+1:] {
			for k := range c.m - 1 {
				rest.v = append(rest.v, max(p[k], q[k]))
			}
		}
		if len(rest.v) > 0 {
			// The points after p are no worse in the last objective: it is p's there.
			box -= rest.volume() * -p[c.m-1]
		}
		total += box
	}
	return total
}
