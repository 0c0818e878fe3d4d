package chart

import "math"

// band shades the cells between the ends of the intervals.
func (p *scatterPlot) band() {
	if len(p.Band) == 0 {
		return
	}
	j := 0
	for cx := range p.w {
		x := p.f.X.center(cx, p.w)
		for j+1 < len(p.Band) && p.Band[j+1].X <= x {
			j++
		}
		lo, hi, ok := p.interval(j, x)
		if !ok {
			continue
		}
		for cy := range p.h {
			if _, y := p.f.Value(cx, cy); y >= lo && y <= hi {
				p.shade(cx, cy, Track)
			}
		}
	}
}

// interval is the band at x, which lies between Band[j] and the next.
func (p *scatterPlot) interval(j int, x float64) (lo, hi float64, ok bool) {
	a := p.Band[j]
	b := p.Band[min(j+1, len(p.Band)-1)]
	if x < a.X && p.f.X.Lo <= p.f.X.Hi && j == 0 || x > b.X {
		return 0, 0, false
	}
	t := 0.0
	if b.X > a.X {
		t = (x - a.X) / (b.X - a.X)
	}
	return a.Lo*(1-t) + b.Lo*t, a.Hi*(1-t) + b.Hi*t, t >= 0 && t <= 1
}

// shade gives a cell a background and leaves the rest.
func (p *scatterPlot) shade(cx, cy int, bg Color) {
	p.c.SetStyle(cx, cy, p.c.style(cx, cy).On(bg))
}

// attained shades what the attained points dominate and draws its edge as a staircase.
func (p *scatterPlot) attained() {
	if len(p.Attained) == 0 {
		return
	}
	// best[cx] is the best row (counted in the direction that is better) reached by a point at least as
	// good as column cx; -1 where none is.
	best := make([]int, p.w)
	for i := range best {
		best[i] = -1
	}
	for _, a := range p.Attained {
		tx, ty := p.f.X.At(a.X), p.f.Y.At(a.Y)
		if math.IsNaN(tx) || math.IsNaN(ty) {
			continue
		}
		if p.betterLeft() {
			tx = 1 - tx
		}
		if p.betterDown() {
			ty = 1 - ty
		}
		if cx, cy := floorCell(tx, p.w), floorCell(ty, p.h); cx >= 0 && cy >= 0 {
			best[cx] = max(best[cx], cy)
		}
	}
	for cx := p.w - 2; cx >= 0; cx-- {
		best[cx] = max(best[cx], best[cx+1])
	}
	for cx, top := range best {
		for cy := 0; cy <= top; cy++ {
			p.shade(p.flipX(cx), p.flipY(cy), Attained)
		}
	}
	p.staircase(best)
}

// floorCell is the cell of t, at most n-1 and -1 where t lies before the plot.
func floorCell(t float64, n int) int {
	if t < 0 {
		return -1
	}
	return min(int(min(t, 1)*float64(n)), n-1)
}

// betterLeft and betterDown say whether better lies to the left or below.
func (p *scatterPlot) betterLeft() bool { return p.MinX != (p.f.X.Lo > p.f.X.Hi) }
func (p *scatterPlot) betterDown() bool { return p.MinY != (p.f.Y.Lo > p.f.Y.Hi) }

func (p *scatterPlot) flipX(cx int) int {
	if p.betterLeft() {
		return p.w - 1 - cx
	}
	return cx
}

func (p *scatterPlot) flipY(cy int) int {
	if p.betterDown() {
		return cy
	}
	return p.h - 1 - cy
}

// staircase draws the edge of the attained region, whose column cx reaches row best[cx].
func (p *scatterPlot) staircase(best []int) {
	const up, down, left, right = 1, 2, 4, 8
	boxes := [16]rune{
		up | down: '│', left | right: '─', up | right: '└', up | left: '┘', down | right: '┌', down | left: '┐',
		up: '│', down: '│', left: '─', right: '─',
		up | down | left: '┤', up | down | right: '├', left | right | up: '┴', left | right | down: '┬', 15: '┼',
	}
	edges := make([]uint8, p.w*p.h)
	at := func(cx, cy int, e uint8) {
		if cx >= 0 && cx < p.w && cy >= 0 && cy < p.h {
			edges[cy*p.w+cx] |= e
		}
	}
	for cx, top := range best {
		if top < 0 {
			break
		}
		next := -1
		if cx+1 < p.w {
			next = best[cx+1]
		}
		if cx > 0 {
			at(cx, top, left)
		}
		if next == top {
			at(cx, top, right)
			continue
		}
		at(cx, top, down)
		for cy := top - 1; cy > next; cy-- {
			at(cx, cy, up|down)
		}
		if next >= 0 {
			at(cx, next, up|right)
		}
	}
	flipX, flipY := p.betterLeft(), p.betterDown()
	for i, e := range edges {
		if e == 0 {
			continue
		}
		if flipX {
			e = e&^(left|right) | e&left<<1 | e&right>>1
		}
		if flipY {
			e = e&^(up|down) | e&up<<1 | e&down>>1
		}
		p.set(p.flipX(i%p.w), p.flipY(i/p.w), boxes[e], Ink(Boundary))
	}
}

// curves draws the lines.
func (p *scatterPlot) curves() {
	if len(p.Curves) == 0 {
		return
	}
	dots := newDotGrid(p.w, p.h, p.c.Glyphs())
	for i := range p.Curves {
		dots.curve(&p.Curves[i], p.f.X, p.f.Y)
	}
	dots.Draw(p.c, 0, 0)
}

// curve draws a curve on axes that span the picture.
func (d *dotGrid) curve(cv *Curve, x, y Range) {
	w, h := d.Size()
	dash := 0
	if cv.Dashed {
		dash = 3
	}
	style := Ink(cv.Color)
	var px, py float64
	for i, pt := range cv.Points {
		qx, qy := x.At(pt.X)*float64(w), (1-y.At(pt.Y))*float64(h)
		if i > 0 {
			d.Dashed(px, py, qx, qy, dash, style)
		}
		px, py = qx, qy
	}
	if len(cv.Points) == 1 && !math.IsNaN(px+py) {
		d.Set(int(px), int(py), style)
	}
}
