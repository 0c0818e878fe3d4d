package study

import (
	"strings"
	"testing"

	"parfait/surrogate"
)

func TestTrialsThatAreFittedApartAreNamed(t *testing.T) {
	a := &Analysis{}
	for id := 1; id <= 9; id++ {
		a.Trials = append(a.Trials, Trial{ID: id, Metrics: map[string]Metric{"loss": {Value: 2}}})
	}
	a.Trials[3].Metrics["loss"] = Metric{Value: 5000}
	a.Fits = []Fit{{Task: "loss", Used: []int{0, 1, 2, 3, 4, 5, 6, 7, 8}, Trust: surrogate.Trust{LOO: []float64{2, 2, 2, 2.1, 2, 2, 2, 2, 2}}}}
	for _, c := range []struct {
		apart []int
		cliff bool
		want  string
	}{
		{nil, false, ""},
		{[]int{3}, false, "trial 4 measured 5000 where all others say 2.1: it is fitted apart, and what lies near it is not believed"},
		{[]int{3, 5}, false, "trials 4 and 6 are far from what all others say"},
		{[]int{1, 3, 5}, true, "trials 2, 4 and 6 collapsed: they are fitted apart, and with them where it happens"},
		{[]int{0, 1, 2, 3, 4, 5, 6}, true, "trials 1, 2, 3, 4, 5 and 2 more collapsed"},
	} {
		a.Fits[0].Trust.Apart, a.Fits[0].Trust.Cliff = c.apart, c.cliff
		if got := a.Apart(0); !strings.HasPrefix(got, c.want) || c.want == "" && got != "" {
			t.Errorf("%v: %q, want %q", c.apart, got, c.want)
		}
		if stray := a.Stray(3, 0); stray != (c.want != "" && !c.cliff) {
			t.Errorf("%v: trial 4 is a stray: %v", c.apart, stray)
		}
	}
}
