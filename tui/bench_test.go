package tui

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/charmbracelet/colorprofile"

	"parfait/explore/exploretest"
)

// BenchmarkKeyToFrame is the time from a key to the bytes of its frame, with 8 tasks, 500 trials and some
// 2,000 front points. The budget of its 99th percentile is 16 ms.
func BenchmarkKeyToFrame(b *testing.B) {
	big := exploretest.Options{Trials: 500, Budget: 500, FrontSize: 2000, Tasks: []string{"a", "b", "c", "d", "e", "f", "g", "h"}}
	for _, bb := range []struct{ name, before, keys string }{
		{"walk", "", "right"},
		{"favour", "", "+"},
		{"slider", "tab", "l"},
		{"trials", "3", "up"},
		{"brush", "2", "up"},
		{"surrogate", "4", "down"},
	} {
		for _, size := range [][2]int{{160, 48}, {200, 60}} {
			b.Run(fmt.Sprintf("%s-%dx%d", bb.name, size[0], size[1]), func(b *testing.B) {
				d := drive(b, big, size[0], size[1])
				d.press(bb.before)
				line := newWire(size[0], size[1], colorprofile.TrueColor)
				line.frame(b, d.e.View().Content)
				back := map[string]string{"right": "left", "+": "-", "l": "h", "up": "down", "down": "up"}[bb.keys]
				var took []time.Duration
				for i := 0; b.Loop(); i++ {
					key := bb.keys
					if i/10%2 == 1 {
						key = back
					}
					begin := time.Now()
					_, cmd := d.e.Update(keyPress(key))
					line.frame(b, d.e.View().Content)
					took = append(took, time.Since(begin))
					b.StopTimer()
					d.do(cmd)
					b.StartTimer()
				}
				slices.Sort(took)
				b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
				b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
			})
		}
	}
}
