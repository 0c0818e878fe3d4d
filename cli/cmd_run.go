package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync/atomic"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"parfait/evaluator"
	"parfait/explore"
	"parfait/internal/rescue"
	"parfait/search"
	"parfait/study"
	"parfait/visible"
)

func (a *app) runCommand() *cobra.Command {
	var headless, missing, drain bool
	var workers, budget, throttle int
	var lock, detach string
	var sbatch []string
	var look focusFlags
	cmd := &cobra.Command{
		Use:   "run [DIR]",
		Short: "Measure what the study asks for, or go on where it stopped",
		Long: "Measure merges until the budget is spent. A run that was ended, by ctrl-c, kill or a power cut, goes on where it stopped: finished trials are never lost or measured again.\n\n" +
			"The first ctrl-c in a headless run, or --drain from elsewhere, lets what is being measured end and starts nothing new; a second ctrl-c, or SIGTERM, ends it at once.\n\n" +
			"Without --headless the explorer opens on the study and the run goes on in the background, also after the explorer is left.",
		Example: "# everything, as text\nparfait run my.study --headless\n\n# twenty more than study.yaml says\nparfait run my.study --headless --budget 80\n\n# twenty more where code is kept and math is best, and then until the pick is sure\nparfait run my.study --headless --budget 100 --at-least code=0.6 --weights math=1\nparfait run my.study --headless --budget 120 --settle knee",
		Args:    arguments(0, 1, "a study's folder"),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			dir := studyDir(args)
			mode, ok := lockModes[lock]
			if !ok {
				return usage("", "--lock: expected auto or heartbeat, found %q", lock)
			}
			if drain && (look.asks() || headless || missing || workers != 0 || detach != "" || cmd.Flags().Changed("budget") || cmd.Flags().Changed("throttle")) {
				return usage("to start another run afterwards, wait until this one has ended", "--drain: tells the runner at work to end, and goes with no other flag")
			}
			if detach != "" && detach != "slurm" {
				return usage("without it the run goes on in the background, too, on this machine", "--detach: expected slurm, found %q", detach)
			}
			if len(sbatch) > 0 && detach == "" {
				return usage("add --detach=slurm", "--sbatch is for a runner that Slurm keeps at work")
			}
			if !headless && !drain && detach == "" {
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
			if drain {
				return a.drainRunner(s)
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
			if cmd.Flags().Changed("throttle") {
				if err := s.Do(study.Command{Kind: study.CommandThrottle, N: throttle, Who: who()}); err != nil {
					return err
				}
				if act := s.Snapshot().Activity; headless && act.Runner.Alive() {
					_, err := fmt.Fprintf(a.out, "at most %s at once from now on: the runner at work (%s, process %d) takes that up\n", count(throttle, "candidate"), visible.Line(act.Host), act.PID)
					return err
				}
			}
			var focus *search.Focus
			if look.asks() {
				if focus, err = look.of(cmd.Context(), s, a.screen.confidence); err != nil {
					return err
				}
				if done, err := a.standing(cmd.Context(), s, &look, focus); done || err != nil {
					return err
				}
				if err := s.Do(study.Command{Kind: study.CommandFocus, Focus: focus, Who: who()}); err != nil {
					return err
				}
				if act := s.Snapshot().Activity; headless && act.Runner.Alive() {
					_, err := fmt.Fprintf(a.out, "the runner at work (%s, process %d) %s\n", visible.Line(act.Host), act.PID, focusWords(focus))
					return err
				}
			}
			if detach != "" {
				var flags []string
				cmd.Flags().Visit(func(f *pflag.Flag) {
					if f.Name == "workers" || f.Name == "lock" {
						flags = append(flags, "--"+f.Name+"="+f.Value.String())
					}
				})
				return a.submitRunner(cmd.Context(), s, sbatch, flags)
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
			if err := a.runHeadless(cmd.Context(), s, study.RunOptions{Workers: workers, Lock: mode}); err != nil || look.settle == "" {
				return err
			}
			return a.settled(cmd.Context(), s, &look, focus)
		},
		ValidArgsFunction: studyFolders,
	}
	cmd.Flags().BoolVar(&headless, "headless", false, "as text, without the explorer")
	cmd.Flags().IntVar(&workers, "workers", 0, "measure `N` candidates at once with each evaluator; changes the time and nothing else (default: as study.yaml says)")
	cmd.Flags().IntVar(&budget, "budget", 0, "from now on the search may ask for `N` trials in all")
	cmd.Flags().IntVar(&throttle, "throttle", 0, "from now on have `N` candidates in the cluster at once (evaluators of kind slurm); a runner that is at work takes it up")
	cmd.Flags().BoolVar(&missing, "missing", false, "measure finished trials on the tasks that were added to study.yaml since; what was measured of them stands")
	cmd.Flags().BoolVar(&drain, "drain", false, "tell the runner at work to start nothing new, and to end when what is being measured has ended")
	cmd.Flags().StringVar(&lock, "lock", "auto", "how to make sure that no other runner is at work: `auto`, or heartbeat, for file systems that carry no locks (Lustre without -o flock, NFS without its lock daemon)")
	cmd.Flags().StringVar(&detach, "detach", "", "with `slurm`, the runner is a small job of the cluster that submits itself again before its time limit: for login nodes that end long processes")
	cmd.Flags().StringArrayVar(&sbatch, "sbatch", nil, "an `OPTION` of sbatch for that job, or several: --sbatch '--partition=cpu --time=1-0'")
	look.add(cmd)
	a.screen.addTo(cmd)
	return cmd
}

// submitRunner has Slurm keep a runner at work, and tells where it stands.
func (a *app) submitRunner(ctx context.Context, s *study.Study, sbatch, flags []string) error {
	var options []string
	for _, text := range sbatch {
		options = append(options, strings.Fields(text)...)
	}
	sub, err := s.SubmitRunner(ctx, options, flags)
	if err != nil {
		return err
	}
	if a.json {
		return a.printJSON(a.out, sub)
	}
	state := visible.Line(cmp.Or(sub.State, "which squeue does not show yet"))
	text := fmt.Sprintf("the runner is in the cluster as job %s: %s", visible.Line(sub.Job), state)
	switch {
	case sub.Job == "":
		text = "a runner is " + state + ": nothing was submitted"
	case !sub.New:
		text = fmt.Sprintf("a runner is in the cluster already, as job %s: %s; nothing was submitted", visible.Line(sub.Job), state)
	}
	dir := shown(s.Dir())
	if sub.Job != "" {
		text += fmt.Sprintf("\nend it:   scancel --name=%s   (what it measures in the cluster goes on, and the next runner takes it up)", sub.Name)
	}
	_, err = fmt.Fprintf(a.out, "%s\nlook on:  parfait %s\nits log:  %s\n", text, dir, shown(sub.Log))
	return err
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
	var drained atomic.Bool
	onInterrupt := func() bool {
		snap, err := s.Refresh(context.WithoutCancel(ctx)) // what is on the screen may be a little behind
		if err != nil || snap.Activity.Running == 0 {
			return false
		}
		n := snap.Activity.Running
		drained.Store(true)
		rescue.Go(func() { // the next signal is heard meanwhile
			if s.Do(study.Command{Kind: study.CommandDrain, Who: who()}) != nil {
				a.leaver.begin(&ending{signal: os.Interrupt})
			}
		})
		p.say("nothing new is started; what is being measured (%s) is finished first. ctrl-c once more stops at once", count(n, "trial"))
		return true
	}
	a.leaver.drain.Store(&onInterrupt)
	defer a.leaver.drain.Store(nil)
	err := s.Run(ctx, o)
	why := stop()
	snap, loadErr := a.outcome(ctx, s, p)
	p.end()
	switch {
	case snap != nil && (interrupted(ctx) || drained.Load() && err == nil && snap.Activity.Runner != study.Finished):
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

// drainRunner tells the runner at work to end when what it measures has ended.
func (a *app) drainRunner(s *study.Study) error {
	snap := s.Snapshot()
	act := snap.Activity
	if !act.Runner.Alive() {
		return &fault{exit: ExitNotFound, what: "no runner is at work on " + shown(s.Dir()) + ": there is nothing to drain", fix: "parfait trials " + shown(s.Dir()) + " shows how far it is"}
	}
	if err := s.Do(study.Command{Kind: study.CommandDrain, Who: who()}); err != nil {
		return err
	}
	if a.json {
		return a.printJSON(a.out, studyOf(snap))
	}
	_, err := fmt.Fprintf(a.out, "the runner at work (%s, process %d) starts nothing new, and ends when what is being measured (%s) is finished\n", visible.Line(act.Host), act.PID, count(act.Running, "trial"))
	return err
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
	p.underway(snap)
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
			p.underway(snap)
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
		again := "; again: " + retryFailed(snap)
		if len(snap.Spec.Evaluators) == 0 {
			again = ""
		}
		state += fmt.Sprintf(", %d of them failed (why: parfait trials %s%s)", act.Failed, shown(snap.Dir), again)
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
	_, err := fmt.Fprintf(w, "\nexport the knee:  parfait export %s --knee%s%s\nexplore:          parfait %s\n", dir, verifying(snap), anyway, dir)
	return err
}

// verifying is the flag that has an export measured, where there is anything to measure it.
func verifying(snap *study.Snapshot) string {
	if len(snap.Spec.Evaluators) == 0 {
		return ""
	}
	return " --verify"
}
