package cli

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"parfait/merge"
	"parfait/problem"
)

func (a *app) verifyCommand() *cobra.Command {
	var o merge.VerifyOptions
	var moved movedFlag
	cmd := &cobra.Command{
		Use:   "verify OUT",
		Short: "Check an export against its receipt",
		Long:  "Read every file of an export and compare it with the receipt. --recompute merges again from the inputs and compares every byte, without writing anything.",
		Args:  arguments(1, 1, "an export's folder"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Spec = moved.spec
			dir := args[0]
			if filepath.Base(dir) == merge.ReceiptFile {
				dir = filepath.Dir(dir)
			}
			return moved.hint(a.verify(cmd.Context(), dir, o))
		},
	}
	cmd.Flags().BoolVar(&o.Recompute, "recompute", false, "merge again from the inputs and compare")
	cmd.Flags().BoolVar(&o.SHA256, "sha256", false, "compare SHA-256 too, where the receipt has it")
	cmd.Flags().Var(&moved, "moved", "with --recompute: `OLD=NEW` takes inputs that were in the folder OLD from NEW")
	cmd.Flags().IntVar(&o.Workers, "workers", 0, "use `N` processors (default: all, at most 8)")
	return cmd
}

type verifyJSON struct {
	Dir        string          `json:"dir"`
	Good       bool            `json:"good"`
	Files      int             `json:"files"`
	Bytes      int64           `json:"bytes"`
	Recomputed bool            `json:"recomputed"`
	Problems   []merge.Problem `json:"problems"`
}

func (a *app) verify(ctx context.Context, dir string, o merge.VerifyOptions) error {
	p := a.progress()
	v, err := merge.Verify(ctx, dir, o, func(m merge.Progress) { p.show(m.Stage, m.Done, m.Total, moved(m.Done, m.Total, m.Rate, m.Remaining)) })
	p.end()
	if err != nil {
		if interrupted(ctx) {
			return &fault{exit: ExitInterrupted, what: "interrupted: nothing is known of " + dir}
		}
		return err
	}
	bad := len(v.Problems) > 0
	if a.json {
		j := verifyJSON{v.Dir, !bad, v.Files, v.Bytes, v.Recomputed, v.Problems}
		if j.Problems == nil {
			j.Problems = []merge.Problem{}
		}
		if err := a.printJSON(a.out, j); err != nil {
			return err
		}
	}
	if bad {
		return &fault{exit: ExitMismatch, what: dir + " is not what its receipt says", err: problem.List(v.Problems)}
	}
	if a.json {
		return nil
	}
	text := "as its receipt says"
	if v.Recomputed {
		text += ", and merged again from its inputs byte for byte the same"
	}
	_, err = fmt.Fprintf(a.out, "%s: %s in %s, %s\n", shown(dir), bytesText(v.Bytes), count(v.Files, "file"), text)
	return err
}
