package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	_ "modernc.org/sqlite" // the reference reads by it

	"parfait/history"
	"parfait/study"
)

// tasks of the study; there is a guard, too.
const tasks = 8

// measure makes a study of so many finished trials in dir, and measures.
func measure(ctx context.Context, dir string, trials, repeats int) (r report, err error) {
	if err := study.Demo(ctx, dir, study.DemoOptions{Tasks: tasks, Budget: trials}); err != nil {
		return r, err
	}
	if err := fill(ctx, dir, trials); err != nil {
		return r, err
	}
	r = report{Trials: trials, Tasks: tasks, JournalMB: megabytes(dir, history.JournalFile), DatabaseMB: megabytes(dir, history.DatabaseFile)}
	plain, err := median(repeats, func() error { return readPlainly(ctx, dir) })
	if err != nil {
		return r, err
	}
	add := func(what, reference string, of, bar float64, f func() error) error {
		before := cpu()
		ms, err := median(repeats, f)
		t := timing{What: what, MS: ms, CPU: (cpu() - before) / float64(repeats), Bar: bar}
		if of > 0 {
			t.Reference, t.Times = reference, ms/of
		}
		r.Times = append(r.Times, t)
		return err
	}
	s, err := study.Open(dir)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	rows := "the same rows by plain SQL"
	return r, errors.Join(
		add(rows, "", 0, 0, func() error { return readPlainly(ctx, dir) }),
		add("open", rows, plain, openBar, func() error {
			s, err := study.Open(dir)
			if err != nil {
				return err
			}
			if n := len(s.Snapshot().Trials); n != trials {
				return fmt.Errorf("%d trials are read, want %d", n, trials)
			}
			return s.Close()
		}),
		add("follow one change", rows, plain, 0, func() error { return follow(ctx, s) }),
		add("check", rows, plain, 0, func() error {
			c, err := study.Check(ctx, dir)
			return errors.Join(err, c.Problems.Err())
		}),
		add("repair without a database", rows, plain, 0, func() error { return repair(ctx, filepath.Join(filepath.Dir(dir), "repaired"), dir) }),
		r.rates(filepath.Join(filepath.Dir(dir), "rates"), repeats),
	)
}

// fill records trials as a run does: a batch of four is asked for, started, and measured one by one.
func fill(ctx context.Context, dir string, trials int) error {
	s, err := study.Open(dir)
	if err != nil {
		return err
	}
	var names []string
	for _, t := range s.Snapshot().Spec.Tasks {
		names = append(names, t.Name)
	}
	dims := len(s.Names())
	// A command has the history begun as every study's is.
	if err := errors.Join(s.Do(study.Command{Kind: study.CommandPause, Who: "bench"}), s.Close()); err != nil {
		return err
	}
	h, err := history.Open(dir, nil)
	if err != nil {
		return err
	}
	random := rand.New(rand.NewPCG(1, 2))
	for first := 1; first <= trials && ctx.Err() == nil; first += 400 {
		var entries []history.Entry
		for at := first; at < min(first+400, trials+1); at += 4 {
			entries = append(entries, batch(random, at, min(4, trials-at+1), dims)...)
			for id := at; id < min(at+4, trials+1); id++ {
				entries = append(entries, result(random, id, names))
			}
		}
		errs, err := h.WriteAll(entries...)
		if err := errors.Join(append(errs, err)...); err != nil {
			return errors.Join(err, h.Close())
		}
	}
	return errors.Join(ctx.Err(), h.Close())
}

// batch asks for n trials from the given one on, and starts them.
func batch(random *rand.Rand, first, n, dims int) []history.Entry {
	xs := make([][]float64, n)
	for i := range xs {
		for range dims {
			xs[i] = append(xs[i], 1.2*random.Float64())
		}
	}
	return []history.Entry{{Kind: "batch", Make: func(c *history.Change) error {
		id := (first - 1) / 4
		err := c.Put(history.Batches, history.Row{"id": id, "asked": c.At.UnixMilli(), "saw": map[string]any{"done": fmt.Sprint("1-", first-1), "pending": "", "seed": 1}})
		for i, x := range xs {
			err = errors.Join(err, c.Put(history.Trials, history.Row{
				"id": first + i, "batch": id, "origin": "search", "why": "most hypervolume expected, and the surest of those that come near it",
				"x": x, "state": "waiting", "attempt": 1, "created": c.At.UnixMilli(),
			}))
		}
		return err
	}}, {Kind: "started", Make: func(c *history.Change) (err error) {
		for i := range xs {
			err = errors.Join(err, c.Put(history.Trials, history.Row{"id": first + i, "state": "running", "started": c.At.UnixMilli(), "error": ""}))
		}
		return err
	}}}
}

// result is a trial's measurement, and its end.
func result(random *rand.Rand, id int, names []string) history.Entry {
	metrics := map[string]any{}
	for _, name := range names {
		metrics[name] = struct {
			Value  float64 `json:"value"`
			Stderr float64 `json:"stderr"`
			N      int     `json:"n"`
		}{random.Float64(), random.Float64() / 50, 450}
	}
	return history.Entry{Kind: "done", Make: func(c *history.Change) error {
		return errors.Join(
			c.Put(history.Trials, history.Row{"id": id, "state": "done", "error": "", "ended": c.At.UnixMilli()}),
			c.Put(history.Measurements, history.Row{"id": id, "trial": id, "attempt": 1, "evaluator": "main", "split": "validation", "at": c.At.UnixMilli(), "tasks": metrics}))
	}}
}

// readPlainly reads every value of trials and measurements.
func readPlainly(ctx context.Context, dir string) (err error) {
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, history.DatabaseFile)+"?mode=ro")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	for _, table := range []string{"trials", "measurements"} {
		rows, err := db.QueryContext(ctx, "SELECT * FROM "+table)
		if err != nil {
			return err
		}
		columns, err := rows.Columns()
		if err != nil {
			return errors.Join(err, rows.Close())
		}
		values, to := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			to[i] = &values[i]
		}
		for rows.Next() {
			if err := rows.Scan(to...); err != nil {
				return errors.Join(err, rows.Close())
			}
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			return err
		}
	}
	return nil
}

// follow records a change and reads what has changed.
func follow(ctx context.Context, s *study.Study) error {
	kind := study.CommandPause
	if err := s.Do(study.Command{Kind: kind, Who: "bench"}); err != nil {
		return err
	}
	_, err := s.Refresh(ctx)
	return err
}

// repair makes the database of a copy from its journal.
func repair(ctx context.Context, to, from string) error {
	if err := errors.Join(os.RemoveAll(to), os.MkdirAll(to, 0o755)); err != nil {
		return err
	}
	b, err := os.ReadFile(filepath.Join(from, history.JournalFile))
	if err == nil {
		err = os.WriteFile(filepath.Join(to, history.JournalFile), b, 0o644)
	}
	if err != nil {
		return err
	}
	_, err = history.Repair(ctx, to)
	return err
}

// rates records results eight at a time, as they come from eight evaluators, and one at a time.
func (r *report) rates(dir string, repeats int) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	h, err := history.Open(dir, nil)
	if err != nil {
		return err
	}
	random := rand.New(rand.NewPCG(3, 4))
	var names []string
	for i := range tasks {
		names = append(names, fmt.Sprint("task_", i))
	}
	id := 0
	record := func(n int) func() error {
		return func() error {
			var entries []history.Entry
			for range n {
				id++
				entries = append(entries, result(random, id, names))
			}
			errs, err := h.WriteAll(entries...)
			return errors.Join(append(errs, err)...)
		}
	}
	fsync, err := syncs(filepath.Join(dir, "bare"))
	if err != nil {
		return errors.Join(err, h.Close())
	}
	bare, err := median(16*repeats, fsync)
	for _, n := range []int{8, 1} {
		ms, e := median(16*repeats, record(n))
		err = errors.Join(err, e)
		what := map[int]string{8: "eight results at a time", 1: "one at a time"}[n]
		r.Rates = append(r.Rates, rate{what, 1000 * float64(n) / ms, float64(n) * bare / ms})
	}
	return errors.Join(err, h.Close())
}

// syncs appends a result's worth of bytes to a file and waits for the disk.
func syncs(path string) (func() error, error) {
	f, err := os.Create(path)
	line := []byte(strings.Repeat("x", 900) + "\n")
	return func() error {
		_, err := f.Write(line)
		return errors.Join(err, f.Sync())
	}, err
}

// median is the median time of f in milliseconds.
func median(repeats int, f func() error) (float64, error) {
	var ms []float64
	for range repeats {
		start := time.Now()
		if err := f(); err != nil {
			return 0, err
		}
		ms = append(ms, time.Since(start).Seconds()*1000)
	}
	slices.Sort(ms)
	return ms[len(ms)/2], nil
}

// cpu is the processors' time that this process has taken, in milliseconds.
func cpu() float64 {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		return 0
	}
	return 1000 * (float64(r.Utime.Sec+r.Stime.Sec) + float64(r.Utime.Usec+r.Stime.Usec)/1e6)
}

func megabytes(dir, name string) float64 {
	fi, err := os.Stat(filepath.Join(dir, name))
	if err != nil {
		return 0
	}
	return float64(fi.Size()) / 1e6
}
