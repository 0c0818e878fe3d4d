// Package search decides which merges to measure next, and says what the measured ones tell of the others.
//
// A program that searches does three things: it builds a strategy by name ([New]; [Strategies] lists them),
// asks it for points ([Strategy.Ask]) and enters what it measured there into the next [Question], until the
// answer is Stop. A program that only wants to know what its measurements say calls [Fit]: the [Landscape]
// that comes back has a surrogate and its trust a task, predicts a front ([Landscape.Front]) and says where
// it may be believed ([Landscape.Doubt]).
//
// In comes a Question: the space of coefficients, what was measured so far and what is still pending.
// Out comes a Proposal: points, and why each. Strategies are pure functions of the question (seeds are
// explicit), so a study resumes by asking again. What a strategy owes to whoever asks it is the list of
// [Clauses]; New holds every strategy to them, and so does [Hold] one of your own, which the suite of
// package searchtest tries in the shapes that studies have. The package stands on surrogate and pareto and
// knows nothing of evaluators, files or merging.
package search

import "context"

// Strategy proposes points. Ask is a pure function of the question, which it leaves as it is, and safe for
// concurrent use; what else it owes are the Clauses.
type Strategy interface {
	Ask(ctx context.Context, q Question) (Proposal, error)
}

// Proposal is the answer to a question, one of three: points to measure, Wait, or Stop.
type Proposal struct {
	Points []Proposed // at most as many as were asked for
	Wait   string     // why nothing can be asked for yet: ask again when a pending point has finished
	Stop   string     // why there is nothing more to ask for, whatever becomes of what is pending: the end
	Advice Advice     // beside points, where the strategy can tell
}

// Xs are the coefficients of the points.
func (p Proposal) Xs() [][]float64 {
	out := make([][]float64, len(p.Points))
	for i, point := range p.Points {
		out[i] = point.X
	}
	return out
}

// Proposed is a point to be measured.
type Proposed struct {
	X      []float64 // a value a coefficient
	Why    string    // in words, for a person
	Repeat bool      // X was asked for before, and is to be measured once more
}

// Advice is what a batch is expected to gain, so that a person can decide whether it is worth its cost.
type Advice struct {
	Text string  `json:"text"` // what the points are, such as "expected to add 0.8 % to the …"; "": it cannot tell
	Gain float64 `json:"gain"` // expected growth of the measured front's hypervolume, as a share of it
}
