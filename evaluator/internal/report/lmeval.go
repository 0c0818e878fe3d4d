package report

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"

	"parfait/evaluator"
)

// lmEval reads a result of the lm-evaluation-harness: results → task or group → "metric,filter" and
// "metric_stderr,filter"; see items for the numbers of items. It has everything that was measured; what no
// task asks for is left alone.
func (o object) lmEval(results object, where map[string]string, tasks []string) (evaluator.Metrics, error) {
	m := evaluator.Metrics{}
	var errs []error
	for _, task := range tasks {
		of, name := task, where[task]
		if i := strings.LastIndexByte(name, '/'); i >= 0 {
			of, name = name[:i], name[i+1:]
		}
		figures, ok := results[of].(object)
		if !ok {
			errs = append(errs, about(evaluator.MissingTask, task, "no result for the task %q: found %s; say where it is with the option metrics: {%s: 'task/metric,filter'}", of, results.names(), task))
			continue
		}
		name, err := o.chooseMetric(figures, task, of, name)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		var metric evaluator.Metric
		if metric.Value, err = number(task, name, figures[name]); err != nil {
			errs = append(errs, err)
		}
		stderr := stderrOf(name)
		if _, isNumber := figures[stderr].(json.Number); isNumber { // else it says N/A
			metric.Stderr, err = number(task, stderr, figures[stderr])
			errs = append(errs, err)
		}
		metric.N, err = o.items(task, of, name, map[string]bool{})
		m[task] = metric
		errs = append(errs, err)
	}
	return m, errors.Join(errs...)
}

// stderrOf is the name of a metric's standard error: "acc_stderr,none" for "acc,none".
func stderrOf(metric string) string {
	kind, filter, filtered := strings.Cut(metric, ",")
	if filtered {
		filter = "," + filter
	}
	return kind + "_stderr" + filter
}

// metricNames are the metrics among the figures of a task or group: what is a number, or NaN, and no standard
// error. A metric has its filter behind a comma; only where nothing has (other harnesses write so) can it be
// another name. What stands beside them differs from version to version: alias, name, sample_len, sample_count.
func (o object) metricNames() []string {
	var filtered, plain []string
	for _, k := range slices.Sorted(maps.Keys(o)) {
		_, isNumber := o[k].(json.Number)
		kind, _, hasFilter := strings.Cut(k, ",")
		switch {
		case !isNumber && o[k] != nil || strings.HasSuffix(kind, "_stderr"):
		case hasFilter:
			filtered = append(filtered, k)
		case k != "sample_len":
			plain = append(plain, k)
		}
	}
	if len(filtered) > 0 {
		return filtered
	}
	return plain
}

// chooseMetric returns the name of the metric to take: the one that is asked for, or else the only one.
func (o object) chooseMetric(figures object, task, of, name string) (string, error) {
	all := figures.metricNames()
	switch {
	case len(all) == 0:
		return "", about(evaluator.BadMetrics, task, "the result of %q has no metric: found %s; %s", of, figures.names(), o.withoutMetrics(of))
	case name != "" && slices.Contains(all, name):
		return name, nil
	case name != "":
		return "", about(evaluator.BadMetrics, task, "the result of %q has no metric %q: it has %s", of, name, strings.Join(all, "; "))
	case len(all) == 1:
		return all[0], nil
	}
	return "", about(evaluator.BadMetrics, task, "the result of %q has %d metrics, %s: say which with the option metrics: {%s: '%s'}", of, len(all), strings.Join(all, "; "), task, all[0])
}

// withoutMetrics says what to do where a task or group has been measured without a metric of its own.
func (o object) withoutMetrics(of string) string {
	var parts []string
	for _, sub := range o.subtasks(of) {
		parts = append(parts, Printable(sub))
	}
	if len(parts) == 0 {
		return "give the task a metric_list in its lm-eval definition"
	}
	return "a group has one only where its lm-eval definition has an aggregate_metric_list: add that, or declare its tasks in study.yaml instead (" + strings.Join(parts, ", ") + ")"
}

// subtasks are the tasks and groups that a group is made of.
func (o object) subtasks(group string) []string {
	groups, _ := o["group_subtasks"].(object)
	list, _ := groups[group].([]any)
	var names []string
	for _, v := range list {
		if s, ok := v.(string); ok {
			names = append(names, s)
		}
	}
	return names
}

// items is the number of items behind a metric, 0 where nothing tells it: sample_count has it for each metric
// of a group (from version 0.4.12), n-samples for each task; before, a group has as many as those of its tasks
// that have the metric. Of what is in seen nothing is counted again.
func (o object) items(task, of, metric string, seen map[string]bool) (int, error) {
	seen[of] = true
	results, _ := o["results"].(object)
	figures, _ := results[of].(object)
	if counts, _ := figures["sample_count"].(object); counts[metric] != nil {
		return count(task, counts[metric])
	}
	samples, _ := o["n-samples"].(object)
	if s, _ := samples[of].(object); s["effective"] != nil {
		return count(task, s["effective"])
	}
	n := 0
	for _, sub := range o.subtasks(of) {
		if figures, _ := results[sub].(object); figures[metric] == nil || seen[sub] {
			continue
		}
		more, err := o.items(task, sub, metric, seen)
		if more == 0 || err != nil { // one that is not known leaves the sum unknown
			return 0, err
		}
		n += more
	}
	return n, nil
}
