package study

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"parfait/evaluator"
)

// budget is the number of trials that the search may ask for: study.yaml's, unless a command set
// another since study.yaml was last edited.
func (s *Study) budget(meta map[string]string) int {
	asked := s.askedBudget(meta)
	if of, n, ok := strings.Cut(meta["budget"], "→"); ok && of == strconv.Itoa(asked) {
		if b, err := strconv.Atoi(n); err == nil {
			return b
		}
	}
	return asked
}

// askedBudget is the budget of study.yaml: of the one that the runner at work has begun with, where there is a runner.
func (s *Study) askedBudget(meta map[string]string) int {
	n, err := strconv.Atoi(meta["asked_budget"])
	if err != nil || meta["asked"] == s.asked.Load().sum() || !readOwner(s.dir).alive() {
		return s.spec().Search.Budget
	}
	return n
}

func (s *Study) activity(h *record) Activity {
	o := readOwner(s.dir)
	search := s.budget(h.meta)
	a := Activity{Runner: Idle, Note: h.meta["note"]}
	var spent time.Duration
	timed, searched := 0, 0
	for _, t := range h.trials {
		if t.Batch < 0 {
			a.Budget++ // asked for by a person: on top of what the search may ask for
		} else {
			searched++
		}
		switch t.State {
		case evaluator.Running:
			a.Running++
		case evaluator.Waiting:
			a.Waiting++
		case evaluator.Failed, evaluator.Cancelled:
			a.Failed++
			a.Done++
		case evaluator.Done:
			a.Done++
			spent += t.Ended.Sub(t.Started)
			timed++
		}
	}
	a.Search = max(search, searched) // a budget below what was asked for already takes nothing back
	a.Budget += a.Search
	finished := a.Running == 0 && a.Waiting == 0 && (searched >= search || h.meta["exhausted"] != "")
	switch {
	case o.alive():
		a.Runner, a.Host, a.PID, a.Beat = Sampling, o.Host, o.PID, o.beat
		switch h.meta["paused"] {
		case "":
		case pausedByTrouble:
			a.Runner = Waits
		default:
			a.Runner = Paused
		}
		if of := h.meta["asked"]; a.Note == "" && of != "" && of != s.asked.Load().sum() {
			a.Note = "study.yaml was edited since this runner began: the next one takes it up"
			if n := s.askedBudget(h.meta); n != s.spec().Search.Budget {
				a.NextBudget = s.spec().Search.Budget
				a.Note += fmt.Sprintf(", with a budget of %d instead of %d", s.spec().Search.Budget, n)
			}
		}
	case finished:
		a.Runner = Finished
		if a.Note == "" {
			a.Note = h.meta["exhausted"]
		}
	}
	if timed > 0 && a.Runner == Sampling {
		a.ETA = spent / time.Duration(timed) * time.Duration(max(0, a.Budget-a.Done)) / time.Duration(max(1, a.Running))
	}
	return a
}
