package study

import (
	"testing"

	"parfait/evaluator"
)

// A split that no evaluator offers is no stage of an export.
func TestSplitsThatNobodyOffers(t *testing.T) {
	with := func(splits ...evaluator.Split) *lane {
		return &lane{eval: evaluator.Blocking(evaluator.Limits{Splits: splits}, (&fake{}).measure)}
	}
	x := &examiners{lanes: []*lane{with(evaluator.Validation)}}
	if !x.offered(evaluator.Validation) || x.offered(evaluator.Test) {
		t.Error("what one evaluator offers is not what is offered")
	}
	x.lanes = append(x.lanes, with(evaluator.Validation, evaluator.Test))
	if !x.offered(evaluator.Test) {
		t.Error("what one of two evaluators offers is not offered")
	}
}
