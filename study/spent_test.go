package study

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"parfait/evaluator"
	"parfait/search"
)

// limitedStudy is a study of six trials whose evaluations take no time, with limits, and with what earlier runs are said
// to have spent.
func limitedStudy(t *testing.T, limits string, before spent) *Study {
	t.Helper()
	s := commandStudy(t, `echo '{"rotated": 0.5, "mirrored": 0.25, "upright": 0.75}'`)
	edit(t, s.Dir(), "search: {", "search: {"+limits+", ")
	s = open(t, s.Dir())
	if before != (spent{}) {
		if err := s.store.Begin(); err != nil {
			t.Fatal(err)
		}
		if err := s.store.setMeta("spent", map[string]string{"spent": before.String()}); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func TestALimitEndsARun(t *testing.T) {
	const hour = int64(time.Hour / time.Millisecond)
	for _, c := range []struct {
		limits string
		before spent
		want   string // in what is said; "": it does not end the run
	}{
		{"max_hours: 8", spent{Measured: 7 * hour, Slots: 70 * hour}, ""},
		{"max_hours: 8", spent{Measured: 8 * hour}, "max_hours: 8 is reached"},
		{"max_cost: 200, price: 2.5", spent{Slots: 79 * hour}, ""},
		{"max_cost: 200, price: 2.5", spent{Slots: 80 * hour}, "max_cost: 200 is spent"},
	} {
		s := limitedStudy(t, c.limits, c.before)
		var notes strings.Builder
		if err := s.Run(t.Context(), RunOptions{Note: func(text string) { notes.WriteString(text + "\n") }}); err != nil {
			t.Fatal(err)
		}
		snap := load(t, s)
		ended := snap.Activity.Done == 0
		if ended != (c.want != "") || !strings.Contains(notes.String(), c.want) || !strings.Contains(notes.String(), "the run ends when its budget of 6 is spent, or ") {
			t.Errorf("%s after %+v: %d trials are done, and it says\n%s", c.limits, c.before, snap.Activity.Done, notes.String())
		}
		if snap.Activity.Runner != Finished || ended && !strings.Contains(snap.Activity.Note, c.want) {
			t.Errorf("%s: afterwards it is %s: %q", c.limits, snap.Activity.Runner, snap.Activity.Note)
		}
		if !ended {
			continue
		}
		edit(t, s.Dir(), c.limits, strings.NewReplacer("8", "9", "200", "400").Replace(c.limits))
		s = open(t, s.Dir())
		if act := s.Snapshot().Activity; act.Runner != Idle {
			t.Errorf("with a higher limit it is %s, expected idle", act.Runner)
		}
		if err := s.Run(t.Context(), RunOptions{}); err != nil {
			t.Fatal(err)
		}
		if act := load(t, s).Activity; act.Done != 6 || act.Note != "" {
			t.Errorf("with a higher limit %d trials are done: %q", act.Done, act.Note)
		}
	}
}

// What evaluations cost is kept over runs, and a run that was killed has spent what it did up to its last heartbeat.
func TestWhatIsSpentIsKept(t *testing.T) {
	s := limitedStudy(t, "price: 2.5", spent{Measured: 1000, Slots: 5000})
	if err := s.Run(t.Context(), RunOptions{}); err != nil {
		t.Fatal(err)
	}
	h, err := s.read(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	sum := spentOf(h.meta)
	if sum.Measured <= 1000 || sum.Slots <= 5000 || sum.Slots-5000 > 2*(sum.Measured-1000)+100 {
		t.Errorf("after six evaluations in two slots it is %+v: expected more of both, and at most twice as much of slots", sum)
	}
	if words := load(t, s).Activity.Spent.Words; words != "0.00 spent" {
		t.Errorf("it says %q", words)
	}
	began := time.UnixMilli(1e12)
	l := ledger{spent: spent{Measured: 10, Slots: 20, At: began.Add(-time.Minute).UnixMilli()}}
	beat := began.Add(2 * time.Second)
	l.bury(&Trial{Started: began}, 2, beat)
	l.bury(&Trial{Started: began.Add(time.Second)}, 1, beat)
	if want := (spent{Measured: 10 + 2000, Slots: 20 + 4000 + 1000, At: beat.UnixMilli()}); l.spent != want {
		t.Errorf("what a killed run has spent is %+v, expected %+v", l.spent, want)
	}
	l.bury(&Trial{Started: began}, 1, time.Time{})
	if l.Slots != 5020 {
		t.Errorf("without a heartbeat %d ms are charged", l.Slots-5020)
	}
}

// Nothing is begun that would cost more than is left, with what is at work at what such trials mostly cost.
func TestACostIsNotExceeded(t *testing.T) {
	s := limitedStudy(t, "max_cost: 10, price: 1", spent{})
	x := &executor{name: "main", tasks: []string{"a"}}
	now := time.Now()
	done := Trial{State: evaluator.Done, Attempt: 1, Started: now.Add(-time.Hour), Measurements: []Measurement{
		{Attempt: 1, Evaluator: "main", Split: evaluator.Validation, At: now, Metrics: evaluator.Metrics{"a": {}}},
	}}
	for atWork, want := range []string{"", "", "leaves no room for another trial, which costs about 1.00"} {
		r := &runner{Study: s, hist: &record{trials: []Trial{done}}, executors: []*executor{x}, jobs: map[int]*job{}}
		r.ledger.charge(7*time.Hour + 30*time.Minute)
		for i := range atWork {
			r.jobs[i] = &job{since: map[*executor]time.Time{x: now.Add(-time.Minute)}}
		}
		if n, most := r.affordable(), []int{2, 1, 0}[atWork]; n != most {
			t.Errorf("with 7.50 of 10 spent and %d at work %d may be begun, expected %d", atWork, n, most)
		}
		if got := r.limit(now); want == "" && got != "" || !strings.Contains(got, want) {
			t.Errorf("with 7.50 of 10 spent and %d at work: %q, expected %q", atWork, got, want)
		}
	}
}

func TestLimitsAreChecked(t *testing.T) {
	for _, c := range []struct{ limits, want string }{
		{"max_hours: 0", "expected a number above 0"},
		{"max_cost: 20", "max_cost needs a price"},
		{"stop_when: {over: 8}", "stop_when needs gain"},
		{"stop_when: {gain: 0.005, over: 8}", "in percent, such as 0.5%"},
		{"stop_when: {gain: 0.5%, over: 0}", "1"},
		{"max_hour: 8", `did you mean "max_hours"`},
	} {
		s := commandStudy(t, "")
		path := filepath.Join(s.Dir(), SpecFile)
		edit(t, s.Dir(), "search: {", "search: {"+c.limits+", ")
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ParseSpec(path, text); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, expected %q", c.limits, err, c.want)
		}
	}
}

// The search is over when the newest points have added less than was asked for to what can be had, and not before.
func TestStopWhen(t *testing.T) {
	q := search.Question{Tasks: []search.Task{{Name: "a", Maximize: true, Optimise: true}, {Name: "b", Maximize: true, Optimise: true}}}
	q.Space.Coefficients = []search.Coefficient{{Name: "x", Hi: 1}}
	add := func(x float64) {
		q.Done = append(q.Done, search.Point{X: []float64{x}, Y: []search.Measurement{{Value: 1 - x*x}, {Value: 1 - (1-x)*(1-x)}}})
	}
	w := &StopWhen{Gain: 0.005, Over: 4}
	for _, x := range []float64{0, .02, .04, .06, .08, .1} {
		add(x)
	}
	if why, err := w.enough(t.Context(), q); why != "" || err != nil {
		t.Errorf("with two points before the last four: %q, %v", why, err)
	}
	for _, x := range []float64{1, .5, .7, .3} { // where nothing was known
		add(x)
	}
	if why, err := w.enough(t.Context(), q); why != "" || err != nil {
		t.Errorf("while the front grows: %q, %v", why, err)
	}
	for _, x := range []float64{.4, .6, .8, .2, .9, .35, .65, .45} {
		add(x)
	}
	if why, err := w.enough(t.Context(), q); err != nil || !strings.Contains(why, "over the last 4 finished trials") {
		gain, known, gerr := frontGain(t.Context(), q, 4)
		t.Errorf("when it has stopped: %q, %v (gain %g, known %v, %v)", why, err, gain, known, gerr)
	}
	q.Done = append(q.Done, search.Point{X: []float64{.5}, Failed: true})
	if again, err := w.enough(t.Context(), q); err != nil || again == "" {
		t.Errorf("with a failure behind it: %q, %v", again, err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := w.enough(ended, q); err == nil {
		t.Error("an ended context is no error")
	}
}
