package items

import (
	"errors"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

// counted is what many draws gave.
type counted struct{ n, sum, squares, stated, inside float64 }

func (c *counted) add(e Estimate, truth, lo, hi, std float64) {
	c.n++
	c.sum += e.Value - truth
	c.squares += (e.Value - truth) * (e.Value - truth)
	c.stated += std * std
	if lo <= truth && truth <= hi {
		c.inside++
	}
}

// hold says where estimates have a bias, standard errors are off, or intervals hold too seldom or too often.
func (c *counted) hold(t *testing.T, what string, most float64) {
	t.Helper()
	bias, rms := c.sum/c.n, math.Sqrt(c.squares/c.n)
	t.Logf("%-40s error %.4f, stated %.4f, inside %.3f", what, rms, math.Sqrt(c.stated/c.n), c.inside/c.n)
	if math.Abs(bias) > 4*rms/math.Sqrt(c.n) {
		t.Errorf("%s: the mean error is %.5f of %.5f: that is a bias", what, bias, rms)
	}
	if ratio := math.Sqrt(c.stated / c.n); ratio < 0.88*rms || ratio > 1.2*rms {
		t.Errorf("%s: the error is %.4f, the standard error says %.4f", what, rms, ratio)
	}
	if in := c.inside / c.n; in < 0.87 || in > most {
		t.Errorf("%s: %.3f of the 90 %% intervals hold", what, in)
	}
}

// predictions of all sorts: whatever they are worth, estimates have no bias, and intervals hold.
func predictions(t testing.TB, w *world, x []float64, n int) map[string][]float64 {
	fitted, _, err := predictor(t, w.trials(20, 16), n).At(x)
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(21, 21))
	random, wrong, half := make([]float64, n), make([]float64, n), make([]float64, n)
	for i := range n {
		random[i], wrong[i], half[i] = r.Float64(), 1-fitted[i], 0.5
	}
	return map[string][]float64{"fitted": fitted, "random": random, "the wrong way round": wrong, "one half": half, "none": make([]float64, n)}
}

func stds(p []float64) []float64 {
	out := make([]float64, len(p))
	for i, v := range p {
		out[i] = math.Sqrt(v * (1 - v))
	}
	return out
}

func TestCoverageForTheseItems(t *testing.T) {
	const n, draws = 400, 1000
	w := newWorld(20, n)
	x := []float64{0.7, 0.4}
	truth := w.scores(x)
	for name, p := range predictions(t, w, x, n) {
		var once, twice counted
		for seed := range uint64(draws) {
			first := ask(t, p, stds(p), truth, 50, seed)
			e := combine(t, first)
			l, h := e.ForThese(0.9)
			once.add(e, mean(truth), l, h, e.These)

			again := stds(p)
			for _, i := range first.Items {
				again[i] = -1
			}
			e = combine(t, first, ask(t, p, again, truth, 40, seed+1e6))
			if e.Asked != 90 || e.N != n {
				t.Fatalf("%d of %d items were asked, expected 90 of %d", e.Asked, e.N, n)
			}
			l, h = e.ForThese(0.9)
			twice.add(e, mean(truth), l, h, e.These)
		}
		once.hold(t, name+", 50 items", 0.94)
		twice.hold(t, name+", 50 and then 40", 0.94)
		if twice.squares > 0.8*once.squares {
			t.Errorf("%s: 40 items more take the squared error from %.4f to %.4f only", name, once.squares, twice.squares)
		}
	}
}

// Benchmarks are drawn, and of each a part is asked: the truth is the mean over all that could be drawn.
func TestCoverageForNewItems(t *testing.T) {
	const n, draws = 200, 1000
	r := rand.New(rand.NewPCG(22, 22))
	var rights, losses counted
	for seed := range uint64(draws) {
		p, truth, loss, sd := make([]float64, n), make([]float64, n), make([]float64, n), make([]float64, n)
		for i := range n {
			p[i] = r.Float64()
			if r.Float64() < p[i] {
				truth[i] = 1
			}
			sd[i] = 0.5
			loss[i] = 2 + 2*p[i] + 0.5*r.NormFloat64()
		}
		e := combine(t, ask(t, p, stds(p), truth, 60, seed))
		l, h := e.ForNew(0.9)
		rights.add(e, 0.5, l, h, e.New)
		expected := make([]float64, n)
		for i, v := range p {
			expected[i] = 2 + 2*v
		}
		e = combine(t, ask(t, expected, sd, loss, 60, seed))
		l, h = e.ForNew(0.9)
		losses.add(e, 3, l, h, e.New)
	}
	rights.hold(t, "rates, new items", 0.94)
	losses.hold(t, "losses, new items", 0.94)
}

// Where nothing asked was a surprise there is still an error, and an interval about as wide as the rule of three has it.
func TestNoSurprise(t *testing.T) {
	const n, k = 1000, 50
	zero, even := make([]float64, n), make([]float64, n)
	for i := range even {
		even[i] = 1
	}
	_, hi := combine(t, ask(t, zero, even, zero, k, 1)).ForThese(0.9)
	if hi < 2./k || hi > 3.5/k {
		t.Errorf("none of %d is right: the interval ends at %.4f; expected about 3/%d", k, hi, k)
	}
	var seen counted
	for seed := range uint64(1000) {
		truth, r := make([]float64, n), rand.New(rand.NewPCG(seed, 3))
		for range 30 {
			truth[r.IntN(n)] = 1
		}
		e := combine(t, ask(t, zero, even, truth, k, seed))
		l, h := e.ForThese(0.9)
		seen.add(e, mean(truth), l, h, e.These)
	}
	if in := seen.inside / seen.n; in < 0.87 {
		t.Errorf("a rate of .03, predicted 0: %.3f of the 90 %% intervals hold", in)
	}
}

func TestAllItemsLeaveNoError(t *testing.T) {
	scores := []float64{1, 0, 0, 1, 1}
	e := combine(t, All(scores))
	if want := math.Sqrt(0.6 * 0.4 / 4); e.Value != 0.6 || e.These != 0 || math.Abs(e.New-want) > 1e-12 || e.N != 5 || e.Asked != 5 {
		t.Errorf("%+v, expected .6 of 5 with no error for these, %.4f for new items", e, want)
	}
	if l, h := e.ForThese(0.9); l != 0.6 || h != 0.6 {
		t.Errorf("the interval for these items is %g to %g, expected .6", l, h)
	}
	p := []float64{0.2, 0.9, 0.5, 0.5, 0.5}
	first := ask(t, p, stds(p), scores, 2, 1)
	open := stds(p)
	for _, i := range first.Items {
		open[i] = -1
	}
	if e := combine(t, first, ask(t, p, open, scores, 3, 2)); math.Abs(e.Value-0.6) > 1e-12 || e.These != 0 {
		t.Errorf("%+v after all have been asked in two askings, expected .6 with no error for these items", e)
	}
}

func TestBadAskings(t *testing.T) {
	p := []float64{0.5, 0.5, 0.5, 0.5}
	good := Asking{Items: []int{0, 2}, Scores: []float64{1, 0}, Probability: p, Predicted: p}
	with := func(change func(a *Asking)) Asking {
		a := good
		change(&a)
		return a
	}
	for says, askings := range map[string][]Asking{
		"nothing was asked":                     {},
		"asking 0 has no items":                 {with(func(a *Asking) { a.Items, a.Scores = nil, nil })},
		"1 scores for 2 items":                  {with(func(a *Asking) { a.Scores = a.Scores[:1] })},
		"score 1 is NaN":                        {with(func(a *Asking) { a.Scores = []float64{1, math.NaN()} })},
		"item 0 is there twice":                 {with(func(a *Asking) { a.Items = []int{0, 0} })},
		"item 4: there are 4":                   {with(func(a *Asking) { a.Items = []int{0, 4} })},
		"4 predictions and 3 probabilities":     {with(func(a *Asking) { a.Probability = p[:3] })},
		"the probability of item 3 is 2":        {with(func(a *Asking) { a.Probability = []float64{0.5, 0.5, 0.5, 2} })},
		"the prediction of item 1 is +Inf":      {with(func(a *Asking) { a.Predicted = []float64{0, math.Inf(1), 0, 0} })},
		"item 3 was not asked before and could": {with(func(a *Asking) { a.Probability = []float64{1, 0.5, 0.5, 0} })},
		"item 2 could not be drawn and was":     {with(func(a *Asking) { a.Probability = []float64{1, 0.5, 0, 0.5} })},
		"asking 1: item 0 was asked before":     {good, good},
	} {
		_, err := Combine(askings...)
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("the error does not say %q: %v", says, err)
		}
		if err != nil && !errors.Is(err, Shape) && !errors.Is(err, Empty) && !errors.Is(err, NotANum) && !errors.Is(err, Unknown) {
			t.Errorf("%v has none of the package's codes", err)
		}
	}
}
