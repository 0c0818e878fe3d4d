//go:build linux || darwin

package command

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"parfait/evaluator"
)

// example returns the code of a language in the documentation.
func example(t *testing.T, language string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "..", "docs", "evaluators.md"))
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile("(?s)```" + language + "\n(.*?)```").FindSubmatch(b)
	if m == nil {
		t.Fatalf("docs/evaluators.md has no example in %s", language)
	}
	return string(m[1])
}

// need skips a test for want of a program, except where everything has to be there.
func need(t *testing.T, program string) {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("%s is needed: %v", program, err)
		}
		t.Skipf("%s is not on this machine", program)
	}
}

func TestDocsBash(t *testing.T) {
	need(t, "bash")
	need(t, "awk")
	ev, c := shell(t, "", func(o *Options) {
		o.Command, o.Model = []string{"./evaluate.sh"}, true
		o.Splits = []evaluator.Split{evaluator.Validation, evaluator.Test}
		write(filepath.Join(o.Dir, "evaluate.sh"), example(t, "bash"))
		write(filepath.Join(o.Dir, "answer"), "#!/bin/sh\n[ -d \"$1\" ] || exit 1\nsed s/good/right/ \"$2\"\n")
		for _, f := range []string{"evaluate.sh", "answer"} {
			if err := os.Chmod(filepath.Join(o.Dir, f), 0o700); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.Mkdir(filepath.Join(o.Dir, "data"), 0o700); err != nil {
			t.Fatal(err)
		}
		write(filepath.Join(o.Dir, "data", "a.test.jsonl"), strings.Repeat("good\n", 3)+"bad\n")
		write(filepath.Join(o.Dir, "data", "b.test.jsonl"), strings.Repeat("bad\n", 10))
	})
	c.Split = evaluator.Test
	e, seen := measure(t.Context(), t, ev, c, nil)
	if e.State != evaluator.Done || e.Metrics["a"] != (evaluator.Metric{Value: .75, Stderr: .229129, N: 4}) || e.Metrics["b"].Value != 0 || e.Metrics["b"].Stderr == 0 {
		t.Errorf("%s with %+v: %v", e.State, e.Metrics, e.Err)
	}
	if len(seen) != 3 || seen[2].Note != "b" {
		t.Errorf("progress %+v", seen)
	}
}

func TestDocsPython(t *testing.T) {
	need(t, "python3")
	ev, c := shell(t, "", func(o *Options) {
		o.Command, o.Model = []string{"python3", "evaluate.py"}, true
		write(filepath.Join(o.Dir, "evaluate.py"), example(t, "python"))
		// In place of the real one, which takes gigabytes: the form of what it returns.
		write(filepath.Join(o.Dir, "lm_eval.py"), `
def simple_evaluate(model, model_args, tasks, batch_size):
    assert model == "hf" and model_args.startswith("pretrained=/")
    return {"results": {tasks[0]: {"alias": tasks[0], "acc,none": 0.5, "acc_stderr,none": 0.05}},
            "n-samples": {tasks[0]: {"original": 100, "effective": 100}}}
`)
	})
	e, seen := measure(t.Context(), t, ev, c, nil)
	if want := (evaluator.Metric{Value: .5, Stderr: .05, N: 100}); e.State != evaluator.Done || e.Metrics["a"] != want || e.Metrics["b"] != want {
		t.Errorf("%s with %+v: %v", e.State, e.Metrics, e.Err)
	}
	if len(seen) != 3 || seen[2] != (evaluator.Progress{Done: 1, Total: 2, Note: "b"}) {
		t.Errorf("progress %+v", seen)
	}
}

// Every option, placeholder and code is in the documentation.
func TestDocsAreComplete(t *testing.T) {
	b, err := os.ReadFile(filepath.Join("..", "..", "docs", "evaluators.md"))
	if err != nil {
		t.Fatal(err)
	}
	doc := string(b)
	for name := range Placeholders {
		for _, want := range []string{"`{" + name + "}`", "`PARFAIT_" + strings.ToUpper(name) + "`"} {
			if !strings.Contains(doc, want) {
				t.Errorf("docs/evaluators.md does not tell of %s", want)
			}
		}
	}
	_, errs := ParseOptions(map[string]any{"?": 1, "command": "x"})
	listed := regexp.MustCompile(`there are (.*)\)`).FindStringSubmatch(errs[0].Error())
	if listed == nil {
		t.Fatal(errs)
	}
	for _, o := range strings.Split(listed[1], ", ") {
		if !strings.Contains(doc, "| `"+o+"` |") {
			t.Errorf("docs/evaluators.md does not tell of the option %s", o)
		}
	}
	for _, code := range []evaluator.Code{
		evaluator.CannotStart, evaluator.Exited, evaluator.Killed, evaluator.NoMetrics, evaluator.BadMetrics, evaluator.TimedOut, evaluator.MissingTask,
		evaluator.UndeclaredTask, evaluator.NotFinite, evaluator.NoModel, evaluator.Interrupted,
	} {
		if !strings.Contains(doc, "`"+string(code)+"`") {
			t.Errorf("docs/evaluators.md does not tell of the code %s", code)
		}
	}
}
