//go:build linux || darwin

package command

import (
	"parfait/evaluator"
	"parfait/evaluator/internal/option"
)

// ParseOptions reads the options as study.yaml has them: values are string, int, float64, bool, []any and
// map[string]any. Everything wrong is returned, each error naming its key. Documented says which there are.
//
// A command that is one string is split at spaces; quotes and backslashes keep things together as in a
// shell; what else a shell does ($, *, |, >, …) is refused, with advice.
func ParseOptions(m map[string]any) (Options, []error) {
	var o Options
	errs := o.set().Read("a command", m)
	return o, errs
}

// Documented are the options that ParseOptions knows.
func Documented() []evaluator.Option { return new(Options).set().Documented() }

// set are the options, to be read into o.
func (o *Options) set() option.Set {
	return option.Set{
		option.Program("command", &o.Command, Placeholders),
		option.Parallel(&o.Parallel, "1, or one for each of `devices`"),
		option.Timeout(&o.Timeout, "for one candidate, once its model is there: `90s`, `30m`, `2h`"),
		option.Grace(&o.Grace),
		option.Tries(&o.Tries),
		option.Dir(&o.Dir),
		option.Env(&o.Env, Placeholders),
		option.Devices(&o.Devices, &o.Env),
		option.Model(&o.Model),
		option.Form(&o.Form),
		option.MaxRank(&o.MaxRank, &o.Form),
		option.Splits(&o.Splits, "test where `{split}` is mentioned"),
		option.Metrics(&o.Metrics),
	}
}
