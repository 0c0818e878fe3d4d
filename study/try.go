package study

import (
	"context"
	"crypto/rand"
	"path/filepath"
	"time"

	"parfait/evaluator"
)

// Try is a trial of a study that is not there yet: its evaluators measure one merge, so that what is wrong with them is known
// before anything is written.
type Try struct {
	At       map[string]float64 // of the merge
	Model    func(context.Context, evaluator.Form) (evaluator.Lease, error)
	Log      string // file for what the evaluators print
	Progress func(evaluator.Progress)
}

// Tried is what an evaluator has reported.
type Tried struct {
	Evaluator string
	Metrics   evaluator.Metrics
	Took      time.Duration // with what it waited for the model
}

// Try has every evaluator of the spec measure one merge on the validation split, in the folder dir, one after the other.
// It ends at the first that fails.
func (s *Spec) Try(ctx context.Context, dir string, o Try) (tried []Tried, err error) {
	space, err := s.space()
	if err != nil {
		return nil, err
	}
	st := &Study{dir: dir}
	st.asked.Store(&asked{spec: s, space: space})
	executors, err := st.executors(RunOptions{Workers: 1})
	if err != nil {
		return nil, err
	}
	defer func() { _ = closeExecutors(executors) }()
	var at []evaluator.Coefficient
	for _, n := range space.Numbers() { // the base is what none of them is fixed at
		at = append(at, evaluator.Coefficient{Name: n.Name, Value: o.At[n.Name]})
	}
	for _, x := range executors {
		c := evaluator.Candidate{
			Key: filepath.Base(dir) + "/0", ID: rand.Text() + "-try-0", Attempt: 1, Split: evaluator.Validation,
			At: at, Log: o.Log, Model: o.Model,
		}
		x.asks(&c, x.tasks)
		began := time.Now()
		metrics, err := st.tryOne(ctx, x, c, o.Progress)
		if err != nil {
			return tried, &Error{Code: CodeEvaluator, Where: "evaluators." + x.name, What: "could not measure the base", Err: err}
		}
		tried = append(tried, Tried{x.name, metrics, time.Since(began)})
	}
	return tried, nil
}

// tryOne has one evaluator measure c.
func (s *Study) tryOne(ctx context.Context, x *executor, c evaluator.Candidate, progress func(evaluator.Progress)) (evaluator.Metrics, error) {
	last := evaluator.Event{State: evaluator.Failed}
	err := x.eval.Submit(ctx, []evaluator.Candidate{c}, func(e evaluator.Event) error {
		if !e.State.Final() {
			progress(e.Progress)
			return nil
		}
		last = e
		return nil
	})
	if err == nil {
		err = s.judge(x.tasks, last)
	}
	return last.Metrics, err
}
