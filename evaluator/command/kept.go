//go:build linux || darwin

package command

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"parfait/evaluator"
	"parfait/evaluator/internal/report"
)

// kept is the report of a harness that stays beside the log: it has more than was asked for, and a figure that somebody
// asks for later, or under its right name at last, needs no other run. Which tasks it has answered stands beside it: who
// asks for those again wants another measurement.
type kept struct {
	options   Options
	candidate evaluator.Candidate
	sum       string // of what is measured and how, "" where nothing is kept
	path      string // "" where nothing is kept
}

// kept is what is kept of the merge of c, measured on its split by the same command. It is asked for before a command
// runs: a script that is mended meanwhile is another.
func (o Options) kept(c evaluator.Candidate) kept {
	if c.Log == "" || c.Merge == "" {
		return o.keptAs(c, "")
	}
	what, err := json.Marshal([]any{c.Merge, c.At, c.Split, o.command(c), o.Env, o.texts()})
	if err != nil {
		return o.keptAs(c, "")
	}
	sum := sha256.Sum256(what)
	return o.keptAs(c, hex.EncodeToString(sum[:8]))
}

// keptAs is what kept was, by its sum.
func (o Options) keptAs(c evaluator.Candidate, sum string) kept {
	k := kept{options: o, candidate: c, sum: sum}
	if c.Log != "" && sum != "" {
		k.path = fmt.Sprintf("%s.report-%s.json", strings.TrimSuffix(c.Log, ".log"), sum)
	}
	return k
}

// texts are the hashes of the files that the command names: a script that was mended is another.
func (o Options) texts() []string {
	const most = 1 << 20
	var sums []string
	for _, word := range o.Command {
		if !filepath.IsAbs(word) {
			word = filepath.Join(o.Dir, word)
		}
		info, err := os.Stat(word)
		if err != nil || !info.Mode().IsRegular() || info.Size() > most {
			continue
		}
		if b, err := os.ReadFile(word); err == nil {
			sum := sha256.Sum256(b)
			sums = append(sums, hex.EncodeToString(sum[:]))
		}
	}
	return sums
}

func (k kept) toldPath() string { return strings.TrimSuffix(k.path, "json") + "told" }

// keep puts a report of a harness aside, in the place of an earlier one. What cannot be kept is asked for again.
func (k kept) keep(b []byte) {
	if k.path == "" || !report.Harness(b) {
		return
	}
	if err := os.Remove(k.toldPath()); err != nil && !os.IsNotExist(err) {
		return
	}
	part := k.path + ".part"
	f, err := os.Create(part)
	if err != nil {
		return
	}
	_, err = f.Write(b)
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(part, k.path)
	}
	if err != nil {
		_ = os.Remove(part)
	}
}

// tell notes that the report has answered the candidate's question.
func (k kept) tell() {
	if k.path == "" {
		return
	}
	if _, err := os.Stat(k.path); err != nil {
		return
	}
	f, err := os.OpenFile(k.toldPath(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		_ = os.Remove(k.path) // or it would answer again
		return
	}
	_, err = fmt.Fprintf(f, "%s %q\n", k.candidate.ID, k.candidate.Tasks)
	if errors.Join(err, f.Sync(), f.Close()) != nil {
		_ = os.Remove(k.path)
	}
}

// told says whether the report has answered for one of the tasks before, to another question.
func (k kept) told() bool {
	b, err := os.ReadFile(k.toldPath())
	if err != nil {
		return !os.IsNotExist(err)
	}
	for line := range bytes.Lines(b) {
		id, tasks, _ := strings.Cut(string(line), " ")
		if id != k.candidate.ID && slices.ContainsFunc(k.candidate.Tasks, func(t string) bool { return strings.Contains(tasks, fmt.Sprintf("%q", t)) }) {
			return true
		}
	}
	return false
}

// read answers from the report that is kept, if it can.
func (k kept) read() (evaluator.Metrics, bool) {
	if k.path == "" || k.told() {
		return nil, false
	}
	b, err := readAtMost(k.path, maxReport)
	if err != nil {
		return nil, false
	}
	m, err := k.options.read(k.candidate, b)
	if err != nil || slices.ContainsFunc(k.candidate.Timed, func(task string) bool { return m[task] == (evaluator.Metric{}) }) {
		return nil, false // how long it took is not kept
	}
	if log, err := evaluator.OpenLog(k.candidate.Log, k.options.LogLimit); err == nil {
		log.Say("attempt %d of %s on %s needs no run: %s has it, of an earlier one", k.candidate.Attempt, k.candidate.Key, k.candidate.Split, filepath.Base(k.path))
		log.Close()
	}
	k.tell()
	return m, true
}
