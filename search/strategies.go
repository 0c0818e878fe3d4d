package search

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"parfait/problem"
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
	Models  int    // how many models it needs at least; 0: coefficients of any kind will do
	Ends    string // when it stops of itself before the budget is spent, in words; "": never, without an option that says so
	Looks   bool   // it can be told where to look: see Focus
	Options []Option
}

// entry is a strategy of this package. One that is added is a file that declares its entry, and a line in the
// registry.
type entry struct {
	Info
	build func(*settings) Strategy
}

var (
	startOption  = Option{"start", 0, "points of the start; 0: as many as the space needs, 8 for two coefficients, 12 for four to eight, then one more for each"}
	enoughOption = Option{"enough", 0.0, "stop when the next batch is expected to add less than this share to the measured hypervolume; 0: never"}
)

// registry has the strategies in the order in which people are told of them.
var registry = []entry{
	designEntry, adaptiveEntry, ehviEntry, oneshotEntry, bayesianEntry,
	nestedEntry, greedyEntry, evolutionEntry, directEntry, barrierEntry,
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
		o := &settings{given: options}
		built := e.build(o)
		if err := errors.Join(e.check(options), o.err(e.Name)); err != nil {
			return nil, err
		}
		return Hold(e.Info, built), nil
	}
	return nil, &Error{Problem: problem.Unknown(UnknownStrategy, "", "strategy", strategy, names)}
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
			wrong = append(wrong, problem.Unknown(UnknownOption, "strategy "+e.Name, "option", name, known).Error())
		}
	}
	if len(wrong) > 0 {
		return fail(UnknownOption, "%s", strings.Join(wrong, "; "))
	}
	return nil
}
