package explore

import (
	"maps"
	"slices"
	"testing"

	"parfait/explore/exploretest"
)

func TestEditedFindsTasksAndCoefficientsByName(t *testing.T) {
	before := exploretest.Snapshot(exploretest.Options{Trials: 30})
	s := Start(before.Analysis)
	s.Task, s.Coefficient, s.AxisX, s.AxisY, s.Colour = 1, 2, 0, len(before.Tasks)+1, 2
	after := *before
	after.Tasks = slices.Clone(before.Tasks)
	slices.Reverse(after.Tasks)
	n := len(after.Tasks)
	got := Edited(before, &after, s)
	if want := n - 2; got.Task != want {
		t.Errorf("the chosen task is %d, want %d", got.Task, want)
	}
	if got.Coefficient != 2 || got.AxisX != n-1 || got.AxisY != n+1 || got.Colour != n-3 || !slices.Equal(got.X, s.X) {
		t.Errorf("after the tasks were turned round: coefficient %d, axes %d, %d, %d, at %v; want 2, %d, %d, %d, at %v", got.Coefficient, got.AxisX, got.AxisY, got.Colour, got.X, n-1, n+1, n-3, s.X)
	}

	after = *before
	after.Space.Coefficients = after.Space.Coefficients[1:]
	s.Pins = []Pin{{Name: "mine", X: s.X}}
	got = Edited(before, &after, s)
	if got.X != nil || got.Front != -1 || got.Pins != nil || got.Coefficient != 1 {
		t.Errorf("in another space: at %v, front %d, pins %v, coefficient %d; want nothing, and coefficient 1", got.X, got.Front, got.Pins, got.Coefficient)
	}
}

func TestFloorsFollowStudyYAML(t *testing.T) {
	type floors = map[string]float64
	for name, c := range map[string]struct{ had, was, now, want floors }{
		"raised":                floors4(floors{"a": .9}, floors{"a": .9}, floors{"a": .95}, floors{"a": .95}),
		"taken away":            floors4(floors{"a": .9}, floors{"a": .9}, nil, nil),
		"new":                   floors4(nil, nil, floors{"a": .5}, floors{"a": .5}),
		"as it was":             floors4(floors{"a": .9}, floors{"a": .9}, floors{"a": .9}, floors{"a": .9}),
		"one's own":             floors4(floors{"a": .7}, floors{"a": .9}, floors{"a": .95}, floors{"a": .7}),
		"one's own, of another": floors4(floors{"b": .7}, nil, floors{"a": .95}, floors{"a": .95, "b": .7}),
		"one's own, alone":      floors4(floors{"b": .7}, nil, nil, floors{"b": .7}),
		"forgone":               floors4(nil, floors{"a": .9}, floors{"a": .95}, nil),
	} {
		if got := follow(c.had, c.was, c.now); !maps.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

func floors4(had, was, now, want map[string]float64) struct{ had, was, now, want map[string]float64 } {
	return struct{ had, was, now, want map[string]float64 }{had, was, now, want}
}
