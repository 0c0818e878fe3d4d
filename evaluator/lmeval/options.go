//go:build linux || darwin

package lmeval

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"parfait/evaluator"
	"parfait/evaluator/command"
	"parfait/evaluator/internal/option"
)

// ParseOptions reads the options as study.yaml has them: values are string, int, float64, bool, []any and
// map[string]any. Everything wrong is returned, each error naming its key. Documented says which there are.
func ParseOptions(m map[string]any) (Options, []error) {
	var o Options
	errs := o.set().Read("lm_eval", m)
	return o, errs
}

// Documented are the options that ParseOptions knows.
func Documented() []evaluator.Option { return new(Options).set().Documented() }

// placeholders are those that words of the command line and variables may have.
var placeholders = command.Placeholders

// set are the options, to be read into o.
func (o *Options) set() option.Set {
	return option.Set{
		option.New("model", "lm-eval's kind of model: `hf`, `vllm`, `local-completions`, …", "needed", option.Into(&o.Model, option.Text)).Checked(o.checkModel),
		option.New("model_args", "its arguments, `dtype=bfloat16` or `{dtype: bfloat16}`, with `{model}` where the merged model belongs", "`pretrained={model}`; of servers (`local-…`) `model={model},tokenizer={model}`", option.Into(&o.ModelArgs, arguments)).Checked(words(&o.ModelArgs)),
		option.New("tasks", "where a task's figure is: `{math: 'gsm8k_cot/exact_match,strict-match', knowledge: mmlu}`", "lm-eval has a task of that name", option.Into(&o.Tasks, names)).Checked(o.checkTasks),
		option.New("run", "what `--tasks` names instead: `[mmlu]` where `mmlu_law` is a task, too", "what is asked for", option.Into(&o.Run, list)),
		o.flag("num_fewshot", "examples in the prompt", wholeNumber),
		o.flag("batch_size", "a number, `auto` or `auto:4`", option.Text),
		o.flag("max_batch_size", "the largest that `auto` tries", wholeNumber),
		o.flag("apply_chat_template", "`true`, or the name of the template", given),
		o.flag("fewshot_as_multiturn", "`true`: examples are turns of the chat", given),
		o.flag("system_instruction", "the system's turn", option.Text),
		o.flag("gen_kwargs", "how is generated, `{temperature: 0}`", arguments),
		o.flag("limit", "so many items of each task, or such a share of them, below 1; not with `samples`", positive).Checked(o.checkLimit),
		option.New("samples", "which items of lm-eval's tasks belong to which split: `{gsm8k_cot: {validation: '0-1318:2', test: '1-1318:2'}}`", "all, and no test split", option.Into(&o.Samples, samples)),
		o.flag("include_path", "a folder with tasks of your own", option.Text),
		o.flag("device", "`cuda`, `cuda:0`, `cpu`, `mps`", option.Text),
		o.flag("use_cache", "where answers are cached", option.Text),
		o.flag("seed", "of everything random", option.Text),
		o.flag("trust_remote_code", "`true`: code that comes with models and data is run", given),
		option.New("args", "more of the command line: `[--verbosity, DEBUG]`", "none", option.Into(&o.Args, list)).Checked(o.checkArgs),
		option.New("program", "how lm-eval is started: `[/path/to/venv/bin/lm_eval]`", "`lm_eval`", option.Into(&o.Program, option.Command)),
		option.Parallel(&o.Parallel, "1, or one for each of `devices`"),
		option.Timeout(&o.Timeout, "for one candidate, once its model is there: `90s`, `30m`, `2h`"),
		option.Grace(&o.Grace),
		option.Tries(&o.Tries),
		option.Dir(&o.Dir),
		option.Env(&o.Env, placeholders),
		option.Devices(&o.Devices, &o.Env),
		option.Form(&o.Form),
		option.MaxRank(&o.MaxRank, &o.Form),
	}
}

// flag is an option that is one of the command line.
func (o *Options) flag(key, means string, read func(any) (string, error)) option.Option {
	return option.New(key, means, "lm-eval's own", func(v any) error {
		s, err := read(v)
		if err != nil || s == off {
			return err
		}
		if o.Flags == nil {
			o.Flags = map[string]string{}
		}
		o.Flags[key] = s
		return nil
	}).Checked(func() (errs []error) {
		return placeholders.Check(o.Flags[key])
	})
}

// off is what a flag reads that is not to be given.
const off = "\x00"

// given reads true, false, or a value of the flag.
func given(v any) (string, error) {
	if b, ok := v.(bool); ok {
		if b {
			return "", nil
		}
		return off, nil
	}
	return option.Text(v)
}

func wholeNumber(v any) (string, error) {
	if n, ok := option.Number(v).(int); ok && n >= 0 {
		return option.Text(n)
	}
	return "", fmt.Errorf("expected a whole number, found %v", v)
}

func positive(v any) (string, error) {
	switch n := option.Number(v).(type) {
	case int:
		if n > 0 {
			return option.Text(n)
		}
	case float64:
		if n > 0 && n < 1 {
			return option.Text(n)
		}
	}
	return "", fmt.Errorf("expected a whole number of at least 1, or a share below 1, found %v", v)
}

// arguments reads name=value,name=value, or a mapping of them.
func arguments(v any) (string, error) {
	m, ok := v.(map[string]any)
	if !ok {
		return option.Text(v)
	}
	var parts []string
	for _, k := range slices.Sorted(maps.Keys(m)) {
		s, err := option.Text(m[k])
		if err != nil {
			return "", fmt.Errorf("%s: %w", k, err)
		}
		if strings.ContainsRune(s, ',') {
			return "", fmt.Errorf("%s: %q has a comma, at which lm-eval would end it", k, s)
		}
		parts = append(parts, k+"="+s)
	}
	return strings.Join(parts, ","), nil
}

// names reads what lm-eval calls tasks.
func names(v any) (map[string]string, error) {
	m, _ := v.(map[string]any)
	for _, k := range slices.Sorted(maps.Keys(m)) {
		if m[k] == nil {
			return nil, fmt.Errorf("%s has no value: within {…} a word with a comma is put in quotes, as 'gsm8k_cot/exact_match,strict-match'", k)
		}
	}
	return option.Texts(v)
}

// list reads a list of words, or one.
func list(v any) ([]string, error) {
	all, ok := v.([]any)
	if !ok {
		all = []any{v}
	}
	return option.Words(all)
}

func words(text *string) func() []error {
	return func() []error { return placeholders.Check(*text) }
}

func (o *Options) checkModel() []error {
	if o.Model == "" {
		return []error{errors.New("expected lm-eval's kind of model, such as hf or vllm, found nothing")}
	}
	return nil
}

func (o *Options) checkTasks() (errs []error) {
	for _, task := range slices.Sorted(maps.Keys(o.Tasks)) {
		if of, _, _ := strings.Cut(o.Tasks[task], "/"); of == "" || strings.ContainsAny(of, ", ") {
			errs = append(errs, fmt.Errorf("%s: expected one of lm-eval's tasks, with a metric or without, such as gsm8k_cot/exact_match, found %q", task, o.Tasks[task]))
		}
	}
	return errs
}

func (o *Options) checkLimit() (errs []error) {
	if o.Flags["limit"] != "" && len(o.Samples) > 0 {
		errs = append(errs, errors.New("lm-eval takes a limit or samples, not both: leave one of them out"))
	}
	return errs
}

// checkArgs refuses what would undo what is written for the study.
func (o *Options) checkArgs() (errs []error) {
	for _, word := range o.Args {
		errs = append(errs, placeholders.Check(word)...)
		name, _, _ := strings.Cut(strings.TrimLeft(word, "-"), "=")
		if own := []string{"model", "model_args", "tasks", "samples", "output_path", "limit"}; strings.HasPrefix(word, "--") && slices.Contains(own, name) {
			where := "there is an option of that name"
			if name == "output_path" {
				where = "it is where the results are looked for"
			}
			errs = append(errs, fmt.Errorf("%s does not belong here: %s", word, where))
		}
	}
	return errs
}
