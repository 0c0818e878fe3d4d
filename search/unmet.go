package search

import (
	"context"
	"math"
)

// Unmet is what is missing where no merge that may be believed is predicted to keep all floors.
type Unmet struct {
	Nearest []float64 // misses the worst of them least, in units of the tasks' ranges
	Floor   int       // the one to lower by the least, so that the others can be kept, as its index in Under's; −1: no one suffices
	Instead []float64 // keeps the others and comes nearest to it, where there is such a one
}

// Unmet says which floor to give up, and for what, where not all can be kept; nil where they can. About a tenth of what a
// front costs.
func (l *Landscape) Unmet(ctx context.Context) (*Unmet, error) {
	if len(l.floors) == 0 {
		return nil, nil
	}
	from, may, err := l.places(ctx)
	if err != nil {
		return nil, err
	}
	u, out := l.asPredicted(), &Unmet{Floor: -1}
	kept, ends, err := u.within(ctx, from, may)
	if err != nil || len(kept) > 0 {
		return nil, err
	}
	least := math.Inf(1)
	for _, x := range ends {
		if m := u.missing(x); m < least {
			out.Nearest, least = x, m
		}
	}
	least = math.Inf(1)
	for k := range u.floors {
		x, miss, err := u.givingUp(ctx, k, from, may)
		if err != nil {
			return nil, err
		}
		if x != nil && miss <= 0 {
			return nil, nil
		}
		if x != nil && miss < least {
			out.Floor, out.Instead, least = k, x, miss
		}
	}
	return out, nil
}

// givingUp is the point that misses floor k least of those that keep the others, and by how much in units of its range;
// nil where none keeps them.
func (l *Landscape) givingUp(ctx context.Context, k int, from [][]float64, may func([]float64) bool) (x []float64, miss float64, err error) {
	others, only := l.without(k), l.without(-1)
	only.floors = l.floors[k : k+1]
	kept, _, err := others.within(ctx, from, may)
	if err != nil {
		return nil, 0, err
	}
	miss = math.Inf(1)
	for _, y := range kept {
		if m := only.missing(y); m < miss {
			x, miss = y, m
		}
	}
	if x != nil {
		x = only.enter(x, func(y []float64) bool { return others.backWithin(y) && (may == nil || may(y)) })
		miss = only.missing(x)
	}
	return x, miss, nil
}
