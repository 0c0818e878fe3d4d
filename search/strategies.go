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

var (
	startOption  = Option{"start", 0, "points of the start; 0: as many as the space needs, 8 for two coefficients, 12 for four to eight, then one more for each"}
	enoughOption = Option{"enough", 0.0, "stop when the next batch is expected to add less than this share to the measured hypervolume; 0: never"}
)

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
			Line:  "the default: a short start as design, then batches where the predicted front is least certain",
			Paper: "uncertainty sampling on the front: Zuluaga, Krause and Püschel 2016 (ε-PAL); batches: Ginsbourger, Le Riche and Carraro 2010",
			Options: []Option{
				startOption,
				{"explore", 0.0, "share of each batch that goes where the whole region, not the front, is least certain"},
				enoughOption,
			},
		},
		build: newAdaptive,
	},
	{
		Info: Info{
			Name:    "ehvi",
			Line:    "batches where the measured front's hypervolume is expected to grow most",
			Paper:   "Emmerich, Giannakoglou and Naujoks 2006; exact for three tasks: Yang, Emmerich, Deutz and Bäck 2019",
			Options: []Option{startOption, enoughOption},
		},
		build: newEHVI,
	},
	{
		Info: Info{
			Name:  "map",
			Line:  "MAP: one shot, spread evenly over the whole box",
			Paper: "MAP, Li et al. 2024 (arXiv 2406.07529)",
		},
		build: newOneshot,
	},
	{
		Info: Info{
			Name:    "bayesian",
			Line:    "Bayesian MAP: an even start, then batches in the directions where the surrogates were wrong",
			Paper:   "Bayesian MAP, Li et al. 2024 (arXiv 2406.07529)",
			Options: []Option{startOption},
		},
		build: newBayesian,
	},
	{
		Info: Info{
			Name:  "nested",
			Line:  "many models, merged in pairs of two coefficients, the winners again; one flat recipe at the end",
			Paper: "Nested MAP, Li et al. 2024 (arXiv 2406.07529)",
			Options: []Option{
				{"pair", pairSize, "evaluations a pair; fewer where the budget is too short for the whole tree"},
				{"weights", nil, weightsDoc},
			},
		},
		build: func(o map[string]any) (Strategy, error) { return newNesting(o) },
	},
	{
		Info: Info{
			Name:    "greedy",
			Line:    "model soups: each model alone, the average of all, then added one at a time, kept where it does not hurt",
			Paper:   "Model soups, Wortsman et al. 2022 (arXiv 2203.05482)",
			Options: []Option{{"weights", nil, weightsDoc}},
		},
		build: newGreedy,
	},
	{
		Info: Info{
			Name:  "evolution",
			Line:  "an evolutionary search for one best merge, on real evaluations, as for many checkpoints of one run",
			Paper: "LCSC, Liu et al. 2024 (arXiv 2404.02241)",
			Options: []Option{
				{"population", 0, "points that may become parents; 0: a fifth of the budget, between 6 and 20"},
				{"weights", nil, weightsDoc},
			},
		},
		build: newEvolution,
	},
	{
		Info: Info{
			Name:  "direct",
			Line:  "NSGA-III or random points on real evaluations: the baseline at equal budget",
			Paper: "Deb and Jain 2014",
			Options: []Option{
				{"algorithm", "nsga3", "nsga3 or random"},
				{"population", 0, "points of the first generation; 0: a quarter of the budget, between 8 and 92"},
			},
		},
		build: newDirect,
	},
	{
		Info: Info{
			Name:    "barrier",
			Line:    "can they be merged at all: points on the straight line between every two models",
			Paper:   "linear mode connectivity, Frankle et al. 2020 (arXiv 1912.05671)",
			Options: []Option{{"points", linePoints, "points a line, with both ends"}},
		},
		build: newBarrier,
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
