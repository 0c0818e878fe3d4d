package pareto

import "slices"

// The hypervolume of four objectives
//
// Idea (HV4D+: Guerreiro, Fonseca and Emmerich 2012; Guerreiro and Fonseca 2018). Sweep the fourth objective
// upwards and keep the front of the first three among the points passed. Each new point p adds to the volume,
// over the rest of the fourth objective, what it alone dominates in the first three (add).
//
// That gain is found by a sweep of the third objective, z, from p upwards: at each z, p dominates the rectangle
// right of p.x and above p.y, less the quadrants of the points of the front at or below z. What is left of the
// rectangle is a staircase, held as its corners; a point of the front that is passed on the way cuts its
// quadrant off (cut), and area times the step in z is added up until nothing is left.
//
// Invariants. All coordinates are negative, the reference is the origin. front is non-dominated and ascending in
// z. corners ascend in x and descend in y; the region left for p is, from one corner's x to the next, below the
// former's y.
//
// Cost. O(n²) comparisons in all: a point looks through the front once, and is cut by few corners. HV4D+ links
// each point to its nearest in x and y instead; on fronts of thousands, contiguous lists were faster.

// point3 is a point of three objectives.
type point3 struct{ x, y, z float64 }

// corner is one step of the region that is left for a point: below y from here to the next corner's x.
type corner struct{ x, y float64 }

// sweep4 is the state of a sweep.
type sweep4 struct {
	front   []point3 // non-dominated, ascending z
	corners []corner // of the region left for a point
	below   []corner // points at or below its z that cut the region
}

// volume returns the hypervolume within the origin of rows of four in ascending order of the fourth; rows
// may be dominated.
func (s *sweep4) volume(rows []float64) float64 {
	s.front = s.front[:0]
	total := 0.0
	for i := 0; i+4 <= len(rows); i += 4 {
		total -= rows[i+3] * s.add(point3{rows[i], rows[i+1], rows[i+2]})
	}
	return total
}

// add returns the volume of three objectives that p adds to the front's, and adds p to the front.
func (s *sweep4) add(p point3) float64 {
	at, _ := slices.BinarySearchFunc(s.front, p.z, func(q point3, z float64) int {
		if q.z <= z {
			return -1
		}
		return 1
	})
	// Points at or below p.z: those at least as good as p in y (x) end the region at right (top); those beyond it
	// do not matter.
	right, top := 0.0, 0.0
	s.below = s.below[:0]
	for i := at - 1; i >= 0; i-- {
		q := &s.front[i]
		if q.x >= right || q.y >= top {
			continue
		}
		switch {
		case q.x > p.x && q.y > p.y:
			s.below = append(s.below, corner{q.x, q.y})
		case q.x > p.x:
			right = q.x
		case q.y > p.y:
			top = q.y
		default:
			return 0
		}
	}
	s.corners = append(s.corners[:0], corner{p.x, top}, corner{right, p.y})
	area := (right - p.x) * (top - p.y)
	for _, q := range s.below {
		if q.x < right && q.y < top {
			area -= s.cut(q.x, q.y)
		}
	}
	// Above p.z: each point that cuts the region closes a slab of it. Points that p dominates leave the front.
	volume, from, end, i := 0.0, p.z, at, at
	for ; i < len(s.front); i++ {
		q := s.front[i]
		if q.x < right && q.y < top {
			volume += area * (q.z - from)
			from = q.z
			if q.x <= p.x && q.y <= p.y {
				area = 0
				break
			}
			area -= s.cut(max(q.x, p.x), max(q.y, p.y))
			if q.x <= p.x {
				top = q.y
			} else if q.y <= p.y {
				right = q.x
			}
		}
		if q.x < p.x || q.y < p.y {
			s.front[end] = q
			end++
		}
	}
	volume -= area * from
	s.insert(p, at, end, i)
	return volume
}

// cut takes the quadrant right of x and above y off the region and returns the area lost.
func (s *sweep4) cut(x, y float64) float64 {
	// The first corner at or right of x.
	c := s.corners
	a := len(c) - 1
	for a > 0 && c[a-1].x >= x {
		a--
	}
	level := c[0].y
	if a > 0 {
		level = c[a-1].y
	}
	if level <= y {
		return 0
	}
	first, from, lost := a, x, 0.0
	for {
		lost += (c[a].x - from) * (level - y)
		if a == len(c)-1 || c[a].y < y {
			break
		}
		from, level = c[a].x, c[a].y
		a++
	}
	// c[first:a] are covered; (x, y) takes their place.
	if first == a {
		s.corners = append(s.corners, corner{})
		copy(s.corners[a+1:], c[a:])
	} else {
		s.corners = s.corners[:first+1+copy(c[first+1:], c[a:])]
	}
	s.corners[first] = corner{x, y}
	return lost
}

// insert puts p at index at; of the points behind it only those before end, and those from rest on, stay.
func (s *sweep4) insert(p point3, at, end, rest int) {
	n := len(s.front)
	if end == rest {
		s.front = append(s.front, point3{})
		copy(s.front[at+1:], s.front[at:n])
		s.front[at] = p
		return
	}
	copy(s.front[at+1:end+1], s.front[at:end])
	s.front[at] = p
	s.front = s.front[:end+1+copy(s.front[end+1:], s.front[rest:])]
}
