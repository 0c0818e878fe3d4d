package cli

import (
	"fmt"
	"strconv"
	"strings"
	"time"

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
	cmd := a.onStudy(&cobra.Command{
		Use:   "trials",
		Short: "List the trials: what was measured, what failed and why",
		Long: "List every trial with its state, coefficients and metrics, and the reasons of those that failed. Above them stands what the newest batch is expected to add to the measured hypervolume, where the strategy can tell, so that you can decide whether the next one is worth its cost. With one of the flags, ask something of the runner instead; it takes effect whether or not a runner is at work.\n\n" +
			"--log leaves colours out and writes what would act on a terminal as what it is (\\u001b), in a pipe too; the bytes themselves are in the file logs/trial-NNNN.log.",
		Example: "parfait trials my.study\n\n# the output of the evaluator for trial 12\nparfait trials my.study --log 12\n\n# measure this one next\nparfait trials my.study --evaluate math=0.3,code=0.5",
	}, opened, func(cmd *cobra.Command, s *study.Study, snap *study.Snapshot) error {
		changed := cmd.Flags().Changed
		switch {
		case again && !changed("evaluate"):
			return usage("add --evaluate NAME=VALUE,…", "--again says that what is to be evaluated may be measured already, and there is no --evaluate")
		case changed("log"):
			return a.printLog(s, snap, log)
		case changed("retry"):
			return a.retry(s, retry)
		case changed("forget"):
			return a.ask(s, study.Command{Kind: study.CommandForget, N: forget}, forgotten(snap, forget))
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
	cmd.Flags().StringVar(&evaluate, "evaluate", "", "measure the merge at `NAME=VALUE,…` next")
	cmd.Flags().BoolVar(&again, "again", false, "with --evaluate: measure it although a trial has it already, to which that adds a measurement")
	cmd.MarkFlagsMutuallyExclusive("log", "retry", "forget", "evaluate")
	return cmd
}

type listJSON struct {
	Study string `json:"study"`
	activityJSON
	Trials  []trialJSON `json:"trials"`
	Batches []batchJSON `json:"batches"`
}

type askedJSON struct {
	Study string `json:"study"`
	Asked string `json:"asked"`
	Trial *int   `json:"trial,omitempty"` // that has measured, or will, what was asked for, so that nothing new is
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
		return a.printJSON(a.out, askedJSON{s.Dir(), string(study.CommandEvaluate), &t.ID})
	}
	_, err = fmt.Fprintf(a.out, "trial %d is that merge: %s; --again measures it once more\n", t.ID, t.State)
	return err
}

// ask gives the runner a command and says what will come of it.
func (a *app) ask(s *study.Study, c study.Command, effect string) error {
	c.Who = who()
	if err := s.Do(c); err != nil {
		return err
	}
	if a.json {
		return a.printJSON(a.out, askedJSON{Study: s.Dir(), Asked: string(c.Kind)})
	}
	switch act := s.Snapshot().Activity; {
	case act.Runner == study.Sampling || c.Kind == study.CommandForget:
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
	for _, id := range ids[:len(ids)-1] {
		if err := s.Do(study.Command{Kind: study.CommandRetry, N: id, Who: who()}); err != nil {
			return err
		}
	}
	effect := fmt.Sprintf("trial %d waits to be measured again", ids[0])
	if len(ids) > 1 {
		effect = fmt.Sprintf("%d trials wait to be measured again", len(ids))
	}
	return a.ask(s, study.Command{Kind: study.CommandRetry, N: ids[len(ids)-1]}, effect)
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
		_, err := fmt.Fprintf(a.out, "%s: no trials yet\n  → parfait run %s --headless\n", visible.Line(snap.Name), shown(snap.Dir))
		return err
	}
	act := snap.Activity
	asked := ""
	if n := act.Budget - act.Search; n > 0 {
		asked = fmt.Sprintf("%d of them asked for by people, ", n)
	}
	head := fmt.Sprintf("%s: %d of %d trials, %s%s", visible.Line(snap.Name), act.Done, act.Budget, asked, act.Runner)
	if act.Note != "" {
		head += " (" + visible.Line(act.Note) + ")"
	}
	head += "; ± is one standard error\n"
	if said := snap.Newest().String(); said != "" {
		head += said + "\n"
	}
	if _, err := fmt.Fprintf(a.out, "%s%s", head, a.trialSheet(snap, snap.Trials, true)); err != nil {
		return err
	}
	for _, t := range snap.Trials {
		if t.State != evaluator.Running || t.Progress.Note == "" {
			continue
		}
		if _, err := fmt.Fprintf(a.out, "  ▸ trial %d: %s\n", t.ID, progressText(t.Progress)); err != nil {
			return err
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
		_, err := fmt.Fprintf(a.out, "  → once it is put right, measure them again: %s\n", retryFailed(snap))
		return err
	}
	return nil
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
			cells = append(cells, tookText(t))
		}
		out.add(append(cells, t.Why)...)
	}
	return out
}

// progressText is how far an evaluation is, with what its evaluator has to say.
func progressText(p evaluator.Progress) string {
	text := visible.Line(p.Note)
	if p.Total > 0 {
		text = fmt.Sprintf("%d of %d, %s", p.Done, p.Total, text)
	}
	return text
}

func tookText(t study.Trial) string {
	switch {
	case t.Started.IsZero():
		return ""
	case t.Ended.IsZero():
		return durationText(time.Since(t.Started)) + "…"
	}
	return durationText(t.Ended.Sub(t.Started))
}
