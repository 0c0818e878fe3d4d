package cli

import (
	"errors"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/spf13/cobra"

	"parfait/merge"
	"parfait/problem"
)

// extractCommand writes a fine-tuned model as an adapter.
func (a *app) extractCommand() *cobra.Command {
	var f mergeFlags
	out := ""
	var skip []string
	cmd := &cobra.Command{
		Use:   "extract BASE MODEL",
		Short: "Write a fine-tuned model as a LoRA adapter on its base: the nearest one of a rank",
		Long: "Write the difference of a fine-tuned model from its base as a LoRA adapter that PEFT, vLLM and parfait load: of every matrix the singular vectors of its largest singular values. " +
			"It says how much of the change the rank keeps, and how much is in what an adapter has no place for (norms, biases, embeddings). Of a sum of several models: a recipe with form: adapter and max_rank.",
		Example: "parfait extract meta-llama/Llama-3.1-8B models/math --rank 64 --out adapters/math",
		Args:    arguments(2, 2, "a base and a fine-tuned model"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if out == "" {
				return usage("", "--out is missing: the folder to make")
			}
			if f.maxRank < 1 {
				return usage("", "--rank %d: expected 1 or more", f.maxRank)
			}
			name := merge.NameOf(filepath.Base(args[1]))
			spec := merge.Spec{Base: args[0], Models: []merge.Source{{Name: name, Path: args[1]}}, Method: "task_arithmetic", Form: merge.FormAdapter, MaxRank: f.maxRank, DType: f.dtype, Skip: skip}
			r, err := merge.NewRecipe("extract", spec, map[string]float64{name: 1})
			if err != nil {
				return err
			}
			return skipFlags(a.writeRecipe(cmd.Context(), *r, out, f))
		},
	}
	flags := cmd.Flags()
	flags.StringVarP(&out, "out", "o", "", "write to this `FOLDER`, which must not exist")
	flags.IntVar(&f.maxRank, "rank", 64, "the adapter's `rank`; smaller matrices get their own")
	flags.StringVar(&f.dtype, "dtype", "", "write as `DTYPE`, bf16, f16 or f32 (default: f32)")
	flags.StringArrayVar(&skip, "skip", nil, "leave out tensors with names like `GLOB`; one flag each")
	sha256Flag(flags, &f.sha256)
	flags.IntVar(&f.workers, "workers", 0, "use `N` processors; never changes a byte (default: all, at most 8)")
	_ = cmd.RegisterFlagCompletionFunc("dtype", cobra.FixedCompletions([]string{"bf16", "f16", "f32"}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

var (
	skipEntry   = regexp.MustCompile(`skip: \[('[^']*'(?:, '[^']*')*)\]`)
	skippedGlob = regexp.MustCompile(`'[^']*'`)
	withVocab   = "(--pad-vocab) to keep them; or "
)

// skipFlags turns what problems advise to write into a recipe into flags, for commands that have no recipe.
func skipFlags(err error) error {
	var list problem.List
	if !errors.As(err, &list) {
		return err
	}
	for i, p := range list {
		if _, after, ok := strings.Cut(p.Fix, withVocab); ok {
			p.Fix = after // these commands merge no vocabularies
		}
		list[i].Fix = skipEntry.ReplaceAllStringFunc(p.Fix, func(entry string) string {
			return "--skip " + strings.Join(skippedGlob.FindAllString(entry, -1), " --skip ")
		})
	}
	return list
}
