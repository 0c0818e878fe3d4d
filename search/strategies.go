package search

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Option is one setting of a strategy.
type Option struct {
	Name    string
	Default any
	Doc     string
}

// Info describes a strategy for help and docs.
type Info struct {
	Name    string
	Line    string // what it does, in one line
	Paper   string // whose it is
	Options []Option
}

type entry struct {
	Info
	build func(options map[string]any) (Strategy, error)
}

var registry = []entry{
	{
		Info: Info{
			Name:  "design",
			Line:  "one shot: anchors, then points that make a quadratic surest, then the largest gaps",
			Paper: "Box and Draper 1959 (I-optimal designs)",
		},
		build: func(map[string]any) (Strategy, error) { return design{}, nil },
	},
	{
		Info: Info{
			Name:  "adaptive",
			Line:  "a start as design, then batches where the predicted front is least certain",
			Paper: "this program's own",
		},
		build: func(map[string]any) (Strategy, error) { return design{}, nil },
	},
}

// Strategies lists every strategy, for docs and help.
func Strategies() []Info {
	out := make([]Info, len(registry))
	for i, e := range registry {
		out[i] = e.Info
	}
	return out
}

// New builds a strategy by name; "" is adaptive. Unknown names and options are errors (UnknownStrategy,
// UnknownOption, BadOption) that name the nearest known one.
func New(strategy string, options map[string]any) (Strategy, error) {
	if strategy == "" {
		strategy = "adaptive"
	}
	names := make([]string, 0, len(registry))
	for _, e := range registry {
		names = append(names, e.Name)
		if e.Name != strategy {
			continue
		}
		if err := e.check(options); err != nil {
			return nil, err
		}
		return e.build(options)
	}
	return nil, fail(UnknownStrategy, "unknown strategy %q%s", strategy, hint(strategy, names))
}

// check reports every unknown option at once.
func (e entry) check(options map[string]any) error {
	known := make([]string, 0, len(e.Options))
	for _, o := range e.Options {
		known = append(known, o.Name)
	}
	var wrong []string
	for _, name := range slices.Sorted(maps.Keys(options)) {
		switch {
		case slices.Contains(known, name):
		case len(known) == 0:
			wrong = append(wrong, fmt.Sprintf("strategy %q takes no options, found %q", e.Name, name))
		default:
			wrong = append(wrong, fmt.Sprintf("unknown option %q of strategy %q%s", name, e.Name, hint(name, known)))
		}
	}
	if len(wrong) > 0 {
		return fail(UnknownOption, "%s", strings.Join(wrong, "; "))
	}
	return nil
}
