package items

import (
	"maps"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"

	"parfait/problem"
)

// Comparison is how much the mean score of one trial is above that of another.
type Comparison struct {
	Gain   Estimate // of the first trial over the second
	Common int      // items that both answered
	Won    int      // of these, with the higher score of the first
	Lost   int      // of these, with the higher score of the second
}

// McNemar is the probability, two-sided and exact, that items which only one of the two gets right are divided as unequally as
// this, or more, where each is as likely to be won as lost (McNemar 1947). 1 where there are none.
func (c Comparison) McNemar() float64 {
	n := c.Won + c.Lost
	if n == 0 {
		return 1
	}
	return min(1, 2*distuv.Binomial{N: float64(n), P: 0.5}.CDF(float64(min(c.Won, c.Lost))))
}

// Difference compares two trials by the same n items, each asked once or several times as Combine takes it. What items have in
// common, being easy or hard, drops out of the error for new items, and where both were asked the same samples (the same seed
// and probabilities), or one was asked all, out of that for these items. Samples of other kind have to be drawn by different seeds: they
// count as independent.
//
// group (n; nil: none) says which items belong together, such as questions about one text: the error for new items is then
// for new groups (clustered standard errors; Miller 2024, §2.2), and no smaller than without.
func Difference(a, b []Asking, group []int) (Comparison, error) {
	first, err := Combine(a...)
	if err != nil {
		return Comparison{}, err
	}
	second, err := Combine(b...)
	if err != nil {
		return Comparison{}, err
	}
	n := first.N
	var e problem.List
	if second.N != n {
		e.Add(Shape, "one trial has %d items, the other %d", n, second.N)
	}
	if group != nil && len(group) != n {
		e.Add(Shape, "%d groups for %d items", len(group), n)
	}
	if group != nil && len(e) == 0 && !slices.ContainsFunc(group, func(g int) bool { return g != group[0] }) {
		e.Add(Shape, "all items are of one group: nothing can be said of new ones; give nil where there are no groups")
	}
	if err := e.Err(); err != nil {
		return Comparison{}, err
	}
	c := Comparison{Gain: Estimate{Value: first.Value - second.Value, These: math.Hypot(first.These, second.These), N: n}}
	if va, vb := first.These*first.These, second.These*second.These; va+vb > 0 {
		c.Gain.freedom = (va + vb) * (va + vb) / (va*va/max(first.freedom, 1) + vb*vb/max(second.freedom, 1))
	}
	same := sameSamples(a, b)
	if same {
		if c.Gain, err = Combine(minus(a, b)...); err != nil {
			return Comparison{}, err
		}
	}
	left, right := answered(a, n), answered(b, n)
	var common []weighed
	for i := range n {
		l, r := left[i], right[i]
		if l.weight == 0 || r.weight == 0 {
			continue
		}
		w := l.weight * r.weight
		if same {
			w = l.weight
		}
		common = append(common, weighed{i, l.score - r.score, w})
		switch {
		case l.score > r.score:
			c.Won++
		case l.score < r.score:
			c.Lost++
		}
	}
	c.Common, c.Gain.Asked = len(common), len(common)
	variance := (spread(a, first.Value) + spread(b, second.Value)) / float64(n) // as if nothing were in common
	if len(common) > 1 {
		variance = variances(common, c.Gain.Value, n, group)
		if binary(a) && binary(b) {
			variance = max(variance, 0.5/float64(len(common)*n)) // as if half an item of those in common were won or lost
		}
	}
	c.Gain.New = math.Sqrt(c.Gain.These*c.Gain.These + variance)
	return c, nil
}

// sameSamples says whether both were asked the same items in the same way.
func sameSamples(a, b []Asking) bool {
	return slices.EqualFunc(a, b, func(x, y Asking) bool {
		return slices.Equal(x.Items, y.Items) && slices.Equal(x.Probability, y.Probability)
	})
}

// minus are the askings of the difference, of two that are the same samples.
func minus(a, b []Asking) []Asking {
	out := slices.Clone(a)
	for j, y := range b {
		d := &out[j]
		d.Scores, d.Predicted = slices.Clone(d.Scores), slices.Clone(d.Predicted)
		for k := range d.Scores {
			d.Scores[k] -= y.Scores[k]
		}
		if binary(a) && binary(b) {
			d.doubt = make([]float64, len(y.Predicted))
		}
		for i, p := range y.Predicted {
			if q := a[j].Predicted[i]; d.doubt != nil {
				d.doubt[i] = max(q*(1-q), 0) + max(p*(1-p), 0)
			}
			d.Predicted[i] -= p
		}
	}
	return out
}

// binary says whether all answers are right or wrong.
func binary(of []Asking) bool {
	for _, a := range of {
		if slices.ContainsFunc(a.Scores, func(v float64) bool { return v != 0 && v != 1 }) {
			return false
		}
	}
	return true
}

type answeredItem struct{ score, weight float64 } // 1/probability; 0: not asked

func answered(of []Asking, n int) []answeredItem {
	out := make([]answeredItem, n)
	for _, a := range of {
		for k, i := range a.Items {
			out[i] = answeredItem{a.Scores[k], 1 / a.Probability[i]}
		}
	}
	return out
}

// weighed is a value of an item that stands for as many items as its weight says.
type weighed struct {
	item          int
	value, weight float64
}

// variances estimates the variance of the mean of values over n new items, in groups unless group is nil.
func variances(values []weighed, mean float64, n int, group []int) float64 {
	sum, weight := 0.0, 0.0
	own, together := 0.0, map[int]float64{}
	for _, v := range values {
		d := v.value - mean
		sum, weight = sum+v.weight*d*d, weight+v.weight
		if group != nil {
			own += v.weight * v.weight * d * d
			together[group[v.item]] += v.weight * d
		}
	}
	variance := sum / weight / max(float64(n-1), 1)
	if g := float64(len(together)); g > 1 {
		cross := -own
		for _, i := range slices.Sorted(maps.Keys(together)) { // sums have an order, results no chance
			cross += together[i] * together[i]
		}
		variance = (variance + max(cross, 0)/float64(n*n)) * g / (g - 1)
	}
	return variance
}
