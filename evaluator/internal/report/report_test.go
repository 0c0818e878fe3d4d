package report

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"parfait/evaluator"
)

// codes returns the codes of all errors that are joined in err, sorted.
func codes(err error) []string {
	if err == nil {
		return nil
	}
	var out []string
	var (
		joined interface{ Unwrap() []error }
		one    *evaluator.Error
	)
	if errors.As(err, &joined) {
		for _, e := range joined.Unwrap() {
			out = append(out, codes(e)...)
		}
	} else if errors.As(err, &one) {
		out = append(out, string(one.Code))
	}
	slices.Sort(out)
	return out
}

const lmEval = `{
 "results": {
  "gsm8k": {"alias": "gsm8k", "exact_match,strict-match": 0.52, "exact_match_stderr,strict-match": 0.0138,
            "exact_match,flexible-extract": 0.55, "exact_match_stderr,flexible-extract": 0.0137},
  "wikitext": {"alias": "wikitext", "word_perplexity,none": 9.75, "word_perplexity_stderr,none": "N/A"},
  "mmlu/law": {"acc,none": 0.61, "acc_stderr,none": 0.02, "sample_len": 100}
 },
 "n-samples": {"gsm8k": {"original": 1319, "effective": 500}, "wikitext": {"original": 62, "effective": 62}},
 "config": {"model": "hf", "limit": null}
}`

func TestReports(t *testing.T) {
	for name, c := range map[string]struct {
		report string
		where  map[string]string
		tasks  []string
		want   evaluator.Metrics
		codes  []evaluator.Code
	}{
		"numbers":  {report: `{"a": 0.81, "b": -3e2}`, want: evaluator.Metrics{"a": {Value: .81}, "b": {Value: -300}}},
		"a mark":   {report: "\xef\xbb\xbf" + `{"a": 1, "b": 0}`, want: evaluator.Metrics{"a": {Value: 1}, "b": {}}},
		"objects":  {report: `{"a": {"value": 0.81, "stderr": 0.02, "n": 450}, "b": {"value": 1}}`, want: evaluator.Metrics{"a": {Value: .81, Stderr: .02, N: 450}, "b": {Value: 1}}},
		"no noise": {report: `{"a": {"value": 0.81, "stderr": null}, "b": 0}`, want: evaluator.Metrics{"a": {Value: .81}, "b": {}}},
		"N/A":      {report: `{"a": {"value": 0.81, "stderr": "N/A", "n": 4}, "b": 0.0}`, want: evaluator.Metrics{"a": {Value: .81, N: 4}, "b": {}}},
		"the only filter": {
			report: lmEval, tasks: []string{"wikitext", "law"}, where: map[string]string{"wikitext": "word_perplexity", "law": "mmlu/law/acc"},
			want: evaluator.Metrics{"wikitext": {Value: 9.75, N: 62}, "law": {Value: .61, Stderr: .02}},
		},
		"lm-eval, which filter?": {report: lmEval, tasks: []string{"gsm8k"}, where: map[string]string{"gsm8k": "exact_match"}, codes: []evaluator.Code{evaluator.BadMetrics}},
		"names": {
			report: `{"acc": 0.5, "ppl": 9}`, where: map[string]string{"a": "acc", "b": "ppl"},
			want: evaluator.Metrics{"a": {Value: .5}, "b": {Value: 9}},
		},
		"lm-eval": {
			report: lmEval, tasks: []string{"gsm8k", "wikitext", "law"},
			where: map[string]string{"gsm8k": "exact_match,flexible-extract", "law": "mmlu/law/acc,none"},
			want:  evaluator.Metrics{"gsm8k": {Value: .55, Stderr: .0137, N: 500}, "wikitext": {Value: 9.75, N: 62}, "law": {Value: .61, Stderr: .02}},
		},
		"lm-eval, which metric?":  {report: lmEval, tasks: []string{"gsm8k"}, codes: []evaluator.Code{evaluator.BadMetrics}},
		"lm-eval, no such metric": {report: lmEval, tasks: []string{"gsm8k"}, where: map[string]string{"gsm8k": "acc,none"}, codes: []evaluator.Code{evaluator.BadMetrics}},
		"lm-eval, no such task":   {report: lmEval, tasks: []string{"arc", "wikitext"}, codes: []evaluator.Code{evaluator.MissingTask}},
		"a task called results":   {report: `{"results": {"value": 3}}`, tasks: []string{"results"}, want: evaluator.Metrics{"results": {Value: 3}}},
		"missing":                 {report: `{"a": 1}`, codes: []evaluator.Code{evaluator.MissingTask}},
		"undeclared":              {report: `{"a": 1, "b": 1, "seconds": 3}`, codes: []evaluator.Code{evaluator.UndeclaredTask}},
		"all wrong at once":       {report: `{"a": "0.81", "c": 1}`, codes: []evaluator.Code{evaluator.BadMetrics, evaluator.MissingTask, evaluator.UndeclaredTask}},
		"NaN":                     {report: `{"a": NaN, "b": -Infinity}`, codes: []evaluator.Code{evaluator.NotFinite, evaluator.NotFinite}},
		"NaN inside":              {report: `{"a": {"value": 1, "stderr": NaN}, "b": {"value": Infinity}}`, want: evaluator.Metrics{"a": {Value: 1}}, codes: []evaluator.Code{evaluator.NotFinite}},
		"null":                    {report: `{"a": null, "b": 1}`, codes: []evaluator.Code{evaluator.NotFinite}},
		"too large":               {report: `{"a": 1e999, "b": 1}`, codes: []evaluator.Code{evaluator.NotFinite}},
		"wrong kinds":             {report: `{"a": [1], "b": true}`, codes: []evaluator.Code{evaluator.BadMetrics, evaluator.BadMetrics}},
		"wrong fields":            {report: `{"a": {"value": 1, "sem": 2}, "b": {"mean": 3}}`, codes: []evaluator.Code{evaluator.BadMetrics, evaluator.BadMetrics, evaluator.BadMetrics}},
		"half an item":            {report: `{"a": {"value": 1, "n": 1.5}, "b": {"value": 1, "n": -1}}`, codes: []evaluator.Code{evaluator.BadMetrics, evaluator.BadMetrics}},
	} {
		t.Run(name, func(t *testing.T) {
			o, err := parse([]byte(c.report))
			if err != nil {
				t.Fatal(err)
			}
			if c.tasks == nil {
				c.tasks = []string{"a", "b"}
			}
			got, err := o.metrics(Source{Where: c.where}, c.tasks)
			var want []string
			for _, code := range c.codes {
				want = append(want, string(code))
			}
			slices.Sort(want)
			if !slices.Equal(codes(err), want) {
				t.Errorf("codes %v, expected %v: %v", codes(err), want, err)
			}
			if err == nil && !maps.Equal(got, c.want) {
				t.Errorf("metrics %v, expected %v", got, c.want)
			}
		})
	}
}

// Results of lm_eval as its versions write them; testdata/README.md says how they came to be.
func TestLMEvalVersions(t *testing.T) {
	for version, want := range map[string]map[string]evaluator.Metric{
		"0.4.9": {
			"one": {Value: 0.5476190476190477, Stderr: 0.07861650943380505, N: 42}, "one_a": {Value: 0.5833333333333334, Stderr: 0.1486470975026408, N: 12},
			"two": {Value: 0.5666666666666667, Stderr: 0.0920186554465537, N: 30}, "ppl": {Value: 1.144693322260032, N: 12},
		},
		"0.4.11": {
			"one": {Value: 0.40476190476190477, Stderr: 0.07728015412913086, N: 42}, "one_a": {Value: 0.3333333333333333, Stderr: 0.14213381090374033, N: 12},
			"two": {Value: 0.6, Stderr: 0.09097176522946843, N: 30}, "ppl": {Value: 1.1423301688115544, N: 12},
		},
		"0.4.13": {
			"one": {Value: 0.42857142857142855, Stderr: 0.07823702286022739, N: 42}, "one_a": {Value: 0.4166666666666667, Stderr: 0.1486470975026408, N: 12},
			"two": {Value: 0.5333333333333333, Stderr: 0.09264111117062017, N: 30}, "ppl": {Value: 1.115738825830692, N: 12},
		},
	} {
		t.Run(version, func(t *testing.T) {
			b, err := os.ReadFile(filepath.Join("testdata", "lm-eval-"+version+".json"))
			if err != nil {
				t.Fatal(err)
			}
			got, err := Read(b, Source{Where: map[string]string{"two": "acc_norm,none"}}, slices.Sorted(maps.Keys(want)))
			if err != nil || !maps.Equal(got, want) {
				t.Errorf("%v, %v; expected %v", got, err, want)
			}
			if m, err := Read(b, Source{Where: map[string]string{"x": "two/acc,none"}}, []string{"x"}); err != nil || m["x"].N != 42 {
				t.Errorf("a metric that both tasks of a group have: %v, %v; expected 42 items", m, err)
			}
			for task, want := range map[string]string{
				"two":  "has 2 metrics, acc,none; acc_norm,none: say which with the option metrics: {two: 'acc,none'}",
				"bare": "has no metric: found ",
			} {
				if _, err := Read(b, Source{}, []string{task}); !errors.Is(err, evaluator.BadMetrics) || !strings.Contains(err.Error(), want) {
					t.Errorf("%s: %v, expected an error with %q", task, err, want)
				}
			}
			for _, where := range []string{"", "acc,none"} { // also where somebody has said which
				if _, err := Read(b, Source{Where: map[string]string{"bare": where}}, []string{"bare"}); err == nil || !strings.Contains(err.Error(), "declare its tasks in study.yaml instead (bare_a, bare_b)") {
					t.Errorf("a group without metrics, asked for %q: %v", where, err)
				}
			}
		})
	}
}

// A group of groups, as older versions write it, has the items of all; one that is its own part has none.
func TestItemsOfGroups(t *testing.T) {
	const text = `{"results": {"all": {"acc,none": 0.5}, "part": {"acc,none": 0.5}, "x": {"acc,none": 1}, "y": {"acc,none": 0}, "z": {"acc,none": 0.5}},
		"group_subtasks": {"all": %s, "part": ["x", "y"]}, "n-samples": {"x": {"effective": 10}, "y": {"effective": 5}, "z": {"effective": %s}}}`
	for _, c := range []struct {
		subtasks, z string
		want        int
	}{
		{`["part", "z"]`, "3", 18},
		{`["part", "z", "x", "part"]`, "3", 18},
		{`["part", "z"]`, "null", 0},
		{`["all", "part"]`, "3", 15},
		{`["all"]`, "3", 0},
		{`"part"`, "3", 0},
	} {
		m, err := Read(fmt.Appendf(nil, text, c.subtasks, c.z), Source{}, []string{"all"})
		if err != nil || m["all"].N != c.want {
			t.Errorf("a group of %s: %v, %v; expected %d items", c.subtasks, m, err, c.want)
		}
	}
}

func TestNoReports(t *testing.T) {
	for text, want := range map[string]string{
		`{"a": 1, "a": 2}`:              `"a" is there twice`,
		`{"a": {"value": 1, "value":2}`: `"value" is there twice`,
		`{"a": 1} {"b": 2}`:             "more than one",
		`[1]`:                           "found a list",
		`"NaN`:                          "unexpected EOF",
		`{"a": 1`:                       "unexpected EOF",
		``:                              "unexpected EOF",
		`{a: 1}`:                        "invalid character",
		strings.Repeat(`{"a":`, 2000):   "deeper",
	} {
		if o, err := parse([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: %v, %v; expected an error with %q", text, o, err, want)
		}
	}
}

// What people write first, and what they are told.
func TestReportsThatAreNone(t *testing.T) {
	for text, want := range map[string]string{
		`{'a': 0.5}`:              "json.dumps",
		`{"results": {"a": 0.5}}`: `no object of metrics for the task "a", but 0.5`,
		`{"results": {"b": {}}}`:  `no result for the task "a": found b`,
	} {
		if m, err := Read([]byte(text), Source{}, []string{"a"}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, %v; expected an error with %q", text, m, err, want)
		}
	}
}

// Whatever is reported is an answer or an error, and an answer passes the common check.
func FuzzReport(f *testing.F) {
	for _, s := range []string{lmEval, `{"a": 1, "b": {"value": 1, "stderr": 2, "n": 3}}`, `{"a": NaN}`, `{"a": "x\"NaN"}`, `{"results": {"a": {"acc": 1}, "b": {"acc,none": 2, "acc_stderr,none": 1}}}`} {
		f.Add([]byte(s))
	}
	tasks := []string{"a", "b"}
	f.Fuzz(func(t *testing.T, b []byte) {
		o, err := parse(b)
		if err != nil {
			return
		}
		m, err := o.metrics(Source{}, tasks)
		if err != nil {
			return
		}
		for task, v := range m {
			if v.Stderr < 0 || v.N < 0 {
				continue // for the common check to find
			}
			if err := evaluator.Check(evaluator.Candidate{Tasks: []string{task}}, evaluator.Metrics{task: v}); err != nil {
				t.Errorf("%q: %v", b, err)
			}
		}
	})
}

// The report is found where a person would see it: in colour, over several lines, after a bar's states.
func TestTheLastObject(t *testing.T) {
	for text, want := range map[string]string{
		"log\n\x1b[32m{\"t\": 0.5}\x1b[0m\n":                    `{"t": 0.5}`,
		"log\n{\n  \"t\": {\n    \"value\": 0.5\n  }\n}\nbye\n": "{\n\"t\": {\n\"value\": 0.5\n}\n}",
		"{\"t\": 1}\n{\n  \"u\": NaN\n}\n":                      `{"t": 1}`,
		"\r 50%\r{\"t\": 0.5}\n":                                `{"t": 0.5}`,
		"\xef\xbb\xbf{\"t\": 0.5}\r\n":                          `{"t": 0.5}`,
		"{\"progress\": {\"done\": 1}}\n":                       "",
		"{\n  \"t\": 0.5\n":                                     "",
		"f() {\n}\n":                                            "",
		"config: {\"lr\": 0.1}\n":                               "",
		"\x1b]0;{\"t\": 1}\a":                                   "",
		"{" + strings.Repeat("\n{", 1000) + strings.Repeat("\n}", 1000) + "\n": "",
	} {
		if got := string(LastObject([]byte(text))); got != want {
			t.Errorf("of %.60q: %q, expected %q", text, got, want)
		}
	}
	for text, want := range map[string]string{
		"\r 50%\r100%|████|{\"t\": 0.5}\n": "100%|████|",
		"{\"t\": 0.5}\n":    "",
		"config {broken}\n": "",
		"":                  "",
		"x\n":               "",
	} {
		if got := BeforeObject([]byte(text)); got != want {
			t.Errorf("before the object of %q: %q, expected %q", text, got, want)
		}
	}
}

// Results of lighteval 0.13, in the form that its code writes.
func TestLighteval(t *testing.T) {
	const text = `{"config_general": {"model_name": "m"}, "results": {"gsm8k|5": {"extractive_match": 0.25, "extractive_match_stderr": 0.1},
		"lighteval|ifeval|0": {"strict": 0.5, "strict_stderr": 0.1, "loose": 0.75, "loose_stderr": NaN}, "all": {"extractive_match": 0.25}},
		"versions": {"gsm8k|5": 0}, "config_tasks": {"gsm8k|5": {"name": "gsm8k", "original_num_docs": 1319, "effective_num_docs": 20}, "lighteval|ifeval|0": {"effective_num_docs": -1}}, "summary_tasks": {}, "summary_general": {}}`
	for task, c := range map[string]struct {
		where string
		want  evaluator.Metric
	}{
		"gsm8k":  {"", evaluator.Metric{Value: .25, Stderr: .1, N: 20}},
		"math":   {"gsm8k|5/extractive_match", evaluator.Metric{Value: .25, Stderr: .1, N: 20}},
		"ifeval": {"loose", evaluator.Metric{Value: .75}},
	} {
		if m, err := Read([]byte(text), Source{Where: map[string]string{task: c.where}}, []string{task}); err != nil || m[task] != c.want {
			t.Errorf("%s: %v, %v; expected %v", task, m, err, c.want)
		}
	}
	if _, err := Read([]byte(text), Source{}, []string{"ifeval"}); !errors.Is(err, evaluator.BadMetrics) || !strings.Contains(err.Error(), "has 2 metrics, loose; strict") {
		t.Errorf("%v, expected the metrics", err)
	}
}

// Logs of inspect-ai, as it wrote them; testdata/README.md says how they came to be.
func TestInspect(t *testing.T) {
	var logs [][]byte
	for _, name := range []string{"sums", "words"} {
		b, err := os.ReadFile(filepath.Join("testdata", "inspect-0.3.285-"+name+".json"))
		if err != nil {
			t.Fatal(err)
		}
		logs = append(logs, b)
	}
	b, ok, err := Inspect(logs)
	if err != nil || !ok || !Harness(b) {
		t.Fatalf("%s, %t, %v", b, ok, err)
	}
	m, err := Read(b, Source{Where: map[string]string{"found": "words/accuracy,includes"}}, []string{"sums", "found"})
	if want := (evaluator.Metrics{"sums": {Value: 2. / 3, Stderr: 0.210818510677892, N: 6}, "found": {Value: 1, N: 4}}); err != nil || !maps.Equal(m, want) {
		t.Errorf("%v, %v; expected %v", m, err, want)
	}
	if _, err := Read(b, Source{}, []string{"words"}); err == nil || !strings.Contains(err.Error(), "has 2 metrics, accuracy,includes; accuracy,match") {
		t.Errorf("%v, expected the scorers", err)
	}
	failed := []byte(strings.Replace(string(logs[0]), `"status": "success"`, `"status": "error", "error": {"message": "no\tnetwork"}`, 1))
	for want, logs := range map[string][][]byte{
		`the task "sums" ends with the status "error": no	network`: {failed},
		`two logs of the task "sums"`:                              {logs[0], logs[0]},
	} {
		if _, ok, err := Inspect(logs); !ok || err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%t, %v; expected %q", ok, err, want)
		}
	}
	for _, text := range []string{`{"results": {}}`, `[]`, ``} {
		if _, ok, err := Inspect([][]byte{[]byte(text)}); ok || err != nil {
			t.Errorf("%q is taken for a log, %v", text, err)
		}
	}
}
