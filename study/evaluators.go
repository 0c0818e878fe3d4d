package study

import (
	"cmp"
	"errors"
	"maps"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"

	"parfait/evaluator"
	"parfait/evaluator/command"
	"parfait/evaluator/digits"
	"parfait/evaluator/http"
	"parfait/evaluator/lmeval"
	"parfait/evaluator/slurm"
	"parfait/evaluator/worker"
)

// kind is a kind of evaluator that study.yaml can name.
type kind struct {
	// options are those that it knows, for people; docs/evaluators.md has them.
	options []evaluator.Option
	// check says what is wrong with the options, wherever study.yaml is read.
	check func(options map[string]any) []error
	// build makes one for a runner. Paths are relative to dir; workers above 0 replaces how many
	// candidates it measures at once.
	build func(options map[string]any, dir string, workers int) (evaluator.Evaluator, error)
	// throttle is how many candidates the options have in flight, for a kind that takes another number while it is at
	// work (evaluator.Throttled); nil for others.
	throttle func(options map[string]any) int
	// home is the package that makes it.
	home string
}

// kinds are all there are. A new kind is one entry here; the tests then say what else it needs.
var kinds = map[string]kind{
	"command": kindOf(command.Documented, command.ParseOptions, func(o command.Options, dir string, workers int) (evaluator.Evaluator, error) {
		o.Dir, o.Parallel = under(dir, o.Dir), instead(workers, o.Parallel)
		return command.New(o)
	}),
	"digits": kindOf(digits.Documented, digits.ParseOptions, func(o digits.Options, _ string, workers int) (evaluator.Evaluator, error) {
		o.Workers = cmp.Or(instead(workers, o.Workers), runtime.NumCPU())
		return digits.New(o), nil
	}),
	"http": kindOf(http.Documented, http.ParseOptions, func(o http.Options, _ string, workers int) (evaluator.Evaluator, error) {
		o.Parallel = instead(workers, o.Parallel)
		return http.New(o)
	}),
	"lm_eval": kindOf(lmeval.Documented, lmeval.ParseOptions, func(o lmeval.Options, dir string, workers int) (evaluator.Evaluator, error) {
		o.Dir, o.Parallel = under(dir, o.Dir), instead(workers, o.Parallel)
		return lmeval.New(o)
	}),
	"slurm": kindOf(slurm.Documented, slurm.ParseOptions, func(o slurm.Options, dir string, workers int) (evaluator.Evaluator, error) {
		o.Command.Dir, o.Throttle = under(dir, o.Command.Dir), instead(workers, o.Throttle)
		o.Folder = filepath.Join(dir, "logs", "slurm")
		return slurm.New(o)
	}).throttled(func(options map[string]any) int {
		o, _ := slurm.ParseOptions(options) // they were checked
		return cmp.Or(o.Throttle, slurm.DefaultThrottle)
	}),
	"worker": kindOf(worker.Documented, worker.ParseOptions, func(o worker.Options, dir string, workers int) (evaluator.Evaluator, error) {
		o.Dir, o.Parallel = under(dir, o.Dir), instead(workers, o.Parallel)
		return worker.New(o)
	}),
}

// kindOf makes a kind of what its package has.
func kindOf[O any](documented func() []evaluator.Option, parse func(map[string]any) (O, []error), build func(o O, dir string, workers int) (evaluator.Evaluator, error)) kind {
	return kind{
		options: documented(),
		check:   func(options map[string]any) []error { _, errs := parse(options); return errs },
		build: func(options map[string]any, dir string, workers int) (evaluator.Evaluator, error) {
			o, errs := parse(options)
			if len(errs) > 0 {
				return nil, errors.Join(errs...)
			}
			return build(o, dir, workers)
		},
		home: reflect.TypeFor[O]().PkgPath(),
	}
}

// first is the option that stands at the kind's own key where that has no mapping: the one of the kind's name, or the first
// that is needed.
func (k kind) first(name string) string {
	is := func(test func(evaluator.Option) bool) string {
		if i := slices.IndexFunc(k.options, test); i >= 0 {
			return k.options[i].Key
		}
		return ""
	}
	return cmp.Or(
		is(func(o evaluator.Option) bool { return o.Key == name }),
		is(func(o evaluator.Option) bool { return o.Without == "needed" }), name)
}

func (k kind) throttled(by func(options map[string]any) int) kind {
	k.throttle = by
	return k
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

// adapters says whether it gets merges as adapters.
func (e EvaluatorSpec) adapters() bool {
	return e.Options["form"] == string(evaluator.Adapter) && e.Options["model"] != false
}

// formOf is an export's form as evaluators call it.
func formOf(form string) evaluator.Form {
	if form == FormAdapter {
		return evaluator.Adapter
	}
	return evaluator.Folder
}
