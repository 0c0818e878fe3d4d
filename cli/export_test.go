package cli

import (
	"bytes"
	"strings"
	"testing"

	"parfait/evaluator"
	"parfait/explore"
	"parfait/explore/exploretest"
	"parfait/merge"
	"parfait/study"
)

// What no evaluator offers is not shown as measured zero times.
func TestExportsWithoutATestSplit(t *testing.T) {
	snap := exploretest.Snapshot(exploretest.Options{Trials: 30, Exports: 1})
	printed := func(e study.Export, verified bool) string {
		var b bytes.Buffer
		if err := (&app{out: &b}).printExport(snap, explore.Choice{Why: "the knee"}, e, study.ExportRequest{Verify: verified}); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	e := snap.Exports[0]
	if text := printed(e, true); !strings.Contains(text, ".874 ±.013") || !strings.Contains(text, ".861 ±.013") || strings.Contains(text, "no test split") {
		t.Errorf("measured on both splits:\n%s", text)
	}
	e.Predicted = map[string]study.Prediction{"rotated": {}}
	e.Doubt = "outside the sampled region"
	if text := printed(e, true); !strings.Contains(text, "! not as predicted") || !strings.Contains(text, "! outside the sampled region: do not believe") {
		t.Errorf("measured elsewhere than predicted:\n%s", text)
	} else if strings.Count(text, "not as predicted") > 1 {
		t.Errorf("what was not predicted cannot be measured elsewhere:\n%s", text)
	}
	e = snap.Exports[0]
	e.Measured = map[evaluator.Split]map[string]study.Metric{evaluator.Validation: e.Measured[evaluator.Validation]}
	if text := printed(e, true); !strings.Contains(text, ".874 ±.013") || !strings.Contains(text, "there is no test split") || strings.Contains(text, "not offered") {
		t.Errorf("measured on validation only:\n%s", text)
	}
	if text := printed(e, false); strings.Contains(text, "validation") || strings.Contains(text, "split") {
		t.Errorf("not measured:\n%s", text)
	}
	for _, c := range []struct {
		stage merge.Progress
		want  string
	}{
		{merge.Progress{Stage: "measure test"}, "starting"},
		{merge.Progress{Stage: "measure test", Done: 3, Total: 9}, "3 of 9"},
		{merge.Progress{Stage: "check", Done: 5e9, Total: 14e9}, "5.0 GB of 14 GB"},
	} {
		if text := exportStage(c.stage); text != c.want {
			t.Errorf("%+v: %q, want %q", c.stage, text, c.want)
		}
	}
}

// An alarm is for what noise does not explain: three standard deviations, each end of an interval by itself.
func TestMissedBy(t *testing.T) {
	task := study.Task{Name: "a", Unit: "rate", Sense: study.Maximize}
	for _, c := range []struct {
		p      study.Prediction
		m      study.Metric
		missed bool
	}{
		{study.Prediction{Value: .8, Lo: .8 - .0329, Hi: .8 + .0329}, study.Metric{Value: .741}, false}, // 2.95 of .02
		{study.Prediction{Value: .8, Lo: .8 - .0329, Hi: .8 + .0329}, study.Metric{Value: .739}, true},
		{study.Prediction{Value: .8, Lo: .8 - .0329, Hi: .8 + .0329}, study.Metric{Value: .739, Stderr: .01}, false},
		{study.Prediction{Value: .9, Lo: .3, Hi: .91}, study.Metric{Value: .3}, false},
		{study.Prediction{Value: .9, Lo: .3, Hi: .91}, study.Metric{Value: .95}, true},
		// All of 50 items right has no error by √(v(1−v)/n), and one in six of right predictions of .96 alarmed.
		{study.Prediction{Value: .991, Lo: .982, Hi: .996}, study.Metric{Value: 1, N: 50}, false},
		{study.Prediction{Value: .96, Lo: .95, Hi: .97}, study.Metric{Value: 1, N: 50}, false},
		{study.Prediction{Value: .8, Lo: .79, Hi: .81}, study.Metric{Value: 1, N: 50}, true},
	} {
		e := study.Export{
			Predicted: map[string]study.Prediction{"a": c.p},
			Measured:  map[evaluator.Split]map[string]study.Metric{evaluator.Validation: {"a": c.m}},
		}
		if got := len(missedBy([]study.Task{task}, e)) == 1; got != c.missed {
			t.Errorf("%+v measured as %+v: missed %v, want %v", c.p, c.m, got, c.missed)
		}
	}
}
