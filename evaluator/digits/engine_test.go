package digits_test

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"

	"parfait/evaluator"
	"parfait/evaluator/digits"
	"parfait/merge"
)

// The landscape in memory is the way over the merge engine and its files, exactly: the same coefficients
// give the same answer to every image.
func TestLandscapeAgreesWithMerges(t *testing.T) {
	const tasks = 3
	dir := t.TempDir()
	models, err := digits.Write(t.Context(), filepath.Join(dir, "models"), tasks)
	if err != nil {
		t.Fatal(err)
	}
	land, err := digits.NewLandscape(t.Context(), tasks)
	if err != nil {
		t.Fatal(err)
	}
	spec := merge.Spec{Base: models.Base, Method: "task_arithmetic", DType: merge.BF16}
	for _, e := range models.Experts {
		spec.Models = append(spec.Models, merge.Source{Name: e.Name, Path: e.Path})
	}
	plan, err := merge.NewPlan(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := plan.Close(); err != nil {
			t.Error(err)
		}
	}()
	points := [][]float64{{0, 0, 0}, {1, 0, 0}, {1. / 3, 1. / 3, 1. / 3}, {.2, .6, .4}, {1.2, .07, 0}, {.123456789, 1.1, .9}}
	var outs []merge.Output
	for i, x := range points {
		at := map[string]float64{}
		for j, e := range models.Experts {
			at[e.Name] = x[j]
		}
		outs = append(outs, merge.Output{At: at, Target: filepath.Join(dir, fmt.Sprint("merge-", i))})
	}
	if _, err := plan.Write(t.Context(), outs, merge.WriteOptions{}, nil); err != nil {
		t.Fatal(err)
	}
	var batch []evaluator.Candidate
	for i, o := range outs {
		batch = append(batch, evaluator.Candidate{
			Key: fmt.Sprint(i), Attempt: 1, Tasks: land.Tasks(), Split: evaluator.Validation,
			Model: func(context.Context, evaluator.Form) (evaluator.Lease, error) {
				return evaluator.Lease{Path: o.Target}, nil
			},
		})
	}
	found := make(chan evaluator.Event, 100)
	if err := digits.New(digits.Options{}).Submit(t.Context(), batch, func(e evaluator.Event) error { found <- e; return nil }); err != nil {
		t.Fatal(err)
	}
	close(found)
	measured := map[string]evaluator.Event{}
	for e := range found {
		measured[e.Key] = e
	}
	for i, x := range points {
		want := land.At(x, evaluator.Validation)
		for _, task := range land.Tasks() {
			if got := measured[fmt.Sprint(i)]; got.Metrics[task] != want[task] {
				t.Errorf("%v, %s: %v from the merge's files, %v in memory (%v)", x, task, got.Metrics[task], want[task], got.Err)
			}
		}
	}
}
