package cli

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"parfait/explore/exploretest"
	"parfait/study"
)

// A dip of which nobody has reported the noise is shown with its height, and is no barrier: in the table, in the
// sentence and in JSON.
func TestBarriersWithoutNoise(t *testing.T) {
	snap := exploretest.Snapshot(exploretest.Options{Trials: 12, Strategy: "barrier"})
	for _, trial := range snap.Trials {
		for task, m := range trial.Metrics {
			trial.Metrics[task] = study.Metric{Value: m.Value}
		}
	}
	lines, err := snap.Lines()
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := (&app{out: &b}).printBarriers(snap, lines); err != nil {
		t.Fatal(err)
	}
	if text := b.String(); !strings.Contains(text, "? .121") || strings.Contains(text, "! .") || !strings.Contains(text, "noise is not known on 2 of 3 lines") {
		t.Errorf("want heights with a question mark, and none with an exclamation mark:\n%s", text)
	}
	text, err := json.Marshal(barriersOf(snap, lines))
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(text), `"stderr":null`); n != 12 || strings.Contains(string(text), `"real":true`) {
		t.Errorf("%d unknown errors of 12, and no barrier, want all in\n%s", n, text)
	}
}
