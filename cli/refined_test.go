package cli

import (
	"testing"

	"parfait/explore"
	"parfait/study"
)

// A front without points is nothing to refine, whichever point is named.
func TestRefinedAroundNothing(t *testing.T) {
	for _, around := range []string{"knee", "1", "x"} {
		if _, points, _, err := refinedAround(t.Context(), &study.Analysis{}, around, explore.Preference{}); err == nil || points != nil {
			t.Errorf("--around %s gives %d points and %v, expected an error", around, len(points), err)
		}
	}
}
