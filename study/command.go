package study

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"parfait/evaluator"
	"parfait/history"
	"parfait/problem"
	"parfait/search"
)

// CommandKind names what a viewer asks of the runner.
type CommandKind string

// Commands.
const (
	CommandEvaluate CommandKind = "evaluate" // measure X next
	CommandPause    CommandKind = "pause"
	CommandResume   CommandKind = "resume"
	CommandBudget   CommandKind = "budget"   // set the number of trials that the search may ask for to N
	CommandThrottle CommandKind = "throttle" // have N candidates in flight at once, in evaluators that take another number at work
	CommandRetry    CommandKind = "retry"    // a new attempt of the trial N: one that is done is measured once more
	CommandMissing  CommandKind = "missing"  // measure finished trials on the tasks that study.yaml asks for and they lack
	CommandFocus    CommandKind = "focus"    // have the search look at Focus from now on; nil: at the whole front
	CommandForget   CommandKind = "forget"   // cancel the trial N that is waiting, running or failed
	CommandDrain    CommandKind = "drain"    // end the runner when what is running now has ended; nothing new is started
	CommandStop     CommandKind = "stop"     // end the runner; what is running now runs again later

	commandImport CommandKind = "import" // for the record: who has imported N trials, see Study.Import
)

// Command is a request to the runner. It takes effect on the history in one transaction, whether or not
// a runner is alive; a runner notices within a tick. Who and when stay on record.
type Command struct {
	Kind CommandKind `json:"kind"`
	X    []float64   `json:"x,omitempty"`
	Once bool        `json:"once,omitempty"` // evaluate X only where no trial has it yet
	N    int         `json:"n,omitempty"`
	Who  string      `json:"who,omitempty"`

	Focus *search.Focus `json:"focus,omitempty"`
}

// Do records a command and carries it out on the history.
func (s *Study) Do(c Command) error { return s.DoAll([]Command{c}) }

// DoAll is Do of all of the commands, or of none.
func (s *Study) DoAll(commands []Command) error {
	commands = slices.Clone(commands)
	for i := range commands {
		c := &commands[i]
		if err := s.canMeasure(c.Kind); err != nil {
			return err
		}
		var err error
		switch {
		case c.Kind == CommandEvaluate:
			c.X, err = s.normal(c.X)
		case c.Kind == CommandFocus && c.Focus != nil && c.Focus.Pick != nil:
			p := *c.Focus.Pick
			p.X, err = s.normal(p.X)
			c.Focus = &search.Focus{Wishes: c.Focus.Wishes, Pick: &p}
			err = errors.Join(err, s.checkFocus(c.Focus))
		case c.Kind == CommandFocus:
			err = s.checkFocus(c.Focus)
		}
		if err != nil {
			return err
		}
	}
	do := func(change *history.Change) error {
		for _, c := range commands {
			id, err := change.Next(history.Commands)
			if err != nil {
				return err
			}
			if err := change.Put(history.Commands, history.Row{"id": id, "at": change.At.UnixMilli(), "who": c.Who, "body": c}); err != nil {
				return err
			}
			if err := s.obey(change, c); err != nil {
				return err
			}
		}
		return nil
	}
	err := s.store.rehearse("command", do)
	if err == nil {
		err = s.store.Write("command", do)
	}
	s.commanded.Store(true)
	s.changed()
	return s.store.Explain(err)
}

// canMeasure says why what asks for a measurement cannot be done.
func (s *Study) canMeasure(kind CommandKind) error {
	if len(s.spec().Evaluators) > 0 || !slices.Contains([]CommandKind{CommandEvaluate, CommandRetry, CommandMissing, CommandBudget, CommandFocus}, kind) {
		return nil
	}
	return &Error{
		Code: CodeEvaluator, Where: SpecFile, What: "has no evaluators: nothing can be measured here",
		Fix: "add evaluators (docs/evaluators.md), or import what was measured elsewhere: parfait trials " + s.dir + " --import FILE",
	}
}

func (s *Study) obey(change *history.Change, c Command) error {
	switch c.Kind {
	case CommandEvaluate:
		who := c.Who
		if who == "" {
			who = "you"
		}
		if c.Once {
			if has, err := s.at(change.Tx, c.X); has || err != nil {
				return err
			}
		}
		return insertTrial(change, -1, c.X, who, "asked for")
	case CommandPause:
		return change.Set("paused", "asked for")
	case CommandResume:
		if err := change.Set("note", ""); err != nil {
			return err
		}
		return change.Set("paused", "")
	case CommandDrain:
		return change.Set("drain", "asked for")
	case CommandStop:
		return change.Set("stop", "asked for")
	case CommandBudget:
		if c.N < 1 {
			return inputError("budget", "expected at least 1 trial, found %d", c.N)
		}
		if err := change.Set("exhausted", ""); err != nil {
			return err
		}
		meta, err := metaOf(change.Tx)
		if err != nil {
			return err
		}
		return change.Set("budget", strconv.Itoa(s.askedBudget(meta))+"→"+strconv.Itoa(c.N))
	case CommandThrottle:
		return s.setThrottle(change, c.N)
	case CommandRetry:
		return move(change, c.N, evaluator.Waiting, evaluator.Failed, evaluator.Cancelled, evaluator.Done)
	case CommandFocus:
		return setFocus(change, c.Focus)
	case CommandMissing:
		return s.askMissing(change)
	case CommandForget:
		return move(change, c.N, evaluator.Cancelled, evaluator.Waiting, evaluator.Running, evaluator.Failed)
	}
	return inputError("command", "unknown command %q", c.Kind)
}

// askMissing makes finished trials wait for what they lack. What they have stands.
func (s *Study) askMissing(change *history.Change) error {
	h, err := read(change.Tx, nil)
	if err != nil {
		return err
	}
	s.interpret(h)
	for _, id := range h.lacking {
		if err := again(change, id, standing{attempt: h.trial(id).Attempt}); err != nil {
			return err
		}
	}
	return nil
}

// lack says that finished trials were not measured on tasks that study.yaml asks for.
func (s *Study) lack(h *record) error {
	if len(h.lacking) == 0 {
		return nil
	}
	var tasks []string
	for _, t := range s.spec().Tasks {
		if slices.ContainsFunc(h.lacking, func(id int) bool { _, ok := h.trial(id).Metrics[t.Name]; return !ok }) {
			tasks = append(tasks, t.Name)
		}
	}
	n := fmt.Sprintf("%d finished trials were", len(h.lacking))
	if len(h.lacking) == 1 {
		n = "1 finished trial was"
	}
	return &Error{
		Code: CodeChanged, Where: SpecFile, What: fmt.Sprintf("%s not measured on %s, which it asks for", n, problem.And(tasks)),
		Fix: "measure what is missing, and nothing else of them: parfait run " + s.dir + " --missing; or take it out of the tasks",
	}
}

// at says whether a trial that was measured, or will be, has the merge at x.
func (s *Study) at(tx *history.Tx, x []float64) (has bool, err error) {
	err = history.Trials.Rows(tx, 0, func(scan func(...any) error) error {
		var y []float64
		var state State
		if err := scan(nil, nil, nil, nil, &y, &state, nil, nil, nil, nil, nil, nil); err != nil {
			return err
		}
		if state.Final() && state != evaluator.Done {
			return nil
		}
		if n, err := s.normal(y); err == nil {
			has = has || s.space().Wrote(n, x)
		}
		return nil
	})
	return has, err
}

// At is the trial that has measured the merge at x, or will, as it is or as the search rounds it; nil where there is none. Failed and cancelled trials
// have not.
func (s *Snapshot) At(x []float64) *Trial {
	x, err := s.Space.Normal(x)
	if err != nil {
		return nil
	}
	for i, t := range s.Trials {
		if (!t.State.Final() || t.State == evaluator.Done) && s.Space.Wrote(t.X, x) {
			return &s.Trials[i]
		}
	}
	return nil
}

// samePoint says whether two points are one, up to rounding.
func samePoint(x, y []float64) bool {
	return slices.EqualFunc(x, y, func(p, q float64) bool { return math.Abs(p-q) < 1e-9 })
}

// normal returns x in the form that stands for its merge, or says why it stands for none. Points outside the ranges
// may be measured: they are asked for explicitly.
func (s *Study) normal(x []float64) ([]float64, error) {
	if len(x) != len(s.space().Coefficients) {
		return nil, inputError("coefficients", "expected %d (%s), found %d", len(s.space().Coefficients), strings.Join(s.Names(), ", "), len(x))
	}
	for i, v := range x {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, inputError(s.space().Coefficients[i].Name, "expected a finite number, found %g", v)
		}
	}
	out, err := s.space().Normal(x)
	if e := (*search.Error)(nil); errors.As(err, &e) {
		return nil, inputError("coefficients", "%s", e.What)
	}
	return out, err
}

// Names returns the coefficients' names in their order.
func (s *Study) Names() []string {
	out := make([]string, len(s.space().Coefficients))
	for i, c := range s.space().Coefficients {
		out[i] = c.Name
	}
	return out
}
