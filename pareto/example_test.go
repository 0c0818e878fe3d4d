package pareto_test

import (
	"context"
	"fmt"

	"gonum.org/v1/gonum/mat"

	"parfait/pareto"
)

// Two goals that pull apart: x at 0 and x at 1. Everything between is a trade-off.
func ExampleFront() {
	p := pareto.Problem{
		Bounds: pareto.Bounds{Lo: []float64{-2}, Hi: []float64{2}},
		M:      2,
		Eval: func(dst, x []float64) {
			dst[0], dst[1] = x[0]*x[0], (x[0]-1)*(x[0]-1)
		},
		Jacobian: func(dst *mat.Dense, x []float64) {
			dst.Set(0, 0, 2*x[0])
			dst.Set(1, 0, 2*(x[0]-1))
		},
	}
	xs, fs, err := pareto.Front(context.Background(), p, pareto.FrontOptions{N: 5})
	if err != nil {
		fmt.Println(err)
		return
	}
	for i, x := range xs {
		fmt.Printf("x %.1f  f %.1f %.1f\n", x[0], fs[i][0], fs[i][1])
	}
	knee := pareto.Knee(fs)
	fmt.Printf("the knee is at x %.1f\n", xs[knee][0])
	// Output:
	// x 0.0  f 0.0 1.0
	// x 0.2  f 0.1 0.6
	// x 0.5  f 0.2 0.3
	// x 0.8  f 0.6 0.1
	// x 1.0  f 1.0 0.0
	// the knee is at x 0.5
}

// Rows that were measured, an accuracy and a loss each: what is maximised is negated.
func ExampleNonDominated() {
	measured := [][]float64{{-0.80, 1.9}, {-0.85, 2.4}, {-0.79, 2.0}, {-0.84, 2.0}}
	front := pareto.NonDominated(measured)
	fmt.Println("on the front:", front)
	fmt.Println("nearest to an accuracy of 0.85 and a loss of 2:", pareto.Nearest(measured, []float64{-0.85, 2}))
	// Output:
	// on the front: [0 1 3]
	// nearest to an accuracy of 0.85 and a loss of 2: 3
}

// The better front has the larger hypervolume within a reference point that is worse than all.
func ExampleHypervolume() {
	ref := []float64{4, 4}
	fmt.Println(pareto.Hypervolume([][]float64{{1, 3}, {3, 1}}, ref))
	fmt.Println(pareto.Hypervolume([][]float64{{1, 3}, {2, 2}, {3, 1}}, ref))
	// Output:
	// 5
	// 6
}
