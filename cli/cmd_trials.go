package cli

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"parfait/evaluator"
	"parfait/study"
	"parfait/visible"
)

func (a *app) trialsCommand() *cobra.Command {
	var log, forget int
	var retry []int
	var evaluate string
	var again bool
	var moved transferFlags
	cmd := a.onStudy(&cobra.Command{
		Use:   "trials",
		Short: "List the trials: what was measured, what failed and why",
		Long: "List every trial with its state, coefficients and metrics, and the reasons of those that failed. Above them stands what the newest batch is expected to add to the measured hypervolume, where the strategy can tell, so that you can decide whether the next one is worth its cost. With one of the flags, ask something of the runner instead; it takes effect whether or not a runner is at work.\n\n" +
			"--csv, --jsonl and --export-optuna write the trials for other programs; --import brings in what was measured elsewhere, all of a file or nothing, and the same file twice is nothing new. docs/trials.md has the columns.\n\n" +
			"--log leaves colours out and writes what would act on a terminal as what it is (\\u001b), in a pipe too; the bytes themselves are in the file logs/trial-NNNN.log.",
		Example: "parfait trials my.study\n\n# the output of the evaluator for trial 12\nparfait trials my.study --log 12\n\n# measure this one next\nparfait trials my.study --evaluate math=0.3,code=0.5\n\n# figures of a spreadsheet\nparfait trials my.study --import results.csv",
	}, opened, func(cmd *cobra.Command, s *study.Study, snap *study.Snapshot) error {
		changed := cmd.Flags().Changed
		switch {
		case changed("as") && !changed("import") && !strings.HasPrefix(evaluate, "@"):
			return usage("", "--as says what the columns of a file are: --import FILE, or --evaluate @FILE")
		case moved.asked(cmd):
			return a.transfer(cmd.Context(), s, snap, moved)
		case again && !changed("evaluate"):
			return usage("add --evaluate NAME=VALUE,…", "--again says that what is to be evaluated may be measured already, and there is no --evaluate")
		case changed("log"):
			return a.printLog(s, snap, log)
		case changed("retry"):
			return a.retry(s, retry)
		case changed("forget"):
			return a.ask(s, study.Command{Kind: study.CommandForget, N: forget}, forgotten(snap, forget))
		case strings.HasPrefix(evaluate, "@"):
			return a.evaluateFile(s, snap, evaluate[1:], moved.as, again)
		case changed("evaluate"):
			return a.evaluate(s, snap, evaluate, again)
		case a.json:
			return a.printJSON(a.out, listJSON{snap.Dir, activityOf(snap), trialsOf(snap), batchesOf(snap)})
		}
		return a.printTrials(snap)
	})
	cmd.Flags().IntVar(&log, "log", 0, "print the log of trial `N`")
	cmd.Flags().IntSliceVar(&retry, "retry", nil, "measure the trials `N,…` again: failed ones anew, finished ones once more, which adds a measurement")
	cmd.Flags().IntVar(&forget, "forget", 0, "cancel trial `N`, which waits, runs or has failed")
	cmd.Flags().StringVar(&evaluate, "evaluate", "", "measure the merge at `NAME=VALUE,…` next; @FILE: those of a file, CSV, JSON lines or such a text a line (@- for stdin)")
	cmd.Flags().BoolVar(&again, "again", false, "with --evaluate: measure it although a trial has it already, to which that adds a measurement")
	moved.add(cmd)
	cmd.MarkFlagsMutuallyExclusive("log", "retry", "forget", "evaluate", "import", "csv", "jsonl", "export-optuna")
	return cmd
}

type listJSON struct {
	Study string `json:"study"`
	activityJSON
	Trials  []trialJSON `json:"trials"`
	Batches []batchJSON `json:"batches"`
}

type askedJSON struct {
	Study  string `json:"study"`
	Asked  string `json:"asked"`
	Trial  *int   `json:"trial,omitempty"`  // that has measured, or will, what was asked for, so that nothing new is
	Points *int   `json:"points,omitempty"` // of a file, that are new
	Trials []int  `json:"trials,omitempty"` // that have measured, or will, others of that file
}

// evaluate asks for the merge at a point, unless a trial has it already.
func (a *app) evaluate(s *study.Study, snap *study.Snapshot, at string, again bool) error {
	x, err := readPoint(snap.Space, "--evaluate", at)
	if err != nil {
		return err
	}
	t := snap.At(x)
	switch {
	case t != nil && again && t.State == evaluator.Done:
		return a.ask(s, study.Command{Kind: study.CommandRetry, N: t.ID}, fmt.Sprintf("trial %d is that merge, and will be measured once more", t.ID))
	case t == nil || again:
		return a.ask(s, study.Command{Kind: study.CommandEvaluate, X: x, Once: !again}, "it will be measured next")
	case a.json:
		return a.printJSON(a.out, askedJSON{Study: s.Dir(), Asked: string(study.CommandEvaluate), Trial: &t.ID})
	}
	_, err = fmt.Fprintf(a.out, "trial %d is that merge: %s; --again measures it once more\n", t.ID, t.State)
	return err
}

// ask gives the runner a command and says what will come of it.
func (a *app) ask(s *study.Study, c study.Command, effect string) error {
	return a.askAll(s, []study.Command{c}, askedJSON{Asked: string(c.Kind)}, effect)
}

// askAll is ask of several commands, all or none of which are carried out; answer is what --json prints.
func (a *app) askAll(s *study.Study, commands []study.Command, answer askedJSON, effect string) error {
	forget := false
	for i := range commands {
		commands[i].Who = who()
		forget = forget || commands[i].Kind == study.CommandForget
	}
	if err := s.DoAll(commands); err != nil {
		return err
	}
	if answer.Study = s.Dir(); a.json {
		return a.printJSON(a.out, answer)
	}
	switch act := s.Snapshot().Activity; {
	case act.Runner == study.Sampling || forget:
	case act.Runner == study.Waits:
		effect += "\n  → the runner waits, and goes on by itself: " + visible.Line(act.Note)
	default:
		effect += "\n  → no runner is at work: parfait run " + shown(s.Dir()) + " --headless"
	}
	_, err := fmt.Fprintln(a.out, effect)
	return err
}

// forgotten says what becomes of a trial that is cancelled: one that was to be measured once more is as it was.
func forgotten(snap *study.Snapshot, id int) string {
	if id >= 1 && id <= len(snap.Trials) && len(snap.Trials[id-1].Measurements) > 0 {
		return fmt.Sprintf("trial %d is not measured any further; what was measured of it is kept", id)
	}
	return fmt.Sprintf("trial %d is cancelled", id)
}

// retry asks for trials again.
func (a *app) retry(s *study.Study, ids []int) error {
	var commands []study.Command
	for _, id := range ids {
		commands = append(commands, study.Command{Kind: study.CommandRetry, N: id})
	}
	effect := fmt.Sprintf("trial %d waits to be measured again", ids[0])
	if len(ids) > 1 {
		effect = fmt.Sprintf("%d trials wait to be measured again", len(ids))
	}
	return a.askAll(s, commands, askedJSON{Asked: string(study.CommandRetry)}, effect)
}

func (a *app) printLog(s *study.Study, snap *study.Snapshot, id int) error {
	if id < 1 || id > len(snap.Trials) {
		return &fault{exit: ExitNotFound, what: fmt.Sprintf("there is no trial %d; %s has %d", id, snap.Name, len(snap.Trials))}
	}
	text, err := s.Log(id)
	if err != nil {
		return err
	}
	t := snap.Trials[id-1]
	if a.json {
		return a.printJSON(a.out, struct {
			Trial trialJSON `json:"trial"`
			Log   string    `json:"log"`
		}{trialOf(snap, t), text})
	}
	if text == "" {
		text = fmt.Sprintf("trial %d is %s and has written nothing\n", id, t.State)
		if t.Error != "" {
			text += t.Error + "\n"
		}
	}
	_, err = fmt.Fprint(a.out, visible.Log(text))
	return err
}

func (a *app) printTrials(snap *study.Snapshot) error {
	if len(snap.Trials) == 0 {
		_, err := fmt.Fprintf(a.out, "%s: no trials yet\n  → %s\n", visible.Line(snap.Name), noTrials(snap))
		return err
	}
	act := snap.Activity
	asked, people, imported := "", act.Budget-act.Search, importedTrials(snap)
	if imported > 0 {
		asked = fmt.Sprintf("%d of them imported, ", imported)
	}
	if people > imported {
		asked += fmt.Sprintf("%d of them asked for by people, ", people-imported)
	}
	head := fmt.Sprintf("%s: %d of %d trials, %s%s", visible.Line(snap.Name), act.Done, act.Budget, asked, act.Runner)
	if act.Note != "" {
		head += " (" + visible.Line(act.Note) + ")"
	}
	head += "; ± is one standard error\n"
	if said := snap.Newest().String(); said != "" {
		head += said + "\n"
	}
	if _, err := fmt.Fprintf(a.out, "%s%s%s", head, a.trialSheet(snap, snap.Trials, true), boundText(snap.Space)); err != nil {
		return err
	}
	for i := range snap.Trials {
		t := &snap.Trials[i]
		if said := snap.Underway(t); said != "" {
			if _, err := fmt.Fprintf(a.out, "  ▸ trial %d: %s\n", t.ID, visible.Line(said)); err != nil {
				return err
			}
		}
	}
	for _, t := range snap.Trials {
		if t.Error == "" || t.State == evaluator.Done {
			continue
		}
		if _, err := fmt.Fprintf(a.out, "  ! trial %d: %s\n", t.ID, strings.ReplaceAll(t.Error, "\n", "\n    ")); err != nil {
			return err
		}
	}
	if act.Failed > 0 {
		fix := "once it is put right, measure them again: " + retryFailed(snap)
		if len(snap.Spec.Evaluators) == 0 {
			fix = elsewhere(snap)
		}
		_, err := fmt.Fprintf(a.out, "  → %s\n", fix)
		return err
	}
	return nil
}

// noTrials is how a study comes to its first.
func noTrials(snap *study.Snapshot) string {
	if snap.Activity.Search == 0 {
		return imports(snap)
	}
	return "parfait run " + shown(snap.Dir) + " --headless"
}

// retryFailed is the command that asks for all failed trials again.
func retryFailed(snap *study.Snapshot) string {
	var ids []string
	for _, t := range snap.Trials {
		if t.State == evaluator.Failed {
			ids = append(ids, strconv.Itoa(t.ID))
		}
	}
	return "parfait trials " + shown(snap.Dir) + " --retry " + strings.Join(ids, ",")
}

// trialSheet lists trials with their metrics; with states, also how they stand and why they were asked for.
func (a *app) trialSheet(snap *study.Snapshot, trials []study.Trial, states bool) *sheet {
	titles := []column{right("trial")}
	if states {
		titles = append(titles, left("state"))
	}
	for _, t := range snap.Tasks {
		titles = append(titles, right(t.Name+" "+arrow(t)))
	}
	for _, c := range snap.Space.Coefficients {
		titles = append(titles, right("c."+c.Name).spared(1))
	}
	if states {
		titles = append(titles, right("took").spared(2))
	}
	out := a.sheet(append(titles, left("why").spared(3))...)
	for _, t := range trials {
		cells := []string{strconv.Itoa(t.ID)}
		if states {
			state := string(t.State)
			if t.Attempt > 1 {
				state += fmt.Sprintf(" (attempt %d)", t.Attempt)
			}
			cells = append(cells, state)
		}
		for _, task := range snap.Tasks {
			cell := "–"
			if m, ok := t.Metrics[task.Name]; ok {
				cell = uncertain(task, m)
			}
			cells = append(cells, cell)
		}
		for _, v := range t.X {
			cells = append(cells, coefficient(v))
		}
		if states {
			cells = append(cells, tookText(snap, &t))
		}
		out.add(append(cells, t.Why)...)
	}
	return out
}

// tookText is how long a trial took, or has taken so far.
func tookText(snap *study.Snapshot, t *study.Trial) string {
	switch {
	case t.Started.IsZero():
		return ""
	case t.State == evaluator.Running:
		return durationText(snap.Elapsed(t)) + "…"
	}
	return durationText(snap.Elapsed(t))
}
