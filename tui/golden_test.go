package tui

import (
	"fmt"
	"image"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"parfait/explore/exploretest"
	"parfait/tui/chart"
)

// golden compares text with a file in testdata, which -update writes. What is kept is drawn on a canvas of its
// own, so that one change is one difference: a pane without the tabs above it, a dialog without what it covers.
func golden(t *testing.T, name, got string) {
	t.Helper()
	lines := strings.Split(strings.TrimRight(got, "\n"), "\n")
	for i, line := range lines {
		lines[i] = strings.TrimRight(line, " ")
	}
	got = strings.Join(lines, "\n") + "\n"
	file := filepath.Join("testdata", "panes", name+".txt")
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s is drawn otherwise than in %s:\n%s", name, file, got)
	}
}

// alone draws something of the explorer by itself in the given cells of the screen.
func (d *driver) alone(r image.Rectangle, draw func(*chart.Canvas)) string {
	c := chart.NewCanvas(max(r.Dx(), 1), max(r.Dy(), 1), d.e.glyphs)
	draw(c)
	return c.Plain()
}

// pane is the view's own pane.
func (d *driver) pane() string {
	return d.alone(arrange(d.e.w, d.e.h, d.e.hasSide()).main, func(c *chart.Canvas) { d.e.view.draw(d.e, d.e.props, c) })
}

// side is what is in hand.
func (d *driver) side() string {
	return d.alone(arrange(d.e.w, d.e.h, true).side, func(c *chart.Canvas) { side{props: d.e.props, focus: d.e.focus}.draw(c) })
}

// dialog is what is above the screen.
func (d *driver) dialog() string {
	return d.alone(image.Rect(0, 0, d.e.w, d.e.h), func(c *chart.Canvas) { d.e.above.draw(d.e, c) })
}

// sheet gathers drawings under their names.
type sheet struct{ strings.Builder }

func (s *sheet) add(name, drawing string) { s.WriteString("── " + name + "\n" + drawing + "\n") }

func (s *sheet) addAt(name string, size [2]int, drawing string) {
	s.add(fmt.Sprintf("%s, of a screen of %d×%d", name, size[0], size[1]), drawing)
}

// states are the studies that screens are drawn of.
var states = map[string]exploretest.Options{
	"sampling": {Trials: 34, Running: 2, Failed: []int{9}, Exports: 2, Picks: 1, Flagged: true},
	"empty":    {},
	"one":      {Trials: 2, Running: 1},
	"failed":   {Trials: 6, Failed: []int{1, 2, 3, 4, 5, 6}},
	"single":   {Trials: 20, Running: 1, Tasks: []string{"only"}, NoGuard: true},
	"loss":     {Trials: 20, Budget: 20, Tasks: []string{"perplexity", "code"}, Minimize: true, Floor: 0.9},
	"eight": {Trials: 60, Running: 2, Flagged: true, Tasks: []string{
		"gsm8k", "humaneval", "mbpp", "mmlu", "hellaswag", "truthfulqa", "arc_challenge", "winogrande",
	}},
	"names": {Trials: 34, Name: "数学とコード 🚀 a study with a very long name", Tasks: []string{
		"数学推理能力測試", "a_task_with_a_very_long_name_indeed", "émoji🎉",
	}},
}

var sizes = [][2]int{{60, 16}, {80, 24}, {120, 36}, {160, 48}, {200, 60}}

// sampling drives the study that is being sampled.
func sampling(t *testing.T, size [2]int, options ...func(*Options)) *driver {
	t.Helper()
	d := drive(t, states["sampling"], size[0], size[1], options...)
	d.src.logs[34] = "loading model\nevaluating rotated 120/450\nevaluating rotated 180/450"
	return d
}

// otherStates are the names of the states beside sampling.
func otherStates() []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(states)), func(name string) bool { return name == "sampling" })
}

// Every view's own pane at every size, in every state of a study, and with the glyphs of old terminals.
func TestPanes(t *testing.T) {
	for _, v := range viewInfos() {
		var at, of, with sheet
		for _, size := range sizes {
			d := sampling(t, size)
			d.press(v.key)
			at.addAt(v.title, size, d.pane())
		}
		golden(t, string(v.scope), at.String())
		for _, name := range otherStates() {
			for _, size := range sizes[:2] {
				d := drive(t, states[name], size[0], size[1])
				d.press(v.key)
				of.addAt(name, size, d.pane())
			}
		}
		golden(t, string(v.scope)+"-states", of.String())
		for _, g := range []string{"block", "ascii"} {
			d := sampling(t, sizes[1], func(o *Options) { o.Glyphs = g })
			d.press(v.key)
			with.add(g, d.pane())
		}
		golden(t, string(v.scope)+"-glyphs", with.String())
	}
}

func TestSide(t *testing.T) {
	var at, of sheet
	for _, size := range sizes {
		at.addAt("what is in hand", size, sampling(t, size).side())
	}
	golden(t, "side", at.String())
	for _, name := range otherStates() {
		for _, size := range sizes[:2] {
			of.addAt(name, size, drive(t, states[name], size[0], size[1]).side())
		}
	}
	golden(t, "side-states", of.String())
}

// What is above and below the panes: all that a new tab changes.
func TestHeaderAndBar(t *testing.T) {
	var of sheet
	for _, size := range sizes {
		for _, keys := range append([]string{"1 tab"}, digitKeys()...) {
			d := sampling(t, size)
			d.press(keys)
			lines := strings.SplitAfter(d.text(), "\n")
			top := arrange(size[0], size[1], false).main.Min.Y
			of.addAt(keys, size, strings.Join(lines[:top], "")+lines[size[1]-1])
		}
	}
	golden(t, "header-and-bar", of.String())
}

// digitKeys are the keys of all views.
func digitKeys() []string {
	var out []string
	for _, v := range viewInfos() {
		out = append(out, v.key)
	}
	return out
}

// A few screens whole, without the line of the tabs: how the panes come together.
func TestScreens(t *testing.T) {
	for _, c := range []struct {
		keys string
		size [2]int
	}{{"1", sizes[1]}, {"1", sizes[3]}, {"2", sizes[3]}, {"3", sizes[1]}} {
		d := sampling(t, c.size)
		d.press(c.keys)
		_, below, _ := strings.Cut(d.text(), "\n")
		golden(t, fmt.Sprintf("screen-%s-%dx%d", d.shown(), c.size[0], c.size[1]), below)
	}
}

// The styles, apart from the text.
func TestStyles(t *testing.T) {
	_, below, _ := strings.Cut(sampling(t, sizes[1]).e.screen().StyleMap(), "\n")
	golden(t, "screen-front-80x24-styles", below)
}

func TestDialogs(t *testing.T) {
	for name, keys := range map[string]string{
		"help": "?", "palette": ":", "floor": ">", "export": "enter", "compare": "p right right p P", "recipe": "w", "decide": "d", "exported": "enter enter",
	} {
		var of sheet
		for _, size := range sizes[:2] {
			d := sampling(t, size)
			d.press(keys)
			of.addAt(name, size, d.dialog())
		}
		golden(t, "dialog-"+name, of.String())
	}
	d := sampling(t, sizes[1], func(o *Options) { o.Tour = true })
	golden(t, "dialog-tour", d.alone(image.Rect(0, 0, 80, 24), d.e.drawTour))
}

// Plain characters are all that a terminal without others is sent.
func TestASCIIIsPlain(t *testing.T) {
	d := sampling(t, sizes[1], func(o *Options) { o.Glyphs = "ascii" })
	for _, keys := range append([]string{"1 tab", "1 ?", "esc :"}, digitKeys()...) {
		d.press(keys)
		for i, r := range d.text() {
			if r > 0x7e || r < ' ' && r != '\n' {
				t.Fatalf("after %q ASCII glyphs draw %q at %d", keys, r, i)
			}
		}
		d.press("esc")
	}
}

// Thousands of trials and points are drawn, filtered and sorted like a few.
func TestManyTrials(t *testing.T) {
	d := drive(t, exploretest.Options{Trials: 5000, Budget: 5000, FrontSize: 2000}, 120, 36)
	d.press("right right 3 end home o o O / ")
	d.write("rotated>.9 mirrored>.6")
	d.press("enter 2 up up 4 v v 1 +")
	d.sees("5000/5000", "front ")
}

// At any size nothing panics, every line is as wide as the screen, and the bar says how to get help.
func TestAnySize(t *testing.T) {
	sizes := [][2]int{{1, 1}, {2, 2}, {10, 3}, {59, 16}, {60, 15}, {60, 16}, {61, 17}, {79, 23}, {80, 24}, {99, 30}, {133, 40}, {250, 20}, {60, 100}, {400, 120}}
	for name, o := range states {
		for _, size := range sizes {
			d := drive(t, o, size[0], size[1])
			for _, keys := range append(digitKeys(), "1 tab", "tab", ":", "esc ?", "esc enter", "esc p P", "esc w") {
				d.press(keys)
				lines := strings.Split(strings.TrimSuffix(d.text(), "\n"), "\n")
				if len(lines) != size[1] {
					t.Fatalf("%s at %v after %q: %d lines", name, size, keys, len(lines))
				}
				if !d.e.tooSmall() && d.e.above == nil && d.e.note.text == "" && !strings.Contains(lines[len(lines)-1], "? help") {
					t.Errorf("%s at %v after %q: the bar says %q", name, size, keys, lines[len(lines)-1])
				}
			}
		}
	}
}
