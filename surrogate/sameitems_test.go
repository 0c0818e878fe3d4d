package surrogate

import (
	"math"
	"math/rand/v2"
	"testing"
)

// rates are measurements of a rate that is logistic in a quadratic, of so many items, each of which has a share of the luck
// of its own, the same in all measurements.
func rates(seed uint64, n, items int, shared float64) Data {
	rng := rand.New(rand.NewPCG(seed, 7))
	d := Data{Lo: []float64{0, 0, 0}, Hi: []float64{1.2, 1.2, 1.2}, Link: Logit}
	luck, centre, bend := make([]float64, items), make([]float64, 3), make([]float64, 3)
	for i := range luck {
		luck[i] = rng.NormFloat64()
	}
	for j := range centre {
		centre[j], bend[j] = 0.05+0.3*rng.Float64(), 0.8+1.2*rng.Float64()
	}
	centre[0], bend[0] = 0.75+0.2*rng.Float64(), 2+1.5*rng.Float64()
	top := 1.2 + rng.Float64()
	for range n {
		x, eta := make([]float64, 3), top
		for j := range x {
			x[j] = 1.2 * rng.Float64()
			eta -= bend[j] * (x[j] - centre[j]) * (x[j] - centre[j])
		}
		at, right := math.Sqrt2*math.Erfinv(2/(1+math.Exp(-eta))-1), 0
		for i := range items {
			if math.Sqrt(shared)*luck[i]+math.Sqrt(1-shared)*rng.NormFloat64() < at {
				right++
			}
		}
		d.X, d.Y, d.N = append(d.X, x), append(d.Y, float64(right)/float64(items)), append(d.N, items)
	}
	return d
}

// flat are measurements of a rate that is the same everywhere, with items as those of rates.
func flat(seed uint64, n, items int, shared float64) Data {
	rng := rand.New(rand.NewPCG(seed, 7))
	d := Data{Lo: []float64{0, 0, 0}, Hi: []float64{1.2, 1.2, 1.2}, Link: Logit}
	luck := make([]float64, items)
	for i := range luck {
		luck[i] = rng.NormFloat64()
	}
	at := 0.1
	for range n {
		x := []float64{1.2 * rng.Float64(), 1.2 * rng.Float64(), 1.2 * rng.Float64()}
		right := 0
		for i := range items {
			if math.Sqrt(shared)*luck[i]+math.Sqrt(1-shared)*rng.NormFloat64() < at {
				right++
			}
		}
		d.X, d.Y, d.N = append(d.X, x), append(d.Y, float64(right)/float64(items)), append(d.N, items)
	}
	return d
}

// Where nothing but noise is measured, and less of it than the evaluation says as all is measured on the same items, it is
// not taken for a function that is known to the last bit.
func TestNoiseAloneIsNoFunction(t *testing.T) {
	const worlds = 40
	sure := 0
	for w := range worlds {
		r := Fit(t.Context(), []Data{flat(uint64(w), 20, 450, 0.85)}, Choice{})[0]
		if r.Err != nil {
			t.Fatal(r.Err)
		}
		if r.Trust.Ceiling > 0.95 {
			sure++
		}
	}
	if sure > 1 {
		t.Errorf("in %d of %d worlds where nothing varies noise is said to allow a Q² above .95, want hardly one", sure, worlds)
	}
}

// Noise that is the same in all measurements, as they are on the same items, does not bound what can be predicted: the
// ceiling is above what it would be, and the fit is not called limited by it where it is not. Of items that are drawn
// anew it does.
func TestSameItems(t *testing.T) {
	const worlds = 12
	for _, items := range []int{50, 450} {
		var ceiling, q2 [2]float64
		for k, shared := range []float64{0, 0.85} {
			for w := range worlds {
				r := Fit(t.Context(), []Data{rates(uint64(w), 40, items, shared)}, Choice{})[0]
				if r.Err != nil {
					t.Fatal(r.Err)
				}
				if r.Trust.Ceiling < r.Trust.Q2 {
					t.Errorf("%d items: noise allows a Q² of %.2f, and it is %.2f", items, r.Trust.Ceiling, r.Trust.Q2)
				}
				ceiling[k] += r.Trust.Ceiling / worlds
				q2[k] += r.Trust.Q2 / worlds
			}
		}
		if missing := [2]float64{1 - ceiling[0], 1 - ceiling[1]}; missing[1] > 0.6*missing[0] {
			t.Errorf("%d items: noise takes %.3f of the variance where they are the same for all, and %.3f where they are not: want less by far", items, missing[1], missing[0])
		}
		if ceiling[0]-q2[0] > 0.1 || ceiling[1]-q2[1] > 0.1 {
			t.Errorf("%d items: mean ceilings %.2f, mean Q² %.2f: want them near one another", items, ceiling, q2)
		}
	}
}

// A process that learns its noise takes some of it for bends, and is then far too sure: held against what the evaluation says,
// of items that are drawn anew, hardly one is.
func TestNoiseIsNotTakenForBends(t *testing.T) {
	const worlds = 24
	before, after := 0, 0
	for w := range worlds {
		s, err := newSample(rates(uint64(w), 40, 20, 0))
		if err != nil {
			t.Fatal(err)
		}
		f := Choice{Kind: KindGP}.begin(t.Context(), s)
		bends := func(count *int) {
			t.Helper()
			m, err := f.finish(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if m.noise < 0.4*meanPositive(s.noiseAt(m.loo))/s.redrawn {
				*count++
			}
		}
		bends(&before)
		f.refine(t.Context(), vaguePrior(s.dim()))
		bends(&after)
	}
	if before < 3 {
		t.Errorf("%d of %d processes take noise for bends by themselves, and next to nothing was tested", before, worlds)
	}
	if after > 1 {
		t.Errorf("%d of %d processes take noise for bends, by themselves %d: want 1 at most", after, worlds, before)
	}
}
