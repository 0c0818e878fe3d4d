package study

import (
	"errors"
	"fmt"
	"runtime"
	"slices"

	"parfait/evaluator"
	"parfait/evaluator/command"
	"parfait/evaluator/digits"
	"parfait/yamldoc"
)

// kinds are the evaluators that study.yaml can name. A new kind is one entry here.
var kinds = map[string]func(options map[string]any, dir string, workers int) (evaluator.Evaluator, error){
	"command": newCommand,
	"digits":  newDigits,
}

func evaluatorKinds() []string {
	var out []string
	for k := range kinds {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// newEvaluator builds an evaluator; workers above 0 replaces how many candidates it measures at once.
func newEvaluator(e EvaluatorSpec, workers int) (evaluator.Evaluator, error) {
	return e.build(".", workers)
}

func (e EvaluatorSpec) build(dir string, workers int) (evaluator.Evaluator, error) {
	return kinds[e.Kind](e.Options, dir, workers)
}

func newDigits(options map[string]any, _ string, workers int) (evaluator.Evaluator, error) {
	o := digits.Options{Workers: runtime.NumCPU()}
	for k, v := range options {
		n, ok := v.(int)
		if k != "parallel" {
			return nil, fmt.Errorf("digits has no option %q (known: parallel)", k)
		}
		if !ok || n < 1 {
			return nil, fmt.Errorf("parallel: expected a whole number of at least 1, found %v", v)
		}
		o.Workers = n
	}
	if workers > 0 {
		o.Workers = workers
	}
	return digits.New(o), nil
}

func newCommand(options map[string]any, dir string, workers int) (evaluator.Evaluator, error) {
	o, errs := command.ParseOptions(options)
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	if workers > 0 {
		o.Parallel = workers
	}
	if o.Dir == "" {
		o.Dir = dir
	} else {
		o.Dir = resolve(dir, o.Dir)
	}
	return command.New(o)
}

// Nearest returns the known name that is closest to word, or "".
func Nearest(word string, known []string) string { return yamldoc.Nearest(word, known) }
