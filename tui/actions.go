package tui

import (
	"fmt"
	"slices"

	tea "charm.land/bubbletea/v2"

	"parfait/explore"
	"parfait/study"
)

// Sets of scopes. An action of the whole screen names all of them, so that no key has two meanings in one
// scope: a test holds it.
var (
	digits = append(viewScopes(func(viewInfo) bool { return true }), scopeTasks) // where a digit leads to a view
	panes  = append(slices.Clone(digits), scopeCoefficients)
	walked = append(viewScopes(func(v viewInfo) bool { return v.inHand }), scopeTasks) // where + and − walk along the front
	handed = append(slices.Clone(walked), scopeCoefficients)                           // where a point is in hand
)

// actions is everything that a key can do.
func actions() []action {
	var out []action
	for i, v := range makeViews() {
		if out = append(out, v.actions()...); i == 0 { // what is in hand comes after the first of its views
			out = append(out, slices.Concat(taskActions(), coefficientActions(), pointActions())...)
		}
	}
	return slices.Concat(out, runActions(), screenActions(), overlayActions())
}

func move(m explore.Move) func(*explorer) tea.Cmd {
	return func(e *explorer) tea.Cmd { return e.move(m) }
}

// noFront says why there is nothing to move on.
func noFront(e *explorer) string {
	switch {
	case e.working():
		return "the front is being worked out"
	case e.analysis() == nil:
		return "there is no front yet: it needs three measured trials"
	}
	return ""
}

func taskActions() []action {
	choose := []scope{scopeFront, scopeTasks, scopeSurrogate}
	return []action{
		{ID: "task.next", Scopes: choose, Keys: []string{"down", "j"}, Pair: "↑↓", Title: "choose the next task", Hint: "task", Bar: 2, disabled: noFront, do: selectTask(1)},
		{ID: "task.previous", Scopes: choose, Keys: []string{"up", "k"}, Title: "choose the previous task", disabled: noFront, do: selectTask(-1)},
		{ID: "task.more", Scopes: walked, Keys: []string{"+"}, Pair: "+−", Title: "more of the chosen task, at the least cost to the others", Hint: "more of it|more", Bar: 3, Twin: "parfait pick --at-least TASK=…", disabled: noFront, do: move(explore.Move{Kind: explore.Favour, N: 1})},
		{ID: "task.less", Scopes: walked, Keys: []string{"-"}, Title: "less of the chosen task, for the most of the others", Twin: "parfait pick --weights TASK=…", disabled: noFront, do: move(explore.Move{Kind: explore.Favour, N: -1})},
		{ID: "task.floor", Scopes: []scope{scopeTasks, scopeFront}, Keys: []string{">"}, Title: "set a floor for the chosen task (empty takes it away)", Hint: "floor", Bar: 8, Twin: "parfait pick --at-least TASK=…", disabled: noFront, do: askPreference(explore.Floor)},
		{ID: "task.weight", Scopes: []scope{scopeTasks}, Keys: []string{"="}, Title: "set the weight of the chosen task (0 takes it away)", Hint: "weight", Twin: "parfait pick --weights TASK=…", disabled: noFront, do: askPreference(explore.Weigh)},
		{ID: "task.aspire", Scopes: []scope{scopeTasks}, Keys: []string{"@"}, Title: "set what to aspire to on the chosen task (empty takes it away)", Hint: "aspire", Twin: "parfait pick --aspire TASK=…", disabled: noFront, do: askPreference(explore.Aspire)},
		{ID: "task.forgo", Scopes: []scope{scopeTasks}, Keys: []string{"0"}, Title: "take away weights, aspiration and order", disabled: noFront, do: move(explore.Move{Kind: explore.ClearPreferences})},
		{ID: "task.order", Scopes: []scope{scopeTasks}, Keys: []string{"L"}, Title: "choose by order of importance: the chosen task first", Hint: "order", Twin: "parfait pick --order TASK,…", disabled: noFront, do: askOrder},
	}
}

func coefficientActions() []action {
	at := []scope{scopeCoefficients}
	turn := func(kind explore.MoveKind, v float64) func(*explorer) tea.Cmd {
		return move(explore.Move{Kind: kind, Value: v})
	}
	return []action{
		{ID: "coefficient.next", Scopes: at, Keys: []string{"down", "j"}, Pair: "↑↓", Title: "the next coefficient", Hint: "coefficient|which", Bar: 2, do: move(explore.Move{Kind: explore.SelectCoefficient, N: 1})},
		{ID: "coefficient.previous", Scopes: at, Keys: []string{"up", "k"}, Title: "the previous coefficient", do: move(explore.Move{Kind: explore.SelectCoefficient, N: -1})},
		{ID: "coefficient.up", Scopes: at, Keys: []string{"right", "l", "+"}, Pair: "←→", Title: "turn it up by .01", Hint: "by .01", Bar: 1, Twin: "parfait predict --at NAME=…", disabled: noFront, do: turn(explore.Nudge, 0.01)},
		{ID: "coefficient.down", Scopes: at, Keys: []string{"left", "h", "-"}, Title: "turn it down by .01", Twin: "parfait predict --at NAME=…", disabled: noFront, do: turn(explore.Nudge, -0.01)},
		{ID: "coefficient.far-up", Scopes: at, Keys: []string{"L", "shift+right"}, Pair: "HL", Title: "turn it up by .1", Hint: "by .1", Bar: 4, Twin: "parfait predict --at NAME=…", disabled: noFront, do: turn(explore.Nudge, 0.1)},
		{ID: "coefficient.far-down", Scopes: at, Keys: []string{"H", "shift+left"}, Title: "turn it down by .1", Twin: "parfait predict --at NAME=…", disabled: noFront, do: turn(explore.Nudge, -0.1)},
		{ID: "coefficient.type", Scopes: at, Keys: []string{"="}, Title: "type its value", Hint: "type", Bar: 5, Twin: "parfait predict --at NAME=…", disabled: noFront, do: askCoefficient},
		{ID: "coefficient.zero", Scopes: at, Keys: []string{"0"}, Title: "turn it to 0", Twin: "parfait predict --at NAME=0", disabled: noFront, do: turn(explore.Turn, 0)},
		{ID: "coefficient.one", Scopes: at, Keys: []string{"1"}, Title: "turn it to 1", Twin: "parfait predict --at NAME=1", disabled: noFront, do: turn(explore.Turn, 1)},
		{ID: "coefficient.digits", Scopes: at, Keys: digitsBeyondOne(), Title: "no view: 0 and 1 are values here", disabled: digitsAreValues, do: nothing},
	}
}

// digitsBeyondOne are the keys of views that are no values of a coefficient.
func digitsBeyondOne() []string {
	var out []string
	for _, v := range viewInfos() {
		if v.key != "0" && v.key != "1" {
			out = append(out, v.key)
		}
	}
	return out
}

// digitsAreValues says what a digit is for where 0 and 1 are values.
func digitsAreValues(*explorer) string {
	all := viewInfos()
	return fmt.Sprintf("alt+%s … alt+%s lead to the views, = types a value", all[0].key, all[len(all)-1].key)
}

// nothing is what an action does that only says why it does nothing.
func nothing(*explorer) tea.Cmd { return nil }

// pointActions are about the point in hand, wherever it shows.
func pointActions() []action {
	return []action{
		{ID: "point.front", Scopes: handed, Keys: []string{"r"}, Title: "back to the nearest point of the front", Hint: "back to the front|to the front", Bar: 8, Twin: "parfait front", disabled: onFront, do: move(explore.Move{Kind: explore.Return})},
		{ID: "point.beat", Scopes: handed, Keys: []string{"B"}, Title: "only points that beat the base on every task; again: the uniform average, the best model, a pin, none", Hint: "better than", Twin: "parfait pick --beats base", disabled: noFront, do: move(explore.Move{Kind: explore.Beat})},
		{ID: "point.next", Scopes: panes, Keys: []string{"n"}, Pair: "nN", Title: "to the next named point: knee, best of each task, other compromises, uniform, pins", Hint: "named points", Twin: "parfait pick --knee", disabled: noFront, do: move(explore.Move{Kind: explore.Visit, N: 1})},
		{ID: "point.previous", Scopes: panes, Keys: []string{"N"}, Title: "to the previous named point", Twin: "parfait pick --knee", disabled: noFront, do: move(explore.Move{Kind: explore.Visit, N: -1})},
		{ID: "point.pin", Scopes: panes, Keys: []string{"p"}, Title: "pin the point in hand, or take its pin away", Hint: "pin", Bar: 7, disabled: noFront, do: togglePin},
		{ID: "point.compare", Scopes: panes, Keys: []string{"P"}, Title: "compare the pins and the point in hand side by side", Hint: "compare", Twin: "parfait predict --at …", disabled: noPins, do: compare},
		{ID: "point.undo", Scopes: panes, Keys: []string{"u"}, Title: "undo the last move", do: move(explore.Move{Kind: explore.Undo})},
		{ID: "point.redo", Scopes: panes, Keys: []string{"ctrl+r"}, Title: "redo what was undone", do: move(explore.Move{Kind: explore.Redo})},
		{ID: "point.recipe", Scopes: panes, Keys: []string{"w"}, Title: "copy the recipe of the point in hand, and show it", Hint: "recipe", Twin: "parfait predict --json", disabled: noFront, do: copyRecipe},
		{ID: "point.copy", Scopes: panes, Keys: []string{"W"}, Title: "copy the coefficients of the point in hand", Twin: "parfait predict --json", disabled: noFront, do: copyCoefficients},
		{ID: "point.pick", Scopes: panes, Keys: []string{"d"}, Title: "decide: record the point in hand as a pick, and why", Hint: "decide", Twin: "parfait pick --why …", Changes: true, Role: Operator, disabled: noFront, do: askPick},
		{ID: "point.evaluate", Scopes: panes, Keys: []string{"e"}, Title: "have the point in hand measured next", Hint: "evaluate", Bar: 6, Twin: "parfait trials --evaluate NAME=…", Changes: true, disabled: noEvaluate, do: evaluateHere},
		{ID: "point.look", Scopes: handed, Keys: []string{"f"}, Title: "look here: have the search look for what is wished (else around this point); again: at the whole front", Hint: "look here", Twin: "parfait run --at-least … --aspire … --weights …", Changes: true, disabled: noFront, do: lookHere},
		{ID: "point.settle", Scopes: handed, Keys: []string{"F"}, Title: "settle the point in hand: is it the best within its rivals, and what would it cost to know?", Hint: "settle", Twin: "parfait run --settle PICK", Changes: true, disabled: noFront, do: settleHere},
	}
}

func runActions() []action {
	return []action{
		{ID: "run.toggle", Scopes: panes, Keys: []string{"s"}, Title: "start a runner that goes on by itself, or pause it", Hint: "start/pause", Bar: 9, Twin: "parfait run --headless", Changes: true, disabled: noRun, do: toggleRunner},
		{ID: "run.budget", Scopes: panes, Keys: []string{"b"}, Title: "change the budget of trials", Hint: "budget", Twin: "parfait run --budget N", Changes: true, do: askBudget},
		{ID: "run.throttle", Scopes: panes, Keys: []string{"#"}, Title: "change how many candidates are in the cluster at once", Hint: "throttle", Twin: "parfait run --throttle N", Changes: true, disabled: noThrottle, do: askThrottle},
		{ID: "export.open", Scopes: handed, Keys: []string{"enter"}, Title: "export the point in hand as a checkpoint", Hint: "export", Bar: 4, Twin: "parfait export --at … --out DIR", Changes: true, disabled: noFront, do: openExport},
	}
}

func selectTask(n int) func(*explorer) tea.Cmd {
	return func(e *explorer) tea.Cmd {
		return e.move(explore.Move{Kind: explore.SelectTask, N: n})
	}
}

func onFront(e *explorer) string {
	if why := noFront(e); why != "" {
		return why
	}
	if e.state.Front >= 0 || e.state.Between() {
		return "this is on the front"
	}
	return ""
}

func noPins(e *explorer) string {
	if len(e.state.Pins) == 0 {
		return "nothing is pinned: p pins the point in hand"
	}
	return ""
}

func noEvaluate(e *explorer) string {
	if why := noFront(e); why != "" {
		return why
	}
	for _, t := range e.snap.Trials {
		if slices.Equal(t.X, e.state.X) && !t.State.Final() {
			return "it is on its way already"
		}
	}
	return ""
}

func noThrottle(e *explorer) string {
	if e.snap.Activity.Throttle == 0 {
		return "no evaluator takes another number of candidates while it is at work: that is for slurm"
	}
	return ""
}

func noRun(e *explorer) string {
	if e.snap.Activity.Runner == study.Finished {
		return "the budget is spent: b sets another"
	}
	return ""
}
