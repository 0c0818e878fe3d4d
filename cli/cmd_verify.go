package cli

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"parfait/merge"
	"parfait/problem"
	"parfait/study"
	"parfait/visible"
)

// verifyFlags say what an export is compared with, beyond its receipt.
type verifyFlags struct {
	merge.VerifyOptions
	study   string // its folder; "" for the one that can be found
	signers string // a file; "" for none
	moved   movedFlag
}

func (a *app) verifyCommand() *cobra.Command {
	var f verifyFlags
	cmd := &cobra.Command{
		Use:   "verify OUT",
		Short: "Check an export against its receipt, its study and who signed it",
		Long: "Read every file of an export and compare it with the receipt: weights, recipe, configuration, tokenizer, model card; no other file that programs load or run may stand there. " +
			"The receipt itself, and so what it says was predicted, measured, why and by whom, is compared with the hash that the study's history keeps: the study that the export lies in, else the one that the receipt names, as far as it is there; --study names another place, and then it must be there. " +
			"With --signers a signature must be there too, by somebody in that file, which is as ssh-keygen's ALLOWED SIGNERS: see parfait sign. " +
			"What was compared with what, and what could not be, is said. --recompute merges again from the inputs and compares every byte, without writing anything.",
		Example: "parfait verify merged\n\n# on another machine: the study is not there, the signature is\nparfait verify merged --signers signers.txt",
		Args:    arguments(1, 1, "an export's folder"),
		RunE: func(cmd *cobra.Command, args []string) error {
			f.Spec = f.moved.spec
			return f.moved.hint(a.verify(cmd.Context(), exportFolder(args[0]), f))
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.study, "study", "", "the `FOLDER` of the study that made it (default: the one that it lies in, or that the receipt names)")
	flags.StringVar(&f.signers, "signers", "", "a `FILE` of allowed signers: it must be signed by one of them")
	flags.BoolVar(&f.Recompute, "recompute", false, "merge again from the inputs and compare")
	settledFlag(flags, &f.SHA256, "sha256", "compare SHA-256 too, where the receipt has it, or not: --sha256=false (default: where the processor has instructions for it)")
	flags.Var(&f.moved, "moved", "with --recompute: `OLD=NEW` takes inputs that were in the folder OLD from NEW")
	flags.IntVar(&f.Workers, "workers", 0, "use `N` processors (default: all, at most 8)")
	_ = cmd.MarkFlagDirname("study")
	return cmd
}

// exportFolder is the folder of an export, for which its receipt may stand.
func exportFolder(arg string) string {
	if filepath.Base(arg) == merge.ReceiptFile {
		return filepath.Dir(arg)
	}
	return arg
}

type verifyJSON struct {
	Dir        string          `json:"dir"`
	Good       bool            `json:"good"`
	Files      int             `json:"files"`
	Bytes      int64           `json:"bytes"`
	Recomputed bool            `json:"recomputed"`
	Checked    []merge.Check   `json:"checked"`   // what was compared with what, by which hash, and found right
	Unchecked  []merge.Gap     `json:"unchecked"` // what was not, and why
	SignedBy   *signedBy       `json:"signed_by"` // null: nobody's signature was found right
	Problems   []merge.Problem `json:"problems"`
}

func (a *app) verify(ctx context.Context, dir string, f verifyFlags) error {
	signers, err := readSigners(f.signers)
	if err != nil {
		return err
	}
	v, err := a.compare(ctx, dir, f.study, f.VerifyOptions)
	if err != nil {
		return err
	}
	by, err := checkSignature(&v, signers)
	if err != nil {
		return err
	}
	bad := len(v.Problems) > 0
	if a.json {
		j := verifyJSON{v.Dir, !bad, v.Files, v.Bytes, v.Recomputed, v.Checked, v.Unchecked, by, v.Problems}
		if j.Problems == nil {
			j.Problems = []merge.Problem{}
		}
		if err := a.printJSON(a.out, j); err != nil {
			return err
		}
	}
	if bad {
		return notAsItSays(v)
	}
	if a.json {
		return nil
	}
	return a.printVerification(v)
}

func notAsItSays(v merge.Verification) error {
	return &fault{exit: ExitMismatch, what: v.Dir + " is not what it says it is", err: problem.List(v.Problems)}
}

// compare compares an export with its receipt and its study, telling how far it is.
func (a *app) compare(ctx context.Context, dir, of string, o merge.VerifyOptions) (merge.Verification, error) {
	p := a.progress()
	v, err := study.VerifyExport(ctx, dir, of, o, func(m merge.Progress) { p.show(m.Stage, m.Done, m.Total, standing(m)) })
	p.end()
	if err != nil && interrupted(ctx) {
		err = &fault{exit: ExitInterrupted, what: "interrupted: nothing is known of " + dir}
	}
	return v, err
}

func (a *app) printVerification(v merge.Verification) error {
	text := "as its receipt says"
	if v.Recomputed {
		text += ", and merged again from its inputs byte for byte the same"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s in %s, %s\n", shown(v.Dir), bytesText(v.Bytes), count(v.Files, "file"), text)
	for _, c := range v.Checked {
		fmt.Fprintf(&b, "  ✓ %s: by %s, against %s\n", visible.Line(c.What), c.By, visible.Line(c.Against))
	}
	for _, g := range v.Unchecked {
		fmt.Fprintf(&b, "  – not checked: %s: %s\n", visible.Line(g.What), visible.Line(g.Why))
	}
	_, err := a.out.Write([]byte(b.String()))
	return err
}
