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
	if l := c.Leaders(); l != nil && len(l) < len(c.Studies) {
		out = append(out, "The noise is that of the measurements; the luck of the search is not in it.")
	}
	return append(out, comparedRather(c)...)
}

// NoClaim says why it cannot be said which study is better.
func NoClaim(o study.Obstacle) string {
	if len(o.Tasks) > 0 {
		return o.What + " on " + problem.And(o.Tasks) + ": " + o.Who
	}
	return o.What + ": " + o.Who
}

// unclaimed says that it cannot be said whose front is better, and why.
func unclaimed(obstacles []study.Obstacle) string {
	why := make([]string, len(obstacles))
	for i, o := range obstacles {
		why[i] = NoClaim(o)
	}
	return "Which front is better cannot be said: " + strings.Join(why, "; ") + ". The hypervolume of measurements is larger than the truth, the more the noisier they are and the more of them there are."
}

// comparedRather says what to do where nothing could be said.
func comparedRather(c *study.Comparison) []string {
	var fixes []string
	for _, o := range c.Obstacles() {
		if !slices.Contains(fixes, o.Fix) {
			fixes = append(fixes, o.Fix)
		}
	}
	if len(fixes) == 0 {
		return nil
	}
	out := "To be able to say it " + strings.Join(fixes, "; ") + "."
	if even := c.Even(); even != nil {
		out += " " + problem.And(even) + " can be compared by themselves."
	}
	return []string{out}
}

// comparedFronts compares the hypervolumes.
func comparedFronts(c *study.Comparison) string {
	order := make([]int, len(c.Studies))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int {
		switch a, b := c.Studies[i].Measured.Volume, c.Studies[j].Measured.Volume; {
		case a > b:
			return -1
		case a < b:
			return 1
		}
		return 0
	})
	first, next := c.Studies[order[0]], c.Studies[order[1]]
	better := "better"
	figures := fmt.Sprintf("%s of the box against %s", Tenths(first.Measured.Volume), Tenths(next.Measured.Volume))
	if len(order) > 2 {
		better = "best"
		figures += " of " + next.Name + ", the next"
	}
	if o := c.Obstacles(); len(o) > 0 {
		return unclaimed(o)
	}
	leaders := c.Leaders()
	share := fmt.Sprintf("%.0f of %d draws of the noise", study.NoiseDraws*c.Ahead[order[0]][order[1]], study.NoiseDraws)
	switch {
	case len(leaders) == 1:
		return fmt.Sprintf("%s has the %s front: %s, and is ahead in %s.", first.Name, better, figures, share)
	case len(leaders) == len(order):
		return fmt.Sprintf("Noise decides which front is %s: %s has %s, and is ahead in %s.", better, first.Name, figures, share)
	}
	var names, behind []string
	for _, i := range order {
		if slices.Contains(leaders, i) {
			names = append(names, c.Studies[i].Name)
		} else {
			behind = append(behind, c.Studies[i].Name)
		}
	}
	return fmt.Sprintf("Noise decides whether %s has the best front: %s has %s, and is ahead in %s. Worse beyond noise: %s.", either(names), first.Name, figures, share, problem.And(behind))
}

// predictedOtherwise says where predictions contradict what was measured: trials that are not spent on the front,
// such as a design's, leave it for later.
func predictedOtherwise(c *study.Comparison) string {
	leaders := c.Leaders()
	if leaders == nil {
		return ""
	}
	top := c.Studies[leaders[0]]
	var names []string
	for i, s := range c.Studies {
		if s.Predicted > top.Predicted && !slices.Contains(leaders, i) {
			names = append(names, fmt.Sprintf("%s (%s)", s.Name, Tenths(s.Predicted)))
		}
	}
	if len(names) == 0 {
		return ""
	}
	return fmt.Sprintf("By predictions %s would not be behind %s (%s): measure points of these fronts before you decide.", problem.And(names), top.Name, Tenths(top.Predicted))
}

// comparedTasks compares the best measurement of every task.
func comparedTasks(c *study.Comparison) string {
	var said, alike, unclaimed []string // what is said, with the tasks that it is true of
	on := map[string][]string{}
	for k, t := range c.Tasks {
		switch l := c.LeadersOn(k); {
		case l == nil:
			unclaimed = append(unclaimed, t.Name)
		case len(l) == len(c.Studies):
			alike = append(alike, t.Name)
		default:
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
	if len(unclaimed) > 0 {
		parts = append(parts, "it cannot be said on "+problem.And(unclaimed))
	}
	return "The best measurement of each task: " + strings.Join(parts, "; ") + "."
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
