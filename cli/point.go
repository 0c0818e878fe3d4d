package cli

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"parfait/explore"
	"parfait/problem"
	"parfait/search"
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
	beats   string
	aspire  string
	weights string
	order   []string
	slack   string
	given   func(flag string) bool // on the command line
	confidence
}

func (w *pointFlags) add(cmd *cobra.Command) {
	f := cmd.Flags()
	w.given = f.Changed
	f.BoolVar(&w.knee, "knee", false, "the knee of the front: what is gained and what it costs balance; not below the base, or else the uniform average, where some point is not")
	f.IntVar(&w.point, "point", 0, "point `N` of the front, as parfait front numbers them")
	f.Var(once(&w.pick), "pick", "a pick saved before, by its `NAME` or number")
	f.Var(once(&w.best), "best", "the front's best of one `TASK`")
	f.Var(once(&w.at), "at", "exactly these coefficients, `NAME=VALUE,…`, on the front or not; a model that is not named is left out; of proportions, which are divided by their sum, all are named")
	w.addBounds(cmd)
	f.Var(listed{&w.aspire}, "aspire", "`TASK=VALUE,…` reached as exactly as asked, and what is left over for the other tasks: by their gain over the base, or as --weights, --order, --best or --knee say")
	f.Var(listed{&w.weights}, "weights", "the best sum of gains with `TASK=WEIGHT,…`, each task in units of its range")
	f.StringSliceVar(&w.order, "order", nil, "the best on the first `TASK,…`, then on the next")
	f.Var(listed{&w.slack}, "slack", "with --order: how much of `TASK=VALUE,…` may be given up for the next")
	cmd.MarkFlagsMutuallyExclusive("knee", "point", "pick", "best", "at", "weights", "order")
	for _, one := range []string{"point", "pick", "at"} {
		cmd.MarkFlagsMutuallyExclusive(one, "aspire")
	}
	cmd.MarkFlagsMutuallyExclusive("at", "at-least")
	cmd.MarkFlagsMutuallyExclusive("at", "beats")
}

// addBounds adds the flags that bound what is looked at.
func (w *pointFlags) addBounds(cmd *cobra.Command) {
	f := cmd.Flags()
	f.Var(listed{&w.atLeast}, "at-least", "only what reaches `TASK=VALUE,…` (at most, for tasks that are minimised), in the place of study.yaml's floors of these tasks; the front is traced under them; goes with the others")
	f.Var(once(&w.beats), "beats", "only what is nowhere below `POINT`: base, average (the uniform one), best (the best model by itself), or a pick; the front is traced so; goes with the others")
	w.confidence.addTo(cmd)
	_ = cmd.RegisterFlagCompletionFunc("beats", cobra.FixedCompletions([]string{explore.RivalBase, explore.RivalAverage, explore.RivalBest}, cobra.ShellCompDirectiveNoFileComp))
}

// bounds are the floors and the rival that the flags mean.
func (w *pointFlags) bounds(snap *study.Snapshot) (want explore.Preference, err error) {
	if want.Confidence, err = w.confidence.of(); err != nil {
		return want, err
	}
	if w.atLeast != "" {
		if want.AtLeast, err = assignments("--at-least", w.atLeast, "task", taskNames(snap.Tasks)); err != nil {
			return want, err
		}
	}
	if strings.Contains(w.beats, ",") {
		return want, usage("pick what keeps the one, and compare it with the other: parfait predict --pick", "--beats: one point at a time, found %s", w.beats)
	}
	if w.beats != "" {
		pins := picksAsPins(snap)
		p := numberedPick(snap, w.beats)
		if p != nil && slices.ContainsFunc(pins, func(o explore.Pin) bool { return o.Name == w.beats }) {
			p = nil // it is the name of another
		}
		if p != nil {
			pins = append(pins, explore.Pin{Name: w.beats, X: p.X})
		}
		r, err := explore.RivalNamed(snap.Analysis, w.beats, pins)
		if err != nil {
			return want, err
		}
		if p != nil {
			r.Title = p.Name
		}
		want.Beats = &r
	}
	return want, nil
}

// confidence is the probability with which floors are kept.
type confidence struct{ probability float64 }

func (c *confidence) addTo(cmd *cobra.Command) {
	cmd.Flags().Float64Var(&c.probability, "confidence", search.FloorSure, "the `PROBABILITY` with which floors are truly kept, where some point can: .5 takes predictions as they are")
}

func (c *confidence) of() (float64, error) {
	if !(c.probability >= 0.5 && c.probability < 1) {
		return 0, usage("95 % is .95", "--confidence: expected a probability from .5 to below 1, found %g", c.probability)
	}
	return c.probability, nil
}

// choose finds the point that the flags mean.
func (w *pointFlags) choose(ctx context.Context, snap *study.Snapshot) (explore.Choice, error) {
	a := snap.Analysis
	if w.slack != "" && len(w.order) == 0 {
		return explore.Choice{}, usage("add --order TASK,…", "--slack says how much may be given up for the next task, and there is no --order of them")
	}
	want, err := w.bounds(snap)
	if err != nil {
		return explore.Choice{}, err
	}
	want.Knee, want.Best, want.Lexicographic = w.knee, w.best, w.order
	for _, f := range []struct {
		flag, text string
		into       *map[string]float64
	}{
		{"--aspire", w.aspire, &want.Aspire},
		{"--weights", w.weights, &want.Weights},
		{"--slack", w.slack, &want.Slack},
	} {
		if f.text == "" {
			continue
		}
		values, err := assignments(f.flag, f.text, "task", taskNames(snap.Tasks))
		if err != nil {
			return explore.Choice{}, err
		}
		*f.into = values
	}
	switch {
	case w.beats != "" && (w.given("point") || w.pick != ""):
		return explore.Choice{}, usage("leave --beats out, and see what the point is nowhere below", "--beats chooses among points, and --point and --pick name one")
	case w.given("point"):
		return frontPoint(a, w.point, want.AtLeast)
	case w.pick != "":
		return savedPick(snap, "--pick", w.pick, want.AtLeast)
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
		return explore.Choice{}, usage("", "which point? Say one of --knee, --best, --point, --at, --at-least, --beats, --aspire, --weights, --order, --pick")
	}
	return explore.Best(ctx, a, want)
}

// picksAsPins are the picks of a study as points to beat, the newest of a name.
func picksAsPins(snap *study.Snapshot) []explore.Pin {
	var out []explore.Pin
	for _, p := range slices.Backward(snap.Picks) {
		if !slices.ContainsFunc(out, func(o explore.Pin) bool { return o.Name == p.Name }) && len(p.X) == len(snap.Space.Coefficients) {
			out = append(out, explore.Pin{Name: p.Name, X: p.X})
		}
	}
	return out
}

// numberedPick is the pick of that number; nil where there is none of this space.
func numberedPick(snap *study.Snapshot, number string) *study.Pick {
	for i, p := range snap.Picks {
		if strconv.Itoa(p.ID) == number && len(p.X) == len(snap.Space.Coefficients) {
			return &snap.Picks[i]
		}
	}
	return nil
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
	return w.knee || w.best != "" || w.at != "" || w.atLeast != "" || w.beats != "" || w.aspire != "" || w.weights != "" || len(w.order) > 0
}

func frontPoint(a *study.Analysis, n int, floors map[string]float64) (explore.Choice, error) {
	if n < 1 || n > len(a.Front) {
		return explore.Choice{}, usage("", "--point: the front has the points 1 to %d, found %d", len(a.Front), n)
	}
	return explore.Chosen(a, a.Front[n-1].X, floors, fmt.Sprintf("point %d of the front", n)), nil
}

// savedPick is a pick by its number or name, with what is predicted there now.
func savedPick(snap *study.Snapshot, flag, name string, floors map[string]float64) (explore.Choice, error) {
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
		return explore.Choice{}, &fault{exit: ExitNotFound, what: flag + ": nothing was picked yet", fix: "parfait pick " + shown(snap.Dir) + " --knee --name " + quoted(name)}
	}
	return explore.Choice{}, &fault{exit: ExitNotFound, err: problem.Unknown("", flag, "pick", name, names)}
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
