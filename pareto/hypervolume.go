package pareto

import (
	"context"
	"math"
	"slices"
)

// Hypervolume returns the volume that the points dominate within the reference point: exact. Points that
// are not better than the reference in every objective add nothing. NaN where the reference has a NaN or
// no entries, or where the volume cannot be told (an objective of −Inf gives +Inf).
//
// A sweep for two objectives and for three (Beume, Fonseca, López-Ibáñez, Paquete and Vahrenhold 2009),
// O(n log n); for four a sweep with incremental contributions in three (HV4D+, Guerreiro and Fonseca 2018),
// O(n²) comparisons; exclusive volumes above (WFG, While, Bradstreet and Barone 2012), down to four.
func Hypervolume(points [][]float64, ref []float64) float64 {
	v, _ := HypervolumeUntil(context.Background(), points, ref) // which never ends
	return v
}

// HypervolumeUntil is Hypervolume, or the error of ctx where that ends before: with five objectives and more, many
// points may take hours.
func HypervolumeUntil(ctx context.Context, points [][]float64, ref []float64) (volume float64, err error) {
	defer unwound(&err)
	if len(ref) == 0 || slices.ContainsFunc(ref, math.IsNaN) {
		return math.NaN(), nil
	}
	return shift(points, ref).volume(ctx), nil
}

// shifted is points, row after row, moved so that the reference is the origin: every entry is negative. Points that
// are not better than the reference in every objective are left out.
type shifted struct {
	m int
	v []float64
}

func shift(points [][]float64, ref []float64) shifted {
	c := shifted{m: len(ref), v: make([]float64, 0, len(points)*len(ref))}
	for _, p := range points {
		if inside(p, ref) {
			for k, x := range p {
				c.v = append(c.v, x-ref[k])
			}
		}
	}
	return c
}

// inside says whether p is better than the reference in every objective.
func inside(p, ref []float64) bool {
	if len(p) != len(ref) {
		return false
	}
	for k, x := range p {
		if !(x < ref[k]) {
			return false
		}
	}
	return true
}

func (c shifted) n() int { return len(c.v) / c.m }

func (c shifted) at(i int32, k int) float64 { return c.v[int(i)*c.m+k] }

func (c shifted) volume(ctx context.Context) float64 {
	switch {
	case c.n() == 0:
		return 0
	case c.m == 1:
		best := 0.0
		for _, x := range c.v {
			best = min(best, x)
		}
		return -best
	case c.m == 2:
		return c.volume2()
	case c.m == 3:
		return c.volume3()
	default:
		return newWFG(ctx, c.m).volume(c.m, c.byLast())
	}
}

// byLast returns the rows in ascending order of their last objective.
func (c shifted) byLast() []float64 {
	out := make([]float64, 0, len(c.v))
	for _, i := range ascending(c.n(), func(i int32) float64 { return c.at(i, c.m-1) }) {
		out = append(out, c.v[int(i)*c.m:(int(i)+1)*c.m]...)
	}
	return out
}

func (c shifted) volume2() float64 {
	order := ascending(c.n(), func(i int32) float64 { return c.at(i, 0) })
	total, top := 0.0, 0.0
	for _, i := range order {
		if y := c.at(i, 1); y < top {
			total += c.at(i, 0) * (y - top)
			top = y
		}
	}
	return total
}

// volume3 sweeps the third objective and keeps the front of the first two: the volume is the integral of the area
// that this front dominates.
func (c shifted) volume3() float64 {
	byX := orderByXY(c)
	at := make([]int32, c.n()) // index in byX
	for k, i := range byX {
		at[i] = int32(k)
	}
	s := newFront2(c, byX)
	order := ascending(c.n(), func(i int32) float64 { return c.at(i, 2) })
	total, area := 0.0, 0.0
	for k, i := range order {
		area += s.add(at[i])
		next := 0.0
		if k+1 < len(order) {
			next = c.at(order[k+1], 2)
		}
		total += area * (next - c.at(i, 2))
	}
	return total
}
