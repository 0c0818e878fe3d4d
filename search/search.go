// Package search decides which merges to measure next.
//
// In comes a Question: the space of coefficients, what was measured so far and what is still pending.
// Out comes a Proposal: points, and why each. Strategies are pure functions of the question (seeds are
// explicit), so a study resumes by asking again. The package stands on surrogate and pareto and knows
// nothing of evaluators, files or merging.
package search

import (
	"context"

	"parfait/pareto"
	"parfait/surrogate"
)

// Kind says what a coefficient turns.
type Kind string

// Kinds of coefficients.
const (
	Scaling   Kind = "scaling"   // scales one task vector; 0 is the base
	Parameter Kind = "parameter" // a parameter of the method, such as a density; no natural zero
)

// Coefficient is one number that may be turned.
type Coefficient struct {
	Name   string
	Lo, Hi float64
	Kind   Kind
	Model  string // the model scaled, where Kind is Scaling
	Group  string // its layer group, "" without groups
}

// Space is where coefficients live.
type Space struct {
	Coefficients []Coefficient
	Simplex      [][]int // disjoint sets of coefficients that are proportions
}

// Bounds returns the space as pareto's bounds.
func (s Space) Bounds() pareto.Bounds {
	b := pareto.Bounds{Simplex: s.Simplex}
	for _, c := range s.Coefficients {
		b.Lo, b.Hi = append(b.Lo, c.Lo), append(b.Hi, c.Hi)
	}
	return b
}

// Task is one metric as the search sees it.
type Task struct {
	Name     string
	Link     surrogate.Link
	Maximize bool
	Optimise bool     // false for guards and infos: fitted and shown, never optimised
	AtLeast  *float64 // floor of a guard or an objective, on the metric's scale
	AtMost   *float64
}

// Measurement is one metric of one point. NaN Value: not measured there; Stderr 0, N 0: not known.
type Measurement struct {
	Value, Stderr float64
	N             int
}

// Point is a finished trial. Y has one measurement a task; Failed points have none.
type Point struct {
	X      []float64
	Y      []Measurement
	Batch  int // −1: asked for by a person
	Failed bool
}

// Question is everything a strategy may look at.
type Question struct {
	Space   Space
	Tasks   []Task
	Done    []Point     // finished points, in the order of their ids
	Pending [][]float64 // asked for and not finished: to be entered at their predictions
	Batch   int         // index of the batch asked for
	N       int         // points wanted at most
	Budget  int         // trials in all
	Asked   int         // trials asked for so far by strategies
	Seed    uint64

	Surrogate surrogate.Choice // what strategies that fit are to fit
}

// Proposal is the next batch. Fewer than N points means that the strategy has no more to ask; Stop says
// why in words. Why has one entry a point, for a person. Advice says in words what the batch is expected to
// gain, where the strategy can tell, so that a person can decide whether it is worth its cost.
type Proposal struct {
	X      [][]float64
	Why    []string
	Stop   string
	Advice string
}

// Strategy proposes points. Ask is deterministic and safe for concurrent use.
type Strategy interface {
	Ask(ctx context.Context, q Question) (Proposal, error)
}
