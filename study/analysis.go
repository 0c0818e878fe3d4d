package study

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"parfait/evaluator"
	"parfait/internal/rescue"
	"parfait/parallel"
	"parfait/pareto"
	"parfait/search"
	"parfait/surrogate"
)

// frontSize is how many points the predicted front has at most.
const frontSize = 300

// LeastTrials is the number of finished trials below which nothing is fitted.
const LeastTrials = 3

// manyTrials is the number from which a task's standard deviation, which costs their square, takes longer than
// to share the tasks among the processors.
const manyTrials = 200

// Predict returns the prediction of every task at x.
func (a *Analysis) Predict(x []float64) []Prediction {
	out := make([]Prediction, len(a.Fits))
	workers := 1
	if len(a.Trials) >= manyTrials {
		workers = 0
	}
	_ = parallel.For(context.Background(), workers, len(a.Fits), func(i int) { // milliseconds
		m, s := a.Fits[i].Surrogate.Predict(x)
		lo, hi := a.Fits[i].Surrogate.Interval(x, 0.9)
		out[i] = Prediction{Value: m, Std: s * a.Fits[i].spread(), Lo: lo, Hi: hi}
	})
	return out
}

// spread is by what the surrogate's standard deviations are too small, as what was held out tells.
func (f Fit) spread() float64 { return max(1, f.Trust.Spread) }

// joint is the joint distribution of what is true at xs.
func (f Fit) joint(xs [][]float64) (mean []float64, cov *mat.SymDense) {
	mean, cov = f.Surrogate.Joint(xs)
	if len(xs) > 0 {
		cov.ScaleSym(f.spread()*f.spread(), cov)
	}
	return mean, cov
}

// Leverage returns the largest leverage of x over the tasks' surrogates: up to 1 among the samples.
func (a *Analysis) Leverage(x []float64) float64 {
	worst := 0.0
	for _, f := range a.Fits {
		worst = max(worst, f.Surrogate.Leverage(x))
	}
	return worst
}

// Believed says whether the surrogates may be believed at x. An analysis that was made by hand believes
// them within the sampled region.
func (a *Analysis) Believed(x []float64) bool {
	if a.landscape == nil {
		return a.Leverage(x) <= 1
	}
	return a.landscape.Believed(x)
}

// doubt says why the surrogates are not to be believed at x; it is "" where they may be.
func (a *Analysis) doubt(x []float64) search.Doubt {
	switch {
	case a.landscape != nil:
		return a.landscape.Doubt(x)
	case !a.Believed(x):
		return search.Outside
	}
	return ""
}

// Doubtful says in words why predictions at x are not to be believed; "" where they may be. Belief is about the
// tasks that are optimised, leverage about all: outside the samples of any of them is said too. Both are those of
// x, which callers know.
func (a *Analysis) Doubtful(x []float64, believed bool, leverage float64) string {
	switch {
	case !believed:
		return string(cmp.Or(a.doubt(x), search.Uncertain))
	case leverage > 1:
		return string(search.Outside)
	}
	return ""
}

// Quadratic returns the held-out figures that quadratics have on the same trials, a task as in Fits: where they
// are as good as those of a Gaussian process, the landscape is as simple as MAP (arXiv 2406.07529) assumes. It
// is fitted when it is asked for: with dozens of coefficients a quadratic takes far longer than a process.
func (a *Analysis) Quadratic(ctx context.Context) ([]surrogate.Trust, error) {
	points := make([]search.Point, len(a.Trials))
	for i, t := range a.Trials {
		points[i] = point(t, a.Tasks)
	}
	land, err := search.Fit(ctx, search.Question{Space: a.Space, Tasks: searchTasks(a.Tasks), Done: points, Surrogate: surrogate.Choice{Kind: surrogate.KindQuadratic}})
	if err != nil {
		return nil, err
	}
	out := make([]surrogate.Trust, len(a.Tasks))
	for i := range out {
		out[i] = land.Trust(i)
	}
	return out, nil
}

var errNoFront = errors.New("the surrogates have no front")

// analysisFailure remembers why trials could not be analysed, so that nobody tries the same ones again.
type analysisFailure struct {
	done int // measurements of finished trials
	why  string
}

// analyse fits the newest snapshot's finished trials, unless that was done already, and publishes what
// they say, or why they say nothing.
func (s *Study) analyse(ctx context.Context) error {
	s.mu.Lock()
	snap, failed := s.snap, s.failed
	s.mu.Unlock()
	n, measured := 0, 0
	for i := range snap.Trials {
		if snap.Trials[i].counts() {
			n++
			measured += len(snap.Trials[i].Measurements)
		}
	}
	// Measurements never change, so their number says whether there are new ones.
	switch {
	case n < LeastTrials, snap.Analysis != nil && len(snap.Analysis.Trials) >= n && measurements(snap.Analysis.Trials) >= measured && snap.Analysis.failed == failures(snap) && snap.Analysis.answers(snap):
		return nil
	case failed.done == measured:
		return errors.New(failed.why)
	}
	done := make([]Trial, 0, n)
	for _, t := range snap.Trials {
		if t.counts() {
			done = append(done, t)
		}
	}
	a, err := analyse(ctx, snap, done)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	next := *s.snap
	switch {
	case next.Spec != snap.Spec:
		return nil // study.yaml asks something else by now
	case err != nil:
		s.failed = analysisFailure{done: measured, why: "the finished trials cannot be analysed: " + err.Error()}
	case next.Analysis != nil && measurements(next.Analysis.Trials) > measured && next.Analysis.answers(snap):
		return nil // somebody else was faster with more
	default:
		next.Analysis, s.failed = a, analysisFailure{}
	}
	next.Problem = s.problem()
	s.publish(&next)
	return err
}

// answers says whether a is of what the snapshot's study.yaml asks.
func (a *Analysis) answers(snap *Snapshot) bool {
	return a.Surrogate == snap.Spec.Surrogate && reflect.DeepEqual(a.Tasks, snap.Tasks) && reflect.DeepEqual(a.Space, snap.Space)
}

func analyse(ctx context.Context, snap *Snapshot, done []Trial) (a *Analysis, err error) {
	defer func() {
		if p := rescue.Recovered(recover()); p != nil {
			a, err = nil, fmt.Errorf("%w; the trials are safe", p)
		}
	}()
	a = &Analysis{Space: snap.Space, Tasks: snap.Tasks, Trials: done, failed: failures(snap)}
	points := make([]search.Point, len(done), len(done)+a.failed)
	for i, t := range done {
		points[i] = point(t, snap.Tasks)
	}
	for _, t := range snap.Trials {
		if t.State == evaluator.Failed {
			points = append(points, point(t, snap.Tasks))
		}
	}
	a.Surrogate = snap.Spec.Surrogate
	land, err := search.Fit(ctx, search.Question{Space: snap.Space, Tasks: searchTasks(snap.Tasks), Done: points, Surrogate: a.Surrogate})
	if err != nil {
		return nil, err
	}
	a.landscape = land
	for i, t := range snap.Tasks {
		a.Fits = append(a.Fits, Fit{Task: t.Name, Surrogate: land.Surrogate(i), Trust: land.Trust(i), Used: land.Used(i)})
		if t.Role == Objective {
			a.Objectives = append(a.Objectives, i)
		}
	}
	a.todo = snap.toTest()
	a.references()
	if err := a.trace(ctx); err != nil {
		return nil, err
	}
	if err := a.measured(ctx); err != nil {
		return nil, err
	}
	return a, nil
}

// failures is how many trials have failed: what is believed near them depends on it.
func failures(snap *Snapshot) int {
	n := 0
	for i := range snap.Trials {
		if snap.Trials[i].State == evaluator.Failed {
			n++
		}
	}
	return n
}

// costs turns values a task into pareto's minimised objectives.
func (a *Analysis) costs(value func(task int) float64) []float64 {
	out := make([]float64, len(a.Objectives))
	for i, t := range a.Objectives {
		if out[i] = value(t); a.Tasks[t].Sense == Maximize {
			out[i] = -out[i]
		}
	}
	return out
}

// front predicts the points xs and finds the named ones among them.
func (a *Analysis) front(ctx context.Context, xs [][]float64) error {
	for _, x := range xs {
		if err := ctx.Err(); err != nil {
			return err
		}
		a.Front = append(a.Front, FrontPoint{X: x, Predicted: a.Predict(x), Leverage: a.Leverage(x), Believed: a.landscape.Believed(x)})
	}
	a.sortByFirst(a.Front)
	all := make([]int, len(a.Front))
	for i := range all {
		all[i] = i
	}
	if err := a.probabilities(ctx); err != nil {
		return err
	}
	a.Untested = a.untested(a.todo)
	a.Knee, _ = a.KneeOf(all)
	a.Best = make([]int, len(a.Tasks))
	for t := range a.Tasks {
		a.Best[t] = -1
	}
	for _, t := range a.Objectives {
		if a.Fits[t].Trust.Constant {
			continue // every point is as good as any other
		}
		for i, p := range a.Front {
			if a.Best[t] < 0 || a.Tasks[t].Better(p.Predicted[t].Value, a.Front[a.Best[t]].Predicted[t].Value) {
				a.Best[t] = i
			}
		}
	}
	return nil
}

// sortByFirst orders points by the first objective, the worst first.
func (a *Analysis) sortByFirst(points []FrontPoint) {
	first := a.Objectives[0]
	slices.SortStableFunc(points, func(p, q FrontPoint) int {
		c := cmp.Compare(p.Predicted[first].Value, q.Predicted[first].Value)
		if a.Tasks[first].Sense == Minimize {
			c = -c
		}
		if c != 0 {
			return c
		}
		return slices.Compare(p.X, q.X)
	})
}

// references are the points with a name: the base, each model alone, the uniform average, as far as what is fixed or tied
// leaves room for them.
func (a *Analysis) references() {
	models := a.Space.Models()
	at := func(value func(i int) float64) []float64 {
		x := make([]float64, len(a.Space.Coefficients))
		for i, c := range a.Space.Coefficients {
			if x[i] = (c.Lo + c.Hi) / 2; c.Kind == search.Scaling {
				x[i] = value(i)
			}
		}
		return x
	}
	add := func(name string, x []float64) {
		r := Reference{Name: name, X: x, Trial: -1}
		for i, t := range a.Trials {
			// The search asks for what a person can read and type: the average of three at .333.
			if samePoint(t.X, x) || name == AverageName && a.Space.Gap(t.X, x) < sameAverage {
				r.Trial, r.X = i, t.X
			}
		}
		r.Predicted = a.Predict(r.X)
		a.References = append(a.References, r)
	}
	if len(models) == 0 {
		return
	}
	if len(a.Space.Simplex) == 0 && !a.Space.Held(0) {
		add(BaseName, at(func(int) float64 { return 0 }))
	}
	for _, m := range models {
		if own, ok := a.Space.Alone(m); ok {
			add(m, at(func(i int) float64 {
				if slices.Contains(own, i) {
					return 1
				}
				return 0
			}))
		}
	}
	if mean := 1 / float64(len(models)); len(models) > 1 && !a.Space.Held(mean) {
		add(AverageName, at(func(int) float64 { return mean }))
	}
}

// sameAverage is within how much of the coefficients' ranges a trial is the uniform average.
const sameAverage = 1e-3

// probabilityDraws bounds the error of a probability to about three points of a hundred.
const probabilityDraws = 256

// probabilities draws the surrogates jointly at all points of the front, and counts how often each is
// dominated by none of the others. Where that cannot be computed the probabilities stay 0: unknown. The error is that
// of ctx.
func (a *Analysis) probabilities(ctx context.Context) error {
	xs := make([][]float64, len(a.Front))
	for i, p := range a.Front {
		xs[i] = p.X
	}
	var means [][]float64
	var covs []*mat.SymDense
	for _, t := range a.Objectives {
		if err := ctx.Err(); err != nil {
			return err
		}
		mean, cov := a.Fits[t].joint(xs)
		if a.Tasks[t].Sense == Maximize {
			floats.Scale(-1, mean)
		}
		means, covs = append(means, mean), append(covs, cov)
	}
	sample, err := pareto.Normals(means, covs)
	if err != nil {
		return nil
	}
	probabilities, err := pareto.ProbabilityNonDominated(ctx, len(xs), probabilityDraws, 1, sample)
	for i, p := range probabilities {
		a.Front[i].Prob = p
	}
	return err
}
