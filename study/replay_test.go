package study

import "testing"

// Floors may be edited at any time: what was asked for under others is asked for again under those.
func TestReplayUnderOtherFloors(t *testing.T) {
	t.Parallel()
	s := demo(t, DemoOptions{Tasks: 2, Budget: 14, Seed: 3}, RunOptions{Workers: 2})
	replays := func(when string) {
		t.Helper()
		if r, err := Replay(t.Context(), s.Dir()); err != nil || len(r.Problems) > 0 || r.Batches == 0 {
			t.Errorf("%s: %d batches, %v, %v", when, r.Batches, r.Problems, err)
		}
	}
	replays("without floors")
	edit(t, s.Dir(), "{name: upright, ", "{name: upright, at_least: 0.9, ")
	replays("with a floor that came later")
	edit(t, s.Dir(), "budget: 14", "budget: 22")
	if err := open(t, s.Dir()).Run(t.Context(), RunOptions{Workers: 2}); err != nil {
		t.Fatal(err)
	}
	replays("with a floor that some of it saw")
	edit(t, s.Dir(), "at_least: 0.9, ", "")
	replays("with a floor that is gone")
}
