package digits

import (
	"parfait/evaluator"
	"parfait/evaluator/internal/option"
)

// ParseOptions reads the options as study.yaml has them. Everything wrong is returned, each error naming its key.
func ParseOptions(m map[string]any) (Options, []error) {
	var o Options
	errs := o.set().Read("digits", m)
	return o, errs
}

// Documented are the options that ParseOptions knows.
func Documented() []evaluator.Option { return new(Options).set().Documented() }

// set are the options, to be read into o.
func (o *Options) set() option.Set {
	return option.Set{option.Parallel(&o.Workers, "as many as there are processors")}
}
