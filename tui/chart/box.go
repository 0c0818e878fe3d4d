package chart

// Box is a frame with round corners around a canvas: ╭ title ───╮
type Box struct {
	Edge   Style
	Title  []Span // on the upper edge
	Footer []Span // on the lower edge
}

// Draw draws the box along the edges of c and returns the window inside, which is empty where c is too
// small for one.
func (b Box) Draw(c *Canvas) *Canvas {
	w, h := c.Size()
	if w < 2 || h < 2 {
		return c.Sub(0, 0, 0, 0)
	}
	for x := 1; x < w-1; x++ {
		c.Set(x, 0, '─', b.Edge)
		c.Set(x, h-1, '─', b.Edge)
	}
	for y := 1; y < h-1; y++ {
		c.Set(0, y, '│', b.Edge)
		c.Set(w-1, y, '│', b.Edge)
	}
	for _, corner := range []struct {
		x, y int
		r    rune
	}{{0, 0, '╭'}, {w - 1, 0, '╮'}, {0, h - 1, '╰'}, {w - 1, h - 1, '╯'}} {
		c.Set(corner.x, corner.y, corner.r, b.Edge)
	}
	onEdge(c, 0, 1, b.Title)
	onEdge(c, h-1, 2, b.Footer)
	return c.Sub(1, 1, w-2, h-2)
}

// Rule draws a line across the box that c is the inside of, joined to its edges: ├ title ──┤. Row y is
// counted inside. Box is what [Box.Draw] drew on.
func (b Box) Rule(box *Canvas, y int, title []Span) {
	w, h := box.Size()
	if y++; w < 2 || y < 1 || y >= h-1 {
		return
	}
	for x := 1; x < w-1; x++ {
		box.Set(x, y, '─', b.Edge)
	}
	box.Set(0, y, '├', b.Edge)
	box.Set(w-1, y, '┤', b.Edge)
	onEdge(box, y, 1, title)
}

// onEdge writes text on an edge, between spaces, as far as it goes.
func onEdge(c *Canvas, y, from int, text []Span) {
	w, _ := c.Size()
	text = ClipSpans(text, w-from-3)
	if n := SpansWidth(text); n > 0 {
		c.Set(from, y, ' ', Style{})
		c.Spans(from+1, y, text...)
		c.Set(from+1+n, y, ' ', Style{})
	}
}
