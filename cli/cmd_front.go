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
	"parfait/study"
)

// frontShown is how many points of the front people see unless they ask for all.
const frontShown = 12

func (a *app) frontCommand() *cobra.Command {
	var all, measured bool
	cmd := a.onStudy(&cobra.Command{
		Use:   "front",
		Short: "Show the front: what can be had",
		Long: "Show the predicted front, sorted by the first task, with the knee and the best of each task. Predictions stand with half the width of their 90 % interval; the share is of the best that the front offers on that task. Points that are predicted below the base on an objective say on which.\n\n" +
			"--measured shows the trials that nothing else measured dominates.",
	}, analysed, func(cmd *cobra.Command, s *study.Study, snap *study.Snapshot) error {
		switch {
		case a.json:
			j := studyOf(snap)
			return a.printJSON(a.out, frontsJSON{j.Study, j.activityJSON, j.Front, j.Knee, j.Measured, j.Ref, j.Volume, snap.Analysis.FlaggedTasks(true), snap.Analysis.Untested})
		case measured:
			return a.printMeasured(a.out, snap)
		case all:
			return a.printFront(a.out, snap, math.MaxInt)
		}
		return a.printFront(a.out, snap, frontShown)
	})
	cmd.Flags().BoolVar(&all, "all", false, "every point of the front")
	cmd.Flags().BoolVar(&measured, "measured", false, "the front among the measured trials")
	return cmd
}

type frontsJSON struct {
	Study string `json:"study"`
	activityJSON
	Front    []frontJSON       `json:"front"`
	Knee     *frontJSON        `json:"knee"`
	Measured []int             `json:"measured_front"`
	Ref      map[string]number `json:"reference_point"`
	Volume   number            `json:"hypervolume"`
	Flagged  map[string]string `json:"flagged"`            // tasks whose predictions should not be believed, and why
	Untested string            `json:"untested,omitempty"` // why no figure of trust speaks of the front
}

// printFront prints at most n points of the predicted front: the named ones, and others evenly between.
func (a *app) printFront(w io.Writer, snap *study.Snapshot, n int) error {
	an := snap.Analysis
	if len(an.Front) == 0 {
		_, err := fmt.Fprintln(w, "there is no point where the surrogates may be believed; measure more")
		return err
	}
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
	}
	for _, c := range an.Space.Coefficients {
		titles = append(titles, right("c."+c.Name).spared(1))
	}
	out := a.sheet(append(titles, left(""))...)
	names := frontNames(an)
	for _, i := range evenly(an, n) {
		p := an.Front[i]
		cells := []string{strconv.Itoa(i + 1)}
		for t, task := range an.Tasks {
			cells = append(cells, predicted(task, p.Predicted[t]))
			if b := an.Best[t]; b >= 0 {
				cells = append(cells, ofBest(task, p.Predicted[t].Value, an.Front[b].Predicted[t].Value))
			}
		}
		for _, v := range p.X {
			cells = append(cells, coefficient(v))
		}
		out.add(append(cells, joined(names[i], belowWords(an, p.Predicted)))...)
		if i == an.Knee {
			out.mark()
		}
	}
	if _, err := fmt.Fprintf(w, "%s\n%s", frontTitle(snap, len(out.rows)), out); err != nil {
		return err
	}
	if err := printBelow(w, an); err != nil {
		return err
	}
	if err := printUntested(w, an); err != nil {
		return err
	}
	return a.printDoubts(w, an)
}

// printBelow says where the whole front gives up something that the base has.
func printBelow(w io.Writer, an *study.Analysis) error {
	if !an.AlwaysBelow() {
		return nil
	}
	_, err := fmt.Fprintln(w, "  ! every point of the front, the knee too, is predicted below the base on some task")
	return err
}

// belowWords name the objectives on which predictions are below the base, or count them where they are many.
func belowWords(an *study.Analysis, p []study.Prediction) string {
	const named = 3
	below := an.BelowBaseNames(p)
	switch {
	case len(below) == 0:
		return ""
	case len(below) > named:
		return fmt.Sprintf("below base on %d of %d", len(below), len(an.Objectives))
	}
	return "below base: " + strings.Join(below, ", ")
}

// joined is what there is of two remarks.
func joined(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + "; " + b
}

func frontTitle(snap *study.Snapshot, n int) string {
	an := snap.Analysis
	s := "predicted front: " + count(len(an.Front), "point") + " from " + count(len(an.Trials), "trial")
	if n < len(an.Front) {
		s += fmt.Sprintf(", %d shown", n)
	}
	return s + "; ± is half of a 90 % interval" + intervalKey(an)
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
