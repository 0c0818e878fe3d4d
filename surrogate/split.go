package surrogate

import (
	"cmp"
	"context"
	"math"
	"slices"
)

// split is a metric of two regimes, because some merges break: a regression of the measurements that hold together,
// and what is known of those that are set apart from it. Where the places of these can be told, a classifier says
// where the metric breaks, and predictions are of the mixture; where they cannot, one stray reading or a few say
// nothing of any other place.
//
// A split must explain the measurements better, each by all others, than one function for all of them: otherwise
// there is none, and nothing is set apart. Such a mixture of a good and of a bad distribution is that of Box and
// Tiao, A Bayesian approach to some outlier problems (1968).
type split struct {
	whole  *sample // those set apart no farther from the others than maxBeyond
	kept   *sample
	apart  []int // indices in whole, ascending
	index  []int // of kept in whole
	lo     float64
	hi     float64 // of what was set apart, on the metric's scale
	level  float64 // their median in whole, likewise
	middle float64 // and as it was measured
	edge   *edge   // nil: where they are cannot be told
}

const (
	// strayLevel is how seldom values that are spread evenly have such a gap at their end: Dixon's test of the ratio
	// of gap and range (Analysis of extreme values, Annals of Mathematical Statistics 21, 1950), for which it is
	// (1 − ratio)^(n−2).
	strayLevel = 0.001
	strayRatio = 0.5  // and farther from the others than they are from each other
	mostStray  = 0.25 // share of the measurements
	strayNoise = 4    // standard errors of a measurement: a gap is wider

	// maxBeyond is how far beyond the others, in units of their range on the link's scale, a measurement that was set
	// apart counts. It is there to keep a loss of 1e300 out of all means (winsorising).
	maxBeyond = 3

	// crowdGap is how wide a gap a crowd lies beyond, as a share of the range, and crowdWidth how wide the crowd is at
	// most, as a share of the gap. They bound what is tried; what is kept is decided by the score.
	crowdGap   = 0.2
	crowdWidth = 0.5

	fewestForEdge = 3  // measurements apart from which it may be told where a metric breaks
	fewestWhole   = 11 // measurements of a metric that collapses elsewhere, from which what holds is fitted by itself

	// minGain is how much higher the log score of a split must be. At 2 some splits of smooth tasks got through.
	minGain = 5
)

// divide begins the fit of s, of all its measurements or, if that explains them better, of those that hold together.
func (c Choice) divide(ctx context.Context, s *sample) (*fitting, *split) {
	whole := c.begin(ctx, s)
	if c.Plain || s.n() <= minPointsAny || s.flat() || whole.err != nil {
		return whole, nil
	}
	divisions := s.divisions()
	if len(divisions) == 0 {
		return whole, nil
	}
	m, err := whole.finish(ctx)
	if err != nil {
		return whole, nil
	}
	var best *split
	chosen, score, smooth := whole, m.logScore(s, s.leastStd())+minGain, m.q2(s) >= goodQ2
	if math.IsNaN(score) { // squares that overflow
		score = math.Inf(-1)
	}
	for _, d := range divisions {
		if d.loose && smooth {
			continue
		}
		p := s.split(d.apart)
		f := c.begin(ctx, p.kept)
		m, err := f.finish(ctx)
		if err != nil {
			continue
		}
		if len(p.apart) >= fewestForEdge && (!d.crowd || len(p.index) >= fewestWhole) {
			p.edge = newEdge(ctx, s, p.apart)
		}
		if p.edge == nil && d.crowd {
			continue
		}
		if v := p.logScore(m); v > score {
			best, chosen, score = p, f, v
		}
	}
	return chosen, best
}

// leastStd is the smallest standard deviation that counts where densities are compared.
func (s *sample) leastStd() float64 { return 1e-3 * (slices.Max(s.z) - slices.Min(s.z)) }

// logScore is that of the mixture. Strays may be anywhere in the range of all; a crowd is anywhere within its own.
func (p *split) logScore(m model) float64 {
	s := p.whole
	width := slices.Max(s.z) - slices.Min(s.z)
	if p.edge != nil {
		lo, hi := math.Inf(1), math.Inf(-1)
		for _, i := range p.apart {
			lo, hi = min(lo, s.z[i]), max(hi, s.z[i])
		}
		width = max(hi-lo, modeWidth*width)
	}
	sum, chance := m.logScore(p.kept, s.leastStd()), p.chances()
	for _, i := range p.index {
		sum += math.Log(1 - chance[i])
	}
	for _, i := range p.apart {
		sum += math.Log(chance[i]) - math.Log(width)
	}
	return sum
}

// chances are the probabilities, each by all others, that the measurements are of those set apart.
func (p *split) chances() []float64 {
	if p.edge != nil {
		return p.edge.loo
	}
	n, k := float64(p.whole.n()), float64(len(p.apart))
	out := filled(p.whole.n(), (k+0.5)/(n+1))
	for _, i := range p.apart {
		out[i] = (k - 0.5) / (n + 1)
	}
	return out
}

// division is a way to set measurements apart.
type division struct {
	apart []int // ascending
	crowd bool  // they are a crowd at one level, not strays: only where an edge can be told they are set apart
	loose bool  // a crowd that is no more than beyond a gap: only where one function does not predict well
}

// divisions are the ways that are worth trying; for nearly every metric there are none.
func (s *sample) divisions() []division {
	var out []division
	for _, end := range s.ends {
		stray := s.strays(end)
		kept, index := s.without(stray)
		var both []int
		for _, i := range kept.fallen(end) {
			both = append(both, index[i])
		}
		if len(both) > 0 {
			both = append(both, stray...)
			slices.Sort(both)
			out = append(out, division{apart: both, crowd: true})
		}
		if len(stray) > 0 {
			out = append(out, division{apart: stray})
		}
		slices.Sort(both)
		if crowd := s.crowd(end); crowd != nil && !slices.Equal(crowd, both) && !slices.Equal(crowd, stray) {
			out = append(out, division{apart: crowd, crowd: true, loose: true})
		}
	}
	return out
}

// strays are the measurements at one end beyond a gap wider than the range of all others.
func (s *sample) strays(end End) []int {
	order := s.order(end)
	n := s.n()
	at := func(k int) float64 { return s.z[order[k]] }
	for k := int(mostStray * float64(n)); k > 0; k-- {
		gap, rest := math.Abs(at(k)-at(k-1)), math.Abs(at(n-1)-at(k))
		ratio := gap / (gap + rest)
		noise := math.Sqrt(max(s.noise[order[k]], s.noise[order[k-1]]))
		if left := n - k + 1; left > minPointsAny && ratio > max(strayRatio, 1-math.Pow(strayLevel, 1/float64(left-2))) && gap > strayNoise*noise {
			return slices.Sorted(slices.Values(order[:k]))
		}
	}
	return nil
}

// crowd is the measurements at one end that are close to each other, beyond the widest gap of all; nil where none
// are.
func (s *sample) crowd(end End) []int {
	if s.n() < minCliffPoints {
		return nil
	}
	v := s.y
	if s.link == Log {
		v = s.z
	}
	order := s.order(end)
	gap, at := 0.0, 0
	for k := 1; k <= s.n()-minPointsAny; k++ {
		if g := math.Abs(v[order[k]] - v[order[k-1]]); g > gap {
			gap, at = g, k
		}
	}
	if float64(at) < minModeAlone*float64(s.n()) || gap < crowdGap*(slices.Max(v)-slices.Min(v)) || math.Abs(v[order[at-1]]-v[order[0]]) > crowdWidth*gap {
		return nil
	}
	return slices.Sorted(slices.Values(order[:at]))
}

// order is the measurements by value, the lowest first, or the highest.
func (s *sample) order(end End) []int {
	order := make([]int, s.n())
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int {
		if end == High {
			i, j = j, i
		}
		return cmp.Compare(s.z[i], s.z[j])
	})
	return order
}

// without is s without some measurements, and the indices of the others.
func (s *sample) without(apart []int) (*sample, []int) {
	k := &sample{scaler: s.scaler, link: s.link, ends: s.ends, redrawn: s.redrawn}
	var index []int
	for i := range s.z {
		if slices.Contains(apart, i) {
			continue
		}
		index = append(index, i)
		k.u, k.y, k.items = append(k.u, s.u[i]), append(k.y, s.y[i]), append(k.items, s.items[i])
		k.z, k.noise = append(k.z, s.z[i]), append(k.noise, s.noise[i])
	}
	return k, index
}

func (s *sample) split(apart []int) *split {
	p := &split{apart: apart, lo: math.Inf(1), hi: math.Inf(-1)}
	p.kept, p.index = s.without(apart)
	w := *s
	w.y, w.z = slices.Clone(s.y), slices.Clone(s.z)
	lo, hi := slices.Min(p.kept.z), slices.Max(p.kept.z)
	if s.link != Logit && hi > lo { // rates are bounded
		lo, hi = lo-maxBeyond*(hi-lo), hi+maxBeyond*(hi-lo)
	} else {
		lo, hi = math.Inf(-1), math.Inf(1)
	}
	var levels, measured []float64
	for _, i := range apart {
		p.lo, p.hi = min(p.lo, s.y[i]), max(p.hi, s.y[i])
		if z := min(max(s.z[i], lo), hi); z != s.z[i] {
			w.z[i], w.y[i] = z, s.link.inverse(z)
		}
		levels, measured = append(levels, w.y[i]), append(measured, s.y[i])
	}
	slices.Sort(levels)
	slices.Sort(measured)
	p.middle = measured[len(measured)/2]
	p.whole, p.level = &w, levels[len(levels)/2]
	return p
}

// result makes the surrogate and the held-out figures from the model of those that were kept.
func (p *split) result(m model) Result {
	if p.edge == nil {
		return p.strayed(m)
	}
	s := p.whole
	inner := newFitted(p.kept, m)
	inner.hull = newHull(s.u)
	f := &broken{fitted: inner, edge: p.edge, level: p.level, lo: p.lo, hi: p.hi}
	loo, sd := make([]float64, s.n()), make([]float64, s.n())
	for k, i := range p.index {
		loo[i], sd[i] = m.loo[k], m.sd[k]
	}
	for _, i := range p.apart {
		loo[i], sd[i] = m.f.predict(s.u[i])
	}
	for i := range loo {
		slope, _ := s.link.slopes(loo[i])
		mean, std := f.mix(p.edge.loo[i], s.link.inverse(loo[i]), slope*sd[i])
		loo[i] = s.link.forward(mean, s.items[i])
		slope, _ = s.link.slopes(loo[i])
		sd[i] = std / max(slope, 1e-12)
	}
	m.loo, m.sd = loo, sd
	t := newTrust(m, s)
	t.Spread = inner.margin.spread()
	t.Note = m.note
	t.Apart, t.Cliff = p.apart, true
	t.CliffWhy = s.describeCliff(len(p.apart), p.middle)
	return Result{Surrogate: f, Trust: t}
}

// strayed is the result where those set apart are not explained: held-out figures are of the others.
func (p *split) strayed(m model) Result {
	r := m.result(p.kept)
	r.Surrogate.(*fitted).hull = newHull(p.whole.u)
	t := &r.Trust
	loo := make([]float64, p.whole.n())
	for k, i := range p.index {
		loo[i] = t.LOO[k]
	}
	for _, i := range p.apart {
		z, _ := r.Surrogate.(*fitted).f.predict(p.whole.u[i])
		loo[i] = p.whole.link.inverse(z)
	}
	for k, i := range t.Outliers {
		t.Outliers[k] = p.index[i]
	}
	t.LOO, t.WorstAt, t.Apart = loo, p.index[t.WorstAt], p.apart
	return r
}
