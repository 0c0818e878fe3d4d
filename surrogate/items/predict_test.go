package items

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"gonum.org/v1/gonum/diff/fd"
	"gonum.org/v1/gonum/mat"
)

// What is predicted is far nearer to the answers than the share of the items that is right is.
func TestPredictions(t *testing.T) {
	const n = 300
	w := newWorld(1, n)
	p := predictor(t, w.trials(1, 16), n)
	brier, naive := 0.0, 0.0
	for _, x := range points(2, 20) {
		truth := w.scores(x)
		predicted, std, err := p.At(x)
		if err != nil {
			t.Fatal(err)
		}
		share := mean(truth)
		for i, v := range truth {
			brier += (v - predicted[i]) * (v - predicted[i])
			naive += (v - share) * (v - share)
			if predicted[i] < 0 || predicted[i] > 1 || math.Abs(std[i]-math.Sqrt(predicted[i]*(1-predicted[i]))) > 1e-12 {
				t.Fatalf("item %d: predicted %g ± %g: expected p ± √(p(1−p))", i, predicted[i], std[i])
			}
		}
	}
	if brier > naive/3 {
		t.Errorf("squares left by predictions: %.0f, by the share of all items: %.0f; expected less than a third", brier, naive)
	}
}

// Predictions are those of the plain formula of a Gaussian process for each item by itself, also where each item was
// answered by other trials.
func TestPredictionsAreThoseOfOneProcessAnItem(t *testing.T) {
	const n = 40
	w := newWorld(3, n)
	trials := w.trials(3, 9)
	r := rand.New(rand.NewPCG(3, 3))
	for i := range trials[3:] {
		of := &trials[3+i]
		all := of.Scores
		of.Scores = nil
		for _, item := range r.Perm(n)[:12] {
			of.Items, of.Scores = append(of.Items, item), append(of.Scores, all[item]-0.5+r.Float64()) // any reals
		}
	}
	p := predictor(t, trials, n)
	x := []float64{0.3, 0.6}
	predicted, std, err := p.At(x)
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		var us [][]float64
		var z []float64
		for _, a := range p.answers[i] {
			us, z = append(us, p.us[a.trial]), append(z, a.z)
		}
		var inverse mat.Dense
		if err := inverse.Inverse(p.kernel.gram(us)); err != nil {
			t.Fatal(err)
		}
		want, left, misfit := 0.0, p.kernel.at(x, x)+p.kernel.noise, 0.0
		for a := range us {
			for b := range us {
				q := inverse.At(a, b)
				want += p.kernel.at(x, us[a]) * q * z[b]
				left -= p.kernel.at(x, us[a]) * q * p.kernel.at(x, us[b])
				misfit += z[a] * q * z[b]
			}
		}
		want = p.centre + p.unit*want
		spread := p.unit * math.Sqrt(left*(4+misfit)/(4+float64(len(us))))
		if math.Abs(predicted[i]-want) > 1e-9 || math.Abs(std[i]-spread) > 1e-9 {
			t.Errorf("item %d: %g ± %g, expected %g ± %g", i, predicted[i], std[i], want, spread)
		}
	}
}

func TestGradient(t *testing.T) {
	w := newWorld(4, 30)
	p := predictor(t, w.trials(4, 7), 30)
	theta := []float64{-0.3, -1, 0.2, -1.5, 0.4, -0.7}
	post := &posterior{mean: prior(2), patterns: p.patterns(), grad: make([]float64, 6)}
	want := fd.Gradient(nil, func(theta []float64) float64 { post.at(theta); return post.value }, theta, &fd.Settings{Formula: fd.Central})
	post.at(theta)
	for i, v := range want {
		if math.Abs(post.grad[i]-v) > 1e-4*max(1, math.Abs(v)) {
			t.Errorf("∂/∂θ%d is %g, by differences %g", i, post.grad[i], v)
		}
	}
}

// Where items are, in which order trials come, and whether items are named one by one, changes nothing.
func TestOrderDoesNotMatter(t *testing.T) {
	const n = 60
	w := newWorld(5, n)
	trials := w.trials(5, 8)
	want, _, err := predictor(t, trials, n).At([]float64{0.2, 0.9})
	if err != nil {
		t.Fatal(err)
	}
	order := rand.New(rand.NewPCG(5, 5)).Perm(n)
	var other []Trial
	for i := range trials {
		of := trials[len(trials)-1-i]
		turned := Trial{X: of.X}
		for k := range n {
			turned.Items, turned.Scores = append(turned.Items, k), append(turned.Scores, of.Scores[order[k]])
		}
		other = append(other, turned)
	}
	got, _, err := predictor(t, other, n).At([]float64{0.2, 0.9})
	if err != nil {
		t.Fatal(err)
	}
	for k, i := range order {
		if math.Abs(got[k]-want[i]) > 1e-4 { // the optimiser ends a little elsewhere
			t.Errorf("item %d: %g, in another order %g", i, want[i], got[k])
		}
	}
}

// Trials that answered some items add to what those with all know.
func TestSomeAnswersHelp(t *testing.T) {
	const n = 300
	w := newWorld(6, n)
	trials := w.trials(6, 6)
	r := rand.New(rand.NewPCG(6, 6))
	more := trials
	for _, of := range w.trials(7, 40) {
		some := Trial{X: of.X}
		for _, i := range r.Perm(n)[:50] {
			some.Items, some.Scores = append(some.Items, i), append(some.Scores, of.Scores[i])
		}
		more = append(more, some)
	}
	var squares [2]float64
	for k, of := range [][]Trial{trials, more} {
		p := predictor(t, of, n)
		for _, x := range points(8, 20) {
			predicted, _, err := p.At(x)
			if err != nil {
				t.Fatal(err)
			}
			for i, v := range w.scores(x) {
				squares[k] += (v - predicted[i]) * (v - predicted[i])
			}
		}
	}
	if squares[1] > 0.85*squares[0] {
		t.Errorf("squares left: %.0f by six full trials, %.0f with forty of a sixth of the items beside them; expected a good deal less", squares[0], squares[1])
	}
}

// Of losses it is known which items vary.
func TestRestlessItemsHaveWiderPredictions(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 9))
	var trials []Trial
	for _, x := range points(9, 20) {
		of := Trial{X: x}
		for i := range 100 {
			noise := 0.1
			if i >= 50 {
				noise = 1
			}
			of.Scores = append(of.Scores, 3+x[0]+noise*r.NormFloat64())
		}
		trials = append(trials, of)
	}
	_, std, err := predictor(t, trials, 100).At([]float64{0.5, 0.5})
	if err != nil {
		t.Fatal(err)
	}
	if calm, restless := mean(std[:50]), mean(std[50:]); restless < 1.5*calm {
		t.Errorf("items with noise .1 are predicted ± %.2f, those with noise 1 ± %.2f; expected a clear difference", calm, restless)
	}
}

// Of an item with very many answers the nearest count, and the time stays bounded.
func TestManyTrials(t *testing.T) {
	const n = 20
	w := newWorld(10, n)
	p := predictor(t, w.trials(10, 2*mostAnswers), n)
	right, all := 0, 0
	for _, x := range points(11, 20) {
		predicted, _, err := p.At(x)
		if err != nil {
			t.Fatal(err)
		}
		for i, v := range w.scores(x) {
			all++
			if (predicted[i] > 0.5) == (v == 1) {
				right++
			}
		}
	}
	if right < all*9/10 {
		t.Errorf("%d of %d answers are as predicted by %d trials, expected nine of ten", right, all, 2*mostAnswers)
	}
}

// Items that nobody answered, and scores that do not vary, are predicted by what there is.
func TestLittleIsKnown(t *testing.T) {
	one := []Trial{{X: []float64{0.5, 0.5}, Items: []int{0, 2}, Scores: []float64{1, 0}}}
	predicted, _, err := predictor(t, one, 3).At([]float64{0.5, 0.5})
	if err != nil {
		t.Fatal(err)
	}
	if !(predicted[0] > predicted[1] && predicted[1] > predicted[2]) || predicted[1] != 0.5 {
		t.Errorf("predicted %v; expected the item without answers at the mean .5, between the one that was right and the one that was wrong", predicted)
	}
	same := []Trial{{X: []float64{0.5, 0.5}, Scores: []float64{2, 2, 2}}, {X: []float64{0, 0.5}, Scores: []float64{2, 2, 2}}}
	predicted, std, err := predictor(t, same, 3).At([]float64{0, 0})
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range predicted {
		if math.Abs(v-2) > 1e-9 || !finite(std[i]) {
			t.Errorf("item %d is predicted %g ± %g where all answers are 2", i, v, std[i])
		}
	}
}

func TestBadTrials(t *testing.T) {
	nan := math.NaN()
	_, err := NewPredictor(t.Context(), []Trial{
		{X: []float64{1}, Scores: []float64{1, 0}},
		{X: []float64{nan, 0}, Items: []int{0, 0, 7}, Scores: []float64{1, nan, 0}},
	}, []float64{0, 2}, []float64{1, 1}, 3)
	for _, code := range []Code{Shape, NotANum, Unknown} {
		if !errors.Is(err, code) {
			t.Errorf("%v: expected %s among it", err, code)
		}
	}
	for _, says := range []string{"trial 0 has 1 coefficients, expected 2", "2 scores for 3 items", "coefficient 0 is NaN", "score 1 is NaN", "item 7: there are 3", "item 0 is there twice", "range of coefficient 1 is [2, 1]"} {
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("the error does not say %q: %v", says, err)
		}
	}
	if _, err := NewPredictor(t.Context(), nil, lo, hi, 3); !errors.Is(err, Empty) {
		t.Errorf("without trials: %v, expected %s", err, Empty)
	}
	if _, err := NewPredictor(t.Context(), nil, lo, hi, 0); !errors.Is(err, Empty) {
		t.Errorf("without items: %v, expected %s", err, Empty)
	}
	w := newWorld(1, 5)
	if _, _, err := predictor(t, w.trials(1, 3), 5).At([]float64{1}); !errors.Is(err, Shape) {
		t.Errorf("at a point of one coefficient: %v, expected %s", err, Shape)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if _, err := NewPredictor(ctx, w.trials(1, 3), lo, hi, 5); !errors.Is(err, context.Canceled) {
		t.Errorf("with an ended context: %v, expected its error", err)
	}
}
