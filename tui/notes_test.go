package tui

import (
	"strings"
	"testing"
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
		t.Errorf("after another key the bar says %q", bar)
	}
}

// Where nothing was logged, enter says so instead of opening an empty log.
func TestNoLog(t *testing.T) {
	d := drive(t, demo, 80, 24)
	d.press("3 enter")
	d.sees("trial 34 has logged nothing")
	if d.e.above != nil {
		t.Errorf("enter opened %T", d.e.above)
	}
	d.src.logs[34] = "loading model"
	d.press("3 enter")
	if _, open := d.e.above.(*reading); !open {
		t.Error("enter opened no log where there is one")
	}
}
