package chart

import (
	"maps"
	"math"
	"slices"
)

// Contour is a map of a function of two variables: bands of colour between labelled iso-lines, with points
// on top.
type Contour struct {
	X, Y   Axis // zero ranges: those of the field
	Field  Field
	Format Format // of the labels on the iso-lines
	Levels int    // about how many iso-lines; 0 for as many as fit

	// Values, where not zero, is the range of the colours, so that several maps can share it.
	Values Range

	// Doubt is hatched where it is positive: where the function is not to be believed.
	Doubt Field

	Layers []Layer // as in [Scatter]
}

// Draw draws the map on the whole of c and says where its values lie. It takes time proportional to the
// cells and the points.
func (m *Contour) Draw(c *Canvas) Frame {
	f := drawAxes(c, orRange(m.X, m.Field.X), orRange(m.Y, m.Field.Y))
	plot := c.Sub(f.Plot.Min.X, f.Plot.Min.Y, f.Plot.Dx(), f.Plot.Dy())
	p := &scatterPlot{Scatter: &Scatter{Layers: m.Layers}, c: plot, f: f.within()}
	p.w, p.h = plot.Size()
	if p.w == 0 || p.h == 0 {
		return f
	}
	p.taken = make([]bool, p.w*p.h)
	if m.Field.ok() {
		values := m.Values
		if values == (Range{}) {
			values = m.Field.Range()
		}
		isoLines{p, m, values.usable()}.draw()
	}
	for i := range m.Layers {
		p.errorBars(&m.Layers[i])
		p.layer(&m.Layers[i])
	}
	p.labels()
	return f
}

func orRange(a Axis, r Range) Axis {
	if a.Range == (Range{}) {
		a.Range = r
	}
	a.Range = a.Range.usable()
	return a
}

// isoLines draws the field of a contour map.
type isoLines struct {
	*scatterPlot
	m      *Contour
	values Range
}

// rowsALevel is how many rows a band should have where the number of levels is left open.
const rowsALevel = 3

func (l isoLines) draw() {
	n := l.m.Levels
	if n <= 0 {
		n = min(max(l.h/rowsALevel, 3), 9)
	}
	step := niceStep((l.values.Hi - l.values.Lo) / float64(n))
	if math.IsInf(step, 0) {
		return
	}
	l.fill(step)
	if l.h > 1 && l.w > 1 {
		level := l.lines(step)
		l.hatch()
		l.label(level, step)
	}
}

// fill colours the cells by their band.
func (l isoLines) fill(step float64) {
	field := l.m.Field.sampler(l.f.X, l.f.Y, l.w, l.h)
	for cy := range l.h {
		for cx := range l.w {
			z := field.at(cx, l.h-1-cy)
			if math.IsNaN(z) {
				continue
			}
			mid := (math.Floor(z/step) + 0.5) * step
			l.c.SetStyle(cx, cy, Style{BG: Fill(l.values.At(mid))})
		}
	}
}

// lines draws the lines between bands and returns the band's number of every dot, for labels.
func (l isoLines) lines(step float64) map[int][][2]int {
	dots := newDotGrid(l.w, l.h, l.c.Glyphs())
	w, h := dots.Size()
	cells := map[int][][2]int{} // of each level's line
	above := make([]float64, w)
	row := make([]float64, w)
	field := l.m.Field.sampler(l.f.X, l.f.Y, w, h)
	for y := range h {
		for x := range w {
			row[x] = math.Floor(field.at(x, h-1-y) / step)
		}
		for x := range w {
			a := row[x]
			b, other := a, a
			if x > 0 {
				b = row[x-1]
			}
			if y > 0 {
				other = above[x]
			}
			if b == a || math.IsNaN(b) {
				b = other
			}
			if a == b || math.IsNaN(a) || math.IsNaN(b) {
				continue
			}
			level, cell := int(max(a, b)), [2]int{x >> dots.sx, y >> dots.sy}
			dots.Set(x, y, l.ink(level, step))
			if s := cells[level]; len(s) == 0 || s[len(s)-1] != cell {
				cells[level] = append(s, cell)
			}
		}
		row, above = above, row
	}
	dots.Draw(l.c, 0, 0)
	return cells
}

// ink is the style of a level's line.
func (l isoLines) ink(level int, step float64) Style {
	return Ink(Sequential(l.values.At(float64(level) * step)))
}

// hatch marks the cells that are in doubt.
func (l isoLines) hatch() {
	if !l.m.Doubt.ok() {
		return
	}
	doubt := l.m.Doubt.sampler(l.f.X, l.f.Y, l.w, l.h)
	for cy := range l.h {
		for cx := range l.w {
			if (cx+cy)%2 == 0 && doubt.at(cx, l.h-1-cy) > 0 && l.c.At(cx, cy).Text == " " {
				l.set(cx, cy, '╱', Ink(Muted))
			}
		}
	}
}

// label writes each level's value on its line, near the middle of the line and away from other labels.
func (l isoLines) label(cells map[int][][2]int, step float64) {
	format := l.m.Format
	if format == nil {
		format = Plain
	}
	for _, level := range slices.Sorted(maps.Keys(cells)) {
		text := format(float64(level)*step, step)
		n := Width(text)
		line := cells[level]
		for try := range line {
			// From the middle outwards: the ends of lines lie at the edges.
			i := len(line)/2 + (try+1)/2*(1-2*(try%2))
			if i < 0 || i >= len(line) {
				continue
			}
			if x, y := line[i][0]-n/2, line[i][1]; l.free(x-1, y, n+2) {
				l.write(x-1, y, " "+text+" ", Style{Attr: Bold})
				break
			}
		}
	}
}
