// Package report reads what evaluations say of themselves: metrics and progress, as JSON and as lines.
//
// Every kind of evaluator that talks to a program reads the same forms here. It knows nothing of how the
// text came.
package report

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"parfait/evaluator"
	"parfait/problem"
)

// Source says where the figures of tasks are in a report.
type Source struct {
	// Where has the name of a task's figure where that is not the task's own: a key of a flat report; of an lm-eval
	// result the metric, or task and metric ("gsm8k_cot/exact_match,strict-match").
	Where map[string]string
	// Tasks has the lm-eval task of a study's task, with a metric or without: "mmlu", "gsm8k_cot/exact_match". Nil:
	// Where has it all.
	Tasks map[string]string
	// Items are how many items were asked for of lm-eval's tasks; nil: of all.
	Items map[string]int
	// Optional are tasks beside those asked for that a report may have a figure of.
	Optional []string
}

// place is where in an lm-eval result the figure of a task is: of which task there, and which metric, "" for the only
// one.
func (s Source) place(task string) (of, metric string) {
	if s.Tasks != nil {
		of, metric, _ = cutLast(cmp.Or(s.Tasks[task], task))
		return of, metric
	}
	if of, metric, ok := cutLast(s.Where[task]); ok {
		return of, metric
	}
	return task, s.Where[task]
}

// cutLast cuts a name at its last slash; without one all of it is before.
func cutLast(s string) (before, after string, found bool) {
	if i := strings.LastIndexByte(s, '/'); i >= 0 {
		return s[:i], s[i+1:], true
	}
	return s, "", false
}

// Names are the lm-eval tasks that have to be run for a study's tasks, each once.
func (s Source) Names(tasks []string) []string {
	var names []string
	for _, t := range tasks {
		if of, _ := s.place(t); !slices.Contains(names, of) {
			names = append(names, of)
		}
	}
	return names
}

// option is what to write in study.yaml for a figure to be found.
func (s Source) option(task, where string) string {
	if s.Tasks == nil {
		return fmt.Sprintf("metrics: {%s: '%s'}", task, where)
	}
	if of, _ := s.place(task); !strings.Contains(where, "/") {
		where = of + "/" + where
	}
	return fmt.Sprintf("tasks: {%s: '%s'}", task, where)
}

// Read reads the metrics of the tasks from a JSON object; see object.metrics for its forms.
func Read(b []byte, from Source, tasks []string) (evaluator.Metrics, error) {
	o, err := parse(b)
	if err != nil && bytes.HasPrefix(bytes.TrimSpace(b), []byte("{'")) {
		return nil, evaluator.Errorf(evaluator.BadMetrics, "this is how Python prints a dict, not JSON: print(json.dumps(…)) instead; found %s", Snippet(b))
	}
	if err != nil {
		return nil, evaluator.Errorf(evaluator.BadMetrics, "this is no JSON that can be understood: %w; found %s", err, Snippet(b))
	}
	return o.metrics(from, tasks)
}

// Harness says whether b is a result of an evaluation harness, which has all that was measured, whoever asks.
func Harness(b []byte) bool {
	o, err := parse(b)
	_, ok := o["results"].(object)
	return err == nil && ok
}

// metrics reads the metrics of the tasks. A report is flat ({"math": 0.81} or {"math": {"value": 0.81, "stderr": 0.01,
// "n": 500}}, and no task more than asked for), or a result of lm-eval, which is known by its object "results".
func (o object) metrics(from Source, tasks []string) (evaluator.Metrics, error) {
	if results, ok := o["results"].(object); ok && !slices.Contains(tasks, "results") {
		return o.lmEval(results, from, tasks)
	}
	m := evaluator.Metrics{}
	var errs []error
	used := map[string]bool{}
	for _, task := range slices.Concat(tasks, from.Optional) {
		name := task
		if w := from.Where[task]; w != "" {
			name = w
		}
		used[name] = true
		v, ok := o[name]
		if !ok && slices.Contains(from.Optional, task) {
			continue
		}
		if !ok {
			errs = append(errs, about(evaluator.MissingTask, task, "no figure for the task %q under %q: found %s", task, name, o.names()))
			continue
		}
		metric, err := readMetric(task, v)
		if err != nil {
			errs = append(errs, err)
		}
		m[task] = metric
	}
	for _, name := range slices.Sorted(maps.Keys(o)) {
		if !used[name] {
			errs = append(errs, about(evaluator.UndeclaredTask, name, "a figure for %q, which was not asked for (asked for: %s): declare the task in study.yaml, with role info if it is only to be seen, or do not report it",
				name, strings.Join(tasks, ", ")))
		}
	}
	return m, errors.Join(errs...)
}

// readMetric reads one figure of a flat report.
func readMetric(task string, v any) (evaluator.Metric, error) {
	o, ok := v.(object)
	if !ok {
		value, err := number(task, "figure", v)
		return evaluator.Metric{Value: value}, err
	}
	var (
		m    evaluator.Metric
		errs []error
	)
	if _, ok := o["value"]; !ok {
		errs = append(errs, about(evaluator.BadMetrics, task, "the figure of task %q has no value: expected {\"value\": …, \"stderr\": …, \"n\": …}, found %s", task, o.names()))
	}
	for _, name := range slices.Sorted(maps.Keys(o)) {
		var err error
		switch name {
		case "value":
			m.Value, err = number(task, name, o[name])
		case "stderr":
			if v := o[name]; v != nil && v != "N/A" { // else it is unknown
				m.Stderr, err = number(task, name, o[name])
			}
		case "n":
			m.N, err = count(task, o[name])
		default:
			err = about(evaluator.BadMetrics, task, "the figure of task %q has %q: expected value, stderr and n only", task, name)
		}
		errs = append(errs, err)
	}
	return m, errors.Join(errs...)
}

func number(task, name string, v any) (float64, error) {
	n, ok := v.(json.Number)
	if v == nil {
		return math.NaN(), about(evaluator.NotFinite, task, "the %s of task %q is null, NaN or infinite: expected a finite number", name, task)
	}
	if !ok {
		return 0, about(evaluator.BadMetrics, task, "the %s of task %q is %s: expected a number", name, task, kindOf(v))
	}
	f, err := n.Float64()
	if err != nil {
		return 0, about(evaluator.NotFinite, task, "the %s of task %q is %s, larger than a number can be", name, task, n)
	}
	return f, nil
}

func count(task string, v any) (int, error) {
	f, err := number(task, "number of items", v)
	if err != nil {
		return 0, err
	}
	if f != math.Trunc(f) || f < 0 || f > 1<<53 {
		return 0, about(evaluator.BadMetrics, task, "the number of items of task %q is %v: expected a whole number of at least 0", task, v)
	}
	return int(f), nil
}

// setup is about something that is wrong with study.yaml, not with a candidate.
func setup(code evaluator.Code, task, format string, args ...any) error {
	return &evaluator.Error{Problem: problem.Problem{Code: code, What: fmt.Sprintf(format, args...)}, Task: task, Setup: true}
}

func about(code evaluator.Code, task, format string, args ...any) error {
	return &evaluator.Error{Problem: problem.Problem{Code: code, What: fmt.Sprintf(format, args...)}, Task: task}
}
