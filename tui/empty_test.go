package tui

import (
	"regexp"
	"strings"
	"testing"

	"parfait/explore/exploretest"
	"parfait/study"
)

// While the first front of a finished run is fitted, no pane says that trials are missing.
func TestAFrontThatIsBeingWorkedOut(t *testing.T) {
	s := exploretest.Snapshot(exploretest.Options{Trials: 30, Budget: 30})
	s.Analysis = nil
	d := driveOn(t, newSource(s), 120, 36)
	d.sees("working it out…")
	for _, v := range []string{"2", "4", "5"} {
		d.press(v)
		d.sees("Working out the front of 30 measured trials…")
	}
	d.press("1 right")
	d.sees("the front is being worked out")
	s.Problem = "the finished trials cannot be analysed: no idea why"
	d.press("2")
	d.sees("no idea why")
	s.Problem, s.Trials = "", s.Trials[:1]
	s.Activity.Runner, s.Activity.Note = study.Waits, "12 MB free, 64 MB needed in /data"
	d.press("1 2")
	d.sees("The run waits, and goes on by itself: 12 MB free")
	s.Activity.Runner = study.Idle
	d.press("2")
	d.sees("One trial is measured. A front needs three.")
	d.press("1")
	d.sees("1 of 3 trials needed")
}

// Who only looks is told what to wait for, not which keys to press that do nothing.
func TestEmptyPanesOfViewers(t *testing.T) {
	forOperators := regexp.MustCompile(`\bs starts|Press s|i reads|enter in the view|d records`)
	for _, o := range []exploretest.Options{{}, {Trials: 1}, {Trials: 30}} {
		d := drive(t, o, 120, 36)
		viewer := drive(t, o, 120, 36, func(o *Options) { o.Role = Viewer })
		found := 0
		for _, v := range viewInfos() {
			d.press(v.key)
			viewer.press(v.key)
			found += len(forOperators.FindAllString(d.text(), -1))
			if s := forOperators.FindString(viewer.text()); s != "" {
				t.Errorf("%d trials, %s: viewers are told %q:\n%s", o.Trials, v.title, s, viewer.text())
			}
		}
		if found == 0 {
			t.Errorf("%d trials: operators are told nothing", o.Trials)
		}
	}
}

// What was decided on is exported with the reason that was given.
func TestTheReasonOfAPickIsThatOfItsExport(t *testing.T) {
	d := drive(t, demo, 80, 24)
	d.src.snap.Picks = append(d.src.snap.Picks, study.Pick{ID: 1, X: d.e.state.X, Why: "the customer reads mirrored digits"})
	d.press("enter")
	d.sees("the customer reads mirrored digits")
	d.press("esc right enter")
	d.sees("chosen on the front by hand")
	d.press("esc tab tab L enter enter") // by order of importance…
	d.sees("the best in the order")
	d.src.snap.Picks = append(d.src.snap.Picks, study.Pick{ID: 2, X: d.e.state.X, Why: "it was decided so"}) // …and then decided
	d.press("esc enter")
	d.sees("it was decided so")
}

// The surrogate stands beside a quadratic on the same trials.
func TestTheQuadraticBesideTheSurrogate(t *testing.T) {
	d := drive(t, demo, 160, 48)
	d.press("4")
	if len(its[*surrogateView](d.e).beside.q2) != len(d.e.snap.Tasks) {
		t.Fatalf("Q² of quadratics: %v, want one a task", its[*surrogateView](d.e).beside.q2)
	}
	d.sees("(quadratic ")
}

var cutFigure = regexp.MustCompile(`[ ±.(][0-9]*[0-9.]…`)

// No figure loses digits where there is little room: it is left out whole.
func TestNoFigureIsCut(t *testing.T) {
	for _, name := range []string{"sampling", "names", "eight", "single", "loss"} {
		for _, size := range sizes[:3] {
			for _, keys := range []string{"W", "tab 1", "tab 0 j 1", "z", "z Z z z", "enter", "> ", "p right p P", "4", "4 v", "4 v v", "3 t", "6", "5 i"} {
				d := drive(t, states[name], size[0], size[1])
				d.press(keys)
				for _, line := range strings.Split(d.text(), "\n") {
					if cut := cutFigure.FindString(line); cut != "" {
						t.Errorf("%s at %v after %q: %q in %q", name, size, keys, cut, line)
					}
				}
			}
		}
	}
}
