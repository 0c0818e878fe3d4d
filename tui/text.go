package tui

import (
	"strings"

	"parfait/tui/chart"
)

// wrapText breaks text into lines of at most w cells, between words where it can.
func wrapText(text string, w int) []string {
	if w < 1 {
		return nil
	}
	var lines []string
	for _, paragraph := range strings.Split(text, "\n") {
		line := ""
		for _, word := range strings.Fields(paragraph) {
			for chart.Width(word) > w { // a word longer than a line is cut
				head := chart.Clip(word, w)
				head = strings.TrimSuffix(head, "…")
				if head == "" {
					break
				}
				if line != "" {
					lines, line = append(lines, line), ""
				}
				lines, word = append(lines, head), word[len(head):]
			}
			switch {
			case line == "":
				line = word
			case chart.Width(line)+1+chart.Width(word) <= w:
				line += " " + word
			default:
				lines, line = append(lines, line), word
			}
		}
		if line != "" {
			lines = append(lines, line)
		}
	}
	return lines
}

// wrapWithin breaks text into at most n lines of w cells. The last one says by "…" that there is more.
func wrapWithin(text string, w, n int) []string {
	all := wrapText(text, w)
	out := limit(all, n)
	if last := len(out) - 1; last >= 0 && len(out) < len(all) {
		text := strings.TrimSuffix(chart.Clip(out[last]+" "+all[last+1]+"…", w), "…")
		if words := strings.TrimRight(text, "0123456789."); strings.HasSuffix(words, " ") {
			text = strings.TrimRight(words, " ,") // without a figure that nobody knows what it is of, or half of one
		}
		figured := func() bool { return strings.TrimRight(text, "0123456789.") != text }
		for figured() && chart.Width(text)+2 > w { // one that is whole must not look cut
			text = strings.TrimRight(text[:max(strings.LastIndex(text, " "), 0)], " ,")
		}
		if figured() {
			text += " "
		}
		out[last] = text + "…"
	}
	return out
}

// fitting are as many of the words as fit into w cells: figures are left out whole, and "…" says so.
func fitting(words []string, w int) string {
	for n := len(words); n > 0; n-- {
		text := strings.Join(words[:n], "  ")
		if n < len(words) {
			text += "  …"
		}
		if chart.Width(text) <= w || n == 1 {
			return chart.Clip(text, w)
		}
	}
	return ""
}

func limit[T any](s []T, n int) []T { return s[:max(min(n, len(s)), 0)] }

// rightText draws text at the right end of w cells.
func rightText(c *chart.Canvas, x, y, w int, text string, s chart.Style) {
	text = chart.Clip(text, w)
	c.Text(x+w-chart.Width(text), y, text, s)
}

// centred draws text in the middle of row y.
func centred(c *chart.Canvas, y int, text string, s chart.Style) {
	w, _ := c.Size()
	text = chart.Clip(text, w)
	c.Text((w-chart.Width(text))/2, y, text, s)
}
