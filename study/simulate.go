package study

import (
	"time"

	"parfait/evaluator"
	"parfait/search"
)

// Simulation is what a run has in place of the world's clock and of what study.yaml names: a study of thousands of
// evaluations that take hours is played in minutes, by the runner that would run it.
type Simulation struct {
	Now        func() time.Time               // what time it is
	Evaluators map[string]evaluator.Evaluator // by their names in study.yaml
	Strategy   search.Strategy                // nil: study.yaml's
}

// now is what time it is for trials.
func (r *runner) now() time.Time { return r.options.Simulate.now() }

func (s *Simulation) now() time.Time {
	if s == nil {
		return time.Now()
	}
	return s.Now()
}

// newStrategy is that which study.yaml names, or another.
func (r *runner) newStrategy() (search.Strategy, error) {
	if s := r.options.Simulate; s != nil && s.Strategy != nil {
		return s.Strategy, nil
	}
	return search.New(r.spec().Search.Strategy, r.spec().Search.Options)
}

// evaluator is that of a name; nil where it is study.yaml's.
func (s *Simulation) evaluator(name string) evaluator.Evaluator {
	if s == nil {
		return nil
	}
	return s.Evaluators[name]
}
