package pareto

import "context"

// The hypervolume of five objectives and more
//
// Idea (WFG: While, Bradstreet and Barone 2012). Take the points in ascending order of the last objective. Up to
// there only the points before it matter to a point, so it adds, over the rest of the last objective, the
// volume that it alone dominates in the others: the volume of its box, which reaches from it to the origin,
// less what the points before it dominate of that box. That is a hypervolume again, of these points limited to
// the box (each objective at least the point's own) in one objective less, down to four, where sweep4 takes
// over.
//
// Two things keep the recursion small. A point that is worse in one objective alone cuts a whole slab off the
// box, so the box is shortened instead of the point being carried on (boundBox). And of each level's points
// only the non-dominated are kept, in the order in which the level below needs them.
//
// Invariant. Every row is within the origin, so that all entries are negative; a level's front is
// non-dominated and ascending in its last objective.
//
// Cost. Exponential in the number of objectives in the worst case; on real fronts the limited sets shrink
// quickly (measured: bench/pareto). Lacour, Klamroth and Fonseca 2017 compare such methods.

// wfg is the state of the recursion.
type wfg struct {
	ctx    context.Context // asked before each row of each level: a volume of many objectives may take hours
	base   sweep4
	levels []wfgLevel // by number of objectives
}

// wfgLevel is the state of one depth of the recursion: of its m objectives all but the last are looked at.
type wfgLevel struct {
	front []float64 // non-dominated rows of m−1, ascending in the last of them
	rows  []float64 // those limited to the box of a point
	bound []float64 // m−1: where that box ends
}

func newWFG(ctx context.Context, m int) *wfg {
	l := &wfg{ctx: ctx, levels: make([]wfgLevel, m+1)}
	for k := range l.levels {
		l.levels[k].bound = make([]float64, max(k-1, 0))
	}
	return l
}

// volume returns the hypervolume within the origin of rows of m ≥ 4 in ascending order of the last entry.
func (l *wfg) volume(m int, rows []float64) float64 {
	if m == 4 {
		return l.base.volume(rows)
	}
	v := &l.levels[m]
	v.front = v.front[:0]
	total := 0.0
	for i := 0; i+m <= len(rows); i += m {
		goOn(l.ctx)
		p := rows[i : i+m]
		total -= p[m-1] * l.add(v, p[:m-1])
	}
	return total
}

// add returns the volume that p adds to the level's front, and adds p to the front.
func (l *wfg) add(v *wfgLevel, p []float64) float64 {
	gained := l.exclusive(v, p)
	if gained > 0 {
		v.add(p)
	}
	return gained
}

// exclusive returns the volume that p would add to the level's front.
func (l *wfg) exclusive(v *wfgLevel, p []float64) float64 {
	if !v.boundBox(p) {
		return 0
	}
	box := 1.0
	for k, b := range v.bound {
		box *= b - p[k]
	}
	v.limitTo(p)
	if len(v.rows) > 0 {
		box -= l.volume(len(p), v.rows)
	}
	return box
}

// boundBox stores where the box of p ends: where a point is worse than p in one objective only, the box ends
// there. False where a point is at least as good as p in all.
func (v *wfgLevel) boundBox(p []float64) bool {
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

// limitTo stores the points of the front that reach into the box of p, limited to it, with the end of the box as
// the origin.
func (v *wfgLevel) limitTo(p []float64) {
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

// add puts p into the front, in order, and takes out the points that it dominates.
func (v *wfgLevel) add(p []float64) {
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
