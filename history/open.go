package history

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
	"strings"

	"parfait/problem"
)

// schemaVersion grows with the schema; SQLite keeps it in the file as user_version. Those before journalSince had no
// journal: see older.
const (
	schemaVersion = 3
	journalSince  = 3
)

// applicationID says in the file that a history is parfait's: "prft". Studies have it that were begun or
// run since there is one; older ones are known by their tables.
const applicationID = 0x70726674

// Open finds the history of the study in dir. It makes and changes nothing. traces says what else in the folder tells
// that something was recorded; nil for nothing.
func Open(dir string, traces func() []string) (*Store, error) {
	s := &Store{path: filepath.Join(dir, DatabaseFile), journal: filepath.Join(dir, JournalFile), traces: traces}
	_, err := s.open()
	if Damaged(err) || s.journalStands(err) || s.unfinished(err) {
		err = nil // it is said by who reads, beside what can be read
	}
	return s, s.Explain(err)
}

// Memory is a history that begins empty and is nowhere but in memory.
func Memory() (*Store, error) {
	db, err := newMemory()
	return &Store{db: db, begun: true}, err
}

func newMemory() (*sql.DB, error) {
	db, _ := connect("memory", inMemory)
	err := makeEmpty(context.Background(), db)
	if err != nil {
		err = errors.Join(err, db.Close())
	}
	return db, err
}

// Close closes the history; nothing is begun any more.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.begun && s.opener != nil {
		rest(s.db)
	}
	var errs []error
	for _, db := range []*sql.DB{s.db, s.memory} {
		if db != nil {
			errs = append(errs, db.Close())
		}
	}
	return errors.Join(errs...)
}

// open returns the database as it is, nil where nothing was recorded yet. It makes and changes no file.
func (s *Store) open() (*sql.DB, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.attach()
}

// Begin makes sure that there is a history to write to: begun where there is none yet, and as this program makes one.
func (s *Store) Begin() error {
	_, err := s.begin()
	return err
}

func (s *Store) begin() (*sql.DB, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.begun {
		if s.opener != nil {
			s.opener.follow(s.db)
			s.opener.clear()
		}
		return s.db, nil
	}
	_, err := s.attach()
	if s.unfinished(err) && !s.journalStands(err) {
		if err = s.finish(); err == nil {
			_, err = s.attach()
		}
	}
	switch {
	case s.journalStands(err): // who writes waits longer, and may have to be the only one who opens it
		return s.make(writing)
	case err != nil:
		return nil, err
	case s.db == nil:
		return s.make(creating)
	}
	release, err := s.alone(s.db)
	if err != nil {
		return nil, err
	}
	defer release()
	s.opener.become(writing, s.db)
	if err := s.migrate(s.db); err != nil {
		s.opener.become(looking, s.db)
		return nil, err
	}
	s.begun = true
	return s.db, nil
}

// make opens a database that is ours, or not there yet, to write it.
func (s *Store) make(a access) (*sql.DB, error) {
	db, o := connect(s.path, a)
	var err error
	var fi os.FileInfo
	if a == writing {
		_, err = recognise(db, s.path)
	}
	if err == nil {
		err = s.migrate(db)
	}
	o.access = writing // it is not begun twice
	if err == nil {
		fi, err = os.Lstat(s.path)
	}
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	s.db, s.opener, s.file, s.begun = db, o, fi, true
	return db, nil
}

// attach is open for who holds mu.
func (s *Store) attach() (*sql.DB, error) {
	if s.db != nil {
		if s.opener != nil {
			s.opener.follow(s.db)
		}
		return s.db, nil
	}
	db, o, fi, err := s.find()
	if c := problem.CodeOf(err); c == CodeHistory || c == CodeDamaged {
		// A runner may have begun it meanwhile. It does so before it leaves anything else: a second look tells.
		db, o, fi, err = s.find()
	}
	s.db, s.opener, s.file = db, o, fi
	return db, err
}

// find opens the database to look at it. None, where nothing was recorded yet; an error, where what should be there
// is not, or something else is.
func (s *Store) find() (*sql.DB, *opener, os.FileInfo, error) {
	fi, err := os.Lstat(s.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil, nil, s.lost("is missing")
	case err != nil:
		return nil, nil, nil, err
	case !fi.Mode().IsRegular():
		return nil, nil, nil, NotOurs(s.path, fi, "the history itself belongs here, beside study.yaml")
	case fi.Size() == 0:
		return nil, nil, nil, s.lost("is empty")
	}
	db, o := connect(s.path, looking)
	begun, err := recognise(db, s.path)
	if err == nil && begun {
		return db, o, fi, nil
	}
	if err == nil {
		err = s.lost("is empty")
	}
	return nil, nil, nil, errors.Join(err, db.Close())
}

// journalStands says whether the database could not be read for a reason that is no damage, and the journal has what
// was recorded.
func (s *Store) journalStands(err error) bool {
	if err == nil || !elsewhere(s.path, err) {
		return false
	}
	fi, err := os.Lstat(s.journal)
	return err == nil && fi.Size() > 0
}

// unfinished says whether the database could not be read because somebody who writes has to put right first what a death
// in the middle of a commit, or a copy, has left beside it.
func (s *Store) unfinished(err error) bool {
	return err != nil && !held(err) && elsewhere(s.path, err)
}

// finish puts that right, where no journal tells what there is.
func (s *Store) finish() error {
	db, o := connect(s.path, writing)
	if o.beside("-journal") {
		o.access = holding // its mode stays as it is
	}
	var tables int
	err := db.QueryRow("SELECT count(*) FROM sqlite_master").Scan(&tables)
	return errors.Join(err, db.Close())
}

// lost says that a database is gone, told from what else is in the study's folder; nil where nothing was
// recorded yet.
func (s *Store) lost(how string) error {
	if fi, err := os.Lstat(s.journal); err == nil && (fi.Size() > 0 || !fi.Mode().IsRegular()) {
		return &problem.Problem{
			Code: CodeDamaged, Where: s.path, What: how + ", and " + JournalFile + " has what was recorded",
			Fix: fmt.Sprintf("`parfait repair %s` makes it again; to measure everything again, move %s out of the folder", s.Dir(), problem.And(append([]string{JournalFile}, s.signs()...))),
		}
	}
	left := s.signs()
	if len(left) == 0 {
		return nil
	}
	return &problem.Problem{
		Code: CodeHistory, Where: s.path,
		What: fmt.Sprintf("%s, but this study has been run: see %s", how, problem.And(left)),
		Fix:  fmt.Sprintf("put %s and %s back from a copy of the folder; to measure everything again, move %s out of the folder", DatabaseFile, JournalFile, problem.And(left)),
	}
}

// signs are what else in the folder tells that something was recorded.
func (s *Store) signs() []string {
	if s.traces == nil {
		return nil
	}
	return s.traces()
}

// Replaced says that a file is no longer the one that was opened: whatever is written is lost.
func (s *Store) Replaced() error {
	s.mu.Lock()
	file := s.file
	s.mu.Unlock()
	if file == nil {
		return nil
	}
	fi, err := os.Lstat(s.path)
	if errors.Is(err, fs.ErrNotExist) || (err == nil && !os.SameFile(fi, file)) {
		return &problem.Problem{
			Code: CodeHistory, Where: s.path, What: "was deleted or replaced while it was in use: what is measured from here on would be lost",
			Fix: "put it back if it was moved by mistake, then start again",
		}
	}
	return nil // anything else may pass
}

// recognise says whether db is a history, and not empty. What is neither is an error.
func recognise(db *sql.DB, path string) (begun bool, err error) {
	tx, err := db.Begin() // somebody else may be making it just now: what is read of it is of one moment
	if err != nil {
		return false, err
	}
	defer func() { _ = tx.Rollback() }()
	var id, version int
	if err := tx.QueryRow("SELECT application_id, user_version FROM pragma_application_id, pragma_user_version").Scan(&id, &version); err != nil {
		return false, err
	}
	var text string
	var known int // of the columns of trials: other programs have trials too
	if err := tx.QueryRow("SELECT json_group_array(name ORDER BY name), (SELECT count(*) FROM pragma_table_info('trials') WHERE name IN ('batch', 'origin', 'x', 'attempt')) "+
		"FROM sqlite_master WHERE type = 'table' AND substr(name, 1, 7) <> 'sqlite_'").Scan(&text, &known); err != nil {
		return false, err
	}
	var names []string
	if err := json.Unmarshal([]byte(text), &names); err != nil {
		return false, err
	}
	has := "with the tables " + problem.And(names)
	if len(has) > 110 {
		has = strings.ToValidUTF8(has[:106], "") + " …"
	}
	if len(names) == 0 {
		has = fmt.Sprintf("marked as that of the application %#x, without a table", uint32(id))
	}
	switch {
	case id == 0 && len(names) == 0:
		return false, nil
	case id != applicationID && (id != 0 || !slices.Equal(names, olderTables) || known < 4):
		return false, &problem.Problem{
			Code: CodeForeign, Where: path, What: "is another program's database, " + has,
			Fix: "move it away, or study.yaml into a folder of its own: parfait keeps its history in study.db",
		}
	case version > schemaVersion:
		return false, &problem.Problem{Code: CodeHistory, Where: path, What: fmt.Sprintf("written by a newer parfait (schema %d, this one knows %d)", version, schemaVersion), Fix: "update parfait"}
	case version >= journalSince && !slices.Equal(names, tableNames):
		return false, fmt.Errorf("%w: it has not the tables that it should have, but %s", errDamaged, problem.And(names))
	}
	return true, nil
}

// schemaOf is the version of the schema, 0 of an empty database.
func schemaOf(ctx context.Context, db *sql.DB) (version int, err error) {
	err = db.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version)
	return version, err
}

// migrate makes db, which is empty or a history of ours, one as this program makes it.
func (s *Store) migrate(db *sql.DB) error {
	ctx := context.Background()
	version, err := schemaOf(ctx, db)
	switch {
	case err != nil || version == schemaVersion:
		return err
	case version > 0:
		return s.upgrade(ctx, db, version)
	}
	return makeEmpty(ctx, db)
}

// makeEmpty makes an empty database a history without anything recorded.
func makeEmpty(ctx context.Context, db *sql.DB) error {
	return within(ctx, db, "BEGIN IMMEDIATE", func(tx *Tx) error {
		var there int // somebody else may have been first
		if err := tx.QueryRow("PRAGMA user_version").Scan(&there); err != nil || there > 0 {
			return err
		}
		return makeTables(tx)
	})
}

func makeTables(tx *Tx) error {
	_, err := tx.Exec(schema + fmt.Sprintf("PRAGMA user_version = %d; PRAGMA application_id = %d", schemaVersion, applicationID))
	return err
}
