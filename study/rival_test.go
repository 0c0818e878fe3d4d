package study

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// The chance to be nowhere worse agrees with draws from the joint distributions of the surrogates.
func TestChanceAgreesWithDraws(t *testing.T) {
	a := analysed(t, nil)
	rng := rand.New(rand.NewPCG(1, 2))
	base := make([]float64, 3)
	for _, i := range []int{0, len(a.Front) / 3, a.Knee, len(a.Front) - 1} {
		x := a.Front[i].X
		const draws = 20000
		never := 0
		for range draws {
			worse := false
			for _, task := range a.Objectives {
				mean, cov := a.Fits[task].joint([][]float64{x, base})
				u, v := rng.NormFloat64(), rng.NormFloat64()
				l := math.Sqrt(cov.At(0, 0))
				c := cov.At(0, 1) / l
				gain := mean[0] + l*u - (mean[1] + c*u + math.Sqrt(max(cov.At(1, 1)-c*c, 0))*v)
				if a.Tasks[task].Sense == Minimize {
					gain = -gain
				}
				worse = worse || gain < 0
			}
			if !worse {
				never++
			}
		}
		if got, want := a.Chance(x, base), float64(never)/draws; math.Abs(got-want) > 0.02 {
			t.Errorf("point %d is nowhere below the base with probability %.3f, drawn %.3f", i, got, want)
		}
	}
	if p := a.Chance(base, base); p != 1 {
		t.Errorf("the base is nowhere worse than itself with probability %v, want 1", p)
	}
}

func TestRivals(t *testing.T) {
	a := analysed(t, nil)
	for i := range a.References {
		a.References[i].Trial = 0 // measured
	}
	var names []string
	for _, r := range a.Rivals() {
		names = append(names, r.Name)
	}
	if !slices.Contains([]string{"math", "code", "chat"}, names[len(names)-1]) || !slices.Equal(names[:2], []string{BaseName, AverageName}) {
		t.Errorf("the rivals are %q, expected the base, the average and a model", names)
	}
	a.Space.Simplex = [][]int{{0, 1, 2}}
	if r := a.Rivals(); r[0].Name != AverageName {
		t.Errorf("where proportions add up to one the first rival is %s, expected the average", r[0].Name)
	}
}

func TestDifference(t *testing.T) {
	rate := Task{Unit: "rate", Sense: Maximize}
	for _, c := range []struct {
		name string
		task Task
		a, b Metric
		gain float64
		sure bool
	}{
		{"beyond noise", rate, Metric{Value: .8, N: 1000}, Metric{Value: .7, N: 1000}, .1, true},
		{"worse", rate, Metric{Value: .7, N: 1000}, Metric{Value: .8, N: 1000}, -.1, true},
		{"within noise", rate, Metric{Value: .8, N: 50}, Metric{Value: .7, N: 50}, .1, false},
		{"noise of one is not known", rate, Metric{Value: .8}, Metric{Value: .7, N: 1000}, .1, false},
		{"less is better", Task{Sense: Minimize}, Metric{Value: 2, Stderr: .1}, Metric{Value: 3, Stderr: .1}, 1, true},
	} {
		if d := c.task.Difference(c.a, c.b); math.Abs(d.Gain-c.gain) > 1e-9 || d.Sure() != c.sure {
			t.Errorf("%s: %+v, sure %v; want a gain of %g, sure %v", c.name, d, d.Sure(), c.gain, c.sure)
		}
	}
}
