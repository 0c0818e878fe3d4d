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
	if text := printed(e, true); !strings.Contains(text, ".855 ±.013") || !strings.Contains(text, ".842 ±.013") || strings.Contains(text, "no test split") {
		t.Errorf("measured on both splits:\n%s", text)
	}
	e.Predicted = map[string]study.Prediction{"rotated": {}}
	e.Doubt = "outside the sampled region"
	if text := printed(e, true); !strings.Contains(text, "! not as predicted") || !strings.Contains(text, "! outside the sampled region: do not believe") {
		t.Errorf("measured elsewhere than predicted:\n%s", text)
	} else if strings.Count(text, "not as predicted") > 2 {
		t.Errorf("what was not predicted cannot be measured elsewhere:\n%s", text)
	}
	e = snap.Exports[0]
	e.Measured = map[evaluator.Split]map[string]study.Metric{evaluator.Validation: e.Measured[evaluator.Validation]}
	if text := printed(e, true); !strings.Contains(text, ".855 ±.013") || !strings.Contains(text, "there is no test split") || strings.Contains(text, "not offered") {
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
