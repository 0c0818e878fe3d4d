package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"parfait/merge"
	"parfait/problem"
	"parfait/study"
	"parfait/visible"
)

// studyDir is the study that a command is about: its argument, or the folder we are in. A study.yaml stands for
// its folder.
func studyDir(args []string) string {
	switch {
	case len(args) == 0:
		return "."
	case filepath.Base(args[0]) == study.SpecFile:
		return filepath.Dir(args[0])
	}
	return args[0]
}

// onStudy makes c a command on one study: its folder is the argument, and work gets it opened by opened, load or
// analysed.
func (a *app) onStudy(c *cobra.Command, opened func(context.Context, string) (*study.Study, *study.Snapshot, error), work func(*cobra.Command, *study.Study, *study.Snapshot) error) *cobra.Command {
	c.Use += " [DIR]"
	c.Args = arguments(0, 1, "a study's folder")
	c.ValidArgsFunction = studyFolders
	c.RunE = func(cmd *cobra.Command, args []string) (err error) {
		s, snap, err := opened(cmd.Context(), studyDir(args))
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, s.Close()) }()
		a.warnOfDamage(snap)
		return work(cmd, s, snap)
	}
	return c
}

// warnOfDamage says what is wrong with a history that could be read all the same.
func (a *app) warnOfDamage(snap *study.Snapshot) {
	if snap.Damage != "" {
		_, _ = fmt.Fprintf(a.err, "  ! %s\n", strings.ReplaceAll(snap.Damage, "\n", "\n    "))
	}
}

// open opens the study in dir.
func open(dir string) (*study.Study, error) {
	s, err := study.Open(dir)
	if err != nil {
		return nil, withNear(dir, err)
	}
	keepStacksOf(s.Dir())
	return s, nil
}

// withNear is the error of what was to be done with the study in dir; where there is none, it says which ones are near.
func withNear(dir string, err error) error {
	if study.CodeOf(err) != study.CodeNotAStudy || errors.Is(err, fs.ErrPermission) {
		return err
	}
	fix := "name a study's folder, make one with `parfait init " + quoted(dir) + "`, or try `parfait demo`"
	if here := studiesIn("."); len(here) > 0 {
		fix = "name one of: " + strings.Join(here[:min(8, len(here))], ", ")
		if dir != "." { // else nobody has named one
			fix = cmp.Or(problem.Meant(dir, here), fix)
		}
	} else if above := studyAbove(); above != "" {
		fix = "name the study that you are in: " + quoted(above)
	}
	return &fault{exit: ExitNotFound, what: dir + " is not a study: it has no " + study.SpecFile, fix: fix}
}

// opened is open for commands that need no analysis.
func opened(_ context.Context, dir string) (*study.Study, *study.Snapshot, error) {
	s, err := open(dir)
	if err != nil {
		return nil, nil, err
	}
	return s, s.Snapshot(), nil
}

// load opens a study and analyses its history.
func load(ctx context.Context, dir string) (*study.Study, *study.Snapshot, error) {
	s, err := open(dir)
	if err != nil {
		return nil, nil, err
	}
	snap, err := s.Load(ctx)
	if err != nil {
		return nil, nil, errors.Join(err, s.Close())
	}
	return s, snap, nil
}

// analysed is load for commands that need a front.
func analysed(ctx context.Context, dir string) (*study.Study, *study.Snapshot, error) {
	s, snap, err := load(ctx, dir)
	if err != nil {
		return nil, nil, err
	}
	if snap.Analysis == nil {
		return nil, nil, errors.Join(tooFew(snap), s.Close())
	}
	return s, snap, nil
}

func tooFew(snap *study.Snapshot) error {
	what := "no trial is finished yet, and a front needs a few"
	if a := snap.Activity; a.Done-a.Failed > 0 {
		what = "too few trials are finished to fit anything"
	} else if a.Failed > 0 {
		what = "every trial has failed so far (`parfait trials " + shown(snap.Dir) + "` says why)"
	}
	return &fault{exit: ExitNoAnswer, what: snap.Name + ": " + what, fix: measureMore(snap)}
}

// measureMore is how a study comes to more trials: one whose budget is spent needs a larger one, and one of
// which all failed another try.
func measureMore(snap *study.Snapshot) string {
	act, dir := snap.Activity, shown(snap.Dir)
	run := "parfait run " + dir + " --headless"
	switch {
	case act.Failed > 0 && len(snap.Spec.Evaluators) == 0:
		return elsewhere(snap)
	case act.Failed > 0 && act.Done == act.Failed:
		return "put it right, then measure them again: " + retryFailed(snap) + ", and " + run
	case act.Search == 0:
		return imports(snap)
	case act.Runner != study.Finished:
		return "measure: " + run
	case snap.Space.OnePlace():
		return "the one merge within its ranges is measured: add a model to " + shown(filepath.Join(snap.Dir, study.SpecFile)) + ", or give a parameter of the method a range"
	}
	if act.Note != "" {
		return visible.Line(act.Note) + "; for more change the ranges, the models or stop_when of " + shown(filepath.Join(snap.Dir, study.SpecFile)) + ", then: " + run
	}
	return fmt.Sprintf("its budget of %d is spent; give it a larger one: %s --budget %d", act.Search, run, max(snap.Spec.Search.Budget, act.Search+10))
}

// elsewhere is how failed trials of a study that measures nothing itself are measured again.
func elsewhere(snap *study.Snapshot) string {
	return "they are measured elsewhere: bring in what it comes to: parfait trials " + shown(snap.Dir) + " --import FILE"
}

// imports is how a study comes to trials whose search may ask for none.
func imports(snap *study.Snapshot) string {
	dir := shown(snap.Dir)
	fix := "its budget is 0: bring in what was measured elsewhere: parfait trials " + dir + " --import FILE"
	if len(snap.Spec.Evaluators) > 0 {
		fix += "; or have something measured: --evaluate NAME=VALUE,…, or parfait run " + dir + " --headless --budget 60"
	}
	return fix
}

// shown is a path as a person would type it here.
func shown(path string) string {
	abs, err := filepath.Abs(path)
	if err != nil {
		return path
	}
	here, err := os.Getwd()
	if err != nil {
		return path
	}
	if rel, err := filepath.Rel(here, abs); err == nil && !strings.HasPrefix(rel, "..") {
		path = rel
	} else {
		path = abs
	}
	return quoted(path)
}

// home is a path with what a shell makes of ~ at its beginning. Not every shell does so behind a = or in quotes,
// and a form has none.
func home(path string) string { return merge.Home(path) }

// quoted is a word as a shell needs it.
func quoted(s string) string {
	switch {
	case visible.Line(s) != s: // $'…', so that a command stays on its line, and means the same once it is made visible
		inner := strconv.Quote(s)
		return "$'" + strings.NewReplacer(`\"`, `"`, `'`, `\'`).Replace(inner[1:len(inner)-1]) + "'"
	case s != "" && !strings.ContainsAny(s, " '\"\\$&|;<>()*?[]{}#~`!"):
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

func isStudy(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, study.SpecFile))
	return err == nil
}

// studiesIn lists the studies directly below dir.
func studiesIn(dir string) []string {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	var out []string
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		if !strings.HasPrefix(e.Name(), ".") && isStudy(path) {
			out = append(out, path)
		}
	}
	slices.Sort(out)
	return out
}

// studyAbove is the study that the folder one is in belongs to, "" where there is none.
func studyAbove() string {
	dir, err := os.Getwd()
	for at := "."; err == nil; at = filepath.Join("..", at) {
		if isStudy(dir) {
			return at
		}
		if filepath.Dir(dir) == dir {
			break
		}
		dir = filepath.Dir(dir)
	}
	return ""
}

// studyFolders completes a study's folder on the command line.
func studyFolders(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return studiesIn("."), cobra.ShellCompDirectiveFilterDirs
}

// exists says whether something stands at path.
func exists(path string) bool {
	_, err := os.Lstat(path)
	return !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.ENOTDIR) // what a file has below it
}
