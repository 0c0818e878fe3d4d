package cli

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"parfait/evaluator"
	"parfait/explore"
	"parfait/internal/sshsig"
	"parfait/merge"
	"parfait/study"
	"parfait/visible"
)

func (a *app) exportCommand() *cobra.Command {
	var w pointFlags
	var r study.ExportRequest
	var shards size
	var plan, anyway bool
	var keyFile string
	cmd := a.onStudy(&cobra.Command{
		Use:   "export",
		Short: "Write a trade-off as a checkpoint, checked, with its receipt",
		Long: "Write the merge at one point as a checkpoint that loads anywhere: staged, read back, renamed in one step, never over something else; with receipt.json (hashes of inputs and outputs, recipe, predicted and measured metrics, its own hash kept by the study), a model card, and recipe.yaml that makes the same bytes without the study. " +
			"--verify measures what was written on the validation split, to compare with the prediction, and on the test split, which the search has never seen.",
		Example: "parfait export my.study --knee --out merged --verify\n\n# what it would take, and whether it can\nparfait export my.study --knee --out merged --plan",
	}, analysed, func(cmd *cobra.Command, s *study.Study, snap *study.Snapshot) error {
		c, err := w.choose(cmd.Context(), snap)
		if err != nil {
			return err
		}
		r.X, r.ShardSize, r.Who = c.X, int64(shards), who()
		if r.Why == "" {
			r.Why = c.Why
		}
		stands := mayKeep(snap, c, anyway)
		var unsigned error
		if keyFile != "" && (plan || stands == nil) {
			var key *sshsig.Key
			if key, unsigned = a.openKey(cmd.Context(), keyFile); unsigned == nil {
				defer func() { _ = key.Close() }()
				r.Sign = signer(key)
			}
		}
		if plan {
			return a.planExport(s, r, stands, unsigned)
		}
		if err := cmp.Or(stands, unsigned); err != nil {
			return err
		}
		return a.export(cmd.Context(), s, snap, c, r)
	})
	w.add(cmd)
	completeTasks(cmd, "best", "order")
	f := cmd.Flags()
	f.StringVar(&r.Out, "out", "", "the `FOLDER` to make (default: exports/NAME in the study)")
	f.StringVar(&r.Name, "name", "", "its `NAME` in the study (default: the folder's)")
	f.StringVar(&r.DType, "dtype", "", "write as `DTYPE`, bf16, f16, f32 or as-base, instead of what study.yaml says")
	f.StringVar(&r.Form, "form", "", "write a `full|adapter` checkpoint (adapter: where every model is a LoRA adapter; default: what the evaluators measured)")
	f.Var(&shards, "shard-size", "at most `SIZE` of tensors a file (default: 5GB)")
	sha256Flag(f, &r.SHA256)
	f.StringVar(&keyFile, "sign", "", "sign the receipt with the SSH key `KEYFILE`, again after each measurement of --verify: see parfait sign")
	f.BoolVar(&r.Verify, "verify", false, "measure what was written, on validation and test; exit code 10 where it is not as predicted")
	f.StringVar(&r.Why, "why", "", "the `REASON` for this trade-off, for the receipt and the model card")
	anywayFlag(cmd, &anyway)
	f.BoolVar(&plan, "plan", false, "only say what it would take and what stands in its way")
	_ = cmd.RegisterFlagCompletionFunc("dtype", cobra.FixedCompletions([]string{"bf16", "f16", "f32", "as-base"}, cobra.ShellCompDirectiveNoFileComp))
	_ = cmd.RegisterFlagCompletionFunc("form", cobra.FixedCompletions([]string{study.FormFull, study.FormAdapter}, cobra.ShellCompDirectiveNoFileComp))
	_ = cmd.MarkFlagDirname("out")
	return cmd
}

type planJSON struct {
	Out      string   `json:"out"`
	Bytes    int64    `json:"bytes"`
	Free     int64    `json:"free"`
	Problems []string `json:"problems"`
	Warnings []string `json:"warnings"`
}

func (a *app) planExport(s *study.Study, r study.ExportRequest, stand ...error) error {
	c, err := s.PlanExport(r)
	if err != nil {
		return err
	}
	for _, stands := range stand {
		if stands == nil {
			continue
		}
		c.Problems = append(c.Problems, stands.Error())
	}
	if a.json {
		return a.printJSON(a.out, planJSON{c.Out, c.Bytes, c.Free, orEmpty(c.Problems), orEmpty(c.Warnings)})
	}
	text := fmt.Sprintf("%s: %s to write, %s free", shown(c.Out), bytesText(c.Bytes), bytesText(c.Free))
	if c.Estimate > 0 {
		text += ", about " + durationText(c.Estimate)
	}
	for _, p := range c.Problems {
		text += "\n  ✗ " + strings.ReplaceAll(p, "\n", "\n  ")
	}
	for _, p := range c.Warnings {
		text += "\n  ! " + p
	}
	_, err = fmt.Fprintln(a.out, text)
	return err
}

func orEmpty(s []string) []string {
	if s == nil {
		return []string{}
	}
	return s
}

type exportJSON struct {
	Out          string                                    `json:"out"`
	Name         string                                    `json:"name"`
	Coefficients map[string]number                         `json:"coefficients"`
	Predicted    map[string]predictionJSON                 `json:"predicted"`
	Doubt        string                                    `json:"doubt"`         // why predicted is not to be believed; "" where it is
	BelowBase    []string                                  `json:"below_base"`    // objectives predicted worse than the base; null: not known
	Breaks       []string                                  `json:"breaks_floors"` // floors that predicted does not reach
	Flagged      map[string]string                         `json:"flagged"`       // tasks whose predictions should not be believed, and why
	Measured     map[evaluator.Split]map[string]metricJSON `json:"measured"`
	BesideFiles  map[string]string                         `json:"measured_beside_files,omitempty"` // tasks whose figures are not of the written files, and why
	Gains        map[string]map[string]gainJSON            `json:"gains"`                           // of what was measured on validation over base, average and best, as far as they were measured, a task; with --verify
	Receipt      string                                    `json:"receipt"`
	Signature    string                                    `json:"signature"`        // file; "" where it is not signed
	Missed       []string                                  `json:"not_as_predicted"` // tasks; with --verify
	Why          string                                    `json:"why"`
	Bytes        int64                                     `json:"bytes"`
}

// gainJSON is how much better something was measured than something else, in the task's sense.
type gainJSON struct {
	Gain   number `json:"gain"`
	Stderr number `json:"stderr"` // null: not known
}

func gainsOf(an *study.Analysis, measured map[string]study.Metric) map[string]map[string]gainJSON {
	out := map[string]map[string]gainJSON{}
	for _, r := range explore.Rivals(an, nil) {
		of := map[string]gainJSON{}
		for task, d := range an.GainsOver(r.Trial, measured) {
			of[task] = gainJSON{number(d.Gain), known(d.Stderr)}
		}
		if len(of) > 0 {
			out[r.Name] = of
		}
	}
	return out
}

func (a *app) export(ctx context.Context, s *study.Study, snap *study.Snapshot, c explore.Choice, r study.ExportRequest) error {
	p := a.progress()
	e, err := s.Export(ctx, r, func(m merge.Progress) {
		if m.Stage != "done" {
			p.show(m.Stage, m.Done, m.Total, exportStage(m))
		}
	})
	p.end()
	switch {
	case err != nil && interrupted(ctx) && e.ID == 0:
		return &fault{exit: ExitInterrupted, what: "interrupted: nothing was left behind"}
	case err != nil:
		return err
	}
	missed := []string{}
	for split, tasks := range study.NotAsPredicted(snap.Tasks, e.Predicted, e.Measured) {
		for _, t := range tasks {
			if split != evaluator.Validation {
				t += " on the " + string(split) + " split"
			}
			missed = append(missed, t)
		}
	}
	slices.Sort(missed)
	if a.json {
		err = a.printJSON(a.out, exportJSON{
			e.Out, e.Name, coefficientsOf(snap.Space, e.X), namedPredictions(e.Predicted), e.Doubt, e.BelowBase, brokenBy(snap.Tasks, c), snap.Analysis.FlaggedTasks(c.OnFront()), map[evaluator.Split]map[string]metricJSON{
				evaluator.Validation: metricsOf(snap.Tasks, e.Measured[evaluator.Validation]), evaluator.Test: metricsOf(snap.Tasks, e.Measured[evaluator.Test]),
			}, e.BesideFiles, gainsOf(snap.Analysis, e.Measured[evaluator.Validation]), e.Receipt, signatureOf(e, r), missed, r.Why, e.Bytes,
		})
	} else {
		err = a.printExport(snap, c, e, r)
	}
	if err == nil && len(missed) > 0 {
		return &fault{
			exit: ExitMismatch, what: shown(e.Out) + " is whole, but what was measured of it is not what was predicted: " + strings.Join(missed, ", "),
			fix: "look at parfait trust " + shown(snap.Dir) + ", and measure more near this point: parfait trials " + shown(snap.Dir) + " --evaluate " + explore.At(snap.Analysis, e.X),
		}
	}
	return err
}

// signatureOf is the file with the receipt's signature, "" where there is none.
func signatureOf(e study.Export, r study.ExportRequest) string {
	if r.Sign == nil {
		return ""
	}
	return filepath.Join(e.Out, merge.SignatureFile)
}

// exportStage says how far a stage of an export is. Until an evaluator has said how much there is to measure,
// it is starting.
func exportStage(m merge.Progress) string {
	switch {
	case m.Stage == "merge" || m.Stage == "hash" || m.Stage == "check":
		return moved(m.Done, m.Total, m.Rate, m.Remaining)
	case m.Total <= 0:
		return "starting"
	}
	return fmt.Sprintf("%d of %d", m.Done, m.Total)
}

// printExport shows predicted beside measured.
func (a *app) printExport(snap *study.Snapshot, c explore.Choice, e study.Export, r study.ExportRequest) error {
	measured := r.Verify
	titles := []column{left("task"), right("predicted")}
	validation, test := e.Measured[evaluator.Validation], e.Measured[evaluator.Test]
	if measured {
		titles = append(titles, right("validation"), left(""))
	}
	if measured && len(test) > 0 {
		titles = append(titles, right("test"), left(""))
	}
	out := a.sheet(titles...)
	missed := study.NotAsPredicted(snap.Tasks, e.Predicted, e.Measured)
	for _, t := range snap.Tasks {
		forecast := "–"
		if p, ok := e.Predicted[t.Name]; ok {
			forecast = predicted(t, p)
		}
		if slices.Contains(e.BelowBase, t.Name) {
			forecast += " below base"
		}
		cells := []string{t.Name + " " + arrow(t), forecast}
		if measured {
			cells = append(cells, figure(t, validation), unlike(missed[evaluator.Validation], t.Name))
		}
		if measured && len(test) > 0 {
			cells = append(cells, figure(t, test), unlike(missed[evaluator.Test], t.Name))
		}
		out.add(cells...)
	}
	table := out.String()
	for _, words := range brokenBy(snap.Tasks, c) {
		table += "  ! breaks a floor: " + words + "\n"
	}
	for _, t := range slices.Sorted(maps.Keys(e.BesideFiles)) {
		table += "  ! " + t + " was not measured on these files: " + visible.Line(e.BesideFiles[t]) + "\n"
	}
	if measured {
		for _, r := range explore.Rivals(snap.Analysis, nil) {
			if words := r.GainWords(snap.Analysis, validation); words != "" {
				table += "  " + words + "\n"
			}
		}
	}
	if e.Doubt != "" {
		table += "  ! " + e.Doubt + ": do not believe these predictions before they are measured\n"
	}
	if measured && len(test) == 0 {
		table += "  there is no test split: no evaluator of the study offers one; a command does that has {split} in it, and what has splits: [validation, test]\n"
	}
	signed := ""
	if r.Sign != nil {
		signed = ", signed"
	}
	_, err := fmt.Fprintf(a.out, "%s: %s, read back and compared\n  %s\n%s\nreceipt: %s%s\nthe same bytes without the study: parfait merge %s OUT\n",
		shown(e.Out), bytesText(e.Bytes), visible.Line(c.Why), table, shown(e.Receipt), signed, shown(filepath.Join(e.Out, "recipe.yaml")))
	return err
}

// unlike marks a task that is not as predicted.
func unlike(missed []string, task string) string {
	if slices.Contains(missed, task) {
		return "! not as predicted"
	}
	return ""
}

func figure(t study.Task, m map[string]study.Metric) string {
	v, ok := m[t.Name]
	if !ok {
		return "not offered"
	}
	return uncertain(t, v)
}
