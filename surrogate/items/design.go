package items

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"

	"parfait/problem"
)

// leastShare is the share of the items that is asked at random, whatever is predicted: no item's probability is below this
// share of K/n, so that no answer counts more than n/(leastShare·K) times.
const leastShare = 0.3

// Probabilities returns the inclusion probabilities of a sample of k of n items: as Draw wants them, they add up to k and
// none is above 1. They are proportional to std (n), the standard deviations of the answers about their predictions, which is
// what makes the estimate's error least (Neyman 1934), but for three tenths of the sample, which is spread over all items alike, lest a surprise where none is expected count too much.
// An item of which std is negative is not to be asked, and gets 0. O(n log n).
func Probabilities(std []float64, k int) ([]float64, error) {
	var e problem.List
	var open []int
	total := 0.0
	for i, v := range std {
		switch {
		case !finite(v):
			e.Add(NotANum, "the standard deviation of item %d is %g", i, v)
		case v >= 0:
			open = append(open, i)
			total += v
		}
	}
	if k < 1 || k > len(open) {
		e.Add(Budget, "a sample of %d items: there are %d to ask", k, len(open))
	}
	if err := e.Err(); err != nil {
		return nil, err
	}
	size := make([]float64, len(std)) // to which probabilities are proportional
	for _, i := range open {
		size[i] = 1
		if total > 0 {
			size[i] = (1-leastShare)*std[i]*float64(len(open))/total + leastShare
		}
	}
	// Those that would be above 1 are certain, largest first; the others share what is left.
	slices.SortStableFunc(open, func(a, b int) int { return cmp.Compare(size[b], size[a]) })
	rest := 0.0
	for _, i := range slices.Backward(open) {
		rest += size[i]
	}
	out := make([]float64, len(std))
	certain := 0
	for certain < k && float64(k-certain)*size[open[certain]] >= rest*(1-1e-12) {
		out[open[certain]] = 1
		rest -= size[open[certain]]
		certain++
	}
	for _, i := range open[certain:] {
		if k > certain {
			out[i] = min(float64(k-certain)*size[i]/rest, 1)
		}
	}
	return out, nil
}

// Draw draws a sample with the inclusion probabilities (n), which add up to a whole number K: K items, in order, the i-th
// of which is in it with probability[i] exactly. It is the pivotal method (Deville and Tillé, Unequal probability sampling
// without replacement through a splitting method, Biometrika 1998) over a random order: two items at a time fight it out
// until one is in or out. Its entropy is high, as [Combine]'s standard errors ask for. Deterministic by seed; O(n).
func Draw(probability []float64, seed uint64) ([]int, error) {
	var e problem.List
	sum := 0.0
	for i, v := range probability {
		if !(v >= 0 && v <= 1) {
			e.Add(NotANum, "the probability of item %d is %g: expected 0 to 1", i, v)
		}
		sum += v
	}
	if k := math.Round(sum); len(e) == 0 && (k < 1 || math.Abs(sum-k) > 1e-6*max(1, k)) {
		e.Add(Budget, "probabilities add up to %g: expected a whole number of items; Probabilities returns such", sum)
	}
	if err := e.Err(); err != nil {
		return nil, err
	}
	k := int(math.Round(sum))
	random := rand.New(rand.NewPCG(seed, 0x6974656d73)) // "items"
	var in []int
	rival, left := -1, 0.0 // whose fate is open, and its probability
	for _, i := range random.Perm(len(probability)) {
		p := probability[i]
		switch {
		case p == 0:
			continue
		case p == 1:
			in = append(in, i)
			continue
		case rival < 0:
			rival, left = i, p
			continue
		}
		both := left + p
		if both <= 1 { // one is out, and the other has the sum
			if random.Float64()*both < p {
				rival = i
			}
			left = both
		} else { // one is in, and the other has what is above 1
			if random.Float64()*(2-both) < 1-p {
				rival, i = i, rival
			}
			in = append(in, i)
			left = both - 1
		}
		if left >= 1-1e-9 {
			in, rival = append(in, rival), -1
		}
	}
	if rival >= 0 && len(in) < k { // what rounding has left
		in = append(in, rival)
	}
	slices.Sort(in)
	return in, nil
}
