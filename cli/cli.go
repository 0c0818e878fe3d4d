// Package cli is the command line: a file cmd_NAME.go a command, others for what they share; flags and printing only.
//
// In come arguments; out go text for people on a terminal, one JSON object with --json, and exit codes
// that mean the same in every command (exit.go). What a command does is done by study, explore and merge;
// the explorer's screen is tui's. Whatever the screen can do, a command here can do too.
//
// Rules of output: results on stdout, everything else on stderr; colours and lines that rewrite themselves
// on terminals only; what others have named or written never acts on a terminal (package visible); errors say what, where, what was expected and what to do.
package cli

import (
	"context"
	"io"
	"os"
	"slices"
	"strings"

	"charm.land/fang/v2"
	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/term"
	"github.com/spf13/cobra"

	"parfait/internal/rescue"
	"parfait/visible"
)

// Main runs the program and exits.
func Main() {
	os.Exit(Run(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// app is what every command works with.
type app struct {
	in       *os.File
	out, err io.Writer            // what acts on terminals is taken out of them, and colours where they cannot be shown
	tty      io.Writer            // stderr for what moves the cursor
	profile  colorprofile.Profile // of stdout
	files    [2]*os.File          // stdout and stderr themselves
	outTTY   bool
	inTTY    bool
	errTTY   bool
	json     bool
	screen   screenFlags
	environ  []string
	leaver   *leaver
}

// Run runs one command line and returns its exit code.
func Run(ctx context.Context, args []string, in, out, errs *os.File) int {
	return run(ctx, args, in, out, errs, func(*app) []*cobra.Command { return nil })
}

// run is Run with commands that only tests have.
func run(ctx context.Context, args []string, in, out, errs *os.File, more func(*app) []*cobra.Command) int {
	stdout, stderr := colorprofile.NewWriter(out, os.Environ()), colorprofile.NewWriter(errs, os.Environ())
	a := &app{
		in: in, files: [2]*os.File{out, errs}, environ: os.Environ(),
		out: visible.Writer{To: stdout}, err: visible.Writer{To: stderr}, tty: stderr, profile: stdout.Profile,
		outTTY: term.IsTerminal(out.Fd()), inTTY: term.IsTerminal(in.Fd()), errTTY: term.IsTerminal(errs.Fd()),
		json: slices.Contains(args, "--json"), // for errors in the flags themselves
	}
	// fang asks the terminal for its background before it shows help or an error, and waits two seconds
	// for terminals that never answer: it is given no terminal to ask.
	if null, err := os.Open(os.DevNull); err == nil {
		defer func(was *os.File) { os.Stdin = was; _ = null.Close() }(os.Stdin)
		os.Stdin = null
	}
	ctx, a.leaver = a.watch(ctx)
	root := a.root()
	root.AddCommand(more(a)...)
	root.SetArgs(args)
	root.SetOut(guarded{out, ours(args)})
	root.SetErr(guarded{errs, ours(args)})
	err := a.leaver.end(rescue.Call(func() error { return a.execute(ctx, root) }))
	if err != nil {
		a.complain(err)
	}
	return int(exitOf(err))
}

func (a *app) execute(ctx context.Context, root *cobra.Command) error {
	return fang.Execute(ctx, root,
		fang.WithVersion(version()),
		fang.WithColorSchemeFunc(func(light lipgloss.LightDarkFunc) fang.ColorScheme {
			spellValues(root) // help, or an error at the end, is about to be drawn
			return fang.AnsiColorScheme(light)
		}),
		fang.WithErrorHandler(func(io.Writer, fang.Styles, error) {})) // see Run
}

// guarded is a file to which help and completions are written.
type guarded struct {
	*os.File
	ours bool // its styling is
}

// Write implements io.Writer.
func (g guarded) Write(p []byte) (int, error) {
	return visible.Writer{To: g.File, Ours: g.ours}.Write(p)
}

// ours says whether what cobra prints is ours as a whole: all is but completions, which name folders.
func ours(args []string) bool {
	return len(args) == 0 || !strings.HasPrefix(args[0], cobra.ShellCompRequestCmd)
}

// WriteString implements io.StringWriter, which the file's own would.
func (g guarded) WriteString(s string) (int, error) { return g.Write([]byte(s)) }

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "parfait [DIR]",
		Short: "Choose how to merge fine-tuned models",
		Long: "parfait measures merges of fine-tuned models on your own tasks, shows the Pareto front of what can be had, and writes the trade-off that you pick.\n\n" +
			"`parfait DIR` opens the explorer on a study. `parfait` alone opens the study in this folder, or lists the studies below it and offers the demo.",
		Example: "# a real problem in one command, nothing to set up\nparfait demo\n\n# the same as text, for scripts and machines without a terminal\nparfait demo --headless\n\n# a study of your own\nparfait init my.study --base models/base --model math=models/math --model code=models/code \\\n    --task gsm8k:rate --task humaneval:rate --command 'python evaluate.py {model}'",
		Args:    cobra.ArbitraryArgs,
		RunE:    func(cmd *cobra.Command, args []string) error { return a.explore(cmd.Context(), cmd.Root(), args) },
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			if cmd.Name() == "man" { // fang's
				spellValues(cmd.Root())
				return nil
			}
			if err := swallowed(cmd); err != nil {
				return err
			}
			return flagGroups(cmd)
		},
		ValidArgsFunction: studyFolders,
	}
	a.screen.addTo(root)
	root.PersistentFlags().BoolVar(&a.json, "json", false, "print one JSON object instead of text")
	root.AddGroup(
		&cobra.Group{ID: "start", Title: "start"},
		&cobra.Group{ID: "study", Title: "a study"},
		&cobra.Group{ID: "models", Title: "models and checkpoints"},
	)
	root.SetHelpCommandGroupID("start")
	root.SetCompletionCommandGroupID("start")
	cobra.EnableCommandSorting = false // in the order in which they are used
	add := func(group string, commands ...*cobra.Command) {
		for _, c := range commands {
			c.GroupID = group
			c.Flags().SortFlags = false
			root.AddCommand(c)
		}
	}
	add("start", a.demoCommand(), a.initCommand(), a.versionCommand())
	add("study", a.runCommand(), a.frontCommand(), a.predictCommand(), a.pickCommand(), a.exportCommand(), a.trialsCommand(), a.trustCommand(), a.barriersCommand(), a.treeCommand(), a.compareCommand(), a.reportCommand(), a.serveCommand(), a.checkCommand(), a.repairCommand())
	add("models", a.mergeCommand(), a.extractCommand(), a.prepareCommand(), a.inspectCommand(), a.verifyCommand(), a.signCommand(), a.mergekitCommand(), a.workerCommand())
	root.SetFlagErrorFunc(flagError)
	nameValues(root)
	readNumbers(root)
	return root
}
