package tui

import (
	"math"
	"slices"

	tea "charm.land/bubbletea/v2"

	"parfait/explore"
	"parfait/study"
)

// Sets of places. An action of the whole screen names all of them, so that no key has two meanings in one
// place: a test holds it.
var (
	panes  = []Place{PlaceFront, PlaceParallel, PlaceTrials, PlaceSurrogate, PlaceModels, PlaceExports, PlaceTasks, PlaceCoefficients}
	handed = []Place{PlaceFront, PlaceParallel, PlaceSurrogate, PlaceTasks, PlaceCoefficients} // where a point is in hand
	walked = []Place{PlaceFront, PlaceParallel, PlaceSurrogate, PlaceTasks}                    // where + and − walk along the front
	digits = slices.DeleteFunc(slices.Clone(panes), func(p Place) bool { return p == PlaceCoefficients })
)

// actions is everything that a key can do.
func actions() []action {
	return slices.Concat(
		frontActions(), taskActions(), coefficientActions(), pointActions(), parallelActions(), trialActions(), surrogateActions(),
		modelActions(), exportActions(), runActions(), screenActions(), dialogActions(),
	)
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

func frontActions() []action {
	at := []Place{PlaceFront}
	return []action{
		{ID: "front.right", Places: at, Keys: []string{"right", "l"}, Title: "to the nearest front point with more on the X axis", Hint: "along the front|walk", Bar: 1, Twin: "parfait front", disabled: noFront, do: move(explore.Move{Kind: explore.Walk, N: 1})},
		{ID: "front.left", Places: at, Keys: []string{"left", "h"}, Title: "to the nearest front point with less on the X axis", Twin: "parfait front", disabled: noFront, do: move(explore.Move{Kind: explore.Walk, N: -1})},
		{ID: "front.last", Places: at, Keys: []string{"end", "G"}, Title: "to the end of the front with most on the X axis", Twin: "parfait pick --best TASK", disabled: noFront, do: move(explore.Move{Kind: explore.Edge, N: 1})},
		{ID: "front.first", Places: at, Keys: []string{"home", "g"}, Title: "to the end of the front with least on the X axis", Twin: "parfait front", disabled: noFront, do: move(explore.Move{Kind: explore.Edge, N: -1})},
		{ID: "front.zoom", Places: at, Keys: []string{"z"}, Title: "look closer, around the point in hand", disabled: noFront, do: zoomBy(1.5)},
		{ID: "front.unzoom", Places: at, Keys: []string{"Z"}, Title: "look from farther away", disabled: noFront, do: zoomBy(1 / 1.5)},
		{ID: "front.pan-left", Places: at, Keys: []string{"shift+left"}, Title: "move what is shown to the left", disabled: notZoomed, do: panBy(-0.15, 0)},
		{ID: "front.pan-right", Places: at, Keys: []string{"shift+right"}, Title: "move what is shown to the right", disabled: notZoomed, do: panBy(0.15, 0)},
		{ID: "front.pan-up", Places: at, Keys: []string{"shift+up"}, Title: "move what is shown up", disabled: notZoomed, do: panBy(0, 0.15)},
		{ID: "front.pan-down", Places: at, Keys: []string{"shift+down"}, Title: "move what is shown down", disabled: notZoomed, do: panBy(0, -0.15)},
		{ID: "front.x", Places: at, Keys: []string{"X"}, Title: "another X axis: the next task or coefficient", Hint: "axes", disabled: noFront, do: move(explore.Move{Kind: explore.TurnX, N: 1})},
		{ID: "front.y", Places: at, Keys: []string{"Y"}, Title: "another Y axis: the next task or coefficient", disabled: noFront, do: move(explore.Move{Kind: explore.TurnY, N: 1})},
		{ID: "front.colour", Places: at, Keys: []string{"c"}, Title: "another colour: the next task or coefficient, or none", Hint: "colour", disabled: noFront, do: move(explore.Move{Kind: explore.TurnColour, N: 1})},
	}
}

func taskActions() []action {
	choose := []Place{PlaceFront, PlaceTasks, PlaceSurrogate}
	return []action{
		{ID: "task.next", Places: choose, Keys: []string{"down", "j"}, Title: "choose the next task", Hint: "task", Bar: 2, disabled: noFront, do: selectTask(1)},
		{ID: "task.previous", Places: choose, Keys: []string{"up", "k"}, Title: "choose the previous task", disabled: noFront, do: selectTask(-1)},
		{ID: "task.more", Places: walked, Keys: []string{"+"}, Title: "more of the chosen task, at the least cost to the others", Hint: "more of it|more", Bar: 3, Twin: "parfait pick --at-least TASK=…", disabled: noFront, do: move(explore.Move{Kind: explore.Favour, N: 1})},
		{ID: "task.less", Places: walked, Keys: []string{"-"}, Title: "less of the chosen task, for the most of the others", Twin: "parfait pick --weights TASK=…", disabled: noFront, do: move(explore.Move{Kind: explore.Favour, N: -1})},
		{ID: "task.floor", Places: []Place{PlaceTasks, PlaceFront}, Keys: []string{">"}, Title: "set a floor for the chosen task (empty takes it away)", Hint: "floor", Bar: 8, Twin: "parfait pick --at-least TASK=…", disabled: noFront, do: askWish(explore.Floor)},
		{ID: "task.weight", Places: []Place{PlaceTasks}, Keys: []string{"="}, Title: "set the weight of the chosen task (0 takes it away)", Hint: "weight", Twin: "parfait pick --weights TASK=…", disabled: noFront, do: askWish(explore.Weigh)},
		{ID: "task.aspire", Places: []Place{PlaceTasks}, Keys: []string{"@"}, Title: "set what to aspire to on the chosen task (empty takes it away)", Hint: "aspire", Twin: "parfait pick --aspire TASK=…", disabled: noFront, do: askWish(explore.Aspire)},
		{ID: "task.forgo", Places: []Place{PlaceTasks}, Keys: []string{"0"}, Title: "take away all weights and aspirations", disabled: noFront, do: move(explore.Move{Kind: explore.Forgo})},
		{ID: "task.order", Places: []Place{PlaceTasks}, Keys: []string{"L"}, Title: "choose by order of importance: the chosen task first", Hint: "order", Twin: "parfait pick --order TASK,…", disabled: noFront, do: askOrder},
	}
}

func coefficientActions() []action {
	at := []Place{PlaceCoefficients}
	turn := func(kind explore.MoveKind, v float64) func(*explorer) tea.Cmd {
		return move(explore.Move{Kind: kind, Value: v})
	}
	return []action{
		{ID: "coefficient.next", Places: at, Keys: []string{"down", "j"}, Title: "the next coefficient", Hint: "coefficient|which", Bar: 2, do: move(explore.Move{Kind: explore.SelectCoefficient, N: 1})},
		{ID: "coefficient.previous", Places: at, Keys: []string{"up", "k"}, Title: "the previous coefficient", do: move(explore.Move{Kind: explore.SelectCoefficient, N: -1})},
		{ID: "coefficient.up", Places: at, Keys: []string{"right", "l", "+"}, Title: "turn it up by .01", Hint: "by .01", Bar: 1, Twin: "parfait predict --at NAME=…", disabled: noFront, do: turn(explore.Nudge, 0.01)},
		{ID: "coefficient.down", Places: at, Keys: []string{"left", "h", "-"}, Title: "turn it down by .01", Twin: "parfait predict --at NAME=…", disabled: noFront, do: turn(explore.Nudge, -0.01)},
		{ID: "coefficient.far-up", Places: at, Keys: []string{"L", "shift+right"}, Title: "turn it up by .1", Hint: "by .1", Bar: 4, Twin: "parfait predict --at NAME=…", disabled: noFront, do: turn(explore.Nudge, 0.1)},
		{ID: "coefficient.far-down", Places: at, Keys: []string{"H", "shift+left"}, Title: "turn it down by .1", Twin: "parfait predict --at NAME=…", disabled: noFront, do: turn(explore.Nudge, -0.1)},
		{ID: "coefficient.type", Places: at, Keys: []string{"="}, Title: "type its value", Hint: "type", Bar: 5, Twin: "parfait predict --at NAME=…", disabled: noFront, do: askCoefficient},
		{ID: "coefficient.zero", Places: at, Keys: []string{"0"}, Title: "turn it to 0", Twin: "parfait predict --at NAME=0", disabled: noFront, do: turn(explore.Turn, 0)},
		{ID: "coefficient.one", Places: at, Keys: []string{"1"}, Title: "turn it to 1", Twin: "parfait predict --at NAME=1", disabled: noFront, do: turn(explore.Turn, 1)},
		{ID: "coefficient.digits", Places: at, Keys: []string{"2", "3", "4", "5", "6"}, Title: "no view: 0 and 1 are values here", disabled: digitsAreValues, do: nothing},
	}
}

// digitsAreValues says what a digit is for where 0 and 1 are values.
func digitsAreValues(*explorer) string {
	return "alt+1 … alt+6 lead to the views, = types a value"
}

// nothing is what an action does that only says why it does nothing.
func nothing(*explorer) tea.Cmd { return nil }

// pointActions are about the point in hand, wherever it shows.
func pointActions() []action {
	return []action{
		{ID: "point.front", Places: handed, Keys: []string{"r"}, Title: "back to the nearest point of the front", Hint: "back to the front|to the front", Bar: 8, Twin: "parfait front", disabled: onFront, do: move(explore.Move{Kind: explore.Return})},
		{ID: "point.next", Places: panes, Keys: []string{"n"}, Title: "to the next named point: knee, best of each task, uniform, pins", Hint: "named points", Twin: "parfait pick --knee", disabled: noFront, do: move(explore.Move{Kind: explore.Visit, N: 1})},
		{ID: "point.previous", Places: panes, Keys: []string{"N"}, Title: "to the previous named point", Twin: "parfait pick --knee", disabled: noFront, do: move(explore.Move{Kind: explore.Visit, N: -1})},
		{ID: "point.pin", Places: panes, Keys: []string{"p"}, Title: "pin the point in hand, or take its pin away", Hint: "pin", Bar: 7, disabled: noFront, do: togglePin},
		{ID: "point.compare", Places: panes, Keys: []string{"P"}, Title: "compare the pins and the point in hand side by side", Hint: "compare", Twin: "parfait predict --at …", disabled: noPins, do: compare},
		{ID: "point.undo", Places: panes, Keys: []string{"u"}, Title: "undo the last move", do: move(explore.Move{Kind: explore.Undo})},
		{ID: "point.redo", Places: panes, Keys: []string{"ctrl+r"}, Title: "redo what was undone", do: move(explore.Move{Kind: explore.Redo})},
		{ID: "point.recipe", Places: panes, Keys: []string{"w"}, Title: "copy the recipe of the point in hand, and show it", Hint: "recipe", Twin: "parfait predict --json", disabled: noFront, do: copyRecipe},
		{ID: "point.copy", Places: panes, Keys: []string{"W"}, Title: "copy the coefficients of the point in hand", Twin: "parfait predict --json", disabled: noFront, do: copyCoefficients},
		{ID: "point.pick", Places: panes, Keys: []string{"d"}, Title: "decide: record the point in hand as a pick, and why", Hint: "decide", Twin: "parfait pick --why …", Changes: true, Role: Operator, disabled: noFront, do: askPick},
		{ID: "point.evaluate", Places: panes, Keys: []string{"e"}, Title: "have the point in hand measured next", Hint: "evaluate", Bar: 6, Twin: "parfait trials --evaluate NAME=…", Changes: true, disabled: noEvaluate, do: evaluateHere},
	}
}

func runActions() []action {
	return []action{
		{ID: "run.toggle", Places: panes, Keys: []string{"s"}, Title: "start a runner that goes on by itself, or pause it", Hint: "start/pause", Bar: 9, Twin: "parfait run --headless", Changes: true, disabled: noRun, do: toggleRunner},
		{ID: "run.budget", Places: panes, Keys: []string{"b"}, Title: "change the budget of trials", Hint: "budget", Twin: "parfait run --budget N", Changes: true, do: askBudget},
		{ID: "export.open", Places: handed, Keys: []string{"enter"}, Title: "export the point in hand as a checkpoint", Hint: "export", Bar: 4, Twin: "parfait export --at … --out DIR", Changes: true, disabled: noFront, do: openExport},
	}
}

func zoomBy(f float64) func(*explorer) tea.Cmd {
	return func(e *explorer) tea.Cmd {
		z := max(e.zoom.Factor, 1) * f
		if e.zoom.Factor = math.Round(min(z, 50)*100) / 100; z < 1.05 {
			e.zoom = zoom{}
		}
		return e.keep()
	}
}

func notZoomed(e *explorer) string {
	if e.zoom.Factor <= 1 {
		return "everything is shown: z looks closer"
	}
	return ""
}

func panBy(x, y float64) func(*explorer) tea.Cmd {
	return func(e *explorer) tea.Cmd {
		e.zoom.PanX, e.zoom.PanY = e.zoom.PanX+x, e.zoom.PanY+y
		return e.keep()
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
	if e.state.Front >= 0 {
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

func noRun(e *explorer) string {
	if e.snap.Activity.Runner == study.Finished {
		return "the budget is spent: b sets another"
	}
	return ""
}
