package study

import (
	"cmp"
	"fmt"
	"slices"
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

// activity is what is going on. The owner was read before h: until he is ready, a pause that h has is of the runner before him.
func (s *Study) activity(h *record, o owner) Activity {
	search := s.budget(h.meta)
	a := Activity{Runner: Idle, Note: h.meta["note"], Throttle: s.throttle(h.meta)}
	searched := 0
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
		}
	}
	a.Search = max(search, searched) // a budget below what was asked for already takes nothing back
	a.Budget += a.Search
	a.Spent = Spent{Hours: spentOf(h.meta).measured().Hours(), SlotHours: spentOf(h.meta).slots().Hours(), Words: s.spec().Search.spentWords(spentOf(h.meta))}
	a.Spent.Cost = s.spec().Search.cost(spentOf(h.meta).slots())
	limit := h.meta["limit"]
	finished := limit != "" && a.Running == 0 && h.meta["asked"] == s.asked.Load().sum() || a.Running == 0 && a.Waiting == 0 && (searched >= search || h.meta["exhausted"] != "")
	switch {
	case o.alive():
		a.Runner, a.Host, a.PID, a.Beat = Sampling, o.Host, o.PID, o.beat
		switch h.meta["paused"] {
		case "":
		case pausedByTrouble:
			a.Runner = Waits
		default:
			if a.Note = ""; o.Ready {
				a.Runner, a.Note = Paused, h.meta["note"]
			}
		}
		if h.meta["drain"] != "" && o.Ready {
			a.Note = "nothing new is started: the run ends when what is being measured has ended"
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
			a.Note = cmp.Or(h.meta["exhausted"], limit)
		}
	}
	if a.Runner == Sampling {
		a.ETA = usual(h.trials) * time.Duration(max(0, a.Budget-a.Done)) / time.Duration(max(1, a.Running))
	}
	return a
}

// usual is how long a trial mostly takes, by the newest that are done; 0 where none is. One that ended while nobody ran
// seems to have taken until somebody looked.
func usual(trials []Trial) time.Duration {
	var times []time.Duration
	for _, t := range slices.Backward(trials) {
		if took, known := t.took(); known && t.State == evaluator.Done {
			times = append(times, took)
		}
		if len(times) == recent {
			break
		}
	}
	median, _ := beyond(times, 0)
	return median
}
