package study

import (
	"strconv"
	"strings"
	"time"

	"parfait/evaluator"
)

// budget is the number of trials that the search may ask for: study.yaml's, unless a command set
// another since study.yaml was last edited.
func (s *Study) budget(meta map[string]string) int {
	if of, n, ok := strings.Cut(meta["budget"], "→"); ok && of == strconv.Itoa(s.spec().Search.Budget) {
		if b, err := strconv.Atoi(n); err == nil {
			return b
		}
	}
	return s.spec().Search.Budget
}

func (s *Study) activity(h *history) Activity {
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
		if h.meta["paused"] != "" {
			a.Runner = Paused
		}
		if of := h.meta["asked"]; a.Note == "" && of != "" && of != s.asked.Load().sum() {
			a.Note = "study.yaml was edited since this runner began: the next one takes it up"
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
