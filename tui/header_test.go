package tui

import (
	"fmt"
	"strings"
	"testing"

	"parfait/evaluator"
	"parfait/explore/exploretest"
	"parfait/search"
	"parfait/study"
	"parfait/tui/chart"
)

// What the newest batch is expected to gain stands in the header while it is being measured, and not afterwards;
// so does why the search waits.
func TestHeaderSaysWhatIsExpected(t *testing.T) {
	snap := exploretest.Snapshot(exploretest.Options{Trials: 12, Running: 2})
	says := func() string {
		var text []string
		for _, s := range (header{props: props{snap: snap}}).activity() {
			text = append(text, s.Text)
		}
		return strings.Join(text, " · ")
	}
	snap.Batches = []study.Batch{{ID: 0, Trials: []int{11, 12}, Advice: search.Advice{Text: "expected to add 0.8 % to the measured hypervolume", Gain: 0.008}}}
	const want = "+0.8 % expected"
	if got := says(); !strings.Contains(got, want) {
		t.Errorf("%q, expected it to say %q", got, want)
	}
	c := chart.NewCanvas(160, 1, chart.Braille)
	header{props: props{snap: snap}}.drawStatus(c)
	if got := c.Plain(); !strings.Contains(got, want) {
		t.Errorf("the line is %q, expected %q in it", got, want)
	}
	snap.Batches = append(snap.Batches, study.Batch{ID: 1, Wait: "the models alone are still being measured"})
	if got, want := says(), "the search waits"; !strings.Contains(got, want) {
		t.Errorf("%q, expected it to say %q", got, want)
	}
	snap.Batches = snap.Batches[:1]
	snap.Activity.Running = 0
	for i := range snap.Trials {
		snap.Trials[i].State = evaluator.Done
	}
	if got := says(); strings.Contains(got, "expected") {
		t.Errorf("%q, although nothing is under way", got)
	}
}

// The header counts what the runner at work does, and says what study.yaml asks the next one for.
func TestTheNextBudget(t *testing.T) {
	s := exploretest.Snapshot(states["sampling"])
	d := driveOn(t, newSource(s), 80, 24)
	if strings.Contains(d.text(), " next") {
		t.Fatalf("a next budget that is not there:\n%s", d.text())
	}
	s.Activity.NextBudget = s.Activity.Budget - 3
	d = driveOn(t, newSource(s), 80, 24)
	d.sees(fmt.Sprintf("%d/%d", s.Activity.Done, s.Activity.Budget), fmt.Sprintf("study.yaml: %d next", s.Activity.NextBudget))
}

// A run that waits for the machine has a word of its own, and what it waits for first, at every size.
func TestHeaderSaysWhatARunWaitsFor(t *testing.T) {
	s := exploretest.Snapshot(states["sampling"])
	s.Activity.Runner, s.Activity.ETA = study.Waits, 0
	s.Activity.Note = "12 MB free, 64 MB needed in /data/studies/digits.study/logs: the disk is full; free some space"
	var of sheet
	for _, size := range sizes {
		d := driveOn(t, newSource(s), size[0], size[1])
		d.sees("waits ")
		lines := strings.SplitAfter(d.text(), "\n")
		of.addAt("a run that waits", size, strings.Join(lines[:arrange(size[0], size[1], false).main.Min.Y], ""))
	}
	golden(t, "header-waits", of.String())
	d := driveOn(t, newSource(s), 80, 24)
	d.press("!")
	d.sees("goes on by itself", "free some space")
}
