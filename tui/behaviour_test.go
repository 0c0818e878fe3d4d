package tui

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"

	"parfait/evaluator"
	"parfait/explore"
	"parfait/explore/exploretest"
	"parfait/study"
)

var demo = exploretest.Options{Trials: 34, Running: 2, Failed: []int{9}}

func TestWalkingAlongTheFront(t *testing.T) {
	d := drive(t, demo, 120, 36)
	d.sees("Trade-off ─ knee", "rotated", "±")
	before := d.e.read.Tasks[0].Predicted.Value
	d.press("right")
	if after := d.e.read.Tasks[0].Predicted.Value; after <= before {
		t.Errorf("→ went from %.4f to %.4f on the X axis, want more", before, after)
	}
	d.sees("front ")
	d.press("left n")
	d.sees("best rotated")
	d.press("u u u")
	d.sees("Trade-off ─ knee")
}

func TestFavouringATask(t *testing.T) {
	d := drive(t, demo, 80, 24)
	d.press("down")
	before := d.e.read.Tasks[1].Predicted.Value
	d.press("+")
	if after := d.e.read.Tasks[1].Predicted.Value; after <= before {
		t.Errorf("+ went from %.4f to %.4f mirrored, want more", before, after)
	}
	d.sees("+1 pt mirrored costs")
}

func TestSlidersPredict(t *testing.T) {
	d := drive(t, demo, 80, 24)
	d.press("tab 0")
	if d.e.state.X[0] != 0 || d.shown() != scopeFront {
		t.Fatalf("0 turned rotated to %g in the view %s, want 0 in front", d.e.state.X[0], d.shown())
	}
	d.press("L")
	want := d.e.analysis().Predict(d.e.state.X)
	if d.e.state.X[0] != 0.1 || d.e.read.Tasks[0].Predicted != want[0] {
		t.Errorf("rotated %g, predicted %+v, expected %+v", d.e.state.X[0], d.e.read.Tasks[0].Predicted, want[0])
	}
	d.sees("what if", "r: +")
	d.press("=")
	d.write("7")
	d.press("enter")
	d.sees("expected a number from")
	d.press("backspace backspace backspace backspace backspace")
	d.write(".25")
	d.press("enter j r")
	if d.e.state.Front < 0 {
		t.Error("r did not lead back to the front")
	}
	d.press("alt+3")
	if d.shown() != scopeTrials {
		t.Error("alt+3 did not lead to the trials")
	}
}

func TestFloors(t *testing.T) {
	d := drive(t, demo, 120, 36)
	d.press(">")
	d.write("91")
	d.press("enter")
	d.sees("rotated is a rate between 0 and 1")
	d.press("backspace backspace")
	d.write("91%")
	d.press("enter")
	if got := d.e.read.Tasks[0]; got.Floor != 0.91 || got.Breaks {
		t.Errorf("floor %g, breaks %v at %.4f; want .91, kept", got.Floor, got.Breaks, got.Predicted.Value)
	}
	d.press("down >")
	d.write(".99")
	d.press("enter")
	d.sees("the floor of mirrored costs the most", "breaks the floor: mirrored")
	d.press("u u")
	if len(d.e.state.Floors) != 0 {
		t.Errorf("floors after undo: %v, want none", d.e.state.Floors)
	}
}

func TestWeightsAndAspiration(t *testing.T) {
	d := drive(t, demo, 120, 36)
	d.press("tab tab =")
	d.write("5")
	d.press("enter")
	d.sees("best rotated", "follows weights rotated 5")
	d.press("down @")
	d.write(".9")
	d.press("enter")
	d.sees("follows mirrored .90 reached; weights", "rotated 5")
	if v := d.e.read.Tasks[1].Predicted.Value; v < 0.9 || v > 0.91 {
		t.Errorf("mirrored %.3f was to be .90", v)
	}
	d.press("L enter")
	if len(d.e.state.Weights) != 0 || d.e.state.Aspiration["mirrored"] != 0.9 || len(d.e.state.Order) != 3 {
		t.Errorf("weights %v, aspiration %v, order %v; want no weights, .9 of mirrored and an order of three", d.e.state.Weights, d.e.state.Aspiration, d.e.state.Order)
	}
	d.sees("follows mirrored .90 reached; order", "mirrored, rotated")
	d.press("enter")
	d.sees("where mirrored .90 is reached") // the reason of the export
}

func TestPinsAndComparing(t *testing.T) {
	d := drive(t, demo, 120, 36)
	d.press("p right right right right p P")
	d.sees("Compare", "pin 1", "pin 2", "in hand", "beyond noise")
	d.press("esc p")
	if len(d.e.state.Pins) != 1 {
		t.Errorf("%d pins, want 1", len(d.e.state.Pins))
	}
}

func TestCommandsToTheRunner(t *testing.T) {
	d := drive(t, demo, 80, 24)
	d.press("e s b")
	d.write("80")
	d.press("enter")
	var kinds []study.CommandKind
	for _, c := range d.src.commands {
		kinds = append(kinds, c.Kind)
	}
	if fmt.Sprint(kinds) != "[evaluate pause budget]" || d.src.commands[2].N != 80 {
		t.Errorf("commands %+v, want to evaluate, pause, and a budget of 80", d.src.commands)
	}
	idle := demo
	idle.Running = 0
	d = drive(t, idle, 80, 24)
	d.press("s")
	if d.src.started != 1 {
		t.Error("no runner was started")
	}
	d.src.fail = errors.New("another runner\n  → wait")
	d.press("s")
	d.sees("another runner → wait")
}

// Who forgets a trial that was to be measured once more is told that what was measured is kept.
func TestForgettingIsOfWhatIsStillToBeMeasured(t *testing.T) {
	snap := exploretest.Snapshot(demo)
	again := &snap.Trials[2]
	again.State, again.Measurements = evaluator.Waiting, []study.Measurement{{Metrics: again.Metrics}}
	d := driveOn(t, newSource(snap), 120, 36)
	d.press("3 /")
	d.write("id=3")
	d.press("enter F")
	d.sees("Trial 3 is waiting", "what was measured of it is kept")
}

func TestTrials(t *testing.T) {
	d := drive(t, demo, 120, 36)
	d.src.logs[9] = "Traceback\nMemoryError"
	d.press("3 /")
	d.write("state:failed")
	d.press("enter")
	d.sees("1 of 34", "out of memory", "MemoryError")
	d.press("R")
	d.press("F y")
	if len(d.src.commands) != 2 || d.src.commands[0].N != 9 || d.src.commands[1].Kind != study.CommandForget {
		t.Errorf("commands %+v, want trial 9 retried and forgotten", d.src.commands)
	}
	d.press("enter")
	d.sees("Log of trial 9")
	d.press("esc / backspace backspace backspace backspace backspace backspace backspace backspace backspace backspace backspace backspace backspace")
	d.write("rotatd>1")
	d.press("enter")
	d.sees("did you mean \"rotated\"")
	d.press("esc /")
	for range 20 {
		d.press("backspace")
	}
	d.press("enter home t")
	if d.e.note.text != "trial 1 is in hand" {
		t.Errorf("note %q, want that trial 1 is in hand", d.e.note.text)
	}
	d.press("o o O")
	d.sees("rotated↓")
}

func TestDecide(t *testing.T) {
	d := drive(t, demo, 80, 24)
	d.press("d")
	d.write(", because of upright")
	d.press("enter")
	if len(d.src.picks) != 1 || d.src.picks[0].Why != "the knee of the front, because of upright" || len(d.src.picks[0].Predicted) != 4 {
		t.Errorf("picks %+v, want one of four tasks, for the knee and what was typed", d.src.picks)
	}
}

func TestBrushes(t *testing.T) {
	d := drive(t, demo, 160, 48)
	d.press("2 up up up up right up up up up up up")
	d.sees("within the brushes")
	within := d.e.state.Within(d.e.analysis())
	if n := len(within); n == 0 || n == len(d.e.analysis().Front) {
		t.Errorf("%d points brushed, want some and not all", n)
	}
	d.press("space")
	if !slices.Contains(within, d.e.state.Front) {
		t.Error("space took a point in hand that is not brushed")
	}
	d.press("x left x")
	if len(d.e.state.Brushes) != 0 {
		t.Errorf("brushes %v, want none", d.e.state.Brushes)
	}
}

func TestPaletteFindsAndRuns(t *testing.T) {
	d := drive(t, demo, 80, 24)
	d.press(":")
	d.write("failed again")
	d.sees("try the failed trial again")
	d.press("enter")
	if d.shown() != scopeTrials {
		t.Errorf("the palette left the view at %s, want trials", d.shown())
	}
	d.press(":")
	d.write("turn it to 1")
	d.press("enter")
	if d.e.state.X[0] != 1 {
		t.Errorf("coefficients %v, want the first at 1", d.e.state.X)
	}
}

func TestDisabledActionsSayWhy(t *testing.T) {
	d := drive(t, exploretest.Options{}, 80, 24)
	d.press("right")
	d.sees("there is no front yet")
	d.press("?")
	d.sees("is no front yet: it needs three measured trials")
	if n := strings.Count(d.text(), "no front yet"); n > 2 {
		t.Errorf("help says %d times that there is no front, want twice at most", n)
	}
}

func TestViewersChangeNothing(t *testing.T) {
	d := drive(t, demo, 80, 24, func(o *Options) { o.Role = Viewer })
	for _, a := range d.e.keys.all {
		for _, p := range a.Scopes {
			if !a.Changes || d.e.disabled(&a) != "" {
				continue
			}
			t.Errorf("a viewer may %s in %s", a.ID, p)
		}
	}
	for _, k := range []string{"e", "s", "b", "d", "enter", "3", "R", "F"} {
		d.press(k)
	}
	if len(d.src.commands)+len(d.src.picks)+len(d.src.exports)+d.src.started != 0 {
		t.Error("a viewer changed something")
	}
}

func TestTheViewComesBack(t *testing.T) {
	src := newSource(exploretest.Snapshot(demo))
	d := driveOn(t, src, 80, 24)
	d.press("right right p z X tab tab")
	d.send(saveMsg{})
	before := d.e.state
	src.sub <- src.snap
	again := driveOn(t, src, 80, 24)
	if again.e.focus != scopeTasks || its[*frontView](again.e).zoom.Factor != 1.5 || again.e.state.AxisX != before.AxisX || len(again.e.state.Pins) != 1 {
		t.Errorf("came back with focus %s, zoom %v, state %+v; want the tasks, 1.5, the X axis and one pin of before", again.e.focus, its[*frontView](again.e).zoom, again.e.state)
	}
	src.views[""] = []byte("{rubbish")
	src.sub <- src.snap
	driveOn(t, src, 80, 24).sees("knee")
}

func TestNewTrialsArrive(t *testing.T) {
	d := drive(t, exploretest.Options{Trials: 2, Running: 1}, 80, 24)
	d.press("right")
	d.sees("there is no front yet")
	d.send(snapshotMsg{exploretest.Snapshot(demo)})
	d.send(restedMsg{})
	if explore.Name(d.e.analysis(), d.e.state) != "knee" {
		t.Errorf("with the first front in hand: %s, want the knee", explore.Name(d.e.analysis(), d.e.state))
	}
	d.press("tab 1")
	x := d.e.state.X
	more := demo
	more.Trials = 40
	d.send(snapshotMsg{exploretest.Snapshot(more)})
	d.send(restedMsg{})
	if len(d.e.snap.Trials) != 40 {
		t.Fatal("the newest trials are not shown")
	}
	if fmt.Sprint(d.e.state.X) != fmt.Sprint(x) {
		t.Errorf("what somebody had set moved from %v to %v", x, d.e.state.X)
	}
}

func TestResizingLosesNothing(t *testing.T) {
	d := drive(t, demo, 160, 48)
	d.press("right right tab tab >")
	d.write(".8")
	for _, size := range [][2]int{{40, 10}, {60, 16}, {200, 60}, {160, 48}} {
		d.send(tea.WindowSizeMsg{Width: size[0], Height: size[1]})
		d.text()
	}
	d.press("enter")
	if d.e.state.Floors["rotated"] != 0.8 {
		t.Errorf("floors %v, want .8 of rotated", d.e.state.Floors)
	}
}

func TestPanicsOfBackgroundWorkAreErrors(t *testing.T) {
	d := drive(t, demo, 80, 24)
	d.do(d.e.work("divide", func() tea.Msg { panic("by zero") }))
	d.sees("could not divide: by zero")
}

func TestTourEndsForGood(t *testing.T) {
	done := 0
	tour := func(o *Options) { o.Tour, o.TourDone = true, func() { done++ } }
	d := drive(t, demo, 80, 24, tour)
	d.sees("hint 1 of 5")
	d.press("right + tab r e ?")
	if done != 1 || d.e.tour != 0 {
		t.Errorf("after what the hints are about: %d left, done %d times; want 0 and 1", d.e.tour, done)
	}
	d = drive(t, demo, 80, 24, tour)
	d.press("esc right")
	if done != 2 || strings.Contains(d.text(), "hint") {
		t.Error("esc did not end the hints")
	}
}

func TestNoColour(t *testing.T) {
	d := drive(t, demo, 80, 24)
	d.send(tea.ColorProfileMsg{Profile: colorprofile.ASCII})
	for _, k := range digitKeys() {
		d.press(k)
		for _, bit := range strings.Split(d.e.View().Content, "\x1b[")[1:] {
			if end := strings.IndexByte(bit, 'm'); strings.Contains(bit[:end], "38;") || strings.Contains(bit[:end], "48;") {
				t.Fatalf("view %s has colours: %q", k, bit[:end])
			}
		}
	}
}

func TestFinishingTells(t *testing.T) {
	running := demo
	d := drive(t, running, 80, 24, func(o *Options) { o.Notify = "osc9" })
	over := demo
	over.Running, over.Budget = 0, 34
	cmd := d.e.arrived(exploretest.Snapshot(over))
	var raw []string
	var collect func(tea.Cmd)
	collect = func(c tea.Cmd) {
		if c == nil {
			return
		}
		switch m := c().(type) {
		case tea.BatchMsg:
			for _, c := range m {
				collect(c)
			}
		case tea.RawMsg:
			raw = append(raw, fmt.Sprint(m.Msg))
		}
	}
	collect(cmd)
	if len(raw) != 1 || raw[0] != "\x1b]9;parfait: digits is finished\a" {
		t.Errorf("sent %q, want one notice that digits is finished", raw)
	}
}

func TestZoomAndPan(t *testing.T) {
	d := drive(t, demo, 120, 36)
	d.press("shift+left")
	d.sees("z looks closer")
	d.press("z z shift+right shift+up")
	front := its[*frontView](d.e)
	if front.zoom.Factor != 2.25 || front.zoom.PanX <= 0 || front.zoom.PanY <= 0 {
		t.Errorf("zoom %+v, want 2.25, to the right and up", front.zoom)
	}
	d.sees("2.2×")
	d.press("Z Z")
	if front.zoom != (zoom{}) {
		t.Errorf("zoom %+v, want none", front.zoom)
	}
}

func TestModelsAreInspectedWhenAsked(t *testing.T) {
	d := drive(t, demo, 160, 48)
	d.press("5")
	d.sees("i reads every model once", "By themselves")
	d.press("i")
	d.sees("signs conflict in 31%", "layers.1", "Cosines")
	d.press("down down t")
	if d.e.note.text != "mirrored is in hand" {
		t.Errorf("note %q, want that mirrored is in hand", d.e.note.text)
	}
}

func TestPictures(t *testing.T) {
	d := drive(t, demo, 120, 36)
	d.e.snap.Dir = t.TempDir()
	for name, magic := range map[string]string{"a.svg": "<?xml", "b.png": "\x89PNG", "c.pdf": "%PDF", "screen.svg": "<svg"} {
		d.press("S")
		d.write(name)
		d.press("enter")
		b, err := os.ReadFile(filepath.Join(d.e.snap.Dir, "pictures", name))
		if err != nil || !strings.HasPrefix(string(b), magic) {
			t.Errorf("%s: %v, begins with %.10q, want %q", name, err, b, magic)
		}
	}
	d.press("S")
	d.write("a.svg")
	d.press("enter")
	d.sees("exists, and nothing is overwritten")
	d.press("S")
	d.write("x.gif")
	d.press("enter")
	d.sees("expected a name that ends in")
	remote := drive(t, demo, 120, 36, func(o *Options) { o.Remote = true })
	remote.press("S")
	remote.write("../x.svg")
	remote.press("enter")
	remote.sees("expected a name without a folder")
}

func TestNumber(t *testing.T) {
	rate, loss := study.Task{Name: "r", Unit: "rate"}, study.Task{Name: "l", Unit: "loss"}
	for _, tt := range []struct {
		text string
		task study.Task
		want float64
		ok   bool
	}{
		{"", rate, math.NaN(), true},
		{".9", rate, .9, true},
		{"90%", rate, .9, true},
		{"90", rate, 0, false},
		{"120", rate, 0, false},
		{"-.5", rate, 0, false},
		{"300%", rate, 0, false},
		{"-.5", loss, -.5, true},
		{"9.5", loss, 9.5, true},
		{"nan", loss, 0, false},
		{"x", loss, 0, false},
		{"1e999", loss, 0, false},
	} {
		got, wrong := number(tt.text, tt.task)
		if (wrong == "") != tt.ok || tt.ok && got != tt.want && !(math.IsNaN(got) && math.IsNaN(tt.want)) {
			t.Errorf("%q: %g, %q; want %g (a number: %v)", tt.text, got, wrong, tt.want, tt.ok)
		}
	}
}
