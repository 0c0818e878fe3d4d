package study

import (
	"errors"
	"fmt"

	"parfait/evaluator"
	"parfait/surrogate"
)

// judge says why a final event is no result: the evaluator says so, or what it reports cannot be.
func (s *Study) judge(tasks []string, e evaluator.Event) error {
	if e.State != evaluator.Done {
		if e.Err == nil {
			return fmt.Errorf("the evaluator ended it as %q, and did not say why", e.State)
		}
		return e.Err
	}
	errs := []error{evaluator.Check(evaluator.Candidate{Key: e.Key, Tasks: tasks}, e.Metrics)}
	for _, t := range s.spec().Tasks {
		if m, ok := e.Metrics[t.Name]; ok {
			errs = append(errs, t.Possible(m.Value))
		}
	}
	return errors.Join(errs...)
}

// Possible says why v cannot be a measurement of the task.
func (t Task) Possible(v float64) error {
	switch {
	case t.Rate() && !(v >= 0 && v <= 1):
		return fmt.Errorf("the metric of task %q is %g, and a rate is from 0 to 1: report it so, or take unit: rate out of study.yaml", t.Name, v)
	case t.Link == surrogate.Logit && !(v >= 0 && v <= 1):
		return fmt.Errorf("the metric of task %q is %g, and link: logit is for values from 0 to 1", t.Name, v)
	case t.Link == surrogate.Log && !t.AutoLink && !(v > 0):
		return fmt.Errorf("the metric of task %q is %g, and link: log is for values above 0: set link: auto in study.yaml", t.Name, v)
	}
	return nil
}
