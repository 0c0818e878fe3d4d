package tui

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	tea "charm.land/bubbletea/v2"

	"parfait/explore"
	"parfait/study"
)

// askPreference asks for a floor, a weight or an aspiration of the chosen task.
func askPreference(kind explore.MoveKind) func(*explorer) tea.Cmd {
	return func(e *explorer) tea.Cmd {
		task := e.state.Task
		t := e.snap.Tasks[task]
		p := prompt{replace: true, title: "Floor", label: t.Name + " " + explore.Sign(t)}
		was, ok := e.state.Floors[t.Name]
		switch kind {
		case explore.Weigh:
			p.title, p.label = "Weight", "weight of "+t.Name
			p.help = "The point with the best weighted sum of gains follows, of what keeps the floors and reaches what is aspired to. 0 takes the weight away."
			was, ok = e.state.Weights[t.Name]
		case explore.Aspire:
			p.title, p.label = "Aspiration", t.Name+" should reach"
			p.help = "It is reached as exactly as asked; what is left over goes to the other tasks, by their weights or their gain over the base. Empty takes it away."
			was, ok = e.state.Aspiration[t.Name]
		default:
			p.help = "The front is traced under it, and the nearest point that keeps it follows. Empty takes the floor away."
		}
		if ok {
			p.value = strconv.FormatFloat(was, 'g', -1, 64)
		}
		p.done = func(e *explorer, v string) (tea.Cmd, string) {
			unit := t
			if kind == explore.Weigh {
				unit = study.Task{Name: t.Name} // weights have no unit
			}
			n, wrong := number(v, unit)
			if wrong != "" {
				return nil, wrong
			}
			e.above = nil
			return e.move(explore.Move{Kind: kind, N: task, Value: n}), ""
		}
		return e.ask(p)
	}
}

// number reads a value of a task; NaN where there is none. Percentages are rates.
func number(v string, t study.Task) (float64, string) {
	if v == "" {
		return math.NaN(), ""
	}
	text, percent := strings.CutSuffix(v, "%")
	n, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	if err != nil || math.IsNaN(n) || math.IsInf(n, 0) {
		return 0, "expected a number, such as .9"
	}
	if percent {
		n /= 100
	}
	switch {
	case t.Rate() && n > 1 && n <= 100:
		return 0, t.Name + " is a rate between 0 and 1: " + explore.Decimal(n/100, 3) + "?"
	case t.Rate() && (n < 0 || n > 1):
		return 0, t.Name + " is a rate: expected a number between 0 and 1"
	}
	return n, ""
}

// askCoefficient asks for the value of the chosen coefficient.
func askCoefficient(e *explorer) tea.Cmd {
	c := e.snap.Space.Coefficients[e.state.Coefficient]
	return e.ask(prompt{
		replace: true, title: "Coefficient", label: c.Name, value: explore.Decimal(e.state.X[e.state.Coefficient], 4),
		help: fmt.Sprintf("from %g to %g", c.Lo, c.Hi),
		done: func(e *explorer, v string) (tea.Cmd, string) {
			n, err := strconv.ParseFloat(strings.TrimSpace(v), 64)
			if err != nil || !(n >= c.Lo && n <= c.Hi) {
				return nil, fmt.Sprintf("expected a number from %g to %g", c.Lo, c.Hi)
			}
			e.above = nil
			return e.move(explore.Move{Kind: explore.Turn, Value: n}), ""
		},
	})
}

// askOrder asks for the tasks in the order of their importance and goes to the best in that order.
func askOrder(e *explorer) tea.Cmd {
	names := e.state.Order
	if len(names) == 0 {
		names = []string{e.snap.Tasks[e.state.Task].Name}
		for _, i := range e.analysis().Objectives {
			if i != e.state.Task {
				names = append(names, e.snap.Tasks[i].Name)
			}
		}
	}
	return e.ask(prompt{
		title: "Order of importance", label: "tasks, the most important first", value: strings.Join(names, " "),
		help: "Of each task a little may be given up for those after it: rotated:.02 gives up at most .02. Empty takes the order away.",
		done: func(e *explorer, v string) (tea.Cmd, string) {
			m := explore.Move{Kind: explore.Rank}
			for _, f := range strings.FieldsFunc(v, func(r rune) bool { return r == ' ' || r == ',' }) {
				name, slack, ok := strings.Cut(f, ":")
				m.Order = append(m.Order, name)
				if n, err := strconv.ParseFloat(slack, 64); ok && err == nil && n >= 0 && !math.IsInf(n, 0) {
					if m.Slack == nil {
						m.Slack = map[string]float64{}
					}
					m.Slack[name] = n
				} else if ok {
					return nil, "expected a number, at least 0, after " + name + ":"
				}
			}
			if _, n := explore.Apply(e.analysis(), e.state, m); n.Code == explore.NoteNothing {
				return nil, n.Text
			}
			e.above = nil
			return e.move(m), ""
		},
	})
}
