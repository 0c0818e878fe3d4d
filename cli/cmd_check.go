package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"parfait/study"
)

func (a *app) checkCommand() *cobra.Command {
	var replay bool
	cmd := &cobra.Command{
		Use:   "check [DIR]",
		Short: "Check that nothing of what was recorded is damaged",
		Long: "Read all that a study has recorded and compare what has to agree: every line of history.jsonl with its checksum, study.db with what SQLite says of it and, row by row, with history.jsonl, and both with study.yaml, the logs and the receipts beside them. Nothing is changed; a runner may be at work meanwhile.\n\n" +
			"Damage ends with exit code 10. parfait repair puts it right.",
		Example:           "parfait check my.study\n\n# that the search would propose the same again\nparfait check my.study --replay\n\n# for a nightly job\nparfait check my.study --json || parfait repair my.study",
		Args:              arguments(0, 1, "a study's folder"),
		ValidArgsFunction: studyFolders,
		RunE: func(cmd *cobra.Command, args []string) error {
			dir := studyDir(args)
			c, err := study.Check(cmd.Context(), dir)
			if err != nil {
				return withNear(dir, err)
			}
			if !replay || len(c.Problems) > 0 {
				return a.printCheck(c, nil)
			}
			r, err := study.Replay(cmd.Context(), c.Dir)
			if err != nil {
				return err
			}
			c.Problems = append(c.Problems, r.Problems...)
			return a.printCheck(c, &r)
		},
	}
	cmd.Flags().BoolVar(&replay, "replay", false, "ask the search again for everything that it has proposed, with what it saw then, and compare; takes as long as the search took to think")
	return cmd
}

type checkJSON struct {
	Good bool `json:"good"`
	study.Checked
	Replay *study.Replayed `json:"replay,omitempty"`
}

func (a *app) printCheck(c study.Checked, r *study.Replayed) error {
	bad := len(c.Problems) > 0
	if a.json {
		if err := a.printJSON(a.out, checkJSON{!bad, c, r}); err != nil {
			return err
		}
	} else if err := a.printNotes(c.Notes); err != nil {
		return err
	}
	dir := shown(c.Dir)
	if bad {
		fix := "put it right: parfait repair " + dir
		if len(c.History.Problems) == 0 {
			fix = "" // a repair is of the history; what else is wrong says what to do
		}
		return &fault{exit: ExitMismatch, what: dir + " is not as it was recorded", err: c.Problems, fix: fix}
	}
	if a.json {
		return nil
	}
	if c.History.Lines == 0 && c.Trials == 0 {
		_, err := fmt.Fprintf(a.out, "%s: nothing is recorded yet\n", dir)
		return err
	}
	of := fmt.Sprintf("%s of %s", count(int(c.History.Lines), "line"), study.JournalFile)
	if c.History.Lines == 0 {
		of = study.DatabaseFile + ", as an older parfait wrote it"
	}
	if r != nil {
		of += "; " + replayed(r)
	}
	_, err := fmt.Fprintf(a.out, "%s: whole: %s, %s, %s in %s\n", dir, count(c.Trials, "trial"), count(c.Measured, "measurement"), count(c.Exports, "export"), of)
	return err
}

// replayed says what a replay without problems has shown.
func replayed(r *study.Replayed) string {
	text := "no proposal can be replayed"
	if r.Batches > 0 {
		text = count(r.Batches, "proposal") + " replayed: the search comes to the same again"
	}
	if r.Before > 0 {
		text += fmt.Sprintf("; not replayed: %s from before %s", count(r.Before, "proposal"), study.JournalFile)
	}
	return text
}

// printNotes prints what is no damage.
func (a *app) printNotes(notes []string) error {
	for _, n := range notes {
		if _, err := fmt.Fprintf(a.out, "  · %s\n", n); err != nil {
			return err
		}
	}
	return nil
}
