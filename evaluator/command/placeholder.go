//go:build linux || darwin

package command

import (
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"

	"parfait/evaluator"
	"parfait/evaluator/internal/option"
	"parfait/evaluator/internal/placeholder"
)

// Placeholders are the placeholders and what they stand for. Each is in the environment too, as PARFAIT_ and
// the name in capitals.
var Placeholders = placeholder.Names{
	"model":        "the folder of the merged model",
	"out":          "where to write the metrics, a file that is not there yet",
	"trial":        "the trial's number, the last part of the key",
	"key":          "study and trial",
	"id":           "of the question: whoever has the answer to it need not measure again",
	"attempt":      "1, 2, … where a trial is tried again",
	"tasks":        "the tasks, separated by commas",
	"lm_tasks":     "the tasks as lm-eval calls them, as far as the option metrics says so",
	"coefficients": "a JSON object, name to value",
	"split":        "validation or test",
	"slot":         "0 … parallel−1, different for all that run at once",
}

// mentions says whether a placeholder is used anywhere.
func (o Options) mentions(name string) bool {
	found := func(s string) bool { return placeholder.In(s, name) }
	return slices.ContainsFunc(o.Command, found) || slices.ContainsFunc(slices.Collect(maps.Values(o.Env)), found)
}

// values returns what each placeholder stands for with one candidate.
func (o Options) values(c evaluator.Candidate, model, out string, slot int) (map[string]string, error) {
	coefficients, err := evaluator.CoefficientsJSON(c.At)
	theirs := strings.Join(o.names(c.Tasks), ",")
	tasks := strings.Join(c.Tasks, ",")
	if o.Harness != nil {
		tasks = theirs
		if strings.ContainsRune(model, ',') {
			err = errors.Join(err, evaluator.Errorf(evaluator.CannotStart, "the merged model's path %s has a comma, at which lm-eval would cut model_args: set candidates.path to a folder without one", model))
		}
	}
	return map[string]string{
		"model":        model,
		"out":          out,
		"trial":        c.Key[strings.LastIndexByte(c.Key, '/')+1:],
		"key":          c.Key,
		"id":           c.ID,
		"attempt":      strconv.Itoa(c.Attempt),
		"tasks":        tasks,
		"lm_tasks":     theirs,
		"coefficients": string(coefficients),
		"split":        string(c.Split),
		"slot":         strconv.Itoa(slot),
	}, err
}

// environment returns the PARFAIT_ variables and the user's own, as KEY=value.
func environment(o Options, values map[string]string) []string {
	var env []string
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if name == "model" && values[name] == "" {
			continue
		}
		env = append(env, "PARFAIT_"+strings.ToUpper(name)+"="+values[name])
	}
	return append(env, option.Variables(o.Env, o.Devices, values)...)
}
