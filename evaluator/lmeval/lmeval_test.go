//go:build linux || darwin

package lmeval

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"parfait/evaluator"
	"parfait/evaluator/evaluatortest"
)

// asLMEval makes the test binary lm-eval: its value is a file that gets the arguments, a line each run.
const asLMEval = "PARFAIT_TEST_LM_EVAL"

func TestMain(m *testing.M) {
	if file := os.Getenv(asLMEval); file != "" {
		os.Exit(lmEval(file, os.Args[1:]))
	}
	os.Exit(m.Run())
}

// lmEval writes a result as lm-eval does: of the tasks that are asked for, and of the members of a group.
func lmEval(file string, args []string) int {
	line, err := json.Marshal(args)
	if err != nil {
		return 9
	}
	f, err := os.OpenFile(file, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return 9
	}
	if _, err := f.Write(append(line, '\n')); err != nil || f.Close() != nil {
		return 9
	}
	switch {
	case strings.Contains(value(args, "--model_args"), "hang"):
		time.Sleep(time.Hour)
	case strings.Contains(value(args, "--tasks"), "lost"):
		fmt.Fprintln(os.Stderr, "Traceback (most recent call last):\n  File \"x.py\", line 3, in f\nValueError: Tasks not found: lost")
		return 1
	}
	results, samples := map[string]any{}, map[string]any{}
	for _, task := range strings.Split(value(args, "--tasks"), ",") {
		results[task] = map[string]any{"alias": task, "acc,none": 0.5, "acc_stderr,none": 0.05}
		samples[task] = map[string]any{"original": 100, "effective": 100}
		switch task {
		case "gsm":
			results[task] = map[string]any{"exact_match,strict": 0.25, "exact_match_stderr,strict": "N/A", "exact_match,loose": 0.75, "exact_match_stderr,loose": 0.01}
		case "group":
			delete(samples, task)
			for _, part := range []string{"part_a", "part_b"} {
				results[part] = map[string]any{"acc,none": 0.125, "acc_stderr,none": 0.05}
				samples[part] = map[string]any{"original": 10, "effective": 10}
			}
		}
	}
	b, err := json.Marshal(map[string]any{"results": results, "n-samples": samples, "group_subtasks": map[string]any{"group": []string{"part_a", "part_b"}}})
	if err != nil {
		return 9
	}
	out := filepath.Join(value(args, "--output_path"), "org__model")
	if os.MkdirAll(out, 0o700) != nil || os.WriteFile(filepath.Join(out, "results_2026-01-02T03-04-05.json"), b, 0o600) != nil {
		return 9
	}
	return 0
}

func value(args []string, flag string) string {
	if i := slices.Index(args, flag); i >= 0 && i+1 < len(args) {
		return args[i+1]
	}
	return ""
}

// faked is an evaluator whose lm-eval is this binary, and a candidate; runs are the arguments of every run so far.
func faked(t testing.TB, options map[string]any) (make func(map[string]any) evaluator.Evaluator, c evaluator.Candidate, runs func() [][]string) {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "args")
	make = func(more map[string]any) evaluator.Evaluator {
		m := map[string]any{"model": "hf", "program": []any{os.Args[0]}, "env": map[string]any{asLMEval: file}}
		for _, add := range []map[string]any{options, more} {
			for k, v := range add {
				m[k] = v
			}
		}
		o, errs := ParseOptions(m)
		if len(errs) > 0 {
			t.Fatal(errs)
		}
		e, err := New(o)
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	c = evaluator.Candidate{
		Key: "s/12", ID: "x7-12-0af3", Merge: "m12", Attempt: 1, Tasks: []string{"math"}, Split: evaluator.Validation, Log: filepath.Join(dir, "logs", "trial-0012.log"),
		At: []evaluator.Coefficient{{Name: "a", Value: 0.5}}, Model: lent(dir),
	}
	return make, c, func() (all [][]string) {
		b, err := os.ReadFile(file)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(b)) {
			var args []string
			if err := json.Unmarshal([]byte(line), &args); err != nil {
				t.Fatal(err)
			}
			all = append(all, args)
		}
		return all
	}
}

func lent(dir string) func(context.Context, evaluator.Form) (evaluator.Lease, error) {
	return func(context.Context, evaluator.Form) (evaluator.Lease, error) { return evaluator.Lease{Path: dir}, nil }
}

func measure(t *testing.T, e evaluator.Evaluator, c evaluator.Candidate) (last evaluator.Event) {
	t.Helper()
	if err := e.Submit(t.Context(), []evaluator.Candidate{c}, func(ev evaluator.Event) error { last = ev; return nil }); err != nil {
		t.Fatal(err)
	}
	return last
}

func TestConforms(t *testing.T) {
	candidate := func(tasks ...string) func(testing.TB) evaluator.Candidate {
		return func(t testing.TB) evaluator.Candidate {
			return evaluator.Candidate{Tasks: tasks, Model: lent(t.TempDir())}
		}
	}
	evaluatortest.Run(t, evaluatortest.Harness{
		New: func(t testing.TB, _ string) evaluator.Evaluator {
			all := map[string]any{"validation": "0-9", "test": "10-19"}
			make, _, _ := faked(t, map[string]any{"parallel": 3, "tasks": map[string]any{"hang": "gsm/nothing"}, "samples": map[string]any{"a": all, "b": all, "gsm": all}})
			return make(nil)
		},
		Good: candidate("a", "b"),
		Failures: map[string]evaluatortest.Failure{
			"exit status":    {Candidate: candidate("lost"), Code: evaluator.Exited},
			"no such metric": {Candidate: candidate("hang"), Code: evaluator.BadMetrics},
			"which metric":   {Candidate: candidate("gsm"), Code: evaluator.BadMetrics},
			"of all items":   {Candidate: candidate("elsewhere"), Code: evaluator.BadMetrics},
		},
	})
}

// The command line has lm-eval's words, and its names of the tasks.
func TestTheCommandLine(t *testing.T) {
	model := t.TempDir()
	for _, c := range []struct {
		options map[string]any
		want    string
	}{
		{map[string]any{"tasks": map[string]any{"math": "gsm/exact_match,strict"}}, "--model hf --model_args pretrained=MODEL --tasks gsm --output_path OUT"},
		{
			map[string]any{
				"model": "vllm", "model_args": map[string]any{"dtype": "bfloat16", "add_bos_token": true}, "num_fewshot": 5, "batch_size": "auto", "apply_chat_template": true,
				"fewshot_as_multiturn": false, "limit": 0.1, "gen_kwargs": "temperature=0", "args": []any{"--verbosity", "DEBUG"}, "run": "math,more",
			},
			"--model vllm --model_args pretrained=MODEL,add_bos_token=true,dtype=bfloat16 --tasks math,more --apply_chat_template --batch_size auto --gen_kwargs temperature=0 --limit 0.1 --num_fewshot 5 --verbosity DEBUG --output_path OUT",
		},
		{map[string]any{"model": "local-completions", "model_args": "base_url=http://x/v1"}, "--model local-completions --model_args model=MODEL,tokenizer=MODEL,base_url=http://x/v1 --tasks math --output_path OUT"},
		{map[string]any{"model_args": "pretrained=base,peft={model}", "form": "adapter"}, "--model hf --model_args pretrained=base,peft=MODEL --tasks math --output_path OUT"},
		{
			map[string]any{"samples": map[string]any{"math": map[string]any{"validation": "0-6:2, 9", "test": []any{1, "3-5:2"}}}},
			`--model hf --model_args pretrained=MODEL --tasks math --output_path OUT --samples {"math":[0,2,4,6,9]}`,
		},
	} {
		make, candidate, runs := faked(t, c.options)
		candidate.Model = lent(model)
		last := measure(t, make(nil), candidate)
		if len(runs()) != 1 {
			t.Errorf("%d runs, expected one: %v", len(runs()), last.Err)
			continue
		}
		args := runs()[0]
		text := strings.ReplaceAll(strings.ReplaceAll(strings.Join(args, " "), filepath.Join(filepath.Dir(model), evaluator.KeptPrefix+candidate.ID), "MODEL"), value(args, "--output_path"), "OUT")
		if text != c.want {
			t.Errorf("%s\nexpected\n%s", text, c.want)
		}
	}
}

// Both splits have items of their own, and the numbers of items are those that were asked for.
func TestSplits(t *testing.T) {
	part := func(v, test any) map[string]any { return map[string]any{"validation": v, "test": test} }
	make, c, runs := faked(t, map[string]any{"tasks": map[string]any{"math": "group"}, "samples": map[string]any{"part_a": part("0-2", "3-9"), "part_b": part("0-3", "4-9")}})
	e := make(nil)
	if !slices.Equal(e.Limits().Splits, []evaluator.Split{evaluator.Validation, evaluator.Test}) {
		t.Errorf("splits %v, expected both", e.Limits().Splits)
	}
	for split, want := range map[evaluator.Split]int{evaluator.Validation: 7, evaluator.Test: 13} {
		c.Split = split
		if last := measure(t, e, c); last.State != evaluator.Done || last.Metrics["math"].N != want {
			t.Errorf("%s: %s with %+v, %v; expected %d items", split, last.State, last.Metrics, last.Err, want)
		}
	}
	if got := value(runs()[1], "--samples") + value(runs()[0], "--samples"); !strings.Contains(got, `"part_a":[3,4,5,6,7,8,9]`) || !strings.Contains(got, `"part_b":[0,1,2,3]`) {
		t.Errorf("samples %s", got)
	}
	make, c, _ = faked(t, map[string]any{"tasks": map[string]any{"math": "group"}, "samples": map[string]any{"part_a": part("0-2", "3-9")}})
	if last := measure(t, make(nil), c); last.State != evaluator.Failed || !strings.Contains(last.Err.Error(), "all items of part_b") {
		t.Errorf("a task of a group that was measured in full: %s, %v", last.State, last.Err)
	}
}

// A name that was wrong costs one run; what it measured is read again, also for tasks that are asked for later. Who
// asks for the same once more gets another run.
func TestReportsAreKept(t *testing.T) {
	make, c, runs := faked(t, nil)
	ask := func(e evaluator.Evaluator, id, want string, tasks ...string) {
		t.Helper()
		c.ID, c.Tasks = "x7-12-"+id, tasks
		last := measure(t, e, c)
		got := fmt.Sprintf("%v after %d runs", last.Metrics, len(runs()))
		if last.Err != nil {
			got = fmt.Sprintf("%v after %d runs", last.Err, len(runs()))
		}
		if !strings.Contains(got, want) || !strings.HasSuffix(got, want[strings.LastIndex(want, " after"):]) && strings.Contains(want, " after") {
			t.Errorf("%v: %s\nexpected %s", tasks, got, want)
		}
		c.Attempt++
	}
	wrong := make(map[string]any{"tasks": map[string]any{"math": "gsm/acc"}})
	last := measure(t, wrong, c)
	var e *evaluator.Error
	if !errors.As(last.Err, &e) || !e.Setup || !strings.Contains(e.Error(), `has no metric "acc": it has exact_match,loose; exact_match,strict`) {
		t.Errorf("%v, expected an error of study.yaml's with the metrics that are there", last.Err)
	}
	right := map[string]any{"math": "gsm/exact_match,strict"}
	ask(make(map[string]any{"tasks": right}), "1", "map[math:{0.25 0 100}] after 1 runs", "math")
	right["more"] = "gsm/exact_match,loose"
	ask(make(map[string]any{"tasks": right}), "2", "map[more:{0.75 0.01 100}] after 1 runs", "more")
	ask(make(map[string]any{"tasks": right}), "2", "map[more:{0.75 0.01 100}] after 1 runs", "more") // its answer was lost
	ask(make(map[string]any{"tasks": right}), "3", "map[math:{0.25 0 100}] after 2 runs", "math")    // once more
	ask(make(map[string]any{"tasks": right, "num_fewshot": 3}), "4", "map[more:{0.75 0.01 100}] after 3 runs", "more")
	c.Merge = "another"
	ask(make(map[string]any{"tasks": right}), "5", "map[math:{0.25 0 100}] after 4 runs", "math")
	if log, err := os.ReadFile(c.Log); err != nil || strings.Count(string(log), "needs no run") != 3 {
		t.Errorf("the log says so: %v\n%s", err, log)
	}
}

// What a program says of its failure comes first, and no path.
func TestReasonsComeFirst(t *testing.T) {
	make, c, _ := faked(t, nil)
	c.Tasks = []string{"lost"}
	last := measure(t, make(nil), c)
	if first, _, _ := strings.Cut(last.Err.Error(), "\n"); !strings.HasPrefix(first, "ValueError: Tasks not found: lost (") || strings.Contains(first, "/") {
		t.Errorf("it begins with %q", first)
	}
}

// lm-eval cuts the arguments of models at commas.
func TestACommaInThePath(t *testing.T) {
	make, c, runs := faked(t, nil)
	c.Model = lent("/scratch/a,b")
	if last := measure(t, make(nil), c); last.State != evaluator.Failed || !strings.Contains(last.Err.Error(), "/scratch/a,b has a comma") || len(runs()) > 0 {
		t.Errorf("%s, %v after %d runs", last.State, last.Err, len(runs()))
	}
}

func TestOptionsSayAll(t *testing.T) {
	_, errs := ParseOptions(map[string]any{
		"modell": "hf", "model_args": map[string]any{"stop": "a,b"}, "tasks": []any{"a"}, "num_fewshot": -1, "limit": 1.5, "batch_size": []any{},
		"samples": map[string]any{"a": map[string]any{"validation": "0-3", "test": "3-4"}, "b": map[string]any{"validation": "3-1"}, "c": map[string]any{"train": 1}, "d": map[string]any{"test": 1}},
	})
	text := errors.Join(errs...).Error()
	for _, want := range []string{
		`there is no option "modell" for lm_eval (did you mean "model"?`, "has a comma", "tasks: expected a mapping", "num_fewshot: expected a whole number", "limit: expected", "batch_size: expected text",
		"item 3 is in both splits", "from the smaller to the larger", `there is no split "train"`, "validation is missing",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the errors do not say %q:\n%s", want, text)
		}
	}
	_, errs = ParseOptions(map[string]any{
		"tasks": map[string]any{"a": "/acc", "b": "gsm, mmlu"}, "limit": 5, "samples": map[string]any{"a": map[string]any{"validation": 1, "test": 2}},
		"args": []any{"--output_path=x", "--tasks", "y", "{mdl}"}, "model_args": "pretrained={modell}",
	})
	text = errors.Join(errs...).Error()
	for _, want := range []string{"model: expected lm-eval's kind of model", "a: expected one of lm-eval's tasks", "b: expected one of", "a limit or samples, not both", "--output_path=x does not belong here", "--tasks does not", "no placeholder {mdl}", "no placeholder {modell}"} {
		if !strings.Contains(text, want) {
			t.Errorf("the errors do not say %q:\n%s", want, text)
		}
	}
	_, errs = ParseOptions(map[string]any{"model": "hf", "samples": map[string]any{"a": map[string]any{"validation": 1, "test": 2}, "b": map[string]any{"validation": 1}}})
	if len(errs) != 1 || !strings.Contains(errs[0].Error(), "b have no items for the test split, which a have") {
		t.Errorf("%v", errs)
	}
}

func TestItems(t *testing.T) {
	for text, want := range map[string][]int{"3": {3}, "0-4:2, 7": {0, 2, 4, 7}, "5-5": {5}, "7,1": {1, 7}} {
		if got, err := items(text); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %v, %v; expected %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "a", "1-", "-1", "1-3:0", "1, 0-2", "0-999999999", "1.5"} {
		if got, err := items(text); err == nil {
			t.Errorf("%q: %v, expected an error", text, got)
		}
	}
}
