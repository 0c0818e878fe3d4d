package pareto

import (
	"math"
	"slices"

	"parfait/parallel"
)

// Contributions returns the volume that each point alone dominates within the reference point: the
// hypervolume less that without the point. 0 for points that another dominates, equals or that are not
// better than the reference; note that dominated points still take from those that dominate them, so
// filter by NonDominated first where they should not count. NaN throughout where the reference has one.
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
	c := newCloud(points, ref)
	if c.n() == 0 {
		return out
	}
	alone := c.alone
	if c.m <= 3 {
		alone = c.padded().alone3
	}
	for k, v := range alone() {
		out[index[k]] = v
	}
	return out
}

// padded adds objectives in which all points are alike, up to three; volumes stay what they are.
func (c cloud) padded() cloud {
	out := cloud{m: 3, v: make([]float64, 0, 3*c.n())}
	for i := range c.n() {
		row := [3]float64{-1, -1, -1}
		copy(row[:], c.v[i*c.m:(i+1)*c.m])
		out.v = append(out.v, row[:]...)
	}
	return out
}

// alone is what each point adds to all others, by the limited volumes of the recursion.
func (c cloud) alone() []float64 {
	out := make([]float64, c.n())
	order := ascending(c.n(), func(i int32) float64 { return c.at(i, c.m-1) })
	rows := c.byLast()
	parallel.For(0, len(order), func(k int) {
		l := newLimits(c.m)
		v := &level{bound: make([]float64, c.m)}
		v.front = append(v.front, rows[:k*c.m]...)
		v.front = append(v.front, rows[(k+1)*c.m:]...)
		out[order[k]] = l.alone(v, rows[k*c.m:(k+1)*c.m])
	})
	return out
}

// owner is a point on the stairs and the region that it alone covers: right of x and above y, up to
// right and top, outside the quadrants of its inner points.
type owner struct {
	x, y, right, top float64
	inner            []corner // ascending x, descending y
	area             float64  // of the region
	since            float64  // in z
	volume           float64
}

// alone3 sweeps the third objective; a point on the stairs owns what lies between its neighbours.
func (c cloud) alone3() []float64 {
	byX := orderXY(c)
	place := make([]int32, c.n())
	for k, i := range byX {
		place[i] = int32(k)
	}
	own := make([]owner, c.n()) // by place
	on := newPlaces(c.n())
	for _, i := range ascending(c.n(), func(i int32) float64 { return c.at(i, 2) }) {
		p, z := place[i], c.at(i, 2)
		o := &own[p]
		o.x, o.y, o.since = c.at(i, 0), c.at(i, 1), z
		before := on.before(p)
		if before >= 0 {
			b := &own[before]
			if b.y <= o.y {
				b.flush(z)
				b.add(o.x, o.y)
				continue
			}
			o.top = b.y
		}
		after := on.after(p)
		for ; after >= 0 && own[after].y >= o.y; after = on.after(after) {
			a := &own[after]
			a.flush(z)
			a.area = 0
			o.inner = append(o.inner, corner{a.x, a.y})
			on.remove(after)
		}
		if after >= 0 {
			a := &own[after]
			a.flush(z)
			a.lower(o.y)
			o.right = a.x
		}
		if before >= 0 {
			own[before].flush(z)
			own[before].narrow(o.x)
		}
		o.measure()
		on.insert(p)
	}
	out := make([]float64, c.n())
	for i := range out {
		o := &own[place[i]]
		o.flush(0)
		out[i] = o.volume
	}
	return out
}

func (o *owner) flush(z float64) {
	o.volume += o.area * (z - o.since)
	o.since = z
}

// measure sets the area from nothing.
func (o *owner) measure() {
	o.area = 0
	from, level := o.x, o.top
	for _, q := range o.inner {
		o.area += (q.x - from) * (level - o.y)
		from, level = q.x, q.y
	}
	o.area += (o.right - from) * (level - o.y)
}

// lower cuts the region off at y.
func (o *owner) lower(y float64) {
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

// narrow cuts the region off at x.
func (o *owner) narrow(x float64) {
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

// add takes the quadrant of a dominated point off the region.
func (o *owner) add(x, y float64) {
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
	o.measure()
}
