package evaluator_test

import (
	"context"
	"fmt"

	"parfait/evaluator"
)

// An evaluator of one's own is a function that measures one candidate. What it returns is checked: a task that was
// not measured fails the candidate, and no other.
func ExampleBlocking() {
	table := map[float64]evaluator.Metric{
		0:   {Value: 0.62, N: 500},
		0.5: {Value: 0.71, N: 500},
	}
	e := evaluator.Blocking(evaluator.Limits{InFlight: 1}, func(_ context.Context, c evaluator.Candidate, _ func(evaluator.Progress)) (evaluator.Metrics, error) {
		m := evaluator.Metrics{}
		if figure, ok := table[c.At[0].Value]; ok {
			m["gsm8k"] = figure
		}
		return m, nil
	})

	var batch []evaluator.Candidate
	for i, x := range []float64{0, 0.5, 1} {
		batch = append(batch, evaluator.Candidate{
			Key: fmt.Sprintf("example/%d", i+1), Attempt: 1, Split: evaluator.Validation, Tasks: []string{"gsm8k"},
			At: []evaluator.Coefficient{{Name: "math", Value: x}},
		})
	}
	err := e.Submit(context.Background(), batch, func(ev evaluator.Event) error {
		switch {
		case ev.State == evaluator.Done:
			fmt.Printf("%s: %.2f\n", ev.Key, ev.Metrics["gsm8k"].Value)
		case ev.State.Final():
			fmt.Printf("%s: %v\n", ev.Key, ev.Err)
		}
		return nil // a final event is on record now
	})
	if err != nil {
		fmt.Println(err)
	}
	// Unordered output:
	// example/1: 0.62
	// example/2: 0.71
	// example/3: no metric for the task "gsm8k": the evaluator reported no task at all
}

// The same question asked twice is known by its id: an evaluator may give back what it has kept.
func ExampleCandidate() {
	kept := map[string]evaluator.Metrics{}
	asked := 0
	e := evaluator.Blocking(evaluator.Limits{}, func(_ context.Context, c evaluator.Candidate, _ func(evaluator.Progress)) (evaluator.Metrics, error) {
		if m, ok := kept[c.ID]; ok {
			return m, nil
		}
		asked++
		kept[c.ID] = evaluator.Metrics{"gsm8k": {Value: 0.71, N: 500}}
		return kept[c.ID], nil
	})
	for attempt := range 2 {
		c := evaluator.Candidate{Key: "example/1", ID: "x7-1-0af3", Attempt: attempt + 1, Split: evaluator.Validation, Tasks: []string{"gsm8k"}}
		if err := e.Submit(context.Background(), []evaluator.Candidate{c}, func(evaluator.Event) error { return nil }); err != nil {
			fmt.Println(err)
		}
	}
	fmt.Println("measured", asked, "time")
	// Output: measured 1 time
}
