package tui

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"parfait/tui/chart"
)

// drawBar draws the keys of the scope, or what there is to say.
func (e *explorer) drawBar(c *chart.Canvas) {
	w, _ := c.Size()
	if e.note.text != "" {
		c.Text(1, 0, chart.Clip(e.note.text, w-2), e.note.style)
		return
	}
	c.Spans(1, 0, keyHints(e, e.focus, w-2)...)
}

// keyHints are the keys of a scope in at most w cells, in the order of the actions; help comes last and
// is always there.
func keyHints(e *explorer, p scope, w int) []chart.Span {
	hint := func(a *action, keys, text string) []chart.Span {
		key, label := accent, muted
		if e.disabled(a) != "" {
			key, label = faded, faded
		}
		return []chart.Span{{Text: keys, Style: key}, {Text: " " + text, Style: label}}
	}
	var tail []chart.Span
	if a, ok := e.keys.find(p, "?"); ok {
		tail = hint(a, "?", "help")
	}
	room := w
	if tail != nil {
		room -= chart.SpansWidth(tail) + 2
	}
	var out []chart.Span
	for _, a := range ranked(e.keys.of(p)) {
		if a.Hint == "" || a.Keys[0] == "?" || a.Changes && e.viewer { // help says what operators may
			continue
		}
		text, brief, _ := strings.Cut(a.Hint, "|")
		if w < 110 && brief != "" {
			text = brief
		}
		if a.Quiet && e.disabled(a) != "" {
			continue // what this study does not have, or what is over
		}
		next := hint(a, cmp.Or(a.Pair, keyName(a.Keys[0])), text)
		n := chart.SpansWidth(next)
		if out != nil {
			n += 2
		}
		if n > room {
			continue
		}
		out, room = join(out, next), room-n
	}
	return join(out, tail)
}

// ranked puts actions in the order in which the bar takes them in.
func ranked(all []*action) []*action {
	out := slices.Clone(all)
	rank := func(a *action) int {
		if a.Bar == 0 {
			return math.MaxInt
		}
		return a.Bar
	}
	slices.SortStableFunc(out, func(a, b *action) int { return cmp.Compare(rank(a), rank(b)) })
	return out
}

// join puts space between keys.
func join(a, b []chart.Span) []chart.Span {
	if len(a) > 0 && len(b) > 0 {
		a = append(a, chart.Span{Text: "  "})
	}
	return append(a, b...)
}
