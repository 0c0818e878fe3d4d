package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"parfait/merge"
	"parfait/merge/codes"
	"parfait/problem"
	"parfait/study"
)

// size is a flag that takes a number of bytes as people write it.
type size int64

func (s *size) String() string {
	if *s == 0 {
		return ""
	}
	return bytesText(int64(*s))
}

func (s *size) Set(text string) error {
	n, ok := study.ParseSize(text)
	if !ok || n < 1 {
		return fmt.Errorf("expected a size such as 5GB or 500MiB, found %q", text)
	}
	*s = size(n)
	return nil
}

func (s *size) Type() string { return "SIZE" }

// mergeFlags change a recipe on the command line.
type mergeFlags struct {
	dtype     string
	form      string
	maxRank   int
	shardSize size
	sha256    *bool
	crop, pad bool
	workers   int
	moved     movedFlag
	models    []string
}

// movedFlag is the flag OLD=NEW of what takes models from where they are now.
type movedFlag struct {
	was, now string
	seen     string // where the spec has its first model
}

func (m *movedFlag) String() string {
	if m.was == "" {
		return ""
	}
	return m.was + "=" + m.now
}

func (m *movedFlag) Set(text string) (err error) {
	was, now, ok := strings.Cut(text, "=")
	if !ok || was == "" || now == "" {
		return fmt.Errorf("expected OLD=NEW, two folders, found %q", text)
	}
	if m.was, err = filepath.Abs(home(was)); err != nil {
		return err
	}
	m.now, err = filepath.Abs(home(now))
	return err
}

func (m *movedFlag) Type() string { return "OLD=NEW" }

// spec is s with its models where they are now.
func (m *movedFlag) spec(s merge.Spec) merge.Spec {
	m.seen = s.Base
	if m.seen == "" && len(s.Models) > 0 {
		m.seen = s.Models[0].Path
	}
	if m.was == "" {
		return s
	}
	return s.Relocated(m.was, m.now)
}

// hint adds to the error of a model that is not in its place that it may have moved.
func (m *movedFlag) hint(err error) error {
	if m.was != "" || m.seen == "" || !errors.Is(err, merge.Problem{Code: codes.Open}) {
		return err
	}
	return &fault{exit: exitOf(err), what: err.Error(), fix: "if the models have moved, say where to: --moved " + quoted(filepath.Dir(m.seen)) + "=NEW"}
}

func (a *app) mergeCommand() *cobra.Command {
	var f mergeFlags
	cmd := &cobra.Command{
		Use:   "merge [RECIPE] OUT",
		Short: "Execute a recipe: write the checkpoint that it describes",
		Long: "Execute a recipe without its study; an export's folder stands for the recipe in it. Everything is checked from the headers before a weight is read; OUT appears complete and checked, or not at all, and is never overwritten. " +
			"The same recipe gives the same bytes, whatever the machine and the number of workers.\n\n" +
			"--models in place of a recipe writes the plain average of what it finds, such as the last checkpoints of a run; for anything else a recipe's models take a glob.",
		Example: "parfait merge my.study/exports/pick-1/recipe.yaml merged --dtype bf16\n\n# the average of checkpoints\nparfait merge --models 'checkpoints/step-*' averaged",
		Args:    arguments(1, 2, "a recipe and the folder to make"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if (len(f.models) > 0) == (len(args) == 2) {
				return usage("usage: parfait merge RECIPE OUT, or parfait merge --models GLOB OUT", "expected a recipe and the folder to make, or --models GLOB and the folder")
			}
			if len(f.models) > 0 {
				r, err := average(f.models)
				if err != nil {
					return err
				}
				return a.merge(cmd.Context(), r, args[0], f)
			}
			r, err := readRecipe(args[0], args[1])
			if err != nil {
				return err
			}
			return a.merge(cmd.Context(), r, args[1], f)
		},
	}
	flags := cmd.Flags()
	flags.StringArrayVar(&f.models, "models", nil, "in place of a recipe, average the models that a `GLOB` of paths finds, such as 'checkpoints/step-*'; one flag each")
	flags.StringVar(&f.dtype, "dtype", "", "write as `DTYPE`, bf16, f16, f32 or as-base, instead of what the recipe says")
	flags.IntVar(&f.maxRank, "max-rank", 0, "write an adapter of at most this `rank`: the nearest one, by truncated singular values, and the receipt says how near")
	flags.StringVar(&f.form, "form", "", "write a `full|adapter` checkpoint (adapter: where every model is a LoRA adapter) instead of what the recipe says")
	flags.Var(&f.shardSize, "shard-size", "at most `SIZE` of tensors a file (default: 5GB)")
	sha256Flag(flags, &f.sha256)
	flags.BoolVar(&f.crop, "crop-vocab", false, "leave out vocabulary rows that not every model has")
	flags.BoolVar(&f.pad, "pad-vocab", false, "keep vocabulary rows that only some models have")
	flags.IntVar(&f.workers, "workers", 0, "use `N` processors; never changes a byte (default: all, at most 8)")
	flags.Var(&f.moved, "moved", "with `OLD=NEW`, take what the recipe has in the folder OLD from NEW")
	cmd.MarkFlagsMutuallyExclusive("crop-vocab", "pad-vocab")
	_ = cmd.RegisterFlagCompletionFunc("form", cobra.FixedCompletions([]string{"full", "adapter"}, cobra.ShellCompDirectiveNoFileComp))
	_ = cmd.RegisterFlagCompletionFunc("dtype", cobra.FixedCompletions([]string{"bf16", "f16", "f32", "as-base"}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

type mergeJSON struct {
	Out          string             `json:"out"`
	Coefficients map[string]float64 `json:"coefficients"`
	Receipt      string             `json:"receipt"`
	Files        []merge.FileInfo   `json:"files"`
	Bytes        int64              `json:"bytes"`
	Truncation   *merge.Cut         `json:"truncation,omitempty"`
	Notes        []string           `json:"notes,omitempty"`
	Warnings     []merge.Problem    `json:"warnings"`
}

// average is the recipe of the plain average of the models that some globs find.
func average(globs []string) (*merge.Recipe, error) {
	spec := merge.Spec{Method: "linear"}
	weights := map[string]float64{}
	var wrong []error
	for _, glob := range globs {
		found, err := merge.Find("", glob, "", "")
		wrong = append(wrong, err)
		for _, m := range found {
			weights[m.Name] = 1
		}
		spec.Models = append(spec.Models, found...)
	}
	if err := errors.Join(wrong...); err != nil {
		return nil, err
	}
	return merge.NewRecipe("--models", spec, weights)
}

// readRecipe reads a recipe of which out is to be made.
func readRecipe(recipe, out string) (*merge.Recipe, error) {
	if isStudy(studyDir([]string{recipe})) {
		return nil, usage("write one of its merges: parfait export "+quoted(studyDir([]string{recipe}))+" --knee --out "+quoted(out), "%s is a study, not a recipe", recipe)
	}
	return merge.ReadRecipe(recipe)
}

func (a *app) merge(ctx context.Context, r *merge.Recipe, out string, f mergeFlags) (err error) {
	*r = r.Mapped(f.moved.spec)
	spec := r.Spec()
	if f.dtype != "" {
		spec.DType = f.dtype
	}
	switch f.form {
	case "":
	case "full":
		spec.Form, spec.MaxRank = merge.FormFull, 0
	case "adapter":
		spec.Form = merge.FormAdapter
	default:
		return usage("", "%s", problem.Unknown("", "--form", "form", f.form, []string{"full", "adapter"}))
	}
	if f.maxRank != 0 {
		spec.MaxRank = f.maxRank
	}
	switch {
	case f.crop:
		spec.Vocab = merge.VocabCrop
	case f.pad:
		spec.Vocab = merge.VocabPad
	}
	return a.writeRecipe(ctx, r.With(spec), out, f)
}

// writeRecipe writes what a recipe describes.
func (a *app) writeRecipe(ctx context.Context, r merge.Recipe, out string, f mergeFlags) (err error) {
	if out, err = filepath.Abs(out); err != nil {
		return err
	}
	undo, err := makeParents(out)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			undo()
		}
	}()
	p := a.progress()
	show := func(m merge.Progress) { p.show(m.Stage, m.Done, m.Total, standing(m)) }
	plan, err := r.Plan(ctx, out, f.workers, show)
	if err != nil {
		p.end()
		return f.moved.hint(err)
	}
	defer func() { err = errors.Join(err, plan.Close()) }()
	receipt, err := plan.Export(ctx, r.At(), out, merge.ExportOptions{ShardSize: int64(f.shardSize), SHA256: f.sha256, Workers: f.workers}, show)
	p.end()
	if err != nil {
		if interrupted(ctx) {
			return &fault{exit: ExitInterrupted, what: "interrupted: nothing was left behind"}
		}
		return err
	}
	j := mergeJSON{Out: out, Coefficients: r.At(), Receipt: filepath.Join(out, merge.ReceiptFile), Files: receipt.Outputs, Bytes: receipt.Bytes(), Truncation: receipt.Cut, Notes: receipt.Notes, Warnings: receipt.Warnings}
	if j.Warnings == nil {
		j.Warnings = []merge.Problem{}
	}
	if a.json {
		return a.printJSON(a.out, j)
	}
	if err := warn(a, j.Warnings); err != nil {
		return err
	}
	said := receipt.Notes
	if receipt.Cut != nil {
		said = append([]string{receipt.Cut.String()}, said...)
	}
	for _, line := range said {
		if _, err := fmt.Fprintln(a.out, line); err != nil {
			return err
		}
	}
	_, err = fmt.Fprintf(a.out, "%s: %s in %s, read back and compared\ncheck again: parfait verify %s\n", shown(out), bytesText(j.Bytes), count(len(j.Files), "file"), shown(out))
	return err
}

// makeParents makes the folders that a target is to stand in. undo removes those that it made, as far
// as nothing else has been put there.
func makeParents(target string) (undo func(), err error) {
	var made []string
	undo = func() {
		for _, dir := range made {
			_ = os.Remove(dir)
		}
	}
	for dir := filepath.Dir(target); ; dir = filepath.Dir(dir) {
		if _, err := os.Lstat(dir); !errors.Is(err, fs.ErrNotExist) {
			break
		}
		made = append(made, dir) // the innermost first
	}
	if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
		undo()
		why := err.Error()
		if p := (*fs.PathError)(nil); errors.As(err, &p) {
			why = p.Err.Error()
		}
		return nil, merge.Problem{
			Code: codes.Permission, Where: filepath.Dir(target), What: "the folder cannot be made: " + why,
			Expected: "a folder that may be made or is there", Fix: "choose another folder or change its permissions",
		}
	}
	return undo, nil
}
