package search

import "context"

// design is a one-shot start that supports a quadratic: anchors, then I-optimal points, then the
// largest gaps. It never looks at a metric.
type design struct{}

// Ask implements Strategy.
func (design) Ask(ctx context.Context, q Question) (Proposal, error) {
	if err := q.check(); err != nil {
		return Proposal{}, err
	}
	n, spent := q.wanted()
	if n == 0 {
		return Proposal{Stop: spent}, nil
	}
	return extend(ctx, q, n)
}

// extend returns the next n points of the design, whatever is there already.
func extend(ctx context.Context, q Question, n int) (Proposal, error) {
	r := newRegion(q.Space)
	taken := q.taken()
	var out Proposal
	put := func(x []float64, why string) {
		out.X, out.Why = append(out.X, x), append(out.Why, why)
		taken = append(taken, x)
	}
	for _, a := range r.anchors(len(r.models()) <= 4) {
		if len(out.X) == n {
			return out, nil
		}
		if !q.Space.known(a.x, taken) {
			put(a.x, a.why)
		}
	}
	if len(out.X) == n {
		return out, nil
	}
	o := newOptimal(r, q.Seed)
	for _, x := range taken {
		o.add(x)
	}
	for len(out.X) < n {
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
			out.Stop = "every place that could be told apart has been asked for"
			return out, nil
		}
		put(x, why)
		o.add(x)
	}
	return out, nil
}
