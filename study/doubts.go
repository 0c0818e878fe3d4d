package study

import (
	"slices"

	"parfait/merge"
	"parfait/merge/codes"
	"parfait/problem"
	"parfait/search"
)

// appeared says what globs find now and did not when the study was begun.
func (s *Spec) appeared() []merge.Problem {
	if len(s.Appeared) == 0 {
		return nil
	}
	return []merge.Problem{{
		Code: codes.Changed, Where: "models", What: "since the study was begun there is " + problem.And(s.Appeared) + " too, which is no part of it: its trials are merges of the models that the glob found then",
		Fix: "to have all of them, copy study.yaml into a new folder",
	}}
}

// Doubts is what looks wrong with what is searched, and need not be: two coefficients of which only the product
// matters, or nothing that varies.
func (s *Spec) Doubts() []merge.Problem {
	out := s.appeared()
	sp, err := s.space()
	if err != nil {
		return out
	}
	free := func(i int, kind search.Kind) bool {
		c := sp.Coefficients[i]
		return c.Kind == kind && c.Width() > 0 && !slices.Contains(slices.Concat(sp.Simplex...), i)
	}
	weights, lambda := false, false
	for i, c := range sp.Coefficients {
		weights = weights || free(i, search.Scaling)
		lambda = lambda || free(i, search.Parameter) && c.AllOf
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
