package study

import (
	"testing"

	"parfait/evaluator"
	"parfait/search"
)

// TestFailuresAndConstants analyses a study of which trials failed and one task never varied: the front keeps
// away from what failed, and a constant task has no best point.
func TestFailuresAndConstants(t *testing.T) {
	t.Parallel()
	models := ""
	s := open(t, strategyStudy(t, "design", &models))
	if err := s.Run(t.Context(), RunOptions{Workers: 2}); err != nil {
		t.Fatal(err)
	}
	snap := *load(t, s)
	snap.Analysis = nil
	snap.Trials = append([]Trial(nil), snap.Trials...)
	var done []Trial
	for i := range snap.Trials {
		trial := &snap.Trials[i]
		metrics := map[string]Metric{}
		for k, v := range trial.Metrics {
			metrics[k] = v
		}
		metrics["rotated"] = Metric{Value: 0.5, N: 450}
		if trial.Metrics = metrics; trial.X[0] >= 0.5 {
			trial.State, trial.Metrics = evaluator.Failed, nil
			continue
		}
		done = append(done, *trial)
	}
	if len(done) == len(snap.Trials) || len(done) < 4 {
		t.Fatalf("%d of %d trials are done", len(done), len(snap.Trials))
	}
	a, err := analyse(t.Context(), &snap, done)
	if err != nil {
		t.Fatal(err)
	}
	for i, task := range a.Tasks {
		if constant := a.Fits[i].Trust.Constant; constant != (task.Name == "rotated") {
			t.Errorf("%s is called constant: %v", task.Name, constant)
		}
		if task.Role == Objective && (a.Best[i] >= 0) == (task.Name == "rotated") {
			t.Errorf("the best point for %s is %d", task.Name, a.Best[i])
		}
	}
	for _, trial := range snap.Trials {
		if failed := trial.State == evaluator.Failed; failed && a.Believed(trial.X) {
			t.Errorf("what failed at %v is believed", trial.X)
		} else if failed && a.doubt(trial.X) != search.Failing {
			t.Errorf("the doubt at %v, which failed, is %q", trial.X, a.doubt(trial.X))
		}
	}
	if x := a.Front[a.Knee].X; !a.Front[a.Knee].Believed || x[0] >= 0.5 {
		t.Errorf("the knee is at %v", x)
	}
}
