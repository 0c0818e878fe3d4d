package surrogate_test

import (
	"math"
	"slices"
	"testing"

	"parfait/surrogate"
)

// The mean square of a distance has its least at one place, where its logarithm falls without end: a surrogate of the
// logarithm knows next to nothing of it, and one of the metric itself all.
func TestAutoIsTheScaleThatPredicts(t *testing.T) {
	t.Parallel()
	corners := [][]float64{{0, 0}, {1, 0}, {0, 1}, {0.5, 0.5}, {0.5, 0}, {0, 0.5}, {1.1, 1.1}, {1.16, 0.54}, {0.26, 1.19}, {0.95, 1.2}, {0.36, 1.18}, {0.85, 0.04}, {0.11, 1.12}, {0.7, 0.3}}
	fit := func(link surrogate.Link, of func(x []float64) float64) surrogate.Result {
		d := surrogate.Data{Lo: []float64{0, 0}, Hi: []float64{1.2, 1.2}, Link: link, X: corners}
		for _, x := range corners {
			d.Y = append(d.Y, of(x))
		}
		r := surrogate.Fit(t.Context(), []surrogate.Data{d}, surrogate.Choice{})[0]
		if r.Err != nil {
			t.Fatal(r.Err)
		}
		return r
	}
	same := func(a, b surrogate.Result) bool { return slices.Equal(a.Trust.LOO, b.Trust.LOO) }

	square := func(x []float64) float64 { return 0.01 + 12*((x[0]-1)*(x[0]-1)+0.1*x[1]*x[1]) }
	auto := fit(surrogate.Auto, square)
	if !same(auto, fit(surrogate.Identity, square)) || auto.Trust.Q2 < 0.99 {
		t.Errorf("a square: Q² %.3f; the logarithm has %.3f", auto.Trust.Q2, fit(surrogate.Log, square).Trust.Q2)
	}
	decades := func(x []float64) float64 { return math.Exp(8 * (x[0] - x[1])) }
	if !same(fit(surrogate.Auto, decades), fit(surrogate.Log, decades)) {
		t.Error("a loss over many decades is not fitted by its logarithm")
	}
	below := func(x []float64) float64 { return square(x) - 0.02 }
	if !same(fit(surrogate.Auto, below), fit(surrogate.Identity, below)) {
		t.Error("a metric that falls below 0 is not fitted on its own scale")
	}
}
