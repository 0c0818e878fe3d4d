package chart

import (
	"strings"
	"unicode/utf8"
)

// Lines renders the canvas for a terminal: one string a row, each exactly as wide as the canvas. A line
// begins and ends in the terminal's default style, and equal cells give equal bytes, whatever the rest of
// the canvas shows.
func (c *Canvas) Lines(t *Theme) []string {
	w, h := c.Size()
	lines := make([]string, h)
	b := make([]byte, 0, w*4)
	for y := range h {
		b = c.appendLine(b[:0], t, y, w)
		lines[y] = string(b)
	}
	return lines
}

// String renders the canvas for a terminal, lines separated by newlines.
func (c *Canvas) String(t *Theme) string {
	w, h := c.Size()
	b := make([]byte, 0, (w*2+1)*h)
	for y := range h {
		if y > 0 {
			b = append(b, '\n')
		}
		b = c.appendLine(b, t, y, w)
	}
	return string(b)
}

func (c *Canvas) appendLine(b []byte, t *Theme, y, w int) []byte {
	if w == 0 {
		return b
	}
	var style Style
	var now look
	row := c.g.cells[c.at(0, y):][:w]
	for x, p := range row {
		if p.r == ' ' {
			p.style = betweenWords(row, x, style)
		}
		if p.style != style {
			to := t.look(p.style)
			b = appendSGR(b, now, to)
			style, now = p.style, to
		}
		b = c.g.appendText(b, row, x)
	}
	return appendSGR(b, now, look{})
}

// appendText appends what the cell at x shows. A wide character that the window cuts in two is a space.
func (g *grid) appendText(b []byte, row []cell, x int) []byte {
	p := row[x]
	switch {
	case p.width == 0 && x > 0:
		return b
	case p.width == 0, p.width == 2 && x+1 == len(row):
		return append(b, ' ')
	case p.r < 0:
		return append(b, g.clusters[-1-p.r]...)
	default:
		return utf8.AppendRune(b, p.r)
	}
}

// betweenWords is the style of the space at x after a cell of style before. A single space between words of
// one style, and any space on the background that is there already, keeps that style: to leave it and come
// back would cost more bytes than the word.
func betweenWords(row []cell, x int, before Style) Style {
	s := spaceStyle(row[x].style)
	if spaceStyle(before) != s {
		return s
	}
	if s.BG != Default || x+1 < len(row) && row[x+1].r != ' ' && row[x+1].style == before {
		return before
	}
	return s
}

// spaceStyle drops what cannot be seen on a space, so that it does not change the style.
func spaceStyle(s Style) Style {
	if s.Attr&(Underline|Reverse|Strike) != 0 {
		return s
	}
	return Style{BG: s.BG}
}

// Plain is what the canvas shows without styles, every line exactly as wide as the canvas and ended by
// a newline: for tests, logs and pipes.
func (c *Canvas) Plain() string {
	w, h := c.Size()
	b := make([]byte, 0, (w*2+1)*h)
	for y := range h {
		if w > 0 {
			row := c.g.cells[c.at(0, y):][:w]
			for x := range row {
				b = c.g.appendText(b, row, x)
			}
		}
		b = append(b, '\n')
	}
	return string(b)
}

// StyleMap is the styles of the canvas without its text: a letter a cell ("." for the default style),
// then what the letters stand for. For golden tests, beside [Canvas.Plain].
func (c *Canvas) StyleMap() string {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	names := map[Style]byte{{}: '.'}
	var order []Style
	var b strings.Builder
	w, h := c.Size()
	for y := range h {
		for x := range w {
			p := c.g.cells[c.at(x, y)]
			if p.r == ' ' {
				p.style = spaceStyle(p.style)
			}
			letter, ok := names[p.style]
			if !ok {
				letter = '#'
				if len(order) < len(letters) {
					letter = letters[len(order)]
				}
				names[p.style] = letter
				order = append(order, p.style)
			}
			b.WriteByte(letter)
		}
		b.WriteByte('\n')
	}
	for _, s := range order {
		b.WriteByte(names[s])
		b.WriteByte(' ')
		b.WriteString(s.String())
		b.WriteByte('\n')
	}
	return b.String()
}
