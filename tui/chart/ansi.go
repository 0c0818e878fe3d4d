package chart

import (
	"image/color"

	uv "github.com/charmbracelet/ultraviolet"
	"github.com/charmbracelet/x/ansi"
)

// Escaped draws lines that carry SGR escape sequences, as other components render them, with their corner
// at (x, y). Other escape sequences are dropped. It returns the number of lines.
func (c *Canvas) Escaped(x, y int, lines string) int {
	w, h := c.Size()
	parsed := uv.NewStyledString(lines).Lines(ansi.GraphemeWidth)
	for i, line := range parsed {
		if y+i < 0 || y+i >= h {
			continue
		}
		for j := range line {
			if line[j].Width == 0 || x+j >= w {
				continue
			}
			style := fromTerminal(line[j].Style)
			eachCluster(line[j].Content, func(g string, gw int) bool {
				c.cluster(x+j, y+i, g, gw, style)
				return false
			})
		}
	}
	return len(parsed)
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
