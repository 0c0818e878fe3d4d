package cli

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"parfait/evaluator"
	"parfait/study"
)

// A run that waits for the machine says in its progress what for.
func TestProgressSaysWhatARunWaitsFor(t *testing.T) {
	var out bytes.Buffer
	p := (&app{err: &out}).progress()
	act := study.Activity{Runner: study.Sampling, Done: 3, Budget: 12, Running: 2, Note: "study.yaml was edited"}
	p.activity(act)
	act.Runner, act.Done, act.Note = study.Waits, 5, "12 MB free, 64 MB needed in /data/s/logs: the disk is full\x1b[2J"
	p.activity(act)
	const want = "sampling: 3/12 · 2 running\nsampling: 5/12 · 2 running · waits: 12 MB free, 64 MB needed in /data/s/logs: the disk is full"
	if got := out.String(); !strings.HasPrefix(got, want) || strings.Contains(got, "\x1b") {
		t.Errorf("said\n%q\nwant\n%q", got, want)
	}
}

// On a terminal a run says what the trial says that was begun first, on a line of its own that goes with the next.
func TestProgressSaysWhatATrialSays(t *testing.T) {
	var out bytes.Buffer
	p := (&app{err: &out, tty: &out, errTTY: true}).progress()
	now := time.Now()
	trial := func(id int, line string) study.Trial {
		return study.Trial{ID: id, State: evaluator.Running, Attempt: 1, Started: now.Add(-time.Duration(60-id) * time.Second), Line: line}
	}
	p.underway(&study.Snapshot{
		Now: now, Activity: study.Activity{Runner: study.Sampling, Budget: 12, Running: 2},
		Trials: []study.Trial{trial(7, "43%|##"), trial(8, "1%|#")},
	})
	p.end()
	if got := out.String(); !strings.Contains(got, "0/12 · 2 running\r\n  trial 7 · 53 s · 43%|##") || strings.Contains(got, "1%|#") {
		t.Errorf("said %q", got)
	} else if !strings.HasSuffix(got, "\x1b[A\r\x1b[K") {
		t.Errorf("the lines stay: %q", got)
	}
}
