package study

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"
	"modernc.org/sqlite" // registers the driver
	sqlite3 "modernc.org/sqlite/lib"

	"parfait/internal/stage"
)

// store is the study's history in SQLite: the only SQL there is. Any number of processes may hold one.
// A rollback journal, not WAL: the folder may be on a network file system. Who looks makes and changes
// nothing: where nothing was recorded yet there is no file, and the first write begins it.
type store struct {
	path string

	mu    sync.Mutex
	db    *sql.DB     // nil: nothing is recorded yet, as far as was seen
	file  os.FileInfo // as it was opened
	begun bool        // db is as this program makes one
}

const schema = `
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS batches (
	id INTEGER PRIMARY KEY, -- from 0
	seen TEXT NOT NULL,     -- trials asked for by people that the strategy saw, as JSON
	asked INTEGER NOT NULL,
	wait TEXT NOT NULL DEFAULT '',    -- why the strategy asked for nothing yet
	advice TEXT NOT NULL DEFAULT ''); -- what the batch is expected to gain, as JSON
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

// replaced says that the file is no longer the one that was opened: whatever is written is lost.
func (s *store) replaced() error {
	s.mu.Lock()
	file := s.file
	s.mu.Unlock()
	if file == nil {
		return nil
	}
	fi, err := os.Lstat(s.path)
	if errors.Is(err, fs.ErrNotExist) || (err == nil && !os.SameFile(fi, file)) {
		return &Error{
			Code: CodeHistory, Where: s.path, What: "was deleted or replaced while it was in use: what is measured from here on would be lost",
			Fix: "put it back if it was moved by mistake, then start again",
		}
	}
	return nil // anything else may pass
}

// write runs f in one transaction, in a history that it begins where there is none.
func (s *store) write(f func(*sql.Tx) error) error {
	db, err := s.begin()
	if err != nil {
		return err
	}
	tx, err := db.Begin()
	if err != nil {
		return err
	}
	if err := f(tx); err != nil {
		_ = tx.Rollback()
		return err
	}
	return tx.Commit()
}

// rehearse runs f in a history in memory where none was begun yet: what cannot be done begins none.
func (s *store) rehearse(f func(*sql.Tx) error) error {
	if db, err := s.open(); db != nil || err != nil {
		return err
	}
	db, err := connect("rehearsal", "memory")
	if err != nil {
		return err
	}
	defer db.Close() //nolint:errcheck // in memory
	return (&store{db: db}).write(f)
}

// exec is write of one statement.
func (s *store) exec(query string, args ...any) (sql.Result, error) {
	db, err := s.begin()
	if err != nil {
		return nil, err
	}
	return db.Exec(query, args...)
}

// version changes whenever another process has changed the history.
func (s *store) version(ctx context.Context) (v int64, err error) {
	db, err := s.open()
	if db == nil || err != nil {
		return 0, err
	}
	err = db.QueryRowContext(ctx, "PRAGMA data_version").Scan(&v)
	return v, err
}

func mustJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("study: %T cannot be written as JSON: %v", v, err)) // only our own plain types come here
	}
	return string(b)
}

func now() int64 { return time.Now().UnixMilli() }

func setMeta(tx *sql.Tx, key, value string) error {
	_, err := tx.Exec("INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value", key, value)
	return err
}

// setMeta sets the keys, all or none.
func (s *store) setMeta(values map[string]string) error {
	return s.write(func(tx *sql.Tx) error {
		for k, v := range values {
			if err := setMeta(tx, k, v); err != nil {
				return err
			}
		}
		return nil
	})
}

// saveView keeps an interface's state. To have looked begins no history: where there is none, it is not kept.
func (s *store) saveView(who string, b []byte) error {
	db, err := s.open()
	if db == nil || err != nil {
		return err
	}
	_, err = db.Exec("INSERT INTO views (who, body) VALUES (?, ?) ON CONFLICT (who) DO UPDATE SET body = excluded.body", who, b)
	return err
}

func (s *store) loadView(who string) (b []byte, err error) {
	db, err := s.open()
	if db == nil || err != nil {
		return nil, err
	}
	err = db.QueryRow("SELECT body FROM views WHERE who = ?", who).Scan(&b)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return b, err
}

// sqliteCode is the primary result code of an error of SQLite's, or 0.
func sqliteCode(err error) int {
	var se *sqlite.Error
	if errors.As(err, &se) {
		return se.Code() & 0xff
	}
	return 0
}

// passing says whether a write that failed with err may succeed later: a disk that is full, a file that
// somebody else holds, a network file system that is away.
func passing(err error) bool {
	switch sqliteCode(err) {
	case sqlite3.SQLITE_FULL, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PROTOCOL:
		return true
	}
	return false
}

// lockErrors are SQLite's codes for locks that the system refuses.
var lockErrors = []int{sqlite3.SQLITE_IOERR_LOCK, sqlite3.SQLITE_IOERR_UNLOCK, sqlite3.SQLITE_IOERR_RDLOCK, sqlite3.SQLITE_IOERR_CHECKRESERVEDLOCK}

// historyError says what keeps the history from being read or written, and what to do about it.
func historyError(where string, err error) error {
	if err == nil || CodeOf(err) != "" || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	e := &Error{Code: CodeHistory, Where: where, What: "the history cannot be used", Err: err}
	var se *sqlite.Error
	if errors.As(err, &se) && se.Code() == sqlite3.SQLITE_READONLY_DBMOVED {
		e.What, e.Fix = "was deleted or moved while it was in use", "put it back, or open the study where it is now"
		return e
	}
	switch sqliteCode(err) {
	case sqlite3.SQLITE_FULL:
		e.Code, e.What, e.Fix = CodeSpace, "the disk is full, nothing more can be recorded", "free some space and run again: what is finished is safe"
	case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM:
		e.Code, e.What, e.Fix = CodeReadOnly, "the study may be looked at here and not changed", "have whoever owns the folder do it, or copy it"
	case sqlite3.SQLITE_CANTOPEN:
		e.Fix = "is the folder there, and may you read study.db in it?"
		if unix.Access(filepath.Dir(where), unix.X_OK) == nil && stage.Writable(filepath.Dir(where)) != nil {
			e.Code, e.What, e.Fix = CodeReadOnly, "nothing can be recorded here", "have whoever owns the folder do it, or copy it"
		}
	case sqlite3.SQLITE_BUSY:
		e.What, e.Fix = "another process keeps the history locked", "a parfait that was suspended with ctrl-z may hold it: let it go on with fg, or end it; if there is none, the file system has no locks (NFS without its lock daemon): move the study to one that has"
	case sqlite3.SQLITE_IOERR:
		e.What, e.Fix = "the disk cannot be read or written", "what is finished is safe; look into the system's log for what is wrong with the disk, then go on"
		if errors.As(err, &se) && slices.Contains(lockErrors, se.Code()) {
			e.What, e.Fix = "the file system does not carry the locks that a history needs", "move the study to one that does: a local disk, NFS with its lock daemon, Lustre mounted with flock"
		}
	case sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT:
		e.What, e.Fix = "the history is damaged", "put back a copy of study.db; to begin again from study.yaml, move it, logs, exports and run.lock out of the folder"
	}
	return e
}
