package cli

import (
	"encoding/json"
	"testing"
	"time"

	"parfait/evaluator"
	"parfait/explore/exploretest"
	"parfait/transfer"
)

// Whatever --json says of a trial, an import can read: every key that there may be.
func TestTrialsThatArePrintedCanBeImported(t *testing.T) {
	snap := exploretest.Snapshot(exploretest.Options{Trials: 1})
	one, seconds := trialOf(snap, snap.Trials[0]), number(3)
	one.Why, one.Error, one.Log, one.LastLine, one.Elapsed, one.Remaining = "why", "error", "log", "line", &seconds, &seconds
	one.Progress, one.Started, one.Ended = &evaluator.Progress{Done: 1}, &time.Time{}, &time.Time{}
	b, err := json.Marshal(one)
	if err != nil {
		t.Fatal(err)
	}
	got, err := transfer.Read("f", b, nil, snap)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 1 || len(got[0].Measurements) != 1 {
		t.Errorf("%s was read as %+v, want one trial with one measurement", b, got)
	}
}
