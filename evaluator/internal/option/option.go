// Package option reads the options of evaluators as study.yaml has them: string, int, float64, bool, []any
// and map[string]any. Each function says what it expected and what it found; its caller adds the key.
package option

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

// Read hands every option to its reader. Everything wrong is returned, each error naming its key; of is
// what the options are for.
func Read(m map[string]any, of string, readers map[string]func(any) error) []error {
	var errs []error
	for _, k := range slices.Sorted(maps.Keys(m)) {
		read, known := readers[k]
		if !known {
			errs = append(errs, evaluator.Errorf(evaluator.BadOptions, "there is no option %q for %s (there are %s)", k, of, strings.Join(slices.Sorted(maps.Keys(readers)), ", ")))
			continue
		}
		if err := read(m[k]); err != nil {
			errs = append(errs, evaluator.Errorf(evaluator.BadOptions, "%s: %w", k, err))
		}
	}
	return errs
}

// Into reads an option into its field.
func Into[T any](field *T, read func(any) (T, error)) func(any) error {
	return func(v any) (err error) { *field, err = read(v); return err }
}

// Command reads a program and its arguments: a list, or one string that SplitLine understands.
func Command(v any) ([]string, error) {
	switch v := v.(type) {
	case string:
		return SplitLine(v)
	case []string:
		return v, nil
	case []any:
		var args []string
		for i, a := range v {
			s, err := Text(a)
			if err != nil {
				return nil, fmt.Errorf("argument %d: %w", i, err)
			}
			args = append(args, s)
		}
		return args, nil
	}
	return nil, fmt.Errorf("expected a list such as [python, evaluate.py, --model, '{model}'], found %v", v)
}

// Text reads what YAML makes of an unquoted word: 0.5 and true are text, too, where text is wanted.
func Text(v any) (string, error) {
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

// Texts reads a mapping from names to text.
func Texts(v any) (map[string]string, error) {
	m, ok := v.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("expected a mapping such as {name: value}, found %v", v)
	}
	out := map[string]string{}
	var errs []error
	for _, k := range slices.Sorted(maps.Keys(m)) {
		s, err := Text(m[k])
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", k, err))
		}
		out[k] = s
	}
	return out, errors.Join(errs...)
}

// AtLeastOne reads a whole number.
func AtLeastOne(v any) (int, error) {
	if n, ok := v.(int); ok && n >= 1 {
		return n, nil
	}
	return 0, fmt.Errorf("expected a whole number of at least 1, found %v", v)
}

// Duration reads a time above zero: 90s, 30m, 2h, or a number of seconds.
func Duration(v any) (time.Duration, error) {
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

// Truth reads true or false.
func Truth(v any) (bool, error) {
	if b, ok := v.(bool); ok {
		return b, nil
	}
	return false, fmt.Errorf("expected true or false, found %v", v)
}

// Not reads the opposite of an option into its field, false or true.
func Not(field *bool) func(any) error {
	return func(v any) error {
		b, err := Truth(v)
		*field = !b
		return err
	}
}

// Form reads the form of a model; which there are is for CheckOffer.
func Form(v any) (evaluator.Form, error) {
	s, err := Text(v)
	return evaluator.Form(s), err
}

// Splits reads a list of splits; which they are is for CheckOffer.
func Splits(v any) ([]evaluator.Split, error) {
	list, ok := v.([]any)
	if !ok {
		return nil, fmt.Errorf("expected [validation] or [validation, test], found %v", v)
	}
	var out []evaluator.Split
	for _, s := range list {
		t, err := Text(s)
		if err != nil {
			return nil, err
		}
		out = append(out, evaluator.Split(t))
	}
	return out, nil
}

// CheckOffer says what is wrong with the form in which an evaluator wants models and with the splits that it is
// said to offer; neither need be named.
func CheckOffer(form evaluator.Form, splits []evaluator.Split) []error {
	var errs []error
	if form != "" && form != evaluator.Folder && form != evaluator.Adapter {
		errs = append(errs, evaluator.Errorf(evaluator.BadOptions, "form: expected %s or %s, found %q", evaluator.Folder, evaluator.Adapter, form))
	}
	if err := checkSplits(splits); err != nil {
		errs = append(errs, evaluator.Errorf(evaluator.BadOptions, "splits: %w", err))
	}
	return errs
}

func checkSplits(offered []evaluator.Split) error {
	if len(offered) == 0 {
		return nil
	}
	for i, s := range offered {
		if s != evaluator.Validation && s != evaluator.Test || slices.Contains(offered[:i], s) {
			return fmt.Errorf("expected %s and %s at most once each, found %v", evaluator.Validation, evaluator.Test, offered)
		}
	}
	if !slices.Contains(offered, evaluator.Validation) {
		return fmt.Errorf("%s is missing, which is what the search measures", evaluator.Validation)
	}
	return nil
}
