//go:build linux || darwin

package command

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"parfait/evaluator"
)

func TestParseOptions(t *testing.T) {
	o, errs := ParseOptions(map[string]any{
		"command":  []any{"python", "evaluate.py", "--limit", 100, "--temperature", 0.5, "--model", "{model}", "--split", "{split}"},
		"parallel": 2, "timeout": "1h 30m", "grace": 2.5, "dir": "eval",
		"env":    map[string]any{"CUDA_VISIBLE_DEVICES": "{slot}", "HF_HUB_OFFLINE": 1, "DEBUG": true},
		"splits": []any{"validation", "test"}, "form": "adapter", "model": true,
		"metrics": map[string]any{"gsm8k": "exact_match,strict-match"},
	})
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	want := Options{
		Command:  []string{"python", "evaluate.py", "--limit", "100", "--temperature", "0.5", "--model", "{model}", "--split", "{split}"},
		Parallel: 2, Timeout: 90 * time.Minute, Grace: 2500 * time.Millisecond, Dir: "eval",
		Env:    map[string]string{"CUDA_VISIBLE_DEVICES": "{slot}", "HF_HUB_OFFLINE": "1", "DEBUG": "true"},
		Splits: []evaluator.Split{evaluator.Validation, evaluator.Test}, Form: evaluator.Adapter, Model: true,
		Metrics: map[string]string{"gsm8k": "exact_match,strict-match"},
	}
	if !reflect.DeepEqual(o, want) {
		t.Errorf("%+v, expected %+v", o, want)
	}
}

func TestParseOptionsSaysAll(t *testing.T) {
	_, errs := ParseOptions(map[string]any{
		"command": []any{"python", map[string]any{"model": nil}}, "parallel": 0, "timeout": "30 apples", "grace": -1, "dir": []any{},
		"env": []any{"A=1"}, "model": "yes", "splits": "test", "metrics": "acc", "prallel": 2, "form": 3,
	})
	text := errors.Join(errs...).Error()
	for _, want := range []string{
		"command: argument 1", "quoted in YAML", "parallel: expected a whole number", "timeout: expected a time such as", "grace:", "dir: expected text",
		"env: expected a mapping", "model: expected true or false", "splits: expected [validation]", "metrics: expected a mapping", `no option "prallel"`, `did you mean "parallel"?`, "parallel, splits, timeout",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the errors do not say %q:\n%s", want, text)
		}
	}
	for _, e := range errs {
		if !errors.Is(e, evaluator.BadOptions) {
			t.Errorf("%v has no code", e)
		}
	}
}

func TestDevices(t *testing.T) {
	o, errs := ParseOptions(map[string]any{"command": "true {model}", "devices": []any{2, "GPU-1f"}, "parallel": 3, "env": map[string]any{"A": "{slot}"}})
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	for slot, want := range []string{"2", "GPU-1f", "2"} {
		env := environment(o, map[string]string{"slot": strconv.Itoa(slot)})
		if !slices.Contains(env, "CUDA_VISIBLE_DEVICES="+want) || !slices.Contains(env, "A="+strconv.Itoa(slot)) {
			t.Errorf("slot %d has %v, want device %s", slot, env, want)
		}
	}
	if env := environment(Options{}, map[string]string{"slot": "0"}); slices.ContainsFunc(env, func(s string) bool { return strings.HasPrefix(s, "CUDA") }) {
		t.Errorf("without devices there is %v", env)
	}
	ev, err := New(Options{Command: []string{"true"}, Devices: []string{"0", "1", "2"}})
	if err != nil || ev.Limits().InFlight != 3 {
		t.Errorf("on three devices %d are measured at once (%v)", ev.Limits().InFlight, err)
	}
	for wants, m := range map[string]map[string]any{
		"expected a list such as [0, 1, 2, 3]": {"devices": 4},
		"1 is there twice":                     {"devices": []any{1, "1"}},
		"leave one of the two out":             {"devices": []any{1}, "env": map[string]any{"CUDA_VISIBLE_DEVICES": "{slot}"}},
		`found "{slot}"`:                       {"devices": []any{"{slot}"}},
	} {
		m["command"] = "true {model}"
		if _, errs := ParseOptions(m); !strings.Contains(fmt.Sprint(errs), wants) {
			t.Errorf("%v: %v, expected %q", m, errs, wants)
		}
	}
}

func TestBadOptions(t *testing.T) {
	good := func() Options { return Options{Command: []string{"true"}} }
	for want, change := range map[string]func(*Options){
		"found nothing":            func(o *Options) { o.Command = nil },
		"no placeholder {mdl}":     func(o *Options) { o.Command = append(o.Command, "{mdl}") },
		"write {{x}}":              func(o *Options) { o.Command = append(o.Command, "print(f'{x}')") },
		"none below 0":             func(o *Options) { o.Timeout = -1 },
		"folder or adapter":        func(o *Options) { o.Form = "gguf" },
		"validation is missing":    func(o *Options) { o.Splits = []evaluator.Split{evaluator.Test} },
		"at most once":             func(o *Options) { o.Splits = []evaluator.Split{"validation", "validation"} },
		"cannot be set":            func(o *Options) { o.Env = map[string]string{"A=B": "1"} },
		"no placeholder {tri}":     func(o *Options) { o.Env = map[string]string{"A": "{tri}"} },
		"cannot be given the byte": func(o *Options) { o.Command = append(o.Command, "a\x00b") },
	} {
		o := good()
		change(&o)
		if _, err := New(o); !errors.Is(err, evaluator.BadOptions) || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, expected %q", err, want)
		}
	}
}

// What a command line mentions decides whether the model is made and the test split offered.
func TestLimitsFollowPlaceholders(t *testing.T) {
	for _, c := range []struct {
		o     Options
		model bool
		test  bool
	}{
		{Options{Command: []string{"x"}}, false, false},
		{Options{Command: []string{"x", "--model={model}"}}, true, false},
		{Options{Command: []string{"x", "{{model}}"}}, false, false},
		{Options{Command: []string{"x"}, Env: map[string]string{"M": "{model}", "S": "{split}"}}, true, true},
		{Options{Command: []string{"x"}, Model: true, Splits: []evaluator.Split{"validation", "test"}}, true, true},
	} {
		l := mustNew(t, c.o).Limits()
		if l.NeedsModel != c.model || slices.Contains(l.Splits, evaluator.Test) != c.test {
			t.Errorf("%+v: model %t, splits %v", c.o, l.NeedsModel, l.Splits)
		}
	}
}
