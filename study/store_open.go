package study

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// schemaVersion grows with the schema; SQLite keeps it in the file as user_version.
const schemaVersion = 2

// upgrades bring a history of schema 1 to 2, of 2 to 3, and so on.
var upgrades = []string{
	"ALTER TABLE batches ADD COLUMN wait TEXT NOT NULL DEFAULT ''; ALTER TABLE batches ADD COLUMN advice TEXT NOT NULL DEFAULT '';",
}

// applicationID says in the file that a history is parfait's: "prft". Studies have it that were begun or
// run since there is one; older ones are known by their tables.
const applicationID = 0x70726674

// tables are those of the schema.
var tables = []string{"batches", "commands", "exports", "meta", "metrics", "picks", "trials", "views"}

// openStore finds the history of the study in dir.
func openStore(dir string) (*store, error) {
	s := &store{path: filepath.Join(dir, "study.db")}
	_, err := s.open()
	return s, historyError(s.path, err)
}

// close closes the history; nothing is begun any more.
func (s *store) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.db == nil {
		return nil
	}
	return s.db.Close()
}

// open returns the history as it is, nil where nothing was recorded yet. It makes and changes no file.
func (s *store) open() (*sql.DB, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.attach()
}

// begin returns the history to write to: begun where there is none yet, and as this program makes one.
func (s *store) begin() (*sql.DB, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.begun {
		return s.db, nil
	}
	db, err := s.attach()
	if err != nil {
		return nil, err
	}
	if db == nil {
		if db, err = connect(s.path, "rwc"); err != nil {
			return nil, err
		}
	}
	if err := migrate(db); err != nil {
		if s.db == nil {
			_ = db.Close()
		}
		return nil, err
	}
	if s.db == nil {
		if s.file, err = os.Lstat(s.path); err != nil {
			return nil, errors.Join(err, db.Close())
		}
	}
	s.db, s.begun = db, true
	return db, nil
}

// attach is open for who holds mu.
func (s *store) attach() (*sql.DB, error) {
	if s.db != nil {
		return s.db, nil
	}
	db, fi, err := find(s.path)
	if CodeOf(err) == CodeHistory {
		// A runner may have begun it meanwhile. It does so before it leaves anything else: a second look tells.
		db, fi, err = find(s.path)
	}
	s.db, s.file = db, fi
	return db, err
}

// find opens the history at path. None, where nothing was recorded yet; an error, where what should be there
// is not, or something else is.
func find(path string) (*sql.DB, os.FileInfo, error) {
	fi, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil, lost(path, "is missing")
	case err != nil:
		return nil, nil, err
	case !fi.Mode().IsRegular():
		return nil, nil, notOurs(path, fi, "the history itself belongs here, beside study.yaml")
	case fi.Size() == 0:
		return nil, nil, lost(path, "is empty")
	}
	if _, err := os.Lstat(path + "-wal"); err == nil { // which we never write: to close it could write the file
		if db, _, err := known(path, "ro"); err != nil {
			return nil, nil, err
		} else if err := db.Close(); err != nil {
			return nil, nil, err
		}
	}
	db, begun, err := known(path, "rw")
	if err == nil && !begun {
		err = errors.Join(lost(path, "is empty"), db.Close())
		db, fi = nil, nil
	}
	return db, fi, err
}

// known opens a file that is a history of ours, or empty: it says which.
func known(path, mode string) (db *sql.DB, begun bool, err error) {
	if db, err = connect(path, mode); err != nil {
		return nil, false, err
	}
	if begun, err = recognise(db, path); err != nil {
		return nil, false, errors.Join(err, db.Close())
	}
	return db, begun, nil
}

// recognise says whether db is a history, and not empty. What is neither is an error.
func recognise(db *sql.DB, path string) (begun bool, err error) {
	var id, version int
	if err := db.QueryRow("SELECT application_id, user_version FROM pragma_application_id, pragma_user_version").Scan(&id, &version); err != nil {
		return false, err
	}
	var text string
	var known int // of the columns of trials: other programs have trials too
	if err := db.QueryRow("SELECT json_group_array(name ORDER BY name), (SELECT count(*) FROM pragma_table_info('trials') WHERE name IN ('batch', 'origin', 'x', 'attempt')) "+
		"FROM sqlite_master WHERE type = 'table' AND substr(name, 1, 7) <> 'sqlite_'").Scan(&text, &known); err != nil {
		return false, err
	}
	var names []string
	if err := json.Unmarshal([]byte(text), &names); err != nil {
		return false, err
	}
	has := "with the tables " + clip(and(names), 100)
	if len(names) == 0 {
		has = fmt.Sprintf("marked as that of the application %#x, without a table", uint32(id))
	}
	switch {
	case id == 0 && len(names) == 0:
		return false, nil
	case id != applicationID && (id != 0 || !slices.Equal(names, tables) || known < 4):
		return false, &Error{
			Code: CodeForeign, Where: path, What: "is another program's database, " + has,
			Fix: "move it away, or study.yaml into a folder of its own: parfait keeps its history in study.db",
		}
	case version > schemaVersion:
		return false, &Error{Code: CodeHistory, Where: path, What: fmt.Sprintf("written by a newer parfait (schema %d, this one knows %d)", version, schemaVersion), Fix: "update parfait"}
	}
	return true, nil
}

// connect opens a file as a database; mode is SQLite's.
func connect(path, mode string) (*sql.DB, error) {
	dsn := "file:" + (&url.URL{Path: path}).EscapedPath() + "?mode=" + mode +
		"&_pragma=busy_timeout(15000)&_pragma=synchronous(FULL)&_pragma=foreign_keys(1)&_txlock=immediate"
	db, err := sql.Open("sqlite", dsn)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	// data_version is a connection's own: one connection sees every change of the others.
	db.SetMaxOpenConns(1)
	return db, nil
}

// migrate makes db, which is empty or a history of ours, one as this program makes it.
func migrate(db *sql.DB) error {
	var id, version int
	var mode string
	if err := db.QueryRow("SELECT application_id, user_version, journal_mode FROM pragma_application_id, pragma_user_version, pragma_journal_mode").Scan(&id, &version, &mode); err != nil {
		return err
	}
	if mode != "delete" {
		if _, err := db.Exec("PRAGMA journal_mode = DELETE"); err != nil {
			return err
		}
	}
	if id == applicationID && version == schemaVersion {
		return nil
	}
	tx, err := db.Begin()
	if err != nil {
		return err
	}
	if version > 0 && version < schemaVersion {
		if _, err := tx.Exec(strings.Join(upgrades[version-1:], "")); err != nil {
			return errors.Join(err, tx.Rollback())
		}
	}
	if _, err := tx.Exec(schema + fmt.Sprintf("PRAGMA user_version = %d; PRAGMA application_id = %d", schemaVersion, applicationID)); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}
