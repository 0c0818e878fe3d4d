package items

import (
	"math"
	"math/rand/v2"
	"testing"
)

// world has items whose answers are known everywhere: each has a threshold of its own, and is right where a function of two
// coefficients that is its own, too, is above it.
type world struct{ difficulty, a, b, c, luck []float64 }

func newWorld(seed uint64, n int) *world {
	r := rand.New(rand.NewPCG(seed, 1))
	w := &world{}
	for range n {
		w.difficulty = append(w.difficulty, 1+2*r.NormFloat64())
		w.a, w.b, w.c = append(w.a, 2+2*r.NormFloat64()), append(w.b, 1+2*r.NormFloat64()), append(w.c, 2*r.NormFloat64())
		w.luck = append(w.luck, r.NormFloat64())
	}
	return w
}

func (w *world) margin(i int, x []float64) float64 {
	return w.a[i]*x[0] + w.b[i]*x[1] - 2*x[0]*x[0] + w.c[i]*math.Sin(3*x[0]*x[1]) - w.difficulty[i]
}

// scores are the rights and wrongs of all items at x.
func (w *world) scores(x []float64) []float64 {
	out := make([]float64, len(w.a))
	for i := range out {
		if w.margin(i, x)+0.2*w.luck[i] > 0 {
			out[i] = 1
		}
	}
	return out
}

func points(seed uint64, n int) [][]float64 {
	r := rand.New(rand.NewPCG(seed, 2))
	out := make([][]float64, n)
	for i := range out {
		out[i] = []float64{r.Float64(), r.Float64()}
	}
	return out
}

var lo, hi = []float64{0, 0}, []float64{1, 1}

// trials are full trials at some points.
func (w *world) trials(seed uint64, n int) (out []Trial) {
	for _, x := range points(seed, n) {
		out = append(out, Trial{X: x, Scores: w.scores(x)})
	}
	return out
}

func mean(v []float64) float64 {
	sum := 0.0
	for _, a := range v {
		sum += a
	}
	return sum / float64(len(v))
}

func predictor(t testing.TB, trials []Trial, n int) *Predictor {
	t.Helper()
	p, err := NewPredictor(t.Context(), trials, lo, hi, n)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// ask draws k items by std and looks up their scores.
func ask(t testing.TB, predicted, std, scores []float64, k int, seed uint64) Asking {
	t.Helper()
	p, err := Probabilities(std, k)
	if err != nil {
		t.Fatal(err)
	}
	in, err := Draw(p, seed)
	if err != nil {
		t.Fatal(err)
	}
	a := Asking{Items: in, Probability: p, Predicted: predicted}
	for _, i := range in {
		a.Scores = append(a.Scores, scores[i])
	}
	return a
}

func combine(t testing.TB, of ...Asking) Estimate {
	t.Helper()
	e, err := Combine(of...)
	if err != nil {
		t.Fatal(err)
	}
	return e
}
