package tui

import (
	"slices"
	"strings"
	"testing"

	"parfait/explore/exploretest"
)

func TestWhatDoesNotFitSaysSo(t *testing.T) {
	const text = "the worst prediction was off by .3; measure more near what matters"
	if got, want := wrapWithin(text, 24, 3), []string{"the worst prediction was", "off by .3; measure more", "near what matters"}; !slices.Equal(got, want) {
		t.Errorf("all of it: %q, expected %q", got, want)
	}
	if got, want := wrapWithin(text, 26, 2), []string{"the worst prediction was", "off by .3; measure more n…"}; !slices.Equal(got, want) {
		t.Errorf("in two lines: %q, expected %q", got, want)
	}
	if got := wrapWithin(text, 24, 0); len(got) != 0 {
		t.Errorf("in no line: %q", got)
	}
}

// An empty view of exports says all of what it has to say at any size.
func TestNothingChosenYet(t *testing.T) {
	for _, size := range sizes {
		d := drive(t, exploretest.Options{Trials: 20}, size[0], size[1])
		d.press("6")
		d.sees("records a decision.")
	}
}

// Names of columns are whole where there is room for all of them.
func TestColumnsShowWholeNames(t *testing.T) {
	d := drive(t, states["sampling"], 160, 48)
	d.press("3")
	d.sees("c.upside_down")
	d.press("5")
	d.sees("mirrored upside_down")
}

// Where there is no room for all models those around the selected one are listed, and how to have them read.
func TestMoreModelsThanThereIsRoomFor(t *testing.T) {
	d := drive(t, states["eight"], 60, 16)
	d.press("5")
	list := func() string { return strings.Join(strings.Split(d.text(), "\n")[1:8], "\n") }
	if text := list(); !strings.Contains(text, "gsm8k") || strings.Contains(text, "winogrande") || !strings.Contains(text, "i reads every model once") {
		t.Errorf("the list is\n%s", text)
	}
	d.press("down down down down down down down down down")
	if text := list(); strings.Contains(text, "gsm8k") || !strings.Contains(text, "winogrande") || !strings.Contains(text, "i reads every model once") {
		t.Errorf("at the end the list is\n%s", text)
	}
}
