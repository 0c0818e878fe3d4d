package study

import (
	"slices"

	"parfait/merge"
	"parfait/merge/codes"
	"parfait/search"
)

// Doubts is what looks wrong with what is searched, and need not be: two coefficients of which only the product
// matters, or nothing that varies.
func (s *Spec) Doubts() []merge.Problem {
	sp, err := s.space()
	if err != nil {
		return nil
	}
	var out []merge.Problem
	free := func(i int, kind search.Kind) bool {
		c := sp.Coefficients[i]
		return c.Kind == kind && c.Lo < c.Hi && !slices.Contains(slices.Concat(sp.Simplex...), i)
	}
	weights, lambda := false, false
	for i, c := range sp.Coefficients {
		weights = weights || free(i, search.Scaling)
		lambda = lambda || free(i, search.Parameter) && c.Name == "lambda"
	}
	if weights && lambda {
		out = append(out, merge.Problem{
			Code: codes.Param, Where: "lambda", What: "is searched, and so are the models' coefficients: only their products make the merge, so that one direction is searched twice",
			Fix: "leave lambda at 1, and give the models ranges as wide as the products should be",
		})
	}
	if sp.OnePlace() {
		out = append(out, merge.Problem{
			Code: codes.CoefficientValue, Where: "models", What: "there is one merge within the ranges, and nothing to search",
			Fix: "add a model, give a parameter of the method a range, or make this one merge: parfait merge",
		})
	}
	return out
}
