package tui

import (
	tea "charm.land/bubbletea/v2"

	"parfait/tui/chart"
)

// tourHints are what a person is told the first time, one at a time. Any of the keys that they name moves
// on to the next.
var tourHints = []struct {
	text string
	ids  []string // actions that show that it was understood
}{
	{"Each ● is a merge that could be had: nothing beats it on everything. ← and → walk along this front.", []string{"front.right", "front.left"}},
	{"↑ and ↓ choose a task; + moves to more of it at the least cost to the others. The line below the bars says what that costs.", []string{"task.more", "task.less", "task.next", "task.previous"}},
	{"tab goes to the coefficients: turn them with ← and → and see what is predicted. r leads back to the front.", []string{"screen.tab", "screen.back-tab"}},
	{"● ◐ ○ beside each task say how far its predictions are to be believed. e has the point in hand measured.", []string{"point.evaluate"}},
	{"enter writes what is in hand as a checkpoint and measures it. ? shows all keys, : finds what to do.", []string{"export.open", "screen.help", "screen.palette"}},
}

// drawTour draws the next hint, out of the way of what it is about.
func (e *explorer) drawTour(c *chart.Canvas) {
	hint := tourHints[len(tourHints)-e.tour]
	w, h := c.Size()
	width := min(w-4, 62)
	lines := wrapText(hint.text, width-4)
	box := c.Sub((w-width)/2, h-4-len(lines), width, len(lines)+2)
	box.Fill(' ', plain)
	title := []chart.Span{{Text: "hint ", Style: accent.With(chart.Bold)}, {Text: string(rune('0'+len(tourHints)-e.tour+1)) + " of 5", Style: muted}}
	in := chart.Box{Edge: accent, Title: title, Footer: []chart.Span{{Text: "esc", Style: accent}, {Text: " no more hints", Style: muted}}}.Draw(box)
	for i, line := range lines {
		in.Text(1, i, line, plain)
	}
}

// learn moves the tour on where an action was what the hint is about.
func (e *explorer) learn(a *action) tea.Cmd {
	if e.tour == 0 {
		return nil
	}
	for _, id := range tourHints[len(tourHints)-e.tour].ids {
		if id == a.ID {
			e.tour--
			break
		}
	}
	if e.tour == 0 {
		return e.endTour()
	}
	return nil
}

// endTour keeps the hints from ever coming back.
func (e *explorer) endTour() tea.Cmd {
	e.tour = 0
	if e.o.TourDone == nil {
		return nil
	}
	return e.work("remember that the hints were seen", func() tea.Msg {
		e.o.TourDone()
		return nil
	})
}
