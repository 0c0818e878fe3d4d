package study

import (
	"errors"
	"fmt"

	"parfait/evaluator"
	"parfait/internal/oom"
)

// blames is how often a trial is measured again that may be to blame.
func blames(e executorEvent) int {
	if tries := e.executor.eval.Limits().Tries; tries > 0 {
		return tries - 1
	}
	return maxBlamed
}

// suspicion says what may have made an evaluation fail that is not to be seen in what it says: its model was deleted
// under it, the disk that it shares with us is full, or the system killed it.
func (r *runner) suspicion(e executorEvent, j *job, err error) (trouble, bool) {
	for _, p := range r.pools {
		if p.lost(e.id) {
			return trouble{what: fmt.Sprintf("the merged model of trial %d was deleted while it was measured", e.id), err: err, passes: true}, true
		}
	}
	if d := e.disk; d.at != "" {
		t := trouble{what: fmt.Sprintf("trial %d failed where the disk is full", e.id), fix: "free some space", err: err, passes: true, at: d.at, need: d.need}
		if d.held >= max(1, d.need) {
			t.what, t.fix = d.filledBy(e.id), lessOutput
		}
		return t, true
	}
	if r.troubles.full.After(j.begun) { // and there is room again by now
		return trouble{what: fmt.Sprintf("trial %d failed, and the disk was full while it was measured", e.id), err: err, passes: true}, true
	}
	if t, line, ok := evaluator.SaysTrouble(err); ok {
		return trouble{what: fmt.Sprintf("the evaluator of trial %d says that %s: %s", e.id, t.What, line), fix: t.Fix, err: err, passes: true}, true
	}
	var by *evaluator.Error
	if errors.As(err, &by) && by.Code == evaluator.Killed && by.Signal == "SIGKILL" {
		return r.killed(e, j, err)
	}
	return trouble{}, false
}

// killed says that memory ran out, where the system counts an evaluator that it has killed for that; any other that is
// killed is measured once more.
func (r *runner) killed(e executorEvent, j *job, err error) (trouble, bool) {
	id := e.id
	if n, ok := oom.Kills(); ok && n > r.troubles.ooms {
		r.troubles.ooms = n
		what := fmt.Sprintf("memory ran out, and the system killed the evaluator of trial %d", id)
		return trouble{what: what, fix: "measure fewer at once (--workers), or give it more memory", err: err, passes: true, fewer: true}, true
	}
	if e.executor.eval.Limits().Tries == 0 {
		if j.blamed > 0 {
			return trouble{}, false
		}
		j.blamed = maxBlamed // once
	}
	what := fmt.Sprintf("the evaluator of trial %d was killed (SIGKILL), as the system does where memory runs out", id)
	return trouble{what: what, fix: "it is measured again", err: err, passes: true}, true
}

// said adds to an error what was done before it counted as the trial's.
func (j *job) said(err error) string {
	text := err.Error()
	if j.blamed > 0 {
		text += fmt.Sprintf("\n(it was measured %d times, since that might not have been its fault)", j.tries)
	}
	return text
}

// nobodysFault says whether an evaluation that has ended while nobody ran may have met what the machine had wrong then:
// what was so with the disk nobody has seen.
func nobodysFault(err error) bool {
	_, known := evaluator.TroubleOf(err)
	_, _, says := evaluator.SaysTrouble(err)
	var by *evaluator.Error
	return known || says || errors.As(err, &by) && by.Signal == "SIGKILL"
}
