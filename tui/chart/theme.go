package chart

import (
	"image/color"
	"strconv"

	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/ansi"
	"github.com/lucasb-eyer/go-colorful"
)

// Theme says what colours look like in one session: on a dark or light background, in as many colours
// as its terminal has. It is immutable and may be shared; a nil Theme renders without any escape sequence.
type Theme struct {
	profile colorprofile.Profile
	light   bool
	colors  map[Color]entry // everything but literals
}

// entry is one colour in a theme.
type entry struct {
	rgb    color.RGBA
	fg, bg string     // SGR parameters
	back   color.RGBA // what the terminal shows for bg
}

// NewTheme makes the theme of a session. Profiles without colours keep bold, faint, reverse and underline
// (NO_COLOR); [colorprofile.NoTTY] and Unknown render plain text.
func NewTheme(profile colorprofile.Profile, light bool) *Theme {
	t := &Theme{profile: profile, light: light, colors: map[Color]entry{}}
	inks := darkInks
	if light {
		inks = lightInks
	}
	for c := Muted; c < semantic; c++ {
		t.colors[c] = t.entry(inks.semantic[c])
	}
	// What is in hand wears the terminal's own foreground: it reads on any background, and takes no bytes.
	hand := t.colors[InHand]
	hand.fg = ""
	t.colors[InHand] = hand
	for i, p := range inks.series {
		t.colors[Series(i)] = t.entry(p)
	}
	for i := range scaleSteps {
		at := float64(i) / (scaleSteps - 1)
		t.colors[kindSequence|Color(i)] = t.entry(along(inks.sequence[:], at))
		t.colors[kindFill|Color(i)] = t.entry(along(inks.fill[:], at))
		t.colors[kindDiverging|Color(i)] = t.entry(along(inks.diverging[:], at))
	}
	return t
}

// Light reports whether the theme is for a light background.
func (t *Theme) Light() bool { return t != nil && t.light }

// RGB is c in full colour: as foreground where it is the terminal's default.
func (t *Theme) RGB(c Color) color.RGBA {
	v := uint32(c &^ kindMask)
	switch c & kindMask {
	case kindRGB:
		return color.RGBA{uint8(v >> 16), uint8(v >> 8), uint8(v), 255}
	case kindANSI:
		return opaque(ansi.IndexedColor(uint8(v)))
	}
	if t != nil {
		if e, ok := t.colors[c]; ok {
			return e.rgb
		}
	}
	if t.Light() {
		return lightInks.text
	}
	return darkInks.text
}

// Background is the colour that the theme assumes behind everything: for pictures only, terminals have
// their own.
func (t *Theme) Background() color.RGBA {
	if t.Light() {
		return lightInks.page
	}
	return darkInks.page
}

// look is a style as a terminal is told it.
type look struct {
	fg, bg string // SGR parameters, empty for the default
	attr   Attr
}

// look resolves s for the session's terminal.
func (t *Theme) look(s Style) look {
	if t == nil || t.profile <= colorprofile.NoTTY {
		return look{}
	}
	l := look{attr: s.Attr & allAttrs}
	if t.profile == colorprofile.ASCII {
		if s.BG == Selection {
			l.attr |= Reverse
		}
		if s.FG == Faded {
			l.attr |= Faint
		}
		return l
	}
	fg := s.FG
	if fg == Contrast {
		fg = t.contrast(s.BG)
	}
	l.fg = t.params(fg)[0]
	l.bg = t.params(s.BG)[1]
	if s.BG == Selection && l.bg == "" {
		l.attr |= Reverse
	}
	return l
}

// params are the SGR parameters of c as foreground and as background.
func (t *Theme) params(c Color) [2]string {
	if c == Default {
		return [2]string{}
	}
	if e, ok := t.colors[c]; ok {
		return [2]string{e.fg, e.bg}
	}
	if c&kindMask == kindANSI && (t.profile >= colorprofile.ANSI256 || c&^kindMask < 16) {
		return indexed(uint8(c))
	}
	if k := c & kindMask; k == kindANSI || k == kindRGB {
		e := t.entry(paint{rgb: t.RGB(c), ansi: auto, back: auto})
		return [2]string{e.fg, e.bg}
	}
	return [2]string{}
}

// contrast is black or white, whichever reads better on bg as the terminal shows it.
func (t *Theme) contrast(bg Color) Color {
	if bg == Default || t.params(bg)[1] == "" {
		return Default
	}
	shown := t.RGB(bg)
	if e, ok := t.colors[bg]; ok {
		shown = e.back
	}
	p := blackOrWhite(shown)
	return RGB(p.R, p.G, p.B)
}

// blackOrWhite reads better on bg (WCAG 2: the two contrasts are equal at a luminance of 0.179).
func blackOrWhite(bg color.RGBA) color.RGBA {
	if luminance(bg) > 0.179 {
		return color.RGBA{A: 255}
	}
	return color.RGBA{255, 255, 255, 255}
}

func (t *Theme) entry(p paint) entry {
	e := entry{rgb: p.rgb, back: p.rgb}
	switch t.profile {
	case colorprofile.TrueColor:
		s := strconv.Itoa(int(p.rgb.R)) + ";" + strconv.Itoa(int(p.rgb.G)) + ";" + strconv.Itoa(int(p.rgb.B))
		e.fg, e.bg = "38;2;"+s, "48;2;"+s
		// What is a colour of the fixed palette anyway takes half the bytes by its number.
		if i := uint8(ansi.Convert256(p.rgb)); i >= 16 && opaque(ansi.IndexedColor(i)) == p.rgb {
			e.fg, e.bg = indexed(i)[0], indexed(i)[1]
		}
	case colorprofile.ANSI256:
		i := uint8(ansi.Convert256(p.rgb))
		if p.grey {
			i = grey(p.rgb)
		}
		e.fg, e.bg = indexed(i)[0], indexed(i)[1]
		e.back = opaque(ansi.IndexedColor(i))
	case colorprofile.ANSI:
		if i := basic(p.ansi, p.rgb); i >= 0 {
			e.fg = indexed(uint8(i))[0]
		}
		if i := basic(p.back, p.rgb); i >= 0 {
			e.bg, e.back = indexed(uint8(i))[1], opaque(ansi.BasicColor(i))
		}
	}
	return e
}

// basic is one of the 16 colours, chosen by hand or the nearest, or below 0 for none.
func basic(i int8, rgb color.RGBA) int8 {
	if i == auto {
		return int8(ansi.Convert16(rgb))
	}
	return i
}

// grey is the entry of the 256-colour palette's grey ramp with the luminance of c. Dark and pale colours have no
// near relatives in its colour cube.
func grey(c color.RGBA) uint8 {
	y := luminance(c)
	v, _, _ := colorful.LinearRgb(y, y, y).RGB255()
	if v > 246 {
		return 231
	}
	return 232 + uint8(min(max(int(v)-3, 0)/10, 23))
}

func opaque(c color.Color) color.RGBA {
	r, g, b, _ := c.RGBA()
	return color.RGBA{uint8(r >> 8), uint8(g >> 8), uint8(b >> 8), 255}
}

// luminance is that of WCAG 2, from 0 to 1.
func luminance(c color.RGBA) float64 {
	r, g, b := colorful.Color{R: float64(c.R) / 255, G: float64(c.G) / 255, B: float64(c.B) / 255}.LinearRgb()
	return 0.2126*r + 0.7152*g + 0.0722*b
}

// indexed are the shortest parameters for colour i of the terminal's palette.
func indexed(i uint8) [2]string {
	n := int(i)
	switch {
	case n < 8:
		return [2]string{strconv.Itoa(30 + n), strconv.Itoa(40 + n)}
	case n < 16:
		return [2]string{strconv.Itoa(82 + n), strconv.Itoa(92 + n)}
	default:
		return [2]string{"38;5;" + strconv.Itoa(n), "48;5;" + strconv.Itoa(n)}
	}
}

// appendSGR appends what takes a terminal from one look to the other, as short as it goes.
func appendSGR(b []byte, from, to look) []byte {
	if from == to {
		return b
	}
	b = append(b, "\x1b["...)
	if to == (look{}) {
		return append(b, 'm')
	}
	sep := false
	param := func(p string) {
		if sep {
			b = append(b, ';')
		}
		b, sep = append(b, p...), true
	}
	if from.attr&^to.attr != 0 {
		param("0")
		from = look{}
	}
	for i, p := range [...]string{"1", "2", "3", "4", "7", "9"} {
		if added := to.attr &^ from.attr; added&(1<<i) != 0 {
			param(p)
		}
	}
	if to.fg != from.fg {
		param(or(to.fg, "39"))
	}
	if to.bg != from.bg {
		param(or(to.bg, "49"))
	}
	return append(b, 'm')
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
