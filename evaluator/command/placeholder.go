//go:build linux || darwin

package command

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"parfait/evaluator"
)

// placeholder matches {name}, and {{name}}, which stands for the text {name}.
var placeholder = regexp.MustCompile(`\{\{[a-z_]+\}\}|\{[a-z_]+\}`)

// meanings are the placeholders and what they stand for. Each is in the environment too, as PARFAIT_ and
// the name in capitals.
var meanings = map[string]string{
	"model":        "the folder of the merged model",
	"out":          "where to write the metrics, a file that is not there yet",
	"trial":        "the trial's number, the last part of the key",
	"key":          "study and trial",
	"attempt":      "1, 2, … where a trial is tried again",
	"tasks":        "the tasks, separated by commas",
	"coefficients": "a JSON object, name to value",
	"split":        "validation or test",
	"slot":         "0 … parallel−1, different for all that run at once",
}

// mentions says whether a placeholder is used anywhere.
func (o Options) mentions(name string) bool {
	found := func(s string) bool { return slices.Contains(placeholder.FindAllString(s, -1), "{"+name+"}") }
	return slices.ContainsFunc(o.Command, found) || slices.ContainsFunc(slices.Collect(maps.Values(o.Env)), found)
}

func checkTemplate(s string) []error {
	var errs []error
	for _, p := range placeholder.FindAllString(s, -1) {
		name := strings.Trim(p, "{}")
		if _, known := meanings[name]; !known && !strings.HasPrefix(p, "{{") {
			errs = append(errs, fmt.Errorf("there is no placeholder %s (there are %s); write {%s} for that text itself",
				p, strings.Join(slices.Sorted(maps.Keys(meanings)), ", "), p))
		}
	}
	return errs
}

// placeholders returns what each stands for with one candidate.
func placeholders(c evaluator.Candidate, model, out string, slot int) (map[string]string, error) {
	coefficients, err := orderedJSON(c.At)
	return map[string]string{
		"model":        model,
		"out":          out,
		"trial":        c.Key[strings.LastIndexByte(c.Key, '/')+1:],
		"key":          c.Key,
		"attempt":      strconv.Itoa(c.Attempt),
		"tasks":        strings.Join(c.Tasks, ","),
		"coefficients": coefficients,
		"split":        string(c.Split),
		"slot":         strconv.Itoa(slot),
	}, err
}

// orderedJSON writes coefficients as an object in their own order.
func orderedJSON(at []evaluator.Coefficient) (string, error) {
	var parts []string
	for _, c := range at {
		name, err := json.Marshal(c.Name)
		if err != nil {
			return "", err
		}
		value, err := json.Marshal(c.Value)
		if err != nil {
			return "", evaluator.Errorf(evaluator.BadCandidate, "the coefficient %s cannot be written as JSON: %w", c.Name, err)
		}
		parts = append(parts, string(name)+": "+string(value))
	}
	return "{" + strings.Join(parts, ", ") + "}", nil
}

// expand replaces the placeholders in s; what they stand for is not looked into again.
func expand(s string, values map[string]string) string {
	return placeholder.ReplaceAllStringFunc(s, func(p string) string {
		if strings.HasPrefix(p, "{{") {
			return p[1 : len(p)-1]
		}
		return values[p[1:len(p)-1]]
	})
}

// environment returns the PARFAIT_ variables and the user's own, as KEY=value.
func environment(o Options, values map[string]string) []string {
	var env []string
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if name == "model" && !o.Model {
			continue
		}
		env = append(env, "PARFAIT_"+strings.ToUpper(name)+"="+values[name])
	}
	for _, k := range slices.Sorted(maps.Keys(o.Env)) {
		env = append(env, k+"="+expand(o.Env[k], values))
	}
	return env
}
