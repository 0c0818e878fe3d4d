package search

import (
	"cmp"
	"context"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"

	"parfait/parallel"
)

const (
	contestDraws = 512
	lookAhead    = 32  // evaluations
	entered      = 60  // points that are looked at ahead
	fancies      = 48  // ways in which evaluations may come out
	fancyDraws   = 128 // by which each of them is judged
)

// contest is a pick and its rivals, drawn together.
type contest struct {
	l       *Landscape
	q       *Question
	rule    rule
	barred  []bool      // breaks a floor that the pick keeps: no rival
	xs      [][]float64 // the pick, and then its rivals
	open    []bool      // may still be measured
	pending []int
	drawn   *drawn
	edges   [][]float64 // draws × points: by how much more than nothing that counts a rival is better than the pick
	shares  []float64   // a point: in how many of the draws it is better, of 1
	trusted []int       // a point: 1 where it may be believed and is keeps floors as the pick does, else 0
	noise   []float64   // of rule.tasks: the variance of a measurement
}

// rule says which merge is better.
type rule struct {
	floors []Floor // to be kept by rivals as surely as by the pick
	tasks  []int
	score  func(y []float64) float64           // to look for rivals
	edge   func(rival, pick []float64) float64 // above 0: the rival is better
}

func newContest(ctx context.Context, q *Question) (*contest, error) {
	l, err := Fit(ctx, *q)
	if err != nil {
		return nil, err
	}
	pick := q.Focus.Pick.X
	if len(pick) != len(q.Space.Coefficients) {
		return nil, fail(BadQuestion, "the pick has %d coefficients, the space has %d", len(pick), len(q.Space.Coefficients))
	}
	c := &contest{l: l, q: q}
	if c.rule, err = l.rule(q.Focus.Wishes, *q.Focus.Pick); err != nil {
		return nil, err
	}
	under, err := l.keptBy(pick, c.rule.floors)
	if err != nil {
		return nil, err
	}
	places, err := under.promising(ctx, c.rule.score, q)
	if err != nil {
		return nil, err
	}
	var anchors [][]float64
	for _, a := range newRegion(l.space).anchors() {
		anchors = append(anchors, a.X)
	}
	c.xs = [][]float64{pick}
	for _, x := range slices.Concat(q.standing(), anchors, places) {
		if !q.Space.known(x, c.xs) {
			c.xs = append(c.xs, x)
		}
	}
	taken := q.taken()
	for i, x := range c.xs {
		c.open = append(c.open, !q.Space.known(x, taken))
		if q.Space.known(x, q.Pending) {
			c.pending = append(c.pending, i)
		}
	}
	for _, i := range c.rule.tasks {
		c.noise = append(c.noise, l.noise(i, l.worked))
	}
	if c.drawn, err = l.drawn(ctx, c.rule.tasks, c.xs, contestDraws); err != nil {
		return nil, err
	}
	c.bar(under)
	c.edges, c.shares = make([][]float64, contestDraws), make([]float64, len(c.xs))
	for j, x := range c.xs {
		c.trusted = append(c.trusted, 0)
		if !c.barred[j] && l.Believed(x) {
			c.trusted[j] = 1
		}
	}
	for s := range c.edges {
		c.edges[s] = c.row(func(k, j int) float64 { return c.drawn.values[k].At(s, j) }, allOf(len(c.xs)))
		for j, v := range c.edges[s] {
			if v > 0 {
				c.shares[j] += 1.0 / contestDraws
			}
		}
	}
	return c, nil
}

// keptBy is l under the floors that a point keeps, as surely as it does: with the probability that they ask for, or as
// predicted. Who chose the point chose by the same rule.
func (l *Landscape) keptBy(x []float64, floors []Floor) (*Landscape, error) {
	var kept []Floor
	for _, f := range floors {
		for _, sure := range []float64{cmp.Or(f.Sure, FloorSure), 0} { // at the edge all of them would be barred
			f.Sure = sure
			alone, err := l.Under([]Floor{f})
			if err != nil {
				return nil, err
			}
			if alone.missing(x) <= 0 {
				kept = append(kept, f)
				break
			}
		}
	}
	return l.Under(kept)
}

// bar takes out the rivals that break a floor under which the pick was chosen: by the prediction of each, and, as pick
// judges what has to be nowhere below another merge, by how probably all of them are kept together.
func (c *contest) bar(under *Landscape) {
	c.barred = make([]bool, len(c.xs))
	together := make([]float64, len(c.xs))
	for j := range c.xs {
		for s := range contestDraws {
			if !slices.ContainsFunc(c.rule.floors, func(f Floor) bool {
				k := slices.IndexFunc(c.rule.tasks, func(i int) bool { return c.l.tasks[i].Name == f.Task })
				return f.Sure == 0 && k >= 0 && f.miss(c.drawn.values[k].At(s, j)) > 0
			}) {
				together[j] += 1.0 / contestDraws
			}
		}
		c.barred[j] = j > 0 && (under.missing(c.xs[j]) > 0 || together[0] >= FloorSure && together[j] < FloorSure)
	}
}

// rule is that of a pick: the balance of a knee, its wishes, or, where nothing is known of either, all optimised tasks.
func (l *Landscape) rule(w Wishes, pick Pick) (rule, error) {
	aim, err := l.aim(w)
	if err != nil {
		return rule{}, err
	}
	floors := aim.floors
	if !w.Wanted() && pick.Balance == nil {
		out := l.everywhereBetter(pick.X)
		out.floors = floors
		return out, nil
	}
	aim.relax(Indifferent)
	out := rule{tasks: aim.counted(), score: aim.Achievement}
	if pick.Balance != nil {
		out = l.balanced(pick.Balance, aim)
	}
	out.floors = floors
	out.edge = func(r, p []float64) float64 { return out.score(r) - out.score(p) - Indifferent }
	return out, nil
}

// balanced is the geometric mean of gains, less what floors are missed by.
func (l *Landscape) balanced(b *Balance, floors *Aim) rule {
	var tasks []int
	for i, t := range l.tasks {
		if _, ok := b.Worst[t.Name]; ok {
			tasks = append(tasks, i)
		}
	}
	out := rule{tasks: slices.Clone(tasks)}
	for _, i := range floors.floored {
		if !slices.Contains(out.tasks, i) {
			out.tasks = append(out.tasks, i)
		}
	}
	out.score = func(y []float64) float64 {
		product, missed := 1.0, 0.0
		for _, i := range tasks {
			worst, best := b.Worst[l.tasks[i].Name], b.Best[l.tasks[i].Name]
			product *= max((y[i]-worst)/(best-worst), 0)
		}
		for k, f := range floors.floors {
			i := floors.floored[k]
			missed += max(f.miss(y[i])/floors.width[i], 0)
		}
		return math.Pow(product, 1/float64(max(len(tasks), 1))) - aboveExpected*missed
	}
	return out
}

// everywhereBetter is to be better than the pick on every optimised task.
func (l *Landscape) everywhereBetter(pick []float64) rule {
	at := make([]float64, len(l.tasks))
	for i := range at {
		at[i] = l.fits[i].surrogate.Mean(nil, pick)
	}
	ahead := func(r, p []float64) float64 {
		least := math.Inf(1)
		for _, i := range l.goals {
			if f := &l.fits[i]; f.varies() {
				least = min(least, -l.sign(i)*(r[i]-p[i])/f.width)
			}
		}
		return least
	}
	return rule{
		tasks: l.goals,
		score: func(y []float64) float64 { return ahead(y, at) },
		edge:  func(r, p []float64) float64 { return ahead(r, p) - Indifferent },
	}
}

// relax lowers what is asked for, in units of the ranges: who comes that near has it.
func (a *Aim) relax(by float64) {
	a.floors, a.aspired = slices.Clone(a.floors), slices.Clone(a.aspired)
	for k, f := range a.floors {
		if width := by * a.width[a.floored[k]]; f.Least {
			a.floors[k].Value -= width
		} else {
			a.floors[k].Value += width
		}
	}
	for i := range a.aspired {
		if a.tasks[i].Maximize {
			a.aspired[i] -= by * a.width[i]
		} else {
			a.aspired[i] += by * a.width[i]
		}
	}
}

// row are the edges of some points over the first of them, the pick; the j-th has the value at(k, j) of rule.tasks[k].
func (c *contest) row(at func(k, j int) float64, points []int) []float64 {
	out := make([]float64, len(points))
	pick, rival := make([]float64, len(c.l.tasks)), make([]float64, len(c.l.tasks))
	for j, p := range points {
		for k, i := range c.rule.tasks {
			if rival[i] = at(k, j); j == 0 {
				pick[i] = rival[i]
			}
		}
		if out[j] = math.Inf(-1); j > 0 && !c.barred[p] {
			out[j] = c.rule.edge(rival, pick)
		}
	}
	return out
}

// share is how probably point j is better than the pick.
func (c *contest) share(j int) float64 { return c.shares[j] }

// judge says how the pick stands, and in which order points are best measured to know it.
func (c *contest) judge(ctx context.Context) (*Standing, []int, error) {
	s := &Standing{}
	gains := make([]float64, len(c.xs))
	for _, e := range c.edges {
		if slices.Max(e) <= 0 {
			s.Best += 1.0 / contestDraws
		}
		for j, v := range e {
			gains[j] += v / contestDraws
		}
	}
	rival := c.named(gains, allOf(len(c.xs)))
	s.Rival, s.Better = c.xs[rival], c.shares[rival]
	if s.Decided() {
		return s, nil, nil
	}
	order := c.order(lookAhead)
	var err error
	s.Costs, err = c.costs(ctx, order)
	return s, order, err
}

// named is which of some points, the pick first, is the rival to go to: the one with the highest expected edge, the k-th of
// gains, of those that may be believed, or of all where none is. Which of many near each other is most often the best of
// all says little, and less of a place of which next to nothing is known.
func (c *contest) named(gains []float64, points []int) int {
	best := 1
	for k := 2; k < len(points); k++ {
		if cmp.Or(cmp.Compare(c.trusted[points[k]], c.trusted[points[best]]), cmp.Compare(gains[k], gains[best])) > 0 {
			best = k
		}
	}
	return best
}

// order is the pick itself, where it was not measured, and then whatever is expected to be better by most than the pick and
// all before it.
func (c *contest) order(most int) []int {
	h := newHopes(c.edges, make([]float64, contestDraws))
	for j := range c.xs {
		h.used[j] = !c.open[j]
	}
	for _, j := range c.pending {
		h.take(j)
	}
	var out []int
	if c.open[0] {
		h.used[0] = true
		out = append(out, 0)
	}
	for len(out) < most {
		j, chance := h.next()
		if j < 0 || chance == 0 {
			break
		}
		h.take(j)
		out = append(out, j)
	}
	return out
}

// costs are what the first 1, 2, 4 … of some evaluations are expected to bring.
//
// Idea: one of the joint draws is what is true; measured at the first n points, with noise, it moves the means of all others,
// and leaves them a covariance that does not depend on it. By Matheron's rule draws of that posterior are the other draws,
// each less what its own measurements would have told. So that no fit is needed, every way in which the evaluations may come
// out is judged as the pick is now, and those are counted in which the answer is sure.
//
// Cost: of each n fancies · fancyDraws · entered achievements.
func (c *contest) costs(ctx context.Context, order []int) ([]Cost, error) {
	points := c.enter(order)
	var sizes []int
	for n := 1; n < len(order); n *= 2 {
		sizes = append(sizes, n)
	}
	if len(order) > 0 {
		sizes = append(sizes, len(order))
	}
	out := make([]Cost, len(sizes))
	err := parallel.For(ctx, 0, len(sizes), func(i int) { out[i] = c.cost(points, sizes[i]) })
	return out, err
}

// enter are the points that are looked at ahead, the pick first, those to be measured next in their order, and of the rest
// the most dangerous.
func (c *contest) enter(order []int) []int {
	points := []int{0}
	for _, j := range order {
		if j != 0 {
			points = append(points, j)
		}
	}
	rest := allOf(len(c.xs))
	slices.SortStableFunc(rest, func(i, j int) int { return cmp.Compare(c.shares[j], c.shares[i]) })
	for _, j := range rest {
		if len(points) >= entered || c.shares[j] == 0 {
			break
		}
		if !slices.Contains(points, j) {
			points = append(points, j)
		}
	}
	return points
}

// cost is what the first n evaluations bring; points are as enter has them.
func (c *contest) cost(points []int, n int) Cost {
	first := 1 // of those to be measured
	if c.open[0] {
		first = 0
	}
	shifts, rests := make([]*mat.Dense, len(c.rule.tasks)), make([]*mat.Dense, len(c.rule.tasks)) // draws × points
	for k, i := range c.rule.tasks {
		shifts[k], rests[k] = c.learnt(k, i, points, first, n)
	}
	out := Cost{Evaluations: n}
	for f := range fancies {
		var s Standing
		gains, shares := make([]float64, len(points)), make([]float64, len(points))
		for d := fancies; d < fancies+fancyDraws; d++ {
			e := c.row(func(k, j int) float64 { return shifts[k].At(f, j) + rests[k].At(d, j) }, points)
			if slices.Max(e) <= 0 {
				s.Best += 1.0 / fancyDraws
			}
			for j, v := range e {
				if gains[j] += v; v > 0 {
					shares[j] += 1.0 / fancyDraws
				}
			}
		}
		if len(points) > 1 {
			s.Better = shares[c.named(gains, points)]
		}
		switch {
		case s.Best >= Sure:
			out.Settles += 1.0 / fancies
		case s.Decided():
			out.Ends += 1.0 / fancies
		}
	}
	return out
}

// learnt are, a draw, the means of task i where it is true and was measured at n of the points, and what it differs by from
// what it would have told.
func (c *contest) learnt(k, i int, points []int, first, n int) (means, rests *mat.Dense) {
	xs := make([][]float64, len(points))
	for j, p := range points {
		xs[j] = c.xs[p]
	}
	mean, cov := c.l.fits[i].surrogate.Joint(xs)
	cov.ScaleSym(c.l.fits[i].spread()*c.l.fits[i].spread(), cov)
	noise := c.noise[k]
	block := mat.NewSymDense(n, nil)
	across := mat.NewDense(n, len(points), nil)
	for a := range n {
		for b := a; b < n; b++ {
			block.SetSym(a, b, cov.At(first+a, first+b))
		}
		block.SetSym(a, a, block.At(a, a)+noise)
		for b := range points {
			across.Set(a, b, cov.At(first+a, b))
		}
	}
	gain := mat.NewDense(n, len(points), nil)
	var chol mat.Cholesky
	if chol.Factorize(block) {
		_ = chol.SolveTo(gain, across) // of what is measured nothing is learnt where it fails
	}
	const draws = fancies + fancyDraws
	rng := generator(uint64(i), 0x66616e6379)
	seen := mat.NewDense(draws, n, nil)
	for s := range draws {
		for a := range n {
			seen.Set(s, a, c.drawn.values[k].At(s, points[first+a])-mean[first+a]+math.Sqrt(noise)*rng.NormFloat64())
		}
	}
	means, rests = mat.NewDense(draws, len(points), nil), mat.NewDense(draws, len(points), nil)
	means.Mul(seen, gain)
	for s := range draws {
		for j, p := range points {
			rests.Set(s, j, c.drawn.values[k].At(s, p)-mean[j]-means.At(s, j))
			means.Set(s, j, means.At(s, j)+mean[j])
		}
	}
	return means, rests
}

// noise is the variance of a measurement of a task, as its surrogate has it. What is left at the points that were measured
// has the covariance σ²·K(K + σ²)⁻¹, whose largest eigenvalue is all but σ²: of the direction that they determine best. By
// power iteration.
func (l *Landscape) noise(task int, measured [][]float64) float64 {
	f := &l.fits[task]
	least := max(measuringNoise*f.width*f.width/4, believer)
	if len(measured) == 0 {
		return least
	}
	_, cov := f.surrogate.Joint(measured)
	v := mat.NewVecDense(len(measured), nil)
	for i := range measured {
		v.SetVec(i, math.Sqrt(max(cov.At(i, i), 0)))
	}
	largest := 0.0
	for range 20 {
		norm := mat.Norm(v, 2)
		if !(norm > 0) {
			break
		}
		v.ScaleVec(1/norm, v)
		next := mat.NewVecDense(len(measured), nil)
		next.MulVec(cov, v)
		largest = mat.Dot(v, next)
		v = next
	}
	return max(largest, least)
}
