package tui

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"parfait/evaluator"
	"parfait/explore"
	"parfait/explore/exploretest"
	"parfait/study"
	"parfait/tui/chart"
)

func TestExport(t *testing.T) {
	d := drive(t, demo, 120, 36)
	d.press("enter")
	d.sees("98 kB", "412 GB free", "the knee of the front")
	d.press("tab tab")
	d.write("f16")
	d.press("enter")
	if len(d.src.exports) != 1 {
		t.Fatalf("exports %+v, want one", d.src.exports)
	}
	if r := d.src.exports[0]; r.DType != "f16" || !r.Verify || r.Why != "the knee of the front" {
		t.Errorf("asked for %+v, want f16, verified, for the knee", r)
	}
	d.sees("Exported", "read back and compared", "predicted", "validation", "test", "receipt")
	d.press("esc")
	d.src.cost.Problems = []string{"/studies/x exists, and an export never overwrites"}
	d.press("enter enter")
	d.sees("never overwrites", "it cannot be written")
	if len(d.src.exports) != 1 {
		t.Error("an export was started that cannot be")
	}
	d.press("esc")
	d.src.cost.Problems, d.src.fail = nil, nil
	d.press("enter")
	d.src.fail = errors.New("disk full")
	d.press("enter")
	d.sees("Not exported", "disk full")
}

// Who presses enter before the cost is known is not told to press it again.
func TestExportsWaitForTheirCost(t *testing.T) {
	d := drive(t, demo, 80, 24)
	waiting := d.e.after
	d.e.after = func(time.Duration, tea.Msg) tea.Cmd { return nil }
	d.press("enter enter")
	d.sees("working out what it costs; then it is written")
	if len(d.src.exports) > 0 {
		t.Fatal("it was written before its cost was known")
	}
	d.write("x") // thought better of it
	d.press("enter")
	f := d.e.above.(*exportForm)
	d.e.after = waiting
	d.send(planDueMsg{f.seq})
	if len(d.src.exports) != 1 || d.src.exports[0].Name != "x" {
		t.Errorf("exports %v, want x", d.src.exports)
	}
	d = drive(t, demo, 80, 24)
	waiting, d.e.after = d.e.after, func(time.Duration, tea.Msg) tea.Cmd { return nil }
	d.src.cost.Problems = []string{"the disk is full"}
	d.press("enter enter")
	d.e.after = waiting
	d.send(planDueMsg{d.e.above.(*exportForm).seq})
	d.sees("the disk is full", "it cannot be written")
	if len(d.src.exports) > 0 {
		t.Error("it was written all the same")
	}
}

// An export whose predictions are not to be believed says so wherever they stand beside what was measured, and
// one that was not measured on a test split says why.
func TestWhatIsToBeSaidOfAnExport(t *testing.T) {
	s := exploretest.Snapshot(states["sampling"])
	s.Exports[0].Doubt = "outside the sampled region"
	s.Exports[1].Measured = map[evaluator.Split]map[string]evaluator.Metric{evaluator.Validation: s.Exports[1].Measured[evaluator.Validation]}
	d := driveOn(t, newSource(s), 80, 24)
	d.press("6")
	d.sees("! outside the sampled region: do not believe these predictions")
	if strings.Contains(d.text(), noTestWords[:20]) {
		t.Errorf("there is a test split:\n%s", d.text())
	}
	d.press("down")
	d.sees("no evaluator of the study offers a test split")
	if strings.Contains(d.text(), "do not believe") {
		t.Errorf("the other export is doubted too:\n%s", d.text())
	}
}

func TestExportsAreCheckedAgain(t *testing.T) {
	o := demo
	o.Exports = 2
	d := drive(t, o, 120, 36)
	d.press("6 v")
	d.sees("every byte is what the receipt says")
	d.src.damage = []string{"model.safetensors: other bytes"}
	d.press("down v")
	d.sees("✗ model.safetensors: other bytes")
	d.press("down enter")
}

// What breaks a floor is neither recorded nor written before somebody says so.
func TestAFloorIsNotBrokenUnasked(t *testing.T) {
	hard := demo
	hard.Floor = 0.999
	d := drive(t, hard, 80, 24)
	picks := len(d.src.picks)
	d.press("d enter")
	d.sees("It breaks a floor", "upright ≥ .999, predicted .", "Keep it anyway?")
	if len(d.src.picks) != picks {
		t.Fatal("recorded before the answer")
	}
	d.press("n")
	d.sees("Decide", "why this one") // what was typed is not lost
	d.press("enter y")
	if len(d.src.picks) != picks+1 {
		t.Errorf("%d picks after yes, want one more", len(d.src.picks))
	}
	if p := d.src.picks[picks]; !slices.Equal(p.Anyway, []string{"upright"}) {
		t.Errorf("kept in spite of %v, want upright", p.Anyway)
	}
	if p := d.src.picks[picks]; !strings.HasSuffix(p.Why, ", although it breaks upright ≥ .999") {
		t.Errorf("the reason of a pick that breaks a floor is %q", p.Why)
	}

	d = driveOn(t, newSource(exploretest.Snapshot(hard)), 80, 24)
	exports := len(d.src.exports)
	d.press("enter enter")
	d.sees("It breaks a floor")
	if len(d.src.exports) != exports {
		t.Fatal("written before the answer")
	}
	d.press("n enter y")
	if len(d.src.exports) != exports+1 {
		t.Errorf("%d exports after yes, want one more", len(d.src.exports))
	}
}

// A floor that is lowered to look further is study.yaml's again when a point is kept, and what was kept in spite of
// it is written without asking a second time.
func TestALoweredFloorIsForLooking(t *testing.T) {
	hard := demo
	hard.Floor = 0.999
	d := drive(t, hard, 80, 24)
	d.e.state.Floors = map[string]float64{"upright": 0.1}
	d.press("d enter")
	d.sees("It breaks a floor", "upright ≥ .999, predicted .")
	s := exploretest.Snapshot(hard)
	s.Picks = append(s.Picks, study.Pick{ID: 9, Name: "bold", X: s.Analysis.Front[s.Analysis.Knee].X, Why: "bold", Anyway: []string{"upright"}})
	d = driveOn(t, newSource(s), 80, 24)
	exports := len(d.src.exports)
	d.press("enter enter")
	if len(d.src.exports) != exports+1 {
		t.Errorf("%d exports of a pick that was kept all the same, want one:\n%s", len(d.src.exports)-exports, d.text())
	}
}

// Tasks that are predicted below the base are marked, and the words say what the mark means.
func TestBelowTheBaseIsMarked(t *testing.T) {
	d := drive(t, demo, 120, 36)
	if strings.Contains(d.text(), "below base") {
		t.Fatal("the knee is below the base already")
	}
	d.press("tab 0 down 0 down 0") // the base itself
	if strings.Contains(d.text(), "below base") {
		t.Error("the base is below itself")
	}
	d.press("tab home")
	for range 3 {
		d.press("left")
	}
	below := len(d.e.read.BelowBase) > 0
	if below != strings.Contains(d.text(), "▼ below base") {
		t.Errorf("below the base on %v:\n%s", d.e.read.BelowBase, d.text())
	}
	d.press("tab tab 1 down 1 down 1")
	if !d.e.read.Tasks[0].BelowBase && !d.e.read.Tasks[1].BelowBase {
		t.Fatalf("all models whole are nowhere below the base: %+v", d.e.read.Tasks)
	}
	d.sees("▼ below base", "▼")
	d.press("alt+2")
	d.sees("▼ below base")
	d.press("alt+3")
	d.sees("▼ below base")
	for _, trial := range d.e.snap.Trials {
		if d.e.trialBelow(&trial) {
			its[*trialsView](d.e).id = trial.ID
			d.sees("✓ done ▼", "▼ below the base as measured: ")
			return
		}
	}
	t.Error("no trial was measured below the base")
}

// Pins that were both measured are compared as measured, and that is said; the others as predicted.
func TestPinsAreComparedAsMeasured(t *testing.T) {
	d := drive(t, demo, 120, 36)
	a := d.e.analysis()
	task := a.Tasks[0]
	x, y := a.Trials[0], a.Trials[len(a.Trials)-1]
	of := func(t study.Trial, m map[string]study.Metric) contender {
		return contender{"trial", t.X, a.Predict(t.X), m}
	}
	text := func(spans []chart.Span) (s string) {
		for _, span := range spans {
			s += span.Text
		}
		return s
	}
	first, second := of(x, measuredAt(a, x.X)), of(y, measuredAt(a, y.X))
	got := text((&comparison{}).cell(a, task, 0, first, second, true))
	if want := explore.Difference(task, x.Metrics[task.Name].Value, y.Metrics[task.Name].Value) + " ◦"; !strings.HasSuffix(got, want) {
		t.Errorf("two measured points are compared as %q, want the end %q", got, want)
	}
	second.m = nil
	if got := text((&comparison{}).cell(a, task, 0, first, second, true)); strings.Contains(got, "◦") {
		t.Errorf("a point that was not measured is compared as measured: %q", got)
	}
}
