package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"parfait/evaluator/digits"
	"parfait/study"
)

// demoDir is where the demo goes unless told otherwise.
const demoDir = "digits.study"

func (a *app) demoCommand() *cobra.Command {
	o := study.DemoOptions{}
	var dir string
	var headless bool
	var workers int
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "A real problem with nothing to set up: networks that read handwritten digits",
		Long: "Train a small network on handwritten digits, and fine-tune it once for each way of changing the picture (rotated, mirrored, upside down, …), which takes a second; then look for the merges that read all of them. " +
			"The explorer opens while the trials come in; with --headless everything is text.",
		Example: "parfait demo\n\n# for scripts\nparfait demo --headless --dir D --tasks 3 --budget 40 --seed 1 --json",
		Args:    arguments(0, 0, "no argument (the folder is --dir)"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if isStudy(dir) {
				if err := sameDemo(cmd, dir, o); err != nil {
					return err
				}
			}
			if headless {
				return a.demoHeadless(cmd.Context(), dir, o, workers)
			}
			if workers != 0 {
				return usage("add --headless", "--workers is for runs in this process")
			}
			return a.demo(cmd.Context(), dir, o)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&dir, "dir", demoDir, "the study's `FOLDER`")
	flags.IntVar(&o.Tasks, "tasks", 3, "merge `N` fine-tuned models")
	flags.IntVar(&o.Budget, "budget", 40, "measure `N` merges")
	flags.Uint64Var(&o.Seed, "seed", 1, "the search's seed `N`: the same seed gives the same trials")
	flags.IntVar(&workers, "workers", 0, "with --headless: measure `N` candidates at once; changes the time and nothing else")
	flags.BoolVar(&headless, "headless", false, "as text, without the explorer")
	a.screen.addTo(cmd)
	_ = cmd.RegisterFlagCompletionFunc("tasks", cobra.FixedCompletions([]string{"2", "3", "4"}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

// sameDemo makes sure that a demo that is there already is the one that is asked for.
func sameDemo(cmd *cobra.Command, dir string, o study.DemoOptions) error {
	spec, err := study.ReadSpec(dir)
	if err != nil {
		return err
	}
	objectives := 0
	for _, t := range spec.Tasks {
		if t.Role == study.Objective {
			objectives++
		}
	}
	var differs []string
	for _, c := range []struct {
		flag       string
		asked, has int
	}{
		{"tasks", o.Tasks, objectives},
		{"budget", o.Budget, spec.Search.Budget},
		{"seed", int(o.Seed), int(spec.Search.Seed)},
	} {
		if cmd.Flags().Changed(c.flag) && c.asked != c.has {
			differs = append(differs, fmt.Sprintf("--%s %d, not %d", c.flag, c.has, c.asked))
		}
	}
	if len(differs) == 0 {
		return nil
	}
	return &fault{
		exit: ExitExists, what: dir + " is a study already, with " + strings.Join(differs, " and "),
		fix: "name another folder with --dir; or go on with this one: parfait run " + quoted(dir),
	}
}

// demo makes the study, has a runner of its own at work on it, and opens the explorer.
func (a *app) demo(ctx context.Context, dir string, o study.DemoOptions) (err error) {
	if err := a.needTerminal("parfait demo --headless"); err != nil {
		return err
	}
	s, err := a.makeDemo(ctx, dir, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if s.Snapshot().Activity.Runner != study.Finished {
		if err := s.StartRunner(); err != nil {
			return err
		}
	}
	return a.openExplorer(ctx, s)
}

func (a *app) demoHeadless(ctx context.Context, dir string, o study.DemoOptions, workers int) (err error) {
	s, err := a.makeDemo(ctx, dir, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	return a.runHeadless(ctx, s, study.RunOptions{Workers: workers})
}

// makeDemo makes the study where there is none yet, and opens it.
func (a *app) makeDemo(ctx context.Context, dir string, o study.DemoOptions) (*study.Study, error) {
	fresh := !isStudy(dir)
	p := a.progress()
	if fresh {
		p.say("training a base on handwritten digits, and %d models from it, in %s", min(o.Tasks, digits.MaxTasks()), shown(dir))
	} else {
		p.say("going on with the study in %s", shown(dir))
	}
	if err := study.Demo(ctx, dir, o); err != nil {
		if interrupted(ctx) {
			return nil, &fault{exit: ExitInterrupted, what: "interrupted while the models were trained", fix: "start again: parfait demo --dir " + quoted(filepath.Clean(dir))}
		}
		if errors.Is(err, fs.ErrPermission) {
			err = &fault{exit: ExitSpace, what: "the demo cannot be made here", err: err, fix: "name a folder that you may write with --dir"}
		}
		return nil, err
	}
	return open(dir)
}
