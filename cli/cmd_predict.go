package cli

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"parfait/explore"
	"parfait/study"
	"parfait/visible"
)

func (a *app) predictCommand() *cobra.Command {
	var w pointFlags
	cmd := a.onStudy(&cobra.Command{
		Use:   "predict",
		Short: "Predict every task at one point, measured or not",
		Long:  "Predict every task at one point with its 90 % interval, what one more measurement on the same items would say, nine times of ten, and say whether the prediction is to be believed: whether it lies in the sampled region, and whether the front offers something better.",
		Example: "parfait predict my.study --at math=0.3,code=0.5\n" +
			"parfait predict my.study --best math",
	}, analysed, func(cmd *cobra.Command, s *study.Study, snap *study.Snapshot) error {
		c, err := w.choose(cmd.Context(), snap)
		if err != nil {
			return err
		}
		if a.json {
			return a.printJSON(a.out, choiceOf(snap, c))
		}
		return a.printChoice(a.out, snap, c)
	})
	w.add(cmd)
	completeTasks(cmd, "best", "order")
	return cmd
}

type choiceJSON struct {
	Study string `json:"study"`
	pointJSON
	Why string `json:"why"`
	// Front is the number of the point on the front, null off it; DominatedBy of one that is better on
	// every objective, null where there is none.
	Front       *int `json:"front_point"`
	DominatedBy *int `json:"dominated_by"`
	// Trial is the number of the trial that measured the point, null where none did.
	Trial *int `json:"trial"`
	// Chances are the probability to be nowhere worse than each of base, average and best, the best model by itself, as
	// far as they are known.
	Chances map[string]number `json:"nowhere_below"`
	// Floors are those that the point is to keep, and the probability that it does.
	Floors []floorJSON `json:"floors"`
	// Rates are, on the front, what the objective inside changes by when the one outside gets better by one, along
	// the front by the surrogates' gradients; null off the front, and where it has no more to give.
	Rates map[string]map[string]number `json:"rates"`
	// Breaks are the floors that the predictions do not reach, in words: study.yaml's and those asked for.
	Breaks []string `json:"breaks_floors"`
	// Flagged are the tasks whose predictions should not be believed, and why; on an untested front all.
	Flagged map[string]string `json:"flagged"`
	// Untested is why no figure of trust speaks of the front, for points on it.
	Untested string `json:"untested,omitempty"`
}

func choiceOf(snap *study.Snapshot, c explore.Choice) choiceJSON {
	j := choiceJSON{Study: snap.Dir, pointJSON: pointOf(snap.Analysis, c.X), Why: c.Why, Front: numbered(c.Front), Flagged: snap.Analysis.FlaggedTasks(c.OnFront()), Breaks: brokenBy(snap.Tasks, c)}
	j.Chances = map[string]number{}
	for _, r := range explore.Rivals(snap.Analysis, nil) {
		j.Chances[r.Name] = number(snap.Analysis.Chance(c.X, r.X))
	}
	j.Floors = floorsOf(snap.Analysis, c)
	if t := measuredAt(snap.Analysis, c.X); t != nil {
		j.Trial = &t.ID
	}
	if c.OnFront() {
		j.Rates, j.Untested = ratesOf(snap.Analysis, c.X), snap.Analysis.Untested
	} else {
		j.DominatedBy = numbered(explore.Dominator(snap.Analysis, c.Predicted))
	}
	return j
}

// floorJSON is a bound of a task, one of the two, and the probability that it is kept.
type floorJSON struct {
	Task    string  `json:"task"`
	AtLeast *number `json:"at_least,omitempty"`
	AtMost  *number `json:"at_most,omitempty"`
	Kept    number  `json:"kept"`
}

func floorsOf(an *study.Analysis, c explore.Choice) []floorJSON {
	out := []floorJSON{}
	for _, b := range c.Floors {
		v := number(b.Value)
		f := floorJSON{Task: an.Tasks[b.Task].Name, AtMost: &v, Kept: number(explore.Keeps(an, c.X, b))}
		if b.Least {
			f.AtLeast, f.AtMost = &v, nil
		}
		out = append(out, f)
	}
	return out
}

func ratesOf(an *study.Analysis, x []float64) map[string]map[string]number {
	rates := an.Rates(x)
	if rates == nil {
		return nil
	}
	out := map[string]map[string]number{}
	for _, t := range an.Objectives {
		row := map[string]number{}
		for _, u := range an.Objectives {
			row[an.Tasks[u].Name] = number(rates[t][u])
		}
		out[an.Tasks[t].Name] = row
	}
	return out
}

// numbered turns an index in the front into the number that people see, nil for none.
func numbered(i int) *int {
	if i < 0 {
		return nil
	}
	n := i + 1
	return &n
}

// printChoice prints one point: what is predicted there, with what, and whether to believe it.
func (a *app) printChoice(w io.Writer, snap *study.Snapshot, c explore.Choice) error {
	an := snap.Analysis
	out := a.sheet(left("task"), right("predicted"), right("90 % interval"), right("of best"), left(""))
	below, _ := an.BelowBase(c.Predicted)
	for t, task := range an.Tasks {
		p := c.Predicted[t]
		best, note := "", ""
		if b := an.Best[t]; b >= 0 {
			best = ofBest(task, p.Value, an.Front[b].Predicted[t].Value)
		}
		if task.Role != study.Objective {
			note = string(task.Role)
		}
		if slices.Contains(below, t) {
			note = "below base"
		}
		out.add(task.Name+" "+arrow(task), plain(task, p.Value), plain(task, p.Lo)+" … "+plain(task, p.Hi), best, strings.TrimSpace(note+" "+bounds(task, p.Value)))
	}
	text := out.String() + "  90 % interval: " + explore.IntervalWords + "\n"
	at := make([]string, len(c.X))
	for i, co := range an.Space.Coefficients {
		at[i] = co.Name + " " + coefficient(c.X[i])
	}
	text += "  at " + strings.Join(at, ", ") + "\n" + boundText(an.Space)
	if c.Why != "" {
		text += "  " + visible.Line(c.Why) + "\n"
	}
	if words := explore.NoSearch(an, c.X); words != "" {
		text += "  ! " + words + "\n"
	}
	text += chancesText(an, c)
	if len(c.Floors) > 0 {
		text += "  floors kept, with probability: " + strings.Join(explore.Kept(an, c), ", ") + "\n"
	}
	if t := measuredAt(an, c.X); t != nil {
		text += fmt.Sprintf("  measured there, as trial %d: %s\n", t.ID, measurements(an.Tasks, t.Metrics))
	}
	for _, words := range brokenBy(an.Tasks, c) {
		text += "  ! breaks a floor: " + words + "\n"
	}
	text += "  " + believed(an, c) + "\n"
	if c.OnFront() && len(an.Objectives) > 1 {
		head := "  along the front here\n"
		for _, words := range explore.Slopes(an, c.X) {
			if words != "" {
				text += head + "    " + words + "\n"
				head = ""
			}
		}
	}
	if _, err := io.WriteString(w, text); err != nil {
		return err
	}
	if c.OnFront() {
		if err := printUntested(w, an); err != nil {
			return err
		}
	}
	return a.printDoubts(w, an)
}

// chancesText says how a point stands against what there was without a search.
func chancesText(an *study.Analysis, c explore.Choice) string {
	var words []string
	for _, r := range explore.Rivals(an, nil) {
		if !shownAlike(r.X, c.X) {
			words = append(words, r.Title+" "+explore.Likely(an.Chance(c.X, r.X)))
		}
	}
	if len(words) == 0 {
		return ""
	}
	return "  nowhere below, with probability: " + strings.Join(words, ", ") + "\n"
}

// measuredAt is the trial that measured x, as far as coefficients are shown; nil where none did.
func measuredAt(an *study.Analysis, x []float64) *study.Trial {
	for i, t := range an.Trials {
		if shownAlike(t.X, x) {
			return &an.Trials[i]
		}
	}
	return nil
}

// shownAlike says whether coefficients are the same as far as they are shown.
func shownAlike(x, y []float64) bool {
	return slices.EqualFunc(x, y, func(p, q float64) bool { return coefficient(p) == coefficient(q) })
}

func measurements(tasks []study.Task, m map[string]study.Metric) string {
	var parts []string
	for _, t := range tasks {
		if v, ok := m[t.Name]; ok {
			parts = append(parts, t.Name+" "+uncertain(t, v))
		}
	}
	return strings.Join(parts, ", ")
}

// bounds says whether v keeps the task's own floor or ceiling.
func bounds(t study.Task, v float64) string {
	var parts []string
	mark := func(ok bool) string {
		if ok {
			return "✓"
		}
		return "✗"
	}
	if t.AtLeast != nil {
		parts = append(parts, "≥ "+plain(t, *t.AtLeast)+" "+mark(v >= *t.AtLeast))
	}
	if t.AtMost != nil {
		parts = append(parts, "≤ "+plain(t, *t.AtMost)+" "+mark(v <= *t.AtMost))
	}
	return strings.Join(parts, ", ")
}

// believed says where the point lies and whether there is a better one.
func believed(an *study.Analysis, c explore.Choice) string {
	s := fmt.Sprintf("leverage %s, inside the sampled region", explore.Decimal(c.Leverage, 2))
	if d := an.Doubtful(c.X, c.Believed, c.Leverage); d != "" {
		s = fmt.Sprintf("leverage %s, %s", explore.Decimal(c.Leverage, 2), d)
	}
	if !c.Believed && measuredAt(an, c.X) == nil {
		s += ": do not believe this before it is measured"
	}
	if c.Front >= 0 {
		return s + fmt.Sprintf("; point %d of the front", c.Front+1)
	}
	if c.Traced {
		return s + "; on the front under what was asked for, which has no number"
	}
	if d := explore.Dominator(an, c.Predicted); d >= 0 {
		return s + fmt.Sprintf("; point %d of the front is predicted better on every objective", d+1)
	}
	return s
}
