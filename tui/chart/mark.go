package chart

import "math"

// Mark is how a point of a scatter plot is drawn. Marks differ in shape with every glyph set, so that
// no colour is needed to tell them apart.
type Mark uint8

// Marks.
const (
	MarkMeasured  Mark = iota // ⠂ a dot where it falls in the cell
	MarkPredicted             // ●
	MarkOnFront               // ◦
	MarkModel                 // ▲
	MarkUniform               // ✚
	MarkKnee                  // ◆
	MarkPinned                // ◇
	MarkInHand                // ◉
	marks
)

var markShapes = [marks]struct {
	r     rune
	color Color
}{
	MarkMeasured:  {'⠂', Measured},
	MarkPredicted: {'●', Predicted},
	MarkOnFront:   {'◦', OnFront},
	MarkModel:     {'▲', Model},
	MarkUniform:   {'✚', Uniform},
	MarkKnee:      {'◆', Knee},
	MarkPinned:    {'◇', Pinned},
	MarkInHand:    {'◉', InHand},
}

// Rune is the character of the mark in the richest glyph set; a canvas folds it into its own.
func (m Mark) Rune() rune { return markShapes[m%marks].r }

// Color is the colour of the mark unless the plot gives it another meaning.
func (m Mark) Color() Color { return markShapes[m%marks].color }

// faded is the character of the mark where it is out of the way: hollow where there is such a one.
func (m Mark) faded() rune {
	switch m {
	case MarkPredicted:
		return '○'
	case MarkModel:
		return '△'
	}
	return m.Rune()
}

// style is the mark's own style; what is in hand stands out without colour too.
func (m Mark) style() Style {
	s := Ink(m.Color())
	if m == MarkInHand {
		s.Attr = Bold
	}
	return s
}

// levels are the shapes that stand beside the colours of a scale.
var (
	levelRunes = []rune("◔◑◕●") // and not ○, which ◦ would be taken for
	levelASCII = []rune("0123456789")
)

// levelShapes are the shapes in g, the lowest first.
func levelShapes(g Glyphs) []rune {
	if g == ASCII {
		return levelASCII
	}
	return levelRunes
}

// levelRune is the shape for t in [0, 1].
func levelRune(t float64, g Glyphs) rune {
	shapes := levelShapes(g)
	if math.IsNaN(t) {
		return '?'
	}
	return shapes[max(floorCell(t, len(shapes)), 0)]
}
