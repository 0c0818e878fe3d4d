// Package option reads the options of evaluators as study.yaml has them: string, int, float64, bool, []any
// and map[string]any. Each function says what it expected and what it found; its caller adds the key.
package option

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"parfait/evaluator"
	"parfait/problem"
	"parfait/yamldoc"
)

// Option is one option: how it stands in study.yaml, what it means, how its value is read into its field, and
// what is wrong with what is there then.
type Option struct {
	evaluator.Option
	Read  func(v any) error
	Check func() []error // nil where everything that can be read is right
}

// New makes an option of a kind's own.
func New(key, means, without string, read func(v any) error) Option {
	return Option{Option: evaluator.Option{Key: key, Means: means, Without: without}, Read: read}
}

// Checked is o with a check.
func (o Option) Checked(check func() []error) Option {
	o.Check = check
	return o
}

// Set are the options of a kind.
type Set []Option

// Read hands every option to its reader, and checks what has been read. Everything wrong is returned, each
// error naming its key; of is what the options are for.
func (s Set) Read(of string, m map[string]any) []error {
	var errs []error
	for _, k := range slices.Sorted(maps.Keys(m)) {
		i := slices.IndexFunc(s, func(o Option) bool { return o.Key == k })
		if i < 0 {
			errs = append(errs, about(k, evaluator.Errorf(evaluator.BadOptions, "there is no option %q for %s (%s)", k, of, strings.TrimSpace(problem.Meant(k, s.keys())+" there are "+strings.Join(s.keys(), ", ")))))
			continue
		}
		if err := s[i].Read(m[k]); err != nil {
			errs = append(errs, about(k, evaluator.Errorf(evaluator.BadOptions, "%s: %w", k, err)))
		}
	}
	if len(errs) > 0 {
		return errs
	}
	return s.Check()
}

// Check says everything that is wrong with the values of the fields, each error naming its key.
func (s Set) Check() []error {
	var errs []error
	for _, o := range s {
		if o.Check == nil {
			continue
		}
		for _, err := range o.Check() {
			errs = append(errs, about(o.Key, evaluator.Errorf(evaluator.BadOptions, "%s: %w", o.Key, err)))
		}
	}
	return errs
}

func about(key string, err *evaluator.Error) error {
	err.Option = key
	return err
}

// Documented is what a person needs to know of the options.
func (s Set) Documented() []evaluator.Option {
	out := make([]evaluator.Option, len(s))
	for i, o := range s {
		out[i] = o.Option
	}
	return out
}

func (s Set) keys() []string {
	var keys []string
	for _, o := range s {
		keys = append(keys, o.Key)
	}
	slices.Sort(keys)
	return keys
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

// Words reads the words of a list.
func Words(list []any) ([]string, error) {
	var out []string
	for _, v := range list {
		s, err := Text(v)
		if err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, nil
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

// Number is what is meant as a number as one, an int where it is whole: to YAML 2e1 is text.
func Number(v any) any {
	v = yamldoc.Numbers(v)
	if f, ok := v.(float64); ok && f == math.Trunc(f) && math.Abs(f) <= math.MaxInt32 {
		return int(f)
	}
	return v
}

// AtLeastOne reads a whole number.
func AtLeastOne(v any) (int, error) {
	if n, ok := Number(v).(int); ok && n >= 1 {
		return n, nil
	}
	return 0, fmt.Errorf("expected a whole number of at least 1, found %v", v)
}

// Duration reads a time above zero: 90s, 30m, 2h, or a number of seconds.
func Duration(v any) (time.Duration, error) {
	const maxSeconds = 1e9 // seconds, 30 years
	switch v := Number(v).(type) {
	case int:
		if v > 0 && v < maxSeconds {
			return time.Duration(v) * time.Second, nil
		}
	case float64:
		if v > 0 && v < maxSeconds {
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
