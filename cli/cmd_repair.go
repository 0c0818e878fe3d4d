package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"parfait/study"
)

func (a *app) repairCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "repair [DIR]",
		Short: "Put a damaged history right",
		Long: "Make study.db again from history.jsonl, and put right in history.jsonl what only study.db has: everything counts that can be read and has its checksum. Either file may be missing. The new files are written whole before they take the place of the old ones, which stay beside them as *.damaged-TIME.\n\n" +
			"No runner may be at work meanwhile. A history that is whole stays as it is. A repair that was ended, by ctrl-c, kill or a power cut, is begun again.",
		Example:           "parfait repair my.study",
		Args:              arguments(0, 1, "a study's folder"),
		ValidArgsFunction: studyFolders,
		RunE: func(cmd *cobra.Command, args []string) error {
			dir := studyDir(args)
			r, err := study.Repair(cmd.Context(), dir)
			if err != nil {
				return withNear(dir, err)
			}
			return a.printRepaired(dir, r)
		},
	}
}

type repairJSON struct {
	Dir string `json:"dir"`
	study.Repaired
}

func (a *app) printRepaired(dir string, r study.Repaired) error {
	if r.Kept == nil {
		r.Kept = []string{}
	}
	if a.json {
		return a.printJSON(a.out, repairJSON{dir, r})
	}
	if !r.Changed {
		_, err := fmt.Fprintf(a.out, "%s: nothing is damaged\n", shown(dir))
		return err
	}
	text := fmt.Sprintf("%s: repaired: %s", shown(dir), count(int(r.Lines), "line"))
	if r.Recovered > 0 {
		text += fmt.Sprintf(", %s taken from %s", count(int(r.Recovered), "row"), study.DatabaseFile)
	}
	if r.Lost > 0 {
		text += fmt.Sprintf("; %s of %s could not be read", count(int(r.Lost), "line"), study.JournalFile)
	}
	if _, err := fmt.Fprintln(a.out, text); err != nil {
		return err
	}
	for _, k := range r.Kept {
		if _, err := fmt.Fprintf(a.out, "  · the old file is kept as %s\n", k); err != nil {
			return err
		}
	}
	return nil
}
