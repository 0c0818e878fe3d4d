package chart

// label is a text to be placed beside a point.
type label struct {
	cx, cy int
	text   string
	style  Style
	must   bool
}

// labels writes the labels of all layers, the last first. What is in hand is always labelled, the others
// where there is room.
func (p *scatterPlot) labels() {
	for i := len(p.Layers) - 1; i >= 0; i-- {
		l := &p.Layers[i]
		for j := len(l.Points) - 1; j >= 0; j-- {
			pt := &l.Points[j]
			if pt.Label == "" {
				continue
			}
			if cx, cy, ok := p.f.Cell(pt.X, pt.Y); ok {
				_, style := l.look(pt, p.c.Glyphs())
				p.place(label{cx, cy, pt.Label, style, l.Mark == MarkInHand})
			}
		}
	}
}

// minLabel is the fewest cells worth writing a cut label in.
const minLabel = 4

// place writes a label at the first place that is free: right of the point, left of it, above, below,
// then cut.
func (p *scatterPlot) place(l label) {
	n := Width(l.text)
	places := [...][2]int{
		{l.cx + 2, l.cy},
		{l.cx - 1 - n, l.cy},
		{l.cx + 1, l.cy - 1},
		{l.cx + 1, l.cy + 1},
		{l.cx - n, l.cy - 1},
		{l.cx - n, l.cy + 1},
		{l.cx - n/2, l.cy - 1},
		{l.cx - n/2, l.cy + 1},
	}
	for _, gap := range [...]int{1, 0} {
		for _, at := range places {
			if p.free(at[0], at[1], n) && (gap == 0 || p.clear(l, at[0]-gap, at[1]) && p.clear(l, at[0]+n, at[1])) {
				p.write(at[0], at[1], l.text, l.style)
				return
			}
		}
	}
	room := 0
	for p.free(l.cx+2, l.cy, room+1) {
		room++
	}
	if l.must {
		room = max(room, p.w-l.cx-2)
	}
	if room >= minLabel || l.must && room > 0 {
		p.write(l.cx+2, l.cy, Clip(l.text, room), l.style)
	}
}

// free reports whether n cells from (x, y) lie in the plot and hold neither mark nor label.
func (p *scatterPlot) free(x, y, n int) bool {
	if y < 0 || y >= p.h || x < 0 || n > p.w-x {
		return false
	}
	for i := x; i < x+n; i++ {
		if p.taken[y*p.w+i] {
			return false
		}
	}
	return true
}

// clear reports whether the cell beside a label could not be read as part of it: it is outside the plot, free or
// the label's own point.
func (p *scatterPlot) clear(l label, x, y int) bool {
	return x < 0 || x >= p.w || x == l.cx && y == l.cy || p.free(x, y, 1)
}

// write draws a label and takes its cells.
func (p *scatterPlot) write(x, y int, text string, s Style) {
	eachCluster(text, func(g string, w int) bool {
		s.BG = p.c.style(x, y).BG
		p.c.cluster(x, y, g, w, s)
		for i := x; i < x+w && i < p.w; i++ {
			p.taken[y*p.w+i] = true
		}
		x += w
		return x < p.w
	})
}
