package chart

import "math"

// Slider is a value on a range with its ends: ├───────●────┤
type Slider struct {
	Range   Range
	Value   float64
	Color   Color // of the handle
	Focused bool

	// Known is the part of the range that is drawn firmly, such as where samples are; zero for all.
	Known Range
}

// Draw draws the slider on the first row of c.
func (s Slider) Draw(c *Canvas) {
	w, h := c.Size()
	if w == 0 || h == 0 {
		return
	}
	x0, n := s.rail(w)
	for x := range n {
		r, style := '─', Ink(Faded)
		if s.Focused {
			style = Ink(Accent)
		}
		if v := s.Range.center(x, n); s.Known != (Range{}) && !s.Known.contains(v) {
			r, style = '╌', Ink(Faded)
		}
		c.Set(x0+x, 0, r, style)
	}
	if x0 > 0 {
		end := Ink(Faded)
		if s.Focused {
			end = Ink(Accent)
		}
		c.Set(0, 0, '├', end)
		c.Set(w-1, 0, '┤', end)
	}
	handle := Ink(s.Color)
	if s.Focused {
		handle.Attr = Bold
	}
	switch t := s.Range.At(s.Value); {
	case math.IsNaN(t):
	case t < 0:
		c.Set(x0, 0, '◂', handle)
	case t > 1:
		c.Set(x0+n-1, 0, '▸', handle)
	default:
		x, _ := s.Range.cell(s.Value, n)
		c.Set(x0+x, 0, '●', handle)
	}
}

// rail is where the line between the ends starts, and its length.
func (s Slider) rail(w int) (start, n int) {
	if w < 5 {
		return 0, max(w, 1)
	}
	return 1, w - 2
}
