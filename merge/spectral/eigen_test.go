package spectral

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"runtime"
	"testing"

	"gonum.org/v1/gonum/mat"

	"parfait/parallel/paralleltest"
)

// spectra are symmetric matrices with eigenvalues of many kinds.
func spectra(r *rand.Rand) map[string]*mat.SymDense {
	turned := func(values []float64) *mat.SymDense {
		n := len(values)
		var qr mat.QR
		qr.Factorize(drawn(r, n, n))
		var q, m mat.Dense
		qr.QTo(&q)
		m.Product(&q, mat.NewDiagDense(n, values), q.T())
		s := mat.NewSymDense(n, nil)
		for i := range n {
			for k := i; k < n; k++ {
				s.SetSym(i, k, (m.At(i, k)+m.At(k, i))/2)
			}
		}
		return s
	}
	of := func(n int, f func(i int) float64) []float64 {
		out := make([]float64, n)
		for i := range out {
			out[i] = f(i)
		}
		return out
	}
	gram := func(rows, cols int) *mat.SymDense {
		s := mat.NewSymDense(cols, nil)
		s.SymOuterK(1, drawn(r, rows, cols).T())
		return s
	}
	graded := mat.NewSymDense(50, nil)
	for i := range 50 {
		for k := i; k < 50; k++ {
			graded.SetSym(i, k, r.NormFloat64()*math.Exp(-float64(i+k)/3))
		}
	}
	return map[string]*mat.SymDense{
		"one":            mat.NewSymDense(1, []float64{-3}),
		"two":            mat.NewSymDense(2, []float64{1, 2, 2, 1}),
		"three":          gram(5, 3),
		"nothing":        mat.NewSymDense(40, nil),
		"diagonal":       turned(of(33, func(i int) float64 { return float64(i) })),
		"all the same":   turned(of(40, func(int) float64 { return 2.5 })),
		"two clusters":   turned(of(90, func(i int) float64 { return float64(1 + i%2) })),
		"of low rank":    gram(10, 70),
		"near one":       turned(of(300, func(int) float64 { return 1 + 1e-9*r.NormFloat64() })),
		"falls fast":     turned(of(65, func(i int) float64 { return math.Exp(-float64(i)) })),
		"graded":         graded,
		"of both signs":  turned(of(64, func(i int) float64 { return math.Sin(float64(i)) })),
		"gram":           gram(900, 333),
		"gram of a wide": gram(32, 129),
	}
}

// Values are those of the library, vectors are orthonormal and belong to them, whatever the spectrum.
func TestEigen(t *testing.T) {
	r := rand.New(rand.NewPCG(21, 22))
	for what, m := range spectra(r) {
		n := m.SymmetricDim()
		var e mat.EigenSym
		if !e.Factorize(m, false) {
			t.Fatalf("%s: the library finds no eigenvalues, want some to compare with", what)
		}
		want, size := e.Values(nil), 1e-300
		for _, v := range want {
			size = max(size, math.Abs(v))
		}
		values, vectors, err := eigen(t.Context(), m)
		if err != nil {
			t.Fatal(err)
		}
		for i, v := range values {
			if math.Abs(v-want[i]) > 1e-13*float64(n)*size {
				t.Errorf("%s: value %d is %g, want %g", what, i, v, want[i])
			}
		}
		var gram, left, right mat.Dense
		gram.Mul(vectors, vectors.T())
		for i := range n {
			gram.Set(i, i, gram.At(i, i)-1)
		}
		if d := mat.Max(absolute(&gram)); d > 1e-13*float64(n) {
			t.Errorf("%s: the vectors are orthonormal within %g, want %g", what, d, 1e-13*float64(n))
		}
		left.Mul(m, vectors.T())
		right.Mul(vectors.T(), mat.NewDiagDense(n, values))
		left.Sub(&left, &right)
		if d := mat.Max(absolute(&left)); d > 1e-13*float64(n)*size {
			t.Errorf("%s: m·v differs from its value times v by %g, want %g", what, d, 1e-13*float64(n)*size)
		}
	}
}

func absolute(m *mat.Dense) *mat.Dense {
	m.Apply(func(_, _ int, v float64) float64 { return math.Abs(v) }, m)
	return m
}

// No bit depends on how many processors there are, and what is no number comes to an end.
func TestEigenIsTheSame(t *testing.T) {
	m := mat.NewSymDense(600, nil)
	m.SymOuterK(1, drawn(rand.New(rand.NewPCG(23, 24)), 700, 600).T())
	was := runtime.GOMAXPROCS(1)
	defer runtime.GOMAXPROCS(was)
	values, vectors, err := eigen(t.Context(), m)
	if err != nil {
		t.Fatal(err)
	}
	runtime.GOMAXPROCS(5)
	again, same, err := eigen(t.Context(), m)
	if err != nil {
		t.Fatal(err)
	}
	if !mat.Equal(vectors, same) || values[0] != again[0] || values[599] != again[599] {
		t.Error("five processors find other bits than one")
	}
	m.SetSym(3, 5, math.NaN())
	if values, _, err := eigen(t.Context(), m); err != nil || !math.IsNaN(values[0]) {
		t.Errorf("the eigenvalues of what is no number begin with %g (%v), want NaN", values, err)
	}
}

func BenchmarkEigen(b *testing.B) {
	r := rand.New(rand.NewPCG(25, 26))
	m := mat.NewSymDense(512, nil)
	m.SymOuterK(1, drawn(r, 600, 512).T())
	b.Run("here", func(b *testing.B) {
		for b.Loop() {
			eigen(b.Context(), m) //nolint:errcheck // it does not end
		}
	})
	b.Run("library", func(b *testing.B) {
		for b.Loop() {
			var e mat.EigenSym
			e.Factorize(m, true)
		}
	})
}

// It ends wherever it looks whether it is to end, with the error of the context and without values.
func TestEigenEnds(t *testing.T) {
	m := mat.NewSymDense(100, nil)
	m.SymOuterK(1, drawn(rand.New(rand.NewPCG(27, 28)), 100, 120))
	count := paralleltest.EndAfter(-1)
	if _, _, err := eigen(count, m); err != nil || count.Looks() < 100 {
		t.Fatalf("%v after %d looks, want at least one for every value", err, count.Looks())
	}
	for n := range count.Looks() {
		if values, _, err := eigen(paralleltest.EndAfter(n), m); values != nil || !errors.Is(err, context.Canceled) {
			t.Fatalf("ended after %d looks: %d values and %v, want the error", n, len(values), err)
		}
	}
}
