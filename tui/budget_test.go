package tui

import (
	"testing"

	"parfait/explore/exploretest"
	"parfait/study"
)

// The dialog counts trials as the header does, and takes no budget that is spent already.
func TestBudget(t *testing.T) {
	s := exploretest.Snapshot(demo)
	s.Activity.Budget++ // one was asked for by a person
	d := driveOn(t, newSource(s), 80, 24)
	d.sees("32/61")
	d.press("b")
	d.sees("trials in all", "61", "32 are finished, 2 more are asked for")
	for _, v := range []string{"2", "33"} {
		d.write(v)
		d.press("enter")
		d.sees("expected at least 34")
		d.press("esc b")
	}
	if len(d.src.commands) != 0 {
		t.Fatalf("a budget that is spent was set: %+v", d.src.commands)
	}
	d.write("81")
	d.press("enter")
	if len(d.src.commands) != 1 || d.src.commands[0].Kind != study.CommandBudget || d.src.commands[0].N != 80 {
		t.Errorf("commands %+v, expected 80 for the search", d.src.commands)
	}
	d.sees("the budget is 81 trials in all")
}

// How many candidates are in the cluster at once is changed where an evaluator takes that, and only there.
func TestThrottle(t *testing.T) {
	s := exploretest.Snapshot(demo)
	d := driveOn(t, newSource(s), 80, 24)
	d.press("#")
	d.sees("no evaluator takes another number of candidates")
	s = exploretest.Snapshot(demo)
	s.Activity.Throttle, s.Activity.Running = 16, 12
	d = driveOn(t, newSource(s), 80, 24)
	d.press("#")
	d.sees("candidates in the cluster at once", "16", "12 are measured now")
	d.write("0")
	d.press("enter")
	d.sees("at least 1")
	d.press("esc #")
	d.write("32")
	d.press("enter")
	if len(d.src.commands) != 1 || d.src.commands[0].Kind != study.CommandThrottle || d.src.commands[0].N != 32 {
		t.Errorf("commands %+v, expected a throttle of 32", d.src.commands)
	}
	d.sees("at most 32 candidates")
}
