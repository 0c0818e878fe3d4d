package study

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"parfait/search"
)

// On six tasks of digits with a floor of .90 for the base's own skill, the search measures where the floor is kept and the
// front is of what keeps it: a filter of a front made without it has next to nothing there.
func TestTheFrontOfDigitsKeepsItsFloor(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "digits.study")
	if err := Demo(t.Context(), dir, DemoOptions{Tasks: 6, Budget: 32, Seed: 1}); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, SpecFile)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	write(t, path, strings.Replace(string(text), "role: guard}", "role: guard, at_least: 0.9}", 1))
	s := open(t, dir)
	if err := s.Run(t.Context(), RunOptions{Workers: 2}); err != nil {
		t.Fatal(err)
	}
	snap := load(t, s)
	a := snap.Analysis
	kept := 0
	for _, trial := range snap.Trials[12:] {
		if trial.Metrics["upright"].Value >= 0.88 {
			kept++
		}
	}
	if kept < 12 {
		t.Errorf("%d of the %d trials after the start keep the floor, or nearly", kept, len(snap.Trials)-12)
	}
	floors := search.Floors(searchTasks(snap.Tasks))
	if a.Unmet != nil || !sameFloors(a.Floors, floors) {
		t.Fatalf("the front was traced under %v, of which is said to be missing: %+v", a.Floors, a.Unmet)
	}
	for i, p := range a.Front {
		if chance := a.Keeps(p.X, floors[0]); chance < search.FloorSure-0.01 {
			t.Errorf("point %d keeps the floor with probability %.2f: upright %.3f", i+1, chance, p.Predicted[6].Value)
		}
	}
	free, err := a.Under(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	inside := 0
	for _, p := range free.Front {
		if p.Predicted[6].Value >= 0.9 {
			inside++
		}
	}
	if len(a.Front) < 100 || len(a.Front) <= inside {
		t.Errorf("%d points keep the floor, and %d of the front without it do", len(a.Front), inside)
	}
	if !slices.EqualFunc(free.Numbered(), a.Front, func(p, q FrontPoint) bool { return slices.Equal(p.X, q.X) }) {
		t.Error("numbers are those of another front than the study's own")
	}
}

// Floors that somebody asks for later are as good as those of study.yaml, and what cannot be kept says so.
func TestUnder(t *testing.T) {
	a := analysed(t, nil)
	best := func(t int) (v float64) {
		for _, p := range a.Front {
			v = max(v, p.Predicted[t].Value)
		}
		return v
	}
	floor := search.Floor{Task: "gsm8k", Least: true, Value: 0.8 * best(0), Sure: search.FloorSure}
	u, err := a.Under(t.Context(), []search.Floor{floor})
	if err != nil || u.Unmet != nil || len(u.Front) < 20 {
		t.Fatalf("%+v: %v", u, err)
	}
	for _, p := range u.Front {
		if u.Keeps(p.X, floor) < search.FloorSure-0.01 {
			t.Errorf("gsm8k %.3f … under a floor of %.3f", p.Predicted[0].Value, floor.Value)
		}
	}
	if again, err := u.Under(t.Context(), []search.Floor{floor}); err != nil || again != u {
		t.Errorf("the same floors are traced again: %v", err)
	}
	floor.Value = best(0) + 0.5
	u, err = a.Under(t.Context(), []search.Floor{floor})
	if err != nil || u.Unmet == nil || u.Unmet.Floor != 0 {
		t.Errorf("%+v, %v: want to hear that the floor cannot be kept", u.Unmet, err)
	}
	if _, err := a.Under(t.Context(), []search.Floor{{Task: "nothing"}}); err == nil {
		t.Error("a floor of a task that does not exist is taken")
	}
}
