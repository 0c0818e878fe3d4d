package cli

import (
	"context"
	"errors"
	"fmt"
	"os/user"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"parfait/problem"
	"parfait/study"
)

// explore is what `parfait` does without a command: the explorer on a study, or the list of studies and what
// to do besides.
func (a *app) explore(ctx context.Context, root *cobra.Command, args []string) (err error) {
	dir := studyDir(args)
	switch {
	case len(args) > 0 && !exists(dir):
		return unknownWord(root, dir)
	case len(args) > 1:
		return usage("`parfait --help` lists the commands", "expected a command or one study's folder, found %s", strings.Join(args, " "))
	}
	if len(args) == 0 && !isStudy(dir) {
		return a.listStudies(studiesIn(dir))
	}
	if err := a.needTerminal("parfait front " + quoted(dir) + "` or `parfait run " + quoted(dir) + " --headless"); err != nil {
		return err
	}
	s, err := open(dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	return a.openExplorer(ctx, s)
}

// unknownWord is the error for a word that is neither a command nor a folder.
func unknownWord(root *cobra.Command, word string) error {
	var names []string
	for _, c := range root.Commands() {
		if !c.Hidden {
			names = append(names, c.Name())
		}
	}
	names = append(names, studiesIn(".")...)
	help := "`parfait --help` lists the commands"
	if meant := problem.Meant(word, names); meant != "" {
		help = meant + " " + help
	}
	return usage(help, "%q is neither a command nor a folder", word)
}

// needTerminal refuses where there is no screen to draw on or no keys to read, and says what to run instead.
func (a *app) needTerminal(instead string) error {
	why := ""
	switch {
	case !a.outTTY:
		why = "stdout is not a terminal"
	case !a.inTTY:
		why = "stdin is not a terminal"
	case a.json:
		why = "--json prints no screen"
	case slices.Contains(a.environ, "TERM=dumb"):
		why = "TERM=dumb can show no screen"
	default:
		return nil
	}
	return usage("as text: `"+instead+"`", "the explorer needs a terminal, and %s", why)
}

// listStudies lists the studies below this folder.
func (a *app) listStudies(dirs []string) error {
	list := []listedJSON{}
	out := a.sheet(left("study"), left("state"), right("trials"), right("tasks"), left("method"))
	for _, dir := range dirs {
		s, err := study.Open(dir)
		if err != nil {
			first, _, _ := strings.Cut(err.Error(), "\n")
			out.add(dir, "cannot be opened: "+first)
			list = append(list, listedJSON{Study: dir, Error: err.Error()})
			continue
		}
		snap := s.Snapshot()
		act := snap.Activity
		out.add(dir, string(act.Runner), fmt.Sprintf("%d of %d", act.Done, act.Budget), fmt.Sprint(len(snap.Tasks)), snap.Spec.Method.Name)
		list = append(list, listedJSON{Study: snap.Dir, Runner: act.Runner, Note: act.Note, Done: act.Done, Failed: act.Failed, Budget: act.Budget})
		if err := s.Close(); err != nil {
			return err
		}
	}
	if a.json {
		return a.printJSON(a.out, map[string]any{"studies": list})
	}
	first := "there is no study here\n"
	if len(dirs) > 0 {
		first = fmt.Sprintf("%s\nopen one:     parfait %s\n", out, quoted(dirs[0]))
	}
	_, err := fmt.Fprint(a.out, first+"try the demo: parfait demo\nmake one:     parfait init\n")
	return err
}

type listedJSON struct {
	Study  string            `json:"study"`
	Runner study.RunnerState `json:"runner,omitempty"`
	Note   string            `json:"note,omitempty"`
	Done   int               `json:"done"`
	Failed int               `json:"failed"`
	Budget int               `json:"budget"`
	Error  string            `json:"error,omitempty"`
}

// who is the person at the keyboard, for the study's record.
func who() string {
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return ""
}
