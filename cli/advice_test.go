package cli

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"parfait/problem"
)

// init has the flags that errors name, and writes what they say.
func TestInitHasTheFlagsOfItsAdvice(t *testing.T) {
	dir := t.TempDir()
	for _, f := range []initFlags{{crop: true, files: "chat"}, {pad: true}, {}} {
		f.base, f.models, f.tasks, f.command, f.method, f.dtype = "b", []string{"math=m", "chat=c"}, []string{"a:rate"}, "true", "task_arithmetic", "as-base"
		f.parallel, f.budget, f.strategy = 1, 8, "adaptive"
		_, spec, err := f.spec(dir, filepath.Join(dir, "study.yaml"))
		if err != nil {
			t.Fatal(err)
		}
		want := map[bool]string{f.crop: "crop", f.pad: "pad"}[true]
		if got := mergeSpec(dir, spec); got.Vocab != want || got.Files != f.files || got.DType != "as-base" {
			t.Errorf("vocab %q, files %q, dtype %q; want %q, %q and as-base", got.Vocab, got.Files, got.DType, want, f.files)
		}
	}
}

// Commands without a recipe advise flags, as they can be pasted.
func TestSkipsAreFlagsWithoutARecipe(t *testing.T) {
	for fix, want := range map[string]string{
		"leave it out with skip: ['model.layers.2.*', 'head']":                                                                  "leave it out with --skip 'model.layers.2.*' --skip 'head'",
		"take it from the base with skip: ['a b'], or leave the model out":                                                      "take it from the base with --skip 'a b', or leave the model out",
		"write vocab: crop (--crop-vocab), or vocab: pad (--pad-vocab) to keep them; or take it from the base with skip: ['e']": "take it from the base with --skip 'e'",
		"take a good copy": "take a good copy",
	} {
		var list problem.List
		if err := skipFlags(problem.List{{What: "x", Fix: fix}}.Err()); !errors.As(err, &list) || list[0].Fix != want {
			t.Errorf("%s became %v, want %s", fix, err, want)
		}
	}
	if err := skipFlags(nil); err != nil {
		t.Errorf("of no error became %v", err)
	}
}

var (
	ownCommand  = regexp.MustCompile("parfait ([a-z]+(?: [a-z-]+)?)([^`;)\n]*)")
	advisedFlag = regexp.MustCompile(`(?:^|[ (\[])--([a-z][a-z0-9-]+)`)
	// otherProgram is in words about other programs' flags.
	otherProgram = regexp.MustCompile(`hf download| --revision |mlx_lm|python|pip |sbatch|squeue|sacct|scontrol|lm[_-]eval|vllm|git |ssh|docker|tail -`)
)

// Every flag that an error, a warning or a help text names is one that a command has, and one of the command that it is
// named with.
func TestFlagsThatAreAdvisedExist(t *testing.T) {
	commands, all := map[string]*cobra.Command{}, map[string]bool{"no-color": true}
	var walk func(c *cobra.Command)
	walk = func(c *cobra.Command) {
		commands[strings.TrimPrefix(c.CommandPath(), "parfait ")] = c
		c.InitDefaultHelpFlag()
		for _, set := range []*pflag.FlagSet{c.Flags(), c.PersistentFlags(), c.InheritedFlags()} {
			set.VisitAll(func(f *pflag.Flag) { all[f.Name] = true })
		}
		for _, sub := range c.Commands() {
			walk(sub)
		}
	}
	walk((&app{}).root())
	named, checked := 0, 0
	look := func(text, where string) {
		for _, m := range ownCommand.FindAllStringSubmatch(text, -1) {
			c := commands[m[1]]
			if c == nil {
				c = commands[strings.Fields(m[1])[0]]
			}
			if c == nil || otherProgram.MatchString(m[2]) {
				continue
			}
			for _, f := range advisedFlag.FindAllStringSubmatch(m[2], -1) {
				checked++
				if c.Flags().Lookup(f[1]) == nil && c.InheritedFlags().Lookup(f[1]) == nil {
					t.Errorf("%s: parfait %s has no flag --%s: %q", where, m[1], f[1], text)
				}
			}
		}
		if otherProgram.MatchString(text) {
			return
		}
		for _, f := range advisedFlag.FindAllStringSubmatch(text, -1) {
			named++
			if !all[f[1]] {
				t.Errorf("%s: no command has a flag --%s: %q", where, f[1], text)
			}
		}
	}
	for _, dir := range []string{"../cli", "../merge", "../study", "../explore", "../history"} {
		err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			ast.Inspect(file, func(n ast.Node) bool {
				if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
					if text, err := strconv.Unquote(lit.Value); err == nil {
						look(text, path)
					}
				}
				return true
			})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if named < 100 || checked < 20 {
		t.Errorf("%d flags were found in words, %d with a command: nothing was looked at", named, checked)
	}
}
