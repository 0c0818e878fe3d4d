package tui

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"parfait/evaluator"
	"parfait/explore"
	"parfait/study"
)

// trialList is the table of trials: which one is selected, and how they are filtered and sorted.
type trialList struct {
	id      int // selected; 0: the newest
	filter  string
	sort    int // column: 0 id, 1 state, then tasks, then coefficients
	reverse bool
	from    int    // the first column of numbers shown
	log     string // of the selected one
	logOf   int
}

// rows are the trials shown, in their order.
func (l *trialList) rows(s *sight) []study.Trial {
	keep, err := explore.ParseFilter(s.snap.Tasks, s.coefficients(), l.filter)
	if err != nil {
		keep = func(study.Trial) bool { return true }
	}
	var out []study.Trial
	for _, t := range s.snap.Trials {
		if keep(t) {
			out = append(out, t)
		}
	}
	slices.SortStableFunc(out, func(a, b study.Trial) int {
		c := l.compare(s, &a, &b)
		if l.reverse {
			return -c
		}
		return c
	})
	return out
}

// compare sorts what is missing last.
func (l *trialList) compare(s *sight, a, b *study.Trial) int {
	switch l.sort {
	case 0:
		return cmp.Compare(a.ID, b.ID)
	case 1:
		return cmp.Compare(a.State, b.State)
	}
	x, y := s.measured(a, l.sort-2), s.measured(b, l.sort-2)
	if math.IsNaN(x) || math.IsNaN(y) {
		c := 0
		if math.IsNaN(x) {
			c++
		}
		if math.IsNaN(y) {
			c--
		}
		if l.reverse {
			c = -c
		}
		return c
	}
	return cmp.Compare(x, y)
}

// at is the row of the selected trial.
func (l *trialList) at(rows []study.Trial) int {
	if i := slices.IndexFunc(rows, func(t study.Trial) bool { return t.ID == l.id }); i >= 0 {
		return i
	}
	return max(len(rows)-1, 0)
}

// selected is the selected trial, or nil. It is asked for by every key hint: what can be found without
// sorting thousands of rows is.
func (l *trialList) selected(s *sight) *study.Trial {
	if l.filter == "" && l.id != 0 {
		if i := slices.IndexFunc(s.snap.Trials, func(t study.Trial) bool { return t.ID == l.id }); i >= 0 {
			return &s.snap.Trials[i]
		}
	}
	rows := l.rows(s)
	if len(rows) == 0 {
		return nil
	}
	return &rows[l.at(rows)]
}

func (l *trialList) step(e *explorer, n int) tea.Cmd {
	rows := l.rows(&e.sight)
	if len(rows) == 0 {
		return nil
	}
	l.id = rows[max(min(l.at(rows)+n, len(rows)-1), 0)].ID
	return l.refresh(e)
}

type logMsg struct {
	trial int
	text  string
	open  bool
}

// refresh reads the log of the selected trial.
func (l *trialList) refresh(e *explorer) tea.Cmd { return l.read(e, false) }

func (l *trialList) read(e *explorer, open bool) tea.Cmd {
	t := l.selected(&e.sight)
	if t == nil {
		return nil
	}
	id := t.ID
	return e.work("read the log", func() tea.Msg {
		text, err := e.src.Log(id)
		if err != nil {
			text = err.Error()
		}
		return logMsg{id, text, open}
	})
}

// logged takes a log that was read.
func (e *explorer) logged(m logMsg) {
	e.trials.log, e.trials.logOf = m.text, m.trial
	lines := splitLines(m.text)
	if m.text == "" {
		lines = []string{"nothing was logged"}
	}
	if r, ok := e.above.(*reading); ok && r.trial == m.trial {
		r.lines = lines
		return
	}
	if m.open && e.above == nil {
		e.above = &reading{title: fmt.Sprintf("Log of trial %d", m.trial), lines: lines, end: true, trial: m.trial}
	}
}

func trialActions() []action {
	at := []Place{PlaceTrials}
	step := func(n int) func(*explorer) tea.Cmd {
		return func(e *explorer) tea.Cmd { return e.trials.step(e, n) }
	}
	return []action{
		{ID: "trials.down", Places: at, Keys: []string{"down", "j"}, Title: "the next trial", Hint: "select", Bar: 1, do: step(1)},
		{ID: "trials.up", Places: at, Keys: []string{"up", "k"}, Title: "the previous trial", do: step(-1)},
		{ID: "trials.page-down", Places: at, Keys: []string{"pgdown"}, Title: "ten trials down", do: step(10)},
		{ID: "trials.page-up", Places: at, Keys: []string{"pgup"}, Title: "ten trials up", do: step(-10)},
		{ID: "trials.end", Places: at, Keys: []string{"end", "G"}, Title: "the last trial", do: step(math.MaxInt32)},
		{ID: "trials.home", Places: at, Keys: []string{"home", "g"}, Title: "the first trial", do: step(math.MinInt32)},
		{ID: "trials.log", Places: at, Keys: []string{"enter"}, Title: "its log, live", Hint: "log", Bar: 2, Twin: "parfait trials --log N", disabled: noLog, do: func(e *explorer) tea.Cmd { return e.trials.read(e, true) }},
		{ID: "trials.take", Places: at, Keys: []string{"t"}, Title: "take it in hand", Hint: "take in hand", Bar: 2, Twin: "parfait predict --at …", disabled: noTrialInHand, do: takeTrial},
		{ID: "trials.filter", Places: at, Keys: []string{"/"}, Title: "filter: gsm8k>.5 state:failed", Hint: "filter", Bar: 3, Twin: "parfait trials --json", do: askFilter},
		{ID: "trials.sort", Places: at, Keys: []string{"o"}, Title: "sort by the next column", Hint: "sort", Bar: 3, Twin: "parfait trials --json", do: func(e *explorer) tea.Cmd {
			e.trials.sort = (e.trials.sort + 1) % (2 + len(e.snap.Tasks) + len(e.snap.Space.Coefficients))
			return nil
		}},
		{ID: "trials.reverse", Places: at, Keys: []string{"O"}, Title: "sort the other way round", do: func(e *explorer) tea.Cmd {
			e.trials.reverse = !e.trials.reverse
			return nil
		}},
		{ID: "trials.further", Places: at, Keys: []string{"shift+right", "L"}, Title: "further columns", do: scrollColumns(1)},
		{ID: "trials.back", Places: at, Keys: []string{"shift+left", "H"}, Title: "back to the columns before", do: scrollColumns(-1)},
		{ID: "trials.retry", Places: at, Keys: []string{"R"}, Title: "try the failed trial again", Hint: "retry", Bar: 4, Twin: "parfait trials --retry N", Changes: true, disabled: notFailed, do: func(e *explorer) tea.Cmd {
			id := e.trials.selected(&e.sight).ID
			return e.do(study.Command{Kind: study.CommandRetry, N: id}, fmt.Sprintf("trial %d is tried again", id))
		}},
		{ID: "trials.forget", Places: at, Keys: []string{"F"}, Title: "forget the trial: it counts as cancelled", Hint: "forget", Bar: 4, Twin: "parfait trials --forget N", Changes: true, Danger: true, disabled: notForgettable, do: askForget},
	}
}

func scrollColumns(n int) func(*explorer) tea.Cmd {
	return func(e *explorer) tea.Cmd {
		e.trials.from = max(min(e.trials.from+n, len(e.columns())-1), 0)
		return nil
	}
}

func noTrial(e *explorer) string {
	if e.trials.selected(&e.sight) == nil {
		return "there is no trial"
	}
	return ""
}

// noLog says so where the log of the selected trial was read and is empty.
func noLog(e *explorer) string {
	if why := noTrial(e); why != "" {
		return why
	}
	if t := e.trials.selected(&e.sight); t.ID == e.trials.logOf && e.trials.log == "" {
		return fmt.Sprintf("trial %d has logged nothing", t.ID)
	}
	return ""
}

func noTrialInHand(e *explorer) string {
	if why := noTrial(e); why != "" {
		return why
	}
	return noFront(e)
}

func notFailed(e *explorer) string {
	if why := noTrial(e); why != "" {
		return why
	}
	if s := e.trials.selected(&e.sight).State; s != evaluator.Failed && s != evaluator.Cancelled {
		return "it is " + string(s) + ", not failed"
	}
	return ""
}

func notForgettable(e *explorer) string {
	if why := noTrial(e); why != "" {
		return why
	}
	if s := e.trials.selected(&e.sight).State; s == evaluator.Done || s == evaluator.Cancelled {
		return "it is " + string(s) + "; finished trials never change"
	}
	return ""
}

func takeTrial(e *explorer) tea.Cmd {
	t := e.trials.selected(&e.sight)
	cmd := e.move(explore.Move{Kind: explore.Go, X: t.X})
	e.note = note{fmt.Sprintf("trial %d is in hand", t.ID), good}
	return cmd
}

func askForget(e *explorer) tea.Cmd {
	t := e.trials.selected(&e.sight)
	id, state := t.ID, t.State
	e.above = &question{
		title: "Forget?", text: fmt.Sprintf("Trial %d is %s. Forgotten, it counts as cancelled; it can be retried later.", id, state),
		yes: func(e *explorer) tea.Cmd {
			return e.do(study.Command{Kind: study.CommandForget, N: id}, fmt.Sprintf("trial %d is forgotten", id))
		},
	}
	return nil
}

func askFilter(e *explorer) tea.Cmd {
	return e.ask(prompt{
		title: "Filter", label: "only trials with", value: e.trials.filter,
		help: strings.Join(explore.Columns(e.snap.Tasks, e.coefficients()), ", ") + ", id and batch compare with < <= > >= =; state:failed, by:who, or a word of the reason. Empty shows all.",
		done: func(e *explorer, v string) (tea.Cmd, string) {
			if _, err := explore.ParseFilter(e.snap.Tasks, e.coefficients(), v); err != nil {
				return nil, err.Error()
			}
			e.trials.filter = v
			return tea.Batch(e.trials.refresh(e), e.keep()), ""
		},
	})
}
