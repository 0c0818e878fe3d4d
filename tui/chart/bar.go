package chart

import "math"

// Bar is one horizontal bar from the low end of Range to Value, in eighths of a cell: ▆▆▆▆▆▆▋──┤
type Bar struct {
	Range Range
	Value float64
	Color Color

	// Upper, where it lies above Value, is the end of an interval drawn as a whisker.
	Upper float64

	// Floor, where Floored, is marked on the bar: in [Good] where the bar reaches it, else in [Bad].
	Floor   float64
	Floored bool
}

// eighths are the left parts of a block.
var eighths = []rune("▏▎▍▌▋▊▉")

// Draw draws the bar on the first row of c.
func (b Bar) Draw(c *Canvas) {
	w, h := c.Size()
	if w == 0 || h == 0 {
		return
	}
	for x := range w {
		c.Set(x, 0, ' ', Style{BG: Track})
	}
	t := b.Range.At(b.Value)
	if math.IsNaN(t) {
		c.Text(0, 0, Clip("—", w), Ink(Muted).On(Track))
		return
	}
	n := int(min(max(t, 0), 1)*float64(w)*8 + 0.5) // in eighths
	body := Ink(b.Color).On(Track)
	for x := range n / 8 {
		c.Set(x, 0, '▆', body)
	}
	b.whisker(c, (n+7)/8, w)
	if n%8 > 0 {
		c.Set(n/8, 0, eighths[n%8-1], body)
	}
	if x, ok := b.Range.cell(b.Floor, w); ok && b.Floored {
		s := Ink(Good).On(Track).With(Bold)
		if b.Range.At(b.Floor) > t {
			s.FG = Bad
		}
		c.Set(x, 0, '┃', s)
	}
}

func (b Bar) whisker(c *Canvas, from, w int) {
	t := b.Range.At(b.Upper)
	if !(t > b.Range.At(b.Value)) {
		return
	}
	end := floorCell(t, w)
	for x := from; x <= end; x++ {
		c.Set(x, 0, '─', Ink(b.Color).On(Track))
	}
	if end >= from && t <= 1 {
		c.Set(end, 0, '┤', Ink(b.Color).On(Track))
	}
}

// Progress is a line that fills in halves of a cell: ━━━━╸─────
type Progress struct {
	Fraction float64 // of the work done, in [0, 1]
	Color    Color
}

// Draw draws the line on the first row of c.
func (p Progress) Draw(c *Canvas) {
	w, _ := c.Size()
	t := p.Fraction
	if math.IsNaN(t) {
		t = 0
	}
	n := int(min(max(t, 0), 1)*float64(w)*2 + 0.5)
	done, rest := '━', '─'
	if c.Glyphs() == ASCII {
		done, rest = '=', '-'
	}
	for x := range w {
		switch {
		case x < n/2:
			c.Set(x, 0, done, Ink(p.Color))
		case x == n/2 && n%2 == 1 && c.Glyphs() != ASCII:
			c.Set(x, 0, '╸', Ink(p.Color))
		default:
			c.Set(x, 0, rest, Ink(Faded))
		}
	}
}

// Sparkline is a row of values as heights: ▁▂▄█▆. Where there are more values than cells a cell shows the
// largest of its share; values that are not finite leave a gap.
type Sparkline struct {
	Values []float64
	Range  Range // zero: that of the values
	Color  Color
}

var (
	heights      = []rune("▁▂▃▄▅▆▇█")
	heightsASCII = []rune("_.-=+*#@")
)

// Draw draws the values on the first row of c.
func (s Sparkline) Draw(c *Canvas) {
	w, h := c.Size()
	n := len(s.Values)
	if w == 0 || h == 0 || n == 0 {
		return
	}
	shapes := heights
	if c.Glyphs() == ASCII {
		shapes = heightsASCII
	}
	r := s.Range
	if r == (Range{}) {
		r = RangeOf(s.Values...)
	}
	cells := min(w, n)
	for x := range cells {
		share := RangeOf(s.Values[x*n/cells : (x+1)*n/cells]...)
		if share == (Range{}) && !anyFinite(s.Values[x*n/cells:(x+1)*n/cells]) {
			continue
		}
		i := floorCell(max(r.At(share.Hi), 0), len(shapes))
		c.Set(x, 0, shapes[max(i, 0)], Ink(s.Color))
	}
}

func anyFinite(values []float64) bool {
	for _, v := range values {
		if abs(v) <= extreme {
			return true
		}
	}
	return false
}
