package tui

import (
	"strings"
	"testing"
	"time"

	"parfait/explore/exploretest"
)

func (d *driver) bar() string {
	lines := strings.Split(strings.TrimSuffix(d.text(), "\n"), "\n")
	return lines[len(lines)-1]
}

// What was said makes room for the keys with the next key, whatever that does.
func TestTheNextKeyTakesWhatWasSaidAway(t *testing.T) {
	d := drive(t, demo, 80, 24)
	d.press("s")
	d.sees("paused: what is being measured is finished first")
	d.press("right")
	if bar := d.bar(); strings.Contains(bar, "paused") || !strings.Contains(bar, "? help") {
		t.Errorf("after another key the bar says %q, want the keys", bar)
	}
}

// Where nothing was logged, enter says so instead of opening an empty log.
// Where no pane shows what is in hand, what a key took in hand is said.
func TestWhatIsInHandIsSaidWhereNothingShowsIt(t *testing.T) {
	for _, v := range viewInfos() {
		if v.hasSide(80) {
			continue
		}
		d := drive(t, demo, 80, 24)
		d.press(v.key + " n")
		d.sees("in hand: best rotated  rotated .")
		d.press("u")
		d.sees("in hand: knee  rotated .")
	}
	d := drive(t, demo, 80, 24)
	d.press("2 up")
	if strings.Contains(d.text(), "in hand:") {
		t.Errorf("a brush took something in hand:\n%s", d.text())
	}
}

// What went wrong with a trial stands at the end of what its program said, and that is seen.
func TestTheEndOfAnErrorIsSeen(t *testing.T) {
	s := exploretest.Snapshot(exploretest.Options{Trials: 20, Failed: []int{20}})
	for i := range s.Trials {
		if s.Trials[i].ID == 20 {
			s.Trials[i].Error = "python ended with exit status 1; the last of its stderr:\n" + strings.Repeat("progress\n", 30) + "RuntimeError: out of memory"
		}
	}
	for _, size := range sizes[1:] {
		d := driveOn(t, newSource(s), size[0], size[1])
		d.press("3 G")
		d.sees("python ended with exit status 1", "RuntimeError: out of memory")
		if n := strings.Count(d.text(), "RuntimeError"); size[0] >= 120 && n != 2 {
			t.Errorf("at %v the error is seen %d times, expected in the table and below:\n%s", size, n, d.text())
		}
	}
}

func TestNoLog(t *testing.T) {
	d := drive(t, demo, 80, 24)
	d.press("3 enter")
	d.sees("trial 33 has logged nothing")
	if d.e.above != nil {
		t.Errorf("enter opened %T, want nothing", d.e.above)
	}
	d.src.logs[33] = "loading model"
	d.press("3 enter")
	if _, open := d.e.above.(*reading); !open {
		t.Error("enter opened no log where there is one")
	}
}

// How long a trial took is written as on the command line.
func TestATrialThatTookMilliseconds(t *testing.T) {
	s := exploretest.Snapshot(demo)
	s.Trials[4].Ended = s.Trials[4].Started.Add(13 * time.Millisecond)
	d := driveOn(t, newSource(s), 120, 36)
	d.press("3 home down down down down")
	d.sees("took 13 ms")
}

// The keys that a viewer is shown are keys that a viewer may press.
func TestAViewersKeys(t *testing.T) {
	viewer := drive(t, demo, 160, 48, func(o *Options) { o.Role = Viewer })
	operator := drive(t, demo, 160, 48)
	for _, words := range []string{"enter export", "e evaluate", "s start/pause", "d decide", "b budget"} {
		if strings.Contains(viewer.bar(), words) {
			t.Errorf("a viewer is shown %q: %s", words, viewer.bar())
		}
	}
	for _, words := range []string{"enter export", "e evaluate", "s start/pause"} {
		if !strings.Contains(operator.bar(), words) {
			t.Errorf("an operator is not shown %q: %s", words, operator.bar())
		}
	}
	idle := demo
	idle.Running = 0
	if text := drive(t, idle, 160, 48, func(o *Options) { o.Role = Viewer }).text(); strings.Contains(text, "s starts a runner") {
		t.Error("a viewer is told to start a runner")
	}
	drive(t, idle, 160, 48).sees("s starts a runner")
	viewer.press("?")
	viewer.sees("you are a viewer here")
}
