package study

import (
	"database/sql"
	"math"
	"strconv"
	"strings"

	"parfait/evaluator"
)

// CommandKind names what a viewer asks of the runner.
type CommandKind string

// Commands.
const (
	CommandEvaluate CommandKind = "evaluate" // measure X next
	CommandPause    CommandKind = "pause"
	CommandResume   CommandKind = "resume"
	CommandBudget   CommandKind = "budget" // set the number of trials that the search may ask for to N
	CommandRetry    CommandKind = "retry"  // a new attempt of the failed trial N
	CommandForget   CommandKind = "forget" // cancel the trial N that is waiting, running or failed
	CommandStop     CommandKind = "stop"   // end the runner; what is running now runs again later
)

// Command is a request to the runner. It takes effect on the history in one transaction, whether or not
// a runner is alive; a runner notices within a tick. Who and when stay on record.
type Command struct {
	Kind CommandKind `json:"kind"`
	X    []float64   `json:"x,omitempty"`
	N    int         `json:"n,omitempty"`
	Who  string      `json:"who,omitempty"`
}

// Do records a command and carries it out on the history.
func (s *Study) Do(c Command) error {
	if c.Kind == CommandEvaluate {
		if err := s.checkPoint(c.X); err != nil {
			return err
		}
	}
	err := s.store.write(func(tx *sql.Tx) error {
		if _, err := tx.Exec("INSERT INTO commands (at, who, body) VALUES (?, ?, ?)", now(), c.Who, mustJSON(c)); err != nil {
			return err
		}
		return s.obey(tx, c)
	})
	s.commanded.Store(true)
	s.changed()
	return historyError(s.store.path, err)
}

func (s *Study) obey(tx *sql.Tx, c Command) error {
	switch c.Kind {
	case CommandEvaluate:
		who := c.Who
		if who == "" {
			who = "you"
		}
		_, err := insertTrial(tx, -1, newTrial{x: c.X, origin: who, why: "asked for"})
		return err
	case CommandPause:
		return setMeta(tx, "paused", "asked for")
	case CommandResume:
		if err := setMeta(tx, "note", ""); err != nil {
			return err
		}
		return setMeta(tx, "paused", "")
	case CommandStop:
		return setMeta(tx, "stop", "asked for")
	case CommandBudget:
		if c.N < 1 {
			return inputError("budget", "expected at least 1 trial, found %d", c.N)
		}
		if err := setMeta(tx, "exhausted", ""); err != nil {
			return err
		}
		return setMeta(tx, "budget", strconv.Itoa(s.spec.Search.Budget)+"→"+strconv.Itoa(c.N))
	case CommandRetry:
		return move(tx, c.N, evaluator.Waiting, evaluator.Failed, evaluator.Cancelled)
	case CommandForget:
		return move(tx, c.N, evaluator.Cancelled, evaluator.Waiting, evaluator.Running, evaluator.Failed)
	}
	return inputError("command", "unknown command %q", c.Kind)
}

// checkPoint says whether x can be measured at all. Points outside the ranges may be: they are somebody's
// explicit wish.
func (s *Study) checkPoint(x []float64) error {
	if len(x) != len(s.space.Coefficients) {
		return inputError("coefficients", "expected %d (%s), found %d", len(s.space.Coefficients), strings.Join(s.Names(), ", "), len(x))
	}
	for i, v := range x {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return inputError(s.space.Coefficients[i].Name, "expected a finite number, found %g", v)
		}
	}
	return nil
}

// Names returns the coefficients' names in their order.
func (s *Study) Names() []string {
	out := make([]string, len(s.space.Coefficients))
	for i, c := range s.space.Coefficients {
		out[i] = c.Name
	}
	return out
}
