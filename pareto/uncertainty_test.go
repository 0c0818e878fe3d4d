package pareto

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"

	"parfait/problem"
)

func TestProbabilityNonDominated(t *testing.T) {
	// The first is always best, the third always worst; the second and the fourth are either.
	p, err := ProbabilityNonDominated(t.Context(), 4, 4000, 1, func(rng *rand.Rand, dst [][]float64) {
		v := rng.Float64()
		dst[0], dst[1] = []float64{0, 9}, []float64{5, v}
		dst[2], dst[3] = []float64{9, 9}, []float64{5, 1 - v}
	})
	if err != nil || p[0] != 1 || p[2] != 0 || p[1]+p[3] != 1 || !near(p[1], 0.5, 0.03) {
		t.Errorf("shares %v, want 1, ½, 0, ½", p)
	}
	if p, err := ProbabilityNonDominated(t.Context(), 2, 0, 1, nil); err != nil || !slices.Equal(p, []float64{0, 0}) {
		t.Errorf("without draws: %v", p)
	}
}

func TestProbabilityOfTwoNormals(t *testing.T) {
	// One objective, means 1 apart, covariance with correlation ρ: P(best) = Φ(1/√(2−2ρ)).
	for _, correlation := range []float64{0, 0.5, 1} {
		cov := mat.NewSymDense(2, []float64{1, correlation, correlation, 1})
		sample, err := Normals([][]float64{{0, 1}}, []*mat.SymDense{cov})
		if err != nil {
			t.Fatal(err)
		}
		want := 1.0
		if correlation < 1 {
			want = math.Erfc(-1/math.Sqrt(2-2*correlation)/math.Sqrt2) / 2
		}
		p, err := ProbabilityNonDominated(t.Context(), 2, 20000, 7, sample)
		if err != nil || !near(p[0], want, 0.015) {
			t.Errorf("correlation %v: %v, want %v", correlation, p[0], want)
		}
		if again, err := ProbabilityNonDominated(t.Context(), 2, 20000, 7, sample); err != nil || !slices.Equal(p, again) {
			t.Errorf("correlation %v: %v, then %v", correlation, p, again)
		}
	}
}

func TestNormalsBadInput(t *testing.T) {
	good := mat.NewSymDense(1, []float64{1})
	for _, c := range []struct {
		name string
		mean [][]float64
		cov  []*mat.SymDense
		want Code
	}{
		{"nothing", nil, nil, BadOption},
		{"a covariance short", [][]float64{{0}, {0}}, []*mat.SymDense{good}, BadOption},
		{"another size", [][]float64{{0, 1}}, []*mat.SymDense{good}, BadOption},
		{"no covariance at all", [][]float64{{0, 0}}, []*mat.SymDense{mat.NewSymDense(2, []float64{1, 2, 2, 1})}, Singular},
		{"NaN", [][]float64{{0}}, []*mat.SymDense{mat.NewSymDense(1, []float64{math.NaN()})}, Singular},
	} {
		_, err := Normals(c.mean, c.cov)
		if problem.CodeOf(err) != c.want {
			t.Errorf("%s: %v, want code %s", c.name, err, c.want)
		}
	}
}
