package tui

import (
	"slices"
	"testing"
	"time"

	"parfait/evaluator"
	"parfait/explore/exploretest"
)

// Whoever chose no trial sees the one that runs, and the next when that has ended; who moves away stays where he is until
// he comes back.
func TestTheTrialThatRunsIsFollowed(t *testing.T) {
	s := exploretest.Snapshot(demo)
	d := driveOn(t, newSource(s), 120, 36)
	on := func(id int, why string) {
		t.Helper()
		if got := its[*trialsView](d.e).selected(&d.e.props).ID; got != id {
			t.Errorf("%s: trial %d is selected, expected %d", why, got, id)
		}
	}
	ends := func(id int) {
		next := *s
		next.Trials = slices.Clone(s.Trials)
		next.Trials[id-1].State, next.Trials[id-1].Ended = evaluator.Done, next.Now.Add(time.Second)
		next.Revision++
		s = &next
		d.send(snapshotMsg{s})
		d.send(restedMsg{})
	}
	d.press("3")
	on(33, "of two that run the one that was begun first")
	d.sees("follows what runs")
	d.press("up")
	on(32, "after a step away")
	d.press("f")
	on(33, "after f")
	d.press("down")
	on(34, "a person chose the other")
	d.press("up")
	ends(33)
	on(34, "moving back resumes")
	ends(34)
	on(34, "where none runs the newest")
	if follows := its[*trialsView](d.e); notFollowing(d.e, follows) == "" {
		t.Error("f would follow what does not run")
	}
}

// A trial that runs says how far it is in the room of the figures that it does not have.
func TestARunningTrialSaysHowFarItIs(t *testing.T) {
	s := exploretest.Snapshot(demo)
	for i := range s.Trials {
		if t := &s.Trials[i]; t.State == evaluator.Running {
			t.Progress, t.Line = evaluator.Progress{}, "shard 2 of 3"
		}
	}
	d := driveOn(t, newSource(s), 80, 24)
	d.press("3")
	d.sees("1 min 07 s   shard 2 of 3", "running for 1 min 07 s")
}
