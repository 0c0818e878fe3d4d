package study

import (
	"fmt"
	"time"
)

// usage is how much of the time the evaluators' slots had something to do, while there was something to ask for.
type usage struct {
	last        time.Time
	busy, slots int           // since then
	used, had   time.Duration // summed over slots
}

// pass counts the time since the last call, in which nothing has changed, and looks at what is so now.
func (u *usage) pass(now time.Time, r *runner) {
	if !u.last.IsZero() {
		took := now.Sub(u.last)
		u.used += took * time.Duration(u.busy)
		u.had += took * time.Duration(u.slots)
	}
	u.last, u.busy, u.slots = now, 0, 0
	if !r.moreToAsk() {
		return
	}
	for _, x := range r.executors {
		u.busy += x.busy
		u.slots += max(1, x.eval.Limits().InFlight)
	}
}

// moreToAsk says whether the search may still ask for trials, and nothing holds it.
func (r *runner) moreToAsk() bool {
	if m := r.hist.meta; m["paused"] != "" || m["stop"] != "" || m["exhausted"] != "" || m["limit"] != "" {
		return false
	}
	return r.hist.searched < r.budget(r.hist.meta)
}

// Slots that idle are worth a word where there are several, and it goes on for long.
const (
	idleShare = 0.8
	idleAfter = 10 * time.Second
)

// sayIdle says how much of the time slots had nothing to do, and what to change.
func (r *runner) sayIdle() {
	u, n := r.usage, 0
	for _, x := range r.executors {
		n += max(1, x.eval.Limits().InFlight)
	}
	if n < 2 || u.had < time.Duration(n)*idleAfter || float64(u.used) >= idleShare*float64(u.had) || r.spec().Search.Order == OrderFree {
		return
	}
	fix := "`search: {order: free}` in study.yaml keeps them busy"
	if most := r.slots(); r.batch() < most {
		fix += fmt.Sprintf(", batch: %d or auto helps, too", most)
	}
	r.note("the %d slots had something to do %.0f %% of the time: they wait for the slowest of a batch; %s", n, 100*float64(u.used)/float64(u.had), fix)
}
