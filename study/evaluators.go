package study

import (
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"

	"parfait/evaluator"
	"parfait/evaluator/command"
	"parfait/evaluator/digits"
	"parfait/evaluator/http"
	"parfait/evaluator/worker"
)

// kind is a kind of evaluator that study.yaml can name.
type kind struct {
	// check says what is wrong with the options, wherever study.yaml is read.
	check func(options map[string]any) []error
	// build makes one for a runner. Paths are relative to dir; workers above 0 replaces how many
	// candidates it measures at once.
	build func(options map[string]any, dir string, workers int) (evaluator.Evaluator, error)
}

// kinds are all there are. A new kind is one entry here.
var kinds = map[string]kind{
	"command": kindOf(command.ParseOptions, func(o command.Options, dir string, workers int) (evaluator.Evaluator, error) {
		o.Dir, o.Parallel = under(dir, o.Dir), instead(workers, o.Parallel)
		return command.New(o)
	}),
	"digits": kindOf(digitsOptions, func(o digits.Options, _ string, workers int) (evaluator.Evaluator, error) {
		o.Workers = instead(workers, o.Workers)
		return digits.New(o), nil
	}),
	"http": kindOf(http.ParseOptions, func(o http.Options, _ string, workers int) (evaluator.Evaluator, error) {
		o.Parallel = instead(workers, o.Parallel)
		return http.New(o)
	}),
	"worker": kindOf(worker.ParseOptions, func(o worker.Options, dir string, workers int) (evaluator.Evaluator, error) {
		o.Dir, o.Parallel = under(dir, o.Dir), instead(workers, o.Parallel)
		return worker.New(o)
	}),
}

// kindOf makes a kind of what its package has.
func kindOf[O any](parse func(map[string]any) (O, []error), build func(o O, dir string, workers int) (evaluator.Evaluator, error)) kind {
	return kind{
		check: func(options map[string]any) []error { _, errs := parse(options); return errs },
		build: func(options map[string]any, dir string, workers int) (evaluator.Evaluator, error) {
			o, errs := parse(options)
			if len(errs) > 0 {
				return nil, errors.Join(errs...)
			}
			return build(o, dir, workers)
		},
	}
}

func instead(workers, of int) int {
	if workers > 0 {
		return workers
	}
	return of
}

func evaluatorKinds() []string { return slices.Sorted(maps.Keys(kinds)) }

func (e EvaluatorSpec) build(dir string, workers int) (evaluator.Evaluator, error) {
	return kinds[e.Kind].build(e.Options, dir, workers)
}

func digitsOptions(options map[string]any) (digits.Options, []error) {
	o := digits.Options{Workers: runtime.NumCPU()}
	var errs []error
	for _, k := range slices.Sorted(maps.Keys(options)) {
		n, ok := options[k].(int)
		switch {
		case k != "parallel":
			errs = append(errs, fmt.Errorf("digits has no option %q (known: parallel)", k))
		case !ok || n < 1:
			errs = append(errs, fmt.Errorf("parallel: expected a whole number of at least 1, found %v", options[k]))
		default:
			o.Workers = n
		}
	}
	return o, errs
}
