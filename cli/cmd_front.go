package cli

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"parfait/explore"
	"parfait/search"
	"parfait/study"
)

// frontShown is how many points of the front people see unless they ask for all.
const frontShown = 12

func (a *app) frontCommand() *cobra.Command {
	var all, measured bool
	var around string
	var floors pointFlags
	cmd := a.onStudy(&cobra.Command{
		Use:   "front",
		Short: "Show the front: what can be had",
		Long: "Show the predicted front, sorted by the first task, with the knee and the best of each task. Predictions stand with half the width of their 90 % interval, what one more measurement on the same items would say, nine times of ten; the share is of the best that the front offers on that task. Points that are predicted below the base on an objective say on which.\n\n" +
			"It is the front of what keeps the floors of study.yaml, with probability .95 where something does; --confidence says otherwise. With --at-least and --beats it is traced under others in their place: what keeps them, not what of the points with numbers does; beside --beats its knee and the best of each task are those that are nowhere below the rival with that probability, where something is, as pick takes them. --around refines the front around a point, with --beats around its knee: points that lie closer together than their intervals are wide, within the floors. Points of both have coefficients, for --at, and no number.\n\n" +
			"--measured shows the trials that nothing else measured dominates.",
	}, analysed, func(cmd *cobra.Command, s *study.Study, snap *study.Snapshot) error {
		want, err := floors.bounds(snap)
		if err != nil {
			return err
		}
		under := snap.Analysis
		if want.Beats != nil || around == "" && (want.AtLeast != nil || cmd.Flags().Changed("confidence")) {
			if under, err = want.Under(cmd.Context(), under); err != nil {
				return err
			}
		}
		at, refined, why, err := refinedAround(cmd.Context(), under, around, want)
		if err != nil {
			return err
		}
		switch {
		case a.json:
			of := *snap
			of.Analysis = under
			j := studyOf(&of)
			return a.printJSON(a.out, frontsJSON{under == snap.Analysis, pointsJSON(under, refined), why, j.Study, j.activityJSON, j.Front, j.Knee, namedOf(under), j.Measured, beating(under), j.Ref, j.Volume, unmetOf(under), under.FlaggedTasks(true), under.Untested})
		case around != "":
			return a.printRefined(a.out, under, under == snap.Analysis, at, refined, why)
		case measured:
			return a.printMeasured(a.out, snap)
		case under != snap.Analysis && all:
			return a.printUnder(a.out, under, math.MaxInt)
		case under != snap.Analysis:
			return a.printUnder(a.out, under, frontShown)
		case all:
			return a.printFront(a.out, snap, math.MaxInt)
		}
		return a.printFront(a.out, snap, frontShown)
	})
	floors.addBounds(cmd)
	cmd.Flags().BoolVar(&all, "all", false, "every point of the front")
	cmd.Flags().StringVar(&around, "around", "", "the front refined around a `POINT`: its number, or knee")
	cmd.Flags().BoolVar(&measured, "measured", false, "the front among the measured trials")
	for _, flag := range []string{"around", "beats", "at-least"} {
		cmd.MarkFlagsMutuallyExclusive("measured", flag)
	}
	return cmd
}

// namedOf are the numbers of the points that are called the best compromise.
func namedOf(an *study.Analysis) map[string]int {
	out := map[string]int{"knee": an.Knee + 1}
	for _, p := range explore.Compromises(an) {
		out[p.Name] = p.Front + 1
	}
	return out
}

// beating is how many points beat each rival.
func beating(an *study.Analysis) map[string]int {
	out := map[string]int{}
	for _, r := range explore.Rivals(an, nil) {
		out[r.Name] = r.Beating(an)
	}
	return out
}

type frontsJSON struct {
	Numbered bool        `json:"numbered"`           // the points of front have their place in it as their number; false with --at-least and --beats: it is another front
	Refined  []pointJSON `json:"refined,omitempty"`  // with --around: points of the front between those that have numbers
	Why      string      `json:"why_none,omitempty"` // with --around: why there are no such points
	Study    string      `json:"study"`
	activityJSON
	Front    []frontJSON       `json:"front"`
	Knee     *frontJSON        `json:"knee"`
	Named    map[string]int    `json:"named"` // the place in front, from 1, of the knee, and of the points that other rules call the best compromise
	Measured []int             `json:"measured_front"`
	Beating  map[string]int    `json:"beating"` // points of the front that beat base, average and best, the best model by itself, on every objective
	Ref      map[string]number `json:"reference_point"`
	Volume   number            `json:"hypervolume"`
	Unmet    *unmetJSON        `json:"unmet"`              // floors that nothing is predicted to keep, so that the front is made without them; null: they are kept
	Flagged  map[string]string `json:"flagged"`            // tasks whose predictions should not be believed, and why
	Untested string            `json:"untested,omitempty"` // why no figure of trust speaks of the front
}

// unmetJSON is what is missing to keep floors.
type unmetJSON struct {
	Why    string         `json:"why"`
	Floors []missedJSON   `json:"floors"`
	Lower  *lowerableJSON `json:"lower"` // the one to lower, so that the others can be kept; null: no one suffices
}

type missedJSON struct {
	Task    string  `json:"task"`
	AtLeast *number `json:"at_least,omitempty"`
	AtMost  *number `json:"at_most,omitempty"`
	Nearest number  `json:"nearest"` // predicted of the merge that comes nearest to all of them
	Missing number  `json:"missing"` // by how much that misses it; 0 where it keeps it
}

type lowerableJSON struct {
	Task string `json:"task"`
	To   number `json:"to"`
}

func unmetOf(an *study.Analysis) *unmetJSON {
	if an.Unmet == nil || an.Unmet.Nearest == nil {
		return nil
	}
	task := func(name string) int {
		return slices.IndexFunc(an.Tasks, func(t study.Task) bool { return t.Name == name })
	}
	j := &unmetJSON{Why: explore.Unkept(an), Floors: []missedJSON{}}
	near := an.Predict(an.Unmet.Nearest)
	for _, f := range an.Floors {
		v := near[task(f.Task)].Value
		limit := number(f.Value)
		m := missedJSON{Task: f.Task, AtMost: &limit, Nearest: number(v), Missing: number(max(v-f.Value, 0))}
		if f.Least {
			m.AtLeast, m.AtMost, m.Missing = &limit, nil, number(max(f.Value-v, 0))
		}
		j.Floors = append(j.Floors, m)
	}
	if k := an.Unmet.Floor; k >= 0 {
		name := an.Floors[k].Task
		j.Lower = &lowerableJSON{name, number(an.Predict(an.Unmet.Instead)[task(name)].Value)}
	}
	return j
}

// printFront prints at most n points of the predicted front: the named ones, and others evenly between.
func (a *app) printFront(w io.Writer, snap *study.Snapshot, n int) error {
	an := snap.Analysis
	if len(an.Front) == 0 {
		_, err := fmt.Fprintln(w, "there is no point where the surrogates may be believed; measure more")
		return err
	}
	out := a.frontSheet(an)
	names := frontNames(an)
	for _, i := range evenly(an, n) {
		p := an.Front[i]
		out.add(frontRow(an, strconv.Itoa(i+1), p, pointNotes(an, p, names[i]))...)
		if i == an.Knee {
			out.mark()
		}
	}
	if _, err := fmt.Fprintf(w, "%s\n%s%s", frontTitle(snap, len(out.rows)), out, boundText(an.Space)); err != nil {
		return err
	}
	if words := explore.Unkept(an); words != "" {
		if _, err := fmt.Fprintln(w, "  ! "+words+", so that the front is made without floors"); err != nil {
			return err
		}
	}
	if err := printBeating(w, an); err != nil {
		return err
	}
	if err := printUntested(w, an); err != nil {
		return err
	}
	return a.printDoubts(w, an)
}

// frontSheet is an empty table of points of the front.
func (a *app) frontSheet(an *study.Analysis) *sheet {
	titles := []column{right("point")}
	for i, t := range an.Tasks {
		title := t.Name + " " + arrow(t)
		if t.Unit != "" && !t.Rate() {
			title += " " + t.Unit
		}
		if t.Role != study.Objective {
			title += " (" + string(t.Role) + ")"
		}
		titles = append(titles, right(title))
		if an.Best[i] >= 0 {
			titles = append(titles, right("of best").spared(2))
		}
		if floored(an, t.Name) {
			titles = append(titles, right("kept"))
		}
	}
	for _, c := range an.Space.Coefficients {
		titles = append(titles, right("c."+c.Name).spared(1))
	}
	return a.sheet(append(titles, left(""))...)
}

// floored says whether the front was traced under a floor of a task.
func floored(an *study.Analysis, task string) bool {
	return slices.ContainsFunc(an.Floors, func(f search.Floor) bool { return f.Task == task })
}

// frontRow is a point's row.
func frontRow(an *study.Analysis, name string, p study.FrontPoint, note string) []string {
	cells := []string{name}
	for t, task := range an.Tasks {
		cells = append(cells, predicted(task, p.Predicted[t]))
		if an.Best[t] >= 0 {
			cells = append(cells, ofBest(task, p.Predicted[t].Value, most(an, t)))
		}
		if floored(an, task.Name) {
			cells = append(cells, explore.Likely(keptOf(an, task.Name, p.X)))
		}
	}
	for _, v := range p.X {
		cells = append(cells, coefficient(v))
	}
	return append(cells, note)
}

// most is the best that the front is predicted to have of a task; what is called its best may have less, and be surer to beat
// what is to be beaten.
func most(an *study.Analysis, t int) float64 {
	v := an.Front[0].Predicted[t].Value
	for _, p := range an.Front {
		if an.Tasks[t].Better(p.Predicted[t].Value, v) {
			v = p.Predicted[t].Value
		}
	}
	return v
}

// printBeating says how much of the front is better than what there was without a search.
func printBeating(w io.Writer, an *study.Analysis) error {
	for i, r := range explore.Rivals(an, nil) {
		mark := "  "
		if i == 0 && r.Name == explore.RivalBase && an.AlwaysBelow() {
			mark = "  ! "
		}
		if _, err := fmt.Fprintln(w, mark+explore.BeatingWords(an, r)); err != nil {
			return err
		}
	}
	return nil
}

// belowWords name the objectives on which predictions are below the base, or count them where they are many.
func belowWords(an *study.Analysis, p []study.Prediction) string {
	return belowOf(len(an.Objectives), an.BelowBaseNames(p))
}

func belowOf(objectives int, below []string) string {
	const named = 3
	switch {
	case len(below) == 0:
		return ""
	case len(below) > named:
		return fmt.Sprintf("below base on %d of %d", len(below), objectives)
	}
	return "below base: " + strings.Join(below, ", ")
}

// pointNotes are what there is to say of a point of the front: what it is where it is no merge that a search was needed for, its
// names, and where it is below the base.
func pointNotes(an *study.Analysis, p study.FrontPoint, names string) string {
	out := []string{explore.Itself(an, p.X), names, belowWords(an, p.Predicted)}
	return strings.Join(slices.DeleteFunc(out, func(s string) bool { return s == "" }), "; ")
}

func frontTitle(snap *study.Snapshot, n int) string {
	an := snap.Analysis
	s := "predicted front: " + count(len(an.Front), "point") + " from " + count(len(an.Trials), "trial")
	if n < len(an.Front) {
		s += fmt.Sprintf(", %d shown", n)
	}
	s += "; ± is half of a 90 % interval, of one more measurement" + intervalKey(an)
	if len(an.Floors) > 0 {
		s += "; kept: the probability that the floor is truly kept"
	}
	return s
}

// intervalKey explains the other ways to write an interval, where the front has them.
func intervalKey(an *study.Analysis) string {
	ends, unknown := "", ""
	for _, p := range an.Front {
		for t, task := range an.Tasks {
			switch w := explore.Interval(task, p.Predicted[t]); {
			case w == explore.Unknown:
				unknown = ", " + w + " one too wide to say"
			case strings.Contains(w, "…"):
				ends = ", a…b the ends of an uneven one"
			}
		}
	}
	return ends + unknown
}

// frontNames are the names that points of the front have.
func frontNames(an *study.Analysis) map[int]string {
	names := map[int]string{an.Knee: "knee"}
	for t, i := range an.Best {
		if i < 0 {
			continue
		}
		if names[i] != "" {
			names[i] += ", "
		}
		names[i] += "best " + an.Tasks[t].Name
	}
	for _, p := range explore.Compromises(an) {
		names[p.Front] = strings.TrimPrefix(names[p.Front]+", "+p.Name, ", ")
	}
	return names
}

// evenly picks at most n points of the front in its order: the named ones, then those that fill the
// largest gaps.
func evenly(an *study.Analysis, n int) []int {
	if n >= len(an.Front) {
		n = len(an.Front)
	}
	picked := map[int]bool{}
	for i := range frontNames(an) {
		picked[i] = true
	}
	for len(picked) < n {
		best, widest := -1, 0
		for i := range an.Front {
			gap := len(an.Front)
			for j := range picked {
				gap = min(gap, max(i-j, j-i))
			}
			if gap > widest {
				best, widest = i, gap
			}
		}
		picked[best] = true
	}
	out := []int{}
	for i := range an.Front {
		if picked[i] {
			out = append(out, i)
		}
	}
	return out
}

// printMeasured prints the trials on the measured front.
func (a *app) printMeasured(w io.Writer, snap *study.Snapshot) error {
	an := snap.Analysis
	trials := make([]study.Trial, 0, len(an.Measured))
	for _, i := range an.Measured {
		trials = append(trials, an.Trials[i])
	}
	first := an.Tasks[an.Objectives[0]]
	slices.SortStableFunc(trials, func(p, q study.Trial) int {
		switch x, y := p.Metrics[first.Name].Value, q.Metrics[first.Name].Value; {
		case first.Better(y, x):
			return -1
		case first.Better(x, y):
			return 1
		}
		return 0
	})
	_, err := fmt.Fprintf(w, "measured front: %d of %d trials, hypervolume %.4g; ± is one standard error\n%s", len(trials), len(an.Trials), an.Hypervolume, a.trialSheet(snap, trials, false))
	return err
}
