package cli

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"parfait/merge"
)

// prepareFlags say what is prepared, and where it goes.
type prepareFlags struct {
	base, out, dtype string
	shardSize        size
	sha256           *bool
	workers          int
	plan             bool
	skip             []string
	prepare          merge.Preparation
	form             merge.Form
}

func (a *app) prepareCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "prepare",
		Short: "Change task vectors by their singular vectors, once: TSV-M, KnOTS, Iso",
		Long: "Some methods change the matrices of task vectors by their singular vectors before they are summed. That takes long and does not depend on the coefficients, so that it is done once: " +
			"tsv and knots write models in the place of those that they are given, and a study of task arithmetic on them searches the method's coefficients, at the price of task arithmetic. " +
			"What each command takes is said before it begins (--plan says only that), and one that was ended goes on where it stopped when it is given again.",
		Args: arguments(0, 0, "tsv, knots or iso"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return usage("`parfait prepare tsv --help` has an example", "expected tsv, knots or iso")
		},
	}
	cmd.AddCommand(a.prepareTSV(), a.prepareKnots(), a.prepareIso())
	return cmd
}

func (a *app) prepareTSV() *cobra.Command {
	f := prepareFlags{prepare: merge.Preparation{Name: merge.PrepareTSV}}
	cmd := &cobra.Command{
		Use:   "tsv MODELS…",
		Short: "Orthogonalise the task vectors of models: their sum is then TSV-M",
		Long: "Write a model for each of these, so that task arithmetic on them is TSV-M (Task Singular Vectors, arXiv 2412.00081): every matrix of a task vector is brought to its share of the rank, and the singular vectors of all tasks are made orthogonal together. " +
			"Tensors that are no matrices are averaged: each model has its part of the mean. Weights of 1 are the paper's merge.",
		Example: "parfait prepare tsv models/math models/code --base models/base --out prepared\nparfait init my.study --base models/base --model math=prepared/math --model code=prepared/code --task gsm8k:rate --command 'python evaluate.py {model}'",
		Args:    arguments(1, 1000, "models: folders or .safetensors files, NAME=PATH to name them"),
		RunE:    func(cmd *cobra.Command, args []string) error { return a.prepare(cmd.Context(), args, f) },
	}
	cmd.Flags().Float64Var(&f.prepare.Rank, "rank", 0, "the `SHARE` of a matrix's rank that each task keeps (default: 1/N of N models)")
	f.register(cmd.Flags(), "write as `DTYPE`, bf16, f16, f32 or as-base (default: as the base)", true)
	return cmd
}

func (a *app) prepareKnots() *cobra.Command {
	f := prepareFlags{prepare: merge.Preparation{Name: merge.PrepareKnots}, form: merge.FormAdapter}
	ties, density := false, 0.2
	cmd := &cobra.Command{
		Use:   "knots ADAPTERS…",
		Short: "Bring LoRA adapters to one basis: KnOTS, and with --ties KnOTS-TIES",
		Long: "Write an adapter for each of these in a basis that all share (KnOTS, arXiv 2410.19735): a joint singular value decomposition of their updates gives one left matrix a module, and each adapter its own right one. " +
			"Without --ties the adapters do what they did, so that their sum is plain task arithmetic; with it their right matrices are trimmed, signs are elected, and what agrees is averaged, so that weights of 1 are KnOTS-TIES.",
		Example: "parfait prepare knots adapters/math adapters/code --base models/base --ties --out aligned",
		Args:    arguments(1, 1000, "LoRA adapters: folders as PEFT writes them, NAME=PATH to name them"),
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case ties && !(density > 0 && density <= 1):
				return usage("", "--density %v: expected a share above 0 and up to 1", density)
			case ties:
				f.prepare.Density = density
			case cmd.Flags().Changed("density"):
				return usage("add --ties", "--density is the share of the entries that TIES keeps, and there is no --ties")
			}
			return a.prepare(cmd.Context(), args, f)
		},
	}
	cmd.Flags().BoolVar(&ties, "ties", false, "trim the right matrices, elect signs, average what agrees")
	cmd.Flags().Float64Var(&density, "density", density, "the `SHARE` of the entries that --ties keeps")
	f.register(cmd.Flags(), "write as `DTYPE`, bf16, f16 or f32 (default: f32)", false)
	return cmd
}

func (a *app) prepareIso() *cobra.Command {
	f := prepareFlags{prepare: merge.Preparation{Name: merge.PrepareIsoC}}
	cts, common := false, 0.8
	cmd := &cobra.Command{
		Use:   "iso MODELS…",
		Short: "Write the isotropic merge of models, Iso-C or Iso-CTS, as one model",
		Long: "Write one model whose task vector is the sum of these models' with all singular values of a matrix made the same (Iso-C, arXiv 2502.04959), or with --cts the same after the least of its directions have given way to those of single tasks (Iso-CTS). " +
			"What comes out does not split into models, so that a study on it has one coefficient, its scale: the paper's best are 1 to 1.5, for LoRA about 4. Tensors that are no matrices are averaged.",
		Example: "parfait prepare iso models/math models/code --base models/base --cts --out iso",
		Args:    arguments(1, 1000, "models: folders or .safetensors files, NAME=PATH to name them"),
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case cts && !(common > 0 && common <= 1):
				return usage("", "--common %v: expected a share above 0 and up to 1", common)
			case cts:
				f.prepare = merge.Preparation{Name: merge.PrepareIsoCTS, Common: common}
			case cmd.Flags().Changed("common"):
				return usage("add --cts", "--common is the share of the rank that Iso-CTS leaves to the sum, and there is no --cts")
			}
			return a.prepare(cmd.Context(), args, f)
		},
	}
	cmd.Flags().BoolVar(&cts, "cts", false, "Iso-CTS: give part of the rank to the tasks' own directions")
	cmd.Flags().Float64Var(&common, "common", common, "the `SHARE` of the rank that --cts leaves to the sum")
	f.register(cmd.Flags(), "write as `DTYPE`, bf16, f16, f32 or as-base (default: as the base)", true)
	return cmd
}

// register adds the flags that all have.
func (f *prepareFlags) register(flags *pflag.FlagSet, dtype string, sharded bool) {
	flags.StringVar(&f.base, "base", "", "the `MODEL` that they were fine-tuned from")
	flags.StringVarP(&f.out, "out", "o", "", "write to this `FOLDER`, which must not exist")
	flags.StringVar(&f.dtype, "dtype", "", dtype)
	flags.StringArrayVar(&f.skip, "skip", nil, "take tensors with names like `GLOB` from the base; one flag each")
	if sharded {
		flags.Var(&f.shardSize, "shard-size", "at most `SIZE` of tensors a file (default: 5GB)")
	}
	sha256Flag(flags, &f.sha256)
	flags.IntVar(&f.workers, "workers", 0, "use `N` processors; never changes a byte (default: all, at most 8)")
	flags.BoolVar(&f.plan, "plan", false, "only say what it would take and what stands in its way")
}

type prepareJSON struct {
	Out      string            `json:"out"`
	Cost     merge.Cost        `json:"cost"`
	Seconds  float64           `json:"seconds"` // about, as it was estimated before
	Written  bool              `json:"written"` // false: with --plan
	Models   []preparedJSON    `json:"models"`
	Warnings []merge.Problem   `json:"warnings"`
	Prepare  merge.Preparation `json:"prepare"`
}

type preparedJSON struct {
	Path    string           `json:"path"`
	Receipt string           `json:"receipt"`
	Bytes   int64            `json:"bytes"`
	Files   []merge.FileInfo `json:"files"`
}

func (a *app) prepare(ctx context.Context, args []string, f prepareFlags) (err error) {
	switch {
	case f.out == "":
		return usage("", "--out is missing: the folder to make")
	case f.base == "":
		return usage("", "--base is missing: the model that these were fine-tuned from")
	}
	spec := merge.Spec{Base: home(f.base), Method: "task_arithmetic", Prepare: f.prepare, Form: f.form, DType: f.dtype, Skip: f.skip}
	for _, arg := range args {
		spec.Models = append(spec.Models, source(arg, spec.Models))
	}
	out, err := filepath.Abs(home(f.out))
	if err != nil {
		return err
	}
	if err := merge.CheckTarget(out); err != nil {
		return err
	}
	plan, err := merge.NewPlan(ctx, spec)
	if err != nil {
		return skipFlags(err)
	}
	defer func() { err = errors.Join(err, plan.Close()) }()
	j := prepareJSON{Out: out, Cost: plan.PreparationCost(f.workers), Models: []preparedJSON{}, Warnings: plan.Warnings(), Prepare: f.prepare}
	if j.Warnings == nil {
		j.Warnings = []merge.Problem{}
	}
	takes := j.Cost.Duration()
	j.Seconds = takes.Seconds()
	if !a.json {
		if err := warn(a, j.Warnings); err != nil {
			return err
		}
		to := a.err
		if f.plan {
			to = a.out
		}
		if _, err := fmt.Fprintf(to, "%s; about %s here\n", j.Cost, durationText(max(takes, time.Second))); err != nil {
			return err
		}
	}
	if f.plan {
		if a.json {
			return a.printJSON(a.out, j)
		}
		return nil
	}
	receipts, err := a.writePrepared(ctx, plan, out, f)
	if err != nil {
		return err
	}
	for _, r := range receipts {
		j.Models = append(j.Models, preparedJSON{r.Target, filepath.Join(r.Target, merge.ReceiptFile), r.Bytes(), r.Outputs})
	}
	j.Written = true
	return a.printPrepared(j)
}

func (a *app) writePrepared(ctx context.Context, plan *merge.Plan, out string, f prepareFlags) (made []merge.Prepared, err error) {
	undo, err := makeParents(out)
	if err != nil {
		return nil, err
	}
	p := a.progress()
	show := func(m merge.Progress) { p.show(m.Stage, m.Done, m.Total, standing(m)) }
	made, err = plan.Prepare(ctx, out, merge.ExportOptions{ShardSize: int64(f.shardSize), SHA256: f.sha256, Workers: f.workers}, show)
	p.end()
	if err == nil {
		return made, nil
	}
	kept := (*merge.Unfinished)(nil)
	what := "nothing was left behind"
	if errors.As(err, &kept) {
		what = fmt.Sprintf("%d of %d matrices are written and kept in %s: the same command goes on with the others", kept.Done, kept.Of, shown(kept.Folder))
	} else {
		undo()
	}
	if interrupted(ctx) {
		return nil, &fault{exit: ExitInterrupted, what: "interrupted: " + what}
	}
	if kept != nil {
		_, _ = fmt.Fprintln(a.err, what)
	}
	return nil, err
}

func (a *app) printPrepared(j prepareJSON) error {
	if a.json {
		return a.printJSON(a.out, j)
	}
	for _, m := range j.Models {
		if _, err := fmt.Fprintf(a.out, "%s: %s in %s, read back and compared\n", shown(m.Path), bytesText(m.Bytes), count(len(m.Files), "file")); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(a.out, "check again: parfait verify %s --recompute\n", shown(j.Models[0].Path))
	return err
}
