package history

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"parfait/internal/stage"
)

// Histories of the schemas 1 and 2 had no journal. They are read as what their rows would have been in one, and become
// a history of today when something is first written to them: a copy of the database stays.

// olderTables are those of the schemas 1 and 2.
var olderTables = []string{"batches", "commands", "exports", "meta", "metrics", "picks", "trials", "views"}

// readOlder has f read an older history, converted in memory.
func readOlder(ctx context.Context, db *sql.DB, version int, f func(*Tx) error) error {
	memory, err := newMemory()
	if err != nil {
		return err
	}
	defer memory.Close() //nolint:errcheck // nothing is kept there
	var lines []line
	if err := within(ctx, db, "BEGIN", func(tx *Tx) error {
		lines, err = older(tx, version)
		return err
	}); err != nil {
		return err
	}
	return within(ctx, memory, "BEGIN IMMEDIATE", func(tx *Tx) error {
		if _, err := fold(tx, rand.Text(), lines); err != nil {
			return err
		}
		tx.converted = true
		return f(tx)
	})
}

// fold applies lines to an empty history, as those of the study. It returns their text.
func fold(tx *Tx, study string, lines []line) (text []byte, err error) {
	p := position{study: study}
	tx.study = study
	for _, l := range lines {
		l.study = ""
		l.n = p.lines + 1
		if text, err = p.encode(text, l); err != nil {
			return nil, err
		}
		rows, err := l.apply(tx)
		if err != nil {
			return nil, err
		}
		p.rows += rows
	}
	return text, p.store(tx)
}

// upgrade makes an older history one of today, whole or not at all: the journal is on the disk before the database
// changes, and of no account where that does not come to be.
func (s *Store) upgrade(ctx context.Context, db *sql.DB, version int) error {
	if err := s.keepCopy(ctx, db, version); err != nil {
		return err
	}
	return within(ctx, db, "BEGIN IMMEDIATE", func(tx *Tx) error {
		var now int
		if err := tx.QueryRow("PRAGMA user_version").Scan(&now); err != nil || now == schemaVersion {
			return err // somebody else was first
		}
		lines, err := older(tx, now)
		if err != nil {
			return err
		}
		views := "CREATE TABLE kept AS SELECT who, body FROM views;"
		for _, t := range olderTables {
			views += "DROP TABLE " + t + ";"
		}
		if _, err := tx.Exec(views); err != nil {
			return err
		}
		if err := makeTables(tx); err != nil {
			return err
		}
		text, err := fold(tx, rand.Text(), lines)
		if err != nil {
			return err
		}
		if _, err := tx.Exec("INSERT INTO views SELECT who, body FROM kept; DROP TABLE kept"); err != nil {
			return err
		}
		return appendJournal(s.journal, position{}, text)
	})
}

// alone calls Alone where db, which is open to be looked at, has to be upgraded.
func (s *Store) alone(db *sql.DB) (release func(), err error) {
	if version, err := schemaOf(context.Background(), db); err != nil || version == schemaVersion || s.Alone == nil {
		return func() {}, err
	}
	return s.Alone()
}

// keepCopy keeps the database as it is, beside it.
func (s *Store) keepCopy(ctx context.Context, db *sql.DB, version int) error {
	path := fmt.Sprintf("%s.schema-%d", s.path, version)
	if _, err := os.Lstat(path); err == nil {
		return nil // of an upgrade that did not come to its end
	}
	next := path + ".new"
	if err := os.Remove(next); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if _, err := db.ExecContext(ctx, "VACUUM INTO ?", next); err != nil {
		return err
	}
	f, err := os.Open(next)
	if err == nil {
		err = errors.Join(f.Sync(), f.Close())
	}
	if err != nil {
		return err
	}
	return errors.Join(os.Rename(next, path), stage.OS{}.SyncDir(s.Dir()))
}

// older is an older history as the lines that it would have had.
func older(tx *Tx, version int) ([]line, error) {
	o := &olderReader{tx: tx}
	o.meta()
	o.batches(version)
	o.trials()
	o.bodies()
	return o.lines, o.err
}

type olderReader struct {
	tx    *Tx
	lines []line
	err   error
}

// add appends a line of what was imported.
func (o *olderReader) add(at int64, rows ...put) {
	o.lines = append(o.lines, line{at: at, kind: "imported", rows: rows})
}

// each calls f with every row of a query.
func (o *olderReader) each(query string, f func(scan func(...any) error) error) {
	if o.err != nil {
		return
	}
	rows, err := o.tx.Query(query)
	if err != nil {
		o.err = err
		return
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() && err == nil {
		err = f(rows.Scan)
	}
	o.err = errors.Join(err, rows.Err())
}

func (o *olderReader) meta() {
	var rows []put
	o.each("SELECT key, value FROM meta ORDER BY key", func(scan func(...any) error) error {
		var key, value string
		err := scan(&key, &value)
		rows = append(rows, put{Meta, Row{"key": key, "value": value}})
		return err
	})
	o.add(0, rows...)
}

func (o *olderReader) batches(version int) {
	said := "wait, advice"
	if version < 2 {
		said = "'', ''"
	}
	o.each("SELECT id, asked, seen, "+said+" FROM batches ORDER BY id", func(scan func(...any) error) error {
		var id, asked int64
		var seen, wait, advice string
		err := scan(&id, &asked, &seen, &wait, &advice)
		if advice == "" {
			advice = "null"
		}
		o.add(asked, put{Batches, Row{"id": id, "asked": asked, "saw": json.RawMessage(`{"people":` + seen + `}`), "wait": wait, "advice": json.RawMessage(advice)}})
		return err
	})
}

// trials are read with what was measured of them, which is one measurement each.
func (o *olderReader) trials() {
	metrics := map[int64]map[string]any{}
	o.each("SELECT trial, task, value, stderr, n FROM metrics ORDER BY trial, task", func(scan func(...any) error) error {
		var trial, n int64
		var task string
		var value, stderr float64
		if err := scan(&trial, &task, &value, &stderr, &n); err != nil {
			return err
		}
		if metrics[trial] == nil {
			metrics[trial] = map[string]any{}
		}
		metrics[trial][task] = struct { // as an evaluator's metric is written
			Value  float64 `json:"value"`
			Stderr float64 `json:"stderr,omitempty"`
			N      int64   `json:"n,omitempty"`
		}{value, stderr, n}
		return finite([]float64{value, stderr})
	})
	measured := int64(0)
	o.each("SELECT id, batch, origin, why, x, state, attempt, error, created, started, ended FROM trials ORDER BY id", func(scan func(...any) error) error {
		var id, batch, attempt, created, started, ended int64
		var origin, why, x, state, failure string
		if err := scan(&id, &batch, &origin, &why, &x, &state, &attempt, &failure, &created, &started, &ended); err != nil {
			return err
		}
		rows := []put{{Trials, Row{
			"id": id, "batch": batch, "origin": origin, "why": why, "x": json.RawMessage(x), "state": state, "attempt": attempt, "error": failure,
			"created": created, "started": started, "ended": ended,
		}}}
		if m := metrics[id]; m != nil {
			measured++
			rows = append(rows, put{Measurements, Row{"id": measured, "trial": id, "attempt": attempt, "split": "validation", "at": max(started, ended), "tasks": m}})
		}
		o.add(max(created, ended), rows...)
		return nil
	})
}

func (o *olderReader) bodies() {
	o.each("SELECT id, at, who, body FROM commands ORDER BY id", func(scan func(...any) error) error {
		var id, at int64
		var who, body string
		if err := scan(&id, &at, &who, &body); err != nil {
			return err
		}
		if !json.Valid([]byte(body)) {
			return nil // it says nothing
		}
		o.add(at, put{Commands, Row{"id": id, "at": at, "who": who, "body": json.RawMessage(body)}})
		return nil
	})
	for _, t := range []*Table{Picks, Exports} {
		o.each("SELECT id, at, x, body FROM "+t.Name+" ORDER BY id", func(scan func(...any) error) error {
			var id, at int64
			var x, body string
			if err := scan(&id, &at, &x, &body); err != nil {
				return err
			}
			o.add(at, put{t, Row{"id": id, "at": at, "x": json.RawMessage(x), "body": json.RawMessage(body)}})
			return nil
		})
	}
}
