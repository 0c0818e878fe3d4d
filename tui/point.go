package tui

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	tea "charm.land/bubbletea/v2"

	"parfait/explore"
	"parfait/study"
)

// togglePin pins the point in hand, or takes its pin away.
func togglePin(e *explorer) tea.Cmd {
	for _, p := range e.state.Pins {
		if slices.Equal(p.X, e.state.X) {
			return e.move(explore.Move{Kind: explore.Unpin, Name: p.Name})
		}
	}
	return e.move(explore.Move{Kind: explore.Keep})
}

// evaluateHere has the point in hand measured. What is measured twice says more about noise than nothing.
func evaluateHere(e *explorer) tea.Cmd {
	done := "this point is measured next"
	switch e.snap.Activity.Runner {
	case study.Sampling:
	case study.Waits:
		done = "this point is measured next, when what the runner waits for is over"
	default:
		done = "this point is measured when a runner runs: s starts one"
	}
	return e.do(study.Command{Kind: study.CommandEvaluate, X: slices.Clone(e.state.X)}, done)
}

// toggleRunner starts a runner, pauses it, or lets it go on.
func toggleRunner(e *explorer) tea.Cmd {
	if e.snap.Activity.Runner == study.Sampling {
		return e.do(study.Command{Kind: study.CommandPause}, "paused: what is being measured is finished first")
	}
	working := "a runner is at work; it goes on when you leave"
	e.note = note{"starting a runner…", muted}
	if e.snap.Activity.Runner == study.Waits {
		working, e.note = "the runner tries again now", note{"telling the runner…", muted}
	}
	return e.work("start a runner", func() tea.Msg {
		if err := e.src.StartRunner(); err != nil {
			return refused(err)
		}
		return said(working)
	})
}

// askBudget asks for the number of trials in all, as the header counts them: what people asked for is on top
// of what the search may ask for.
func askBudget(e *explorer) tea.Cmd {
	a := e.snap.Activity
	return e.ask(prompt{
		replace: true, title: "Budget", label: "trials in all", value: fmt.Sprint(a.Budget),
		help: fmt.Sprintf("%d are finished, %d more are asked for. The search stops when there are so many in all.", a.Done, len(e.snap.Trials)-a.Done),
		done: func(e *explorer, v string) (tea.Cmd, string) {
			byPeople := e.snap.Activity.Budget - e.snap.Activity.Search
			least := max(len(e.snap.Trials), byPeople+1)
			var n int
			switch _, err := fmt.Sscanf(v, "%d", &n); {
			case err != nil || n < 1 || fmt.Sprint(n) != v:
				return nil, "expected a number of trials"
			case n < least:
				return nil, fmt.Sprintf("expected at least %d: so many are finished or asked for", least)
			}
			return e.do(study.Command{Kind: study.CommandBudget, N: n - byPeople}, fmt.Sprintf("the budget is %d trials in all", n)), ""
		},
	})
}

// askThrottle asks for the number of candidates in flight at once.
func askThrottle(e *explorer) tea.Cmd {
	a := e.snap.Activity
	return e.ask(prompt{
		replace: true, title: "Throttle", label: "candidates in the cluster at once", value: fmt.Sprint(a.Throttle),
		help: fmt.Sprintf("%d are measured now. With fewer none is taken back: the next goes out when there is room. Until study.yaml says otherwise.", a.Running),
		done: func(e *explorer, v string) (tea.Cmd, string) {
			n, err := strconv.Atoi(v)
			if err != nil || n < 1 {
				return nil, "expected a number of candidates, at least 1 (s pauses)"
			}
			return e.do(study.Command{Kind: study.CommandThrottle, N: n}, fmt.Sprintf("at most %d candidates are in the cluster at once from now on", n)), ""
		},
	})
}

func askPick(e *explorer) tea.Cmd {
	x, predicted := slices.Clone(e.state.X), map[string]study.Prediction{}
	for _, t := range e.read.Tasks {
		predicted[t.Task.Name] = t.Predicted
	}
	name, wishes := e.read.Name, e.wishes()
	return e.ask(prompt{
		title: "Decide", label: "why this one", value: e.why(),
		help: "Recorded with the study; it goes into receipts and model cards.",
		done: func(e *explorer, why string) (tea.Cmd, string) {
			if why == "" {
				return nil, "a decision needs a reason"
			}
			return e.anyway(x, func(e *explorer) tea.Cmd {
				var kept []string
				if a := e.analysis(); a != nil {
					kept = study.BrokenFloors(a.Tasks, a.Predict(x))
				}
				return e.work("record the pick", func() tea.Msg {
					p, err := e.src.SavePick(study.Pick{Name: name, X: x, Predicted: predicted, Why: why, Anyway: kept, Wishes: wishes, Who: e.o.Who})
					if err != nil {
						return refused(err)
					}
					return said(fmt.Sprintf("recorded as pick %d: enter exports it", p.ID))
				})
			}), ""
		},
	})
}

// anyway does what keeps the point x. Where it is predicted to break a floor, study.yaml's, the person's own or one that a
// rival sets, it asks first, unless a pick of the point was kept all the same; a no leads back to what stands above the screen now.
func (e *explorer) anyway(x []float64, keep func(*explorer) tea.Cmd) tea.Cmd {
	a := e.analysis()
	if a == nil { // nothing is predicted yet
		return keep(e)
	}
	var said []string
	for _, p := range e.snap.Picks {
		if slices.Equal(p.X, x) {
			said = append(said, p.Anyway...)
		}
	}
	predicted := a.Predict(x)
	unasked := explore.Unasked(a.Tasks, explore.Breaks(a.Tasks, e.state.Floors, predicted), said)
	words := explore.InWords(a.Tasks, unasked, predicted)
	if rival, below := e.state.Below(a, predicted); len(below) > 0 {
		words = append(words, "it is below "+rival+" on "+strings.Join(below, ", ")+": floors in force")
	}
	if len(words) == 0 {
		return keep(e)
	}
	e.above = &question{
		title: "It breaks a floor", text: strings.Join(words, "; ") + ". Keep it anyway?", back: e.above,
		yes: keep,
	}
	return nil
}

// why says in words how the point in hand came about: as it was decided on, where it was.
func (e *explorer) why() string {
	for _, p := range slices.Backward(append([]study.Pick{e.chosen}, e.snap.Picks...)) {
		if slices.Equal(p.X, e.state.X) && p.Why != "" {
			return p.Why
		}
	}
	var words string
	switch k := e.state.Anchor.Kind; {
	case e.read.Name == "knee":
		words = explore.KneeWords(e.analysis())
	case k == explore.AnchorBest:
		words = "the best predicted " + e.state.Anchor.Task
	case k == explore.AnchorPreference && e.state.Asks():
		words = e.state.Why(e.analysis())
	case e.state.Front >= 0 || e.state.Between():
		words = "chosen on the front by hand"
	default:
		words = "coefficients set by hand"
	}
	var kept, broken []string
	for _, t := range e.read.Tasks {
		floor := t.Task.Name + " " + explore.Sign(t.Task) + " " + explore.Number(t.Task, t.Floor)
		switch {
		case math.IsNaN(t.Floor):
		case t.Breaks:
			broken = append(broken, floor)
		default:
			kept = append(kept, floor)
		}
	}
	if len(kept) > 0 {
		words += " with " + strings.Join(kept, ", ")
	}
	if len(broken) > 0 {
		words += ", although it breaks " + strings.Join(broken, ", ")
	}
	return words
}

type recipeMsg struct{ yaml string }

// copyRecipe copies the merge at the point in hand as a recipe, and shows it.
func copyRecipe(e *explorer) tea.Cmd {
	r, ok := e.src.(Reciper)
	if !ok {
		return copyCoefficients(e)
	}
	x := slices.Clone(e.state.X)
	return e.work("write the recipe", func() tea.Msg {
		b, err := r.Recipe(e.ctx, x)
		if err != nil {
			return refused(err)
		}
		return recipeMsg{string(b)}
	})
}

func (e *explorer) recipe(m recipeMsg) tea.Cmd {
	e.above = &reading{title: "Recipe · copied, where the terminal allows it", lines: splitLines(m.yaml)}
	return tea.SetClipboard(m.yaml)
}

func copyCoefficients(e *explorer) tea.Cmd {
	e.note = note{"copied: " + fitting(valued(e.coefficients(), e.state.X), e.w-10), good}
	return tea.SetClipboard(explore.At(e.analysis(), e.state.X))
}

// valued are names with their values.
func valued(names []string, x []float64) []string {
	words := make([]string, 0, len(names))
	for i, name := range names {
		if i < len(x) {
			words = append(words, name+" "+explore.Decimal(x[i], 3))
		}
	}
	return words
}
