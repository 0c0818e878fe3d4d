package chart

// dotGrid is a picture finer than cells: 2×4 dots a cell with [Braille], 2×2 with [Block], 1×2 with
// [ASCII]. Every cell has one colour, the one drawn last.
type dotGrid struct {
	w, h   int  // cells
	sx, sy uint // log2 of the dots a cell
	glyphs Glyphs
	cells  []dotCell
}

// dotCell is the dots of one cell: bit 2y+x (y with ASCII) is the dot in column x of row y.
type dotCell struct {
	style Style
	bits  uint8
}

// newDotGrid returns an empty picture over w×h cells.
func newDotGrid(w, h int, g Glyphs) *dotGrid {
	w, h = max(w, 0), max(h, 0)
	d := &dotGrid{w: w, h: h, sx: 1, sy: 2, glyphs: g, cells: make([]dotCell, w*h)}
	switch g {
	case Block:
		d.sy = 1
	case ASCII:
		d.sx, d.sy = 0, 1
	}
	return d
}

// Size is the width and height in dots.
func (d *dotGrid) Size() (w, h int) { return d.w << d.sx, d.h << d.sy }

// Set sets the dot (x, y); outside it does nothing.
func (d *dotGrid) Set(x, y int, s Style) {
	if x < 0 || y < 0 || x >= d.w<<d.sx || y >= d.h<<d.sy {
		return
	}
	p := &d.cells[(y>>d.sy)*d.w+x>>d.sx]
	p.bits |= 1 << (y&(1<<d.sy-1)<<d.sx + x&(1<<d.sx-1))
	p.style = s
}

// Dashed sets the dots from (x0, y0) to (x1, y1), clipped to the picture, with gaps of as many dots as the
// dashes; 0 for none. Coordinates are in dots, with (0, 0) the corner of the first one; those that are not finite
// draw nothing.
func (d *dotGrid) Dashed(x0, y0, x1, y1 float64, dash int, s Style) {
	w, h := d.Size()
	const edge = 1e-6 // what ends at the far edge belongs to the last dot
	x0, y0, x1, y1, ok := clipLine(x0, y0, x1, y1, float64(w)-edge, float64(h)-edge)
	if !ok {
		return
	}
	n := int(max(abs(x1-x0), abs(y1-y0))) + 1
	dx, dy := (x1-x0)/float64(n), (y1-y0)/float64(n)
	for i := 0; i <= n; i++ {
		if dash <= 0 || i/dash%2 == 0 {
			d.Set(int(x0+float64(dx*float64(i))), int(y0+float64(dy*float64(i))), s)
		}
	}
}

func abs(v float64) float64 { return max(v, -v) }

// clipLine cuts a line to [0, w]×[0, h] (Liang and Barsky, 1984).
func clipLine(x0, y0, x1, y1, w, h float64) (a, b, c, d float64, ok bool) {
	for _, v := range [...]float64{x0, y0, x1, y1} {
		if !(abs(v) <= extreme) {
			return 0, 0, 0, 0, false
		}
	}
	t0, t1 := 0.0, 1.0
	dx, dy := x1-x0, y1-y0
	for _, e := range [...][2]float64{{-dx, x0}, {dx, w - x0}, {-dy, y0}, {dy, h - y0}} {
		switch p, q := e[0], e[1]; {
		case p == 0 && q < 0:
			return 0, 0, 0, 0, false
		case p < 0:
			t0 = max(t0, q/p)
		case p > 0:
			t1 = min(t1, q/p)
		}
	}
	return x0 + t0*dx, y0 + t0*dy, x0 + t1*dx, y0 + t1*dy, t0 <= t1
}

// Draw draws the picture on c with its corner at cell (x, y). Cells without a dot stay as they are, and
// so do the backgrounds.
func (d *dotGrid) Draw(c *Canvas, x, y int) {
	for i := range d.cells {
		if d.cells[i].bits == 0 {
			continue
		}
		cx, cy := x+i%d.w, y+i/d.w
		j := c.at(cx, cy)
		if j < 0 {
			continue
		}
		s := d.cells[i].style
		if s.BG == Default {
			s.BG = c.g.cells[j].style.BG
		}
		c.Set(cx, cy, d.rune(d.cells[i].bits), s)
	}
}

var (
	// brailleBit is where Unicode has the dot in column x of row y: bit 2y+x here.
	brailleBit = [8]rune{0x01, 0x08, 0x02, 0x10, 0x04, 0x20, 0x40, 0x80}
	quadrants  = []rune(" ▘▝▀▖▌▞▛▗▚▐▜▄▙▟█")
	halves     = []rune(" '.:")
)

func (d *dotGrid) rune(bits uint8) rune {
	switch d.glyphs {
	case Block:
		return quadrants[bits]
	case ASCII:
		return halves[bits]
	}
	r := rune(0x2800)
	for i, b := range brailleBit {
		if bits&(1<<i) != 0 {
			r |= b
		}
	}
	return r
}
