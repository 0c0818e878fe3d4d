package search

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
)

var nestedEntry = entry{
	Info: Info{
		Name:   "nested",
		Line:   "many models, merged in pairs of two coefficients, the winners again; one flat recipe at the end",
		Paper:  "Nested MAP, Li et al. 2024 (arXiv 2406.07529)",
		Models: 1,
		Ends:   "one merge of all models is left",
		Options: []Option{
			{"pair", pairSize, "evaluations a pair; fewer where the budget is too short for the whole tree"},
			{"weights", nil, weightsDoc},
		},
	},
	build: func(o *settings) Strategy { return newNesting(o) },
}

// nesting is Nested MAP (Li et al., arXiv 2406.07529): many models are merged two at a time.
//
// Idea: in each round those are paired whose metrics on their own tasks are closest; each pair gets its own small
// design of two coefficients and its own surrogates; the merge that the preferences like best carries on as if it
// were a model. A task belongs to the model that is best on it alone, and to every merge with that model; the pick
// of a pair looks at its own tasks only, and at those with a floor. Every point is a merge of the models
// themselves: no intermediate checkpoint exists, and the winner is one flat recipe. Parameters of the method stay in
// the middle.
//
// Invariant: the tree is replayed from the models with every question, and what it needs (tree.needs) follows from
// the finished points alone. A round begins when all points of the round before it have finished; until then one
// point is asked for that it does not need, what looks like the winner, and then the strategy waits.
//
// Cost: 20(N−1) evaluations for N models with 20 a pair, and at most log₂N + 2 more; no fit has more than two
// coefficients. A question takes a fit for every pair that is decided, N−1 at most.
type nesting struct {
	size    int // evaluations a pair
	weights map[string]float64
}

// Ask implements Strategy.
func (s nesting) Ask(ctx context.Context, q Question) (Proposal, error) {
	t, err := s.grow(ctx, &q)
	if err != nil {
		return Proposal{}, err
	}
	return t.ask(ctx)
}

// Branch is a node of the tree of a nested merge: a model, or a merge of two branches.
type Branch struct {
	Name     string     // "math", or "(math + code)"
	Round    int        // 0 for a model, else the round in which it was merged, from 1
	Parts    []*Branch  // none for a model, else two
	At       [2]float64 // what the parts are scaled by, once the pair was decided
	X        []float64  // the branch as coefficients of the study; nil until it was decided
	Tasks    []string   // the optimised tasks that it answers for
	Measured int        // evaluations of the pair that are finished
	Wanted   int        // evaluations that the pair gets
}

// Recipe says in words what the branch is made of, such as "0.8·(0.6·math + 0.5·code) + 0.4·law".
func (b *Branch) Recipe() string {
	if len(b.Parts) == 0 || b.X == nil {
		return b.Name
	}
	var terms [2]string
	for i, p := range b.Parts {
		terms[i] = p.Recipe()
		if len(p.Parts) > 0 && p.X != nil {
			terms[i] = "(" + terms[i] + ")"
		}
		terms[i] = fmt.Sprintf("%.3g·%s", b.At[i], terms[i])
	}
	return terms[0] + " + " + terms[1]
}

// NestedTree returns the merge tree as far as the question's points decide it, with the options of the
// strategy nested: the branches that are to be paired next or are being merged; one, decided, at the end.
// Errors as of Ask.
func NestedTree(ctx context.Context, q Question, options map[string]any) ([]*Branch, error) {
	o := &settings{given: options}
	s := newNesting(o)
	if err := errors.Join(o.err("nested"), q.check(), q.suits(nestedEntry.Info)); err != nil {
		return nil, err
	}
	t, err := s.grow(ctx, &q)
	if err != nil {
		return nil, err
	}
	var out []*Branch
	for _, n := range t.nodes {
		out = append(out, n.branch)
	}
	return out, nil
}

func newNesting(o *settings) nesting {
	return nesting{size: o.whole("pair", pairSize, minPair), weights: o.weights("weights")}
}

const (
	pairSize = 20 // evaluations a pair, as in the paper
	minPair  = 6  // as many as a quadratic of two coefficients has parameters
)

// node is a branch with what its merges need.
type node struct {
	branch *Branch
	v      []float64 // direction: the branch as coefficients, neither bounded nor rounded
	owns   []bool    // a task
	metric float64   // on its own tasks, for pairing; NaN: not measured
	pair   *pair     // while it is being merged
}

// tree is a nested merge as far as it is decided.
type tree struct {
	needs
	nesting
	region  *region
	units   []unit
	designs map[[4]float64][][]float64
	flat    bool // only proportions matter
	prefer  *preference
	nodes   []*node
	phase   int         // 0 while the models alone are measured, then the round
	needed  [][]float64 // so far, whether they were asked for or not
	waiting bool        // something is needed that is pending
}

// grow replays the merge: the models alone, then round after round while everything is settled.
func (s nesting) grow(ctx context.Context, q *Question) (*tree, error) {
	t := &tree{needs: needs{Question: q}, nesting: s, region: newRegion(q.Space), units: q.Space.units(), designs: map[[4]float64][][]float64{}}
	t.flat = t.proportions()
	t.size = t.pairSize()
	points, err := t.leaves()
	if err != nil || len(t.points) > 0 || t.waiting {
		return t, err
	}
	t.inherit(points)
	for len(t.nodes) > 1 {
		t.phase++
		if err := t.round(ctx); err != nil || len(t.points) > 0 || t.waiting {
			return t, err
		}
	}
	root := t.nodes[0]
	t.need(root.branch.X, "the nested merge itself: "+root.branch.Recipe())
	return t, nil
}

// proportions says whether the models' coefficients are proportions.
func (t *tree) proportions() bool {
	i := t.units[0].at[0]
	return slices.ContainsFunc(t.Space.Simplex, func(set []int) bool { return slices.Contains(set, i) })
}

// pairSize is how many evaluations a pair gets: fewer where the budget is short, so that the tree can be
// finished, with one for the winner of every round.
func (t *tree) pairSize() int {
	merges := len(t.units) - 1
	if t.Budget <= 0 || merges == 0 {
		return t.size
	}
	rounds := int(math.Ceil(math.Log2(float64(len(t.units)))))
	return min(t.size, max((t.Budget-rounds-1)/merges, minPair))
}

// leaves makes the nodes of the models and recalls what was measured of each alone.
func (t *tree) leaves() ([]Point, error) {
	var points []Point
	for k, u := range t.units {
		weights := make([]float64, len(t.units))
		weights[k] = 1
		x := t.region.blend(t.units, weights)
		n := &node{branch: &Branch{Name: u.name, X: x}, v: make([]float64, len(x)), owns: make([]bool, len(t.Tasks)), metric: math.NaN()}
		for _, i := range u.at {
			n.v[i] = 1
		}
		t.nodes = append(t.nodes, n)
		p, how := t.need(x, t.Space.beside(u.name+" alone"))
		if how != settled {
			p.Failed = true
		}
		points = append(points, p)
	}
	var err error
	t.prefer, err = newPreference(t.Tasks, t.weights, points)
	return points, err
}

// need asks for x where nobody did, and says what is known of it.
func (t *tree) need(x []float64, why string) (Point, standing) {
	p, how := t.put(x, why)
	t.waiting = t.waiting || how == pending
	t.needed = append(t.needed, x)
	return p, how
}

// inherit gives every task to the model that is best on it alone, and every model its metric.
func (t *tree) inherit(points []Point) {
	for _, task := range t.goals() {
		best := -1
		for k, p := range points {
			if p.Failed || math.IsNaN(p.Y[task].Value) {
				continue
			}
			if best < 0 || t.prefer.scale[task]*p.Y[task].Value > t.prefer.scale[task]*points[best].Y[task].Value {
				best = k
			}
		}
		if best >= 0 {
			t.nodes[best].owns[task] = true
		}
	}
	for k, p := range points {
		n := t.nodes[k]
		n.branch.Tasks = t.names(n.owns)
		if !p.Failed {
			n.metric = t.metric(n.owns, func(task int) float64 { return p.Y[task].Value })
		}
	}
}

func (t *tree) names(owns []bool) []string {
	var out []string
	for i, own := range owns {
		if own {
			out = append(out, t.Tasks[i].Name)
		}
	}
	return out
}

// metric is the mean over the tasks owned, or over all that are optimised where none is.
func (t *tree) metric(owns []bool, value func(task int) float64) float64 {
	sum, n := 0.0, 0
	all := !slices.Contains(owns, true)
	for _, task := range t.goals() {
		if all || owns[task] {
			sum += t.prefer.scale[task] * value(task)
			n++
		}
	}
	return sum / float64(n)
}

// round pairs the nodes and merges every pair; what is decided takes the place of its parts.
func (t *tree) round(ctx context.Context) error {
	pairs, odd := closest(t.nodes)
	var next []*node
	var open []*pair
	for _, two := range pairs {
		p, err := t.newPair(ctx, two[0], two[1])
		if err != nil {
			return err
		}
		if p.settled {
			if err := t.decide(ctx, p); err != nil {
				return err
			}
		} else {
			open = append(open, p)
		}
		next = append(next, p.node)
	}
	t.nodes = slices.Concat(next, odd)
	t.interleave(open)
	return nil
}

// closest pairs nodes, always the two whose metrics differ least, the earlier where several do. What is
// left over, and what has no metric where others have, comes last.
func closest(nodes []*node) (pairs [][2]*node, odd []*node) {
	left := slices.Clone(nodes)
	for len(left) > 1 {
		a, b, best := 0, 1, math.Inf(1)
		for j := range left {
			for i := range j {
				if d := math.Abs(left[i].metric - left[j].metric); d < best {
					a, b, best = i, j, d
				}
			}
		}
		pairs = append(pairs, [2]*node{left[a], left[b]})
		left = slices.Delete(slices.Delete(left, b, b+1), a, a+1)
	}
	return pairs, left
}

// interleave asks for the points of the pairs that are open, one of each in turn.
func (t *tree) interleave(open []*pair) {
	for k := range t.size {
		for _, p := range open {
			if k < len(p.xs) {
				t.need(p.xs[k], p.whys[k])
			}
		}
	}
}

// ask returns what is needed, or, while that is pending, something worth knowing.
func (t *tree) ask(ctx context.Context) (Proposal, error) {
	root := t.nodes[0]
	switch {
	case len(t.points) > 0:
		return t.first(), nil
	case len(t.nodes) == 1 && root.branch.X != nil:
		return Proposal{Stop: "the nested merge is " + root.branch.Recipe()}, nil
	case t.extras() > t.phase:
		return Proposal{Wait: "what the next merges are made of is still being measured"}, nil
	}
	for _, node := range t.nodes {
		if node.pair == nil {
			continue
		}
		if err := t.decide(ctx, node.pair); err != nil {
			return Proposal{}, err
		}
		b := node.branch
		if _, how := t.recall(b.X); how == unasked {
			return Proposal{Points: []Proposed{{X: b.X, Why: fmt.Sprintf("nested, round %d: what looks like the winner of %s", b.Round, b.Name)}}}, nil
		}
	}
	return extend(ctx, t.Question, 1)
}

// extras is how many points were asked for that the tree does not need: one in every phase, so that the
// budget lasts for the rest, however many evaluations run at once.
func (t *tree) extras() int {
	n := 0
	count := func(x []float64) {
		if !slices.ContainsFunc(t.needed, func(y []float64) bool { return t.Space.same(x, y) }) {
			n++
		}
	}
	for _, p := range t.Done {
		if p.Batch >= 0 {
			count(p.X)
		}
	}
	for _, x := range t.Pending {
		count(x)
	}
	return n
}
