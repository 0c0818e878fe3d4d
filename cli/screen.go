package cli

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"parfait/problem"
	"parfait/study"
	"parfait/tui"
)

// screenFlags say how the explorer looks.
type screenFlags struct {
	glyphs     string
	background string
	notify     string
	confidence confidence
}

var (
	glyphWords      = []string{"braille", "block", "ascii"}
	backgroundWords = []string{"dark", "light"}
	notifyWords     = []string{"bell", "osc9"}
)

// addTo gives the flags to a command that opens the explorer.
func (f *screenFlags) addTo(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.glyphs, "glyphs", "", "draw with `braille|block|ascii` marks (default: what the locale can show)")
	flags.StringVar(&f.background, "background", "", "draw for a `dark|light` background (default: the terminal is asked)")
	flags.StringVar(&f.notify, "notify", "", "tell with `bell|osc9` that a run has finished")
	f.confidence.addTo(cmd)
	for name, words := range map[string][]string{"glyphs": glyphWords, "background": backgroundWords, "notify": notifyWords} {
		_ = cmd.RegisterFlagCompletionFunc(name, cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp))
	}
}

func (f *screenFlags) options() (tui.Options, error) {
	o := tui.Options{Who: who(), Glyphs: f.glyphs, Notify: f.notify}
	for _, flag := range []struct {
		name, value string
		words       []string
	}{
		{"glyphs", f.glyphs, glyphWords},
		{"background", f.background, backgroundWords},
		{"notify", f.notify, notifyWords},
	} {
		if flag.value != "" && !slices.Contains(flag.words, flag.value) {
			return o, usage("", "%s", problem.Unknown("", "--"+flag.name, "word", flag.value, flag.words))
		}
	}
	var err error
	if o.Confidence, err = f.confidence.of(); err != nil {
		return o, err
	}
	if f.background != "" {
		light := f.background == "light"
		o.Light = &light
	}
	return o, nil
}

// openExplorer shows the explorer until the person leaves.
func (a *app) openExplorer(ctx context.Context, s *study.Study) error {
	o, err := a.screen.options()
	if err != nil {
		return err
	}
	if mark, err := tourMark(); err == nil && !exists(mark) {
		o.Tour = true
		o.TourDone = func() { _ = os.WriteFile(mark, nil, 0o644) } // should it fail, the hints come again
	}
	was := os.Stdin
	os.Stdin = a.in // see Run
	defer func() { os.Stdin = was }()
	done := a.leaver.onScreen()
	err = tui.Run(ctx, s, o)
	done()
	if errors.Is(err, tui.ErrNoTerminal) {
		return usage("as text: `parfait front "+shown(s.Dir())+"`", "%s", err)
	}
	if i := (*tui.Interrupted)(nil); errors.As(err, &i) && interrupted(ctx) {
		what := "ended by a signal; the study and a runner in the background are not touched"
		if i.Export != "" {
			what += "; " + i.Export
		}
		return &fault{exit: ExitInterrupted, what: what, fix: "come back with: parfait " + shown(s.Dir())}
	}
	return err
}

// tourMark is the file that says that the hints for a first time were seen, under the XDG state folder.
func tourMark() (string, error) {
	home := os.Getenv("XDG_STATE_HOME")
	if home == "" {
		user, err := os.UserHomeDir()
		if err != nil {
			return "", err
		}
		home = filepath.Join(user, ".local", "state")
	}
	dir := filepath.Join(home, "parfait")
	return filepath.Join(dir, "tour-seen"), os.MkdirAll(dir, 0o755)
}
