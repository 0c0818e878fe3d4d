package search

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// Normal returns x in the one form that stands for its merge: every set of proportions sums to 1, as only their
// ratios matter. It is x itself where it is in that form. Ranges are not looked at. An *Error with BadPoint names
// every proportion that is negative, and sets of which none is above 0. O(d) time.
func (s Space) Normal(x []float64) ([]float64, error) {
	const rounding = 1e-9 // of sums, and of what was computed to be nothing
	out := x
	var wrong []string
	for _, set := range s.Simplex {
		sum, names := 0.0, make([]string, len(set))
		unit := 1.0 // what they are counted in: their sum may be more than a number holds
		for _, i := range set {
			if x[i] > math.MaxFloat64/float64(len(set)) {
				unit = math.Ldexp(1, 64)
			}
		}
		for k, i := range set {
			names[k] = s.Coefficients[i].Name
			if x[i] < -rounding {
				wrong = append(wrong, fmt.Sprintf("%s is %g: expected 0 or more, as it is a proportion", names[k], x[i]))
			}
			sum += max(x[i], 0) / unit
		}
		switch {
		case !(sum > 0) && !slices.ContainsFunc(set, func(i int) bool { return x[i] < -rounding }):
			wrong = append(wrong, fmt.Sprintf("%s are all 0: expected one above 0 at least, as they are proportions", strings.Join(names, ", ")))
			continue
		case math.Abs(sum-1) <= rounding && !slices.ContainsFunc(set, func(i int) bool { return x[i] < 0 }):
			continue
		}
		if &out[0] == &x[0] {
			out = slices.Clone(x)
		}
		for _, i := range set {
			out[i] = math.Round(max(x[i], 0)/unit/sum*1e12) / 1e12
		}
	}
	if len(wrong) > 0 {
		return nil, fail(BadPoint, "%s", strings.Join(wrong, "; "))
	}
	return out, nil
}
