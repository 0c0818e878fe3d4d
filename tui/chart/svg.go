package chart

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"image/color"
	"strings"

	"github.com/charmbracelet/colorprofile"
)

// A cell of a picture, in user units; text is set so that a character of a usual monospaced font is as wide
// as the cell, and stretched where the font is unusual.
const (
	svgCellW, svgCellH = 9, 18
	svgFontSize        = 15
	svgBaseline        = 13.5
	svgMargin          = 9
)

// SVG draws the canvas as a picture, in full colour. Lines, blocks, braille and marks are drawn as shapes and
// not as text, so that the picture looks the same with every font. The title is for people who cannot see
// it. The same cells give the same bytes.
func (c *Canvas) SVG(t *Theme, title string) []byte {
	if t == nil {
		t = NewTheme(colorprofile.TrueColor, false)
	}
	w, h := c.Size()
	width, height := w*svgCellW+2*svgMargin, h*svgCellH+2*svgMargin
	p := &picture{c: c, t: t, paths: map[pathKey]*strings.Builder{}}
	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" role="img">`+"\n", width, height, width, height)
	fmt.Fprintf(&b, "<title>%s</title>\n", escape(title))
	fmt.Fprintf(&b, `<rect width="100%%" height="100%%" rx="6" fill="%s"/>`+"\n", css(t.Background()))
	fmt.Fprintf(&b, `<g transform="translate(%d %d)" font-family="ui-monospace,'DejaVu Sans Mono',Menlo,Consolas,monospace" font-size="%d" style="white-space:pre">`+"\n",
		svgMargin, svgMargin, svgFontSize)
	for y := range h {
		p.backgrounds(&b, y, w)
	}
	for y := range h {
		p.row(y, w)
	}
	for _, k := range p.order {
		fmt.Fprintf(&b, k.element(), p.paths[k])
	}
	b.Write(p.text.Bytes())
	b.WriteString("</g>\n</svg>\n")
	return b.Bytes()
}

// picture is a canvas being drawn as SVG: shapes of one kind and colour share one path.
type picture struct {
	c     *Canvas
	t     *Theme
	text  bytes.Buffer
	paths map[pathKey]*strings.Builder
	order []pathKey
}

// pathKey is what the shapes of a path have in common.
type pathKey struct {
	kind    pathKind
	paint   string
	opacity string
}

type pathKind uint8

const (
	filled  pathKind = iota
	crisp            // filled, on pixel edges
	thin             // strokes
	thick            // heavy strokes
	dotted           // round dots
	hairout          // outlines of marks
)

func (k pathKey) element() string {
	attrs := fmt.Sprintf(`fill="none" stroke="%s"`, k.paint)
	switch k.kind {
	case filled:
		attrs = fmt.Sprintf(`fill="%s"`, k.paint)
	case crisp:
		attrs = fmt.Sprintf(`fill="%s" shape-rendering="crispEdges"`, k.paint)
	case thin:
		attrs += ` stroke-width="1.2"`
	case thick:
		attrs += ` stroke-width="2.6"`
	case dotted:
		attrs += ` stroke-width="2.7" stroke-linecap="round"`
	case hairout:
		attrs += ` stroke-width="1.4"`
	}
	if k.opacity != "" {
		attrs += fmt.Sprintf(` opacity="%s"`, k.opacity)
	}
	return "<path " + attrs + ` d="%s"/>` + "\n"
}

// path is where shapes like k are collected.
func (p *picture) path(k pathKey) *strings.Builder {
	b := p.paths[k]
	if b == nil {
		b = &strings.Builder{}
		p.paths[k] = b
		p.order = append(p.order, k)
	}
	return b
}

// colors are the foreground and background of a style; ok is false where the background is the page.
func (p *picture) colors(s Style) (fg, bg color.RGBA, ok bool) {
	bg, ok = p.t.Background(), false
	if s.BG != Default {
		bg, ok = p.t.RGB(s.BG), true
	}
	switch s.FG {
	case Contrast:
		fg = p.t.RGB(Default)
		if ok {
			fg = blackOrWhite(bg)
		}
	default:
		fg = p.t.RGB(s.FG)
	}
	if s.Attr&Reverse != 0 {
		fg, bg, ok = bg, fg, true
	}
	return fg, bg, ok
}

// backgrounds draws the backgrounds of a row, one rectangle for neighbours of one colour.
func (p *picture) backgrounds(b *bytes.Buffer, y, w int) {
	for x := 0; x < w; {
		_, bg, ok := p.colors(p.c.At(x, y).Style)
		n := 1
		for x+n < w {
			if _, next, nextOK := p.colors(p.c.At(x+n, y).Style); next != bg || nextOK != ok {
				break
			}
			n++
		}
		if ok {
			fmt.Fprintf(b, `<rect x="%d" y="%d" width="%d" height="%d" fill="%s" shape-rendering="crispEdges"/>`+"\n",
				x*svgCellW, y*svgCellH, n*svgCellW, svgCellH, css(bg))
		}
		x += n
	}
}

// row draws what the cells of a row show.
func (p *picture) row(y, w int) {
	for x := 0; x < w; {
		cell := p.c.At(x, y)
		if cell.Text == "" || cell.Text == " " && cell.Style.Attr&(Underline|Strike) == 0 {
			x++
			continue
		}
		if p.shape(x, y, cell) {
			x++
			continue
		}
		x += p.run(x, y, w)
	}
}

// run writes text of one style from x on, up to the first cell that is a shape, two spaces or another
// style, and returns how many cells that is.
func (p *picture) run(x, y, w int) int {
	first := p.c.At(x, y)
	var text strings.Builder
	n := 0
	if first.Width == 2 {
		text.WriteString(first.Text)
		n = 2
	}
	for first.Width == 1 && x+n < w {
		cell := p.c.At(x+n, y)
		if cell.Style != first.Style || cell.Width != 1 || isShape(cell.Text) {
			break
		}
		if next := p.c.At(x+n+1, y); cell.Text == " " && (next.Text == " " || next.Width != 1 || next.Style != first.Style || isShape(next.Text)) {
			break
		}
		text.WriteString(cell.Text)
		n++
	}
	if n == 0 { // a space alone, underlined
		text.WriteString(" ")
		n = 1
	}
	fg, _, _ := p.colors(first.Style)
	fmt.Fprintf(&p.text, `<text x="%d" y="%g" fill="%s"%s textLength="%d" lengthAdjust="spacingAndGlyphs">%s</text>`+"\n",
		x*svgCellW, float64(y)*svgCellH+svgBaseline, css(fg), attributes(first.Style.Attr), n*svgCellW, escape(text.String()))
	return n
}

func attributes(a Attr) string {
	s := ""
	if a&Bold != 0 {
		s += ` font-weight="bold"`
	}
	if a&Italic != 0 {
		s += ` font-style="italic"`
	}
	if a&Faint != 0 {
		s += ` opacity="` + faintOpacity + `"`
	}
	switch {
	case a&Underline != 0 && a&Strike != 0:
		s += ` text-decoration="underline line-through"`
	case a&Underline != 0:
		s += ` text-decoration="underline"`
	case a&Strike != 0:
		s += ` text-decoration="line-through"`
	}
	return s
}

const faintOpacity = "0.6"

func css(c color.RGBA) string { return fmt.Sprintf("#%02x%02x%02x", c.R, c.G, c.B) }

func escape(s string) string {
	var b bytes.Buffer
	_ = xml.EscapeText(&b, []byte(s)) // a bytes.Buffer never fails
	return b.String()
}
