package search

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
)

// weightsDoc describes the option of the strategies that look for one merge.
const weightsDoc = "what each optimised task is worth, such as {math: 2, code: 1}; all the same without it"

// settings reads the options of a strategy as they come from YAML or JSON. What is wrong gathers, so that
// everything is said at once.
type settings struct {
	given map[string]any
	wrong []string
}

// whole reads a whole number of at least least; def where it is not given.
func (s *settings) whole(name string, def, least int) int {
	v, ok := s.given[name]
	if !ok {
		return def
	}
	f, ok := numeric(v)
	if !ok || f != math.Trunc(f) || f < float64(least) || f > 1e9 {
		s.wrong = append(s.wrong, fmt.Sprintf("%s: expected a whole number of at least %d, found %v", name, least, v))
		return def
	}
	return int(f)
}

// share reads a number from 0 to 1; def where it is not given.
func (s *settings) share(name string, def float64) float64 {
	v, ok := s.given[name]
	if !ok {
		return def
	}
	f, ok := numeric(v)
	if !ok || !(f >= 0 && f <= 1) {
		s.wrong = append(s.wrong, fmt.Sprintf("%s: expected a number from 0 to 1, found %v", name, v))
		return def
	}
	return f
}

// word reads one of several words; the first where it is not given.
func (s *settings) word(name string, words ...string) string {
	v, ok := s.given[name]
	if !ok {
		return words[0]
	}
	w, ok := v.(string)
	if !ok || !slices.Contains(words, w) {
		s.wrong = append(s.wrong, fmt.Sprintf("%s: expected one of %s, found %v", name, strings.Join(words, ", "), v))
		return words[0]
	}
	return w
}

// weights reads a mapping of tasks to what each is worth: numbers that are not negative and not all 0.
// nil where it is not given. Whether there are such tasks shows with a question.
func (s *settings) weights(name string) map[string]float64 {
	v, ok := s.given[name]
	if !ok {
		return nil
	}
	m, ok := v.(map[string]any)
	if !ok {
		s.wrong = append(s.wrong, fmt.Sprintf("%s: expected a mapping of tasks to numbers, found %v", name, v))
		return nil
	}
	out, sum := map[string]float64{}, 0.0
	for _, task := range slices.Sorted(maps.Keys(m)) {
		f, ok := numeric(m[task])
		if !ok || !(f >= 0) || math.IsInf(f, 0) {
			s.wrong = append(s.wrong, fmt.Sprintf("%s: %s: expected a number of at least 0, found %v", name, task, m[task]))
			continue
		}
		out[task] = f
		sum += f
	}
	if len(out) == len(m) && !(sum > 0) {
		s.wrong = append(s.wrong, fmt.Sprintf("%s: expected at least one task to be worth more than 0", name))
	}
	return out
}

// err is BadOption with everything that is wrong, or nil.
func (s *settings) err(strategy string) error {
	if len(s.wrong) == 0 {
		return nil
	}
	return fail(BadOption, "strategy %q: %s", strategy, strings.Join(s.wrong, "; "))
}

func numeric(v any) (float64, bool) {
	switch x := v.(type) {
	case int:
		return float64(x), true
	case int64:
		return float64(x), true
	case uint64:
		return float64(x), true
	case float64:
		return x, !math.IsNaN(x)
	}
	return 0, false
}
