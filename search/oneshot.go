package search

import (
	"context"
)

var oneshotEntry = entry{
	Info: Info{
		Name:  "map",
		Line:  "MAP: one shot, spread evenly over the whole box",
		Paper: "MAP, Li et al. 2024 (arXiv 2406.07529)",
	},
	build: func(*settings) Strategy { return oneshot{} },
}

// oneshot is MAP (Li et al., arXiv 2406.07529): all points at once, spread evenly over the whole box
// without a look at any metric; surrogates and front come after. Where there are more than four models it
// spends most of its points in corners where merges collapse; design and adaptive do not.
type oneshot struct{}

// Ask implements Strategy.
func (oneshot) Ask(ctx context.Context, q Question) (Proposal, error) {
	return even(ctx, &q)
}

// even returns the next points of a sequence that is even over the whole space.
func even(ctx context.Context, q *Question) (Proposal, error) {
	r, n := newRegion(q.Space).whole(), q.N
	taken := q.taken()
	var out Proposal
	for from := q.Asked; len(out.Points) < n && from <= q.Asked+100*n; from += n {
		if err := ctx.Err(); err != nil {
			return Proposal{}, err
		}
		for _, x := range r.spread(from+n, q.Seed)[from:] {
			x = q.Space.tidy(x)
			if len(out.Points) < n && !q.Space.known(x, taken) {
				taken = append(taken, x)
				out.Points = append(out.Points, Proposed{X: x, Why: "spread evenly over the whole box"})
			}
		}
	}
	if len(out.Points) == 0 {
		return q.exhausted(allKnown), nil
	}
	return out, nil
}
