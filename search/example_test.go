package search_test

import (
	"context"
	"fmt"

	"parfait/search"
	"parfait/surrogate"
)

// Two models, merged with one coefficient each, on two tasks: a strategy is asked for batch after batch, what it
// proposes is measured, and the landscape of all measurements says which trade-offs there are.
func Example() {
	ctx := context.Background()
	q := search.Question{
		Space: search.Space{Coefficients: []search.Coefficient{
			{Name: "math", Model: "math", Hi: 1, Kind: search.Scaling},
			{Name: "code", Model: "code", Hi: 1, Kind: search.Scaling},
		}},
		Tasks: []search.Task{
			{Name: "gsm8k", Link: surrogate.Logit, Maximize: true, Optimise: true},
			{Name: "mbpp", Link: surrogate.Logit, Maximize: true, Optimise: true},
		},
		N: 4, Budget: 16, Seed: 1,
	}
	// measure stands for a merge and its evaluation.
	measure := func(x []float64) []search.Measurement {
		return []search.Measurement{{Value: 0.4 + 0.4*x[0] - 0.2*x[1]*x[1]}, {Value: 0.3 + 0.4*x[1] - 0.2*x[0]*x[0]}}
	}

	strategy, err := search.New("adaptive", nil)
	if err != nil {
		panic(err)
	}
	for {
		p, err := strategy.Ask(ctx, q)
		if err != nil {
			panic(err)
		}
		if p.Stop != "" {
			fmt.Println(p.Stop)
			break
		}
		for _, point := range p.Points {
			q.Done = append(q.Done, search.Point{X: point.X, Y: measure(point.X), Batch: q.Batch})
		}
		if q.Batch == 0 {
			fmt.Println("first", p.Points[0].Why)
		}
		q.Batch, q.Asked = q.Batch+1, q.Asked+len(p.Points)
	}

	land, err := search.Fit(ctx, q)
	if err != nil {
		panic(err)
	}
	front, err := land.Front(ctx, 50)
	if err != nil {
		panic(err)
	}
	best := front[0] // ordered by the first objective, the best first
	gsm8k, _ := land.Surrogate(0).Predict(best)
	fmt.Printf("%d trials; at math %.1f, code %.1f gsm8k is predicted to be %.2f (%v)\n", len(q.Done), best[0], best[1], gsm8k, land.Believed(best))
	// Output:
	// first the base
	// the budget of 16 trials is spent
	// 16 trials; at math 1.0, code 0.0 gsm8k is predicted to be 0.80 (true)
}
