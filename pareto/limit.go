package pareto

// limits is the hypervolume of five objectives and more by exclusive volumes (WFG: While, Bradstreet and
// Barone 2012), down to sweep4. Points come in ascending order of the last objective, so that each gains,
// in the others, what those before it leave free, from its own last objective to the reference; that gain
// is its box less the volume of those before it, limited to the box. Where another point closes the box
// from one side the box is cut there, which leaves few points in it. Exponential in the number of
// objectives in the worst case (Lacour, Klamroth and Fonseca 2017).
type limits struct {
	base   sweep4
	levels []level // by number of objectives
}

// level is the state of one depth of the recursion: of its objectives all but the last are swept.
type level struct {
	front []float64 // non-dominated rows of one objective less, ascending in the last of them
	rows  []float64 // those limited to the box of a point
	bound []float64 // of that box
}

func newLimits(m int) *limits {
	l := &limits{levels: make([]level, m+1)}
	for k := range l.levels {
		l.levels[k].bound = make([]float64, max(k-1, 0))
	}
	return l
}

// volume returns the hypervolume within the origin of rows of m ≥ 4 in ascending order of the last entry.
func (l *limits) volume(m int, rows []float64) float64 {
	if m == 4 {
		return l.base.volume(rows)
	}
	v := &l.levels[m]
	v.front = v.front[:0]
	total := 0.0
	for i := 0; i+m <= len(rows); i += m {
		p := rows[i : i+m]
		total -= p[m-1] * l.gain(v, p[:m-1])
	}
	return total
}

// gain returns the volume that p adds to the level's front, and adds p to the front.
func (l *limits) gain(v *level, p []float64) float64 {
	gained := l.alone(v, p)
	if gained > 0 {
		v.add(p)
	}
	return gained
}

// alone returns the volume that p would add to the level's front.
func (l *limits) alone(v *level, p []float64) float64 {
	if !v.close(p) {
		return 0
	}
	box := 1.0
	for k, b := range v.bound {
		box *= b - p[k]
	}
	v.limit(p)
	if len(v.rows) > 0 {
		box -= l.volume(len(p), v.rows)
	}
	return box
}

// close stores the bound of the box of p: where a point is worse than p in one objective only, the box
// ends there. False where a point covers p.
func (v *level) close(p []float64) bool {
	clear(v.bound)
	m := len(p)
	for i := 0; i+m <= len(v.front); i += m {
		q := v.front[i : i+m]
		above, at := 0, 0
		for k, x := range q {
			if x > p[k] {
				if above++; above > 1 {
					break
				}
				at = k
			}
		}
		switch above {
		case 0:
			return false
		case 1:
			v.bound[at] = min(v.bound[at], q[at])
		}
	}
	return true
}

// limit stores the points of the front that reach into the box, limited to it, with the box's bound as
// the origin.
func (v *level) limit(p []float64) {
	m := len(p)
	v.rows = v.rows[:0]
next:
	for i := 0; i+m <= len(v.front); i += m {
		q := v.front[i : i+m]
		for k, x := range q {
			if x >= v.bound[k] {
				continue next
			}
		}
		for k, x := range q {
			v.rows = append(v.rows, max(x, p[k])-v.bound[k])
		}
	}
}

// add puts p in its place, for the points that it dominates.
func (v *level) add(p []float64) {
	m := len(p)
	at, end := -1, 0
	for i := 0; i+m <= len(v.front); i += m {
		q := v.front[i : i+m]
		if at < 0 && q[m-1] >= p[m-1] {
			at = end
		}
		if at >= 0 && coveredBy(q, p) {
			continue
		}
		if end < i {
			copy(v.front[end:end+m], q)
		}
		end += m
	}
	if at < 0 {
		at = end
	}
	v.front = append(v.front[:end], p...)
	copy(v.front[at+m:], v.front[at:end])
	copy(v.front[at:], p)
}

// coveredBy says whether p is at least as good as q in everything.
func coveredBy(q, p []float64) bool {
	for k, x := range q {
		if x < p[k] {
			return false
		}
	}
	return true
}
