package items_test

import (
	"context"
	"fmt"
	"math"

	"parfait/surrogate/items"
)

// Twelve merges were measured on all 200 items; of the next one 20 are asked.
func Example() {
	const n = 200
	right := func(x []float64) (scores []float64) { // the more of the model, the more items
		for i := range n {
			scores = append(scores, math.Round(1/(1+math.Exp(float64(i)/20-8*x[0]))))
		}
		return scores
	}
	var full []items.Trial
	for k := range 12 {
		x := []float64{float64(k) / 11}
		full = append(full, items.Trial{X: x, Scores: right(x)})
	}
	predictor, err := items.NewPredictor(context.Background(), full, []float64{0}, []float64{1}, n)
	if err != nil {
		panic(err)
	}
	x := []float64{0.63}
	predicted, std, err := predictor.At(x)
	if err != nil {
		panic(err)
	}
	probability, err := items.Probabilities(std, 20)
	if err != nil {
		panic(err)
	}
	sample, err := items.Draw(probability, 1)
	if err != nil {
		panic(err)
	}
	asking := items.Asking{Items: sample, Probability: probability, Predicted: predicted}
	truth := right(x)
	sum := 0.0
	for _, v := range truth {
		sum += v
	}
	for _, i := range sample {
		asking.Scores = append(asking.Scores, truth[i])
	}
	e, err := items.Combine(asking)
	if err != nil {
		panic(err)
	}
	fmt.Printf("%.2f ± %.2f by %d of %d items; by all it is %.2f\n", e.Value, e.These, e.Asked, e.N, sum/n)
	// Output: 0.50 ± 0.03 by 20 of 200 items; by all it is 0.51
}
