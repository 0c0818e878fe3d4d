package tui

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"parfait/explore/exploretest"
)

// golden compares text with a file in testdata, which -update writes.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", "screens", name+".txt")
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

// Every view at every size, of a study that is being sampled.
func TestViews(t *testing.T) {
	for _, v := range viewInfos() {
		for _, size := range sizes {
			d := drive(t, states["sampling"], size[0], size[1])
			d.src.logs[34] = "loading model\nevaluating rotated 120/450\nevaluating rotated 180/450"
			d.press(v.key)
			golden(t, fmt.Sprintf("%s-%dx%d", strings.ToLower(v.title), size[0], size[1]), d.text())
		}
	}
}

// Every state of a study, at the size of an old terminal and at the smallest.
func TestStates(t *testing.T) {
	for name, o := range states {
		if name == "sampling" {
			continue
		}
		for _, size := range sizes[:2] {
			d := drive(t, o, size[0], size[1])
			out := ""
			for _, v := range viewInfos()[:4] {
				d.press(v.key)
				out += d.text() + "\n"
			}
			golden(t, fmt.Sprintf("state-%s-%dx%d", name, size[0], size[1]), out)
		}
	}
}

// The styles, apart from the text.
func TestStyles(t *testing.T) {
	d := drive(t, states["sampling"], 80, 24)
	golden(t, "front-80x24-styles", d.e.screen().StyleMap())
}

func TestGlyphs(t *testing.T) {
	for _, g := range []string{"block", "ascii"} {
		d := drive(t, states["sampling"], 80, 24, func(o *Options) { o.Glyphs = g })
		out := ""
		for _, v := range viewInfos() {
			d.press(v.key)
			out += d.text() + "\n"
		}
		golden(t, "glyphs-"+g, out)
		if g == "ascii" {
			for i, r := range out {
				if r > 0x7e || r < ' ' && r != '\n' {
					t.Fatalf("ASCII glyphs draw %q at %d", r, i)
				}
			}
		}
	}
}

func TestDialogs(t *testing.T) {
	for name, keys := range map[string]string{
		"help": "?", "palette": ":", "floor": ">", "export": "enter", "compare": "p right right p P", "recipe": "w", "decide": "d",
	} {
		for _, size := range sizes[:2] {
			d := drive(t, states["sampling"], size[0], size[1])
			d.press(keys)
			golden(t, fmt.Sprintf("dialog-%s-%dx%d", name, size[0], size[1]), d.text())
		}
	}
	d := drive(t, states["sampling"], 80, 24)
	d.press("enter enter")
	golden(t, "dialog-exported-80x24", d.text())
	d = drive(t, states["sampling"], 80, 24, func(o *Options) { o.Tour = true })
	golden(t, "tour-80x24", d.text())
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
			for _, keys := range []string{"1", "2", "3", "4", "5", "6", "1 tab", "tab", ":", "esc ?", "esc enter", "esc p P", "esc w"} {
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
