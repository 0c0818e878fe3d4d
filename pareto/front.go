package pareto

import (
	"context"
	"math/rand/v2"
	"slices"

	"parfait/problem"
)

// FrontOptions choose how a front is found; the zero value finds 100 points.
type FrontOptions struct {
	N      int         // the most points wanted: 100 where 0, up to 2,000
	Seed   uint64      // of the sample that the search starts from
	Starts [][]float64 // points to start from as well; they are moved into the bounds
	// Feasible is a constraint, where not nil: points with a value above 0 are never on the front. It should be
	// continuous. It is called for as few points as possible, from several goroutines.
	Feasible func(x []float64) float64
	Workers  int // goroutines: GOMAXPROCS where 0; changes nothing but the time
}

// Front returns at most N points xs of the front with their objectives fs: mutually non-dominated, evenly
// spread, ordered by the first objective. Deterministic.
//
// Many weighted (augmented Chebyshev) minimisations, which share all their evaluations, are started from a sample
// of the bounds and follow the derivatives to the front; then further ones are aimed at the holes between what
// was found (tracer.go and fill.go say how). About five evaluations a point wanted, half of them with
// derivatives; O(N²·M) besides.
//
// Pieces of a front that lie apart are found, but not every one of very many local fronts: NSGA3 is the
// reference there. Without Jacobian or EvalJacobian derivatives are finite differences, for d evaluations each.
// Feasible has no derivatives: they are fitted to its values nearby.
//
// Errors are a problem.List: BadProblem, BadOption, NotANumber where no objective could be evaluated, Infeasible
// where no point within Feasible was found; and that of ctx.
func Front(ctx context.Context, p Problem, o FrontOptions) (xs, fs [][]float64, err error) {
	t, err := newTracer(ctx, p, o)
	if err != nil {
		return nil, nil, err
	}
	if err := t.trace(); err != nil {
		return nil, nil, err
	}
	xs, fs = t.result()
	return xs, fs, nil
}

// maxPoints is the largest front that can be asked for.
const maxPoints = 2000

func newTracer(ctx context.Context, p Problem, o FrontOptions) (*tracer, error) {
	var e problem.List
	p.check(&e)
	if o.N == 0 {
		o.N = 100
	}
	if o.N < 0 || o.N > maxPoints {
		e.Add(BadOption, "N is %d: expected 1 to %d", o.N, maxPoints)
	}
	p.checkStarts(&e, o.Starts)
	if err := e.Err(); err != nil {
		return nil, err
	}
	return &tracer{ctx: ctx, p: p, o: o, d: len(p.Lo), dom: p.unit(), rng: rand.New(rand.NewPCG(o.Seed, 0x66726f6e74))}, nil
}

func (p Problem) check(e *problem.List) {
	p.Bounds.check(e)
	if p.M < 1 {
		e.Add(BadProblem, "M is %d: expected at least one objective", p.M)
	}
	if p.Eval == nil && p.EvalJacobian == nil {
		e.Add(BadProblem, "neither Eval nor EvalJacobian is given")
	}
}

// result is N of the ends, spread evenly.
func (t *tracer) result() (xs, fs [][]float64) {
	ends := t.ends()
	points := make([][]float64, len(ends))
	for i, s := range ends {
		points[i] = s.f
	}
	keep := Subset(points, t.o.N)
	slices.SortFunc(keep, func(a, b int) int { return slices.Compare(points[a], points[b]) })
	for _, i := range keep {
		xs, fs = append(xs, ends[i].x), append(fs, ends[i].f)
	}
	return xs, fs
}
