//go:build linux || darwin

package vllm_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"parfait/evaluator"
	"parfait/evaluator/worker"
)

// lmEvalVariable names the program lm_eval of an installation; .ci/run lmeval makes one, of the newest there is.
const lmEvalVariable = "PARFAIT_LM_EVAL"

// lm-eval itself asks the server, through the worker, and its result is read: other weights, other figures.
func TestRealLMEval(t *testing.T) {
	program := os.Getenv(lmEvalVariable)
	if program == "" {
		t.Skipf("%s does not name lm-eval's program: .ci/run lmeval installs one", lmEvalVariable)
	}
	tasks, err := filepath.Abs("testdata")
	must(t, err)
	b := serving(t, func(o *worker.Options) {
		o.Command[1] = "worker.py"
		o.Command = append(o.Command, "--lm-eval", program, "--model-args", "tokenizer_backend=None,tokenizer=None,num_concurrent=2",
			"--lm-args", "--include_path "+filepath.Join(tasks, "tasks"), "--task", "a=answers")
		o.Metrics = map[string]string{"a": "answers/exact_match"}
		for k, v := range map[string]string{"HF_HOME": filepath.Join(t.TempDir(), "hf"), "HF_HUB_OFFLINE": "1"} {
			o.Env[k] = v
		}
		// lm-eval reads the task's file from the working directory.
		must(t, os.Symlink(filepath.Join(tasks, "tasks"), filepath.Join(o.Dir, "tasks")))
	})
	seen := map[float64]bool{}
	for i, name := range []string{"c1", "c2"} {
		c := b.candidate(folder(t, filepath.Join(b.dir, name), uint64(2+i), 1))
		c.Tasks = []string{"a"}
		e := b.measure(c)[0]
		if e.State != evaluator.Done {
			t.Fatalf("%s: %v\n%s", e.State, e.Err, b.log())
		}
		if m := e.Metrics["a"]; m.N != 20 || m.Value <= 0 || m.Value >= 1 || m.Stderr <= 0 {
			t.Errorf("%s: %+v, want a share of 20 items", name, m)
		}
		seen[e.Metrics["a"].Value] = true
	}
	if len(seen) < 2 {
		t.Errorf("two models have the same figure: %v", seen)
	}
}

// lmEval stands in for lm-eval's program: it writes a result as lm-eval does, with what it was asked in the log.
const lmEval = `
import json, os, sys
args = dict(zip(sys.argv[1::2], sys.argv[2::2]))
tasks = args["--tasks"].split(",")
if "nonsense" in tasks:
    sys.exit("ValueError: Tasks not found: nonsense")
out = os.path.join(args["--output_path"], "parfait")
os.makedirs(out)
with open(os.path.join(out, "results_2026-11-30T12-00-00.json"), "w") as f:
    json.dump({"results": {t: {"alias": t, "exact_match,none": 0.25, "exact_match_stderr,none": 0.1} for t in tasks}, "n-samples": {t: {"original": 20, "effective": 20} for t in tasks}}, f)
`

func TestLMEval(t *testing.T) {
	b := serving(t, func(o *worker.Options) {
		put(t, filepath.Join(o.Dir, "lm.py"), lmEval)
		o.Command[1] = "worker.py"
		o.Command = append(o.Command, "--lm-eval", o.Command[0]+" lm.py", "--lm-args", "--num_fewshot 5", "--task", "a=gsm8k", "--task", "wrong=nonsense")
		o.Metrics = map[string]string{"a": "gsm8k/exact_match"}
	})
	e := b.one(folder(t, filepath.Join(b.dir, "c"), 2, 1))
	if want := (evaluator.Metric{Value: 0.25, Stderr: 0.1, N: 20}); e.Err != nil || e.Metrics["a"] != want || e.Metrics["b"] != want {
		t.Fatalf("%v, %+v; want %+v of both\n%s", e.Err, e.Metrics, want, b.log())
	}
	if log := b.log(); !strings.Contains(log, "lm.py --model local-completions --model_args model=parfait,base_url=http://127.0.0.1:") || !strings.Contains(log, "--tasks gsm8k,b --output_path") || !strings.Contains(log, "--num_fewshot 5") {
		t.Errorf("the log does not show lm-eval's command line:\n%s", log)
	}
	c := b.candidate(filepath.Join(b.dir, "c"))
	c.Tasks = []string{"wrong"}
	if e := b.measure(c)[0]; e.Err == nil || !strings.Contains(e.Err.Error(), "lm-eval ended with exit status 1") || !strings.Contains(b.log(), "Tasks not found") {
		t.Errorf("a task that is not there: %s, %v", e.State, e.Err)
	}
}
