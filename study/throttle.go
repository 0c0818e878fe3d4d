package study

import (
	"fmt"
	"strconv"
	"strings"

	"parfait/evaluator"
	"parfait/history"
)

// throttles says how many candidates study.yaml has in flight at once, for each evaluator that takes another number while
// it is at work.
func (s *Study) throttles() map[string]int {
	out := map[string]int{}
	for name, e := range s.spec().Evaluators {
		if of := kinds[e.Kind].throttle; of != nil && len(s.tasksOf(name)) > 0 {
			out[name] = of(e.Options)
		}
	}
	return out
}

// throttled is the number that a command has set since study.yaml was edited last, 0 where none has.
func (s *Study) throttled(meta map[string]string) int {
	asked, set, _ := strings.Cut(meta["throttle"], "→")
	n, err := strconv.Atoi(set)
	if err != nil || asked != mustJSON(s.throttles()) {
		return 0
	}
	return n
}

// throttle is what holds: a command's number, or the largest of study.yaml's; 0 where no evaluator takes any.
func (s *Study) throttle(meta map[string]string) (n int) {
	for _, of := range s.throttles() {
		n = max(n, of)
	}
	if set := s.throttled(meta); n > 0 && set > 0 {
		return set
	}
	return n
}

// setThrottle records how many candidates are to be in flight from now on.
func (s *Study) setThrottle(change *history.Change, n int) error {
	if n < 1 {
		return inputError("throttle", "expected at least 1 candidate at once, found %d: a run is paused in the explorer", n)
	}
	asked := s.throttles()
	if len(asked) == 0 {
		return inputError("throttle", "no evaluator of this study takes another number of candidates while it is at work: that is for slurm; others have --workers, and what study.yaml says, from the next run on")
	}
	return change.Set("throttle", mustJSON(asked)+"→"+strconv.Itoa(n))
}

// rethrottle has the evaluators do what a command has asked for since the meta data had was. What is at work beyond that
// comes to its end.
func (r *runner) rethrottle(was string) {
	now := r.hist.meta["throttle"]
	_, set, _ := strings.Cut(now, "→")
	if n, err := strconv.Atoi(set); err == nil && now != was {
		r.setThrottles(n)
	}
}

func (r *runner) setThrottles(n int) {
	for _, x := range r.executors {
		t, ok := x.eval.(evaluator.Throttled)
		if _, told := r.throttles()[x.name]; !ok || !told {
			continue
		}
		before := t.Limits().InFlight
		if before == n {
			continue
		}
		t.Throttle(n)
		more := ""
		if x.busy > n {
			more = fmt.Sprintf("; of the %d that are in flight none is taken back, and the next goes out when fewer than %d are", x.busy, n)
		}
		r.note("evaluator %s: at most %d candidates at once from now on, instead of %d%s", x.name, n, before, more)
	}
}
