package study

import (
	"errors"
	"math"
	"regexp"
	"slices"
	"strings"

	"parfait/evaluator"
	"parfait/problem"
	"parfait/yamldoc"
)

// evaluators reads {name: {KIND: …, options}}. What stands at the kind's own key is its options, or, where
// it is no mapping, the one that it needs most: a command, a worker's program, an address.
func (r specReader) evaluators(n yamldoc.Node) map[string]EvaluatorSpec {
	out := map[string]EvaluatorSpec{}
	n.Each(func(name string, v yamldoc.Node) {
		e := EvaluatorSpec{Options: map[string]any{}, Line: v.Line()}
		at := map[string]yamldoc.Node{}
		option := func(key string, o yamldoc.Node) {
			at[key] = o
			if _, twice := e.Options[key]; twice {
				o.Failf("stands twice, beside its kind and in it; keep one")
			}
			e.Options[key] = optionValue(o)
		}
		v.Each(func(key string, o yamldoc.Node) {
			_, known := kinds[key]
			switch {
			case known && e.Kind != "":
				o.Failf("an evaluator has one kind, this has %s and %s", e.Kind, key)
				return
			case known:
				e.Kind = key
			}
			switch {
			case known && o.IsMapping():
				o.Each(option)
			case !known:
				option(key, o)
			case o.Present():
				option(kinds[key].first(key), o)
			}
		})
		switch {
		case !v.Present():
			v.Failf("is empty: expected one of the kinds %s, such as {command: [python, evaluate.py, '{model}']}", strings.Join(evaluatorKinds(), ", "))
		case e.Kind == "":
			v.Each(func(key string, o yamldoc.Node) {
				if problem.Meant(key, evaluatorKinds()) != "" {
					o.Unknown("kind of evaluator", key, evaluatorKinds())
				}
			})
			v.Failf("expected one of the kinds %s", strings.Join(evaluatorKinds(), ", "))
		default:
			for _, err := range kinds[e.Kind].check(e.Options) {
				failOption(v, at, err)
			}
		}
		if e.Kind == "lm_eval" {
			r.theirs[name] = at["tasks"]
		}
		out[name] = e
	})
	return out
}

// checkTheirs looks for names that evaluators have for tasks that they do not measure: a slip, by which the task itself
// would be looked for under another name.
func (r specReader) checkTheirs(s *Spec) {
	for evaluator, n := range r.theirs {
		if !n.IsMapping() {
			continue
		}
		var own []string
		for _, t := range s.Tasks {
			if t.Evaluator == evaluator {
				own = append(own, t.Name)
			}
		}
		n.Each(func(task string, v yamldoc.Node) {
			if !slices.Contains(own, task) && v.Present() { // else its kind says more
				v.Unknown("task of this evaluator", task, own)
			}
		})
	}
}

// failOption notes what is wrong with an option where it stands, or with what is not there at the evaluator's name.
func failOption(n yamldoc.Node, at map[string]yamldoc.Node, err error) {
	var of *evaluator.Error
	if errors.As(err, &of) && of.Option != "" {
		if o, there := at[of.Option]; there {
			o.Failf("%s", strings.TrimPrefix(err.Error(), of.Option+": "))
			return
		}
	}
	n.Failf("%s", err)
}

// optionValue is Value, but what stands in a list or a mapping (arguments, headers, variables) is text as it is
// written: 1.0 stays 1.0, and 007 is no octal number.
func optionValue(n yamldoc.Node) any {
	switch {
	case n.IsList():
		out := []any{}
		for _, item := range n.List() {
			out = append(out, written(item))
		}
		return out
	case n.IsMapping():
		out := map[string]any{}
		n.Each(func(k string, v yamldoc.Node) { out[k] = written(v) })
		return out
	}
	return n.Value()
}

func written(n yamldoc.Node) any {
	if !n.Present() || n.IsList() || n.IsMapping() {
		return n.Value()
	}
	return n.Text()
}

func (r specReader) candidates(n yamldoc.Node) CandidatesSpec {
	var c CandidatesSpec
	n.Fields(map[string]func(yamldoc.Node){
		"path": func(n yamldoc.Node) { c.Path = n.Text() },
		"max":  func(n yamldoc.Node) { c.Max = size(n) },
	})
	return c
}

var sizeRule = regexp.MustCompile(`(?i)^\s*([0-9.]+)\s*([kmgt]?i?b)\s*$`)

// ParseSize reads a number of bytes such as 200GB, 1.5 GiB or 4096.
func ParseSize(s string) (int64, bool) {
	if f, err := yamldoc.Number(strings.TrimSpace(s)); err == nil {
		return int64(f), f >= 0 && f < math.MaxInt64
	}
	m := sizeRule.FindStringSubmatch(s)
	if m == nil {
		return 0, false
	}
	f, err := yamldoc.Number(m[1])
	if err != nil {
		return 0, false
	}
	unit, base := strings.ToLower(m[2]), 1000.0
	if strings.Contains(unit, "i") {
		base = 1024
	}
	f *= math.Pow(base, float64(strings.IndexByte("bkmgt", unit[0])))
	return int64(f), f < math.MaxInt64
}

func size(n yamldoc.Node) int64 {
	s := n.Text()
	v, ok := ParseSize(s)
	if !ok {
		n.Failf("expected a size such as 200GB or 20GiB, found %q", s)
	}
	return v
}
