//go:build linux || darwin

package lmeval

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"parfait/evaluator"
)

// lmEvalVariable names the program lm_eval of an installation; .ci/run lmeval makes one, of the newest there is.
const lmEvalVariable = "PARFAIT_LM_EVAL"

// With lm-eval itself, its model that answers at random, and tasks of testdata: both splits of a group and of a member of
// it, a metric under a wrong name, and one that is asked for later. Two runs of it are enough for all of that.
func TestRealLMEval(t *testing.T) {
	program := os.Getenv(lmEvalVariable)
	if program == "" {
		t.Skipf("%s does not name lm-eval's program: .ci/run lmeval installs one", lmEvalVariable)
	}
	dir, err := filepath.Abs("testdata")
	if err != nil {
		t.Fatal(err)
	}
	work := t.TempDir()
	const options = `{
		"model": "dummy", "include_path": "tasks", "run": ["strings"], "parallel": 2,
		"samples": {"strings_a": {"validation": "0-11:2", "test": "1-11:2"}, "strings_b": {"validation": "0-4", "test": "5-19"}}
	}`
	with := func(tasks map[string]any) evaluator.Evaluator {
		var m map[string]any
		if err := json.Unmarshal([]byte(options), &m); err != nil {
			t.Fatal(err)
		}
		m["parallel"], m["program"], m["dir"], m["tasks"] = 2, []any{program}, dir, tasks
		m["env"] = map[string]any{"HF_HOME": filepath.Join(work, "hf"), "HF_HUB_OFFLINE": "1"}
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
	ask := func(e evaluator.Evaluator, split evaluator.Split, id string, tasks ...string) evaluator.Event {
		return measure(t, e, evaluator.Candidate{
			Key: "s/1", ID: "x-1-" + id, Merge: "m1", Attempt: 1, Tasks: tasks, Split: split, Log: filepath.Join(work, string(split)+".log"), Model: lent(work),
		})
	}
	runs := func() (n int) {
		for _, split := range []string{"validation", "test"} {
			b, err := os.ReadFile(filepath.Join(work, split+".log"))
			if err != nil && !errors.Is(err, os.ErrNotExist) {
				t.Fatal(err)
			}
			n += strings.Count(string(b), "exit status 0 after")
		}
		return n
	}
	wrong := ask(with(map[string]any{"all": "strings/acurracy"}), evaluator.Validation, "1", "all")
	if wrong.Err == nil || !strings.HasPrefix(wrong.Err.Error(), `the result of "strings" has no metric "acurracy": it has acc,none`) {
		t.Fatalf("a metric under a wrong name: %s, %v", wrong.State, wrong.Err)
	}
	e := with(map[string]any{"all": "strings", "part": "strings_b/acc_norm"})
	for split, want := range map[evaluator.Split][2]int{evaluator.Validation: {11, 5}, evaluator.Test: {21, 15}} {
		last := ask(e, split, "2", "all", "part")
		if last.State != evaluator.Done {
			t.Fatalf("%s: %v", split, last.Err)
		}
		all, part := last.Metrics["all"], last.Metrics["part"]
		if all.N != want[0] || part.N != want[1] || all.Value < 0 || all.Value > 1 || all.Stderr <= 0 {
			t.Errorf("%s: %+v; expected %d and %d items", split, last.Metrics, want[0], want[1])
		}
	}
	later := ask(with(map[string]any{"more": "strings_a/acc"}), evaluator.Validation, "3", "more")
	if later.State != evaluator.Done || later.Metrics["more"].N != 6 {
		t.Errorf("a task that is asked for later: %s with %+v, %v; expected 6 items", later.State, later.Metrics, later.Err)
	}
	if n := runs(); n != 2 {
		t.Errorf("lm-eval was run %d times, expected once for each split", n)
	}
}
