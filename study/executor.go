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
	timed []string // of tasks, that nobody is asked for: see evaluator.Candidate

	busy    int          // candidates in it
	batches rescue.Group // submitted and not returned: it may still tidy up after its last result
}

// executors builds the evaluators that have tasks, in the order of their names.
func (s *Study) executors(o RunOptions) (list []*executor, err error) {
	evaluators := s.spec().Evaluators
	for _, name := range slices.Sorted(maps.Keys(evaluators)) {
		tasks := s.tasksOf(name)
		if len(tasks) == 0 {
			continue
		}
		eval := o.Simulate.evaluator(name)
		if eval == nil {
			eval, err = evaluators[name].build(s.dir, o.Workers)
		}
		if err != nil {
			err = &Error{Code: CodeEvaluator, Where: "evaluators." + name, What: "cannot be used", Err: err}
			return nil, errors.Join(err, closeExecutors(list))
		}
		list = append(list, &executor{name: name, eval: eval, tasks: tasks, timed: s.timedOf(name)})
	}
	if err := oneRank(list); err != nil {
		return nil, errors.Join(err, closeExecutors(list))
	}
	return list, nil
}

// oneRank says where evaluators want the adapter of one merge at different ranks: it is written once for all.
func oneRank(list []*executor) error {
	var first *executor
	for _, x := range list {
		switch lim := x.eval.Limits(); {
		case !x.needs(evaluator.Adapter):
		case first == nil:
			first = x
		case first.eval.Limits().MaxRank != lim.MaxRank:
			return &Error{
				Code: CodeEvaluator, Where: "evaluators." + x.name,
				What: fmt.Sprintf("its max_rank is not that of %s (%s and %s): an adapter is written once for both", first.name, rankText(lim.MaxRank), rankText(first.eval.Limits().MaxRank)),
				Fix:  "write the same max_rank for both",
			}
		}
	}
	return nil
}

func rankText(n int) string {
	if n == 0 {
		return "none"
	}
	return fmt.Sprint(n)
}

// maxRank is that of the adapters which evaluators want, 0: whatever they have.
func maxRank(list []*executor) int {
	for _, x := range list {
		if x.needs(evaluator.Adapter) {
			return x.eval.Limits().MaxRank
		}
	}
	return 0
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

// timedOf are those of an evaluator's tasks whose figure is how long it takes to measure the others; where there are no
// others, it has to report them.
func (s *Study) timedOf(evaluator string) []string {
	var timed []string
	others := false
	for _, t := range s.spec().Tasks {
		switch {
		case t.Evaluator != evaluator:
		case t.Unit == UnitSeconds:
			timed = append(timed, t.Name)
		default:
			others = true
		}
	}
	if !others {
		return nil
	}
	return timed
}

// missing are its tasks that are to be measured of t, and were not: all, where it is to be seen how long that takes.
func (x *executor) missing(t Trial) []string {
	var out []string
	for _, task := range x.tasks {
		switch {
		case t.answered(task):
		case slices.Contains(x.timed, task):
			return x.tasks
		default:
			out = append(out, task)
		}
	}
	return out
}

// asks puts the tasks into a candidate.
func (x *executor) asks(c *evaluator.Candidate, tasks []string) {
	for _, task := range tasks {
		if slices.Contains(x.timed, task) {
			c.Timed = append(c.Timed, task)
		} else {
			c.Tasks = append(c.Tasks, task)
		}
	}
}

func (x *executor) needs(form evaluator.Form) bool {
	lim := x.eval.Limits()
	return lim.NeedsModel && (lim.Form == form || lim.Form == "" && form == evaluator.Folder)
}

// offers says whether it can measure the split.
func (x *executor) offers(split evaluator.Split) bool {
	return slices.Contains(x.eval.Limits().Splits, split)
}
