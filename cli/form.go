package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"charm.land/bubbles/v2/key"
	"charm.land/huh/v2"
	"github.com/charmbracelet/x/ansi"

	"parfait/merge"
	"parfait/merge/method"
	"parfait/problem"
	"parfait/search"
	"parfait/study"
)

// form is `parfait init` for people: the same flags, asked for one page after the other, with what the
// models' headers say as it is typed.
type form struct {
	ctx    context.Context
	dir    string
	flags  initFlags
	models string // name=path, separated by spaces
	tasks  string
	budget string
	write  bool
}

// askInit fills in the flags by asking. It returns the study's folder, or errInterrupted where the person
// thought better of it.
func (a *app) askInit(ctx context.Context, dir string, flags initFlags) (string, initFlags, error) {
	f := &form{ctx: ctx, dir: dir, flags: flags, budget: strconv.Itoa(flags.budget), write: true}
	keys := huh.NewDefaultKeyMap()
	keys.Input.AcceptSuggestion = key.NewBinding(key.WithKeys("ctrl+e", "right"), key.WithHelp("→", "complete"))
	keys.Quit = key.NewBinding(key.WithKeys("ctrl+c", "esc"), key.WithHelp("esc", "leave"))
	h := huh.NewForm(f.where(), f.what(), f.measured(), f.check()).WithKeyMap(keys).WithInput(a.in).WithOutput(a.files[0]).WithShowHelp(true)
	defer a.leaver.onScreen()()
	if err := h.RunWithContext(ctx); err != nil {
		if errors.Is(err, huh.ErrUserAborted) {
			err = errInterrupted
		}
		return "", flags, err
	}
	if !f.write {
		return "", flags, errInterrupted
	}
	return f.dir, f.settled(), nil
}

// settled are the flags that the answers amount to.
func (f *form) settled() initFlags {
	out := f.flags
	out.models, out.tasks = strings.Fields(f.models), strings.Fields(f.tasks)
	if n, err := strconv.Atoi(strings.TrimSpace(f.budget)); err == nil {
		out.budget = n
	}
	return out
}

func (f *form) where() *huh.Group {
	return huh.NewGroup(
		huh.NewInput().Title("Folder of the study").Placeholder("my.study").Value(&f.dir).Validate(f.freeFolder),
		huh.NewInput().Title("Base").Description("the model that the others were fine-tuned from: a folder or a .safetensors file").
			Value(&f.flags.base).SuggestionsFunc(func() []string { return complete(f.flags.base) }, &f.flags.base).Validate(there),
		huh.NewInput().Title("Fine-tuned models").Description("name=path, separated by spaces").Placeholder("math=models/math code=models/code").
			Value(&f.models).SuggestionsFunc(func() []string { return complete(f.models) }, &f.models).Validate(f.validModels),
		huh.NewNote().Title("Their headers").DescriptionFunc(f.headers, &f.models),
	).Title("Which models?")
}

func (f *form) what() *huh.Group {
	var methods []huh.Option[string]
	for _, m := range method.All() {
		methods = append(methods, huh.NewOption(line(18, m.Name, m.About), m.Name))
	}
	return huh.NewGroup(
		huh.NewSelect[string]().Title("Merge method").Options(methods...).Height(8).Value(&f.flags.method),
		huh.NewSelect[string]().Title("Dtype of what is written").Options(huh.NewOptions("as-base", "bf16", "f16", "f32")...).Inline(true).Value(&f.flags.dtype),
	).Title("How are they merged?")
}

func (f *form) measured() *huh.Group {
	return huh.NewGroup(
		huh.NewInput().Title("Tasks").Description("name:unit, separated by spaces; unit rate for shares, loss for losses; :guard for what is only watched").
			Placeholder("gsm8k:rate humaneval:rate perplexity:loss:guard").Value(&f.tasks).Validate(f.validTasks),
		huh.NewInput().Title("Command").Description("measures one merge: {model} is its folder, {split} validation or test;\nits last line on stdout is one JSON object with a number a task").
			Placeholder("python evaluate.py --model {model} --split {split}").Value(&f.flags.command).Validate(f.validCommand),
		huh.NewInput().Title("Merges to measure").Value(&f.budget).Validate(func(s string) error {
			if n, err := strconv.Atoi(strings.TrimSpace(s)); err != nil || n < 1 {
				return errors.New("expected a whole number of at least 1")
			}
			return nil
		}),
		huh.NewSelect[string]().Title("Chosen by").Options(strategies()...).Height(5).Value(&f.flags.strategy),
	).Title("What is measured?")
}

func (f *form) check() *huh.Group {
	return huh.NewGroup(
		huh.NewNote().Title("study.yaml").DescriptionFunc(f.preview, f),
		huh.NewConfirm().Title("Write it?").Affirmative("write").Negative("leave").Value(&f.write),
	)
}

// line is a name of a list with what it means, on a terminal of 80 columns.
func line(width int, name, about string) string {
	return ansi.Truncate(fmt.Sprintf("%-*s %s", width, name, about), 74, "…")
}

func strategies() []huh.Option[string] {
	var out []huh.Option[string]
	for _, s := range search.Strategies() {
		out = append(out, huh.NewOption(line(10, s.Name, s.Line), s.Name))
	}
	return out
}

func (f *form) freeFolder(dir string) error {
	if strings.TrimSpace(dir) == "" {
		return errors.New("a study needs a folder")
	}
	if exists(filepath.Join(dir, study.SpecFile)) {
		return fmt.Errorf("%s has a study already, and nothing is overwritten", dir)
	}
	return nil
}

func there(path string) error {
	path = home(path)
	if strings.TrimSpace(path) == "" {
		return errors.New("a base is needed")
	}
	if hub := strings.Count(path, "/") == 1 && !exists(filepath.Dir(path)); !exists(path) && !hub {
		return errors.New(path + " does not exist")
	}
	return nil
}

func (f *form) validModels(text string) error {
	words := strings.Fields(text)
	if len(words) == 0 {
		return errors.New("at least one model is needed")
	}
	for _, w := range words {
		name, path, ok := strings.Cut(w, "=")
		if !ok || name == "" {
			return fmt.Errorf("expected name=path, found %q", w)
		}
		if err := there(path); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// drafted says what is wrong with the flags in the words of draft, of one page only.
func drafted(f initFlags, flag string) error {
	d := &drafter{flags: f}
	switch flag {
	case "--task":
		d.tasks()
	case "--command":
		d.evaluator()
	}
	if len(d.wrong) == 0 {
		return nil
	}
	return errors.New(strings.TrimPrefix(d.wrong[0], flag+": "))
}

func (f *form) validTasks(text string) error {
	return drafted(initFlags{tasks: strings.Fields(text)}, "--task")
}

func (f *form) validCommand(text string) error {
	return drafted(initFlags{command: text}, "--command")
}

// headers compares the models' headers, as a merge would before it starts.
func (f *form) headers() string {
	if there(f.flags.base) != nil || f.validModels(f.models) != nil {
		return "compared here as soon as the models are named"
	}
	spec := merge.Spec{Base: home(f.flags.base), Method: "task_arithmetic"}
	for _, w := range strings.Fields(f.models) {
		name, path, _ := strings.Cut(w, "=")
		spec.Models = append(spec.Models, merge.Source{Name: name, Path: home(path)})
	}
	plan, err := merge.NewPlan(f.ctx, spec)
	if err != nil {
		return "✗ " + problem.Text(err)
	}
	defer func() { _ = plan.Close() }()
	text := fmt.Sprintf("✓ %d models go together; one merge takes %s", len(spec.Models), bytesText(plan.Bytes()))
	for _, w := range plan.Warnings() {
		text += "\n! " + problem.Text(w)
	}
	return text
}

func (f *form) preview() string {
	text, err := f.settled().draft(f.dir)
	if err != nil {
		return "✗ " + problem.Text(err)
	}
	return strings.ReplaceAll(string(text), "_", `\_`) // a note reads it as Markdown
}

// complete offers the ways in which the last path of a line could go on.
func complete(line string) []string {
	start := strings.LastIndexAny(line, " =") + 1
	head, path := line[:start], line[start:]
	dir, prefix := filepath.Split(path)
	look := dir
	if look == "" {
		look = "."
	}
	entries, err := os.ReadDir(home(look))
	if err != nil {
		return nil
	}
	var out []string
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), prefix) || (prefix == "" && strings.HasPrefix(e.Name(), ".")) {
			continue
		}
		if e.IsDir() || strings.HasSuffix(e.Name(), ".safetensors") {
			out = append(out, head+dir+e.Name())
		}
	}
	return out
}
