package pareto

import "slices"

// spot is a point of three objectives.
type spot struct{ x, y, z float64 }

// sweep4 is the hypervolume of four objectives by a sweep of the fourth, in the manner of HV4D+ (Guerreiro,
// Fonseca and Emmerich 2012; Guerreiro and Fonseca 2018): the front of the first three is kept in the order
// of the third, and each point in turn adds the volume that it gains there, from its own fourth objective
// to the reference. Both lists are contiguous, which on fronts of thousands counts for more than the
// closest points that HV4D+ links: O(n²) comparisons, and O(n log n) for a point that sees n corners.
type sweep4 struct {
	front  []spot // non-dominated, ascending z
	corner []corner
	seen   []corner // below a point, in its region
}

// corner is one step of the region that is free for a point: below y from here to the next corner's x.
type corner struct{ x, y float64 }

// volume returns the hypervolume within the origin of rows of four in ascending order of the fourth; rows
// may be dominated.
func (s *sweep4) volume(rows []float64) float64 {
	s.front = s.front[:0]
	total := 0.0
	for i := 0; i+4 <= len(rows); i += 4 {
		total -= rows[i+3] * s.gain(spot{rows[i], rows[i+1], rows[i+2]})
	}
	return total
}

// gain returns the volume that p adds to the front's, and adds p to the front.
func (s *sweep4) gain(p spot) float64 {
	at, _ := slices.BinarySearchFunc(s.front, p.z, func(q spot, z float64) int {
		if q.z <= z {
			return -1
		}
		return 1
	})
	// The points below p in z limit it to x < right and y < top at once, and those beyond are out of sight.
	right, top := 0.0, 0.0
	s.seen = s.seen[:0]
	for i := at - 1; i >= 0; i-- {
		q := &s.front[i]
		if q.x >= right || q.y >= top {
			continue
		}
		switch {
		case q.x > p.x && q.y > p.y:
			s.seen = append(s.seen, corner{q.x, q.y})
		case q.x > p.x:
			right = q.x
		case q.y > p.y:
			top = q.y
		default:
			return 0
		}
	}
	s.corner = append(s.corner[:0], corner{p.x, top}, corner{right, p.y})
	area := (right - p.x) * (top - p.y)
	for _, q := range s.seen {
		if q.x < right && q.y < top {
			area -= s.cut(q.x, q.y)
		}
	}
	// Above p each point that cuts the region closes a slab.
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

// cut takes the quadrant above (x, y) off the region and returns the area lost.
func (s *sweep4) cut(x, y float64) float64 {
	// The first corner at or right of x.
	c := s.corner
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
		s.corner = append(s.corner, corner{})
		copy(s.corner[a+1:], c[a:])
	} else {
		s.corner = s.corner[:first+1+copy(c[first+1:], c[a:])]
	}
	s.corner[first] = corner{x, y}
	return lost
}

// insert puts p at its place; of the points behind only those before end and from rest on stay.
func (s *sweep4) insert(p spot, at, end, rest int) {
	n := len(s.front)
	if end == rest {
		s.front = append(s.front, spot{})
		copy(s.front[at+1:], s.front[at:n])
		s.front[at] = p
		return
	}
	copy(s.front[at+1:end+1], s.front[at:end])
	s.front[at] = p
	s.front = s.front[:end+1+copy(s.front[end+1:], s.front[rest:])]
}
