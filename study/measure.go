package study

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"golang.org/x/sys/unix"

	"parfait/evaluator"
	"parfait/merge"
)

// examiners are the study's evaluators, built to measure one export on all splits.
type examiners struct {
	*Study
	lanes []*lane
}

func (s *Study) examiners() (*examiners, error) {
	x := &examiners{Study: s}
	for _, name := range slices.Sorted(maps.Keys(s.spec().Evaluators)) {
		l := &lane{name: name, tasks: s.tasksOf(name)}
		if len(l.tasks) == 0 {
			continue
		}
		var err error
		if l.eval, err = s.spec().Evaluators[name].build(s.dir, 0); err != nil {
			return nil, errors.Join(&Error{Code: CodeEvaluator, Where: "evaluators." + name, What: "cannot be used", Err: err}, x.close())
		}
		x.lanes = append(x.lanes, l)
	}
	return x, nil
}

func (x *examiners) close() error {
	var errs []error
	for _, l := range x.lanes {
		errs = append(errs, closeEvaluator(l.eval))
	}
	return errors.Join(errs...)
}

// offered says whether any evaluator can measure split.
func (x *examiners) offered(split evaluator.Split) bool {
	return slices.ContainsFunc(x.lanes, func(l *lane) bool { return slices.Contains(l.eval.Limits().Splits, split) })
}

// measure has every evaluator that can measure split do so on an export. What could be measured comes
// back also where something else could not.
func (x *examiners) measure(ctx context.Context, e Export, split evaluator.Split, progress func(evaluator.Progress)) (evaluator.Metrics, error) {
	out := evaluator.Metrics{}
	var errs []error
	for _, l := range x.lanes {
		if !slices.Contains(l.eval.Limits().Splits, split) {
			continue
		}
		final, err := x.examine(ctx, l, e, split, progress)
		if err == nil {
			err = x.judge(l.tasks, final)
		}
		if err != nil {
			errs = append(errs, &Error{Code: CodeEvaluator, Where: "evaluators." + l.name, What: fmt.Sprintf("the %s split could not be measured", split), Err: err})
			continue
		}
		maps.Copy(out, final.Metrics)
	}
	return out, errors.Join(errs...)
}

// examine has one evaluator measure an export.
func (x *examiners) examine(ctx context.Context, l *lane, e Export, split evaluator.Split, progress func(evaluator.Progress)) (final evaluator.Event, err error) {
	c := evaluator.Candidate{
		Key: fmt.Sprintf("%s/%s-%s", x.name(), e.Name, split), Attempt: 1, Split: split, Tasks: l.tasks, At: coefficients(x.Names(), e.X),
		Log: filepath.Join(x.dir, "logs", "export-"+e.Name+".log"),
		Model: func(ctx context.Context, form evaluator.Form) (evaluator.Lease, error) {
			if form == evaluator.Adapter {
				return x.adapter(ctx, e)
			}
			return evaluator.Lease{Path: e.Out, Release: func() {}}, nil
		},
	}
	if os.MkdirAll(filepath.Dir(c.Log), 0o755) != nil || unix.Access(filepath.Dir(c.Log), unix.W_OK) != nil {
		c.Log = "" // a study that may only be looked at
	}
	var mu sync.Mutex
	err = l.eval.Submit(ctx, []evaluator.Candidate{c}, func(e evaluator.Event) {
		mu.Lock()
		defer mu.Unlock()
		if e.State.Final() {
			final = e
		} else {
			progress(e.Progress)
		}
	})
	mu.Lock()
	defer mu.Unlock()
	return final, err
}

// adapter writes the export's merge again as an adapter, for an evaluator that wants it so.
func (x *examiners) adapter(ctx context.Context, e Export) (evaluator.Lease, error) {
	plan, err := merge.NewPlan(ctx, x.mergeSpec(evaluator.Adapter))
	if err != nil {
		return evaluator.Lease{}, err
	}
	defer func() { _ = plan.Close() }()
	dir, err := os.MkdirTemp(filepath.Dir(e.Out), "."+e.Name+"-adapter-*")
	if err != nil {
		return evaluator.Lease{}, err
	}
	out := merge.Output{At: named(x.Names(), e.X), Target: filepath.Join(dir, e.Name)}
	if _, err := plan.Write(ctx, []merge.Output{out}, merge.WriteOptions{}, nil); err != nil {
		return evaluator.Lease{}, errors.Join(err, os.RemoveAll(dir))
	}
	return evaluator.Lease{Path: out.Target, Release: func() { _ = os.RemoveAll(dir) }}, nil
}
