//go:build linux || darwin

package python_test

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"parfait/evaluator"
	"parfait/evaluator/evaluatortest"
	"parfait/evaluator/worker"
	"parfait/merge"
	"parfait/merge/safetensors"
)

// evaluate is what a user writes: it does what the first coefficient's name says.
const evaluate = `
import json, os, sys, time, worker
print("loading", os.environ["PARFAIT_SLOT"])
seen = []

def evaluate(model, tasks, split, items=None):
    what = next(iter(model.coefficients))
    print('{"key": "study/1", "metrics": {}}')  # nobody takes it for an answer
    print("reads", len(sys.stdin.read()), "bytes", flush=True)
    os.system("echo a program of its own says so")
    for i, task in enumerate(tasks):
        model.progress(i + 1, len(tasks), task)
    seen.append(what)
    norm = model["model.norm.weight"]
    report = {task: {"value": norm[0], "stderr": float(len(seen)) if what == "count" else 0.5, "n": len(model)} for task in tasks}
    if what == "hang":
        time.sleep(3600)
    if what == "raises":
        raise KeyError("exact_match")
    if what == "leaves":
        sys.exit(3)
    if what == "returns":
        return [1, 2]
    if what == "object":
        report["a"] = object()
    if what == "missing":
        del report["a"]
    if what == "undeclared":
        report["poetry"] = 1
    if what == "nan":
        report["a"] = float("nan")
    return report

worker.serve(evaluate)
`

// serving are the options of a worker that runs evaluate, and a candidate of a small family for it.
func serving(t testing.TB) (o worker.Options, good evaluator.Candidate, spec merge.Spec) {
	t.Helper()
	py, dir := interpreter(t), install(t)
	put(t, filepath.Join(dir, "evaluate.py"), []byte(evaluate))
	base, models := family(t, filepath.Join(dir, "models"), safetensors.F32, 16)
	spec = merge.Spec{Base: base, Models: models, Method: "task_arithmetic"}
	o = worker.Options{
		Command: []string{py, "evaluate.py"}, Dir: dir, Grace: 5 * time.Second, NoModel: true,
		Splits: []evaluator.Split{evaluator.Validation, evaluator.Test},
	}
	return o, evaluator.Candidate{
		Key: "study/1", Attempt: 1, Tasks: []string{"a", "b"}, Split: evaluator.Validation, Recipe: recipe(t, spec, weights),
		At: []evaluator.Coefficient{{Name: "good", Value: 1}}, Log: filepath.Join(t.TempDir(), "1.log"),
	}, spec
}

var weights = map[string]float64{"math": 0.3, "code": 0.2, "chat": 0.1}

func recipe(t testing.TB, spec merge.Spec, at map[string]float64) json.RawMessage {
	t.Helper()
	r, err := merge.RecipeAt(spec, at)
	must(t, err)
	b, err := r.JSON()
	must(t, err)
	return b
}

func start(t testing.TB, o worker.Options) evaluator.Evaluator {
	t.Helper()
	ev, err := worker.New(o)
	must(t, err)
	t.Cleanup(func() { must(t, ev.Close()) })
	return ev
}

func TestConforms(t *testing.T) {
	o, good, _ := serving(t)
	o.Parallel = 2
	behaving := func(what string) func(testing.TB) evaluator.Candidate {
		return func(testing.TB) evaluator.Candidate {
			return evaluator.Candidate{Tasks: good.Tasks, Recipe: good.Recipe, At: []evaluator.Coefficient{{Name: what, Value: 1}}}
		}
	}
	fails := func(what string, code evaluator.Code) evaluatortest.Failure {
		return evaluatortest.Failure{Candidate: behaving(what), Code: code}
	}
	evaluatortest.Run(t, evaluatortest.Harness{
		New:  func(t testing.TB, _ string) evaluator.Evaluator { return start(t, o) },
		Good: behaving("good"),
		Hang: behaving("hang"),
		Failures: map[string]evaluatortest.Failure{
			"raises": fails("raises", worker.Reported), "leaves": fails("leaves", worker.Reported), "returns": fails("returns", worker.Reported),
			"object": fails("object", worker.Reported), "missing": fails("missing", evaluator.MissingTask),
			"undeclared": fails("undeclared", evaluator.UndeclaredTask), "nan": fails("nan", evaluator.NotFinite),
		},
	})
}

// measure has a candidate measured, and returns its end, its progress and its log.
func measure(t testing.TB, ev evaluator.Evaluator, c evaluator.Candidate) (last evaluator.Event, seen []string, log string) {
	t.Helper()
	must(t, ev.Submit(t.Context(), []evaluator.Candidate{c}, func(e evaluator.Event) error {
		if last = e; e.Progress.Note != "" {
			seen = append(seen, e.Progress.Note)
		}
		return nil
	}))
	b, err := os.ReadFile(c.Log)
	must(t, err)
	return last, seen, string(b)
}

// One process measures all, whatever fails in between; it measures an export on its files, and says so.
func TestStaysLoaded(t *testing.T) {
	o, c, spec := serving(t)
	ev := start(t, o)
	c.At[0].Name = "count"
	e, seen, log := measure(t, ev, c)
	if e.Err != nil || !slices.Equal(seen, []string{"opening the models", "a", "b"}) {
		t.Fatalf("%v, progress %v\n%s", e.Err, seen, log)
	}
	for _, want := range []string{"loading 0", `{"key": "study/1", "metrics": {}}`, "reads 0 bytes", "a program of its own says so", "study/1 took "} {
		if !strings.Contains(log, want) {
			t.Errorf("the log does not say %q:\n%s", want, log)
		}
	}
	fails := func(what string, change func(*evaluator.Candidate)) {
		t.Helper()
		f := c
		change(&f)
		if e, _, log := measure(t, ev, f); e.Err == nil || !strings.Contains(e.Err.Error(), what) {
			t.Errorf("%v, want an error with %q\n%s", e.Err, what, log)
		}
	}
	fails("KeyError: 'exact_match' (evaluate.py:", func(c *evaluator.Candidate) { c.At = []evaluator.Coefficient{{Name: "raises"}} })
	fails("neither a recipe nor a model", func(c *evaluator.Candidate) { c.Recipe = nil })
	fails("the method ties is not merged here", func(c *evaluator.Candidate) {
		s := spec
		s.Method = "ties"
		c.Recipe = recipe(t, s, weights)
	})
	fails("set `model: true`", func(c *evaluator.Candidate) {
		s := spec
		s.Masks = merge.MasksUnion
		c.Recipe = recipe(t, s, weights)
	})
	fails("no finite number", func(c *evaluator.Candidate) {
		s := spec
		s.DType = merge.F16
		c.Recipe = recipe(t, s, map[string]float64{"math": 1e6, "code": 0, "chat": 0})
	})
	// What is on disk is measured there.
	out, looked := filepath.Join(t.TempDir(), "out"), false
	execute(t, spec, map[string]float64{"math": 1, "code": 0, "chat": 0}, out, 0)
	x := c
	x.Written, x.Looked = out, func() { looked = true }
	written, _, log := measure(t, ev, x)
	if written.Err != nil || !looked || written.Metrics["a"].Value == e.Metrics["a"].Value {
		t.Errorf("an export is measured as %+v (%v), looked at %v\n%s", written.Metrics, written.Err, looked, log)
	}
	// It counts what it was asked, so that another process would begin at 1.
	if again, _, _ := measure(t, ev, c); again.Err != nil || again.Metrics["a"].Stderr != 5 || again.Metrics["a"].Value != e.Metrics["a"].Value {
		t.Errorf("at last %+v (%v), want the figures of before from the process of before", again.Metrics, again.Err)
	}
}

// What cannot be merged here is refused in words, before anything is measured.
// What people forget is told with what to do.
func TestFirstMistakes(t *testing.T) {
	for name, c := range map[string]struct{ script, want string }{
		"a tensor that is not there": {"import worker\n\n\ndef evaluate(model, tasks, split):\n    return model['none']\n\n\nworker.serve(evaluate)\n", "(evaluate.py:5)"},
		"no serve":                   {"def evaluate(model, tasks, split):\n    pass\n", "does it end with worker.serve(evaluate)?"},
		"no worker.py":               {"import sys\nsys.modules['worker'] = None\nsys.stderr.write(\"ModuleNotFoundError: No module named 'worker'\\n\")\nsys.exit(1)\n", "parfait worker python > worker.py"},
	} {
		o, asked, _ := serving(t)
		put(t, filepath.Join(o.Dir, "evaluate.py"), []byte(c.script))
		if e, _, log := measure(t, start(t, o), asked); e.Err == nil || !strings.Contains(e.Err.Error(), c.want) {
			t.Errorf("%s: %v; want %q\n%s", name, e.Err, c.want, log)
		}
	}
	o, _, _ := serving(t)
	cmd := exec.Command(o.Command[0], o.Command[1:]...)
	cmd.Dir, cmd.Env = o.Dir, append(os.Environ(), "PARFAIT_OUT=report.json", "PARFAIT_SLOT=0")
	if said, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(said), "name it in study.yaml as `worker:") {
		t.Errorf("as a command: %v\n%s", err, said)
	}
}

func TestRefused(t *testing.T) {
	o, asked, family := serving(t)
	ev, dir, base, models := start(t, o), t.TempDir(), family.Base, family.Models
	model := func(name string, list []safetensors.Tensor) []merge.Source {
		write(t, filepath.Join(dir, name, "model.safetensors"), 5, list)
		return []merge.Source{{Name: name, Path: filepath.Join(dir, name)}}
	}
	adapter := func(name string, edit func(map[string]any, *[]safetensors.Tensor)) []merge.Source {
		lora(t, filepath.Join(dir, name), 5, safetensors.F32, 16, edit)
		return []merge.Source{{Name: name, Path: filepath.Join(dir, name)}}
	}
	small := llama(safetensors.F32, 16)
	for i, c := range []struct {
		want   string
		models []merge.Source
		change func(*merge.Spec)
	}{
		{"the method slerp is not merged here", models[:2], func(s *merge.Spec) { s.Method = "slerp" }},
		{"variance_correction", models, func(s *merge.Spec) { s.Method, s.VarianceCorrection = "linear", true }},
		{"vocab: crop", models, func(s *merge.Spec) { s.Vocab = merge.VocabCrop }},
		{"short lacks model.embed_tokens.weight", model("short", small[1:]), nil},
		{"more has extra.weight, which the base lacks", model("more", append(slices.Clone(small), safetensors.Tensor{Name: "extra.weight", DType: safetensors.F32, Shape: []int64{3}})), nil},
		{"thin has model.embed_tokens.weight as F32 [40, 8], the base as F32 [40, 16]", model("thin", llama(safetensors.F32, 8)), nil},
		{"matches no group", models, func(s *merge.Spec) { s.Groups = []merge.Group{{Name: "early", Match: "model.*"}} }},
		{"uses use_dora", adapter("dora", func(c map[string]any, _ *[]safetensors.Tensor) { c["use_dora"] = true }), nil},
		{"uses init_lora_weights", adapter("pissa", func(c map[string]any, _ *[]safetensors.Tensor) { c["init_lora_weights"] = "pissa" }), nil},
		{"does not have under this name", adapter("strange", func(_ map[string]any, l *[]safetensors.Tensor) {
			(*l)[0].Name = "base_model.model.vision.lora_A.weight"
		}), nil},
	} {
		spec := merge.Spec{Base: base, Models: c.models, Method: "task_arithmetic"}
		if c.change != nil {
			c.change(&spec)
		}
		at := map[string]float64{}
		for _, k := range turned(t, spec) {
			if k.Required {
				at[k.Name] = 0.5
			}
		}
		asked.Recipe = recipe(t, spec, at)
		if e, _, log := measure(t, ev, asked); !errors.Is(e.Err, worker.Reported) || !strings.Contains(e.Err.Error(), c.want) || strings.Contains(log, "Traceback") {
			t.Errorf("%d: %v; want %q\n%s", i, e.Err, c.want, log)
		}
	}
}

func turned(t testing.TB, spec merge.Spec) []merge.Coefficient {
	t.Helper()
	list, _, err := merge.Coefficients(spec)
	must(t, err)
	return list
}

// The command line reads recipes as the program writes them, writes a checkpoint, and says what differs.
func TestSelftest(t *testing.T) {
	py, dir := interpreter(t), install(t)
	base, models := family(t, filepath.Join(dir, "a folder, of: models"), safetensors.BF16, 16)
	spec := merge.Spec{
		Base: base, Models: models, Method: "task_arithmetic", Params: map[string]any{"lambda": 0.9}, DType: merge.F32, Skip: []string{"lm_head.*"},
		Groups: []merge.Group{{Name: "early", Match: "model.layers.[!1-9].*"}, {Name: "rest", Match: "*"}},
	}
	at := map[string]float64{"math.early": 1e-9, "code.early": 0.25, "chat.early": 1, "math.rest": -0.5, "code.rest": 0.125, "chat.rest": 0}
	r, err := merge.RecipeAt(spec, at)
	must(t, err)
	file, out, engine := filepath.Join(dir, "recipe.yaml"), filepath.Join(dir, "out"), filepath.Join(dir, "merged")
	put(t, file, r.WithComment("it's a comment").YAML())
	execute(t, spec, at, engine, 0)
	run := func(args ...string) (string, error) {
		said, err := exec.Command(py, append([]string{"-S", "-c", noYAML, filepath.Join(dir, "worker.py"), "--selftest"}, args...)...).CombinedOutput()
		return string(said), err
	}
	if said, err := run(file, out, engine); err != nil || !strings.Contains(said, "0 differ") {
		t.Errorf("%v: %s", err, said)
	}
	if b, err := os.ReadFile(filepath.Join(out, "config.json")); err != nil || !strings.Contains(string(b), `"torch_dtype": "float32"`) {
		t.Errorf("its config.json is %s (%v)", b, err)
	}
	if said, err := run(file, out+"2", base); err == nil || !strings.Contains(said, "model.norm.weight: ") {
		t.Errorf("against another checkpoint: %v: %s", err, said)
	}
	if said, err := run(file, out); err == nil || !strings.Contains(said, "exists") {
		t.Errorf("over another checkpoint: %v: %s", err, said)
	}
}

// noYAML runs a script where PyYAML is not, whatever is installed.
const noYAML = `
import runpy, site, sys
site.main()
sys.modules["yaml"] = None
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
`
