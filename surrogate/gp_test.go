package surrogate

import (
	"context"
	"math"
	"math/rand/v2"
	"runtime"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// slowProcess is the textbook: dense matrices, an explicit inverse, nothing shared.
type slowProcess struct {
	x       [][]float64
	z       []float64
	k       kernel
	inverse mat.Dense
}

func (k *kernel) slow(a, b []float64) float64 {
	r2, in := 0.0, 0.0
	for i := range a {
		r2 += (a[i] - b[i]) * (a[i] - b[i]) * k.inverse[i]
		in += (a[i] - 0.5) * (b[i] - 0.5)
	}
	r := math.Sqrt(r2)
	return 4 + k.linear*in + k.deviation*(1+math.Sqrt(5)*r+5*r2/3)*math.Exp(-math.Sqrt(5)*r)
}

func newSlow(x [][]float64, z []float64, k kernel) *slowProcess {
	n := len(x)
	gram := mat.NewDense(n, n, nil)
	for i := range n {
		for j := range n {
			gram.Set(i, j, k.slow(x[i], x[j]))
		}
		gram.Set(i, i, gram.At(i, i)+k.noise)
	}
	s := &slowProcess{x: x, z: z, k: k}
	if err := s.inverse.Inverse(gram); err != nil {
		panic(err)
	}
	return s
}

func (s *slowProcess) predict(u []float64) (mean, variance float64) {
	n := len(s.x)
	variance = s.k.slow(u, u)
	for i := range n {
		for j := range n {
			w := s.k.slow(u, s.x[i]) * s.inverse.At(i, j)
			mean += w * s.z[j]
			variance -= w * s.k.slow(u, s.x[j])
		}
	}
	return mean, variance
}

func anyProcess(t *testing.T, n, d int) *process {
	t.Helper()
	s, err := newSample(sampled(n, d, 11, 450, bowl))
	if err != nil {
		t.Fatal(err)
	}
	p := newProcess(s)
	if err := p.fitHyper(context.Background(), vaguePrior(d)); err != nil {
		t.Fatal(err)
	}
	if err := p.factorize(); err != nil {
		t.Fatal(err)
	}
	return p
}

func TestProcessAgainstTextbook(t *testing.T) {
	p := anyProcess(t, 30, 3)
	slow := newSlow(p.us, p.z, p.kernel)
	rng := rand.New(rand.NewPCG(1, 1))
	for range 20 {
		u := []float64{rng.Float64(), rng.Float64(), rng.Float64()}
		eta, sd := p.predict(u)
		mean, variance := slow.predict(u)
		if want := p.shift + p.unit*mean; math.Abs(eta-want) > 1e-7 {
			t.Errorf("mean at %v is %g, textbook says %g", u, eta, want)
		}
		if want := p.unit * math.Sqrt(variance); math.Abs(sd-want) > 1e-5 {
			t.Errorf("std at %v is %g, textbook says %g", u, sd, want)
		}
		means, cov := p.joint([][]float64{u, p.us[0]})
		if math.Abs(means[0]-eta) > 1e-9 || math.Abs(math.Sqrt(cov.At(0, 0))-sd) > 1e-6 {
			t.Errorf("joint says %g ± %g, alone %g ± %g", means[0], math.Sqrt(cov.At(0, 0)), eta, sd)
		}
	}
}

func TestProcessLeaveOneOutIsExact(t *testing.T) {
	p := anyProcess(t, 25, 2)
	loo, sd := p.leaveOneOut()
	for i := range p.z {
		var x [][]float64
		var z []float64
		for j := range p.z {
			if j != i {
				x, z = append(x, p.us[j]), append(z, p.z[j])
			}
		}
		mean, variance := newSlow(x, z, p.kernel).predict(p.us[i])
		if want := p.shift + p.unit*mean; math.Abs(loo[i]-want) > 1e-6 {
			t.Errorf("without point %d: %g, refitted %g", i, loo[i], want)
		}
		if want := p.unit * math.Sqrt(variance+p.kernel.noise); math.Abs(sd[i]-want) > 1e-6 {
			t.Errorf("without point %d: ± %g, refitted ± %g", i, sd[i], want)
		}
	}
}

func TestPosteriorGradient(t *testing.T) {
	s, err := newSample(sampled(20, 3, 5, 450, bowl))
	if err != nil {
		t.Fatal(err)
	}
	p := newProcess(s)
	post := &negLogPosterior{g: newGram(p.us), prior: vaguePrior(3), z: p.z, grad: make([]float64, 6)}
	theta := []float64{0.3, -0.5, -4, 0.2, 0.9, -0.4}
	post.at(theta)
	grad := append([]float64(nil), post.grad...)
	for i := range theta {
		const h = 1e-5
		v := theta[i]
		theta[i] = v + h
		post.at(theta)
		up := post.value
		theta[i] = v - h
		post.at(theta)
		down := post.value
		theta[i] = v
		if want := (up - down) / (2 * h); math.Abs(grad[i]-want) > 1e-4*(1+math.Abs(want)) {
			t.Errorf("∂/∂θ%d = %g, differences say %g", i, grad[i], want)
		}
	}
}

// The value of the posterior is checked against the textbook's, term by term.
func TestPosteriorValue(t *testing.T) {
	s, err := newSample(sampled(15, 2, 5, 450, bowl))
	if err != nil {
		t.Fatal(err)
	}
	p := newProcess(s)
	theta := []float64{0.3, -0.5, -4, 0.2, 0.9}
	post := &negLogPosterior{g: newGram(p.us), prior: vaguePrior(2), z: p.z, grad: make([]float64, 5)}
	post.at(theta)
	k := decode(theta)
	slow := newSlow(p.us, p.z, k)
	want := 0.0
	for i := range p.z {
		for j := range p.z {
			want += p.z[i] * slow.inverse.At(i, j) * p.z[j] / 2
		}
	}
	det, sign := mat.LogDet(&slow.inverse)
	if sign <= 0 {
		t.Fatal("inverse is not positive definite")
	}
	want -= det / 2
	means := []float64{0, 0, math.Log(1e-3), 0.414 + math.Log(2)/2, 0.414 + math.Log(2)/2}
	stds := []float64{1.5, 2, 3, 1, 1}
	for i, v := range theta {
		want += (v - means[i]) * (v - means[i]) / (2 * stds[i] * stds[i])
	}
	if math.Abs(post.value-want) > 1e-6*math.Abs(want) {
		t.Errorf("posterior %g, textbook %g", post.value, want)
	}
}

func TestFitIsTheSameForAnyNumberOfProcessors(t *testing.T) {
	data := []Data{sampled(20, 3, 1, 450, bowl), sampled(20, 3, 2, 100, bowl), sampled(20, 3, 3, 0, bowl)}
	a := Fit(t.Context(), data, Choice{})
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	b := Fit(t.Context(), data, Choice{})
	x := []float64{0.3, 0.6, 0.9}
	for i := range a {
		if a[i].Err != nil || b[i].Err != nil {
			t.Fatal(a[i].Err, b[i].Err)
		}
		m, s := a[i].Surrogate.Predict(x)
		n, u := b[i].Surrogate.Predict(x)
		if m != n || s != u {
			t.Errorf("metric %d: %g ± %g, then %g ± %g", i, m, s, n, u)
		}
	}
}
