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
	ids   questionIDs
	lanes []*lane
}

func (s *Study) examiners() (*examiners, error) {
	s.mu.Lock()
	inputs := s.hist.meta["inputs"]
	s.mu.Unlock()
	ids, err := s.questionIDs(inputs)
	if err != nil {
		return nil, err
	}
	x := &examiners{Study: s, ids: ids}
	for _, name := range slices.Sorted(maps.Keys(s.spec().Evaluators)) {
		l := &lane{name: name, tasks: s.tasksOf(name)}
		if len(l.tasks) == 0 {
			continue
		}
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

// examination is what is to be measured of an export, and who hears of it.
type examination struct {
	export   Export
	split    evaluator.Split
	progress func(evaluator.Progress)
	record   func(evaluator.Metrics) error // what one evaluator has measured
}

// measure has every evaluator that can measure the split do so. What could be measured is recorded also where
// something else could not.
func (x *examiners) measure(ctx context.Context, e examination) error {
	var errs []error
	for _, l := range x.lanes {
		if !slices.Contains(l.eval.Limits().Splits, e.split) {
			continue
		}
		if err := x.examine(ctx, l, e); err != nil {
			errs = append(errs, &Error{Code: CodeEvaluator, Where: "evaluators." + l.name, What: fmt.Sprintf("the %s split could not be measured", e.split), Err: err})
		}
	}
	return errors.Join(errs...)
}

// examine has one evaluator measure an export.
func (x *examiners) examine(ctx context.Context, l *lane, of examination) error {
	e, split := of.export, of.split
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
	c.ID = x.ids.of(fmt.Sprintf("export%d", e.ID), c, 0)
	if os.MkdirAll(filepath.Dir(c.Log), 0o755) != nil || unix.Access(filepath.Dir(c.Log), unix.W_OK) != nil {
		c.Log = "" // a study that may only be looked at
	}
	var mu sync.Mutex
	outcome := fmt.Errorf("evaluator %s ended without a result", l.name)
	err := l.eval.Submit(ctx, []evaluator.Candidate{c}, func(e evaluator.Event) error {
		mu.Lock()
		defer mu.Unlock()
		if !e.State.Final() {
			of.progress(e.Progress)
			return nil
		}
		if outcome = x.judge(l.tasks, e); outcome == nil {
			outcome = of.record(e.Metrics)
		}
		return nil // whatever became of it: nobody will ask again
	})
	mu.Lock()
	defer mu.Unlock()
	if err != nil {
		return err
	}
	return outcome
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
