package chart

import "math"

// HeatMap is a table of numbers whose cells are coloured by them.
type HeatMap struct {
	Rows, Cols []string
	Values     [][]float64 // a row for each of Rows, a value for each of Cols; NaN is empty
	Range      Range       // of the colours; zero: that of the values
	Diverging  bool        // colours by sign: Range is made symmetric around 0
	Format     Format

	// Row and Col are in view, and selected where Selected.
	Row, Col int
	Selected bool
}

// Draw draws the table on the whole of c: as many columns and rows around the selected one as fit.
func (m *HeatMap) Draw(c *Canvas) {
	w, h := c.Size()
	if w == 0 || h == 0 {
		return
	}
	names := 0
	for _, r := range m.Rows {
		names = max(names, Width(r))
	}
	names = min(names, w/3)
	text, figures := m.texts()
	column := figures
	for _, most := range []int{24, 10} { // names are cut where not all columns fit
		column = figures
		for _, name := range m.Cols {
			column = max(column, min(Width(name), most))
		}
		if names+len(m.Cols)*(column+1) <= w {
			break
		}
	}
	column = max(min(column, w-names-1), 1)
	cols := max((w-names)/(column+1), 1)
	rows := max(h-1, 1)
	firstCol, firstRow := scrolled(m.Col, len(m.Cols), cols), scrolled(m.Row, len(m.Rows), rows)

	top := 1
	if h == 1 {
		top = 0
	}
	for j := firstCol; j < min(firstCol+cols, len(m.Cols)) && top > 0; j++ {
		name := Clip(m.Cols[j], column)
		c.Text(names+1+(j-firstCol)*(column+1)+column-Width(name), 0, name, m.head(m.Selected && j == m.Col))
	}
	if firstCol > 0 && names > 0 && top > 0 {
		c.Set(names-1, 0, '◂', Ink(Muted))
	}
	if firstCol+cols < len(m.Cols) && names+cols*(column+1) < w && top > 0 {
		c.Set(names+cols*(column+1), 0, '▸', Ink(Muted))
	}
	r := m.scale()
	for i := firstRow; i < min(firstRow+rows, len(m.Rows)); i++ {
		y := top + i - firstRow
		c.Text(0, y, Clip(m.Rows[i], names), m.head(m.Selected && i == m.Row))
		for j := firstCol; j < min(firstCol+cols, len(m.Cols)); j++ {
			s := m.style(i, j, r)
			x := names + 1 + (j-firstCol)*(column+1)
			for k := range column {
				c.Set(x+k, y, ' ', s)
			}
			if i < len(text) && j < len(text[i]) {
				t := Clip(text[i][j], column)
				c.Text(x+column-Width(t), y, t, s)
			}
		}
	}
}

// scrolled is the first of n things shown where so many fit and the one at must be seen.
func scrolled(at, n, fit int) int {
	return max(min(at-fit/2, n-fit), 0)
}

func (m *HeatMap) head(selected bool) Style {
	if selected {
		return Ink(Accent).With(Bold)
	}
	return Ink(Muted)
}

// texts writes the values and says how wide the widest is.
func (m *HeatMap) texts() (text [][]string, width int) {
	format := m.Format
	if format == nil {
		format = Plain
	}
	for _, row := range m.Values {
		line := make([]string, len(row))
		for j, v := range row {
			line[j] = format(v, 0)
			width = max(width, Width(line[j]))
		}
		text = append(text, line)
	}
	return text, width
}

func (m *HeatMap) scale() Range {
	r := m.Range
	if r == (Range{}) {
		r = empty
		for _, row := range m.Values {
			for _, v := range row {
				r = r.with(v)
			}
		}
		r = r.orZero()
	}
	if m.Diverging {
		top := max(abs(r.Lo), abs(r.Hi))
		return Range{-top, top}.usable()
	}
	return r.usable()
}

func (m *HeatMap) style(i, j int, r Range) Style {
	v := nan
	if i < len(m.Values) && j < len(m.Values[i]) {
		v = m.Values[i][j]
	}
	s := Style{FG: Contrast}
	switch t := r.At(v); {
	case math.IsNaN(t):
		s.FG = Muted
	case m.Diverging:
		s.BG = Diverging(2*t - 1)
	default:
		s.BG = Sequential(t)
	}
	if m.Selected && i == m.Row && j == m.Col {
		s.Attr = Bold | Underline
	}
	return s
}
