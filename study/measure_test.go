package study

import (
	"testing"

	"parfait/evaluator"
)

// A split that no evaluator offers is no stage of an export.
func TestSplitsThatNobodyOffers(t *testing.T) {
	with := func(splits ...evaluator.Split) *executor {
		return &executor{eval: evaluator.Blocking(evaluator.Limits{Splits: splits}, (&fake{}).measure)}
	}
	m := &exportMeasurer{executors: []*executor{with(evaluator.Validation)}}
	if !m.offered(evaluator.Validation) || m.offered(evaluator.Test) {
		t.Error("what one evaluator offers is not what is offered")
	}
	m.executors = append(m.executors, with(evaluator.Validation, evaluator.Test))
	if !m.offered(evaluator.Test) {
		t.Error("what one of two evaluators offers is not offered")
	}
}
