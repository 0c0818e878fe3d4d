package explore

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/dustin/go-humanize"

	"parfait/study"
)

// Share says how much of the best v is: 1 is the best, less is worse, whatever the sense. NaN where that means
// nothing: a share of what is not positive.
func Share(t study.Task, v, best float64) float64 {
	switch {
	case !(best > 0) || !(v >= 0):
		return math.NaN()
	case t.Sense == study.Minimize && v == 0:
		return math.NaN()
	case t.Sense == study.Minimize:
		return best / v
	}
	return v / best
}

// Percent writes a share in whole percent, rounded down so that only the best is 100; "" where there is none.
func Percent(share float64) string {
	if !(share >= 0) || math.IsInf(share, 0) {
		return ""
	}
	return strconv.FormatFloat(math.Floor(100*share+1e-9), 'f', 0, 64)
}

// Duration writes how long something took in its two largest units: 13 ms, 1.5 s, 2 min 05 s.
func Duration(d time.Duration) string {
	switch d = max(0, d); {
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < 10*time.Second:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d < time.Minute:
		return fmt.Sprintf("%.0f s", d.Seconds())
	case d < time.Hour:
		return fmt.Sprintf("%d min %02d s", int(d.Minutes()), int(d.Seconds())%60)
	}
	return fmt.Sprintf("%d h %02d min", int(d.Hours()), int(d.Minutes())%60)
}

// Bytes writes a size as people say it, in powers of 1000: 20 kB, 1.4 GB.
func Bytes(n int64) string { return humanize.Bytes(uint64(max(0, n))) }
