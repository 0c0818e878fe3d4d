package tui

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"parfait/study"
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
			t.Fatalf("there is no picture: %s", wrong)
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

// The picture of the README is what the demo shows today.
func TestTheReadmesPicture(t *testing.T) {
	if testing.Short() {
		t.Skip("computes for long, in no other way than shorter tests")
	}
	if runtime.GOARCH != "amd64" {
		t.Skip("the last digits of a fit are those of amd64")
	}
	dir := filepath.Join(t.TempDir(), "digits.study")
	if err := study.Demo(t.Context(), dir, study.DemoOptions{Tasks: 3, Budget: 40, Seed: 1}); err != nil {
		t.Fatal(err)
	}
	s, err := study.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	if err := s.Run(t.Context(), study.RunOptions{}); err != nil {
		t.Fatal(err)
	}
	snap, err := s.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	d := driveOn(t, newSource(snap), 118, 34)
	got := d.e.screen().SVG(d.e.theme, "parfait: "+snap.Name)
	const file = "../docs/explorer.svg"
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is not what the demo shows: go test ./tui -run ReadmesPicture -update", file)
	}
}
