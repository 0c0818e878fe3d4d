package study

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"time"

	"parfait/history"
)

// spent is what a study's evaluations have cost, over all runs. It is recorded with every result, as meta.spent.
type spent struct {
	Measured int64 `json:"measured_ms"` // in which anything was measured
	Slots    int64 `json:"slots_ms"`    // summed over evaluations, failed and interrupted ones too
	At       int64 `json:"at"`          // up to when Measured counts, in milliseconds since 1970
}

func spentOf(meta map[string]string) (sum spent) {
	_ = json.Unmarshal([]byte(meta["spent"]), &sum) // histories of before have none: nothing is known of them
	return sum
}

func (s spent) measured() time.Duration { return time.Duration(s.Measured) * time.Millisecond }
func (s spent) slots() time.Duration    { return time.Duration(s.Slots) * time.Millisecond }

// ledger keeps what a runner spends. Only the runner's loop touches it.
type ledger struct {
	spent
	busy bool // something is measured since At
}

// pass counts the time since it was called last, and looks at what is so now.
func (l *ledger) pass(now time.Time, busy bool) {
	if l.busy {
		l.Measured += now.UnixMilli() - l.At
	}
	l.At, l.busy = now.UnixMilli(), busy
}

// charge counts one evaluation.
func (l *ledger) charge(took time.Duration) { l.Slots += max(0, took).Milliseconds() }

// bury counts what has been spent on a trial since a runner that was killed had begun to measure it, up to its last
// heartbeat, or to now where that went on.
func (l *ledger) bury(t *Trial, evaluations int, beat time.Time) {
	l.charge(time.Duration(evaluations) * beat.Sub(t.Started))
	if from := max(l.At, t.Started.UnixMilli()); from < beat.UnixMilli() {
		l.Measured += beat.UnixMilli() - from
		l.At = beat.UnixMilli()
	}
}

// String is for meta.
func (s spent) String() string { return mustJSON(s) }

// spentWords says what has been spent, in words: "1.2 h", "1.2 of 8 h", "1.2 of 8 h · 12.50 of 200"; "" where study.yaml
// neither limits it nor has a price.
func (s *SearchSpec) spentWords(sum spent) string {
	var parts []string
	if s.MaxHours > 0 {
		parts = append(parts, fmt.Sprintf("%.3g of %g h", sum.measured().Hours(), s.MaxHours))
	}
	switch {
	case s.MaxCost > 0:
		parts = append(parts, fmt.Sprintf("%.2f of %g", s.cost(sum.slots()), s.MaxCost))
	case s.Price > 0:
		parts = append(parts, fmt.Sprintf("%.2f spent", s.cost(sum.slots())))
	}
	return strings.Join(parts, " · ")
}

// cost is the price of so much time of slots.
func (s *SearchSpec) cost(slots time.Duration) float64 { return s.Price * slots.Hours() }

// limits are what ends a run before its budget is spent, in words, with what is spent of it; "" where nothing does.
func (s *SearchSpec) limits(sum spent) string {
	var parts []string
	if s.MaxHours > 0 {
		part := fmt.Sprintf("after %g h of measuring", s.MaxHours)
		if h := sum.measured().Hours(); h > 0 {
			part += fmt.Sprintf(", of which %.3g h are over", h)
		}
		parts = append(parts, part)
	}
	if s.MaxCost > 0 {
		parts = append(parts, fmt.Sprintf("at a cost of %g, at %g an hour of each slot (%.2f is spent)", s.MaxCost, s.Price, s.cost(sum.slots())))
	}
	if w := s.StopWhen; w != nil {
		parts = append(parts, fmt.Sprintf("when the front gains less than %g %% over %d finished trials", 100*w.Gain, w.Over))
	}
	return strings.Join(parts, ", or ")
}

// spends is what the runner's evaluations have cost by now, those that go on included, each with what it is expected to
// cost at least; and what one more trial is expected to.
func (r *runner) spends(now time.Time) (all, next time.Duration) {
	all = r.ledger.slots()
	for _, x := range r.executors {
		usual := r.usual(x)
		for _, j := range r.jobs {
			if since, open := j.since[x]; open {
				all += max(usual, now.Sub(since))
			}
		}
		next += usual
	}
	return all, next
}

// affordable is how many evaluations may be begun at once for what is left of max_cost, as far as is known what they cost.
func (r *runner) affordable() int {
	spec := &r.spec().Search
	if spec.MaxCost <= 0 {
		return math.MaxInt
	}
	all, next := r.spends(r.now())
	if next <= 0 {
		return math.MaxInt
	}
	return max(0, int((spec.MaxCost-spec.cost(all))/spec.cost(next))*len(r.executors))
}

// usual is how long an evaluation of all its tasks mostly takes, 0 where that is not known.
func (r *runner) usual(x *executor) time.Duration {
	usual, _ := beyond(took(r.hist.trials, x.name, len(x.tasks)), 0)
	return usual
}

// limit says why nothing more is to be begun: a limit of study.yaml; "" where none is reached.
func (r *runner) limit(now time.Time) string {
	spec := &r.spec().Search
	if spec.MaxHours > 0 && r.ledger.measured().Hours() >= spec.MaxHours {
		return fmt.Sprintf("max_hours: %g is reached, in all runs together: nothing new is begun; a higher one in study.yaml lets it go on", spec.MaxHours)
	}
	if spec.MaxCost <= 0 {
		return ""
	}
	switch all, next := r.spends(now); {
	case spec.cost(all) >= spec.MaxCost:
		return fmt.Sprintf("max_cost: %g is spent, in all runs together: nothing new is begun; a higher one in study.yaml lets it go on", spec.MaxCost)
	case spec.cost(all+next) > spec.MaxCost:
		return fmt.Sprintf("max_cost: %g leaves no room for another trial, which costs about %.2f: nothing new is begun; a higher one in study.yaml lets it go on", spec.MaxCost, spec.cost(next))
	}
	return ""
}

// atLimit says whether a limit is reached, which is recorded and said once, and stays so for this run.
func (r *runner) atLimit() bool {
	if r.limitedBy != "" {
		return true
	}
	now := r.now()
	r.ledger.pass(now, r.busy() > 0)
	why := r.limit(now)
	if why == "" {
		return false
	}
	r.limitedBy = why
	r.hist.meta["limit"] = why
	r.write(unwritten{Entry: history.Entry{Kind: "limit", Make: func(c *history.Change) error { return c.Set("limit", r.limitedBy) }}})
	if n := r.busy(); n > 0 {
		why += fmt.Sprintf(" (%d at work are waited for)", n)
	}
	r.note("%s", why)
	return true
}

// sayLimits says before anything is measured what may end the run.
func (r *runner) sayLimits() {
	if said := r.spec().Search.limits(r.ledger.spent); said != "" {
		r.note("the run ends when its budget of %d is spent, or %s", r.budget(r.hist.meta), said)
	}
}

// saySpent says at the end what was spent.
func (r *runner) saySpent() {
	if said := r.spec().Search.spentWords(r.ledger.spent); said != "" {
		r.note("spent in all runs: %s", said)
	}
}
