//go:build linux || darwin

package command

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"parfait/evaluator"
	"parfait/evaluator/internal/report"
)

// Most bytes of a report: of a file, and of the end of stdout in which its last line is looked for.
const (
	maxReport = 64 << 20
	maxTail   = 4 << 20
)

// metrics finds the report of a run that ended well, and reads what its candidate asks for. Exactly the tasks
// asked for have to be in it.
func (k kept) metrics(dir string) (evaluator.Metrics, error) {
	b, where, err := findReport(dir)
	if err != nil {
		return nil, err
	}
	k.keep(b)
	m, err := k.options.read(k.candidate, b)
	if err != nil {
		return nil, fmt.Errorf("%w\nread was %s", err, where)
	}
	k.tell()
	return m, nil
}

// read reads the metrics that c asks for from a report.
func (o Options) read(c evaluator.Candidate, b []byte) (evaluator.Metrics, error) {
	from := o.source(c.Split)
	from.Optional = c.Timed
	m, err := report.Read(b, from, c.Tasks)
	if err != nil {
		return nil, err
	}
	return m, evaluator.Check(c, m)
}

// findReport returns what the command reported and where it was: the file {out} or, where a program made
// a folder of it or put a date into its name as lm-eval does, the newest result there; else the last line
// of stdout that is a JSON object.
func findReport(dir string) (b []byte, where string, err error) {
	out := filepath.Join(dir, outName)
	candidates := []string{}
	switch info, err := os.Stat(out); {
	case err == nil && info.IsDir():
		files, err := jsonIn(out)
		if err != nil {
			return nil, "", evaluator.Errorf(evaluator.BadMetrics, "the folder {out} cannot be read: %w", err)
		}
		for _, path := range files {
			if strings.HasPrefix(filepath.Base(path), "results") {
				candidates = append(candidates, path)
			}
		}
		if len(candidates) == 0 {
			return logsOf(files)
		}
	case err == nil && info.Size() > 0:
		candidates = []string{out}
	default:
		candidates, _ = filepath.Glob(filepath.Join(dir, strings.TrimSuffix(outName, ".json")+"_*.json"))
	}
	if len(candidates) > 0 {
		slices.SortFunc(candidates, func(a, b string) int { // dates sort as text
			return strings.Compare(filepath.Base(a), filepath.Base(b))
		})
		path := candidates[len(candidates)-1]
		b, err := readAtMost(path, maxReport)
		if err != nil {
			return nil, "", evaluator.Errorf(evaluator.BadMetrics, "the metrics in {out} cannot be read: %w", err)
		}
		return b, "{out} (" + filepath.Base(path) + ")", nil
	}
	tail, err := readTail(filepath.Join(dir, stdoutName), maxTail)
	if err != nil {
		return nil, "", evaluator.Errorf(evaluator.BadMetrics, "stdout cannot be read: %w", err)
	}
	if line := report.LastObject(tail); line != nil {
		return line, "the last JSON line of stdout", nil
	}
	ending := "; its stdout is empty"
	if said := lastIn(filepath.Join(dir, stdoutName), "stdout"); said.words != "" {
		ending = said.ending()
	}
	if before := report.BeforeObject(tail); before != "" {
		return nil, "", evaluator.Errorf(evaluator.NoMetrics, "the last line of stdout has %q before its JSON object: end that line first, or write the object into the file {out}%s", before, ending)
	}
	if errors, _ := readTail(filepath.Join(dir, stderrName), maxTail); report.LastObject(errors) != nil {
		return nil, "", evaluator.Errorf(evaluator.NoMetrics, "the command wrote a JSON object to stderr, where nothing is read: print it to stdout as the last line, or write it into the file {out}%s", ending)
	}
	return nil, "", evaluator.Errorf(evaluator.NoMetrics, "the command ended well and reported no metrics: expected a JSON object such as {\"task\": 0.81} in the file {out}, or as the last line of stdout%s", ending)
}

// jsonIn are the files *.json in a folder and those below.
func jsonIn(dir string) (files []string, err error) {
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() && filepath.Ext(path) == ".json" {
			files = append(files, path)
		}
		return err
	})
	return files, err
}

// logsOf is the report that the logs of inspect-ai amount to, which are the files *.json of the folder {out}.
func logsOf(files []string) (b []byte, where string, err error) {
	var logs [][]byte
	for _, path := range files {
		b, err := readAtMost(path, maxReport)
		if err != nil {
			return nil, "", evaluator.Errorf(evaluator.BadMetrics, "the metrics in {out} cannot be read: %w", err)
		}
		logs = append(logs, b)
	}
	b, ok, err := report.Inspect(logs)
	if !ok && err == nil {
		err = evaluator.Errorf(evaluator.NoMetrics, "the command made a folder of {out}, without a results*.json in it: expected its metrics as JSON there (lm-eval, lighteval), as logs of inspect-ai (--log-format json), in a file {out}, or in the last line of stdout")
	}
	return b, "the logs in {out}", err
}

func readAtMost(path string, most int64) (b []byte, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	b, err = io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && int64(len(b)) > most {
		err = fmt.Errorf("%s has more than %d bytes", path, most)
	}
	return b, err
}
