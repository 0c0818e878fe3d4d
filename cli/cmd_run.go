package cli

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"parfait/evaluator"
	"parfait/explore"
	"parfait/internal/rescue"
	"parfait/study"
	"parfait/visible"
)

func (a *app) runCommand() *cobra.Command {
	var headless, missing bool
	var workers, budget int
	var lock string
	cmd := &cobra.Command{
		Use:   "run [DIR]",
		Short: "Measure what the study asks for, or go on where it stopped",
		Long: "Measure merges until the budget is spent. A run that was ended, by ctrl-c, kill or a power cut, goes on where it stopped: finished trials are never lost or measured again.\n\n" +
			"Without --headless the explorer opens on the study and the run goes on in the background, also after the explorer is left.",
		Example: "# everything, as text\nparfait run my.study --headless\n\n# twenty more than study.yaml says\nparfait run my.study --headless --budget 80",
		Args:    arguments(0, 1, "a study's folder"),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			dir := studyDir(args)
			mode, ok := lockModes[lock]
			if !ok {
				return usage("", "--lock: expected auto or heartbeat, found %q", lock)
			}
			if !headless {
				if workers != 0 {
					return usage("add --headless", "--workers is for runs in this process; the explorer's runner has as many as study.yaml says")
				}
				if err := a.needTerminal("parfait run " + quoted(dir) + " --headless"); err != nil {
					return err
				}
			}
			s, err := open(dir)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, s.Close()) }()
			if mode == study.LockHeartbeat {
				if err := s.GoByHeartbeat(); err != nil {
					return err
				}
			}
			if missing {
				if err := s.Do(study.Command{Kind: study.CommandMissing, Who: who()}); err != nil {
					return err
				}
			}
			if cmd.Flags().Changed("budget") {
				if err := s.Do(study.Command{Kind: study.CommandBudget, N: budget, Who: who()}); err != nil {
					return err
				}
			}
			if !headless {
				start := s.StartRunner
				if cmd.Flags().Changed("lock") {
					start = func() error { return s.StartRunnerBy(mode) }
				}
				if err := start(); err != nil {
					return err
				}
				return a.openExplorer(cmd.Context(), s)
			}
			return a.runHeadless(cmd.Context(), s, study.RunOptions{Workers: workers, Lock: mode})
		},
		ValidArgsFunction: studyFolders,
	}
	cmd.Flags().BoolVar(&headless, "headless", false, "as text, without the explorer")
	cmd.Flags().IntVar(&workers, "workers", 0, "measure `N` candidates at once with each evaluator; changes the time and nothing else (default: as study.yaml says)")
	cmd.Flags().IntVar(&budget, "budget", 0, "from now on the search may ask for `N` trials in all")
	cmd.Flags().BoolVar(&missing, "missing", false, "measure finished trials on the tasks that were added to study.yaml since; what was measured of them stands")
	cmd.Flags().StringVar(&lock, "lock", "auto", "how to make sure that no other runner is at work: `auto`, or heartbeat, for file systems that carry no locks (Lustre without -o flock, NFS without its lock daemon)")
	a.screen.addTo(cmd)
	return cmd
}

var lockModes = map[string]study.LockMode{"auto": study.LockAuto, "heartbeat": study.LockHeartbeat}

// runHeadless measures in this process, with a progress line, and ends with what came out.
func (a *app) runHeadless(ctx context.Context, s *study.Study, o study.RunOptions) error {
	if o.Workers < 0 {
		return usage("", "--workers: expected 1 or more, found %d", o.Workers)
	}
	resume := "go on with: parfait run " + shown(s.Dir()) + " --headless"
	a.leaver.goOn.Store(&resume)
	p := a.progress()
	stop := a.follow(s, p)
	o.Note = func(text string) { p.say("%s", text) }
	err := s.Run(ctx, o)
	why := stop()
	snap, loadErr := a.outcome(ctx, s, p)
	p.end()
	switch {
	case interrupted(ctx) && snap != nil:
		return stopped(snap, err)
	case err != nil:
		return err
	case loadErr != nil:
		return loadErr
	case why != "":
		return &fault{exit: ExitEvaluator, what: "stopped: " + why, fix: goOn(snap)}
	case a.json:
		return a.printJSON(a.out, studyOf(snap))
	}
	return a.printOutcome(a.out, snap)
}

// goOn is what to do about a runner that paused itself. What has failed stays so until it is asked for again.
func goOn(snap *study.Snapshot) string {
	run := "parfait run " + shown(snap.Dir) + " --headless"
	for i := len(snap.Trials) - 1; i >= 0; i-- {
		if t := snap.Trials[i]; t.State == evaluator.Failed {
			return fmt.Sprintf("look at it: parfait trials %s --log %d\n  → put it right, ask for what failed again: %s\n  → and go on: %s", shown(snap.Dir), t.ID, retryFailed(snap), run)
		}
	}
	return "put it right, then go on: " + run
}

// outcome reads what a run has recorded, also after a signal, and works out what it says, which takes a while where
// there are many trials or models: a signal ends that, and the snapshot is as it was recorded.
func (a *app) outcome(ctx context.Context, s *study.Study, p *progress) (*study.Snapshot, error) {
	snap, err := s.Refresh(context.WithoutCancel(ctx))
	if err != nil || ctx.Err() != nil {
		return snap, err
	}
	p.activity(snap.Activity)
	defer p.slow("working out the front of %s", count(snap.Activity.Done, "trial"))()
	analysed, err := s.Load(ctx)
	if err != nil {
		return snap, err
	}
	return analysed, nil
}

// stopped says how far a run that a signal has ended has come and how to go on; err is what did not end in order, or
// nothing that matters.
func stopped(snap *study.Snapshot, err error) error {
	act, dir := snap.Activity, shown(snap.Dir)
	f := &fault{
		exit: ExitInterrupted, what: fmt.Sprintf("interrupted: %d of %d trials are finished and kept", act.Done, act.Budget),
		fix: "go on with: parfait run " + dir + " --headless",
	}
	if act.Runner == study.Finished {
		f.what = fmt.Sprintf("interrupted while the front was worked out: all %s are finished and kept", count(act.Done, "trial"))
		f.fix = "work it out with: parfait front " + dir
	}
	if err != nil && !errors.Is(err, errInterrupted) && !errors.Is(err, context.Canceled) {
		f.err = err
	}
	return f
}

// follow draws a study's activity until stop is called. A runner that pauses itself has nobody to wait for
// in a headless run: it is ended, and stop says why.
func (a *app) follow(s *study.Study, p *progress) (stop func() (why string)) {
	ctx, cancel := context.WithCancel(context.Background())
	reason := make(chan string, 1)
	rescue.Go(func() {
		why := ""
		for snap := range s.Follow(ctx) {
			p.activity(snap.Activity)
			if act := snap.Activity; act.Runner == study.Paused && act.Note != "" && why == "" {
				why = act.Note
				_ = s.Do(study.Command{Kind: study.CommandStop, Who: "headless run"})
			}
		}
		reason <- why
	})
	return func() string {
		cancel()
		return <-reason
	}
}

// printOutcome is how a headless run ends: the front, the knee, and how to export it.
func (a *app) printOutcome(w io.Writer, snap *study.Snapshot) error {
	act := snap.Activity
	state := count(act.Done, "trial")
	if act.Failed > 0 {
		state += fmt.Sprintf(", %d of them failed (why: parfait trials %s; again: %s)", act.Failed, shown(snap.Dir), retryFailed(snap))
	}
	if act.Note != "" {
		state += "; " + visible.Line(act.Note)
	}
	if _, err := fmt.Fprintf(w, "%s: %s\n\n", visible.Line(snap.Name), state); err != nil {
		return err
	}
	if snap.Analysis == nil {
		return tooFew(snap)
	}
	if err := a.printFront(w, snap, frontShown); err != nil {
		return err
	}
	dir, anyway := shown(snap.Dir), ""
	if explore.Keeping(snap.Analysis, nil) == 0 {
		anyway = " --anyway   (no point of the front keeps every floor)"
	}
	_, err := fmt.Fprintf(w, "\nexport the knee:  parfait export %s --knee --verify%s\nexplore:          parfait %s\n", dir, anyway, dir)
	return err
}
