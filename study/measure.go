package study

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"sync"

	"parfait/evaluator"
)

// measure has every evaluator that can measure split do so on a model that stands in folder.
func (s *Study) measure(ctx context.Context, name, folder string, x []float64, split evaluator.Split, progress func(evaluator.Progress)) (evaluator.Metrics, error) {
	out := evaluator.Metrics{}
	for _, lane := range s.evaluatorNames() {
		spec := s.spec.Evaluators[lane]
		eval, err := spec.build(s.dir, 0)
		if err != nil {
			return out, &Error{Code: CodeEvaluator, Where: "evaluators." + lane, What: "cannot be used", Err: err}
		}
		if !slices.Contains(eval.Limits().Splits, split) {
			continue
		}
		c := evaluator.Candidate{
			Key: fmt.Sprintf("%s/%s-%s", s.Snapshot().Name, name, split), Attempt: 1, Split: split, At: coefficients(s.Names(), x),
			Log: filepath.Join(s.dir, "logs", "export-"+name+".log"),
			Model: func(context.Context, evaluator.Form) (evaluator.Lease, error) {
				return evaluator.Lease{Path: folder, Release: func() {}}, nil
			},
		}
		for _, t := range s.spec.Tasks {
			if t.Evaluator == lane {
				c.Tasks = append(c.Tasks, t.Name)
			}
		}
		if len(c.Tasks) == 0 {
			continue
		}
		var mu sync.Mutex
		var final evaluator.Event
		if err := eval.Submit(ctx, []evaluator.Candidate{c}, func(e evaluator.Event) {
			mu.Lock()
			defer mu.Unlock()
			if e.State.Final() {
				final = e
			} else if progress != nil {
				progress(e.Progress)
			}
		}); err != nil {
			return out, err
		}
		if final.State != evaluator.Done {
			return out, &Error{Code: CodeEvaluator, Where: "evaluators." + lane, What: fmt.Sprintf("the %s split of %s could not be measured", split, folder), Err: final.Err}
		}
		for task, m := range final.Metrics {
			out[task] = m
		}
	}
	return out, nil
}

// evaluatorNames in a fixed order.
func (s *Study) evaluatorNames() []string {
	var out []string
	for name := range s.spec.Evaluators {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}
