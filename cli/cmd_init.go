package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/renameio/v2"
	"github.com/spf13/cobra"

	"parfait/merge"
	"parfait/merge/method"
	"parfait/search"
	"parfait/study"
)

// initFlags are what `parfait init` is told; draft.go writes them down.
type initFlags struct {
	base     string
	models   []string
	globs    []string
	ranges   string
	method   string
	params   []string
	skip     []string
	crop     bool
	files    string
	pad      bool
	dtype    string
	tasks    []string
	command  string
	lmEval   []string
	parallel int
	timeout  string
	strategy string
	budget   int
	seed     uint64
	print    bool
	try      bool
}

func (a *app) initCommand() *cobra.Command {
	var f initFlags
	cmd := &cobra.Command{
		Use:   "init [DIR]",
		Short: "Write the study.yaml of a study of your own, checked against the models",
		Long: "Write DIR/study.yaml, with comments, from flags. Before it is written the models' headers are compared, so that what cannot be merged is known now and not after the first night. An existing study is never overwritten.\n\n" +
			"The command measures one merge: it gets the folder of the merged model for {model}, and prints one JSON object with a number a task as its last line. " +
			"{split} is validation or test; docs/evaluators.md has the rest. With --lm-eval it is the lm-evaluation-harness.\n\n" +
			"Without --base, --model, --models, --task, --command and --lm-eval, in a terminal, it asks for them one after the other and shows what the models' headers say.",
		Example: `parfait init my.study \
  --base models/base --model math=models/math --model code=models/code \
  --task gsm8k:rate --task humaneval:rate --task perplexity:loss:guard \
  --command 'python evaluate.py --model {model} --split {split}'

# with the lm-evaluation-harness; it is tried on the base first
parfait init my.study --base models/base --model math=models/math --model code=models/code \
  --lm-eval mmlu --lm-eval math=gsm8k_cot/exact_match,strict-match --try`,
		Args: arguments(0, 1, "the study's folder"),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			dir := ""
			if len(args) > 0 {
				dir = args[0]
			}
			if f.base == "" && f.command == "" && len(f.lmEval) == 0 && len(f.models)+len(f.globs)+len(f.tasks) == 0 && a.needTerminal("") == nil {
				if dir, f, err = a.askInit(cmd.Context(), dir, f); err != nil {
					return err
				}
			}
			if dir == "" {
				return usage("`parfait init --help` has an example", "which folder shall the study have?")
			}
			return a.init(cmd.Context(), dir, f)
		},
	}
	var methods, strategies choices
	for _, m := range method.All() {
		methods.add(m.Name, m.About)
	}
	for _, s := range search.Strategies() {
		strategies.add(s.Name, s.Line)
	}
	flags := cmd.Flags()
	flags.StringVar(&f.base, "base", "", "the model that the others were fine-tuned from: a `FOLDER`, a .safetensors file, or a hub id in the local cache")
	flags.StringArrayVar(&f.models, "model", nil, "a fine-tuned model as `NAME=PATH`; one flag each")
	flags.StringArrayVar(&f.globs, "models", nil, "all fine-tuned models that a `GLOB` of paths finds, such as 'checkpoints/step-*', in numeric order, each called after its folder; one flag each")
	flags.StringVar(&f.ranges, "range", "", "the range `LOW,HIGH` of every model's coefficient (default 0,1.2; of proportions, as of linear and fisher, 0,1)")
	flags.StringVar(&f.method, "method", "task_arithmetic", "the merge `METHOD`: "+strings.Join(methods.names, ", "))
	flags.StringArrayVar(&f.params, "param", nil, "a parameter of the method as `NAME=VALUE`, or NAME=LOW:HIGH to search it; one flag each")
	flags.StringArrayVar(&f.skip, "skip", nil, "take tensors with names like `GLOB` from the base; one flag each")
	flags.BoolVar(&f.crop, "crop-vocab", false, "leave out vocabulary rows that not every model has")
	flags.BoolVar(&f.pad, "pad-vocab", false, "keep vocabulary rows that only some models have")
	flags.StringVar(&f.files, "files", "", "give merges the configuration, tokenizer and chat template of the model `NAME`, instead of the base's")
	flags.StringVar(&f.dtype, "dtype", "as-base", "the `DTYPE` of what is written: as-base, bf16, f16 or f32")
	flags.StringArrayVar(&f.tasks, "task", nil, "a task as `NAME[:UNIT]`, such as gsm8k:rate; unit rate, loss or a word of yours; then, where it is so, :minimize and :guard or :info; one flag each")
	flags.StringVar(&f.command, "command", "", "the `COMMAND` that measures a merge")
	flags.StringArrayVar(&f.lmEval, "lm-eval", nil, "measure with the lm-evaluation-harness: its `TASKS,…`, or one as [NAME=]TASK/METRIC; one flag each; instead of --command")
	flags.IntVar(&f.parallel, "parallel", 1, "measure `N` merges at once")
	flags.StringVar(&f.timeout, "timeout", "", "the longest `TIME` that one may take, such as 30m")
	flags.StringVar(&f.strategy, "strategy", "adaptive", "the `STRATEGY` that chooses what to measure: "+strings.Join(strategies.names, ", "))
	flags.IntVar(&f.budget, "budget", 60, "measure `N` merges")
	flags.Uint64Var(&f.seed, "seed", 1, "the search's seed `N`")
	flags.BoolVar(&f.try, "try", false, "before the study is written, measure the base once: what is reported, and how long it takes")
	flags.BoolVar(&f.print, "print", false, "print the study.yaml instead of writing it")
	cmd.MarkFlagsMutuallyExclusive("command", "lm-eval")
	cmd.MarkFlagsMutuallyExclusive("try", "print")
	cmd.MarkFlagsMutuallyExclusive("crop-vocab", "pad-vocab")
	_ = cmd.RegisterFlagCompletionFunc("method", cobra.FixedCompletions(methods.explained, cobra.ShellCompDirectiveNoFileComp))
	_ = cmd.RegisterFlagCompletionFunc("strategy", cobra.FixedCompletions(strategies.explained, cobra.ShellCompDirectiveNoFileComp))
	_ = cmd.MarkFlagDirname("base")
	return cmd
}

// choices are the values that a flag may have, and the same with what they mean, for completions.
type choices struct{ names, explained []string }

func (c *choices) add(name, about string) {
	c.names, c.explained = append(c.names, name), append(c.explained, name+"\t"+about)
}

type initJSON struct {
	Study    string          `json:"study,omitempty"`
	File     string          `json:"file,omitempty"`
	Text     string          `json:"text"` // of study.yaml
	Summary  merge.Summary   `json:"summary"`
	Warnings []merge.Problem `json:"warnings"`
	Tried    []triedJSON     `json:"tried,omitempty"` // what the evaluators report of the base
}

func (a *app) init(ctx context.Context, dir string, f initFlags) (err error) {
	file := filepath.Join(dir, study.SpecFile)
	if exists(file) && !f.print {
		return &fault{exit: ExitExists, what: file + " exists, and nothing is overwritten", fix: "edit it, or choose another folder"}
	}
	text, spec, err := f.spec(dir, file)
	if err != nil {
		return err
	}
	plan, err := merge.NewPlan(ctx, mergeSpec(dir, spec))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, plan.Close()) }()
	s := plan.Summary()
	s.Warnings = append(append(s.Warnings, spec.Doubts()...), doubtCommands(dir, spec)...)
	j := initJSON{Text: string(text), Summary: s, Warnings: append([]merge.Problem{}, s.Warnings...)}
	switch {
	case f.print && a.json:
		return a.printJSON(a.out, j)
	case f.print:
		if _, err := a.out.Write(text); err != nil {
			return err
		}
		return warn(a, s.Warnings)
	}
	if _, err := makeParents(file); err != nil {
		return err
	}
	var tried []study.Tried
	if f.try {
		if tried, err = a.try(ctx, dir, spec, plan); err != nil {
			_ = os.Remove(dir) // where nothing else is in it
			if !a.json {
				err = errors.Join(warn(a, s.Warnings), err)
			}
			return err
		}
		j.Tried = triedOf(tried)
	}
	if err := renameio.WriteFile(file, text, 0o644); err != nil {
		return err
	}
	if a.json {
		abs, err := filepath.Abs(dir)
		if err != nil {
			return err
		}
		j.Study, j.File = abs, filepath.Join(abs, study.SpecFile)
		return a.printJSON(a.out, j)
	}
	if err := a.printSummary(s); err != nil {
		return err
	}
	if err := a.printTried(spec, tried); err != nil {
		return err
	}
	here := quoted(dir)
	_, err = fmt.Fprintf(a.out, "\n%s is written; look it over\nthen measure: parfait run %s --headless\nor explore:   parfait %s   (s starts the run)\n", shown(file), here, here)
	return err
}

// spec is the study.yaml that the flags make, as text and read. Without a range the models' coefficients have the usual
// one, but for proportions, which may be anything then.
func (f initFlags) spec(dir, file string) ([]byte, *study.Spec, error) {
	text, err := f.draft(dir)
	if err != nil {
		return nil, nil, err
	}
	spec, err := study.ParseSpec(file, text)
	switch {
	case err != nil:
		return nil, nil, &fault{exit: ExitUsage, what: "these flags make no study:\n" + err.Error()}
	case f.ranges == "" && !spec.Proportions():
		f.ranges = "0,1.2"
		return f.spec(dir, file)
	}
	return text, spec, nil
}

// mergeSpec is what a study will merge, for the check of the headers. Paths are meant from dir.
func mergeSpec(dir string, s *study.Spec) merge.Spec {
	from := func(path string) string {
		path = home(path)
		if local := filepath.Join(dir, path); !filepath.IsAbs(path) && exists(local) {
			return local
		}
		return path
	}
	m := merge.Spec{
		Tokenizer: s.Side.Tokenizer, PadVocab: s.Side.PadVocab, ChatTemplate: s.Side.ChatTemplate, Files: s.Side.Files,
		Base: from(s.Base), Method: s.Method.Name, Params: s.Method.Params, Skip: s.Skip, DType: s.DType, Seed: s.Search.Seed, Masks: s.Masks, VarianceCorrection: s.Variance, Vocab: s.Vocab, Profile: s.Profile,
	}
	for _, model := range s.Models {
		m.Models = append(m.Models, merge.Source{Name: model.Name, Path: from(model.Path)})
	}
	for _, g := range s.Groups {
		m.Groups = append(m.Groups, merge.Group{Name: g.Name, Match: g.Match})
	}
	return m
}

// fromStudy is a path on the command line as study.yaml has to say it: relative to the study's folder.
// What does not exist (a hub id, a program) stays as it is.
func fromStudy(dir, path string) string {
	path = home(path)
	if path == "" || filepath.IsAbs(path) || !exists(path) {
		return path
	}
	from, err := filepath.Abs(dir)
	if err != nil {
		return path
	}
	to, err := filepath.Abs(path)
	if err != nil {
		return path
	}
	rel, err := filepath.Rel(from, to)
	if err != nil || strings.HasPrefix(rel, "../../../") {
		return to
	}
	return rel
}
