package explore

import (
	"math"
	"testing"
	"time"

	"parfait/study"
)

func TestFigures(t *testing.T) {
	rate, loss := study.Task{Unit: "rate"}, study.Task{Sense: study.Minimize}
	for _, c := range []struct{ got, want string }{
		{Percent(Share(rate, 0.5, 0.8)), "62"},
		{Percent(Share(rate, 0.7999, 0.8)), "99"},
		{Percent(Share(rate, 0.8, 0.8)), "100"},
		{Percent(Share(rate, 0.57, 1)), "57"}, // 100·0.57 is a little less than 57
		{Percent(Share(rate, 0, 0.8)), "0"},
		{Percent(Share(rate, 0.5, 0)), ""},
		{Percent(Share(rate, -0.5, 0.8)), ""},
		{Percent(Share(loss, 10, 8)), "80"},
		{Percent(Share(loss, 0, 8)), ""},
		{Percent(math.NaN()), ""},
		{Duration(13 * time.Millisecond), "13 ms"},
		{Duration(1500 * time.Millisecond), "1.5 s"},
		{Duration(-time.Second), "0 ms"},
		{Duration(125 * time.Second), "2 min 05 s"},
		{Bytes(19_240), "19 kB"},
		{Bytes(-1), "0 B"},
	} {
		if c.got != c.want {
			t.Errorf("%q, expected %q", c.got, c.want)
		}
	}
}
