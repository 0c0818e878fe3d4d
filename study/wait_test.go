package study

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

func TestWhatWaitsSaysSoAgainAndAgain(t *testing.T) {
	var said []string
	at := time.Unix(0, 0)
	w := &waiting{what: "a result waits to be recorded", now: func() time.Time { return at }, note: func(format string, args ...any) {
		said = append(said, fmt.Sprintf(format, args...))
	}}
	w.over() // nothing has waited
	for i := range 4 * 130 {
		at = time.Unix(0, 0).Add(time.Duration(i) * 250 * time.Millisecond)
		w.say(fmt.Sprintf("%d B free", i))
	}
	w.over()
	w.over()
	w.say("again")
	want := []string{
		"a result waits to be recorded: 0 B free",
		"a result waits to be recorded, for 1m0s now: 240 B free",
		"a result waits to be recorded, for 2m0s now: 480 B free",
		"goes on after 2m10s: a result waits to be recorded no longer",
		"a result waits to be recorded: again",
	}
	if !slices.Equal(said, want) {
		t.Errorf("said\n%q, want\n%q", said, want)
	}
}
