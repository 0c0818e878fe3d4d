package cli

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"parfait/evaluator"
	"parfait/problem"
	"parfait/study"
	"parfait/transfer"
	"parfait/visible"
)

// transferFlags are how trials come in and go out.
type transferFlags struct {
	from, as   string
	csv, jsonl bool
	optuna     string
}

func (f *transferFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.from, "import", "", "bring in what was measured elsewhere: a `FILE` of CSV or JSON lines (- for stdin), all of it or nothing")
	flags.StringVar(&f.as, "as", "", "with a file of trials or points: what its columns are, `COLUMN=NAME,…`; COLUMN= leaves one out")
	flags.BoolVar(&f.csv, "csv", false, "print CSV, a trial a row")
	flags.BoolVar(&f.jsonl, "jsonl", false, "print JSON lines: what the figures are, then a trial a line with every measurement")
	flags.StringVar(&f.optuna, "export-optuna", "", "write a storage of Optuna to `FILE`: its journal where that ends in .log, SQLite in .db")
}

// asked says whether any of them is.
func (f *transferFlags) asked(cmd *cobra.Command) bool {
	changed := cmd.Flags().Changed
	return changed("import") || f.csv || f.jsonl || changed("export-optuna")
}

// transfer brings trials in, or prints or writes them.
func (a *app) transfer(ctx context.Context, s *study.Study, snap *study.Snapshot, f transferFlags) error {
	if a.json && (f.csv || f.jsonl) {
		return usage("", "--json is a form of its own: leave it out, or --csv or --jsonl")
	}
	switch {
	case f.csv:
		var b bytes.Buffer
		if err := transfer.CSV(&b, snap); err != nil {
			return err
		}
		_, err := a.out.Write(b.Bytes())
		return err
	case f.jsonl:
		return a.printLines(snap)
	case f.optuna != "":
		return a.exportOptuna(snap, f.optuna)
	}
	return a.importTrials(ctx, s, snap, f)
}

// printLines prints JSON lines.
func (a *app) printLines(snap *study.Snapshot) error {
	enc := json.NewEncoder(a.out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(transfer.HeaderOf(snap)); err != nil {
		return err
	}
	for _, t := range snap.Trials {
		if err := enc.Encode(trialOf(snap, t)); err != nil {
			return err
		}
	}
	return nil
}

func (a *app) exportOptuna(snap *study.Snapshot, path string) error {
	n, err := transfer.Optuna(path, snap)
	if err != nil {
		return err
	}
	if a.json {
		return a.printJSON(a.out, struct {
			Study  string `json:"study"`
			Out    string `json:"out"`
			Trials int    `json:"trials"`
		}{snap.Dir, path, n})
	}
	_, err = fmt.Fprintf(a.out, "%s: %s, the study %q\n  → optuna-dashboard %s\n", visible.Line(path), count(n, "trial"), visible.Line(snap.Name), visible.Line(transfer.URL(path)))
	return err
}

// readTrials reads trials or points; as says what its columns are.
func readTrials(snap *study.Snapshot, name string, text []byte, as string) (_ []study.Measured, err error) {
	var mapping map[string]string
	if as != "" {
		if mapping, err = transfer.ParseMapping(as); err != nil {
			return nil, err
		}
	}
	return transfer.Read(name, text, mapping, snap)
}

// maxFile is the largest file of trials, in bytes.
const maxFile = 1 << 30

// slurp reads a file, or stdin where it is called -.
func (a *app) slurp(path string) (name string, text []byte, err error) {
	in, name := io.Reader(a.in), "stdin"
	if path != "-" {
		name = path
		f, err := os.Open(home(path))
		if err != nil {
			return "", nil, err
		}
		defer func() { _ = f.Close() }()
		if fi, err := f.Stat(); err == nil && fi.IsDir() {
			return "", nil, usage("name a file of CSV or JSON lines", "%s is a folder", path)
		}
		in = f
	}
	text, err = io.ReadAll(io.LimitReader(in, maxFile+1))
	if err == nil && len(text) > maxFile {
		err = usage("", "%s is larger than 1 GiB", name)
	}
	return name, text, err
}

type importJSON struct {
	Study string `json:"study"`
	study.Imported
}

func (a *app) importTrials(ctx context.Context, s *study.Study, snap *study.Snapshot, f transferFlags) error {
	name, text, err := a.slurp(f.from)
	if err != nil {
		return err
	}
	trials, err := readTrials(snap, name, text, f.as)
	if err != nil {
		return nothingImported(err)
	}
	done, err := s.Import(ctx, trials, who())
	if err != nil {
		return nothingImported(err)
	}
	if a.json {
		return a.printJSON(a.out, importJSON{s.Dir(), done})
	}
	said := visible.Line(snap.Name) + ": nothing is new"
	if done.Trials+done.Measurements > 0 {
		said = fmt.Sprintf("%s: imported %s with %s", visible.Line(snap.Name), count(done.Trials, "new trial"), count(done.Measurements, "new measurement"))
	}
	if done.Known > 0 {
		said += fmt.Sprintf("; %s known already", was(done.Known))
	}
	dir := shown(s.Dir())
	if done.Unmeasured > 0 {
		said += fmt.Sprintf("\n  %s without a figure: left out; parfait trials %s --evaluate @%s would have them measured", were(done.Unmeasured), dir, cmp.Or(f.from, "FILE"))
	}
	if done.Blank > 0 {
		said += fmt.Sprintf("\n  %s without coefficients and figures: left out", were(done.Blank))
	}
	if done.Outside > 0 {
		said += fmt.Sprintf("\n  %s outside the ranges of study.yaml", were(done.Outside))
	}
	if done.Lacking > 0 {
		missing := "parfait run " + dir + " --headless --missing"
		if len(snap.Spec.Evaluators) == 0 {
			missing = "import the rest, or take the tasks out of study.yaml"
		}
		said += fmt.Sprintf("\n  ! %s not measured on every task, and cannot be fitted: %s", were(done.Lacking), missing)
	}
	_, err = fmt.Fprintf(a.out, "%s\n  → parfait front %s\n", said, dir)
	return err
}

// nothingImported adds to what is wrong that nothing was brought in.
func nothingImported(err error) error {
	if problem.CodeOf(err) != transfer.BadFile {
		return err
	}
	return errors.Join(err, errors.New("nothing was imported"))
}

// importedTrials is how many were measured elsewhere.
func importedTrials(snap *study.Snapshot) int {
	n := 0
	for _, t := range snap.Trials {
		if t.Origin == study.OriginImport {
			n++
		}
	}
	return n
}

func was(n int) string {
	if n == 1 {
		return "1 trial was"
	}
	return fmt.Sprintf("%d trials were", n)
}

func were(n int) string {
	if n == 1 {
		return "1 trial is"
	}
	return fmt.Sprintf("%d trials are", n)
}

// evaluateFile asks for every point of a file, or for none where something is wrong.
func (a *app) evaluateFile(s *study.Study, snap *study.Snapshot, path, as string, again bool) error {
	points, err := a.points(snap, path, as)
	if err != nil {
		return err
	}
	var commands []study.Command
	have := []int{}
	for _, x := range points {
		switch t := snap.At(x); {
		case t != nil && !again:
			have = append(have, t.ID)
		case t != nil && t.State == evaluator.Done:
			commands = append(commands, study.Command{Kind: study.CommandRetry, N: t.ID})
		default:
			commands = append(commands, study.Command{Kind: study.CommandEvaluate, X: x, Once: !again})
		}
	}
	if len(commands) == 0 && !a.json {
		_, err := fmt.Fprintf(a.out, "trials have all of the %s already; --again measures them once more\n", count(len(points), "point"))
		return err
	}
	effect := count(len(commands), "point") + " will be measured next"
	if len(have) > 0 {
		effect += fmt.Sprintf("; trials have %d already (--again measures them once more)", len(have))
	}
	n := len(commands)
	return a.askAll(s, commands, askedJSON{Asked: string(study.CommandEvaluate), Points: &n, Trials: have}, effect)
}

// points are those of a file: as --import reads trials, or NAME=VALUE,… a line as --evaluate itself reads one. Those that
// stand there twice are one.
func (a *app) points(snap *study.Snapshot, path, as string) ([][]float64, error) {
	name, text, err := a.slurp(path)
	if err != nil {
		return nil, err
	}
	first, _, _ := strings.Cut(strings.TrimSpace(string(text)), "\n")
	if strings.Contains(first, "=") && !strings.HasPrefix(first, "{") && !strings.HasPrefix(first, "sep=") {
		return assignedPoints(snap, name, string(text))
	}
	trials, err := readTrials(snap, name, text, as)
	if err != nil {
		return nil, err
	}
	var out [][]float64
	for _, t := range trials {
		if t.X == nil {
			return nil, usage("leave the row out", "%s: has no coefficients", t.Where)
		}
		out = append(out, t.X)
	}
	return out, nil
}

// assignedPoints reads NAME=VALUE,… a line.
func assignedPoints(snap *study.Snapshot, name, text string) ([][]float64, error) {
	var out [][]float64
	var wrong problem.List
	n := 0
	for line := range strings.Lines(text) {
		n++
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		where := fmt.Sprintf("%s:%d", name, n)
		x, err := readPoint(snap.Space, where, line)
		if err != nil {
			what, fix := problem.Split(err)
			wrong = append(wrong, problem.Problem{Code: transfer.BadFile, What: what, Fix: fix})
		}
		out = append(out, x)
	}
	return out, wrong.Err()
}
