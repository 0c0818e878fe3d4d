package search

import "context"

var designEntry = entry{
	Info: Info{
		Name:  "design",
		Line:  "one shot: anchors, then points that make a quadratic surest, then the largest gaps",
		Paper: "Box and Draper 1959 (I-optimal designs)",
	},
	build: func(*settings) Strategy { return design{} },
}

// design is a one-shot start that supports a quadratic: anchors, then I-optimal points, then the
// largest gaps. It never looks at a metric.
type design struct{}

// Ask implements Strategy.
func (design) Ask(ctx context.Context, q Question) (Proposal, error) {
	return extend(ctx, &q, q.N)
}

// allKnown is why there is nothing left to ask for.
const allKnown = "every place that could be told apart has been asked for"

// extend returns the next n points of the design, whatever is there already.
func extend(ctx context.Context, q *Question, n int) (Proposal, error) {
	r := newRegion(q.Space)
	taken := q.taken()
	var out Proposal
	put := func(x []float64, why string) {
		out.Points = append(out.Points, Proposed{X: x, Why: why})
		taken = append(taken, x)
	}
	for _, a := range r.anchors(len(r.models()) <= 4) {
		if len(out.Points) == n {
			return out, nil
		}
		if !q.Space.known(a.X, taken) {
			put(a.X, a.Why)
		}
	}
	if len(out.Points) == n {
		return out, nil
	}
	o := newOptimal(r, q.Seed)
	for _, x := range taken {
		if err := ctx.Err(); err != nil {
			return Proposal{}, err
		}
		o.add(x)
	}
	for len(out.Points) < n {
		if err := ctx.Err(); err != nil {
			return Proposal{}, err
		}
		x, why := o.next(), "makes a quadratic surer over the whole region"
		if !o.interactions {
			why = "makes linear and square terms surer over the whole region; a quadratic of so many coefficients is out of reach"
		}
		if x == nil || len(o.taken)%2 == 1 && len(o.taken) > o.size() {
			x, why = o.farthest(), "fills the largest gap"
		}
		if x == nil || q.Space.known(x, o.taken) {
			break
		}
		put(x, why)
		o.add(x)
	}
	if len(out.Points) == 0 {
		return q.exhausted(allKnown), nil
	}
	return out, nil
}
