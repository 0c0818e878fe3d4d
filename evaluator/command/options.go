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
		"command":  func(v any) (err error) { o.Command, err = option.Command(v); return err },
		"parallel": func(v any) (err error) { o.Parallel, err = option.AtLeastOne(v); return err },
		"timeout":  func(v any) (err error) { o.Timeout, err = option.Duration(v); return err },
		"grace":    func(v any) (err error) { o.Grace, err = option.Duration(v); return err },
		"dir":      func(v any) (err error) { o.Dir, err = option.Text(v); return err },
		"env":      func(v any) (err error) { o.Env, err = option.Texts(v); return err },
		"model":    func(v any) (err error) { o.Model, err = option.Truth(v); return err },
		"form":     func(v any) error { s, err := option.Text(v); o.Form = evaluator.Form(s); return err },
		"splits":   func(v any) (err error) { o.Splits, err = option.Splits(v); return err },
		"metrics":  func(v any) (err error) { o.Metrics, err = option.Texts(v); return err },
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
