package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/google/renameio/v2"
	"github.com/spf13/cobra"

	"parfait/report"
	"parfait/study"
)

func (a *app) reportCommand() *cobra.Command {
	var out string
	cmd := a.onStudy(&cobra.Command{
		Use:   "report",
		Short: "Write the study as one HTML page",
		Long: "Write one self-contained page for people who have no terminal: the front, parallel coordinates, how far to believe it, points with a name, picks, exports with their receipts, and every trial. " +
			"It refers to no other file and to no network.",
		Example: "parfait report my.study --out report.html",
	}, analysed, func(cmd *cobra.Command, s *study.Study, snap *study.Snapshot) error {
		if out == "" {
			out = snap.Name + ".html"
		}
		if exists(out) && !cmd.Flags().Changed("out") {
			return &fault{exit: ExitExists, what: out + " exists", fix: "name another file with --out, or say --out " + quoted(out) + " to replace it"}
		}
		if info, err := os.Stat(out); err == nil && !info.Mode().IsRegular() {
			return &fault{exit: ExitExists, what: out + " is not a file that may be replaced", fix: "name another file with --out"}
		}
		var page bytes.Buffer
		if err := report.Write(cmd.Context(), &page, snap, time.Now()); err != nil {
			return err
		}
		if err := renameio.WriteFile(out, page.Bytes(), 0o644); err != nil {
			return notWritten(out, err)
		}
		if a.json {
			return a.printJSON(a.out, map[string]any{"out": out, "bytes": page.Len()})
		}
		_, err := fmt.Fprintf(a.out, "%s: %s, one page to open or to send\n", out, bytesText(int64(page.Len())))
		return err
	})
	cmd.Flags().StringVarP(&out, "out", "o", "", "the `FILE` to write (default: NAME.html here)")
	return cmd
}

// notWritten says that a file could not be written, without the name that it had on its way.
func notWritten(out string, err error) error {
	exit := exitOf(err)
	var at *fs.PathError
	if errors.As(err, &at) {
		err = at.Err
	}
	return &fault{exit: exit, what: out + ": cannot be written", err: err, fix: "is its folder there, and may you write in it? Or name another file with --out"}
}
