package cli

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"parfait/explore"
	"parfait/problem"
	"parfait/study"
	"parfait/visible"
)

// pointFlags say which point is meant; predict, pick and export share them.
type pointFlags struct {
	knee    bool
	point   int
	pick    string
	best    string
	at      string
	atLeast string
	aspire  string
	weights string
	order   []string
	slack   string
}

func (w *pointFlags) add(cmd *cobra.Command) {
	f := cmd.Flags()
	f.BoolVar(&w.knee, "knee", false, "the knee of the front: beyond it a little more of one task costs much of another; not below the base where some point is not")
	f.IntVar(&w.point, "point", 0, "point `N` of the front, as parfait front numbers them")
	f.StringVar(&w.pick, "pick", "", "a pick saved before, by its `NAME` or number")
	f.StringVar(&w.best, "best", "", "the front's best of one `TASK`")
	f.StringVar(&w.at, "at", "", "exactly these coefficients, `NAME=VALUE,…`, on the front or not; a model that is not named is left out; of proportions, which are divided by their sum, all are named")
	f.StringVar(&w.atLeast, "at-least", "", "only points that reach `TASK=VALUE,…` (at most, for tasks that are minimised); goes with the others")
	f.StringVar(&w.aspire, "aspire", "", "the front's nearest to `TASK=VALUE,…` (achievement scalarisation)")
	f.StringVar(&w.weights, "weights", "", "the front's best sum with `TASK=WEIGHT,…`, each task in units of its range")
	f.StringSliceVar(&w.order, "order", nil, "the front's best on the first `TASK,…`, then on the next")
	f.StringVar(&w.slack, "slack", "", "with --order: how much of `TASK=VALUE,…` may be given up for the next")
	cmd.MarkFlagsMutuallyExclusive("knee", "point", "pick", "best", "at", "aspire", "weights", "order")
	cmd.MarkFlagsMutuallyExclusive("at", "at-least")
}

// choose finds the point that the flags mean.
func (w *pointFlags) choose(snap *study.Snapshot) (explore.Choice, error) {
	a := snap.Analysis
	if w.slack != "" && len(w.order) == 0 {
		return explore.Choice{}, usage("add --order TASK,…", "--slack says how much may be given up for the next task, and there is no --order of them")
	}
	want := explore.Preference{Knee: w.knee, Best: w.best, Lexicographic: w.order}
	tasks := taskNames(snap.Tasks)
	for _, f := range []struct {
		flag, text string
		into       *map[string]float64
	}{
		{"--at-least", w.atLeast, &want.AtLeast},
		{"--aspire", w.aspire, &want.Aspire},
		{"--weights", w.weights, &want.Weights},
		{"--slack", w.slack, &want.Slack},
	} {
		if f.text == "" {
			continue
		}
		values, err := assignments(f.flag, f.text, "task", tasks)
		if err != nil {
			return explore.Choice{}, err
		}
		*f.into = values
	}
	switch {
	case w.point != 0:
		return frontPoint(a, w.point, want.AtLeast)
	case w.pick != "":
		return savedPick(snap, w.pick, want.AtLeast)
	}
	if w.at != "" {
		x, err := readPoint(snap.Space, "--at", w.at)
		if err != nil {
			return explore.Choice{}, err
		}
		want.At = map[string]float64{}
		for i, c := range snap.Space.Coefficients {
			want.At[c.Name] = x[i]
		}
	}
	if !w.asks() {
		return explore.Choice{}, usage("", "which point? Say one of --knee, --best, --point, --at, --at-least, --aspire, --weights, --order, --pick")
	}
	return explore.Choose(a, want)
}

// mayKeep refuses a choice that breaks a floor, unless it is asked for anyway.
func mayKeep(snap *study.Snapshot, c explore.Choice, anyway bool) error {
	unasked := explore.Unasked(snap.Tasks, c.Breaks, c.Anyway)
	if anyway || len(unasked) == 0 {
		return nil
	}
	fix := "lower the floor in study.yaml, measure more, or keep it all the same: --anyway"
	if kept := explore.Keeping(snap.Analysis, nil); kept > 0 {
		fix = "parfait pick " + shown(snap.Dir) + " --knee takes one of the " + count(kept, "point") + " of the front that keep every floor of study.yaml; or keep this one all the same: --anyway"
	}
	return &fault{exit: ExitNoAnswer, what: visible.Line(c.Why) + ": this breaks a floor: " + strings.Join(explore.InWords(snap.Tasks, unasked, c.Predicted), "; "), fix: fix}
}

// brokenBy says which floors a choice is predicted to break.
func brokenBy(tasks []study.Task, c explore.Choice) []string {
	return explore.InWords(tasks, c.Breaks, c.Predicted)
}

// anywayFlag lets a command keep what breaks a floor.
func anywayFlag(cmd *cobra.Command, anyway *bool) {
	cmd.Flags().BoolVar(anyway, "anyway", false, "keep it although it is predicted to break a floor, study.yaml's or one asked for; a pick that was kept so is exported without")
}

func (w *pointFlags) asks() bool {
	return w.knee || w.best != "" || w.at != "" || w.atLeast != "" || w.aspire != "" || w.weights != "" || len(w.order) > 0
}

func frontPoint(a *study.Analysis, n int, floors map[string]float64) (explore.Choice, error) {
	if n < 1 || n > len(a.Front) {
		return explore.Choice{}, usage("", "--point: the front has the points 1 to %d, found %d", len(a.Front), n)
	}
	return explore.Chosen(a, a.Front[n-1].X, floors, fmt.Sprintf("point %d of the front", n)), nil
}

// savedPick is a pick by its number or name, with what is predicted there now.
func savedPick(snap *study.Snapshot, name string, floors map[string]float64) (explore.Choice, error) {
	var names []string
	for i := len(snap.Picks) - 1; i >= 0; i-- { // the newest of a name
		p := snap.Picks[i]
		names = append(names, p.Name)
		if p.Name != name && strconv.Itoa(p.ID) != name {
			continue
		}
		c := explore.Chosen(snap.Analysis, p.X, floors, p.Why)
		c.Anyway = p.Anyway
		return c, nil
	}
	if len(names) == 0 {
		return explore.Choice{}, &fault{exit: ExitNotFound, what: "--pick: nothing was picked yet", fix: "parfait pick " + shown(snap.Dir) + " --knee --name " + quoted(name)}
	}
	return explore.Choice{}, &fault{exit: ExitNotFound, err: problem.Unknown("", "--pick", "pick", name, names)}
}

// completeTasks completes task names where a flag takes one.
func completeTasks(cmd *cobra.Command, flags ...string) {
	for _, flag := range flags {
		_ = cmd.RegisterFlagCompletionFunc(flag, func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			spec, err := study.ReadSpec(studyDir(args))
			if err != nil {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return taskNames(spec.Tasks), cobra.ShellCompDirectiveNoFileComp
		})
	}
}
