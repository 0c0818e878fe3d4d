package chart

import (
	"fmt"
	"math"
	"strings"
	"unicode/utf8"
)

// isShape reports whether a picture draws the text as a shape.
func isShape(text string) bool {
	r, n := utf8.DecodeRuneInString(text)
	if n != len(text) || r < 0xb7 {
		return false
	}
	_, line := strokes[r]
	_, mark := markPaths[r]
	return line || mark || r >= 0x2580 && r <= 0x259f || r >= 0x2800 && r <= 0x28ff
}

// shape draws the cell (x, y) as a shape, or reports that it is text.
func (p *picture) shape(x, y int, cell Cell) bool {
	if !isShape(cell.Text) {
		return false
	}
	r, _ := utf8.DecodeRuneInString(cell.Text)
	fg, _, _ := p.colors(cell.Style)
	k := pathKey{paint: css(fg)}
	if cell.Style.Attr&Faint != 0 {
		k.opacity = faintOpacity
	}
	x0, y0 := float64(x*svgCellW), float64(y*svgCellH)
	switch {
	case r >= 0x2800 && r <= 0x28ff:
		k.kind = dotted
		brailleDots(p.path(k), x0, y0, r-0x2800)
	case r >= 0x2580 && r <= 0x259f:
		k.kind = crisp
		if r >= '░' && r <= '▓' {
			k.opacity = fmt.Sprintf("%.2f", float64(r-'░'+1)/4)
		}
		for _, b := range blockParts(r) {
			rect(p.path(k), x0+b[0]*svgCellW, y0+b[1]*svgCellH, b[2]*svgCellW, b[3]*svgCellH)
		}
	default:
		if s, ok := strokes[r]; ok {
			p.stroke(k, x0, y0, s)
			break
		}
		for _, m := range markPaths[r] {
			k.kind = m.kind
			fmt.Fprintf(p.path(k), "M%s %s%s", num(x0+svgCellW/2.0+m.dx), num(y0+svgCellH/2.0+m.dy), m.path)
		}
	}
	return true
}

// num writes a coordinate with at most two decimals.
func num(v float64) string {
	s := fmt.Sprintf("%.2f", v)
	return strings.TrimRight(strings.TrimRight(s, "0"), ".")
}

func rect(b *strings.Builder, x, y, w, h float64) {
	fmt.Fprintf(b, "M%s %sh%sv%sh%sz", num(x), num(y), num(w), num(h), num(-w))
}

func brailleDots(b *strings.Builder, x0, y0 float64, dots rune) {
	for i, bit := range brailleBit {
		if dots&bit != 0 {
			fmt.Fprintf(b, "M%s %sh0", num(x0+svgCellW*(0.25+0.5*float64(i%2))), num(y0+svgCellH*(0.125+0.25*float64(i/2))))
		}
	}
}

// blockParts are the rectangles of a block element in fractions of a cell: x, y, width, height.
func blockParts(r rune) [][4]float64 {
	full := [4]float64{0, 0, 1, 1}
	quarter := [4][4]float64{{0, 0, .5, .5}, {.5, 0, .5, .5}, {0, .5, .5, .5}, {.5, .5, .5, .5}}
	switch {
	case r == '▀':
		return [][4]float64{{0, 0, 1, .5}}
	case r >= '▁' && r <= '█':
		n := float64(r-'▁'+1) / 8
		return [][4]float64{{0, 1 - n, 1, n}}
	case r >= '▉' && r <= '▏':
		return [][4]float64{{0, 0, float64('▏'-r+1) / 8, 1}}
	case r == '▐':
		return [][4]float64{{.5, 0, .5, 1}}
	case r == '▔':
		return [][4]float64{{0, 0, 1, .125}}
	case r == '▕':
		return [][4]float64{{.875, 0, .125, 1}}
	}
	for bits, q := range quadrants {
		if q != r {
			continue
		}
		var parts [][4]float64
		for i := range quarter {
			if bits&(1<<i) != 0 {
				parts = append(parts, quarter[i])
			}
		}
		return parts
	}
	return [][4]float64{full}
}

// arms are the lines of a box-drawing character from the middle of its cell: up, right, down, left; 1 light,
// 2 heavy, 3 double. Dashes is how many pieces they come in; round joins them by an arc.
type arms struct {
	up, right, down, left uint8
	dashes                int
	round                 bool
	slash                 int8 // 1 for ╱, -1 for ╲, 2 for ╳
}

// strokes are the box-drawing characters that are drawn as lines.
var strokes = map[rune]arms{
	'─': {right: 1, left: 1}, '│': {up: 1, down: 1}, '━': {right: 2, left: 2}, '┃': {up: 2, down: 2},
	'═': {right: 3, left: 3}, '║': {up: 3, down: 3},
	'╌': {right: 1, left: 1, dashes: 2}, '╎': {up: 1, down: 1, dashes: 2},
	'┄': {right: 1, left: 1, dashes: 3}, '┆': {up: 1, down: 1, dashes: 3},
	'┈': {right: 1, left: 1, dashes: 4}, '┊': {up: 1, down: 1, dashes: 4},
	'┌': {right: 1, down: 1}, '┐': {left: 1, down: 1}, '└': {right: 1, up: 1}, '┘': {left: 1, up: 1},
	'╭': {right: 1, down: 1, round: true}, '╮': {left: 1, down: 1, round: true},
	'╰': {right: 1, up: 1, round: true}, '╯': {left: 1, up: 1, round: true},
	'├': {up: 1, right: 1, down: 1}, '┤': {up: 1, left: 1, down: 1},
	'┬': {right: 1, down: 1, left: 1}, '┴': {right: 1, up: 1, left: 1}, '┼': {1, 1, 1, 1, 0, false, 0},
	'┳': {right: 2, down: 2, left: 2}, '┻': {right: 2, up: 2, left: 2},
	'╴': {left: 1}, '╶': {right: 1}, '╵': {up: 1}, '╷': {down: 1},
	'╸': {left: 2}, '╺': {right: 2}, '╹': {up: 2}, '╻': {down: 2},
	'╱': {slash: 1}, '╲': {slash: -1}, '╳': {slash: 2},
}

func (p *picture) stroke(k pathKey, x0, y0 float64, a arms) {
	const w, h = svgCellW, svgCellH
	cx, cy := x0+w/2.0, y0+h/2.0
	k.kind = thin
	if a.slash == 1 || a.slash == 2 {
		fmt.Fprintf(p.path(k), "M%s %sL%s %s", num(x0), num(y0+h), num(x0+w), num(y0))
	}
	if a.slash == -1 || a.slash == 2 {
		fmt.Fprintf(p.path(k), "M%s %sL%s %s", num(x0), num(y0), num(x0+w), num(y0+h))
	}
	if a.round {
		p.arc(k, x0, y0, a)
		return
	}
	for _, arm := range [...]struct {
		weight uint8
		dx, dy float64
	}{{a.up, 0, -h / 2.0}, {a.right, w / 2.0, 0}, {a.down, 0, h / 2.0}, {a.left, -w / 2.0, 0}} {
		p.arm(k, cx, cy, arm.dx, arm.dy, arm.weight, a.dashes)
	}
}

// arm draws a line from the middle of a cell to its edge.
func (p *picture) arm(k pathKey, cx, cy, dx, dy float64, weight uint8, dashes int) {
	switch {
	case weight == 0:
	case weight == 3:
		for _, off := range [...]float64{-1.5, 1.5} {
			ox, oy := off*sign(dy), off*sign(dx)
			fmt.Fprintf(p.path(k), "M%s %sl%s %s", num(cx+ox), num(cy+oy), num(dx), num(dy))
		}
	case dashes > 0:
		// A whole cell has so many dashes; an arm the half of them, the gap at its end.
		n := float64(dashes) / 2
		for i := 0.0; i < n; i++ {
			from, to := i/n+0.2/n, min(i/n+0.8/n, 1)
			fmt.Fprintf(p.path(k), "M%s %sl%s %s", num(cx+dx*from), num(cy+dy*from), num(dx*(to-from)), num(dy*(to-from)))
		}
	default:
		if weight == 2 {
			k.kind = thick
		}
		fmt.Fprintf(p.path(k), "M%s %sl%s %s", num(cx), num(cy), num(dx), num(dy))
	}
}

func sign(v float64) float64 {
	if v == 0 {
		return 0
	}
	return math.Copysign(1, v)
}

// arc draws a round corner.
func (p *picture) arc(k pathKey, x0, y0 float64, a arms) {
	const w, h = svgCellW, svgCellH
	cx, cy := x0+w/2.0, y0+h/2.0
	edgeX, edgeY := x0, y0
	if a.right != 0 {
		edgeX = x0 + w
	}
	if a.down != 0 {
		edgeY = y0 + h
	}
	const radius = w / 2.0
	turn := cy + sign(edgeY-cy)*radius
	fmt.Fprintf(p.path(k), "M%s %sV%sQ%s %s %s %s", num(cx), num(edgeY), num(turn), num(cx), num(cy), num(edgeX), num(cy))
}

// markPath is part of a mark: a path that starts at (dx, dy) from the middle of the cell.
type markPath struct {
	kind   pathKind
	dx, dy float64
	path   string
}

func disc(kind pathKind, r float64) markPath {
	return markPath{kind, -r, 0, fmt.Sprintf("a%g %g 0 1 0 %g 0a%g %g 0 1 0 %g 0z", r, r, 2*r, r, r, -2*r)}
}

// markPaths are the marks that are drawn as shapes.
var markPaths = map[rune][]markPath{
	'●': {disc(filled, 3.9)},
	'•': {disc(filled, 2.4)},
	'·': {disc(filled, 1.3)},
	'◦': {disc(hairout, 2.3)},
	'○': {disc(hairout, 3.4)},
	'◔': {disc(hairout, 3.4), {filled, 0, 0, "v-3.4a3.4 3.4 0 0 1 3.4 3.4z"}},
	'◑': {disc(hairout, 3.4), {filled, 0, -3.4, "a3.4 3.4 0 0 1 0 6.8z"}},
	'◐': {disc(hairout, 3.4), {filled, 0, -3.4, "a3.4 3.4 0 0 0 0 6.8z"}},
	'◕': {disc(hairout, 3.4), {filled, 0, 0, "v-3.4a3.4 3.4 0 1 1 -3.4 3.4z"}},
	'◉': {disc(hairout, 4.4), disc(filled, 2.4)},
	'▲': {{filled, 0, -4.4, "l4.4 8h-8.8z"}},
	'▼': {{filled, 0, 4.4, "l4.4 -8h-8.8z"}},
	'✚': {{filled, -1.4, -4.2, "h2.8v2.8h2.8v2.8h-2.8v2.8h-2.8v-2.8h-2.8v-2.8h2.8z"}},
	'◆': {{filled, 0, -5, "l4.2 5l-4.2 5l-4.2 -5z"}},
	'◇': {{hairout, 0, -4.6, "l3.8 4.6l-3.8 4.6l-3.8 -4.6z"}},
	'◂': {{filled, 3, -4, "v8l-6 -4z"}},
	'▸': {{filled, -3, -4, "v8l6 -4z"}},
}
