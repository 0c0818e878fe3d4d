//go:build linux || darwin

package command

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"parfait/evaluator"
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
	var (
		o    Options
		errs []error
	)
	readers := map[string]func(any) error{
		"command":  func(v any) (err error) { o.Command, err = commandLine(v); return err },
		"parallel": func(v any) (err error) { o.Parallel, err = atLeastOne(v); return err },
		"timeout":  func(v any) (err error) { o.Timeout, err = duration(v); return err },
		"grace":    func(v any) (err error) { o.Grace, err = duration(v); return err },
		"dir":      func(v any) (err error) { o.Dir, err = text(v); return err },
		"env":      func(v any) (err error) { o.Env, err = texts(v); return err },
		"model":    func(v any) (err error) { o.Model, err = truth(v); return err },
		"form":     func(v any) error { s, err := text(v); o.Form = evaluator.Form(s); return err },
		"splits":   func(v any) (err error) { o.Splits, err = splits(v); return err },
		"metrics":  func(v any) (err error) { o.Metrics, err = texts(v); return err },
	}
	for _, k := range slices.Sorted(maps.Keys(m)) {
		read, known := readers[k]
		if !known {
			errs = append(errs, evaluator.Errorf(evaluator.BadOptions, "there is no option %q for a command (there are %s)", k, strings.Join(slices.Sorted(maps.Keys(readers)), ", ")))
			continue
		}
		if err := read(m[k]); err != nil {
			errs = append(errs, evaluator.Errorf(evaluator.BadOptions, "%s: %w", k, err))
		}
	}
	_, given := m["command"]
	if !given {
		errs = append(errs, evaluator.Errorf(evaluator.BadOptions, "command: is missing: expected a list such as [python, evaluate.py, --model, '{model}']"))
	}
	if len(errs) == 0 {
		errs = o.check()
	}
	return o, errs
}

func commandLine(v any) ([]string, error) {
	switch v := v.(type) {
	case string:
		return splitLine(v)
	case []string:
		return v, nil
	case []any:
		var args []string
		for i, a := range v {
			s, err := text(a)
			if err != nil {
				return nil, fmt.Errorf("argument %d: %w", i, err)
			}
			args = append(args, s)
		}
		return args, nil
	}
	return nil, fmt.Errorf("expected a list such as [python, evaluate.py, --model, '{model}'], found %v", v)
}

// text reads what YAML makes of an unquoted word: 0.5 and true are text, too, where text is wanted.
func text(v any) (string, error) {
	switch v := v.(type) {
	case string:
		return v, nil
	case int:
		return strconv.Itoa(v), nil
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64), nil
	case bool:
		return strconv.FormatBool(v), nil
	case map[string]any:
		return "", errors.New("expected text, found a mapping: a word that begins with { has to be quoted in YAML, as in '{model}'")
	}
	return "", fmt.Errorf("expected text, found %v", v)
}

func texts(v any) (map[string]string, error) {
	m, ok := v.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("expected a mapping such as {name: value}, found %v", v)
	}
	out := map[string]string{}
	var errs []error
	for _, k := range slices.Sorted(maps.Keys(m)) {
		s, err := text(m[k])
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", k, err))
		}
		out[k] = s
	}
	return out, errors.Join(errs...)
}

func atLeastOne(v any) (int, error) {
	if n, ok := v.(int); ok && n >= 1 {
		return n, nil
	}
	return 0, fmt.Errorf("expected a whole number of at least 1, found %v", v)
}

func duration(v any) (time.Duration, error) {
	const longest = 1e9 // seconds, 30 years
	switch v := v.(type) {
	case int:
		if v > 0 && v < longest {
			return time.Duration(v) * time.Second, nil
		}
	case float64:
		if v > 0 && v < longest {
			return time.Duration(v * float64(time.Second)), nil
		}
	case string:
		if d, err := time.ParseDuration(strings.ReplaceAll(v, " ", "")); err == nil && d > 0 {
			return d, nil
		}
	}
	return 0, fmt.Errorf("expected a time such as 90s, 30m or 2h, found %v", v)
}

func truth(v any) (bool, error) {
	if b, ok := v.(bool); ok {
		return b, nil
	}
	return false, fmt.Errorf("expected true or false, found %v", v)
}

func splits(v any) ([]evaluator.Split, error) {
	list, ok := v.([]any)
	if !ok {
		return nil, fmt.Errorf("expected [validation] or [validation, test], found %v", v)
	}
	var out []evaluator.Split
	for _, s := range list {
		t, err := text(s)
		if err != nil {
			return nil, err
		}
		out = append(out, evaluator.Split(t))
	}
	return out, nil
}
