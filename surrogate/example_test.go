package surrogate_test

import (
	"context"
	"fmt"
	"math"

	"parfait/surrogate"
)

// Twenty merges of two models were measured on a task; what would a merge that was not measured reach?
func ExampleFit() {
	accuracy := func(a, b float64) float64 { return 0.6 + 0.3*a - 0.2*a*a - 0.1*(b-0.5)*(b-0.5) }
	data := surrogate.Data{Lo: []float64{0, 0}, Hi: []float64{1, 1}, Link: surrogate.Logit}
	for i := range 20 {
		a, b := math.Mod(0.618*float64(i), 1), math.Mod(0.755*float64(i), 1)
		data.X = append(data.X, []float64{a, b})
		data.Y = append(data.Y, accuracy(a, b))
		data.N = append(data.N, 10000) // items behind each
	}
	task := surrogate.Fit(context.Background(), []surrogate.Data{data}, surrogate.Choice{})[0]
	if task.Err != nil {
		fmt.Println(task.Err)
		return
	}
	fmt.Printf("%s of %d merges, Q² %.2f, flagged: %v\n", task.Trust.Fitter, task.Trust.N, task.Trust.Q2, task.Trust.Flagged)
	x := []float64{0.7, 0.5}
	mean, std := task.Surrogate.Predict(x)
	lo, hi := task.Surrogate.Interval(x, 0.9)
	fmt.Printf("predicted %.3f, uncertain by less than 0.01: %v, truly %.3f\n", mean, std < 0.01, accuracy(0.7, 0.5))
	fmt.Printf("within its 90 %% interval: %v\n", lo <= accuracy(0.7, 0.5) && accuracy(0.7, 0.5) <= hi)
	fmt.Printf("an extrapolation there: %v, at (3, 3): %v\n", task.Surrogate.Leverage(x) > 1, task.Surrogate.Leverage([]float64{3, 3}) > 1)
	// Output:
	// gp of 20 merges, Q² 1.00, flagged: false
	// predicted 0.712, uncertain by less than 0.01: true, truly 0.712
	// within its 90 % interval: true
	// an extrapolation there: false, at (3, 3): true
}
