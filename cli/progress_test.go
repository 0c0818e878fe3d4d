package cli

import (
	"bytes"
	"strings"
	"testing"

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
