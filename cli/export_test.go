package cli

import (
	"bytes"
	"strings"
	"testing"

	"parfait/evaluator"
	"parfait/explore"
	"parfait/explore/exploretest"
	"parfait/study"
)

// What no evaluator offers is not shown as measured zero times.
func TestExportsWithoutATestSplit(t *testing.T) {
	snap := exploretest.Snapshot(exploretest.Options{Trials: 30, Exports: 1})
	printed := func(e study.Export, verified bool) string {
		var b bytes.Buffer
		if err := (&app{out: &b}).printExport(snap, explore.Choice{Why: "the knee"}, e, verified); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	e := snap.Exports[0]
	if text := printed(e, true); !strings.Contains(text, ".874 ±.013") || !strings.Contains(text, ".861 ±.013") || strings.Contains(text, "no test split") {
		t.Errorf("measured on both splits:\n%s", text)
	}
	e.Predicted = map[string]study.Prediction{}
	e.Doubt = "outside the sampled region"
	if text := printed(e, true); !strings.Contains(text, "not what was predicted: look at parfait trust") || !strings.Contains(text, "! outside the sampled region: do not believe") {
		t.Errorf("measured elsewhere than predicted:\n%s", text)
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
		stage study.ExportProgress
		want  string
	}{
		{study.ExportProgress{Stage: "measure test"}, "starting"},
		{study.ExportProgress{Stage: "measure test", Done: 3, Total: 9}, "3 of 9"},
		{study.ExportProgress{Stage: "check", Done: 5e9, Total: 14e9}, "5.0 GB of 14 GB"},
	} {
		if text := exportStage(c.stage); text != c.want {
			t.Errorf("%+v: %q, want %q", c.stage, text, c.want)
		}
	}
}
