package main

import (
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"parfait/pareto"
)

// timing is one computation on one set, ours beside the peer's, measured in turn.
type timing struct {
	What    string  `json:"what"`
	Points  int     `json:"points"`
	M       int     `json:"objectives"`
	Shape   string  `json:"shape"`
	Best    float64 `json:"best_ms"`
	Median  float64 `json:"median_ms"`
	Peer    string  `json:"peer,omitempty"`
	PBest   float64 `json:"peer_best_ms,omitempty"`
	PMedian float64 `json:"peer_median_ms,omitempty"`
	Ratio   float64 `json:"ratio,omitempty"` // of the best times: ours over theirs
	Error   float64 `json:"error"`           // relative difference of the results
}

// shapes of fronts that are common in the literature, all within the unit cube.
var shapes = []struct {
	name string
	draw func(rng *rand.Rand, p []float64)
}{
	{"linear", func(rng *rand.Rand, p []float64) {
		sum := 0.0
		for k := range p {
			p[k] = rng.ExpFloat64()
			sum += p[k]
		}
		for k := range p {
			p[k] /= sum
		}
	}},
	{"concave", func(rng *rand.Rand, p []float64) { onSphere(rng, p) }},
	{"convex", func(rng *rand.Rand, p []float64) {
		onSphere(rng, p)
		for k := range p {
			p[k] = 1 - p[k]
		}
	}},
	{"cube", func(rng *rand.Rand, p []float64) {
		for k := range p {
			p[k] = rng.Float64()
		}
	}},
}

func onSphere(rng *rand.Rand, p []float64) {
	sum := 0.0
	for k := range p {
		p[k] = math.Abs(rng.NormFloat64())
		sum += p[k] * p[k]
	}
	for k := range p {
		p[k] /= math.Sqrt(sum)
	}
}

func draw(shape, n, m int) [][]float64 {
	rng := rand.New(rand.NewPCG(1, uint64(shape)))
	out := make([][]float64, n)
	for i := range out {
		out[i] = make([]float64, m)
		shapes[shape].draw(rng, out[i])
	}
	return out
}

// compare measures ours and the peer's in turn for about a second.
func (b *bench) compare(t timing, points [][]float64, ours func() float64, q map[string]any) (timing, error) {
	var mine, theirs []float64
	var value, peer float64
	name, err := "", error(nil)
	if b.peers != nil {
		if name, err = b.peers.file("points", points); err != nil {
			return t, err
		}
		q["file"], q["m"] = name, t.M
	}
	spent := 0.0
	for round := 0; round < 3 || (spent < b.seconds && round < 200); round++ {
		start := time.Now()
		value = ours()
		s := time.Since(start).Seconds()
		mine, spent = append(mine, s), spent+s
		if b.peers != nil {
			a, err := b.peers.ask(q)
			if err != nil {
				return t, err
			}
			theirs, spent, peer = append(theirs, a.Seconds), spent+a.Seconds, a.Value
		}
	}
	t.Best, t.Median = slices.Min(mine)*1e3, median(mine)*1e3
	if b.peers != nil {
		t.Peer = "moocore"
		t.PBest, t.PMedian = slices.Min(theirs)*1e3, median(theirs)*1e3
		t.Ratio = t.Best / t.PBest
		t.Error = math.Abs(value-peer) / max(math.Abs(peer), 1e-300)
	}
	return t, nil
}

func median(v []float64) float64 {
	s := slices.Sorted(slices.Values(v))
	return (s[(len(s)-1)/2] + s[len(s)/2]) / 2
}

// volumes times hypervolumes.
func (b *bench) volumes() ([]timing, error) {
	var out []timing
	for _, c := range [][2]int{{20000, 2}, {20000, 3}, {2000, 4}, {1000, 5}, {1000, 6}} {
		for shape := range shapes {
			points := draw(shape, c[0], c[1])
			ref := slices.Repeat([]float64{1.1}, c[1])
			t, err := b.compare(timing{What: "hypervolume", Points: c[0], M: c[1], Shape: shapes[shape].name}, points,
				func() float64 { return pareto.Hypervolume(points, ref) },
				map[string]any{"do": "hypervolume", "ref": ref})
			if err != nil {
				return nil, err
			}
			b.say("%s", t)
			out = append(out, t)
		}
	}
	return out, nil
}

// others times contributions, non-dominated filters and indicators.
func (b *bench) others() ([]timing, error) {
	var out []timing
	for _, c := range []struct {
		what    string
		n, m    int
		compute func(points [][]float64, ref []float64) float64
		do      string
	}{
		{"contributions", 2000, 3, func(points [][]float64, ref []float64) float64 {
			return sum(pareto.Contributions(points, ref))
		}, "contributions"},
		{"contributions", 500, 4, func(points [][]float64, ref []float64) float64 {
			return sum(pareto.Contributions(points, ref))
		}, "contributions"},
		{"nondominated", 20000, 3, func(points [][]float64, _ []float64) float64 {
			return float64(len(pareto.NonDominated(points)))
		}, "front"},
		{"nondominated", 5000, 5, func(points [][]float64, _ []float64) float64 {
			return float64(len(pareto.NonDominated(points)))
		}, "front"},
	} {
		for shape := range shapes {
			points, ref := draw(shape, c.n, c.m), slices.Repeat([]float64{1.1}, c.m)
			t, err := b.compare(timing{What: c.what, Points: c.n, M: c.m, Shape: shapes[shape].name}, points,
				func() float64 { return c.compute(points, ref) },
				map[string]any{"do": c.do, "ref": ref})
			if err != nil {
				return nil, err
			}
			b.say("%s", t)
			out = append(out, t)
		}
	}
	for _, c := range []struct {
		name    string
		compute func(set, reference [][]float64) float64
	}{{"igd", pareto.IGD}, {"igd_plus", pareto.IGDPlus}, {"epsilon_additive", pareto.EpsilonAdditive}, {"epsilon_mult", pareto.EpsilonMultiplicative}} {
		set, reference := draw(0, 500, 3), draw(1, 500, 3)
		q := map[string]any{"do": "indicator", "name": c.name}
		if b.peers != nil {
			file, err := b.peers.file("reference", reference)
			if err != nil {
				return nil, err
			}
			q["reference"] = file
		}
		t, err := b.compare(timing{What: c.name, Points: 500, M: 3, Shape: "linear"}, set,
			func() float64 { return c.compute(set, reference) }, q)
		if err != nil {
			return nil, err
		}
		b.say("%s", t)
		out = append(out, t)
	}
	return out, nil
}

func sum(v []float64) float64 {
	total := 0.0
	for _, x := range v {
		total += x
	}
	return total
}
