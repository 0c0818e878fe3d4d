package explore

import (
	"fmt"
	"slices"
	"strings"

	"parfait/problem"
	"parfait/study"
)

// Compared says in a few sentences which study is better where, and whether that is more than noise.
func Compared(c *study.Comparison) []string {
	out := []string{comparedFronts(c), comparedTasks(c)}
	if s := predictedOtherwise(c); s != "" {
		out = append(out, s)
	}
	for _, t := range c.Seeds {
		out = append(out, comparedSeeds(c, t))
	}
	if len(c.Fronts.Leaders) < len(c.Studies) && len(c.Seeds) == 0 {
		out = append(out, "That is of these runs. The luck of the search is not in it: run each with several seeds before you say it of a method or a strategy.")
	}
	return out
}

// comparedFronts compares the hypervolumes of what is true of the trials.
func comparedFronts(c *study.Comparison) string {
	f := c.Fronts
	first, next := c.Studies[f.Order[0]], c.Studies[f.Order[1]]
	better := "better"
	figures := fmt.Sprintf("%s of the box against %s", Volume(f, f.Order[0]), Volume(f, f.Order[1]))
	if len(f.Order) > 2 {
		better = "best"
		figures += " of " + next.Name + ", the next"
	}
	share := fmt.Sprintf("%.0f %% of the draws", 100*f.Ahead[f.Order[0]][f.Order[1]])
	switch len(f.Leaders) {
	case 1:
		return fmt.Sprintf("%s has the %s front: %s, and is ahead in %s.", first.Name, better, figures, share)
	case len(f.Order):
		return fmt.Sprintf("Noise decides which front is %s: %s has %s, and is ahead in %s.", better, first.Name, figures, share)
	}
	var names, behind []string
	for _, i := range f.Order {
		if slices.Contains(f.Leaders, i) {
			names = append(names, c.Studies[i].Name)
		} else {
			behind = append(behind, c.Studies[i].Name)
		}
	}
	return fmt.Sprintf("Noise decides whether %s has the best front: %s has %s, and is ahead in %s. Worse beyond noise: %s.", either(names), first.Name, figures, share, problem.And(behind))
}

// Volume writes the hypervolume of what is true of a study's trials, with its standard deviation: 57.3 ± 1.2 %.
func Volume(f study.Standing, i int) string {
	return fmt.Sprintf("%s ± %.1f", strings.TrimSuffix(Tenths(f.Value[i]), " %"), 100*f.Std[i]) + " %"
}

// comparedSeeds compares two groups of runs over their seeds.
func comparedSeeds(c *study.Comparison, t study.SeedTest) string {
	a, b, share := c.Groups[t.A], c.Groups[t.B], t.Share
	if share < 0.5 {
		a, b, share = b, a, 1-share
	}
	run := func(g study.Group) string {
		if len(g.Studies) == 1 {
			return g.Name + " (one run)"
		}
		return fmt.Sprintf("%s (%d runs)", g.Name, len(g.Studies))
	}
	figures := fmt.Sprintf("its front is the better in %.0f %% of the pairs of runs, p %s (Mann–Whitney)", 100*share, Likely(t.P))
	if t.Sure() {
		return fmt.Sprintf("Over the seeds %s is better than %s: %s.", run(a), run(b), figures)
	}
	out := fmt.Sprintf("Over the seeds it is not sure that %s is better than %s: %s", run(a), run(b), figures)
	if min(len(a.Studies), len(b.Studies)) < study.FewestSeeds {
		out += fmt.Sprintf("; it takes %d runs of each at least", study.FewestSeeds)
	}
	return out + "."
}

// predictedOtherwise says where predictions contradict what was measured: trials that are not spent on the front,
// such as a design's, leave it for later.
func predictedOtherwise(c *study.Comparison) string {
	top := c.Studies[c.Fronts.Order[0]]
	var names []string
	for i, s := range c.Studies {
		if s.Predicted > top.Predicted && !slices.Contains(c.Fronts.Leaders, i) {
			names = append(names, fmt.Sprintf("%s (%s)", s.Name, Tenths(s.Predicted)))
		}
	}
	if len(names) == 0 {
		return ""
	}
	return fmt.Sprintf("By predictions %s would not be behind %s (%s): measure points of these fronts before you decide.", problem.And(names), top.Name, Tenths(top.Predicted))
}

// comparedTasks compares the best of every task.
func comparedTasks(c *study.Comparison) string {
	var said, alike []string // what is said, with the tasks that it is true of
	on := map[string][]string{}
	for k, t := range c.Tasks {
		if l := c.On[k].Leaders; len(l) == len(c.Studies) {
			alike = append(alike, t.Name)
		} else {
			what := standing(c, l)
			if on[what] == nil {
				said = append(said, what)
			}
			on[what] = append(on[what], t.Name)
		}
	}
	var parts []string
	for _, what := range said {
		parts = append(parts, what+" on "+problem.And(on[what]))
	}
	if len(alike) > 0 {
		parts = append(parts, "noise decides on "+problem.And(alike))
	}
	return "The best trial of each task: " + strings.Join(parts, "; ") + "."
}

// standing says who leads, or who does not, whichever is shorter.
func standing(c *study.Comparison, leaders []int) string {
	var names [2][]string
	for i, s := range c.Studies {
		which := 0
		if !slices.Contains(leaders, i) {
			which = 1
		}
		names[which] = append(names[which], s.Name)
	}
	who, what := names[0], "best"
	if len(names[1]) < len(names[0]) {
		who, what = names[1], "behind"
	}
	if len(who) == 1 {
		return who[0] + " is " + what
	}
	return problem.And(who) + " are " + what
}

// either joins words of which one holds.
func either(words []string) string { return strings.ReplaceAll(problem.And(words), " and ", " or ") }

// Tenths writes a share in percent with a decimal: 57.3 %.
func Tenths(share float64) string { return fmt.Sprintf("%.1f %%", 100*share) }
