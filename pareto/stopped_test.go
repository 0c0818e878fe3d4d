package pareto

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"testing"

	"parfait/parallel/paralleltest"
)

// places are some looks of many, the first and the last among them.
func places(looks int) []int {
	var out []int
	for k := range 30 {
		out = append(out, k*k*(looks-1)/(29*29))
	}
	return slices.Compact(out)
}

// A front that is no longer wanted is left wherever the work on it stands: once the context has said so, each
// goroutine ends the one evaluation that it is at, and no more.
func TestFrontsAreLeftWhereverTheyStand(t *testing.T) {
	const workers = 3
	spheres := func(dst, x []float64) {
		for k := range dst {
			dst[k] = 0
			for j, v := range x {
				d := v - float64((k+j)%3)/2
				dst[k] += d * d
			}
		}
	}
	for name, find := range map[string]func(ctx context.Context, count func()) error{
		"Front": func(ctx context.Context, count func()) error {
			p := Problem{Bounds: Bounds{Lo: make([]float64, 5), Hi: []float64{1, 1, 1, 1, 1}}, M: 3, Eval: func(dst, x []float64) { count(); spheres(dst, x) }}
			_, _, err := Front(ctx, p, FrontOptions{N: 60, Workers: workers, Feasible: func(x []float64) float64 { count(); return x[0] + x[1] - 1.2 }})
			return err
		},
		"NSGA3": func(ctx context.Context, count func()) error {
			p := Problem{Bounds: Bounds{Lo: make([]float64, 5), Hi: []float64{1, 1, 1, 1, 1}}, M: 3, Eval: func(dst, x []float64) { count(); spheres(dst, x) }}
			_, _, err := NSGA3(ctx, p, NSGA3Options{Generations: 5, Population: 40, Workers: workers})
			return err
		},
	} {
		whole := paralleltest.EndAfter(-1)
		if err := find(whole, func() {}); err != nil {
			t.Fatal(err)
		}
		for _, k := range places(whole.Looks()) {
			ctx := paralleltest.EndAfter(k)
			var after atomic.Int64
			err := find(ctx, func() {
				if ctx.Ended() {
					after.Add(1)
				}
			})
			if !errors.Is(err, context.Canceled) {
				t.Errorf("%s: ended at look %d of %d it says %v", name, k, whole.Looks(), err)
			}
			if n := after.Load(); n > workers*5 { // differences take an evaluation a variable
				t.Errorf("%s: ended at look %d of %d, and %d evaluations after that", name, k, whole.Looks(), n)
			}
		}
	}
}

// A hypervolume of many objectives, which may take hours, looks before every row of every level.
func TestLongVolumesAreLeftWhereverTheyStand(t *testing.T) {
	const n, m = 60, 7
	rng := rand.New(rand.NewPCG(1, 2))
	points, ref := make([][]float64, n), make([]float64, m)
	for i := range points {
		points[i] = make([]float64, m)
		norm := 0.0
		for k := range m {
			points[i][k] = -math.Abs(rng.NormFloat64())
			norm += points[i][k] * points[i][k]
		}
		for k := range m {
			points[i][k] /= math.Sqrt(norm)
		}
	}
	whole := paralleltest.EndAfter(-1)
	want, err := HypervolumeUntil(whole, points, ref)
	if err != nil || want != Hypervolume(points, ref) {
		t.Fatalf("%v, %v; without a context %v", want, err, Hypervolume(points, ref))
	}
	if whole.Looks() < 50*n {
		t.Errorf("%d looks for %d points: there are steps that take long", whole.Looks(), n)
	}
	box := Box{Ideal: slices.Repeat([]float64{-1}, m), Ref: ref}
	fronts := [][][]float64{points[:20], points[20:40], points[40:]}
	for name, work := range map[string]func(context.Context) error{
		"HypervolumeUntil": func(ctx context.Context) error { _, err := HypervolumeUntil(ctx, points, ref); return err },
		"Volume":           func(ctx context.Context) error { _, err := box.Volume(ctx, points); return err },
		"Compare":          func(ctx context.Context) error { _, _, err := box.Compare(ctx, fronts); return err },
		"Attainment": func(ctx context.Context) error {
			_, err := Attainment(ctx, [][][]float64{points[:4], points[4:8]}, 1)
			return err
		},
		"ProbabilityNonDominated": func(ctx context.Context) error {
			_, err := ProbabilityNonDominated(ctx, 2, 20, 1, func(rng *rand.Rand, dst [][]float64) {
				dst[0], dst[1] = []float64{rng.Float64()}, []float64{rng.Float64()}
			})
			return err
		},
	} {
		whole := paralleltest.EndAfter(-1)
		if err := work(whole); err != nil {
			t.Fatal(name, err)
		}
		for _, k := range places(whole.Looks()) {
			ctx := paralleltest.EndAfter(k)
			if err := work(ctx); !errors.Is(err, context.Canceled) {
				t.Errorf("%s: ended at look %d of %d it says %v", name, k, whole.Looks(), err)
			}
			if more := ctx.Looks() - k; more > 40 {
				t.Errorf("%s: told at look %d that it has ended, it looks %d times more", name, k, more)
			}
		}
	}
}
