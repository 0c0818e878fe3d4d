package chart

import (
	"testing"

	"github.com/charmbracelet/colorprofile"
)

// crowded is a front of 2,000 points and 500 trials, the most that a frame is promised to hold.
func crowded() *Scatter {
	s := demoScatter()
	for i := range s.Layers {
		l := &s.Layers[i]
		n := map[Mark]int{MarkPredicted: 2000, MarkMeasured: 500}[l.Mark]
		for len(l.Points) < n {
			p := l.Points[len(l.Points)%50]
			p.X += 1e-4 * float64(len(l.Points)%97)
			l.Points = append(l.Points, p)
		}
	}
	return s
}

func BenchmarkFrame(b *testing.B) {
	theme := NewTheme(colorprofile.TrueColor, false)
	s, p, m := crowded(), demoParallel(2500), demoContour()
	for name, draw := range map[string]func(*Canvas){
		"front":    func(c *Canvas) { s.Draw(c) },
		"parallel": func(c *Canvas) { p.Draw(c) },
		"contour":  func(c *Canvas) { m.Draw(c) },
		"empty":    func(*Canvas) {},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			c := NewCanvas(160, 48, Braille)
			for b.Loop() {
				c.Resize(160, 48)
				draw(c)
				_ = c.String(theme)
			}
		})
	}
}
