package study

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"parfait/evaluator"
)

// What remains of a trial is the median over the evaluations that took longer than it has so far.
func TestRemaining(t *testing.T) {
	now := time.Unix(1e9, 0)
	s := &Snapshot{Now: now, Tasks: []Task{{Name: "a", Evaluator: "main"}, {Name: "b", Evaluator: "main"}, {Name: "c", Evaluator: "judge"}}}
	took := func(main, judge time.Duration) {
		begun := now.Add(-time.Hour)
		s.Trials = append(s.Trials, Trial{State: evaluator.Done, Attempt: 2, Started: begun, Measurements: []Measurement{
			{Attempt: 1, Evaluator: "main", Split: evaluator.Validation, At: begun.Add(-time.Minute), Metrics: evaluator.Metrics{"a": {}, "b": {}}},
			{Attempt: 2, Evaluator: "main", Split: evaluator.Validation, At: begun.Add(main), Metrics: evaluator.Metrics{"a": {}, "b": {}}},
			{Attempt: 2, Evaluator: "judge", Split: evaluator.Validation, At: begun.Add(judge), Metrics: evaluator.Metrics{"c": {}}},
		}})
	}
	running := func(since time.Duration) *Trial {
		return &Trial{ID: 9, State: evaluator.Running, Attempt: 1, Started: now.Add(-since)}
	}
	if left, known := s.Remaining(running(0)); known {
		t.Errorf("before anything has finished %v remain", left)
	}
	for _, m := range []time.Duration{10, 11, 12, 13, 600} { // minutes; the last is an outlier
		took(m*time.Minute, time.Minute)
	}
	for since, want := range map[time.Duration]time.Duration{
		0:                12 * time.Minute,
		30 * time.Second: 11*time.Minute + 30*time.Second,
	} {
		if left, known := s.Remaining(running(since)); !known || left != want {
			t.Errorf("after %v %v remain (known: %v), expected %v", since, left, known, want)
		}
	}
	half := running(11 * time.Minute)
	half.Measurements = []Measurement{{Attempt: 1, Evaluator: "judge", Split: evaluator.Validation, Metrics: evaluator.Metrics{"c": {}}}}
	if left, known := s.Remaining(half); !known || left != 2*time.Minute {
		t.Errorf("where the judge has answered %v remain (known: %v), expected 2 min: of 12, 13 and 600", left, known)
	}
	if left, known := s.Remaining(running(11 * time.Hour)); known {
		t.Errorf("longer than all before: %v remain, expected nothing to be known", left)
	}
	s.Activity.Runner = Sampling
	if got := s.Underway(&Trial{ID: 9, State: evaluator.Running, Started: now, Progress: evaluator.Progress{Done: 3, Total: 10, Note: "mmlu"}, Line: "43%"}); got != "3 of 10 · ≈ 12 min left · mmlu · 43%" {
		t.Errorf("it says %q", got)
	}
	s.Activity.Runner = Idle
	if got := s.Underway(&Trial{ID: 9, State: evaluator.Running, Started: now, Line: "43%"}); got != "no runner looks at it; seen last: 43%" {
		t.Errorf("without a runner it says %q", got)
	}
}

// What a trial prints is in the next snapshots while it runs.
func TestASnapshotHasTheLastLine(t *testing.T) {
	log := filepath.Join(t.TempDir(), "1.log")
	if err := os.WriteFile(log, []byte("one\n\r 43%|#"), 0o600); err != nil {
		t.Fatal(err)
	}
	trials := []Trial{{ID: 1, State: evaluator.Running, Attempt: 1, Log: log}, {ID: 2, State: evaluator.Done, Log: log}}
	seen := printing(trials, nil, true)
	if seen[0].Line != "43%|#" || seen[1].Line != "" || trials[0].Line != "" {
		t.Errorf("the lines are %q and %q; others' are changed: %v", seen[0].Line, seen[1].Line, trials[0].Line != "")
	}
	if again := printing(trials, seen, false); again[0].Line != "43%|#" {
		t.Errorf("the line is forgotten before it is looked again: %q", again[0].Line)
	}
}

// How long trials mostly take is the median of the newest: one that nobody looked at for a night changes nothing.
func TestUsual(t *testing.T) {
	begun := time.Unix(1e9, 0)
	trials := []Trial{{State: evaluator.Waiting}, {State: evaluator.Done}}
	if d := usual(trials); d != 0 {
		t.Errorf("with nothing measured it is %v", d)
	}
	add := func(state State, took time.Duration) {
		trials = append(trials, Trial{State: state, Started: begun, Ended: begun.Add(took)})
	}
	for range recent {
		add(evaluator.Done, time.Hour) // long ago
	}
	for range recent - 1 {
		add(evaluator.Done, 12*time.Second)
	}
	add(evaluator.Failed, time.Second)
	add(evaluator.Done, 9*time.Hour)
	if d := usual(trials); d != 12*time.Second {
		t.Errorf("it is %v, expected 12 s", d)
	}
}
