package tui

import (
	"errors"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"

	"parfait/explore/exploretest"
	"parfait/study"
)

// Long lines of a log are broken, so that their ends can be read, and control characters are not obeyed.
func TestLogsAreReadToTheEnd(t *testing.T) {
	d := drive(t, demo, 80, 24)
	d.src.logs[34] = "first\n" + strings.Repeat("x", 200) + "the end\n\x1b[31mred\ta tab"
	d.press("3 G enter")
	d.sees("first", "xthe end", "red    a tab")
	d.src.logs[34] = strings.Repeat("一行文字", 400) + "\nlast"
	d.press("esc 3 enter")
	d.sees("last")
	d.press("g")
	if strings.Contains(d.text(), "last") {
		t.Error("the start of a long log is not reached")
	}
	d.press("G")
	d.sees("last")
}

// A dead runner leaves trials that nobody measures: the header does not call them running.
func TestAnInterruptedRunSaysHowToGoOn(t *testing.T) {
	snap := exploretest.Snapshot(exploretest.Options{Trials: 34, Running: 2, Failed: []int{9}})
	snap.Activity.Runner, snap.Activity.ETA = study.Idle, 0
	d := driveOn(t, newSource(snap), 120, 36)
	d.sees("s starts a runner · 2 interrupted · 1 failed")
}

// What goes wrong with the study's own files fits on a narrow screen: they are named from its folder.
func TestMishapsNameFilesFromTheStudy(t *testing.T) {
	snap := exploretest.Snapshot(demo)
	snap.Dir = "/a/very/long/path/to/where/somebody/keeps/their/studies/digits.study"
	d := driveOn(t, newSource(snap), 80, 24)
	worse := *snap
	worse.Problem = snap.Dir + "/study.db: was deleted or replaced while it was in use"
	d.send(snapshotMsg{&worse})
	d.send(restedMsg{})
	d.sees(" study.db: was deleted …", " study.db: was deleted or replaced while it was in use ")
	d.send(noteMsg{note{snap.Dir + "/study.db: the disk is full, nothing more can be recorded", bad}})
	d.sees("study.db: the disk is full, nothing more can be recorded")
	if strings.Contains(d.text(), "very/long") {
		t.Errorf("the path takes the room:\n%s", d.text())
	}
}

// Whatever is typed into whatever field is refused in words or taken, and never breaks the screen.
func TestAnythingIsTyped(t *testing.T) {
	junk := []string{"", "abc", "1e999", "-1e999", "nan", "🎉", strings.Repeat("x", 300), "👩‍👩‍👧 e\u0301 数学", "\x1b[31m", "0x1p3", "--", "/", "a=b,c=d", "rotated>", "rotated:nan", "1,5", " .5 "}
	for _, open := range []string{">", "tab tab = ", "tab tab @", "tab tab L", "tab =", "b", "d", "3 /", ":", "S", "enter", "enter tab", "enter tab tab", "enter tab tab tab", "enter tab tab tab tab"} {
		for _, text := range junk {
			d := drive(t, demo, 80, 24)
			d.press(open)
			if d.e.above == nil {
				t.Fatalf("%q opens nothing", open)
			}
			d.send(tea.KeyPressMsg{Code: 'u', Mod: tea.ModCtrl})
			d.write(text)
			d.send(tea.PasteMsg{Content: text})
			lines := strings.Split(strings.TrimSuffix(d.text(), "\n"), "\n")
			if len(lines) != 24 || strings.ContainsRune(d.text(), '\x1b') {
				t.Fatalf("%q after %q breaks the screen:\n%s", text, open, d.text())
			}
			d.press("enter")
			d.press("esc esc")
			if d.e.above != nil {
				if _, exporting := d.e.above.(*exportProgress); !exporting {
					t.Errorf("%q after %q: esc does not lead out of\n%s", text, open, d.text())
				}
			}
		}
	}
}

// Dialogs stay open and whole while the window is dragged about.
func TestResizingUnderDialogs(t *testing.T) {
	for _, open := range []string{"?", ":", ">", "b", "d", "S", "w", "enter", "enter enter", "3 enter", "3 9 F", "p right p P", "3 /", "6 enter"} {
		d := drive(t, states["sampling"], 120, 36)
		d.press(open)
		above := d.e.above
		for _, size := range [][2]int{{60, 16}, {1, 1}, {200, 60}, {61, 100}, {400, 16}, {80, 24}} {
			d.send(tea.WindowSizeMsg{Width: size[0], Height: size[1]})
			if lines := strings.Split(strings.TrimSuffix(d.text(), "\n"), "\n"); len(lines) != size[1] {
				t.Errorf("%q at %v: %d lines", open, size, len(lines))
			}
		}
		if d.e.above != above {
			t.Errorf("%q did not stay open", open)
		}
	}
}

// Why something was not done is readable to its end, at the bottom or where there is room; what was not asked
// for opens nothing.
func TestReasonsAreReadToTheEnd(t *testing.T) {
	d := drive(t, demo, 80, 24)
	d.src.fail = errors.New("study.yaml:2:1: tasks: is missing\nstudy.yaml:10:3: taks: unknown key; did you mean tasks?\n  the runner ended at once with exit status 3")
	d.press("e")
	d.sees("That was not done", "taks: unknown key; did you mean tasks?", "with exit status 3")
	d.press("esc")
	if d.e.above != nil {
		t.Error("esc does not close it")
	}
	d.press("right")
	d.send(saveMsg{})
	if d.e.above != nil {
		t.Error("a view that could not be kept opens a dialog")
	}
	d.src.fail = errors.New("the disk is full")
	d.press("e")
	if d.e.above != nil || !strings.Contains(d.bar(), "the disk is full") {
		t.Errorf("a short reason: %q", d.bar())
	}
}
