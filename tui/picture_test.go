package tui

import (
	"bytes"
	"testing"
)

// A picture dims what breaks a floor, but not everything: that would be grey without a word.
func TestPicturesOfFloorsThatNothingMeets(t *testing.T) {
	d := drive(t, demo, 120, 36)
	drawn := func(floor float64) []byte {
		t.Helper()
		d.e.state.Floors = map[string]float64{"rotated": floor}
		d.e.look()
		draw, wrong := d.e.picture("a.svg", nil)
		if wrong != "" {
			t.Fatal(wrong)
		}
		b, err := draw()
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	all, some, none := drawn(0), drawn(0.9), drawn(0.999)
	if bytes.Equal(all, some) {
		t.Error("what breaks a floor looks like what keeps it")
	}
	if !bytes.Equal(all, none) {
		t.Error("where nothing keeps the floor the picture is not as without one")
	}
	if d.e.state.Floors["rotated"] != 0.999 {
		t.Error("the floor was taken away from the session too")
	}
}
