package items

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"
)

func difference(t testing.TB, a, b []Asking, group []int) Comparison {
	t.Helper()
	c, err := Difference(a, b, group)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Two trials that were asked everything: the textbook's paired and clustered standard errors, and McNemar's test.
func TestDifferenceOfFullTrials(t *testing.T) {
	const n = 120
	r := rand.New(rand.NewPCG(1, 1))
	a, b, group := make([]float64, n), make([]float64, n), make([]int, n)
	for i := range n {
		group[i] = i / 6
		a[i], b[i] = float64(r.IntN(2)), float64(r.IntN(2))
		if i%6 > 0 && r.Float64() < 0.8 {
			a[i], b[i] = a[i-1], b[i-1]
		}
	}
	c := difference(t, []Asking{All(a)}, []Asking{All(b)}, nil)
	d, won, lost := make([]float64, n), 0, 0
	for i := range d {
		d[i] = a[i] - b[i]
		if d[i] > 0 {
			won++
		}
		if d[i] < 0 {
			lost++
		}
	}
	m, squares := mean(d), 0.0
	for _, v := range d {
		squares += (v - m) * (v - m)
	}
	if want := math.Sqrt(squares / (n - 1) / n); math.Abs(c.Gain.Value-m) > 1e-12 || c.Gain.These != 0 || math.Abs(c.Gain.New-want) > 1e-12 {
		t.Errorf("%+v, expected %.4f with no error for these items, %.4f for new ones", c.Gain, m, want)
	}
	if c.Won != won || c.Lost != lost || c.Common != n {
		t.Errorf("%d won, %d lost of %d; expected %d, %d of %d", c.Won, c.Lost, c.Common, won, lost, n)
	}
	cross := 0.0
	for i := range d {
		for j := range d {
			if i != j && group[i] == group[j] {
				cross += (d[i] - m) * (d[j] - m)
			}
		}
	}
	want := math.Sqrt((squares/(n-1)/n + cross/n/n) * 20 / 19)
	if got := difference(t, []Asking{All(a)}, []Asking{All(b)}, group).Gain.New; math.Abs(got-want) > 1e-12 || got < 1.3*c.Gain.New {
		t.Errorf("in groups the error is %.4f, expected %.4f, well above %.4f", got, want, c.Gain.New)
	}
	if p := (Comparison{Won: 14, Lost: 3}).McNemar(); math.Abs(p-0.0127258) > 1e-6 {
		t.Errorf("McNemar's test of 14 against 3 is %.7f, expected .0127258", p)
	}
	if p := (Comparison{}).McNemar(); p != 1 {
		t.Errorf("McNemar's test of nothing is %g, expected 1", p)
	}
}

// Differences of trials that were asked in part hold, and their errors are smaller the more is in common.
func TestDifferenceOfSamples(t *testing.T) {
	const n, k, draws = 400, 60, 800
	w := newWorld(30, n)
	xa, xb := []float64{0.9, 0.1}, []float64{0.95, 0.2}
	a, b := w.scores(xa), w.scores(xb)
	p := predictor(t, w.trials(30, 10), n)
	pa, sa, err := p.At(xa)
	if err != nil {
		t.Fatal(err)
	}
	pb, sb, err := p.At(xb)
	if err != nil {
		t.Fatal(err)
	}
	both := make([]float64, n)
	for i := range both {
		both[i] = math.Hypot(sa[i], sb[i])
	}
	truth := mean(a) - mean(b)
	var apart, shared, full counted
	for seed := range uint64(draws) {
		add := func(to *counted, first, second Asking) {
			c := difference(t, []Asking{first}, []Asking{second}, nil)
			l, h := c.Gain.ForThese(0.9)
			to.add(c.Gain, truth, l, h, c.Gain.These)
			if c.Gain.New <= c.Gain.These {
				t.Fatalf("the error for new items is %g, for these %g; expected more", c.Gain.New, c.Gain.These)
			}
		}
		add(&apart, ask(t, pa, sa, a, k, seed), ask(t, pb, sb, b, k, seed+1e6))
		add(&shared, ask(t, pa, both, a, k, seed), ask(t, pb, both, b, k, seed))
		add(&full, All(a), ask(t, pb, sb, b, k, seed))
	}
	apart.hold(t, "other samples", 0.94)
	shared.hold(t, "the same samples", 0.98) // few items differ
	full.hold(t, "one in full", 0.94)
	if !(shared.squares < apart.squares && full.squares < apart.squares) {
		t.Errorf("squared errors are %.4f of other samples, %.4f of the same, %.4f with one in full; expected the first to be the largest", apart.squares, shared.squares, full.squares)
	}
}

// The error for new items is that of differences of benchmarks that are drawn anew, in full and in part.
func TestDifferenceForNewItems(t *testing.T) {
	const n, draws = 200, 1000
	r := rand.New(rand.NewPCG(31, 31))
	var full, part counted
	for seed := range uint64(draws) {
		p, q, a, b := make([]float64, n), make([]float64, n), make([]float64, n), make([]float64, n)
		for i := range n {
			p[i] = r.Float64()
			q[i] = 0.9 * p[i]
			luck := r.Float64() // shared, so that answers agree
			if luck < p[i] {
				a[i] = 1
			}
			if luck < q[i] {
				b[i] = 1
			}
			if r.Float64() < 0.1 {
				b[i] = 1 - b[i]
			}
		}
		truth := 0.5 - (0.45*0.9 + 0.55*0.1)
		c := difference(t, []Asking{All(a)}, []Asking{All(b)}, nil)
		l, h := c.Gain.ForNew(0.9)
		full.add(c.Gain, truth, l, h, c.Gain.New)
		c = difference(t, []Asking{All(a)}, []Asking{ask(t, q, stds(q), b, 60, seed)}, nil)
		l, h = c.Gain.ForNew(0.9)
		part.add(c.Gain, truth, l, h, c.Gain.New)
	}
	full.hold(t, "new items, in full", 0.94)
	part.hold(t, "new items, one in part", 0.94)
}

func TestBadDifferences(t *testing.T) {
	two, three := []Asking{All([]float64{1, 0})}, []Asking{All([]float64{1, 0, 1})}
	for name, c := range map[string]struct {
		a, b  []Asking
		group []int
		code  Code
	}{
		"other numbers of items": {two, three, nil, Shape},
		"groups of others":       {two, two, []int{1}, Shape},
		"one group":              {two, two, []int{1, 1}, Shape},
		"nothing":                {two, nil, nil, Empty},
		"nothing at first":       {nil, two, nil, Empty},
	} {
		if _, err := Difference(c.a, c.b, c.group); !errors.Is(err, c.code) {
			t.Errorf("%s: %v, expected %s", name, err, c.code)
		}
	}
}

func TestSeparate(t *testing.T) {
	right := func(v float64) bool { return v >= 0.5 }
	trials := []Trial{
		{Scores: []float64{0, 1, 0, 1, 0}},
		{Scores: []float64{0, 1, 0, 1, 0}},
		{Scores: []float64{0, 1, 1, 0, 1}},
		{Items: []int{1}, Scores: []float64{1}},
	}
	got, err := Separate(trials, []float64{0.4, 0.4, 0.7, 0.5}, 6, right)
	if err == nil {
		t.Errorf("%v, expected an error: the first trials have 5 of 6 items and name none", got)
	}
	got, err = Separate(trials, []float64{0.4, 0.4, 0.7, 0.5}, 5, right)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []Item{{Never, 3, 0, 0}, {Always, 4, 4, 0}, {Parts, 3, 1, 0}, {Parts, 3, 2, 0}, {Parts, 3, 1, 0}} {
		want.Discrimination = got[i].Discrimination
		if got[i] != want {
			t.Errorf("item %d is %+v, expected %+v", i, got[i], want)
		}
	}
	if got[4].Discrimination <= 0.9 || got[3].Discrimination >= 0 || got[0].Discrimination != 0 {
		t.Errorf("discriminations are %.2f, %.2f and %.2f of items 4, 3 and 0; expected near 1, below 0 and 0", got[4].Discrimination, got[3].Discrimination, got[0].Discrimination)
	}
	if _, err := Separate(trials, nil, 5, right); !errors.Is(err, Shape) {
		t.Errorf("without metrics: %v, expected %s", err, Shape)
	}
	if got, err := Separate(nil, nil, 1, right); err != nil || got[0].Kind != Unasked {
		t.Errorf("without trials: %v, %v; expected an item that nobody was asked", got, err)
	}
}
