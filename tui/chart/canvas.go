package chart

import (
	"image"
	"unicode/utf8"
)

// Canvas is a grid of cells, or a window onto a part of one. Coordinates are columns and rows from
// the upper left corner; whatever falls outside is clipped, so that nothing drawn on a window reaches
// beyond it (but for a wide character of a neighbour that the window cuts in two: its other half
// turns into a space). The zero value is an empty canvas. Not safe for concurrent use.
type Canvas struct {
	g      *grid
	bounds image.Rectangle // within the grid
}

// grid is the memory that a canvas and its windows share.
type grid struct {
	w, h     int
	glyphs   Glyphs
	cells    []cell
	clusters []string       // characters of more than one code point: rune -1-i is clusters[i]
	index    map[string]int // where a cluster is in clusters
}

// cell is one character, or the right half of a wide one.
type cell struct {
	r     rune
	width int8 // 1, 2, or 0 for the right half of a wide character
	style Style
}

var blank = cell{r: ' ', width: 1}

// Cell is what one cell of a canvas shows. Width is 2 for a wide character, whose right half is a
// cell of its own with Width 0 and no Text.
type Cell struct {
	Text  string
	Width int
	Style Style
}

// MaxSide is the longest side of a canvas. No screen is longer, and a terminal that claims to be must not
// exhaust the memory.
const MaxSide = 1000

// NewCanvas returns an empty canvas of w×h cells, each cut to [0, MaxSide].
func NewCanvas(w, h int, glyphs Glyphs) *Canvas {
	c := &Canvas{g: &grid{glyphs: glyphs}}
	c.Resize(w, h)
	return c
}

// Resize makes c a canvas of w×h empty cells as [NewCanvas] does, in the memory that it has where that is enough.
// Windows of it become invalid. It must not be called on a window.
func (c *Canvas) Resize(w, h int) {
	if c.g == nil {
		c.g = &grid{}
	}
	g := c.g
	g.w, g.h = min(max(w, 0), MaxSide), min(max(h, 0), MaxSide)
	if n := g.w * g.h; cap(g.cells) >= n {
		g.cells = g.cells[:n]
	} else {
		g.cells = make([]cell, n)
	}
	for i := range g.cells {
		g.cells[i] = blank
	}
	g.clusters = g.clusters[:0]
	clear(g.index)
	c.bounds = image.Rect(0, 0, g.w, g.h)
}

// Size is the width and height in cells.
func (c *Canvas) Size() (w, h int) { return c.bounds.Dx(), c.bounds.Dy() }

// Glyphs is the glyph set of the canvas.
func (c *Canvas) Glyphs() Glyphs {
	if c.g == nil {
		return Braille
	}
	return c.g.glyphs
}

// Sub is the window of w×h cells at (x, y), cut to c. Drawing on it draws on c.
func (c *Canvas) Sub(x, y, w, h int) *Canvas {
	// Clamp before adding: a caller's arithmetic may be off, and must not overflow here.
	cw, ch := c.Size()
	x0, y0 := min(max(x, 0), cw), min(max(y, 0), ch)
	x1, y1 := clampEnd(x, w, cw), clampEnd(y, h, ch)
	return &Canvas{g: c.g, bounds: image.Rect(x0, y0, max(x1, x0), max(y1, y0)).Add(c.bounds.Min)}
}

// clampEnd is start+n, at most limit and at least 0, without overflow.
func clampEnd(start, n, limit int) int {
	if n <= 0 {
		return 0
	}
	if start >= limit-n {
		return limit
	}
	return max(start+n, 0)
}

// At is the cell at (x, y), or the zero Cell outside.
func (c *Canvas) At(x, y int) Cell {
	i := c.at(x, y)
	if i < 0 {
		return Cell{}
	}
	p := c.g.cells[i]
	return Cell{Text: c.g.text(p.r), Width: int(p.width), Style: p.style}
}

// Set draws r, which must be one cell wide (others become "?"), at (x, y).
func (c *Canvas) Set(x, y int, r rune, s Style) {
	if i := c.at(x, y); i >= 0 {
		if (r < ' ' || r > '~') && !narrow(r) {
			r = '?'
		}
		c.g.put(i, cell{r: c.g.glyphs.fold(r), width: 1, style: s})
	}
}

// SetStyle changes the style at (x, y) and leaves what is shown there.
func (c *Canvas) SetStyle(x, y int, s Style) {
	if i := c.at(x, y); i >= 0 {
		c.g.cells[i].style = s
	}
}

// style is the style at (x, y), or the zero Style outside.
func (c *Canvas) style(x, y int) Style {
	if i := c.at(x, y); i >= 0 {
		return c.g.cells[i].style
	}
	return Style{}
}

// Text draws text from (x, y) to the right in one line and returns the number of columns it takes,
// drawn or clipped. No control character gets through: white space becomes a space, other controls
// "?". Characters whose width depends on the terminal (joined emoji, flags) are reduced to their first
// code point. With [ASCII] glyphs, what has no likeness in ASCII is "?".
func (c *Canvas) Text(x, y int, text string, s Style) int {
	w, h := c.Size()
	if y < 0 || y >= h {
		return Width(text)
	}
	n := 0
	eachCluster(text, func(g string, gw int) bool {
		if at := x + n; at > -gw && at < w {
			c.cluster(at, y, g, gw, s)
		}
		n += gw
		return true
	})
	return n
}

// Fill draws r on every cell of the canvas.
func (c *Canvas) Fill(r rune, s Style) {
	w, h := c.Size()
	for y := range h {
		for x := range w {
			c.Set(x, y, r, s)
		}
	}
}

// Draw copies src, clipped, with its upper left corner at (x, y). Src must not overlap c.
func (c *Canvas) Draw(src *Canvas, x, y int) {
	w, h := src.Size()
	for sy := range h {
		for sx := range w {
			i := src.at(sx, sy)
			p := src.g.cells[i]
			switch {
			case p.width == 0 && sx > 0:
				continue // drawn with its left half
			case p.width == 0 || p.width == 2 && sx+1 == w:
				c.Set(x+sx, y+sy, ' ', p.style) // the window src cuts it in two
			case p.r >= 0 && p.width == 1:
				if j := c.at(x+sx, y+sy); j >= 0 {
					p.r = c.g.glyphs.fold(p.r)
					c.g.put(j, p)
				}
			default:
				c.cluster(x+sx, y+sy, src.g.text(p.r), int(p.width), p.style)
			}
		}
	}
}

// cluster draws one admitted cluster, or spaces where an edge cuts a wide one in two.
func (c *Canvas) cluster(x, y int, text string, width int, s Style) {
	left := c.at(x, y)
	if width == 1 {
		if left >= 0 {
			c.g.put(left, cell{r: c.g.rune(text), width: 1, style: s})
			if text == "±" && c.g.glyphs == ASCII {
				c.plusMinus(x, y, s)
			}
		}
		return
	}
	right := c.at(x+1, y)
	switch {
	case left >= 0 && right >= 0 && c.g.glyphs != ASCII:
		c.g.put(left, blank)
		c.g.put(right, blank)
		c.g.cells[left] = cell{r: c.g.rune(text), width: 2, style: s}
		c.g.cells[right] = cell{width: 0, style: s}
		return
	case left >= 0 && right >= 0:
		c.g.put(left, cell{r: '?', width: 1, style: s})
		c.g.put(right, cell{r: '?', width: 1, style: s})
	case left >= 0:
		c.g.put(left, cell{r: ' ', width: 1, style: s})
	case right >= 0:
		c.g.put(right, cell{r: ' ', width: 1, style: s})
	}
}

// plusMinus writes the sign at (x, y) as "+-", for which ASCII takes two cells: the space before it, which
// separates it from its value, is the other one. Without such a space it stays a "+".
func (c *Canvas) plusMinus(x, y int, s Style) {
	if i := c.at(x-1, y); i >= 0 && c.g.cells[i].r == ' ' && c.g.cells[i].width == 1 {
		c.g.put(i, cell{r: '+', width: 1, style: s})
		c.g.put(c.at(x, y), cell{r: '-', width: 1, style: s})
	}
}

// at is where the cell (x, y) lies in the grid, or -1 outside.
func (c *Canvas) at(x, y int) int {
	if x < 0 || y < 0 || x >= c.bounds.Dx() || y >= c.bounds.Dy() {
		return -1
	}
	return (c.bounds.Min.Y+y)*c.g.w + c.bounds.Min.X + x
}

// put stores v, one cell wide, and blanks the other half of a wide character that it overwrites.
func (g *grid) put(i int, v cell) {
	switch g.cells[i].width {
	case 2:
		g.cells[i+1].r, g.cells[i+1].width = ' ', 1
	case 0:
		g.cells[i-1].r, g.cells[i-1].width = ' ', 1
	}
	g.cells[i] = v
}

// rune is how cells hold text: a code point folded into the glyph set, or a number below zero that
// stands for several.
func (g *grid) rune(text string) rune {
	r, n := utf8.DecodeRuneInString(text)
	if n == len(text) || g.glyphs == ASCII {
		return g.glyphs.fold(r)
	}
	i, ok := g.index[text]
	if !ok {
		if g.index == nil {
			g.index = map[string]int{}
		}
		i = len(g.clusters)
		g.clusters = append(g.clusters, text)
		g.index[text] = i
	}
	return rune(-1 - i)
}

// text is the inverse of rune; the right half of a wide character is empty.
func (g *grid) text(r rune) string {
	switch {
	case r < 0:
		return g.clusters[-1-r]
	case r == 0:
		return ""
	default:
		return string(r)
	}
}

// narrow reports whether r alone is drawn in one cell on every terminal.
func narrow(r rune) bool {
	if r >= 0x2500 && r < 0x25fd || r >= 0x2800 && r <= 0x28ff { // boxes, blocks, shapes, braille
		return true
	}
	text := string(r)
	g, w := admit(text)
	return w == 1 && g == text
}
