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
	fg, bg string // SGR parameters
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

// Profile is the colour profile that the theme renders for.
func (t *Theme) Profile() colorprofile.Profile {
	if t == nil {
		return colorprofile.NoTTY
	}
	return t.profile
}

// RGB is c in full colour: as foreground where it is the terminal's default.
func (t *Theme) RGB(c Color) color.RGBA {
	v := uint32(c &^ kindMask)
	switch c & kindMask {
	case kindRGB:
		return color.RGBA{uint8(v >> 16), uint8(v >> 8), uint8(v), 255}
	case kindANSI:
		r, g, b, _ := ansi.IndexedColor(uint8(v)).RGBA()
		return color.RGBA{uint8(r >> 8), uint8(g >> 8), uint8(b >> 8), 255}
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

// contrast is black or white, whichever is farther from bg in luminance (WCAG 2: the two contrasts are equal at
// a relative luminance of 0.179).
func (t *Theme) contrast(bg Color) Color {
	if bg == Default || t.params(bg)[1] == "" {
		return Default
	}
	p := blackOrWhite(t.RGB(bg))
	return RGB(p.R, p.G, p.B)
}

func blackOrWhite(bg color.RGBA) color.RGBA {
	r, g, b := colorful.Color{R: float64(bg.R) / 255, G: float64(bg.G) / 255, B: float64(bg.B) / 255}.LinearRgb()
	if 0.2126*r+0.7152*g+0.0722*b > 0.179 {
		return color.RGBA{A: 255}
	}
	return color.RGBA{255, 255, 255, 255}
}

func (t *Theme) entry(p paint) entry {
	e := entry{rgb: p.rgb}
	switch t.profile {
	case colorprofile.TrueColor:
		s := strconv.Itoa(int(p.rgb.R)) + ";" + strconv.Itoa(int(p.rgb.G)) + ";" + strconv.Itoa(int(p.rgb.B))
		e.fg, e.bg = "38;2;"+s, "48;2;"+s
	case colorprofile.ANSI256:
		i := indexed(uint8(ansi.Convert256(p.rgb)))
		e.fg, e.bg = i[0], i[1]
	case colorprofile.ANSI:
		e.fg, e.bg = p.basic(p.ansi)[0], p.basic(p.back)[1]
	}
	return e
}

// basic are the parameters for one of the 16 colours, chosen by hand or the nearest.
func (p paint) basic(i int8) [2]string {
	switch i {
	case none:
		return [2]string{}
	case auto:
		i = int8(ansi.Convert16(p.rgb))
	}
	return indexed(uint8(i))
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
