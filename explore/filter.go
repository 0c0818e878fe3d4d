package explore

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"parfait/problem"
	"parfait/study"
)

// Filter says whether a trial is wanted.
type Filter func(t study.Trial) bool

// ParseFilter reads a filter of trials: words that all must hold. "gsm8k>.5" compares a task, "c.math<=1"
// a coefficient, "id>10" and "batch=3" numbers of the trial; "state:failed" is its state, "by:ana" who
// asked for it; any other word must be in its reason or error. An empty filter holds for every trial.
// The error is a problem with the code BadFilter, and names every word that is wrong.
func ParseFilter(tasks []study.Task, names []string, text string) (Filter, error) {
	var all []Filter
	var wrong []string
	for _, word := range strings.Fields(text) {
		f, why := parseTerm(tasks, names, word)
		if why != "" {
			wrong = append(wrong, why)
			continue
		}
		all = append(all, f)
	}
	if len(wrong) > 0 {
		return nil, fail(BadFilter, "%s", strings.Join(wrong, "; "))
	}
	return func(t study.Trial) bool {
		return !slices.ContainsFunc(all, func(f Filter) bool { return !f(t) })
	}, nil
}

func parseTerm(tasks []study.Task, names []string, word string) (f Filter, wrong string) {
	if key, value, ok := strings.Cut(word, ":"); ok && (key == "state" || key == "by") {
		return func(t study.Trial) bool {
			if key == "by" {
				return strings.Contains(strings.ToLower(t.Origin), strings.ToLower(value))
			}
			return strings.HasPrefix(string(t.State), value)
		}, ""
	}
	i := strings.IndexAny(word, "<>=")
	if i < 0 {
		low := strings.ToLower(word)
		return func(t study.Trial) bool {
			return strings.Contains(strings.ToLower(t.Why+" "+t.Error+" "+t.Origin), low)
		}, ""
	}
	name, rest := word[:i], word[i:]
	op := rest[:1]
	if len(rest) > 1 && rest[1] == '=' {
		op = rest[:2]
	}
	limit, err := strconv.ParseFloat(rest[len(op):], 64)
	if err != nil || math.IsNaN(limit) {
		return nil, word + ": expected a number after " + op
	}
	value := valueOf(tasks, names, name)
	if value == nil {
		known := append(Columns(tasks, names), "id", "batch")
		return nil, problem.Unknown(BadFilter, "", "name", name, known).Error()
	}
	return func(t study.Trial) bool { return compares(value(t), op, limit) }, ""
}

// valueOf finds the number of a trial that a name stands for; nil where there is none.
func valueOf(tasks []study.Task, names []string, name string) func(study.Trial) float64 {
	switch name {
	case "id":
		return func(t study.Trial) float64 { return float64(t.ID) }
	case "batch":
		return func(t study.Trial) float64 { return float64(t.Batch) }
	}
	if slices.ContainsFunc(tasks, func(t study.Task) bool { return t.Name == name }) {
		return func(t study.Trial) float64 {
			if m, ok := t.Metrics[name]; ok {
				return m.Value
			}
			return math.NaN()
		}
	}
	if i := slices.Index(names, strings.TrimPrefix(name, "c.")); i >= 0 {
		return func(t study.Trial) float64 {
			if i < len(t.X) {
				return t.X[i]
			}
			return math.NaN()
		}
	}
	return nil
}

// compares is false wherever v is not a number.
func compares(v float64, op string, limit float64) bool {
	switch op {
	case "<":
		return v < limit
	case "<=":
		return v <= limit
	case ">":
		return v > limit
	case ">=":
		return v >= limit
	}
	return math.Abs(v-limit) < 5e-4
}
