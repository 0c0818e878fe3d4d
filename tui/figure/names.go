package figure

import (
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// names writes the labels beside their points, where they hide least.
type names struct{ d *drawing }

// Plot implements plot.Plotter.
func (n names) Plot(c draw.Canvas, p *plot.Plot) {
	m := newMapping(c, p)
	w := &writer{area: m.area, style: p.X.Tick.Label}
	w.style.XAlign, w.style.YAlign = draw.XLeft, draw.YCenter
	if n.d.cornered {
		w.labels = append(w.labels, n.d.legendBox(&p.Legend, c))
	}
	for i := range n.d.Scatter.Layers {
		l := &n.d.Scatter.Layers[i]
		for j := range l.Points {
			pt := &l.Points[j]
			at, ok := m.at(pt.X, pt.Y)
			if !ok {
				continue
			}
			r := n.d.style(l, pt).Radius
			w.marks = append(w.marks, box(at.X-r, at.Y-r, at.X+r, at.Y+r))
			if pt.ErrX > 0 {
				w.marks = append(w.marks, box(m.x(pt.X-pt.ErrX), at.Y-1, m.x(pt.X+pt.ErrX), at.Y+1))
			}
			if pt.ErrY > 0 {
				w.marks = append(w.marks, box(at.X-1, m.y(pt.Y-pt.ErrY), at.X+1, m.y(pt.Y+pt.ErrY)))
			}
		}
	}
	for i := len(n.d.Scatter.Layers) - 1; i >= 0; i-- {
		l := &n.d.Scatter.Layers[i]
		for j := range l.Points {
			pt := &l.Points[j]
			at, ok := m.at(pt.X, pt.Y)
			label := words(pt.Label)
			if !ok || label == "" {
				continue
			}
			r, hidden, ok := w.place(at, label)
			if !ok {
				continue
			}
			at = vg.Point{X: r.Min.X, Y: (r.Min.Y + r.Max.Y) / 2}
			if hidden { // a rim keeps the text legible; what is below shows around it
				w.style.Color = n.d.paper
				for _, by := range rim {
					c.FillText(w.style, at.Add(by), label)
				}
			}
			w.style.Color = n.d.style(l, pt).Color
			c.FillText(w.style, at, label)
		}
	}
}

// rim is where copies of a text lie that make an edge around it.
var rim = []vg.Point{{X: 1}, {X: -1}, {Y: 1}, {Y: -1}, {X: .7, Y: .7}, {X: .7, Y: -.7}, {X: -.7, Y: .7}, {X: -.7, Y: -.7}}

// writer finds places for labels.
type writer struct {
	area   vg.Rectangle
	style  text.Style
	marks  []vg.Rectangle // what labels should not hide
	labels []vg.Rectangle // what they must not
}

// place is where a label goes, and whether it hides marks there: right or left of the point if that is free,
// else above or below, near or farther, where it hides least. There is no place outside the area.
func (w *writer) place(at vg.Point, label string) (r vg.Rectangle, hidden, ok bool) {
	width, height := w.style.Width(label), w.style.Height(label)
	const gap = vg.Length(7)
	least := vg.Length(0)
	for _, dy := range []vg.Length{0, height, -height, 2 * height, -2 * height, 3 * height, -3 * height} {
		y := at.Y + dy
		xs := []vg.Length{at.X + gap, at.X - gap - width, at.X - width/2}
		if dy == 0 {
			xs = xs[:2]
		}
		for _, x := range xs {
			b := box(x, y-height/2, x+width, y+height/2)
			if !within(b, w.area) {
				continue
			}
			if cost := w.cost(b); !ok || cost < least {
				r, least, ok = b, cost, true
			}
		}
	}
	if ok {
		w.labels = append(w.labels, r)
	}
	return r, least > 0, ok
}

// cost is how much a label at r hides, as an area: other labels count many times.
func (w *writer) cost(r vg.Rectangle) vg.Length {
	sum := vg.Length(0)
	for _, m := range w.marks {
		sum += shared(r, m)
	}
	for _, l := range w.labels {
		sum += 100 * shared(r, l)
	}
	return sum
}

func box(x0, y0, x1, y1 vg.Length) vg.Rectangle {
	return vg.Rectangle{Min: vg.Point{X: min(x0, x1), Y: min(y0, y1)}, Max: vg.Point{X: max(x0, x1), Y: max(y0, y1)}}
}

func within(r, area vg.Rectangle) bool {
	return r.Min.X >= area.Min.X && r.Max.X <= area.Max.X && r.Min.Y >= area.Min.Y && r.Max.Y <= area.Max.Y
}

// shared is the area that two rectangles have in common.
func shared(a, b vg.Rectangle) vg.Length {
	w, h := min(a.Max.X, b.Max.X)-max(a.Min.X, b.Min.X), min(a.Max.Y, b.Max.Y)-max(a.Min.Y, b.Min.Y)
	if w <= 0 || h <= 0 {
		return 0
	}
	return w * h
}
