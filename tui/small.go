package tui

import (
	"fmt"
	"image"

	"parfait/tui/chart"
)

// drawTooSmall says which size is needed.
func drawTooSmall(c *chart.Canvas) {
	w, h := c.Size()
	lines := []string{
		"parfait",
		fmt.Sprintf("needs %d×%d", minWidth, minHeight),
		fmt.Sprintf("this is %d×%d", w, h),
		"q quits",
	}
	lines = limit(lines, h)
	for i, line := range lines {
		style := plain
		if i == 0 {
			style = accent.With(chart.Bold)
		}
		centred(c, (h-len(lines))/2+i, line, style)
	}
}

// sub is the window of c that r names.
func sub(c *chart.Canvas, r image.Rectangle) *chart.Canvas {
	return c.Sub(r.Min.X, r.Min.Y, r.Dx(), r.Dy())
}
