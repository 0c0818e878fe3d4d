package cli

import (
	"context"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"parfait/explore"
	"parfait/search"
	"parfait/study"
	"parfait/visible"
)

// focusFlags say where a run looks.
type focusFlags struct {
	settle, focus            string
	atLeast, aspire, weights string
}

func (f *focusFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.Var(once(&f.settle), "settle", "measure what decides whether `PICK` (knee, or a pick's name or number) is the best within its rivals, until that is known with probability .95; beside --at-least, --aspire or --weights the best by those, else by what it was picked by")
	flags.Var(listed{&f.atLeast}, "at-least", "from now on look for merges that reach `TASK=VALUE,…` (at most, for tasks that are minimised)")
	flags.Var(listed{&f.aspire}, "aspire", "from now on look for merges that come nearest to `TASK=VALUE,…`")
	flags.Var(listed{&f.weights}, "weights", "from now on look for the best sum with `TASK=WEIGHT,…`")
	flags.StringVar(&f.focus, "focus", "", "from now on look at the whole front (`none`), or at what the floors of study.yaml leave (wishes)")
	for _, other := range []string{"settle", "at-least", "aspire", "weights"} {
		cmd.MarkFlagsMutuallyExclusive("focus", other)
	}
	_ = cmd.RegisterFlagCompletionFunc("focus", cobra.FixedCompletions([]string{study.FocusNone, study.FocusWishes}, cobra.ShellCompDirectiveNoFileComp))
}

func (f *focusFlags) asks() bool { return *f != focusFlags{} }

// wishes are those of the flags, with floors that are kept with a probability.
func (f *focusFlags) wishes(tasks []study.Task, sure float64) (search.Wishes, error) {
	var w search.Wishes
	for _, flag := range []struct {
		name, text string
		set        func(values map[string]float64)
	}{
		{"--at-least", f.atLeast, func(values map[string]float64) {
			for _, t := range tasks {
				if v, ok := values[t.Name]; ok {
					w.Floors = append(w.Floors, search.Floor{Task: t.Name, Least: t.Sense != study.Minimize, Value: v, Sure: sure})
				}
			}
		}},
		{"--aspire", f.aspire, func(values map[string]float64) { w.Aspire = values }},
		{"--weights", f.weights, func(values map[string]float64) { w.Weights = values }},
	} {
		if flag.text == "" {
			continue
		}
		values, err := assignments(flag.name, flag.text, "task", taskNames(tasks))
		if err != nil {
			return w, err
		}
		flag.set(values)
	}
	return w, nil
}

// of is where the flags have a study's search look; nil: at the whole front.
func (f *focusFlags) of(ctx context.Context, s *study.Study, sure confidence) (*search.Focus, error) {
	switch f.focus {
	case "":
	case study.FocusNone:
		return nil, nil //nolint:nilnil // nowhere in particular
	case study.FocusWishes:
		return &search.Focus{}, nil
	default:
		return nil, usage("", "--focus: expected none or wishes, found %q", f.focus)
	}
	kept, err := sure.of()
	if err != nil {
		return nil, err
	}
	w, err := f.wishes(s.Snapshot().Tasks, kept)
	if err != nil || f.settle == "" {
		return &search.Focus{Wishes: w}, err
	}
	snap, err := s.Load(ctx)
	if err != nil {
		return nil, err
	}
	if snap.Analysis == nil {
		return nil, tooFew(snap)
	}
	c, name := explore.Choice{}, f.settle
	if name == "knee" {
		c, err = explore.Choose(snap.Analysis, explore.Preference{Knee: true})
	} else {
		c, err = savedPick(snap, "--settle", name, nil)
	}
	if err != nil {
		return nil, err
	}
	if !w.Wanted() {
		w = pickedBy(snap, name)
	}
	focus := explore.Settling(snap.Analysis, name, c.X, w)
	return &focus, nil
}

// pickedBy are the wishes of the newest pick of that name or number; none where it was picked otherwise.
func pickedBy(snap *study.Snapshot, name string) search.Wishes {
	for i := len(snap.Picks) - 1; i >= 0; i-- {
		if p := snap.Picks[i]; p.Wishes != nil && (p.Name == name || strconv.Itoa(p.ID) == name) {
			return *p.Wishes
		}
	}
	return search.Wishes{}
}

// again is the command line that goes on settling, with a budget.
func (f *focusFlags) again(dir string, budget int) string {
	text := "parfait run " + shown(dir) + " --settle " + quoted(f.settle)
	for _, flag := range []struct{ name, value string }{{"--at-least", f.atLeast}, {"--aspire", f.aspire}, {"--weights", f.weights}} {
		if flag.value != "" {
			text += " " + flag.name + " " + quoted(flag.value)
		}
	}
	return text + fmt.Sprintf(" --budget %d --headless", budget)
}

// standing says how the pick of a focus stands before anything is measured, where one is to be settled. done: nothing is, since
// it is known or the budget is spent.
func (a *app) standing(ctx context.Context, s *study.Study, look *focusFlags, f *search.Focus) (done bool, err error) {
	if f == nil || f.Pick == nil {
		return false, nil
	}
	snap := s.Snapshot()
	p := a.progress()
	ready := p.slow("weighing %s against its rivals", visible.Line(f.Pick.Name))
	st, err := snap.Standing(ctx, *f)
	ready()
	p.end()
	switch {
	case err != nil:
		return false, err
	case st.Decided() || askedFor(snap) >= snap.Activity.Search:
		return true, a.tellStanding(snap, look, f, st)
	}
	left := ""
	if n, _ := st.Worth(); askedFor(snap)+n > snap.Activity.Search {
		left = fmt.Sprintf(", and the budget leaves %d: --budget %d gives it the others", snap.Activity.Search-askedFor(snap), askedFor(snap)+n)
	}
	_, err = fmt.Fprintf(a.err, "%s is %s%s\n", visible.Line(f.Pick.Name), st, left)
	return false, err
}

// askedFor is how many trials the search has asked for.
func askedFor(snap *study.Snapshot) int { return snap.Question().Asked }

type standingJSON struct {
	Study    string            `json:"study"`
	Pick     string            `json:"pick"`
	Question string            `json:"question"` // that it answers: by what one merge is better than another
	Best     number            `json:"best"`     // probability that no rival is better
	Rival    map[string]number `json:"rival"`    // that is most probably better
	Better   number            `json:"better"`
	Settled  bool              `json:"settled"`
	Expected []costJSON        `json:"expected"`
}

type costJSON struct {
	Evaluations int    `json:"evaluations"`
	Settles     number `json:"settles"`
	Ends        number `json:"finds_better"`
}

// tellStanding says how a pick stands in the end. One that is not settled is no answer to whoever goes on with it.
func (a *app) tellStanding(snap *study.Snapshot, look *focusFlags, f *search.Focus, st *search.Standing) error {
	name, dir := visible.Line(f.Pick.Name), shown(snap.Dir)
	switch {
	case a.json:
		j := standingJSON{
			Study: snap.Dir, Pick: f.Pick.Name, Question: explore.Question(*f), Best: number(st.Best), Rival: coefficientsOf(snap.Space, st.Rival), Better: number(st.Better), Settled: st.Best >= search.Sure,
			Expected: []costJSON{},
		}
		for _, c := range st.Costs {
			j.Expected = append(j.Expected, costJSON{c.Evaluations, number(c.Settles), number(c.Ends)})
		}
		if err := a.printJSON(a.out, j); err != nil {
			return err
		}
	case st.Best >= search.Sure:
		_, err := fmt.Fprintf(a.out, "%s is settled: %s; asked was for %s\n", name, st, explore.Question(*f))
		return err
	}
	if st.Best >= search.Sure {
		return nil
	}
	if st.Decided() {
		return &fault{
			exit: ExitNoAnswer, what: fmt.Sprintf("%s is not the best within its rivals: with probability %.2f one is better, most likely (%.2f) %s; asked was for %s", name, 1-st.Best, st.Better, explore.At(snap.Analysis, st.Rival), explore.Question(*f)),
			fix: "keep that one: parfait pick " + dir + " --at " + quoted(explore.At(snap.Analysis, st.Rival)) + " --name " + quoted(f.Pick.Name+"-better"),
		}
	}
	out := &fault{exit: ExitNoAnswer, what: fmt.Sprintf("%s is not settled: %s; asked was for %s", name, st, explore.Question(*f)), fix: "choose by what else you know"}
	if n, _ := st.Worth(); n > 0 {
		out.fix = look.again(snap.Dir, max(snap.Activity.Search, askedFor(snap)+n))
	}
	return out
}

// settled says how a pick stands after a run.
func (a *app) settled(ctx context.Context, s *study.Study, look *focusFlags, f *search.Focus) error {
	snap, err := s.Load(ctx)
	if err != nil {
		return err
	}
	st, err := snap.Standing(ctx, *f)
	if err != nil {
		return err
	}
	if !a.json {
		_, _ = fmt.Fprintln(a.out)
	}
	return a.tellStanding(snap, look, f, st)
}

// focusWords say what a run does from now on.
func focusWords(f *search.Focus) string {
	switch {
	case f == nil:
		return "looks at the whole front from now on"
	case f.Pick != nil:
		return "settles " + visible.Line(f.Pick.Name) + " from now on"
	}
	return "looks for " + visible.Line(f.Wishes.String()) + " from now on"
}
