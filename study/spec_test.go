package study

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"parfait/surrogate"
	"parfait/yamldoc"
)

const goodSpec = `version: 1
base: models/base
models:
  - {name: math, path: models/math, range: [0, 1.2]}
  - {name: code, path: models/code}
method: {name: task_arithmetic, lambda: 1}
skip: ['classifier.*']
dtype: bf16
tasks:
  - {name: gsm8k, unit: rate}
  - {name: perplexity, unit: loss, at_most: 9.5}
  - {name: safety, role: guard, at_least: 0.95, sense: maximize}
evaluators:
  main: {fake: {}}
candidates: {path: /scratch/me, max: 200GB}
search: {strategy: design, budget: 60, batch: 4, seed: 7}
`

// What stands at a kind's own key is what it needs most; a kind that is misspelt is asked for.
func TestEvaluatorsInShort(t *testing.T) {
	for kind, c := range map[string]struct{ text, option string }{
		"command": {"{command: [true], parallel: 2}", "command"},
		"http":    {"{http: 'http://127.0.0.1:8000/score', parallel: 2}", "url"},
		"worker":  {"{worker: [python, serve.py], parallel: 2}", "worker"},
		"slurm":   {"{slurm: [./eval.sh, '{model}'], throttle: 2}", "command"},
	} {
		s, err := ParseSpec("s.yaml", []byte("version: 1\nbase: b\nmodels: [{name: a, path: a}]\ntasks: [{name: t, unit: rate}]\nevaluators: {main: "+c.text+"}\n"))
		if err != nil {
			t.Errorf("%s: %v", kind, err)
		} else if e := s.Evaluators["main"]; e.Kind != kind || e.Options[c.option] == nil {
			t.Errorf("%s is read as %+v, want it with %s", c.text, e, c.option)
		}
	}
	_, err := ParseSpec("s.yaml", []byte("version: 1\nbase: b\nmodels: [{name: a, path: a}]\ntasks: [{name: t, unit: rate}]\nevaluators: {main: {wroker: [true]}}\n"))
	if err == nil || !strings.Contains(err.Error(), `did you mean "worker"`) {
		t.Errorf("%v, want it to ask for worker", err)
	}
}

func TestSpecReadsWhatIsWritten(t *testing.T) {
	s, err := ParseSpec("study.yaml", []byte(goodSpec))
	if err != nil {
		t.Fatal(err)
	}
	if got := s.Models[0].Range; got != (Range{0, 1.2}) {
		t.Errorf("range of math: %v", got)
	}
	if got := s.Models[1].Range; got != (Range{0, 1}) {
		t.Errorf("default range: %v", got)
	}
	links := []surrogate.Link{surrogate.Logit, surrogate.Log, surrogate.Identity}
	senses := []Sense{Maximize, Minimize, Maximize}
	for i, task := range s.Tasks {
		if task.Link != links[i] || task.Sense != senses[i] || task.Evaluator != "main" {
			t.Errorf("task %s: link %s, sense %s, evaluator %s", task.Name, task.Link, task.Sense, task.Evaluator)
		}
	}
	if *s.Tasks[1].AtMost != 9.5 || s.Candidates.Max != 200e9 || s.Search.Seed != 7 || s.Method.Params["lambda"] != 1.0 {
		t.Errorf("read %+v", s)
	}
}

// A number is the same wherever it stands, and what is no number where it stands is kept as it is written.
func TestSpecReadsNumbers(t *testing.T) {
	text := goodSpec
	for old, replacement := range map[string]string{
		"lambda: 1}": "lambda: 1e0}", "budget: 60": "budget: 6e1", "batch: 4": "batch: '4'", "seed: 7": "seed: 0x7",
		"[0, 1.2]": "[0, 12e-1]", "200GB": "2e11", "at_most: 9.5": "at_most: 95e-1",
		"{fake: {}}": "{command: [run, --t, 1.0, 007, 1e-5, true], env: {A: 010}}",
	} {
		if !strings.Contains(text, old) {
			t.Fatalf("%q is not in the good spec", old)
		}
		text = strings.Replace(text, old, replacement, 1)
	}
	s, err := ParseSpec("study.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	want := SearchSpec{Strategy: "design", Budget: 60, Order: OrderFixed, Batch: 4, Seed: 7}
	if got := s.Search; got.Budget != want.Budget || got.Batch != want.Batch || got.Seed != want.Seed {
		t.Errorf("search %+v, want %+v", got, want)
	}
	if s.Method.Params["lambda"] != 1.0 || s.Models[0].Range != (Range{0, 1.2}) || s.Candidates.Max != 200e9 || *s.Tasks[1].AtMost != 9.5 {
		t.Errorf("read %+v", s)
	}
	o := s.Evaluators["main"].Options
	if got := fmt.Sprint(o["command"], o["env"]); got != "[run --t 1.0 007 1e-5 true] map[A:010]" {
		t.Errorf("an evaluator is told %s", got)
	}
	for _, old := range []string{"lambda: 1", "budget: 60", "batch: 4", "seed: 7"} {
		key, _, _ := strings.Cut(old, " ")
		if list := problemsOf(t, old, key+" 010"); len(list) == 0 || !strings.Contains(list[0].Msg, "leading zeros") {
			t.Errorf("%s 010: %v, want to be told of leading zeros", key, list)
		}
	}
}

// problem finds the problems of a study.yaml that is goodSpec with old replaced by replacement.
func problemsOf(t *testing.T, old, replacement string) []yamldoc.Problem {
	t.Helper()
	if !strings.Contains(goodSpec, old) {
		t.Fatalf("%q is not in the good spec", old)
	}
	_, err := ParseSpec("study.yaml", []byte(strings.Replace(goodSpec, old, replacement, 1)))
	if err == nil {
		return nil
	}
	var p *yamldoc.Problems
	if !errors.As(err, &p) {
		t.Fatalf("%v is a %T, not *yamldoc.Problems", err, err)
	}
	return p.List
}

func TestSpecSaysWhatIsWrongAndWhere(t *testing.T) {
	for _, c := range []struct {
		name, old, replacement string
		line                   int
		want                   string
	}{
		{"unknown key", "dtype: bf16", "dtpye: bf16", 8, `did you mean "dtype"?`},
		{"unknown key in a task", "{name: gsm8k, unit: rate}", "{name: gsm8k, unti: rate}", 10, `did you mean "unit"?`},
		{"wrong type", "range: [0, 1.2]", "range: 1.2", 4, "expected a list"},
		{"range reversed", "[0, 1.2]", "[1.2, 0]", 4, "low < high"},
		{"range of next to no length", "[0, 1.2]", "[0.5, 0.5000001]", 4, "next to nothing wide"},
		{"range of three", "[0, 1.2]", "[0, 1, 2]", 4, "[low, high]"},
		{"same name twice", "name: code", "name: math", 5, "taken by an earlier model"},
		{"same task twice", "name: perplexity", "name: gsm8k", 11, "taken by an earlier task"},
		{"name with a dot", "name: gsm8k", "name: gsm.8k", 10, "cannot be a name"},
		{"unknown method", "task_arithmetic", "task_arithmetik", 6, `did you mean "task_arithmetic"?`},
		{"unknown strategy", "strategy: design", "strategy: desing", 16, "design"},
		{"unknown key of search", "budget: 60", "budgt: 60", 16, `unknown key of search "budgt"; did you mean "budget"?`},
		{"nearly a unit", "unit: rate", "unit: rat", 10, `unknown unit "rat"; did you mean "rate"?`},
		{"unknown sense", "sense: maximize", "sense: max", 12, "maximize"},
		{"floor above ceiling", "at_least: 0.95", "at_least: 0.95, at_most: 0.5", 12, "nothing can satisfy both"},
		{"no objective", "{name: gsm8k, unit: rate}\n  - {name: perplexity, unit: loss, at_most: 9.5}", "{name: gsm8k, role: info}", 10, "at least one task with role objective"},
		{"unknown evaluator", "role: guard", "role: guard, evaluator: judge", 12, `unknown evaluator "judge"`},
		{"unknown kind", "{fake: {}}", "{fkae: {}}", 14, "expected one of the kinds"},
		{"size", "200GB", "lots", 15, "expected a size"},
		{"budget", "budget: 60", "budget: -1", 16, "at least 0"},
		{"version", "version: 1", "version: 2", 1, "newer than this parfait"},
		{"missing", "base: models/base\n", "", 1, "base: is missing"},
		{"not YAML", "base: models/base", "base: [models/base", 3, "not YAML"},
		{"unknown surrogate", "dtype: bf16", "dtype: bf16\nsurrogate: quadratik", 9, `did you mean "quadratic"?`},
		{"unknown kind of surrogate", "dtype: bf16", "dtype: bf16\nsurrogate: {kind: pg}", 9, `unknown kind of surrogate "pg"`},
		{"unknown key of the surrogate", "dtype: bf16", "dtype: bf16\nsurrogate: {kind: quadratic, plan: true}", 9, `did you mean "plain"?`},
		{"plain and no quadratic", "dtype: bf16", "dtype: bf16\nsurrogate:\n  kind: gp\n  plain: true", 11, "needs kind: quadratic, found kind: gp"},
		{"plain of what", "dtype: bf16", "dtype: bf16\nsurrogate: {plain: true}", 9, "needs kind: quadratic, found kind: auto"},
		{"plain is no word", "dtype: bf16", "dtype: bf16\nsurrogate: {kind: quadratic, plain: very}", 9, "expected true or false"},
		{"twice", "dtype: bf16", "dtype: bf16\ndtype: f16", 9, "stands twice"},
		{"an option's name", "{fake: {}}", "\n    lm_eval: {model: hf}\n    prallel: 2", 16, `did you mean "parallel"?`},
		{"an option's value", "{fake: {}}", "\n    lm_eval:\n      model: hf\n      num_fewshot: five", 17, "expected a whole number, found five"},
		{"an option that is missing", "{fake: {}}", "{lm_eval: {num_fewshot: 5}}", 14, "model: expected lm-eval's kind of model"},
		{"a task that it does not measure", "{fake: {}}", "\n    lm_eval:\n      model: hf\n      tasks: {gsm9k: gsm8k_cot}", 17, `did you mean "gsm8k"?`},
		{"a comma without quotes", "{fake: {}}", "{lm_eval: {model: hf, tasks: {gsm8k: gsm8k_cot/exact_match,strict-match}}}", 14, "a word with a comma is put in quotes"},
	} {
		t.Run(c.name, func(t *testing.T) {
			list := problemsOf(t, c.old, c.replacement)
			if !slices.ContainsFunc(list, func(p yamldoc.Problem) bool { return p.Line == c.line && strings.Contains(p.Msg, c.want) }) {
				t.Errorf("want line %d with %q, got %v", c.line, c.want, list)
			}
		})
	}
}

func TestSpecReportsEverythingAtOnce(t *testing.T) {
	_, err := ParseSpec("s.yaml", []byte("version: 1\nbase: b\nmodels: []\ntasks: 3\nevaluators: {main: {}}\nsearhc: {}\n"))
	var p *yamldoc.Problems
	if !errors.As(err, &p) || len(p.List) < 4 {
		t.Fatalf("want four problems or more, got %v", err)
	}
}

func TestParseSize(t *testing.T) {
	for text, want := range map[string]int64{"200GB": 200e9, "1.5 GiB": 3 << 29, "4096": 4096, "7kb": 7000, "1TB": 1e12, "3 b": 3} {
		if got, ok := ParseSize(text); !ok || got != want {
			t.Errorf("%q: %d, %v; want %d", text, got, ok, want)
		}
	}
	for _, text := range []string{"", "GB", "-3", "1 PB", "1e400GB", "5 bananas"} {
		if got, ok := ParseSize(text); ok {
			t.Errorf("%q was read as %d", text, got)
		}
	}
}

func FuzzParseSpec(f *testing.F) {
	f.Add([]byte(goodSpec))
	f.Fuzz(func(_ *testing.T, b []byte) {
		_, _ = ParseSpec("study.yaml", b)
	})
}
