package surrogate

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"parfait/problem"
)

// alone fits one metric by itself.
func alone(ctx context.Context, d Data, c Choice) Result { return Fit(ctx, []Data{d}, c)[0] }

func fit(t *testing.T, c Choice, d Data) (Surrogate, Trust) {
	t.Helper()
	r := alone(t.Context(), d, c)
	if r.Err != nil {
		t.Fatal(r.Err)
	}
	s, trust := r.Surrogate, r.Trust
	for _, x := range d.X {
		m, sd := s.Predict(x)
		lo, hi := s.Interval(x, 0.9)
		if math.IsNaN(m) || !(sd >= 0) || !(lo <= m && m <= hi) {
			t.Fatalf("at %v: %g ± %g in [%g, %g]", x, m, sd, lo, hi)
		}
		if l := s.Leverage(x); !(l >= 0 && l <= 1+1e-9) {
			t.Fatalf("leverage %g of a sample", l)
		}
	}
	return s, trust
}

func TestTrustOfAGoodFit(t *testing.T) {
	for name, f := range map[string]Choice{"quadratic": {Kind: KindQuadratic}, "gp": {Kind: KindGP}} {
		_, trust := fit(t, f, sampled(40, 3, 1, 2000, bowl))
		if trust.Q2 < 0.9 || trust.Flagged || trust.Constant || trust.Cliff || trust.Coverage < 0.8 {
			t.Errorf("%s: %+v, want a Q² and a coverage above .9 and .8, and no flag", name, trust)
		}
	}
}

// One measurement that is wrong hides behind a good Q²: it is found, and the task is flagged.
func TestOneOutlierIsFound(t *testing.T) {
	for name, f := range map[string]Choice{"quadratic": {Kind: KindQuadratic}, "gp": {Kind: KindGP}} {
		for seed := range uint64(5) {
			d := sampled(40, 3, seed, 2000, bowl)
			if _, trust := fit(t, f, d); len(trust.Outliers) > 0 || trust.Flagged {
				t.Errorf("%s, seed %d: nothing is odd, but: %+v", name, seed, trust)
			}
			at := int(3 * seed)
			d.Y[at] = math.Abs(d.Y[at] - 0.25)
			_, trust := fit(t, f, d)
			if !slices.Contains(trust.Outliers, at) || !trust.Flagged {
				t.Errorf("%s, seed %d: measurement %d is wrong: %+v", name, seed, at, trust)
			}
		}
	}
}

// Few items a measurement are not a bad fit: the ceiling says so.
func TestTrustKnowsItsCeiling(t *testing.T) {
	_, trust := fit(t, Choice{Kind: KindGP}, sampled(60, 3, 1, 60, bowl))
	if trust.Ceiling > 0.95 || trust.Q2 > trust.Ceiling+0.15 || trust.Q2 < 0.5*trust.Ceiling {
		t.Errorf("%+v, want a ceiling below .95, and a Q² between half of it and a little above", trust)
	}
	if trust.Flagged || trust.NoiseLimited != (trust.Q2 < goodQ2) || trust.NoiseLimited && trust.Why == "" {
		t.Errorf("%+v, want no flag but that noise limits it, with its reason, where Q² is below %g", trust, goodQ2)
	}
}

// With few measurements a high Q² tells nothing: of fits of 7 measurements of 3 coefficients, and of 14 of 6, no
// more were good where it was above .90 than where it was below. After 16 of 6, two groups of layers of three models, fronts were
// too good by .065 of the range (bench/verdicts).
func TestAHighQ2OfFewIsFlagged(t *testing.T) {
	for d, few := range map[int]int{1: 4, 2: 8, 3: 12, 4: 15, 5: 15, 6: 18, 8: 24} {
		for _, n := range []int{few - 1, few} {
			trust := Trust{N: n, Q2: 0.95, Ceiling: 1}
			if trust.flagIfPoor(&sample{scaler: newScaler(make([]float64, d), make([]float64, d))}); trust.Flagged != (n < few) {
				t.Errorf("%d of %d coefficients: %+v", n, d, trust)
			}
		}
	}
}

// The words of a flag are true of the figures beside them.
func TestWordsOfAVerdict(t *testing.T) {
	for _, c := range []struct {
		q2, ceiling float64
		flagged     bool
		words       string
	}{
		{0.8996, 0.99, true, "Q² 0.8996 is below 0.90"},
		{-0.001, 0.99, true, "Q² 0.00 is below"},
		{0.89, 0.92, false, "Q² 0.89, of 0.92 that the noise"},
		{0.45, 0.40, false, "Q² 0.45, of 0.45 that the noise"},
		{0.87, 0.96, true, "Q² 0.87 is below 0.90"},
		{0.40, 0.60, false, "Q² 0.40, of 0.60 that the noise"},
		{0.30, 0.60, true, "Q² 0.30 is below 0.90"},
	} {
		trust := Trust{N: 40, Q2: c.q2, Ceiling: c.ceiling}
		if trust.flagIfPoor(&sample{}); trust.Flagged != c.flagged || trust.NoiseLimited == c.flagged || !strings.Contains(trust.Why, c.words) {
			t.Errorf("%+v: flagged %v, limited by noise %v for %q", c, trust.Flagged, trust.NoiseLimited, trust.Why)
		}
	}
}

// The ceiling of few items is what noise leaves: the variance of an empirical logit, drawn.
func TestVarianceOfALogit(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 1))
	for _, n := range []int{10, 50} {
		for _, p := range []float64{.5, .8, .95} {
			var sum, square float64
			const draws = 20000
			for range draws {
				k := 0
				for range n {
					if r.Float64() < p {
						k++
					}
				}
				z := math.Log((float64(k) + .5) / (float64(n-k) + .5))
				sum, square = sum+z, square+z*z
			}
			want := square/draws - sum/draws*sum/draws
			if got := logitVariance(p, float64(n)); math.Abs(got/want-1) > .05 {
				t.Errorf("%d items of a rate of %g: %.4f, drawn %.4f", n, p, got, want)
			}
		}
	}
}

func TestTrustOfOddTasks(t *testing.T) {
	constant := func([]float64) float64 { return 0.4 }
	idle := func(x []float64) float64 { return bowl(x[:2]) } // the third does nothing
	twin := func(x []float64) float64 { return bowl([]float64{x[0], x[1], x[1]}) }
	for name, c := range map[string]struct {
		data Data
		ok   func(Trust) bool
	}{
		"constant, exact":               {sampled(20, 3, 1, 0, constant), func(t Trust) bool { return t.Constant && !t.Flagged && t.Fitter == "constant" }},
		"constant but for noise":        {sampled(40, 3, 1, 100, constant), func(t Trust) bool { return t.Constant }},
		"one trial":                     {sampled(1, 3, 1, 100, bowl), func(t Trust) bool { return t.Flagged && t.N == 1 }},
		"three trials":                  {sampled(3, 3, 1, 100, bowl), func(t Trust) bool { return t.Flagged && t.N == 3 && t.Fitter == "mean" }},
		"four trials":                   {sampled(4, 8, 1, 100, bowl), func(t Trust) bool { return t.N == 4 }},
		"a coefficient does nothing":    {sampled(30, 3, 1, 1000, idle), func(t Trust) bool { return t.Q2 > 0.8 }},
		"two coefficients are the same": {twins(sampled(30, 3, 1, 1000, twin)), func(t Trust) bool { return t.Q2 > 0.8 }},
		"a range of no width":           {flatRange(sampled(30, 3, 1, 1000, bowl)), func(t Trust) bool { return t.N == 30 }},
		"every point the same":          {same(sampled(30, 3, 1, 50, bowl)), func(t Trust) bool { return t.N == 30 }},
	} {
		for fitter, f := range map[string]Choice{"auto": {}, "gp": {Kind: KindGP}, "quadratic": {Kind: KindQuadratic}, "plain": {Kind: KindQuadratic, Plain: true}} {
			t.Run(name+"/"+fitter, func(t *testing.T) {
				if _, trust := fit(t, f, c.data); !c.ok(trust) && fitter != "plain" {
					t.Errorf("%s by %s: %+v, want what the case expects", name, fitter, trust)
				}
			})
		}
	}
}

func twins(d Data) Data {
	for _, x := range d.X {
		x[2] = x[1]
	}
	return d
}

func flatRange(d Data) Data {
	for _, x := range d.X {
		x[2] = 0.5
	}
	d.Lo[2], d.Hi[2] = 0.5, 0.5
	return d
}

func same(d Data) Data {
	for i := range d.X {
		d.X[i] = d.X[0]
	}
	return d
}

func TestCliffs(t *testing.T) {
	edge := func(x []float64) float64 {
		if x[0]*x[0]+x[1]*x[1] > 0.6 {
			return 0.02
		}
		return bowl(x)
	}
	explodes := func(x []float64) float64 {
		if x[0] > 0.8 {
			return 900
		}
		return 2 - bowl(x)
	}
	for n := 20; n <= 60; n += 20 {
		for seed := range uint64(3) {
			if _, trust := fit(t, Choice{}, sampled(n, 2, seed, 450, edge)); !trust.Cliff || trust.CliffWhy == "" {
				t.Errorf("n %d, seed %d: no cliff was seen: %+v", n, seed, trust)
			}
			if _, trust := fit(t, Choice{}, sampled(n, 2, seed, 450, bowl)); trust.Cliff {
				t.Errorf("n %d, seed %d: there is no cliff, but: %s", n, seed, trust.CliffWhy)
			}
			loss := sampled(n, 2, seed, 0, explodes)
			loss.Link = Log
			if _, trust := fit(t, Choice{}, loss); !trust.Cliff || !strings.HasSuffix(trust.CliffWhy, "near 900") {
				t.Errorf("n %d, seed %d: no explosion was seen, but %q", n, seed, trust.CliffWhy)
			}
		}
	}
}

// Seconds that are all about the same have no cliff, however far one of them lies from the others in their range.
func TestNoCliffBetweenValuesThatAreAllAlike(t *testing.T) {
	d := sampled(8, 2, 1, 0, bowl)
	d.X = [][]float64{{0, 0}, {1, 0}, {0, 1}, {0.5, 0.5}, {0.5, 0}, {0, 0.5}, {1.107, 1.102}, {1.164, 0.54}}
	d.Link, d.Y = Log, []float64{6.031, 6.043, 6.035, 6.054, 6.060, 6.053, 6.052, 6.042}
	if _, trust := fit(t, Choice{}, d); trust.Cliff {
		t.Errorf("there is no cliff, but: %s", trust.CliffWhy)
	}
}

// A few measurements that are all at one end, exactly, with nothing near them are a collapse too.
func TestCliffOfFewThatAreExactlyTheSame(t *testing.T) {
	d := sampled(30, 2, 1, 0, func(x []float64) float64 { return 2 - bowl(x) })
	d.Link = Log
	for i := range 3 {
		d.Y[9*i] = 900
	}
	if _, trust := fit(t, Choice{}, d); !trust.Cliff {
		t.Errorf("no explosion was seen: %+v", trust)
	}
	slope := func(x []float64) float64 { // everything between the floor and the top
		if x[0]*x[0]+x[1]*x[1] > 0.6 {
			return 0.01
		}
		return x[0] / 2
	}
	if _, trust := fit(t, Choice{}, sampled(30, 2, 1, 0, slope)); !trust.Cliff {
		t.Errorf("no floor was seen: %+v", trust)
	}
	if _, trust := fit(t, Choice{}, sampled(30, 2, 1, 0, func(x []float64) float64 { return x[0] / 2 })); trust.Cliff {
		t.Errorf("a slope is called a cliff: %s", trust.CliffWhy)
	}
}

// A search asks for 0 and for 1 again and again, and a task that a model does not touch reads the same at all of them:
// many values at one end, and no cliff. Nor is a floor that is reached by a slope.
func TestNoCliffWhereNothingJumps(t *testing.T) {
	straight := func(x []float64) float64 {
		if x[0]+x[1] <= 0 {
			return 0.2
		}
		left := max(0, 1-(x[0]+x[1]-1)*(x[0]+x[1]-1))
		return 0.2 + 0.6*left*x[0]/(x[0]+x[1])
	}
	for _, d := range []int{1, 2, 3, 6} {
		for _, n := range []int{8, 12, 24, 40} {
			for seed := range uint64(20) {
				rng := rand.New(rand.NewPCG(seed, 7))
				level, own := 3*rng.Float64()-3, 1+3*rng.Float64()
				for name, f := range map[string]func(x []float64) float64{
					"a task of one coefficient": func(x []float64) float64 {
						return 1 / (1 + math.Exp(-level-own*x[0]*(1.6-0.6*x[0])))
					},
					"a slope to the floor": straight,
				} {
					if d != 2 && name != "a task of one coefficient" {
						continue
					}
					data := sampled(n, d, seed, 0, f)
					data.Link, data.Breaks = Identity, Low
					for i, x := range data.X {
						if i%3 == 0 {
							clear(x)
							if i%6 == 0 {
								x[i/6%d] = 1
							}
							data.Y[i] = f(x)
						}
					}
					s, err := newSample(data)
					if err != nil {
						t.Fatal(err)
					}
					if is, why := cliff(s); is {
						t.Errorf("%s, %d coefficients, %d measurements, seed %d: %s", name, d, n, seed, why)
					}
				}
			}
		}
	}
}

// A prediction far beyond everything that was measured is an extrapolation: its interval reaches back.
func TestIntervalsReachBackToWhatWasMeasured(t *testing.T) {
	d := sampled(30, 2, 1, 0, func(x []float64) float64 { return math.Exp(6 * (x[0] + x[1]) / 2.4) })
	d.Link = Log
	s, _ := fit(t, Choice{Kind: KindGP}, d)
	most := slices.Max(d.Y)
	if lo, hi := s.Interval([]float64{3, 3}, 0.9); !(lo <= most && hi > 2*most) {
		t.Errorf("[%g, %g], measured were at most %g", lo, hi, most)
	}
}

// Measurements that are the same but for noise, with a step above them, are a floor, although it is low only
// beside what is highest.
func TestCliffOfMeasurementsThatAreTheSameButForNoise(t *testing.T) {
	slope := func(x []float64) float64 { return 0.9 - 0.5*x[0] }
	floor := func(x []float64) float64 {
		if x[0] > 0.95 {
			return 0.1
		}
		return slope(x)
	}
	for seed := range uint64(5) {
		if _, trust := fit(t, Choice{}, sampled(60, 4, seed, 1500, floor)); !trust.Cliff {
			t.Errorf("seed %d: no floor was seen: %+v", seed, trust)
		}
		if _, trust := fit(t, Choice{}, sampled(60, 4, seed, 1500, slope)); trust.Cliff {
			t.Errorf("seed %d: a slope is called a cliff: %s", seed, trust.CliffWhy)
		}
	}
}

func TestBadDataIsSaidAllAtOnce(t *testing.T) {
	good := sampled(5, 2, 1, 10, bowl)
	change := func(f func(*Data)) Data {
		d := sampled(5, 2, 1, 10, bowl)
		f(&d)
		return d
	}
	for name, c := range map[string]struct {
		data Data
		code Code
		n    int
	}{
		"nothing":             {Data{Link: Logit}, Empty, 1},
		"an unknown link":     {change(func(d *Data) { d.Link = "probit" }), BadLink, 1},
		"a rate above one":    {change(func(d *Data) { d.Y[1], d.Y[2] = 73.2, -1 }), OffLink, 2},
		"a loss of zero":      {change(func(d *Data) { d.Link, d.Y[0] = Log, 0 }), OffLink, 1},
		"NaN":                 {change(func(d *Data) { d.Y[0], d.X[1] = math.NaN(), []float64{0, math.Inf(1)} }), NotANum, 2},
		"lengths":             {change(func(d *Data) { d.Y, d.N, d.Stderr = d.Y[:3], d.N[:2], []float64{1} }), Shape, 3},
		"a short point":       {change(func(d *Data) { d.X[3] = []float64{1} }), Shape, 1},
		"a range upside down": {change(func(d *Data) { d.Lo[0], d.Hi[0] = 1, 0 }), NotANum, 1},
		"negative noise":      {change(func(d *Data) { d.Stderr = []float64{0, 0, -1, 0, 0} }), NotANum, 1},
	} {
		for _, f := range []Choice{{}, {Kind: KindGP}, {Kind: KindQuadratic}} {
			err := alone(t.Context(), c.data, f).Err
			if problem.CodeOf(err) != c.code || len(problemsOf(err)) != c.n {
				t.Errorf("%s: %v, expected %d problems, %s first", name, err, c.n, c.code)
			}
		}
	}
	for _, r := range Fit(t.Context(), []Data{good, sampled(5, 3, 1, 10, bowl)}, Choice{}) {
		if !errors.Is(r.Err, Shape) {
			t.Errorf("metrics of two and of three coefficients: %v", r.Err)
		}
	}
	if err := alone(t.Context(), good, Choice{}).Err; err != nil {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for _, f := range []Choice{{Kind: KindGP}, {Kind: KindQuadratic}, {Kind: KindQuadratic, Plain: true, FromZero: true}} {
		if err := alone(ctx, good, f).Err; !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled: %v", err)
		}
	}
}

// problemsOf is all that is wrong.
func problemsOf(err error) problem.List {
	var l problem.List
	errors.As(err, &l)
	return l
}

// Noise is in a held-out error twice: in the measurement, and in what the others taught. Where that explains what is missing a
// fit of few items is limited by noise, and not flagged.
func TestFewItemsAreNoFlag(t *testing.T) {
	flagged, alone, limited := 0, 0, 0
	for _, items := range []int{20, 50} {
		for w := range 24 {
			_, trust := fit(t, Choice{}, rates(uint64(w), 40, items, 0))
			flagged, limited = flagged+count(trust.Flagged), limited+count(trust.NoiseLimited)
			trust.heldOut = 1
			alone += count(trust.Q2 < goodQ2 && !trust.noiseExplains())
		}
	}
	if flagged > 2 || limited < 24 {
		t.Errorf("of 48 fits %d are flagged and %d limited by noise, want 2 at most and half of them", flagged, limited)
	}
	if alone < flagged+2 {
		t.Errorf("%d would be flagged by the noise of the measurement alone, %d are: next to nothing was tested", alone, flagged)
	}
}

func count(b bool) int {
	if b {
		return 1
	}
	return 0
}
