package study

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"parfait/evaluator"
	"parfait/history"
	"parfait/problem"
)

// Checked is what a check of a study found. It is whole if there are no Problems.
type Checked struct {
	Dir      string        `json:"dir"`
	History  history.State `json:"history"`
	Trials   int           `json:"trials"`
	Measured int           `json:"measurements"`
	Exports  int           `json:"exports"`
	Problems problem.List  `json:"problems"` // those of the history too
	Notes    []string      `json:"notes"`    // what is no damage, and may surprise
}

// Check reads everything that was recorded of the study in dir and compares what has to agree: the journal's lines with
// their sums, the database with the journal, both with study.yaml, and the logs and receipts beside them with both. It
// changes nothing. The error says why it could not be made.
func Check(ctx context.Context, dir string) (c Checked, err error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return c, err
	}
	c.Dir, c.Problems, c.Notes = abs, problem.List{}, []string{}
	read := readSheet(abs, nil)
	if CodeOf(read.err) == CodeNotAStudy {
		return c, read.err
	}
	c.add(read.err)
	if c.History, err = history.Check(ctx, abs); err != nil {
		if code := CodeOf(err); code != CodeForeign && code != CodeHistory {
			return c, err // it could not be looked at now
		}
		c.add(err)
		return c, nil
	}
	c.Problems = append(c.Problems, c.History.Problems...)
	st, err := openStore(abs)
	if err != nil {
		c.add(err)
		return c, nil
	}
	defer st.Close() //nolint:errcheck // it was read
	h, err := st.load(ctx, nil)
	if err != nil {
		c.add(err)
		return c, nil
	}
	if read.err == nil {
		c.add(read.asked.against(abs, h))
		for _, p := range read.asked.spec.appeared() {
			c.note("%s", p.Error())
		}
	}
	c.Trials, c.Exports = len(h.trials), len(h.exports)
	for i := range h.trials {
		c.Measured += len(h.trials[i].Measurements)
	}
	c.logs(h)
	c.receipts(h)
	c.surprises()
	return c, nil
}

// add notes an error's problems.
func (c *Checked) add(err error) {
	if err == nil {
		return
	}
	var list problem.List
	var one *Error
	var p problem.Problem
	switch {
	case errors.As(err, &list):
		c.Problems = append(c.Problems, list...)
	case errors.As(err, &one):
		c.Problems = append(c.Problems, *one)
	case errors.As(err, &p):
		c.Problems = append(c.Problems, p)
	default:
		c.Problems = append(c.Problems, problem.Problem{What: err.Error()})
	}
}

func (c *Checked) damaged(where, format string, args ...any) {
	c.Problems = append(c.Problems, problem.Problem{Code: CodeDamaged, Where: where, What: fmt.Sprintf(format, args...)})
}

func (c *Checked) note(format string, args ...any) {
	c.Notes = append(c.Notes, fmt.Sprintf(format, args...))
}

// logs are of trials that the history knows, and those that have finished have one.
func (c *Checked) logs(h *record) {
	dir := filepath.Join(c.Dir, "logs")
	found, _ := filepath.Glob(filepath.Join(dir, "trial-*.log"))
	var strangers []string
	has := map[int]bool{}
	for _, path := range found {
		id, err := strconv.Atoi(strings.TrimSuffix(strings.TrimPrefix(filepath.Base(path), "trial-"), ".log"))
		if err != nil {
			continue
		}
		if has[id] = true; h.trial(id) == nil {
			strangers = append(strangers, filepath.Base(path))
		}
	}
	if len(strangers) > 0 {
		c.damaged(dir, "the history does not know the trials of %s", problem.And(first(strangers, 5)))
	}
	var without []string
	for i := range h.trials {
		if t := &h.trials[i]; t.State == evaluator.Done && !has[t.ID] {
			without = append(without, strconv.Itoa(t.ID))
		}
	}
	if len(without) > 0 && len(has) > 0 { // not every evaluator writes one
		c.note("there is no log of the finished trials %s", problem.And(first(without, 8)))
	}
}

// first are at most n words, and how many more there are.
func first(words []string, n int) []string {
	if len(words) <= n {
		return words
	}
	return append(slices.Clone(words[:n]), fmt.Sprintf("%d more", len(words)-n))
}

// receipts are those that the history vouches for: where it says, and in the folder, which may have been copied.
func (c *Checked) receipts(h *record) {
	known := map[string]bool{}
	for _, e := range h.exports {
		places := []string{e.Out}
		if here := filepath.Join(c.Dir, "exports", filepath.Base(e.Out)); here != e.Out {
			places = append(places, here)
		}
		found := false
		for _, out := range places {
			known[out] = true
			found = c.receipt(e, filepath.Join(out, filepath.Base(e.Receipt))) || found
		}
		if !found {
			c.note("the export %s is no longer in %s", e.Name, e.Out)
		}
	}
	here, _ := filepath.Glob(filepath.Join(c.Dir, "exports", "*", "receipt.json"))
	for _, path := range here {
		if out := filepath.Dir(path); !known[out] {
			c.note("%s is an export that the history does not know", out)
		}
	}
}

// receipt compares one with the hash that the history keeps. It says whether it is there.
func (c *Checked) receipt(e Export, path string) bool {
	b, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false
	case err != nil:
		c.add(err)
	case e.ReceiptHash == "":
		c.note("the receipt of the export %s is of an older parfait: nothing vouches for it", e.Name)
	case receiptHash(b) != e.ReceiptHash && receiptHash(b) != e.ReceiptNext:
		c.Problems = append(c.Problems, problem.Problem{
			Code: CodeDamaged, Where: path, What: "is not the receipt that the history vouches for",
			Fix: "do not believe what it says; copy the export again from where it is good, or export again (parfait verify " + filepath.Dir(path) + " says what else is changed)",
		})
	}
	return true
}

// surprises are what else lies in the folder, or goes on in it.
func (c *Checked) surprises() {
	if o := readOwner(c.Dir); o.alive() {
		c.note("a runner is at work (process %d on %s)", o.PID, o.Host)
	}
	for _, pattern := range []string{"*.damaged-*", history.DatabaseFile + ".schema-*"} {
		kept, _ := filepath.Glob(filepath.Join(c.Dir, pattern))
		for _, path := range kept {
			if strings.HasSuffix(path, ".new") {
				continue
			}
			c.note("%s is kept from a repair or an older parfait, and may be deleted", filepath.Base(path))
		}
	}
	if c.History.Unread != "" {
		c.note("%s was not compared with %s: %s", history.DatabaseFile, history.JournalFile, c.History.Unread)
	}
	if c.History.Torn > 0 {
		c.note("the last line of %s was not written to its end (%d bytes): it counts for nothing, and nothing was lost", history.JournalFile, c.History.Torn)
	}
}

// undamaged says what of the history is damaged, all of which is read: nobody measures on upon something that is, or
// writes to it.
func (s *Study) undamaged(ctx context.Context) error {
	state, err := history.Check(ctx, s.dir)
	if err != nil || len(state.Problems) == 0 {
		return err
	}
	return &Error{Code: CodeDamaged, Where: s.dir, What: "the history is damaged: " + problem.Text(state.Problems), Fix: "parfait repair " + s.dir}
}

// The files of the history.
const (
	JournalFile  = history.JournalFile
	DatabaseFile = history.DatabaseFile
)

// Repaired is what a repair did.
type Repaired = history.Repaired

// Repair puts the history of the study in dir right from what can be read of it: see [history.Repair]. Nobody may run the
// study meanwhile.
func Repair(ctx context.Context, dir string) (Repaired, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return Repaired{}, err
	}
	if read := readSheet(abs, nil); CodeOf(read.err) == CodeNotAStudy {
		return Repaired{}, read.err
	}
	st, err := openStore(abs) // which says where there is nothing to repair from
	if err != nil {
		return Repaired{}, err
	}
	if err := st.Close(); err != nil && CodeOf(err) != CodeDamaged {
		return Repaired{}, err
	}
	lock, err := takeLock(ctx, abs, func() error { return nil }, func(error) {})
	if err != nil {
		return Repaired{}, err
	}
	defer lock.release()
	return history.Repair(ctx, abs)
}
