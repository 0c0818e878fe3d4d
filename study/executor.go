package study

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"time"

	"parfait/evaluator"
	"parfait/internal/rescue"
)

// executor is one of the study's evaluators, ready to measure its tasks.
type executor struct {
	name  string
	eval  evaluator.Evaluator
	tasks []string

	busy    int          // candidates in it
	batches rescue.Group // submitted and not returned: it may still tidy up after its last result
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
		errs = append(errs, x.close(context.Background(), maxPatience))
	}
	return errors.Join(errs...)
}

// close waits until what was submitted has returned, at most so long, and ends what the evaluator keeps running
// between candidates; neither longer than there is left where ctx says that the program is leaving.
func (x *executor) close(ctx context.Context, most time.Duration) error {
	returned, closed := make(chan struct{}), make(chan error, 1)
	rescue.Go(func() {
		x.batches.Wait()
		close(returned)
		var err error
		if c, ok := x.eval.(io.Closer); ok {
			err = c.Close()
		}
		closed <- err
	})
	most = withLeave(ctx, most)
	late := time.NewTimer(most)
	defer late.Stop()
	select {
	case <-returned:
	case <-late.C:
		return fmt.Errorf("has not returned %v after its last result, and is left behind", most.Round(time.Millisecond))
	}
	leave := time.NewTimer(withLeave(ctx, math.MaxInt64))
	defer leave.Stop()
	select {
	case err := <-closed:
		return err
	case <-leave.C:
		return errors.New("what it keeps running between candidates did not end in time, and is left behind")
	}
}

// settling is how much longer than its evaluators have the end of a run waits when the program is leaving: what they
// said last is recorded.
const settling = 300 * time.Millisecond

// withLeave is most, or what is left of it where ctx says that the program is leaving.
func withLeave(ctx context.Context, most time.Duration) time.Duration {
	if left := evaluator.Left(ctx, most); left < most {
		return left + settling
	}
	return most
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

// missing are its tasks that are to be measured of t, and were not.
func (x *executor) missing(t Trial) []string {
	var out []string
	for _, task := range x.tasks {
		if !t.answered(task) {
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
