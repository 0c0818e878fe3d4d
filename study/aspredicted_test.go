package study

import (
	"math"
	"slices"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"

	"parfait/evaluator"
)

// measuredAs is what an export says of one task.
func measuredAs(task Task, p Prediction, validation, test *Metric) map[evaluator.Split][]string {
	m := map[evaluator.Split]map[string]Metric{}
	for split, v := range map[evaluator.Split]*Metric{evaluator.Validation: validation, evaluator.Test: test} {
		if v != nil {
			m[split] = map[string]Metric{task.Name: *v}
		}
	}
	return NotAsPredicted([]Task{task}, map[string]Prediction{task.Name: p}, m)
}

// Where a prediction is right, noise is taken for more than that less than twice in 100 times, of however few items and
// however near to 1, and what is four standard errors off is found in most: what is counted is every number of right
// answers, by its probability.
func TestNotAsPredictedCounted(t *testing.T) {
	rate := Task{Name: "a", Unit: "rate"}
	for _, n := range []int{30, 50, 100, 450} {
		for _, p := range []float64{.5, .8, .9, .95, .98, .99, .995, .999} {
			stderr := math.Sqrt(p * (1 - p) / float64(n))
			share := func(of float64) (alarms float64) {
				for k := 0; k <= n; k++ {
					pmf := distuv.Binomial{N: float64(n), P: of}.Prob(float64(k))
					m := Metric{Value: float64(k) / float64(n), N: n}
					if len(measuredAs(rate, Prediction{Value: p, Std: 0.3 * stderr, Lo: 0, Hi: 1}, &m, nil)) > 0 {
						alarms += pmf
					}
				}
				return alarms
			}
			if alarms := share(p); alarms > 0.02 {
				t.Errorf("%d items of a rate of %g: %.4f of right predictions alarm, want .02 at most", n, p, alarms)
			}
			if found := share(p - 4*stderr); p-4*stderr > 0.02 && p < 0.98 && found < 0.6 {
				t.Errorf("%d items of a rate of %g: %.2f of what is four standard errors lower is found, want .6 at least", n, p, found)
			}
		}
	}
}

func TestNotAsPredicted(t *testing.T) {
	rate, loss := Task{Name: "a", Unit: "rate"}, Task{Name: "a", Unit: "loss", Sense: Minimize}
	of := func(v float64, n int, stderr float64) *Metric { return &Metric{Value: v, N: n, Stderr: stderr} }
	sure := Prediction{Value: .8, Std: .005, Lo: .7, Hi: .9}
	for name, c := range map[string]struct {
		task             Task
		p                Prediction
		validation, test *Metric
		missed           []evaluator.Split
	}{
		"as predicted":                       {rate, sure, of(.79, 1000, 0), of(.81, 1000, 0), nil},
		"not on validation":                  {rate, sure, of(.74, 1000, 0), of(.8, 1000, 0), []evaluator.Split{evaluator.Validation}},
		"only not on test":                   {rate, sure, of(.8, 1000, 0), of(.74, 1000, 0), []evaluator.Split{evaluator.Test}},
		"the items learnt from were few":     {rate, sure, of(.8, 100, 0), of(.74, 1000, 0), nil},
		"test alone says nothing":            {rate, sure, nil, of(.5, 1000, 0), nil},
		"items that come in clusters":        {rate, sure, of(.74, 1000, .04), nil, nil},
		"a loss":                             {loss, Prediction{Value: 2, Std: .01}, of(2.1, 0, .02), nil, []evaluator.Split{evaluator.Validation}},
		"a loss whose noise is not known":    {loss, Prediction{Value: 2, Std: .01, Lo: 1.9, Hi: 2.1}, of(2.1, 0, 0), nil, nil},
		"and far off":                        {loss, Prediction{Value: 2, Std: .01, Lo: 1.9, Hi: 2.1}, of(2.2, 0, 0), nil, []evaluator.Split{evaluator.Validation}},
		"all of 50 right":                    {rate, Prediction{Value: .96, Std: .006}, of(1, 50, 0), nil, nil},
		"all of 50 right where 40 should be": {rate, Prediction{Value: .8, Std: .006}, of(1, 50, 0), nil, []evaluator.Split{evaluator.Validation}},
	} {
		got := measuredAs(c.task, c.p, c.validation, c.test)
		var splits []evaluator.Split
		for s := range got {
			splits = append(splits, s)
		}
		if !slices.Equal(splits, c.missed) {
			t.Errorf("%s: missed on %v, want %v", name, splits, c.missed)
		}
	}
}

// What is allowed is shared among an export's tasks: ten right predictions alarm as seldom as one.
func TestNotAsPredictedOfManyTasks(t *testing.T) {
	var tasks []Task
	predicted, measured := map[string]Prediction{}, map[string]Metric{}
	for i := range 10 {
		name := string(rune('a' + i))
		tasks = append(tasks, Task{Name: name, Unit: "loss"})
		predicted[name], measured[name] = Prediction{Value: 1, Std: .01}, Metric{Value: 1, Stderr: .01}
	}
	off := 2.9 * math.Hypot(.01, .01) // once in 270 times
	measured["d"] = Metric{Value: 1 + off, Stderr: .01}
	of := map[evaluator.Split]map[string]Metric{evaluator.Validation: measured}
	if got := NotAsPredicted(tasks, predicted, of); len(got) > 0 {
		t.Errorf("of ten tasks: %v, want none", got)
	}
	if got := NotAsPredicted(tasks[3:4], predicted, of); !slices.Equal(got[evaluator.Validation], []string{"d"}) {
		t.Errorf("by itself: %v, want d", got)
	}
}
