package tui

import (
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"parfait/tui/chart"
)

const scopePalette scope = "palette"

// palette finds an action by what it does.
type palette struct {
	field field
	of    scope // where it was opened
	at    int
}

func openPalette(e *explorer) tea.Cmd {
	e.above = &palette{field: newField(""), of: e.focus}
	return nil
}

func (*palette) place() place { return place{scopePalette, "The palette"} }

func (*palette) actions() []action {
	at := []scope{scopePalette}
	return []action{
		{ID: "palette.run", Scopes: at, Keys: []string{"enter"}, Title: "do it", Hint: "do it", do: on(func(e *explorer, p *palette) tea.Cmd { return p.run(e) })},
		{ID: "palette.down", Scopes: at, Keys: []string{"down", "ctrl+n"}, Pair: "↑↓", Title: "the next action", Hint: "choose", do: on(func(_ *explorer, p *palette) tea.Cmd { p.at++; return nil })},
		{ID: "palette.up", Scopes: at, Keys: []string{"up", "ctrl+p"}, Title: "the previous action", do: on(func(_ *explorer, p *palette) tea.Cmd { p.at--; return nil })},
	}
}

func (p *palette) press(_ *explorer, k tea.KeyPressMsg) tea.Cmd {
	p.field.press(k)
	p.at = 0
	return nil
}

func (p *palette) paste(_ *explorer, m tea.PasteMsg) tea.Cmd { //nolint:unparam // as pasted is
	p.field.insert(m.Content)
	return nil
}

// found are the actions that match what was typed: those of the scope first.
func (p *palette) found(e *explorer) []*action {
	var here, other []*action
	for i := range e.keys.all {
		a := &e.keys.all[i]
		if !p.offers(a) || !matches(a.Title+" "+a.ID+" "+a.Hint, p.field.Value()) {
			continue
		}
		if slices.Contains(a.Scopes, p.of) {
			here = append(here, a)
		} else {
			other = append(other, a)
		}
	}
	return append(here, other...)
}

// offers leaves out what belongs to dialogs.
func (p *palette) offers(a *action) bool {
	return slices.ContainsFunc(a.Scopes, func(q scope) bool { return slices.Contains(panes, q) })
}

// matches says whether every word of query is in text.
func matches(text, query string) bool {
	text = strings.ToLower(text)
	for _, word := range strings.Fields(strings.ToLower(query)) {
		if !strings.Contains(text, word) {
			return false
		}
	}
	return true
}

func (p *palette) run(e *explorer) tea.Cmd {
	found := p.found(e)
	e.above = nil
	if p.at >= len(found) {
		return nil
	}
	a := found[p.at]
	if slices.Contains(a.Scopes, e.focus) {
		return e.run(a)
	}
	e.goTo(a.Scopes[0])
	entered := e.view.refresh(e)
	return tea.Batch(entered, e.run(a))
}

// goTo gives the focus to a pane, in a view that has it.
func (e *explorer) goTo(p scope) {
	if v := e.viewAt(p); v != nil {
		e.view = v
	} else if !e.hasSide() { // the tasks, the coefficients
		e.view = e.views[0]
	}
	e.focus = p
}

func (p *palette) draw(e *explorer, c *chart.Canvas) {
	cw, ch := c.Size()
	w := min(80, cw-4)
	h := min(20, ch-4)
	in := floating(c, w, h, head("What to do", true), keyHints(e, scopePalette, w-6))
	iw, ih := in.Size()
	in.Text(1, 0, ":", accent)
	p.field.draw(in.Sub(3, 0, iw-4, 1), true)
	found := p.found(e)
	p.at = max(min(p.at, len(found)-1), 0)
	if len(found) == 0 {
		in.Text(2, 2, "nothing does that", muted)
		return
	}
	// The selected one is shown in full, and says why it cannot be done.
	full := []string{}
	if a := found[p.at]; ih > 4 {
		text := a.Title
		if why := e.disabled(a); why != "" {
			text += " — " + why
		}
		full = limit(wrapText(text, iw-10), 3)
	}
	more := max(len(full)-1, 0)
	first := window(p.at, len(found), ih-2-more)
	y := 2
	for i := first; i < len(found) && y < ih; i++ {
		a := found[i]
		style, key := plain, accent
		if e.disabled(a) != "" {
			style, key = faded, faded
		}
		lines := []string{chart.Clip(a.Title, iw-10)}
		if i == p.at && len(full) > 0 {
			lines = full
		}
		for k, line := range limit(lines, ih-y) {
			if i == p.at {
				in.Sub(0, y, iw, 1).Fill(' ', chart.Style{BG: chart.Selection})
				style.BG, key.BG = chart.Selection, chart.Selection
			}
			if k == 0 {
				rightText(in, 0, y, 7, keyName(a.Keys[0]), key)
			}
			in.Text(9, y, line, style)
			y++
		}
	}
}
