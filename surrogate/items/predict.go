package items

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"

	"parfait/problem"
)

// mostAnswers is how many answers of one item a prediction is made from: those of the nearest trials.
const mostAnswers = 128

// The kernel is learnt from all items, unless these were answered by so many different sets of k trials each that Σ k³ is above
// mostWork; then from as many items as that allows, and leastLearnt at least.
const (
	mostWork    = 1 << 18
	leastLearnt = 16
)

// Predictor predicts the scores of all items at a point, from what trials answered.
type Predictor struct {
	n         int
	lo, width []float64
	us        [][]float64 // T × d, scaled
	answers   [][]answer  // n: of each item, in the order of the trials
	centre    float64     // mean over the items of their mean scores
	unit      float64     // standard deviation of the scores
	rate      bool        // all scores are within [0, 1]
	kernel    kernel
}

type answer struct {
	trial int
	z     float64 // (score − centre)/unit
}

// NewPredictor fits to the answers of T trials to n items, each a Gaussian process over the coefficients, with one kernel
// for all items, by its evidence over them. lo and hi (d) are the ranges of the coefficients. Leave out the trial of which
// the metric is estimated, so that the estimate has no bias: answers that an earlier asking of it gave may be in where only
// what was not asked then is asked now. Items that nobody answered are predicted by the mean of all.
//
// Deterministic. Of trials that answered all items it takes O(T³ + T²n), some hundred times T³; of others O(Σ k³), k ≤ 128
// answers an item: in either case linear in the items. Where ctx ends, its error.
func NewPredictor(ctx context.Context, trials []Trial, lo, hi []float64, n int) (*Predictor, error) {
	if err := checkTrials(trials, lo, hi, n); err != nil {
		return nil, err
	}
	p := &Predictor{n: n, lo: slices.Clone(lo), width: make([]float64, len(lo)), answers: make([][]answer, n), rate: true}
	for i := range lo {
		if p.width[i] = hi[i] - lo[i]; !(p.width[i] > 0) {
			p.width[i] = 1
		}
	}
	for t, trial := range trials {
		p.us = append(p.us, p.scale(trial.X))
		for k, v := range trial.Scores {
			i := trial.item(k)
			p.answers[i] = append(p.answers[i], answer{t, v})
			p.rate = p.rate && v >= 0 && v <= 1
		}
	}
	p.standardise()
	var err error
	if p.kernel, err = learn(ctx, p.patterns(), len(lo)); err != nil {
		return nil, err
	}
	return p, nil
}

func checkTrials(trials []Trial, lo, hi []float64, n int) error {
	var e problem.List
	if n < 1 {
		e.Add(Empty, "%d items: at least one is needed", n)
		return e.Err()
	}
	if len(lo) != len(hi) {
		e.Add(Shape, "hi has %d entries, lo has %d", len(hi), len(lo))
	}
	for i := range min(len(lo), len(hi)) {
		if !finite(lo[i]) || !finite(hi[i]) || lo[i] > hi[i] {
			e.Add(NotANum, "range of coefficient %d is [%g, %g]: expected finite numbers in order", i, lo[i], hi[i])
		}
	}
	answers := 0
	for t, trial := range trials {
		trial.check(&e, fmt.Sprintf("trial %d", t), len(lo), n)
		answers += len(trial.Scores)
	}
	if answers == 0 {
		e.Add(Empty, "no answers: at least one trial has to answer")
	}
	return e.Err()
}

func (p *Predictor) scale(x []float64) []float64 {
	u := make([]float64, len(x))
	for i, v := range x {
		u[i] = (v - p.lo[i]) / p.width[i]
	}
	return u
}

// standardise centres and scales the scores. Items count alike, however many trials answered them: those in doubt are asked
// more often.
func (p *Predictor) standardise() {
	sum, squares, items := 0.0, 0.0, 0.0
	for _, of := range p.answers {
		if len(of) == 0 {
			continue
		}
		mean, square := 0.0, 0.0
		for _, a := range of {
			mean += a.z
			square += a.z * a.z
		}
		k := float64(len(of))
		sum, squares, items = sum+mean/k, squares+square/k, items+1
	}
	p.centre = sum / items
	p.unit = math.Sqrt(max(squares/items-p.centre*p.centre, 0))
	if !(p.unit > 1e-9*max(1, math.Abs(p.centre))) {
		p.unit = 1
	}
	for _, of := range p.answers {
		for k := range of {
			of[k].z = (of[k].z - p.centre) / p.unit
		}
	}
}

// groups gathers the items whose answers are of the same trials, in the order of the first of each.
func groups(of [][]answer, items []int) [][]int {
	at := map[string]int{}
	var out [][]int
	var key []byte
	for _, i := range items {
		key = key[:0]
		for _, a := range of[i] {
			key = append(key, byte(a.trial), byte(a.trial>>8), byte(a.trial>>16))
		}
		g, ok := at[string(key)]
		if !ok {
			g = len(out)
			at[string(key)] = g
			out = append(out, nil)
		}
		out[g] = append(out[g], i)
	}
	return out
}

// patterns are what the kernel is learnt from: all items where the same trials answered them, evenly spaced ones otherwise.
func (p *Predictor) patterns() []pattern {
	var all []int
	for i, of := range p.answers {
		if len(of) > 0 {
			all = append(all, i)
		}
	}
	grouped := groups(p.answers, all)
	work := 0
	for _, g := range grouped {
		k := min(len(p.answers[g[0]]), mostAnswers)
		work += k * k * k
	}
	if few := min(len(all), max(leastLearnt, mostWork*len(grouped)/work)); work > mostWork && len(grouped) > few {
		some := make([]int, few)
		for k := range some {
			some[k] = all[k*len(all)/few]
		}
		grouped = groups(p.answers, some)
	}
	var out []pattern
	for _, g := range grouped {
		of := p.answers[g[0]]
		first := max(0, len(of)-mostAnswers) // of more, the latest
		m := mat.NewSymDense(len(of)-first, nil)
		z := mat.NewVecDense(len(of)-first, nil)
		for _, i := range g {
			for k, a := range p.answers[i][first:] {
				z.SetVec(k, a.z)
			}
			m.SymRankOne(m, 1/float64(len(g)), z)
		}
		var us [][]float64
		for _, a := range of[first:] {
			us = append(us, p.us[a.trial])
		}
		out = append(out, pattern{us: us, count: float64(len(g)), moments: m})
	}
	return out
}

// At predicts the score of each item at x: its mean, within [0, 1] where all scores are, and the standard deviation of an
// answer about it; for scores within [0, 1] that is √(p(1−p)). O(n·k + patterns·k³) for k answers an item.
func (p *Predictor) At(x []float64) (mean, std []float64, err error) {
	var e problem.List
	Trial{X: x, Items: []int{}}.check(&e, "the point", len(p.lo), p.n)
	if err := e.Err(); err != nil {
		return nil, nil, err
	}
	u := p.scale(x)
	covariance := make([]float64, len(p.us))
	for t, v := range p.us {
		covariance[t] = p.kernel.at(u, v)
	}
	near := p.nearest(covariance)
	all := make([]int, p.n)
	for i := range all {
		all[i] = i
	}
	mean, std = make([]float64, p.n), make([]float64, p.n)
	self := p.kernel.at(u, u)
	for _, g := range groups(near, all) {
		of := near[g[0]]
		weights, variance := mat.NewVecDense(max(len(of), 1), nil), self
		var c mat.Cholesky
		if len(of) > 0 {
			var us [][]float64
			k := mat.NewVecDense(len(of), nil)
			for j, a := range of {
				us = append(us, p.us[a.trial])
				k.SetVec(j, covariance[a.trial])
			}
			if !c.Factorize(p.kernel.gram(us)) || c.SolveVecTo(weights, k) != nil {
				return nil, nil, problem.Problem{Code: Fit, What: "the covariance of the trials could not be factorized"}
			}
			variance = max(self-mat.Dot(weights, k), 0)
		}
		for _, i := range g {
			z := 0.0
			for j, a := range near[i] {
				z += weights.AtVec(j) * a.z
			}
			mean[i] = p.centre + p.unit*z
			if p.rate {
				mean[i] = min(max(mean[i], 0), 1)
				std[i] = math.Sqrt(mean[i] * (1 - mean[i]))
				continue
			}
			std[i] = p.unit * math.Sqrt((variance+p.kernel.noise)*restless(&c, near[i]))
		}
	}
	return mean, std, nil
}

// restlessness that an item is given before it is looked at, in answers.
const usualAnswers = 4

// restless is how much more than others an item varies, as a factor of its variance: the posterior mean of a process with
// an inverse gamma scale, a Student-t process (Shah, Wilson and Ghahramani 2014). c factorizes its answers' covariance.
func restless(c *mat.Cholesky, of []answer) float64 {
	if len(of) == 0 {
		return 1
	}
	z, solved := mat.NewVecDense(len(of), nil), mat.NewVecDense(len(of), nil)
	for k, a := range of {
		z.SetVec(k, a.z)
	}
	if c.SolveVecTo(solved, z) != nil {
		return 1
	}
	return (usualAnswers + mat.Dot(z, solved)) / float64(usualAnswers+len(of))
}

// nearest are the answers that a prediction is made from: all, or of an item with many those of the trials with the
// largest covariance.
func (p *Predictor) nearest(covariance []float64) [][]answer {
	out := slices.Clone(p.answers)
	for i, of := range out {
		if len(of) <= mostAnswers {
			continue
		}
		some := slices.Clone(of)
		slices.SortStableFunc(some, func(a, b answer) int { return cmp.Compare(covariance[b.trial], covariance[a.trial]) })
		some = some[:mostAnswers]
		slices.SortFunc(some, func(a, b answer) int { return a.trial - b.trial })
		out[i] = some
	}
	return out
}
