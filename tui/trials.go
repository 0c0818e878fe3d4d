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
	"parfait/problem"
	"parfait/study"
	"parfait/tui/chart"
	"parfait/visible"
)

// scopeTrials is the view of the trials as a table.
const scopeTrials scope = "trials"

// trialsView is the table of trials: which one is selected, and how they are filtered and sorted.
type trialsView struct {
	id      int // selected; 0: whichever is to be followed
	filter  string
	sort    int // column: 0 id, 1 state, then tasks, then coefficients
	reverse bool
	from    int    // the first column of numbers shown
	log     string // of the selected one
	logOf   int
}

func newTrialsView() view { return &trialsView{} }

func (l *trialsView) info() viewInfo {
	return viewInfo{scope: scopeTrials, key: "3", title: "Trials", heading: "Trials"}
}

func (l *trialsView) draw(_ *explorer, s props, c *chart.Canvas) {
	trialsPane{props: s, trialsView: *l}.draw(c)
}

func (l *trialsView) take(e *explorer, msg tea.Msg) (tea.Cmd, bool) {
	m, mine := msg.(logMsg)
	if mine {
		l.logged(e, m)
	}
	return nil, mine
}

func (l *trialsView) keep() any {
	if l.filter == "" {
		return nil
	}
	return l.filter
}

func (l *trialsView) restore(into func(any) bool) {
	if filter := ""; into(&filter) {
		l.filter = filter
	}
}

// rows are the trials shown, in their order.
func (l *trialsView) rows(s *props) []study.Trial {
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
func (l *trialsView) compare(s *props, a, b *study.Trial) int {
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
func (l *trialsView) at(rows []study.Trial) int {
	if i := slices.IndexFunc(rows, func(t study.Trial) bool { return t.ID == l.id }); i >= 0 {
		return i
	}
	return followed(rows)
}

// followed is the row that a person wants to see who chose none: of those that run the one that was begun first, else
// the newest that was begun, else the last.
func followed(rows []study.Trial) int {
	at := -1
	for i, t := range rows {
		switch {
		case t.Started.IsZero():
		case at < 0:
			at = i
		case t.State == evaluator.Running:
			if f := rows[at]; f.State != evaluator.Running || t.Started.Before(f.Started) {
				at = i
			}
		case rows[at].State != evaluator.Running && !t.Started.Before(rows[at].Started):
			at = i
		}
	}
	if at < 0 {
		return max(len(rows)-1, 0)
	}
	return at
}

// selected is the selected trial, or nil. It is asked for by every key hint: what can be found without
// sorting thousands of rows is.
func (l *trialsView) selected(s *props) *study.Trial {
	switch {
	case l.filter != "":
	case l.id == 0 && len(s.snap.Trials) > 0:
		return &s.snap.Trials[followed(s.snap.Trials)]
	default:
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

func (l *trialsView) step(e *explorer, n int) tea.Cmd {
	rows := l.rows(&e.props)
	if len(rows) == 0 {
		return nil
	}
	to := max(min(l.at(rows)+n, len(rows)-1), 0)
	if l.id = rows[to].ID; rows[to].State == evaluator.Running && to == followed(rows) { // back on it
		l.id = 0
	}
	return l.refresh(e)
}

// follow goes back to what runs, and stays there.
func (l *trialsView) follow(e *explorer) tea.Cmd {
	l.id = 0
	return l.refresh(e)
}

// notFollowing says why there is nothing to follow, or that it is done already.
func notFollowing(e *explorer, l *trialsView) string {
	switch {
	case l.id == 0:
		return "the running trial is followed already"
	case !slices.ContainsFunc(e.snap.Trials, func(t study.Trial) bool { return t.State == evaluator.Running }):
		return "no trial is running"
	}
	return ""
}

type logMsg struct {
	trial int
	text  string
	open  bool
}

// refresh reads the log of the selected trial.
func (l *trialsView) refresh(e *explorer) tea.Cmd { return l.read(e, false) }

func (l *trialsView) read(e *explorer, open bool) tea.Cmd {
	t := l.selected(&e.props)
	if t == nil {
		return nil
	}
	id := t.ID
	return e.work("read the log", func() tea.Msg {
		text, err := e.src.Log(id)
		if err != nil {
			text = problem.Text(err)
		}
		return logMsg{id, text, open}
	})
}

// logged takes a log that was read.
func (l *trialsView) logged(e *explorer, m logMsg) {
	l.log, l.logOf = m.text, m.trial
	lines := logLines(m.text)
	if r, ok := e.above.(*reading); ok && r.trial == m.trial {
		r.lines = lines
		return
	}
	if m.open && e.above == nil {
		e.above = &reading{title: fmt.Sprintf("Log of trial %d", m.trial), lines: lines, end: true, trial: m.trial}
	}
}

// logLines are the lines of a log, as they stand on a terminal.
func logLines(log string) []string {
	if log == "" {
		return []string{"nothing was logged"}
	}
	return visible.Lines(strings.TrimRight(log, "\n"))
}

func (l *trialsView) actions() []action {
	at := []scope{scopeTrials}
	step := func(n int) func(*explorer) tea.Cmd {
		return in(func(e *explorer, l *trialsView) tea.Cmd { return l.step(e, n) })
	}
	return []action{
		{ID: "trials.down", Scopes: at, Keys: []string{"down", "j"}, Pair: "↑↓", Title: "the next trial", Hint: "select", Bar: 1, do: step(1)},
		{ID: "trials.up", Scopes: at, Keys: []string{"up", "k"}, Title: "the previous trial", do: step(-1)},
		{ID: "trials.page-down", Scopes: at, Keys: []string{"pgdown"}, Title: "ten trials down", do: step(10)},
		{ID: "trials.page-up", Scopes: at, Keys: []string{"pgup"}, Title: "ten trials up", do: step(-10)},
		{ID: "trials.end", Scopes: at, Keys: []string{"end", "G"}, Title: "the last trial", do: step(math.MaxInt32)},
		{ID: "trials.home", Scopes: at, Keys: []string{"home", "g"}, Title: "the first trial", do: step(math.MinInt32)},
		{ID: "trials.follow", Scopes: at, Keys: []string{"f"}, Title: "follow the trial that runs", Hint: "follow", Bar: 3, disabled: in(notFollowing), do: in(func(e *explorer, l *trialsView) tea.Cmd { return l.follow(e) })},
		{ID: "trials.log", Scopes: at, Keys: []string{"enter"}, Title: "its log, live", Hint: "log", Bar: 2, Twin: "parfait trials --log N", disabled: in(noLog), do: in(func(e *explorer, l *trialsView) tea.Cmd { return l.read(e, true) })},
		{ID: "trials.take", Scopes: at, Keys: []string{"t"}, Title: "take it in hand", Hint: "take in hand", Bar: 2, Twin: "parfait predict --at …", disabled: in(noTrialInHand), do: in(takeTrial)},
		{ID: "trials.filter", Scopes: at, Keys: []string{"/"}, Title: "filter: gsm8k>.5 state:failed", Hint: "filter", Bar: 3, Twin: "parfait trials --json", do: in(askFilter)},
		{ID: "trials.sort", Scopes: at, Keys: []string{"o"}, Title: "sort by the next column", Hint: "sort", Bar: 3, Twin: "parfait trials --json", do: in(func(e *explorer, l *trialsView) tea.Cmd {
			l.sort = (l.sort + 1) % (2 + len(e.snap.Tasks) + len(e.snap.Space.Coefficients))
			return nil
		})},
		{ID: "trials.reverse", Scopes: at, Keys: []string{"O"}, Title: "sort the other way round", do: in(func(_ *explorer, l *trialsView) tea.Cmd {
			l.reverse = !l.reverse
			return nil
		})},
		{ID: "trials.further", Scopes: at, Keys: []string{"shift+right", "L"}, Title: "further columns", do: scrollColumns(1)},
		{ID: "trials.back", Scopes: at, Keys: []string{"shift+left", "H"}, Title: "back to the columns before", do: scrollColumns(-1)},
		{ID: "trials.retry", Scopes: at, Keys: []string{"R"}, Title: "try the failed trial again", Hint: "retry", Bar: 4, Twin: "parfait trials --retry N", Changes: true, disabled: in(notFailed), do: in(func(e *explorer, l *trialsView) tea.Cmd {
			id := l.selected(&e.props).ID
			return e.do(study.Command{Kind: study.CommandRetry, N: id}, fmt.Sprintf("trial %d is tried again", id))
		})},
		{ID: "trials.forget", Scopes: at, Keys: []string{"F"}, Title: "forget the trial: it counts as cancelled", Hint: "forget", Bar: 4, Twin: "parfait trials --forget N", Changes: true, Danger: true, disabled: in(notForgettable), do: in(askForget)},
	}
}

func scrollColumns(n int) func(*explorer) tea.Cmd {
	return in(func(e *explorer, l *trialsView) tea.Cmd {
		l.from = max(min(l.from+n, len(e.columns())-1), 0)
		return nil
	})
}

func noTrial(e *explorer, l *trialsView) string {
	if l.selected(&e.props) == nil {
		return "there is no trial"
	}
	return ""
}

// noLog says so where the log of the selected trial was read and is empty.
func noLog(e *explorer, l *trialsView) string {
	if why := noTrial(e, l); why != "" {
		return why
	}
	if t := l.selected(&e.props); t.ID == l.logOf && l.log == "" {
		return fmt.Sprintf("trial %d has logged nothing", t.ID)
	}
	return ""
}

func noTrialInHand(e *explorer, l *trialsView) string {
	if why := noTrial(e, l); why != "" {
		return why
	}
	return noFront(e)
}

func notFailed(e *explorer, l *trialsView) string {
	if why := noTrial(e, l); why != "" {
		return why
	}
	if s := l.selected(&e.props).State; s != evaluator.Failed && s != evaluator.Cancelled {
		return "it is " + string(s) + ", not failed"
	}
	return ""
}

func notForgettable(e *explorer, l *trialsView) string {
	if why := noTrial(e, l); why != "" {
		return why
	}
	switch l.selected(&e.props).State {
	case evaluator.Done:
		return "it is done, and what was measured stands"
	case evaluator.Cancelled:
		return "it is cancelled already"
	}
	return ""
}

func takeTrial(e *explorer, l *trialsView) tea.Cmd {
	t := l.selected(&e.props)
	cmd := e.move(explore.Move{Kind: explore.Go, X: t.X})
	e.note = note{fmt.Sprintf("trial %d is in hand", t.ID), good}
	return cmd
}

func askForget(e *explorer, l *trialsView) tea.Cmd {
	t := l.selected(&e.props)
	id, then := t.ID, "it counts as cancelled"
	if len(t.Measurements) > 0 { // it was to be measured once more
		then = "it is not measured any further, and what was measured of it is kept"
	}
	e.above = &question{
		title: "Forget?", text: fmt.Sprintf("Trial %d is %s. Forgotten, %s; it can be retried later.", id, t.State, then),
		yes: func(e *explorer) tea.Cmd {
			return e.do(study.Command{Kind: study.CommandForget, N: id}, fmt.Sprintf("trial %d is forgotten", id))
		},
	}
	return nil
}

func askFilter(e *explorer, l *trialsView) tea.Cmd {
	return e.ask(prompt{
		title: "Filter", label: "only trials with", value: l.filter,
		help: strings.Join(explore.Columns(e.snap.Tasks, e.coefficients()), ", ") + ", id and batch compare with < <= > >= =; state:failed, by:who, or a word of the reason. Empty shows all.",
		done: func(e *explorer, v string) (tea.Cmd, string) {
			if _, err := explore.ParseFilter(e.snap.Tasks, e.coefficients(), v); err != nil {
				return nil, problem.Text(err)
			}
			l.filter = v
			return tea.Batch(l.refresh(e), e.keep()), ""
		},
	})
}
