package cli

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"parfait/explore"
	"parfait/merge"
	"parfait/study"
)

// plain writes a metric.
func plain(t study.Task, v float64) string { return explore.Number(t, v) }

// uncertain writes what was measured with its standard error, or alone where that is not known.
func uncertain(t study.Task, m study.Metric) string {
	stderr, known := t.Stderr(m)
	if !known || math.IsInf(stderr, 0) {
		return plain(t, m.Value)
	}
	return plain(t, m.Value) + " ±" + explore.Spread(t, stderr)
}

// predicted writes a prediction with what there is to say about its 90 % interval.
func predicted(t study.Task, p study.Prediction) string {
	return strings.TrimSpace(plain(t, p.Value) + " " + explore.Interval(t, p))
}

// ofBest says how much of the best v is, in whole percent; "" where that means nothing.
func ofBest(t study.Task, v, best float64) string {
	if p := explore.Percent(explore.Share(t, v, best)); p != "" {
		return p + " %"
	}
	return ""
}

// coefficient writes a coefficient's value.
func coefficient(v float64) string { return explore.Decimal(v, 3) }

// hundredths writes v with two decimals, and a leading zero but no sign before it.
func hundredths(v float64) string {
	if s := strconv.FormatFloat(v, 'f', 2, 64); s != "-0.00" {
		return s
	}
	return "0.00"
}

// bytesText writes a size as people do.
func bytesText(n int64) string { return explore.Bytes(n) }

// durationText writes a duration in its two largest units.
func durationText(d time.Duration) string { return explore.Duration(d) }

// count is "1 file" or "3 files".
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.Itoa(n) + " " + noun + "s"
}

// arrow says which way is better.
func arrow(t study.Task) string {
	if t.Sense == study.Minimize {
		return "↓"
	}
	return "↑"
}

// standing says how far a merge has come.
func standing(m merge.Progress) string {
	if !m.Work {
		return moved(m.Done, m.Total, m.Rate, m.Remaining)
	}
	s := fmt.Sprintf("%.0f %%", 100*float64(m.Done)/float64(max(1, m.Total)))
	if m.Remaining > time.Second {
		s += " · eta " + durationText(m.Remaining)
	}
	return s
}

// moved says how far a stream of bytes has come.
func moved(done, total int64, rate float64, remaining time.Duration) string {
	s := bytesText(done) + " of " + bytesText(total)
	if rate > 0 {
		s += fmt.Sprintf(" · %s/s", bytesText(int64(rate)))
	}
	if remaining > time.Second {
		s += " · eta " + durationText(remaining)
	}
	return s
}
