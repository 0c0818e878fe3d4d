package cli

import (
	"strings"
	"testing"

	"parfait/evaluator"
	"parfait/study"
)

// Nobody is told to measure trials again in a study that measures nothing itself.
func TestFailedTrialsOfAStudyWithoutEvaluators(t *testing.T) {
	snap := &study.Snapshot{Dir: "s", Spec: &study.Spec{}, Trials: []study.Trial{{ID: 1, State: evaluator.Failed, Error: "boom"}}}
	snap.Activity.Done, snap.Activity.Failed = 1, 1
	if fix := measureMore(snap); strings.Contains(fix, "--retry") || !strings.Contains(fix, "--import FILE") {
		t.Errorf("it says %q, want --import", fix)
	}
	var out strings.Builder
	a := &app{out: &out, err: &out}
	if err := a.printOutcome(&out, snap); err == nil || strings.Contains(out.String()+err.Error(), "--retry") {
		t.Errorf("it says %q and %v, want no --retry", out.String(), err)
	}
}
