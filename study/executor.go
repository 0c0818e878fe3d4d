package study

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"sync"
	"time"

	"parfait/evaluator"
)

// executor is one of the study's evaluators, ready to measure its tasks.
type executor struct {
	name  string
	eval  evaluator.Evaluator
	tasks []string

	busy    int            // candidates in it
	batches sync.WaitGroup // submitted and not returned: it may still tidy up after its last result
}

// executors builds the evaluators that have tasks, in the order of their names. workers above 0 replaces how many
// candidates each measures at once.
func (s *Study) executors(workers int) (list []*executor, err error) {
	evaluators := s.spec().Evaluators
	for _, name := range slices.Sorted(maps.Keys(evaluators)) {
		tasks := s.tasksOf(name)
		if len(tasks) == 0 {
			continue
		}
		eval, err := evaluators[name].build(s.dir, workers)
		if err != nil {
			err = &Error{Code: CodeEvaluator, Where: "evaluators." + name, What: "cannot be used", Err: err}
			return nil, errors.Join(err, closeExecutors(list))
		}
		list = append(list, &executor{name: name, eval: eval, tasks: tasks})
	}
	return list, nil
}

// closeExecutors closes executors that measure nothing any more.
func closeExecutors(list []*executor) error {
	var errs []error
	for _, x := range list {
		errs = append(errs, x.close(maxPatience))
	}
	return errors.Join(errs...)
}

// close waits until what was submitted has returned, at most so long, and ends what the evaluator keeps running
// between candidates.
func (x *executor) close(most time.Duration) error {
	returned := make(chan struct{})
	go func() {
		defer close(returned)
		x.batches.Wait()
	}()
	late := time.NewTimer(most)
	defer late.Stop()
	select {
	case <-returned:
	case <-late.C:
		return fmt.Errorf("has not returned %v after its last result, and is left behind", most)
	}
	if c, ok := x.eval.(io.Closer); ok {
		return c.Close()
	}
	return nil
}

// tasksOf are the tasks that an evaluator measures.
func (s *Study) tasksOf(evaluator string) []string {
	var out []string
	for _, t := range s.spec().Tasks {
		if t.Evaluator == evaluator {
			out = append(out, t.Name)
		}
	}
	return out
}

// missing are its tasks that t has no metric of.
func (x *executor) missing(t Trial) []string {
	var out []string
	for _, task := range x.tasks {
		if _, ok := t.Metrics[task]; !ok {
			out = append(out, task)
		}
	}
	return out
}

func (x *executor) needs(form evaluator.Form) bool {
	lim := x.eval.Limits()
	return lim.NeedsModel && (lim.Form == form || lim.Form == "" && form == evaluator.Folder)
}

// offers says whether it can measure the split.
func (x *executor) offers(split evaluator.Split) bool {
	return slices.Contains(x.eval.Limits().Splits, split)
}
