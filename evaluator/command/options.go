//go:build linux || darwin

package command

import (
	"parfait/evaluator"
	"parfait/evaluator/internal/option"
)

// ParseOptions reads the options as study.yaml has them: values are string, int, float64, bool, []any and
// map[string]any. Everything wrong is returned, each error naming its key.
//
//	command: [python, evaluate.py, --model, '{model}']   # or one string, see below
//	parallel: 2          # candidates at once
//	timeout: 30m         # for one candidate; a number counts seconds
//	grace: 10s           # between SIGTERM and SIGKILL
//	dir: eval            # working directory
//	env: {HF_HUB_OFFLINE: 1, CUDA_VISIBLE_DEVICES: '{slot}'}
//	model: true          # the model is wanted, although {model} is nowhere: it is in PARFAIT_MODEL
//	form: adapter        # or folder
//	splits: [validation, test]
//	metrics: {gsm8k: 'exact_match,strict-match'}
//
// A command that is one string is split at spaces; quotes and backslashes keep things together as in a
// shell; what else a shell does ($, *, |, >, …) is refused, with advice.
func ParseOptions(m map[string]any) (Options, []error) {
	var o Options
	readers := map[string]func(any) error{
		"command":  option.Into(&o.Command, option.Command),
		"parallel": option.Into(&o.Parallel, option.AtLeastOne),
		"timeout":  option.Into(&o.Timeout, option.Duration),
		"grace":    option.Into(&o.Grace, option.Duration),
		"dir":      option.Into(&o.Dir, option.Text),
		"env":      option.Into(&o.Env, option.Texts),
		"model":    option.Into(&o.Model, option.Truth),
		"form":     option.Into(&o.Form, option.Form),
		"splits":   option.Into(&o.Splits, option.Splits),
		"metrics":  option.Into(&o.Metrics, option.Texts),
	}
	errs := option.Read(m, "a command", readers)
	_, given := m["command"]
	if !given {
		errs = append(errs, evaluator.Errorf(evaluator.BadOptions, "command: is missing: expected a list such as [python, evaluate.py, --model, '{model}']"))
	}
	if len(errs) == 0 {
		errs = o.check()
	}
	return o, errs
}
