package report

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"

	"parfait/evaluator"
	"parfait/problem"
)

// lmEval reads a result of the lm-evaluation-harness: results → task or group → "metric,filter" and
// "metric_stderr,filter"; see items for the numbers of items. It has everything that was measured; what no
// task asks for is left alone.
func (o object) lmEval(results object, from Source, tasks []string) (evaluator.Metrics, error) {
	m := evaluator.Metrics{}
	var errs []error
	for _, task := range slices.Concat(tasks, from.Optional) {
		asked, name := from.place(task)
		of := results.named(asked)
		figures, ok := results[of].(object)
		if !ok && slices.Contains(from.Optional, task) {
			continue
		}
		if v, there := results[of]; there && !ok {
			found, _ := json.Marshal(v)
			errs = append(errs, setup(evaluator.BadMetrics, task, "results has no object of metrics for the task %q, but %s: expected what lm-eval writes, {\"results\": {\"%s\": {\"acc,none\": 0.81}}}, or a report of your own without \"results\" around it", asked, found, asked))
			continue
		}
		if !ok {
			errs = append(errs, setup(evaluator.MissingTask, task, "no result for the task %q: found %s; %ssay where it is with the option %s", asked, results.names(), meant(asked, results), from.option(task, "task/metric,filter")))
			continue
		}
		name, err := o.chooseMetric(figures, from, task, of, name)
		if err == nil {
			err = o.inPart(from, task, of)
		}
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
		metric.N, err = o.items(task, of, name, from.Items, map[string]bool{})
		m[task] = metric
		errs = append(errs, err)
	}
	return m, errors.Join(errs...)
}

// named is the name under which a task's figures are: its own, or the only one of which it is a part: lighteval
// writes gsm8k|5 for five examples in the prompt, inspect-ai inspect_evals/gsm8k for a task of a package.
func (o object) named(task string) string {
	if o[task] != nil {
		return task
	}
	var found []string
	for name := range o {
		if slices.Contains(strings.FieldsFunc(name, func(r rune) bool { return r == '|' || r == '/' }), task) {
			found = append(found, name)
		}
	}
	if len(found) == 1 {
		return found[0]
	}
	return task
}

// meant asks whether one of the names in o was meant, with a space behind.
func meant(name string, o object) string {
	if m := problem.Meant(name, slices.Sorted(maps.Keys(o))); m != "" {
		return m + " "
	}
	return ""
}

// inPart says which tasks behind a figure were measured on all of their items, where some are to be measured: those of
// the other split among them.
func (o object) inPart(from Source, task, of string) error {
	if from.Items == nil {
		return nil
	}
	var whole []string
	seen := map[string]bool{}
	var look func(of string)
	look = func(of string) {
		if seen[of] {
			return
		}
		seen[of] = true
		parts := o.subtasks(of)
		if _, some := from.Items[of]; !some && len(parts) == 0 {
			whole = append(whole, of)
		}
		for _, sub := range parts {
			look(sub)
		}
	}
	if look(of); len(whole) == 0 {
		return nil
	}
	return setup(evaluator.BadMetrics, task, "the result of %q is of all items of %s: say in samples which of them belong to which split, for every task of a group", of, strings.Join(whole, ", "))
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

// chooseMetric returns the name of the metric to take: the one that is asked for, with or without its filter where it
// has one only, or else the only one.
func (o object) chooseMetric(figures object, from Source, task, of, name string) (string, error) {
	all := figures.metricNames()
	filtered := slices.DeleteFunc(slices.Clone(all), func(k string) bool { return name == "" || !strings.HasPrefix(k, name+",") })
	switch {
	case len(all) == 0:
		return "", setup(evaluator.BadMetrics, task, "the result of %q has no metric: found %s; %s", of, figures.names(), o.withoutMetrics(of))
	case name != "" && slices.Contains(all, name):
		return name, nil
	case len(filtered) == 1:
		return filtered[0], nil
	case len(filtered) > 1:
		return "", setup(evaluator.BadMetrics, task, "the result of %q has the metric %q with %d filters: say which of %s with the option %s", of, name, len(filtered), strings.Join(filtered, "; "), from.option(task, of+"/"+filtered[0]))
	case name != "":
		ask := ""
		if m := problem.Meant(name, all); m != "" {
			ask = "; " + m
		}
		return "", setup(evaluator.BadMetrics, task, "the result of %q has no metric %q: it has %s%s", of, name, strings.Join(all, "; "), ask)
	case len(all) == 1:
		return all[0], nil
	}
	return "", setup(evaluator.BadMetrics, task, "the result of %q has %d metrics, %s: say which with the option %s", of, len(all), strings.Join(all, "; "), from.option(task, all[0]))
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

// items is the number of items behind a metric, 0 where nothing tells it: some are those of which only so many were
// asked for; sample_count has it for each metric of a group (from version 0.4.12), sample_len and n-samples for each
// task; before, a group has as many as those of its tasks that have the metric. Of what is in seen nothing is counted
// again.
func (o object) items(task, of, metric string, some map[string]int, seen map[string]bool) (int, error) {
	seen[of] = true
	if n, ok := some[of]; ok { // older versions count all of its items
		return n, nil
	}
	results, _ := o["results"].(object)
	figures, _ := results[of].(object)
	if counts, _ := figures["sample_count"].(object); counts[metric] != nil {
		return count(task, counts[metric])
	}
	samples, _ := o["n-samples"].(object)
	if s, _ := samples[of].(object); s["effective"] != nil {
		return count(task, s["effective"])
	}
	configs, _ := o["config_tasks"].(object) // lighteval's
	if s, _ := configs[of].(object); s["effective_num_docs"] != nil && s["effective_num_docs"] != json.Number("-1") {
		return count(task, s["effective_num_docs"])
	}
	n := 0
	for _, sub := range o.subtasks(of) {
		if figures, _ := results[sub].(object); figures[metric] == nil || seen[sub] {
			continue
		}
		more, err := o.items(task, sub, metric, some, seen)
		if more == 0 || err != nil { // one that is not known leaves the sum unknown
			return 0, err
		}
		n += more
	}
	return n, nil
}
