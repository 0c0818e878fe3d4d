package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"parfait/evaluator"
	"parfait/evaluator/digits"
	"parfait/study"
)

// domain is a kind of merge, of networks that were really fine-tuned: what its front says is held against what the
// merges there truly measure.
type domain struct {
	name   string
	models []string // of the zoo: a task's expert, or a soup
	ranges string   // of their coefficients, "" for proportions
	first  string   // of the first one's, where it is another
	method string
	groups bool // of layers: two
	tasks  []string
	trials int
}

func experts(n int) []string { return digits.Tasks(n) }

// three are experts that get in one another's way.
var three = []string{"rotated", "mirrored", "inverted"}

// soups are models of one task.
var soups = []string{"0.0005", "0.001", "0.002", "0.004", "0.008", "0.016", "0.032"}

const (
	arithmetic = "task_arithmetic"
	box        = "[0, 1.2]"
)

// domains are the rows of the table.
func domains() []domain {
	of := func(name string, models []string, ranges, method string, trials int) domain {
		return domain{name: name, models: models, ranges: ranges, method: method, tasks: models, trials: trials}
	}
	grouped := func(d domain) domain { d.groups = true; return d }
	measured := func(d domain, tasks ...string) domain { d.tasks = tasks; return d }
	density := "density: {range: [0.05, 1]}"
	bounded := of("linear, proportions with ranges", three, "[0.1, 1]", "{name: linear}", 50)
	bounded.first = "[0, 0.5]"
	return []domain{
		of("task arithmetic", three, box, arithmetic, 50),
		of("task arithmetic, 12 trials", three, box, arithmetic, 12),
		of("linear", experts(4), "", "linear", 50),
		of("linear, 8 models", experts(8), "", "linear", 60),
		bounded,
		grouped(of("linear, groups of layers", three, "", "linear", 60)),
		measured(of("soups", soups, "", "linear", 50), "rotated", "upright"),
		of("fisher, 3 models", three, "", "fisher", 50),
		of("fisher, 4 models", experts(4), "", "fisher", 50),
		grouped(of("groups of layers", three, box, arithmetic, 60)),
		grouped(of("groups of layers, 16 trials", three, box, arithmetic, 16)),
		grouped(of("groups of layers, 24 trials", three, box, arithmetic, 24)),
		of("wide negative ranges", three, "[-1, 1.5]", arithmetic, 50),
		of("wide negative ranges, 4 models", experts(4), "[-1, 1.5]", arithmetic, 60),
		of("wide negative ranges, 16 trials", three, "[-1, 1.5]", arithmetic, 16),
		of("wide negative ranges, 30 trials", three, "[-1, 1.5]", arithmetic, 30),
		of("ties, density", three, box, "{name: ties, "+density+"}", 50),
		of("ties, density, 16 trials", three, box, "{name: ties, "+density+"}", 16),
		of("ties, density, 24 trials", three, box, "{name: ties, "+density+"}", 24),
		of("dare, density", three, box, "{name: dare_linear, "+density+"}", 50),
		of("dare_ties, density, 2 models", three[:2], box, "{name: dare_ties, "+density+"}", 40),
		of("λ beside weights", three, "[0, 1]", "{name: task_arithmetic, lambda: {range: [0, 2]}}", 50),
		of("λ beside weights, 25 trials", three, "[0, 1]", "{name: task_arithmetic, lambda: {range: [0, 2]}}", 25),
		of("slerp", three[:2], "", "{name: slerp, t: {range: [0, 1]}}", 20),
		measured(of("one model", three[:1], box, arithmetic, 20), "rotated", "upright"),
		measured(of("one objective", three, box, arithmetic, 40), "rotated"),
		measured(of("one objective, 16 trials", three, box, arithmetic, 16), "rotated"),
		of("two objectives", three[:2], box, arithmetic, 40),
		measured(of("tasks that are nearly equal", three, box, arithmetic, 40), "rotated", "rotated_pass2", "mirrored"),
		measured(of("ten objectives", experts(4), box, arithmetic, 60), append(experts(8), "upright", "rotated_pass2")...),
	}
}

// kept is what a domain's fronts say, against what is true.
type kept struct {
	Domain string  `json:"domain"`
	Trials int     `json:"trials"`
	Runs   int     `json:"runs"`
	Cases  int     `json:"cases"`      // points of fronts, a task each
	Inside float64 `json:"inside"`     // share of them that are inside their 90 % interval
	Bias   float64 `json:"bias"`       // of a task's predictions on the front, in units of its measured range, the worst; + optimistic
	On     string  `json:"bias_on"`    // which task
	RMSE   float64 `json:"rmse"`       // likewise
	Flag   int     `json:"flagged"`    // tasks that are, of Runs · tasks
	Tasks  int     `json:"tasks"`      // of a run
	Sure   float64 `json:"believed"`   // share of the fronts' points
	Limits bool    `json:"out_of_bar"` // coverage or bias are not as they should be
}

// The bar of every domain.
const (
	leastInside, mostInside = 0.87, 0.97
	mostBias                = 0.02
)

// hold plays studies of a domain, seed after seed, and measures their fronts.
func (d domain) hold(ctx context.Context, zoo string, seeds int) (kept, error) {
	k := kept{Domain: d.name, Trials: d.trials, Runs: seeds, Tasks: len(d.tasks)}
	inside, believed, points := 0, 0, 0
	bias, square, cases := make([]float64, len(d.tasks)), make([]float64, len(d.tasks)), make([]float64, len(d.tasks))
	for seed := range seeds {
		before, after, err := d.play(ctx, zoo, seed+1)
		if err != nil {
			return k, fmt.Errorf("%s: %w", d.name, err)
		}
		a := before.Analysis
		for i, f := range a.Fits {
			if f.Trust.Flagged {
				k.Flag++
			}
			task := a.Tasks[i]
			sign := 1.0
			if task.Sense == study.Minimize {
				sign = -1
			}
			for p := 0; p < len(a.Front); p += every(len(a.Front)) {
				t := after.At(a.Front[p].X)
				if t == nil || t.State != evaluator.Done {
					return k, fmt.Errorf("%s: a point of the front was not measured: %v", d.name, a.Front[p].X)
				}
				truth, said := t.Metrics[task.Name].Value, a.Front[p].Predicted[i]
				if said.Lo <= truth && truth <= said.Hi {
					inside++
				}
				off := sign * (said.Value - truth) / max(f.Trust.Range, 1e-9)
				bias[i], square[i], cases[i] = bias[i]+off, square[i]+off*off, cases[i]+1
				k.Cases++
				if points++; a.Front[p].Believed {
					believed++
				}
			}
		}
	}
	k.Inside, k.Sure = float64(inside)/float64(max(k.Cases, 1)), float64(believed)/float64(max(points, 1))
	for i, n := range cases {
		if b := bias[i] / max(n, 1); math.Abs(b) > math.Abs(k.Bias) || k.On == "" {
			k.Bias, k.On = b, d.tasks[i]
		}
		k.RMSE = max(k.RMSE, math.Sqrt(square[i]/max(n, 1)))
	}
	k.Limits = k.beyond()
	return k, nil
}

// beyond says whether coverage or bias are not as they should be.
func (k kept) beyond() bool {
	return k.Inside < leastInside || k.Inside > mostInside || math.Abs(k.Bias) > mostBias
}

// every is the step with which some hundred points of a front are taken.
func every(n int) int { return max(1, n/80) }

// play runs a study of a domain, and then measures its front; before is what is known then, after what it truly is.
func (d domain) play(ctx context.Context, zoo string, seed int) (before, after *study.Snapshot, err error) {
	dir, err := os.MkdirTemp("", "domains-*")
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if err := os.WriteFile(filepath.Join(dir, study.SpecFile), []byte(d.spec(zoo, seed)), 0o644); err != nil {
		return nil, nil, err
	}
	s, err := study.Open(dir)
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if err := s.Run(ctx, study.RunOptions{}); err != nil {
		return nil, nil, err
	}
	if before, err = s.Load(ctx); err != nil {
		return nil, nil, err
	}
	var ask []study.Command
	for p := 0; p < len(before.Analysis.Front); p += every(len(before.Analysis.Front)) {
		ask = append(ask, study.Command{Kind: study.CommandEvaluate, X: before.Analysis.Front[p].X, Once: true})
	}
	if err := s.DoAll(ask); err != nil {
		return nil, nil, err
	}
	if err := s.Run(ctx, study.RunOptions{}); err != nil {
		return nil, nil, err
	}
	after, err = s.Load(ctx)
	return before, after, err
}

// spec is study.yaml.
func (d domain) spec(zoo string, seed int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "version: 1\nbase: %s/models/base\nmodels:\n", zoo)
	for i, m := range d.models {
		path, name := "models/"+m, m
		if slices.Contains(soups, m) {
			path, name = "soups/rate-"+m, fmt.Sprint("rate", i+1)
		}
		if !slices.Contains(append(experts(4), soups...), m) {
			path = "eight/" + m
		}
		ranges := d.ranges
		if i == 0 && d.first != "" {
			ranges = d.first
		}
		if ranges != "" {
			ranges = ", range: " + ranges
		}
		fmt.Fprintf(&b, "  - {name: %s, path: %s/%s%s}\n", name, zoo, path, ranges)
	}
	if d.groups {
		b.WriteString("groups:\n  - {name: early, match: 'fc1*'}\n  - {name: late, match: 'fc2*'}\n")
	}
	method := d.method
	if method == "fisher" {
		method = "\n  name: fisher\n  fisher:"
		for _, m := range d.models {
			method += fmt.Sprintf("\n    %s: %s/fisher/%s.safetensors", m, zoo, m)
		}
	}
	fmt.Fprintf(&b, "method: %s\ntasks:\n", method)
	for _, t := range d.tasks {
		fmt.Fprintf(&b, "  - {name: %s, unit: rate}\n", t)
	}
	fmt.Fprintf(&b, "evaluators: {main: {digits: {}}}\nsearch: {strategy: adaptive, budget: %d, batch: 4, seed: %d}\n", d.trials, seed)
	return b.String()
}

// hold measures the domains whose names match.
func hold(ctx context.Context, seeds int, named *regexp.Regexp, told func(kept)) (all []kept, err error) {
	dir, err := os.MkdirTemp("", "domains-zoo-*")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	zoo := filepath.Join(dir, "zoo")
	if err := digits.WriteZoo(ctx, zoo); err != nil {
		return nil, err
	}
	if _, err := digits.Write(ctx, filepath.Join(zoo, "eight"), digits.MaxTasks()); err != nil {
		return nil, err
	}
	for _, d := range domains() {
		if !named.MatchString(d.name) {
			continue
		}
		k, err := d.hold(ctx, zoo, seeds)
		if err != nil {
			return all, err
		}
		told(k)
		all = append(all, k)
	}
	return all, nil
}

// String is one line of the table.
func (k kept) String() string {
	mark := ""
	if k.Limits {
		mark = "  !"
	}
	return fmt.Sprintf("%-34s %2d trials  inside %.3f  bias %+.3f (%s)  rmse %.3f  flagged %d of %d  believed %.2f%s",
		k.Domain, k.Trials, k.Inside, k.Bias, k.On, k.RMSE, k.Flag, k.Runs*k.Tasks, k.Sure, mark)
}
