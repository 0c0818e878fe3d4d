package pareto

import (
	"context"
	"math"
	"slices"

	"parfait/parallel"
)

// Contributions returns the volume that each point alone dominates within the reference point: the
// hypervolume less that without the point. It is 0 for points that are dominated, that stand twice or that are
// not better than the reference. What a dominated point dominates does not count for those that dominate it
// either: pass only NonDominated ones where it should. NaN throughout where the reference has a NaN.
//
// O(n log n) for two and three objectives without dominated points (HVC3D, Emmerich and Fonseca 2011);
// above, one limited hypervolume a point.
func Contributions(points [][]float64, ref []float64) []float64 {
	out := make([]float64, len(points))
	if len(ref) == 0 || slices.ContainsFunc(ref, math.IsNaN) {
		for i := range out {
			out[i] = math.NaN()
		}
		return out
	}
	var index []int
	for i, p := range points {
		if inside(p, ref) {
			index = append(index, i)
		}
	}
	c := shift(points, ref)
	if c.n() == 0 {
		return out
	}
	exclusive := func() []float64 { return c.exclusive(context.Background()) }
	if c.m <= 3 {
		exclusive = c.padded().exclusive3
	}
	for k, v := range exclusive() {
		out[index[k]] = v
	}
	return out
}

// padded adds objectives in which all points are alike, up to three; volumes stay what they are.
func (c shifted) padded() shifted {
	out := shifted{m: 3, v: make([]float64, 0, 3*c.n())}
	for i := range c.n() {
		row := [3]float64{-1, -1, -1}
		copy(row[:], c.v[i*c.m:(i+1)*c.m])
		out.v = append(out.v, row[:]...)
	}
	return out
}

// exclusive is what each point adds to the volume of all others, in the order of the points.
func (c shifted) exclusive(ctx context.Context) []float64 {
	out := make([]float64, c.n())
	order := ascending(c.n(), func(i int32) float64 { return c.at(i, c.m-1) })
	rows := c.byLast()
	err := parallel.For(ctx, 0, len(order), func(k int) {
		l := newWFG(ctx, c.m)
		v := &wfgLevel{bound: make([]float64, c.m)}
		v.front = append(v.front, rows[:k*c.m]...)
		v.front = append(v.front, rows[(k+1)*c.m:]...)
		out[order[k]] = l.exclusive(v, rows[k*c.m:(k+1)*c.m])
	})
	if err != nil {
		panic(stopped{err})
	}
	return out
}

// The contributions of three objectives
//
// Idea (HVC3D: Emmerich and Fonseca 2011). Sweep the third objective, z, and keep the front of the first two. At
// each z, a point of that front alone dominates a region: right of it and above it, up to its neighbours on
// the front, less the quadrants of the points inside that dominate the region too (they are not on the front of
// the two, but were passed). Its contribution is the integral of the region's area over z. A new point changes
// only the regions of its neighbours and of the points that it takes off the front; before a region changes,
// its volume so far is added up (advance).
//
// Invariant. inner ascends in x and descends in y and lies within the region.
//
// Cost. O(n log n) where no point is dominated: each point enters an inner list as often as it leaves the front.

// region is what one point on the front of two objectives alone dominates: from (x, y) to (right, top), less the
// quadrants of inner.
type region struct {
	x, y, right, top float64
	inner            []corner
	area             float64 // at the present z
	since            float64 // the z up to which volume is counted
	volume           float64
}

// exclusive3 is exclusive for three objectives.
func (c shifted) exclusive3() []float64 {
	byX := orderByXY(c)
	at := make([]int32, c.n()) // index in byX
	for k, i := range byX {
		at[i] = int32(k)
	}
	regions := make([]region, c.n()) // in the order of byX
	on := newIndexSet(c.n())
	for _, i := range ascending(c.n(), func(i int32) float64 { return c.at(i, 2) }) {
		p, z := at[i], c.at(i, 2)
		o := &regions[p]
		o.x, o.y, o.since = c.at(i, 0), c.at(i, 1), z
		before := on.before(p)
		if before >= 0 {
			b := &regions[before]
			if b.y <= o.y {
				b.advance(z)
				b.add(o.x, o.y)
				continue
			}
			o.top = b.y
		}
		after := on.after(p)
		for ; after >= 0 && regions[after].y >= o.y; after = on.after(after) {
			a := &regions[after]
			a.advance(z)
			a.area = 0
			o.inner = append(o.inner, corner{a.x, a.y})
			on.remove(after)
		}
		if after >= 0 {
			a := &regions[after]
			a.advance(z)
			a.cutTop(o.y)
			o.right = a.x
		}
		if before >= 0 {
			regions[before].advance(z)
			regions[before].cutRight(o.x)
		}
		o.setArea()
		on.insert(p)
	}
	out := make([]float64, c.n())
	for i := range out {
		o := &regions[at[i]]
		o.advance(0)
		out[i] = o.volume
	}
	return out
}

// advance counts the volume up to z.
func (o *region) advance(z float64) {
	o.volume += o.area * (z - o.since)
	o.since = z
}

// setArea works the area out from the corners.
func (o *region) setArea() {
	o.area = 0
	from, level := o.x, o.top
	for _, q := range o.inner {
		o.area += (q.x - from) * (level - o.y)
		from, level = q.x, q.y
	}
	o.area += (o.right - from) * (level - o.y)
}

// cutTop ends the region at y.
func (o *region) cutTop(y float64) {
	for len(o.inner) > 0 && o.inner[0].y >= y {
		q := o.inner[0]
		o.area -= (q.x - o.x) * (o.top - q.y)
		o.top, o.inner = q.y, o.inner[1:]
	}
	end := o.right
	if len(o.inner) > 0 {
		end = o.inner[0].x
	}
	o.area -= (end - o.x) * (o.top - y)
	o.top = y
}

// cutRight ends the region at x.
func (o *region) cutRight(x float64) {
	for len(o.inner) > 0 && o.inner[len(o.inner)-1].x >= x {
		q := o.inner[len(o.inner)-1]
		o.area -= (o.right - q.x) * (q.y - o.y)
		o.right, o.inner = q.x, o.inner[:len(o.inner)-1]
	}
	level := o.top
	if len(o.inner) > 0 {
		level = o.inner[len(o.inner)-1].y
	}
	o.area -= (o.right - x) * (level - o.y)
	o.right = x
}

// add takes the quadrant of a point that was passed off the region.
func (o *region) add(x, y float64) {
	if x >= o.right || y >= o.top {
		return
	}
	first, _ := slices.BinarySearchFunc(o.inner, x, func(q corner, x float64) int {
		if q.x < x {
			return -1
		}
		return 1
	})
	if first > 0 && o.inner[first-1].y <= y {
		return
	}
	last := first
	for last < len(o.inner) && o.inner[last].y >= y {
		last++
	}
	o.inner = slices.Replace(o.inner, first, last, corner{x, y})
	o.setArea()
}
