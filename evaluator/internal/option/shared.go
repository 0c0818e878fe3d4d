package option

import (
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"parfait/evaluator"
	"parfait/evaluator/internal/placeholder"
)

// Program is the option under which a kind has its program and arguments, with placeholders.
func Program(key string, field *[]string, names placeholder.Names) Option {
	return New(key, "program and arguments: a list, or one string", "needed", Into(field, Command)).Checked(func() (errs []error) {
		if len(*field) == 0 || (*field)[0] == "" {
			errs = append(errs, errors.New("expected a program and its arguments such as [python, evaluate.py], found nothing"))
		}
		for i, arg := range *field {
			for _, err := range names.Check(arg) {
				errs = append(errs, fmt.Errorf("argument %d, %q: %w", i, arg, err))
			}
			if strings.ContainsRune(arg, 0) {
				errs = append(errs, fmt.Errorf("argument %d: a program cannot be given the byte 0", i))
			}
		}
		return errs
	})
}

// Parallel is how many candidates are measured at once.
func Parallel(field *int, without string) Option {
	return New("parallel", "candidates at once", without, Into(field, AtLeastOne)).Checked(NotNegative(field))
}

// Timeout is how long one candidate may take.
func Timeout(field *time.Duration, means string) Option {
	return New("timeout", means, "none", Into(field, Duration)).Checked(NotNegative(field))
}

// Grace is how long a program has to end.
func Grace(field *time.Duration) Option {
	return New("grace", "from SIGTERM to SIGKILL when it has to stop", "`10s`", Into(field, Duration)).Checked(NotNegative(field))
}

// Tries is how often a candidate is measured where what ended an evaluation may not be its fault.
func Tries(field *int) Option {
	return New("tries", "evaluations of a candidate at most, where one is killed, or fails on a full disk", "4; 2 where it is killed", Into(field, AtLeastOne)).Checked(NotNegative(field))
}

// Dir is the working directory of a program.
func Dir(field *string) Option {
	return New("dir", "working directory", "the study's folder", Into(field, Text))
}

// Env are variables of a program, with placeholders.
func Env(field *map[string]string, names placeholder.Names) Option {
	return New("env", "variables, set beside the runner's own", "none", Into(field, Texts)).Checked(func() (errs []error) {
		for _, k := range slices.Sorted(maps.Keys(*field)) {
			v := (*field)[k]
			if k == "" || strings.ContainsAny(k, "=\x00") || strings.ContainsRune(v, 0) {
				errs = append(errs, fmt.Errorf("%q cannot be set in an environment", k))
			}
			for _, err := range names.Check(v) {
				errs = append(errs, fmt.Errorf("%s: %w", k, err))
			}
		}
		return errs
	})
}

// Model is whether the merged model is wanted where no placeholder says so.
func Model(field *bool) Option {
	return New("model", "`true`: the model is wanted, although `{model}` is not mentioned", "as mentioned", Into(field, Truth))
}

// NoModel is whether the merged model is left out of the request, in which its path is unless model: false.
func NoModel(field *bool) Option {
	return New("model", "`false`: the model is not wanted", "its path is in the request", Not(field))
}

// Form is the form in which the model is wanted.
func Form(field *evaluator.Form) Option {
	read := func(v any) (evaluator.Form, error) {
		s, err := Text(v)
		return evaluator.Form(s), err
	}
	return New("form", "`folder`, or `adapter` where all models are LoRA adapters", "`folder`", Into(field, read)).Checked(func() []error {
		if *field != "" && *field != evaluator.Folder && *field != evaluator.Adapter {
			return []error{fmt.Errorf("expected %s or %s, found %q", evaluator.Folder, evaluator.Adapter, *field)}
		}
		return nil
	})
}

// Elsewhere says whether a command line calls a program that runs others on another machine or in a container.
func Elsewhere(command []string) bool {
	return slices.ContainsFunc(command, func(word string) bool {
		return slices.Contains([]string{"docker", "podman", "apptainer", "singularity", "enroot", "srun", "sbatch", "ssh", "kubectl", "bsub", "qsub"}, filepath.Base(word))
	})
}

// MaxRank is the rank that an adapter's modules have at most.
func MaxRank(field *int, form *evaluator.Form) Option {
	return New("max_rank", "rank of the adapters at most (`form: adapter`); above it the nearest adapter of that rank is measured", "the sum of the models' ranks", Into(field, AtLeastOne)).Checked(func() []error {
		if *field != 0 && *form != evaluator.Adapter {
			return []error{errors.New("only adapters have a rank: write form: adapter, or leave it out")}
		}
		return NotNegative(field)()
	})
}

// Splits are the splits that can be measured.
func Splits(field *[]evaluator.Split, without string) Option {
	read := func(v any) ([]evaluator.Split, error) {
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
	return New("splits", "`[validation]` or `[validation, test]`", without, Into(field, read)).Checked(func() []error {
		if err := checkSplits(*field); err != nil {
			return []error{err}
		}
		return nil
	})
}

// Metrics says where a task's figure is in a report.
func Metrics(field *map[string]string) Option {
	return New("metrics", "where a task's figure is in the report", "under the task's name", Into(field, Texts))
}

// NotNegative checks what other Go programs may have set: what study.yaml says is above 0.
func NotNegative[N int | time.Duration](field *N) func() []error {
	return func() []error {
		if *field < 0 {
			return []error{fmt.Errorf("expected none below 0, found %v", *field)}
		}
		return nil
	}
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
