package tui

import (
	"strings"

	tea "charm.land/bubbletea/v2"

	"parfait/tui/chart"
)

// help lists the keys of the place where it was asked for.
type help struct {
	of   Place
	top  int
	rows int
	n    int
}

func (h *help) place() Place                             { return PlaceHelp }
func (h *help) press(*explorer, tea.KeyPressMsg) tea.Cmd { return nil }

func (h *help) scroll(n int) { h.top = max(min(h.top+n, h.n-h.rows), 0) }

// helpLine is one line of help: a heading, or keys and what they do.
type helpLine struct {
	keys, text, why string
}

func (h *help) lines(e *explorer) []helpLine {
	here := helpLine{text: "Here: " + string(h.of)}
	out := []helpLine{here}
	wide := []helpLine{{}, {text: "Everywhere"}}
	for _, a := range e.keys.of(h.of) {
		names := make([]string, len(a.Keys))
		for i, k := range a.Keys {
			names[i] = keyName(k)
		}
		line := helpLine{keys: strings.Join(names, " "), text: a.Title, why: e.disabled(a)}
		if everywhere(*a) {
			wide = append(wide, line)
		} else {
			out = append(out, line)
		}
	}
	return append(out, wide...)
}

func (h *help) draw(e *explorer, c *chart.Canvas) {
	lines := h.lines(e)
	cw, ch := c.Size()
	w := min(86, cw-4)
	in := floating(c, w, min(len(lines)+2, ch-2), head("Keys", true), keyHints(e, PlaceHelp, w-6))
	iw, ih := in.Size()
	h.rows, h.n = ih, len(lines)
	h.scroll(0)
	for y, l := range limit(lines[h.top:], ih) {
		if l.keys == "" {
			in.Text(1, y, l.text, strong)
			continue
		}
		rightText(in, 0, y, 13, l.keys, accent)
		style := plain
		text := l.text
		if l.why != "" {
			style, text = faded, text+" — "+l.why
		}
		in.Text(15, y, chart.Clip(text, iw-16), style)
	}
	if h.top+ih < len(lines) {
		in.Text(iw-2, ih-1, "↓", accent)
	}
}
