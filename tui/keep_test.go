package tui

import (
	"testing"

	"parfait/explore"
	"parfait/explore/exploretest"
)

// What an earlier parfait kept comes back: views had numbers, and the plot and the filter stood beside them.
func TestAnEarlierSessionComesBack(t *testing.T) {
	src := newSource(exploretest.Snapshot(demo))
	state := explore.Start(src.snap.Analysis)
	state.Task = 1
	b, err := state.Encode()
	if err != nil {
		t.Fatal(err)
	}
	src.views[""] = []byte(`{"state":` + string(b) + `,"view":2,"focus":"trials","zoom":{"factor":1.5,"pan_x":0.1},"filter":"state:failed"}`)
	d := driveOn(t, src, 80, 24)
	if got := its[*frontView](d.e).zoom; d.shown() != scopeTrials || got != (zoom{Factor: 1.5, PanX: 0.1}) || d.e.state.Task != 1 {
		t.Errorf("came back in %s with zoom %+v and task %d", d.shown(), got, d.e.state.Task)
	}
	d.sees("/state:failed", "1 of 34")
	d.press("1")
	d.send(saveMsg{}) // as it is kept today
	src.sub <- src.snap
	again := driveOn(t, src, 80, 24)
	if got := its[*frontView](again.e).zoom; again.shown() != scopeFront || got != (zoom{Factor: 1.5, PanX: 0.1}) || its[*trialsView](again.e).filter != "state:failed" {
		t.Errorf("came back in %s with zoom %+v and filter %q", again.shown(), got, its[*trialsView](again.e).filter)
	}
	src.views[""] = []byte(`{"view":77}`)
	src.sub <- src.snap
	driveOn(t, src, 80, 24).sees("knee")
}
