package cli

import (
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"parfait/study"
	"parfait/tui"
)

var update = flag.Bool("update", false, "write generated files instead of comparing them")

var referenceFile = filepath.Join("..", "docs", "commands.md")

// TestReferenceIsCurrent keeps docs/commands.md what the program says of itself.
func TestReferenceIsCurrent(t *testing.T) {
	want := reference()
	if *update {
		if err := os.WriteFile(referenceFile, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	got, err := os.ReadFile(referenceFile)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("%s is not current; run go test ./cli -run Reference -update", referenceFile)
	}
}

// TestEveryCommandIsDescribed makes sure that help is help.
func TestEveryCommandIsDescribed(t *testing.T) {
	var walk func(c *cobra.Command)
	walk = func(c *cobra.Command) {
		if c.Short == "" || strings.HasSuffix(c.Short, ".") {
			t.Errorf("%s: a short text without a point at its end is missing: %q", c.CommandPath(), c.Short)
		}
		if c.RunE == nil && c.Run == nil && !c.HasSubCommands() {
			t.Errorf("%s does nothing", c.CommandPath())
		}
		for _, sub := range c.Commands() {
			if !sub.Hidden {
				walk(sub)
			}
		}
	}
	walk((&app{}).root())
}

// TestEveryValueHasAName makes sure that help says what a flag wants.
func TestEveryValueHasAName(t *testing.T) {
	root, named := (&app{}).root(), 0
	eachFlag(root, func(f *pflag.Flag) {
		switch _, ok := f.Annotations[valueName]; {
		case f.Value.Type() == "bool" && ok:
			t.Errorf("--%s takes no value, and its text names one: %s", f.Name, f.Usage)
		case f.Value.Type() != "bool" && !ok:
			t.Errorf("--%s: what its value is called stands nowhere in backquotes: %s", f.Name, f.Usage)
		case ok:
			named++
		}
	})
	if named == 0 {
		t.Error("no flag takes a value")
	}
}

// TestReadmeCommandsExist finds commands and flags in the documents that the program does not have.
func TestReadmeCommandsExist(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("..", "docs", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	files = append(files, filepath.Join("..", "README.md"), filepath.Join("..", "CONTRIBUTING.md"))
	line := regexp.MustCompile("(?m)(?:^|`)(?:go run \\. |parfait )([^`#\n]*)")
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range line.FindAllStringSubmatch(strings.ReplaceAll(string(text), "\\\n", " "), -1) {
			if problem := unknownIn(m[1]); problem != "" {
				t.Errorf("%s: parfait %s: %s", filepath.Base(file), strings.TrimSpace(m[1]), problem)
			}
		}
	}
}

// TestStudyDocument holds docs/study.md to what study.yaml can say: its example is read, and no key is missing.
func TestStudyDocument(t *testing.T) {
	b, err := os.ReadFile(filepath.Join("..", "docs", "study.md"))
	if err != nil {
		t.Fatal(err)
	}
	text := string(b)
	_, example, _ := strings.Cut(text, "```yaml\n")
	example, _, _ = strings.Cut(example, "```")
	if _, err := study.ParseSpec("docs/study.md", []byte(example)); err != nil {
		t.Error(err)
	}
	for where, change := range map[string][2]string{
		"top level":  {"version: 1", "nonsense: 1\nversion: 1"},
		"models":     {"{name: math,", "{nonsense: 1, name: math,"},
		"groups":     {"{name: early,", "{nonsense: 1, name: early,"},
		"tasks":      {"{name: gsm8k,", "{nonsense: 1, name: gsm8k,"},
		"candidates": {"{path: /scratch/me,", "{nonsense: 1, path: /scratch/me,"},
	} {
		_, err := study.ParseSpec("study.yaml", []byte(strings.Replace(example, change[0], change[1], 1)))
		if err == nil {
			t.Fatalf("%s: nonsense is accepted", where)
		}
		_, known, _ := strings.Cut(err.Error(), "(known: ")
		known, _, _ = strings.Cut(known, ")")
		for key := range strings.SplitSeq(known, ", ") {
			if !strings.Contains(text, "`"+key+"`") {
				t.Errorf("%s: the key %q is not described", where, key)
			}
		}
	}
}

// TestTwinsExist holds that whatever a key changes in the explorer a command does too.
func TestTwinsExist(t *testing.T) {
	keys := tui.Keys()
	if len(keys) == 0 {
		t.Fatal("the explorer has no keys")
	}
	for _, k := range keys {
		switch line, ok := strings.CutPrefix(k.Twin, "parfait "); {
		case k.ID == "exporting.cancel": // its twin is ctrl-c
		case k.Twin == "" && k.Changes:
			t.Errorf("%s changes the study, and no command does", k.ID)
		case k.Twin != "" && !ok:
			t.Errorf("%s: the twin %q is not a command of this program", k.ID, k.Twin)
		case ok:
			if c, _, err := (&app{}).root().Find(strings.Fields(line)); err != nil || !c.HasParent() {
				t.Errorf("%s: there is no command %q", k.ID, k.Twin)
			}
			if problem := unknownIn(line); problem != "" {
				t.Errorf("%s has a twin that is none, %s: %s", k.ID, k.Twin, problem)
			}
		}
	}
}

var flagWord = regexp.MustCompile(`(?:^|\s)--([a-z][a-z0-9-]*)`)

// unknownIn says which command or flag in a line the program does not have.
func unknownIn(line string) string {
	root := (&app{}).root()
	words := strings.Fields(line)
	if len(words) == 0 || !regexp.MustCompile(`^[a-z]+$`).MatchString(words[0]) {
		return ""
	}
	c, _, err := root.Find(words)
	if err != nil || c == root {
		return "" // a folder, or prose
	}
	line = regexp.MustCompile(`'[^']*'`).ReplaceAllString(line, "TEXT")
	for _, f := range flagWord.FindAllStringSubmatch(line, -1) {
		if c.Flags().Lookup(f[1]) == nil && root.PersistentFlags().Lookup(f[1]) == nil && f[1] != "help" {
			return "there is no flag --" + f[1]
		}
	}
	return ""
}

// reference writes docs/commands.md: every command with its flags, and the exit codes.
func reference() string {
	a := &app{out: io.Discard, err: io.Discard, files: [2]*os.File{}}
	var b strings.Builder
	b.WriteString("# Commands\n\n")
	b.WriteString("<!-- Made from the program by `go test ./cli -run Reference -update`. Do not edit. -->\n\n")
	b.WriteString("Every command takes `--json`: one JSON object on stdout instead of text, and on failure\none line of JSON at the end of stderr:\n" +
		"`{\"error\": {\"code\", \"exit\", \"what\", \"fix\"}}`. A study's folder may be left out where you are in it.\n" +
		"`parfait completion SHELL` prints completions for bash, zsh, fish and PowerShell, `parfait man` a manual page.\n\n")
	b.WriteString("## Exit codes\n\n| code | name | meaning |\n|---|---|---|\n")
	for _, m := range exitTable {
		fmt.Fprintf(&b, "| %d | %s | %s |\n", m.Exit, m.Name, m.Meaning)
	}
	root := a.root()
	describe(&b, root)
	for _, g := range root.Groups() {
		for _, c := range root.Commands() {
			if c.GroupID == g.ID {
				describe(&b, c)
			}
		}
	}
	return b.String()
}

// describe writes one command and those below it.
func describe(b *strings.Builder, c *cobra.Command) {
	if c.Hidden {
		return
	}
	fmt.Fprintf(b, "\n## %s\n\n%s.\n\n```\n%s\n```\n", c.CommandPath(), strings.TrimSuffix(c.Short, "."), c.UseLine())
	if c.Long != "" {
		fmt.Fprintf(b, "\n%s\n", c.Long)
	}
	if flags := c.LocalNonPersistentFlags(); flags.HasAvailableFlags() {
		b.WriteString("\n| flag | |\n|---|---|\n")
		flags.VisitAll(func(f *pflag.Flag) {
			if !f.Hidden && f.Name != "help" && f.Name != "version" {
				fmt.Fprintf(b, "| `--%s` | %s |\n", inTable(withValue(f)), inTable(flagText(f)))
			}
		})
	}
	if c.Example != "" {
		fmt.Fprintf(b, "\n```sh\n%s\n```\n", c.Example)
	}
	if c.HasParent() { // the root's own commands follow in their groups
		for _, sub := range c.Commands() {
			describe(b, sub)
		}
	}
}

// inTable is text in a cell of a table.
func inTable(text string) string { return strings.ReplaceAll(text, "|", `\|`) }

func flagText(f *pflag.Flag) string {
	text := f.Usage
	switch f.DefValue {
	case "", "0", "false", "[]":
		return text
	}
	return text + " (default " + f.DefValue + ")"
}

// A command stands in a file cmd_NAME.go; the other files hold what commands share.
func TestFilesTellCommandsFromParts(t *testing.T) {
	want := []string{"cmd_parfait.go"}
	for _, c := range (&app{}).root().Commands() {
		want = append(want, "cmd_"+c.Name()+".go")
	}
	slices.Sort(want)
	found, err := filepath.Glob("cmd_*.go")
	found = slices.DeleteFunc(found, func(name string) bool { return strings.HasSuffix(name, "_test.go") })
	if err != nil || !slices.Equal(found, want) {
		t.Errorf("files of commands: %v, %v; expected %v", found, err, want)
	}
}
