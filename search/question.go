package search

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"parfait/surrogate"
)

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
	N       int         // points wanted at most, one at least
	Budget  int         // trials that strategies may ask for in all; 0: as many as they like
	Asked   int         // trials asked for so far by strategies
	Seed    uint64

	Surrogate surrogate.Choice // what strategies that fit are to fit
	Focus     *Focus           // where somebody looks; nil: everywhere
}

// check returns everything that makes q unanswerable.
func (q *Question) check() error {
	var wrong []string
	d := len(q.Space.Coefficients)
	if d == 0 {
		wrong = append(wrong, "the space has no coefficients: give at least one model or parameter a range")
	}
	for _, c := range q.Space.Coefficients {
		if math.IsNaN(c.Lo) || math.IsNaN(c.Hi) || math.IsInf(c.Lo, 0) || math.IsInf(c.Hi, 0) || c.Lo > c.Hi {
			wrong = append(wrong, fmt.Sprintf("coefficient %q: range [%g, %g] is not in order", c.Name, c.Lo, c.Hi))
		}
	}
	seen := map[int]bool{}
	for k, set := range q.Space.Simplex {
		if len(set) == 0 {
			wrong = append(wrong, fmt.Sprintf("simplex %d is empty", k))
		}
		sound := len(set) > 0
		for _, i := range set {
			if i < 0 || i >= d || seen[i] {
				wrong = append(wrong, fmt.Sprintf("simplex %d: coefficient %d does not exist or is in two simplices", k, i))
				sound = false
				continue
			}
			seen[i] = true
		}
		if !sound {
			continue
		}
		if least, most := q.Space.Bounds().Sums(set); least > 1+tolerance || most < 1-tolerance {
			wrong = append(wrong, fmt.Sprintf("simplex %d: proportions within their ranges sum to %g at least and %g at most, never to 1", k, least, most))
		}
	}
	for k, p := range q.Done {
		if len(p.X) != d {
			wrong = append(wrong, fmt.Sprintf("point %d has %d coefficients, the space has %d", k, len(p.X), d))
		}
		if !p.Failed && len(p.Y) != len(q.Tasks) {
			wrong = append(wrong, fmt.Sprintf("point %d has %d measurements for %d tasks", k, len(p.Y), len(q.Tasks)))
		}
	}
	for k, x := range q.Pending {
		if len(x) != d {
			wrong = append(wrong, fmt.Sprintf("pending point %d has %d coefficients, the space has %d", k, len(x), d))
		}
	}
	if more := len(wrong) - 10; more > 0 {
		wrong = append(wrong[:10], fmt.Sprintf("and %d more of the kind", more))
	}
	if len(wrong) > 0 {
		return fail(BadQuestion, "%s", strings.Join(wrong, "; "))
	}
	return nil
}

// suits says that the space has too few models for a strategy.
func (q *Question) suits(i Info) error {
	n := len(q.Space.units())
	if n >= i.Models {
		return nil
	}
	wanted := "a model"
	if i.Models > 1 {
		wanted = fmt.Sprintf("%d models", i.Models)
	}
	return fail(BadQuestion, "strategy %q needs %s with a range, and the coefficients scale %d: give it more, or choose another strategy",
		i.Name, wanted, n)
}

// left is how many points the budget still allows; spent says why it is none.
func (q *Question) left() (n int, spent string) {
	switch {
	case q.Budget <= 0:
		return math.MaxInt, ""
	case q.Asked >= q.Budget:
		return 0, fmt.Sprintf("the budget of %d trials is spent", q.Budget)
	}
	return q.Budget - q.Asked, ""
}

// exhausted is the answer where no point is left to be asked for: the end, or Wait while something is pending
// that may change that.
func (q *Question) exhausted(why string) Proposal {
	if len(q.Pending) > 0 {
		return Proposal{Wait: why}
	}
	return Proposal{Stop: why}
}

// taken are all points that were ever asked for, finished, failed or pending.
func (q *Question) taken() [][]float64 {
	out := make([][]float64, 0, len(q.Done)+len(q.Pending))
	for _, p := range q.Done {
		out = append(out, p.X)
	}
	return append(out, q.Pending...)
}

// standing says what is known of a point.
type standing int

const (
	unasked standing = iota
	pending
	settled // finished, whether it was measured or failed
)

// recall finds x among the points of the question, as exactly as it was asked for. Of several finished
// ones the first that did not fail counts.
func (q *Question) recall(x []float64) (Point, standing) {
	found, how := Point{}, unasked
	for _, p := range q.Done {
		if q.Space.same(p.X, x) {
			if found, how = p, settled; !p.Failed {
				return found, how
			}
		}
	}
	if how == settled {
		return found, how
	}
	for _, p := range q.Pending {
		if q.Space.same(p, x) {
			return Point{}, pending
		}
	}
	return Point{}, unasked
}

// measured says whether every task was measured somewhere.
func (q *Question) measured() bool {
	for i := range q.Tasks {
		if !slices.ContainsFunc(q.Done, func(p Point) bool { return !p.Failed && !math.IsNaN(p.Y[i].Value) }) {
			return false
		}
	}
	return len(q.Tasks) > 0
}

// goals are the indices of the optimised tasks.
func (q *Question) goals() []int {
	var out []int
	for i, t := range q.Tasks {
		if t.Optimise {
			out = append(out, i)
		}
	}
	return out
}

// maxDraws is how many draws in a row may be places that were asked for already.
const maxDraws = 200

// draw returns the first n of the points next(0), next(1), … that nobody has asked for yet.
func (q *Question) draw(ctx context.Context, n int, next func(i int) []float64, why string) (Proposal, error) {
	var out Proposal
	taken := q.taken()
	for i, misses := 0, 0; len(out.Points) < n && misses <= maxDraws; i++ {
		if err := ctx.Err(); err != nil {
			return Proposal{}, err
		}
		x := q.Space.tidy(next(i))
		if q.Space.known(x, taken) {
			misses++
			continue
		}
		misses = 0
		taken = append(taken, x)
		out.Points = append(out.Points, Proposed{X: x, Why: why})
	}
	if len(out.Points) == 0 {
		return q.exhausted("every place that is found has been asked for"), nil
	}
	return out, nil
}

// needs gathers points that a strategy needs exactly as they are: each once, and none that was asked for.
type needs struct {
	*Question
	points []Proposed
}

// put adds a point, and says what is known of it already.
func (n *needs) put(x []float64, why string) (Point, standing) {
	p, how := n.recall(x)
	if how == unasked && !slices.ContainsFunc(n.points, func(o Proposed) bool { return n.Space.same(o.X, x) }) {
		n.points = append(n.points, Proposed{X: x, Why: why})
	}
	return p, how
}

// first is a proposal of the first of them, as many as are wanted.
func (n *needs) first() Proposal { return Proposal{Points: n.points[:min(n.N, len(n.points))]} }
