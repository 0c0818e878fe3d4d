package chart

import (
	"fmt"
	"math"
	"strings"
)

// Color is what a cell is to look like, resolved by a [Theme]: a semantic colour (the constants
// below), a step of a scale ([Sequential], [Diverging], [Fill]), a category ([Series]), or a literal
// ([RGB], [ANSI]). The zero value is the terminal's own foreground or background.
type Color uint32

// Semantic colours. The first is the terminal's default; [Surface] to [Track] are backgrounds.
const (
	Default   Color = iota
	Muted           // secondary text, ticks
	Faded           // lines and points that are out of the way
	Accent          // what has the focus
	Good            // kept floors, finished
	Warn            // doubtful
	Bad             // broken floors, failures
	Predicted       // the predicted front
	OnFront         // measured, on the front
	Measured        // measured
	Model           // a model by itself
	Uniform         // the uniform average
	InHand          // the point in hand
	Knee            // the knee
	Pinned          // pinned points
	Boundary        // the edge of the attained region
	Surface         // background of panels that lie above others
	Selection       // background of what is selected
	Attained        // background of the attained region
	Track           // background of bars
	Contrast        // black or white, whichever reads better on the cell's background
	semantic        // how many there are
)

// A Color's top byte says what the rest of it is.
const (
	kindShift           = 24
	kindSemantic  Color = 0 << kindShift
	kindSequence  Color = 1 << kindShift
	kindDiverging Color = 2 << kindShift
	kindFill      Color = 3 << kindShift
	kindSeries    Color = 4 << kindShift
	kindANSI      Color = 5 << kindShift
	kindRGB       Color = 6 << kindShift
	kindMask      Color = 0xff << kindShift
)

// scaleSteps is the number of steps of a scale: coarse enough that neighbouring cells share a style
// and few bytes are sent, fine enough that no eye counts them.
const scaleSteps = 32

// Sequential is the colour of t in [0, 1] on a scale from dark to bright that is monotone in
// lightness, so that every kind of colour vision (and grey print) reads it. NaN is [Faded].
func Sequential(t float64) Color { return scale(kindSequence, t) }

// Diverging is the colour of t in [-1, 1] on a scale from blue over neutral to orange. NaN is [Faded].
func Diverging(t float64) Color { return scale(kindDiverging, (t+1)/2) }

// Fill is a background for t in [0, 1], on a scale so restrained that marks and text read on all of it.
// Terminals of 16 colours leave it out.
func Fill(t float64) Color {
	if math.IsNaN(t) {
		return Default
	}
	return scale(kindFill, t)
}

func scale(kind Color, t float64) Color {
	if math.IsNaN(t) {
		return Faded
	}
	return kind | Color(min(max(t, 0), 1)*(scaleSteps-1)+0.5)
}

// Series is the colour of category i, from a palette of [SeriesColors] that colour-blind people can
// tell apart; it repeats after that.
func Series(i int) Color {
	i %= SeriesColors
	if i < 0 {
		i += SeriesColors
	}
	return kindSeries | Color(i)
}

// SeriesColors is the number of distinct categorical colours.
const SeriesColors = 7

// RGB is a literal colour.
func RGB(r, g, b uint8) Color { return kindRGB | Color(r)<<16 | Color(g)<<8 | Color(b) }

// ANSI is a colour of the terminal's own 256-colour palette.
func ANSI(i uint8) Color { return kindANSI | Color(i) }

// Attr is a set of text attributes. They survive where colours do not.
type Attr uint8

// Attributes.
const (
	Bold Attr = 1 << iota
	Faint
	Italic
	Underline
	Reverse
	Strike
	allAttrs = 1<<iota - 1
)

// Style is how a cell looks.
type Style struct {
	FG, BG Color
	Attr   Attr
}

// Ink is the style of text in a colour.
func Ink(fg Color) Style { return Style{FG: fg} }

// On returns s on the background bg.
func (s Style) On(bg Color) Style { s.BG = bg; return s }

// With returns s with the attributes a added.
func (s Style) With(a Attr) Style { s.Attr |= a; return s }

// String is for style maps and failing tests: "faded", "seq:7", "#ff8800 on surface bold".
func (s Style) String() string {
	parts := []string{s.FG.String()}
	if s.BG != Default {
		parts = append(parts, "on", s.BG.String())
	}
	for i, name := range []string{"bold", "faint", "italic", "underline", "reverse", "strike"} {
		if s.Attr&(1<<i) != 0 {
			parts = append(parts, name)
		}
	}
	return strings.Join(parts, " ")
}

var colorNames = [semantic]string{
	"default", "muted", "faded", "accent", "good", "warn", "bad", "predicted", "on-front", "measured", "model",
	"uniform", "in-hand", "knee", "pinned", "boundary", "surface", "selection", "attained", "track", "contrast",
}

// String names the colour, for style maps and failing tests.
func (c Color) String() string {
	v := uint32(c &^ kindMask)
	switch c & kindMask {
	case kindSequence:
		return fmt.Sprintf("seq:%d", v)
	case kindDiverging:
		return fmt.Sprintf("div:%d", v)
	case kindFill:
		return fmt.Sprintf("fill:%d", v)
	case kindSeries:
		return fmt.Sprintf("series:%d", v)
	case kindANSI:
		return fmt.Sprintf("ansi:%d", v)
	case kindRGB:
		return fmt.Sprintf("#%06x", v)
	default:
		if c < semantic {
			return colorNames[c]
		}
		return fmt.Sprintf("color:%d", v)
	}
}
