package study

import (
	"math"
	"testing"

	"parfait/search"
)

// Around a point the front is denser than its intervals are wide, and keeps the limits that are set.
func TestRefine(t *testing.T) {
	a := analysed(t, nil)
	knee := a.Front[a.Knee]
	points, err := a.Refine(t.Context(), knee.X, nil)
	if err != nil || len(points) < 10 {
		t.Fatalf("%d points around the knee: %v", len(points), err)
	}
	for _, p := range points {
		for _, task := range a.Objectives {
			here, half := knee.Predicted[task], (knee.Predicted[task].Hi-knee.Predicted[task].Lo)/2
			if loss := math.Abs(p.Predicted[task].Value - here.Value); a.Tasks[task].Better(here.Value, p.Predicted[task].Value) && loss > half*1.000001 {
				t.Errorf("%s is %.4f worse than at the knee, and half the interval is %.4f", a.Tasks[task].Name, loss, half)
			}
		}
		if !a.Believed(p.X) {
			t.Errorf("%v is not to be believed", p.X)
		}
	}
	floor := knee.Predicted[0].Value
	above, err := a.Refine(t.Context(), knee.X, []search.Floor{{Task: a.Tasks[0].Name, Least: true, Value: floor}})
	if err != nil || len(above) == 0 {
		t.Fatalf("%d points above the floor: %v", len(above), err)
	}
	for _, p := range above {
		if p.Predicted[0].Value < floor-1e-9 {
			t.Errorf("%s is %.4f below the floor %.4f", a.Tasks[0].Name, p.Predicted[0].Value, floor)
		}
	}
	if points, err := (&Analysis{}).Refine(t.Context(), nil, nil); points != nil || err != nil {
		t.Errorf("without surrogates: %v, %v", points, err)
	}
}
