package study

import "time"

// sayEvery is how often it is said again that something waits.
const sayEvery = time.Minute

// waiting says that something waits, and for what, to people who would otherwise see a run that does nothing: at
// once, again every minute, and when it goes on. Whoever waits calls say as often as it tries, and over at the end.
type waiting struct {
	what string // what waits: "a result waits to be recorded"
	note func(format string, args ...any)
	now  func() time.Time // nil: time.Now

	since, said time.Time
}

// waits begins to wait; nothing is said yet.
func (r *runner) waits(what string) *waiting { return &waiting{what: what, note: r.note} }

// say says why, where it has not been said in the last minute. It says whether it did.
func (w *waiting) say(why string) bool {
	now := w.clock()
	switch {
	case w.since.IsZero():
		w.since = now
		w.note("%s: %s", w.what, why)
	case now.Sub(w.said) < sayEvery:
		return false
	default:
		w.note("%s, for %v now: %s", w.what, now.Sub(w.since).Round(time.Second), why)
	}
	w.said = now
	return true
}

// over says that it goes on, where it was said that something waits.
func (w *waiting) over() {
	if w.since.IsZero() {
		return
	}
	w.note("goes on after %v: %s no longer", w.clock().Sub(w.since).Round(time.Second), w.what)
	w.since, w.said = time.Time{}, time.Time{}
}

func (w *waiting) clock() time.Time {
	if w.now != nil {
		return w.now()
	}
	return time.Now()
}
