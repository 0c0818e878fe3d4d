package chart

import (
	"image/color"
	"unicode/utf8"

	uv "github.com/charmbracelet/ultraviolet"
	"github.com/charmbracelet/x/ansi"
)

// Escaped draws lines that carry SGR escape sequences, as other components render them, with their corner
// at (x, y). Other escape sequences are dropped. It returns the number of lines.
func (c *Canvas) Escaped(x, y int, lines string) int {
	p := ansi.GetParser()
	defer ansi.PutParser(p)
	var (
		style uv.Style
		state byte
		n     = 1
		at    = x
	)
	for len(lines) > 0 {
		seq, width, size, next := ansi.DecodeSequence(lines, state, p)
		if size == 1 && width == 1 && len(lines) > 1 && lines[1] >= utf8.RuneSelf {
			// The decoder takes an ASCII character without the combining marks that follow it.
			seq, width = ansi.FirstGraphemeCluster(lines, ansi.GraphemeWidth)
			size = len(seq)
		}
		lines, state = lines[size:], next
		switch {
		case width > 0:
			// What is drawn may be narrower than what the component counted on: its columns are kept.
			eachCluster(seq, func(g string, w int) bool {
				c.cluster(at, y+n-1, g, w, fromTerminal(style))
				return false
			})
			at += width
		case seq == "\n":
			n, at = n+1, x
		case ansi.HasCsiPrefix(seq) && p.Command() == 'm':
			uv.ReadStyle(p.Params(), &style)
		}
	}
	return n
}

// fromTerminal is a terminal's style as a canvas has it.
func fromTerminal(s uv.Style) Style {
	style := Style{FG: fromColor(s.Fg), BG: fromColor(s.Bg)}
	for _, a := range [...]struct {
		from uint8
		to   Attr
	}{
		{uv.AttrBold, Bold},
		{uv.AttrFaint, Faint},
		{uv.AttrItalic, Italic},
		{uv.AttrReverse, Reverse},
		{uv.AttrStrikethrough, Strike},
	} {
		if s.Attrs&a.from != 0 {
			style.Attr |= a.to
		}
	}
	if s.Underline != 0 {
		style.Attr |= Underline
	}
	return style
}

func fromColor(c color.Color) Color {
	switch c := c.(type) {
	case nil:
		return Default
	case ansi.BasicColor:
		return ANSI(uint8(c))
	case ansi.IndexedColor:
		return ANSI(uint8(c))
	default:
		r, g, b, a := c.RGBA()
		if a == 0 {
			return Default
		}
		return RGB(uint8(r>>8), uint8(g>>8), uint8(b>>8))
	}
}
