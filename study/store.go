package study

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"time"

	"modernc.org/sqlite" // registers the driver
	sqlite3 "modernc.org/sqlite/lib"

	"parfait/evaluator"
)

// store is the study's history in SQLite: the only SQL there is. Any number of processes may hold one.
// A rollback journal, not WAL: the folder may be on a network file system.
type store struct {
	db *sql.DB
}

const schema = `
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS batches (
	id INTEGER PRIMARY KEY, -- from 0
	seen TEXT NOT NULL,     -- trials asked for by people that the strategy saw, as JSON
	asked INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS trials (
	id INTEGER PRIMARY KEY,
	batch INTEGER NOT NULL, -- -1: asked for by a person
	origin TEXT NOT NULL,
	why TEXT NOT NULL,
	x TEXT NOT NULL,        -- coefficients as a JSON array, in the order of meta.names
	state TEXT NOT NULL,
	attempt INTEGER NOT NULL,
	error TEXT NOT NULL DEFAULT '',
	progress TEXT NOT NULL DEFAULT '',
	created INTEGER NOT NULL, started INTEGER NOT NULL DEFAULT 0, ended INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS metrics (
	trial INTEGER NOT NULL REFERENCES trials(id),
	task TEXT NOT NULL,
	value REAL NOT NULL, stderr REAL NOT NULL, n INTEGER NOT NULL,
	PRIMARY KEY (trial, task)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS commands (id INTEGER PRIMARY KEY, at INTEGER NOT NULL, who TEXT NOT NULL, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS picks (id INTEGER PRIMARY KEY, at INTEGER NOT NULL, x TEXT NOT NULL, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS exports (id INTEGER PRIMARY KEY, at INTEGER NOT NULL, x TEXT NOT NULL, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS views (who TEXT PRIMARY KEY, body BLOB NOT NULL) WITHOUT ROWID;
`

const schemaVersion = 1

func openStore(dir string) (*store, error) {
	path := filepath.Join(dir, "study.db")
	dsn := "file:" + (&url.URL{Path: path}).EscapedPath() +
		"?_pragma=busy_timeout(15000)&_pragma=journal_mode(DELETE)&_pragma=synchronous(FULL)&_pragma=foreign_keys(1)&_txlock=immediate"
	db, err := sql.Open("sqlite", dsn)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	// data_version is a connection's own: one connection sees every change of the others.
	db.SetMaxOpenConns(1)
	s := &store{db: db}
	if err := s.migrate(); err != nil {
		_ = db.Close()
		return nil, historyError(path, err)
	}
	return s, nil
}

func (s *store) migrate() error {
	var v int
	if err := s.db.QueryRow("PRAGMA user_version").Scan(&v); err != nil {
		return err
	}
	switch {
	case v > schemaVersion:
		return fmt.Errorf("written by a newer parfait (schema %d, this one knows %d): update parfait", v, schemaVersion)
	case v == schemaVersion:
		return nil
	}
	return s.write(func(tx *sql.Tx) error {
		if _, err := tx.Exec(schema); err != nil {
			return err
		}
		_, err := tx.Exec(fmt.Sprintf("PRAGMA user_version = %d", schemaVersion))
		return err
	})
}

func (s *store) close() error { return s.db.Close() }

// write runs f in one transaction.
func (s *store) write(f func(*sql.Tx) error) error {
	tx, err := s.db.Begin()
	if err != nil {
		return err
	}
	if err := f(tx); err != nil {
		_ = tx.Rollback()
		return err
	}
	return tx.Commit()
}

// version changes whenever another process has changed the history.
func (s *store) version(ctx context.Context) (v int64, err error) {
	err = s.db.QueryRowContext(ctx, "PRAGMA data_version").Scan(&v)
	return v, err
}

// history is all of the store at one moment.
type history struct {
	meta    map[string]string
	trials  []Trial
	batches map[int]batch
	picks   []Pick
	exports []Export
}

type batch struct{ seen []int }

func (h *history) lastBatch() int {
	last := -1
	for id := range h.batches {
		last = max(last, id)
	}
	return last
}

func (s *store) load(ctx context.Context) (*history, error) {
	h := &history{meta: map[string]string{}, batches: map[int]batch{}}
	tx, err := s.db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return nil, err
	}
	defer func() { _ = tx.Rollback() }()
	if err := each(tx, "SELECT key, value FROM meta", func(scan scanner) error {
		var k, v string
		err := scan(&k, &v)
		h.meta[k] = v
		return err
	}); err != nil {
		return nil, err
	}
	if err := each(tx, "SELECT id, seen FROM batches", func(scan scanner) error {
		var id int
		var seen string
		if err := scan(&id, &seen); err != nil {
			return err
		}
		var b batch
		err := json.Unmarshal([]byte(seen), &b.seen)
		h.batches[id] = b
		return err
	}); err != nil {
		return nil, err
	}
	if err := loadTrials(tx, h); err != nil {
		return nil, err
	}
	if err := each(tx, "SELECT id, at, x, body FROM picks ORDER BY id", func(scan scanner) error {
		var p Pick
		err := body(scan, &p, &p.ID, &p.At, &p.X)
		h.picks = append(h.picks, p)
		return err
	}); err != nil {
		return nil, err
	}
	return h, each(tx, "SELECT id, at, x, body FROM exports ORDER BY id", func(scan scanner) error {
		var e Export
		err := body(scan, &e, &e.ID, &e.At, &e.X)
		h.exports = append(h.exports, e)
		return err
	})
}

func loadTrials(tx *sql.Tx, h *history) error {
	index := map[int]int{}
	err := each(tx, "SELECT id, batch, origin, why, x, state, attempt, error, progress, created, started, ended FROM trials ORDER BY id", func(scan scanner) error {
		t := Trial{Metrics: map[string]Metric{}}
		var x, progress string
		var created, started, ended int64
		if err := scan(&t.ID, &t.Batch, &t.Origin, &t.Why, &x, &t.State, &t.Attempt, &t.Error, &progress, &created, &started, &ended); err != nil {
			return err
		}
		t.Created, t.Started, t.Ended = fromUnix(created), fromUnix(started), fromUnix(ended)
		if progress != "" && !t.State.Final() {
			if err := json.Unmarshal([]byte(progress), &t.Progress); err != nil {
				return err
			}
		}
		index[t.ID] = len(h.trials)
		err := json.Unmarshal([]byte(x), &t.X)
		h.trials = append(h.trials, t)
		return err
	})
	if err != nil {
		return err
	}
	return each(tx, "SELECT trial, task, value, stderr, n FROM metrics", func(scan scanner) error {
		var trial int
		var task string
		var m Metric
		err := scan(&trial, &task, &m.Value, &m.Stderr, &m.N)
		if i, ok := index[trial]; ok {
			h.trials[i].Metrics[task] = m
		}
		return err
	})
}

type scanner func(dst ...any) error

func each(tx *sql.Tx, query string, f func(scanner) error) error {
	rows, err := tx.Query(query)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		if err := f(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

func body(scan scanner, v any, id *int, at *time.Time, x *[]float64) error {
	var xs, b string
	var t int64
	var n int
	if err := scan(&n, &t, &xs, &b); err != nil {
		return err
	}
	if err := errors.Join(json.Unmarshal([]byte(b), v), json.Unmarshal([]byte(xs), x)); err != nil {
		return err
	}
	*id, *at = n, fromUnix(t)
	return nil
}

func fromUnix(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

func mustJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("study: %T cannot be written as JSON: %v", v, err)) // only our own plain types come here
	}
	return string(b)
}

func now() int64 { return time.Now().UnixMilli() }

// newTrial is a trial that is about to be recorded.
type newTrial struct {
	x           []float64
	origin, why string
}

func insertTrial(tx *sql.Tx, batch int, t newTrial) (int, error) {
	r, err := tx.Exec("INSERT INTO trials (batch, origin, why, x, state, attempt, created) VALUES (?, ?, ?, ?, ?, 1, ?)",
		batch, t.origin, t.why, mustJSON(t.x), evaluator.Waiting, now())
	if err != nil {
		return 0, err
	}
	id, err := r.LastInsertId()
	return int(id), err
}

// addBatch records what the strategy asked for, whole or not at all.
func (s *store) addBatch(id int, seen []int, trials []newTrial) error {
	if seen == nil {
		seen = []int{}
	}
	return s.write(func(tx *sql.Tx) error {
		if _, err := tx.Exec("INSERT INTO batches (id, seen, asked) VALUES (?, ?, ?)", id, mustJSON(seen), now()); err != nil {
			return err
		}
		for _, t := range trials {
			if _, err := insertTrial(tx, id, t); err != nil {
				return err
			}
		}
		return nil
	})
}

// setRunning marks a trial as started.
func (s *store) setRunning(id int) error {
	_, err := s.db.Exec("UPDATE trials SET state = ?, started = ?, error = '', progress = '' WHERE id = ? AND state = ?",
		evaluator.Running, now(), id, evaluator.Waiting)
	return err
}

func (s *store) setProgress(id int, p evaluator.Progress) error {
	_, err := s.db.Exec("UPDATE trials SET progress = ? WHERE id = ? AND state = ?", mustJSON(p), id, evaluator.Running)
	return err
}

// record stores what one evaluator measured, and the trial's final state where it has one. A finished
// trial never changes: recording into one is refused.
func (s *store) record(id int, metrics evaluator.Metrics, final State, why string) error {
	return s.write(func(tx *sql.Tx) error {
		var state State
		if err := tx.QueryRow("SELECT state FROM trials WHERE id = ?", id).Scan(&state); err != nil {
			return err
		}
		if state == evaluator.Done {
			return fmt.Errorf("trial %d is finished and cannot change", id)
		}
		for task, m := range metrics {
			if _, err := tx.Exec("INSERT OR REPLACE INTO metrics (trial, task, value, stderr, n) VALUES (?, ?, ?, ?, ?)", id, task, m.Value, m.Stderr, m.N); err != nil {
				return err
			}
		}
		if final == "" {
			return nil
		}
		_, err := tx.Exec("UPDATE trials SET state = ?, error = ?, ended = ?, progress = '' WHERE id = ?", final, why, now(), id)
		return err
	})
}

// reopen makes a trial wait again as a new attempt; finished ones stay.
func (s *store) reopen(id int) error {
	_, err := s.db.Exec("UPDATE trials SET state = ?, attempt = attempt + 1, error = '', started = 0, ended = 0, progress = '' WHERE id = ? AND state <> ?",
		evaluator.Waiting, id, evaluator.Done)
	return err
}

func setMeta(tx *sql.Tx, key, value string) error {
	_, err := tx.Exec("INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value", key, value)
	return err
}

func (s *store) setMeta(key, value string) error {
	return s.write(func(tx *sql.Tx) error { return setMeta(tx, key, value) })
}

func (s *store) addPick(p Pick) (Pick, error) {
	p.At = time.Now().UTC().Truncate(time.Millisecond)
	r, err := s.db.Exec("INSERT INTO picks (at, x, body) VALUES (?, ?, ?)", p.At.UnixMilli(), mustJSON(p.X), mustJSON(p))
	if err != nil {
		return p, err
	}
	id, err := r.LastInsertId()
	p.ID = int(id)
	return p, err
}

func (s *store) addExport(e Export) (Export, error) {
	e.At = time.Now().UTC().Truncate(time.Millisecond)
	r, err := s.db.Exec("INSERT INTO exports (at, x, body) VALUES (?, ?, ?)", e.At.UnixMilli(), mustJSON(e.X), mustJSON(e))
	if err != nil {
		return e, err
	}
	id, err := r.LastInsertId()
	e.ID = int(id)
	return e, err
}

func (s *store) updateExport(e Export) error {
	_, err := s.db.Exec("UPDATE exports SET body = ? WHERE id = ?", mustJSON(e), e.ID)
	return err
}

func (s *store) saveView(who string, b []byte) error {
	_, err := s.db.Exec("INSERT INTO views (who, body) VALUES (?, ?) ON CONFLICT (who) DO UPDATE SET body = excluded.body", who, b)
	return err
}

func (s *store) loadView(who string) (b []byte, err error) {
	err = s.db.QueryRow("SELECT body FROM views WHERE who = ?", who).Scan(&b)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return b, err
}

// full says whether the error is that of a disk without space.
func full(err error) bool {
	var se *sqlite.Error
	return errors.As(err, &se) && se.Code()&0xff == sqlite3.SQLITE_FULL
}
