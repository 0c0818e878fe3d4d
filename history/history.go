// Package history keeps what was recorded of a study: study.db, an SQLite database, and beside it history.jsonl, the
// journal.
//
// The journal is the truth: a line for every change, checksummed, chained, on the disk before anything else knows of it,
// and never changed. The database is what the lines come to, for looking things up: it is brought up to the journal
// where it lags, and can be made from it anew. So a change is recorded as soon as its line is.
//
// In come rows of a few tables (Row); out go the same. What they mean is for package study to know. Any number of
// processes may have a history open; those that write wait for each other. Who only reads makes and changes nothing.
package history

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"parfait/problem"
)

// DatabaseFile is the database's name in a study's folder.
const DatabaseFile = "study.db"

// Store is a study's history. It is safe for concurrent use.
type Store struct {
	// Alone, where it is not nil, keeps others from running the study until release is called, or says who does. An
	// older history is upgraded in that time only: a runner of an older parfait would not know it again.
	Alone func() (release func(), err error)
	// Now is what time it is, where it is not the world's; nil: time.Now.
	Now func() time.Time

	path    string // of the database
	journal string // its path; "": none is kept
	traces  func() []string

	mu     sync.Mutex
	db     *sql.DB     // nil: nothing is recorded yet, as far as was seen
	opener *opener     // of db
	file   os.FileInfo // as it was opened
	begun  bool        // db is open for writing, and as this program makes one
	sound  position    // up to here the journal is as it was written, as was seen
	own    int64       // bytes of the journal that were written here
	memory *sql.DB     // what the journal says, where the database does not; or an older history, converted
}

// Tx reads the history at one moment, or writes it.
type Tx struct {
	ctx       context.Context
	conn      *sql.Conn
	study     string // whose history it is: in the sums of rows
	prepared  map[string]*sql.Stmt
	converted bool
}

// prepare has a statement ready until the transaction is over, for what is done with every row.
func (tx *Tx) prepare(query string) (*sql.Stmt, error) {
	if s := tx.prepared[query]; s != nil {
		return s, nil
	}
	s, err := tx.conn.PrepareContext(tx.ctx, query)
	if err == nil {
		tx.prepared[query] = s
	}
	return s, err
}

func (tx *Tx) forget() {
	for _, s := range tx.prepared {
		_ = s.Close()
	}
}

// Line is the last line that the history has come to, for Table.Rows: 0 where that is not known.
func (tx *Tx) Line() (int64, error) {
	if tx.converted {
		return 0, nil
	}
	p, err := loadPosition(tx)
	return p.lines, err
}

// Exec executes statements.
func (tx *Tx) Exec(query string, args ...any) (sql.Result, error) {
	return tx.conn.ExecContext(tx.ctx, query, args...)
}

// Query asks for rows.
func (tx *Tx) Query(query string, args ...any) (*sql.Rows, error) {
	return tx.conn.QueryContext(tx.ctx, query, args...)
}

// QueryRow asks for one row.
func (tx *Tx) QueryRow(query string, args ...any) *sql.Row {
	return tx.conn.QueryRowContext(tx.ctx, query, args...)
}

// within runs f in a transaction that begins with the given words. It is over when within returns: committed where f
// returned nil, and else as if it had never been.
func within(ctx context.Context, db *sql.DB, begin string, f func(*Tx) error) error {
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }() // gives it back
	tx := &Tx{ctx: ctx, conn: conn, prepared: map[string]*sql.Stmt{}}
	defer tx.forget()
	if _, err := tx.Exec(begin); err != nil {
		return err
	}
	if err = f(tx); err == nil {
		_, err = tx.Exec("COMMIT")
	}
	if err != nil {
		tx.ctx = context.WithoutCancel(ctx)
		_, _ = tx.Exec("ROLLBACK") // SQLite may have done so itself
	}
	return err
}

// Change is one change of the history: a line of the journal, recorded whole or not at all.
type Change struct {
	*Tx
	At   time.Time // when; to the millisecond
	line line
	rows int64 // that it has made
}

// Put gives a row, or some columns of one that is there.
func (c *Change) Put(t *Table, r Row) error {
	p := put{t, r}
	added, err := p.apply(c.Tx, c.line.n)
	if added {
		c.rows++
	}
	c.line.rows = append(c.line.rows, p)
	return err
}

// Set gives one value of Meta.
func (c *Change) Set(key, value string) error {
	return c.Put(Meta, Row{"key": key, "value": value})
}

// Next is the number of the next row of a table: one above the highest.
func (c *Change) Next(t *Table) (id int, err error) {
	err = c.QueryRow("SELECT coalesce(max(id), 0) + 1 FROM " + t.Name).Scan(&id)
	return id, err
}

// Entry is a change that is asked for: its kind, which is for people who read the journal, and what makes it. Make may
// be called more than once; one that puts nothing leaves no line.
type Entry struct {
	Kind string
	Make func(*Change) error
}

// Write is WriteAll of one change.
func (s *Store) Write(kind string, change func(*Change) error) error {
	errs, err := s.WriteAll(Entry{kind, change})
	if err == nil {
		err = errs[0]
	}
	return err
}

// WriteAll records changes, all with one wait for the disk, in a history that it begins where there is none. A change
// that fails leaves nothing, says why in errs, and holds up no other; with err none is recorded.
func (s *Store) WriteAll(entries ...Entry) (errs []error, err error) {
	db, err := s.begin()
	if err != nil {
		return nil, err
	}
	recorded := false
	err = within(context.Background(), db, "BEGIN IMMEDIATE", func(tx *Tx) error {
		if err := s.Replaced(); err != nil {
			return err
		}
		at, err := s.settle(tx)
		if err != nil {
			return err
		}
		end, text := at, []byte(nil)
		if errs, text, err = s.changes(tx, &end, entries); err != nil || len(text) == 0 {
			return err
		}
		if err := end.store(tx); err != nil {
			return err
		}
		if s.journal != "" {
			err = appendJournal(s.journal, at, text)
		}
		if err == nil {
			s.mu.Lock()
			s.own += int64(len(text))
			s.mu.Unlock()
		}
		recorded = err == nil && s.journal != ""
		return err
	})
	if recorded {
		err = nil // where the database could not take it, the next who writes brings it up
	}
	return errs, err
}

// changes makes the changes one after the other behind p, and returns their lines.
func (s *Store) changes(tx *Tx, p *position, entries []Entry) (errs []error, text []byte, err error) {
	if p.lines == 0 {
		p.study = rand.Text()
		tx.study = p.study
		entries = append([]Entry{{"begun", func(c *Change) error { return c.Set("id", rand.Text()) }}}, entries...)
		defer func() {
			if len(errs) > 0 {
				errs = errs[1:]
			}
		}()
	}
	errs = make([]error, len(entries))
	for i, e := range entries {
		if _, err := tx.Exec("SAVEPOINT change"); err != nil {
			return nil, nil, err
		}
		at := s.now().Truncate(time.Millisecond)
		c := &Change{Tx: tx, At: at, line: line{n: p.lines + 1, at: at.UnixMilli(), kind: e.Kind}}
		next := *p
		longer := text
		if errs[i] = e.Make(c); errs[i] == nil && len(c.line.rows) > 0 {
			longer, errs[i] = next.encode(text, c.line)
			next.rows += c.rows
		}
		if Passing(errs[i]) || Damaged(errs[i]) {
			return nil, nil, errs[i] // of the database, not of the change
		}
		if errs[i] != nil {
			if _, err := tx.Exec("ROLLBACK TO change"); err != nil {
				return nil, nil, err
			}
		} else {
			*p, text = next, longer
		}
		if _, err := tx.Exec("RELEASE change"); err != nil {
			return nil, nil, err
		}
	}
	return errs, text, nil
}

func (s *Store) now() time.Time {
	if s.Now != nil {
		return s.Now()
	}
	return time.Now()
}

// HasBegun says whether anything is recorded.
func (s *Store) HasBegun() (bool, error) {
	db, err := s.open()
	if s.journalStands(err) || s.unfinished(err) {
		return true, nil
	}
	return db != nil, s.Explain(err)
}

// Note writes what may be lost, to views and progress: no journal has it. Where nothing is recorded yet, or what is may
// only be looked at or is of an older form, it is not kept.
func (s *Store) Note(f func(*Tx) error) error {
	ctx := context.Background()
	db, err := s.open()
	if s.journalStands(err) || s.unfinished(err) {
		return nil
	}
	if db == nil || err != nil {
		return s.Explain(err)
	}
	if version, err := schemaOf(ctx, db); err != nil || version != schemaVersion {
		return s.Explain(err)
	}
	if db, err = s.begin(); err == nil {
		err = within(ctx, db, "BEGIN IMMEDIATE", f)
	}
	if err = s.Explain(err); problem.CodeOf(err) == CodeReadOnly {
		return nil
	}
	return err
}

// settle brings the database to the end of the journal, and returns where that is.
func (s *Store) settle(tx *Tx) (position, error) {
	p, err := loadPosition(tx)
	if err != nil || s.journal == "" {
		return p, err
	}
	text, err := readJournal(s.journal, p)
	if err == nil {
		err = s.soundTo(p)
	}
	if err != nil || len(text) == 0 {
		return p, err
	}
	before := p
	if err := p.replay(text, func(l line) (int64, error) { return l.apply(tx) }); err != nil {
		return p, err
	}
	if p == before {
		return p, nil
	}
	return p, p.store(tx)
}

// soundTo says whether the journal is as it was written up to p. What was seen to be is not looked at again.
func (s *Store) soundTo(p position) error {
	s.mu.Lock()
	seen := s.sound
	s.mu.Unlock()
	if p.bytes <= seen.bytes {
		return nil
	}
	text, err := readJournal(s.journal, seen)
	if err != nil {
		return err
	}
	more := p.bytes - seen.bytes
	if int64(len(text)) < more {
		return fmt.Errorf("%w: %s ends before what is recorded in %s", errDamaged, JournalFile, DatabaseFile)
	}
	if err := sound(text[:more], seen); err != nil {
		return err
	}
	s.mu.Lock()
	if p.bytes > s.sound.bytes {
		s.sound = p
	}
	s.mu.Unlock()
	return nil
}

// apply brings the line's rows into the database.
func (l line) apply(tx *Tx) (rows int64, err error) {
	if l.study != "" {
		tx.study = l.study
	}
	for _, r := range l.rows {
		added, err := r.apply(tx, l.n)
		if err != nil {
			return rows, err
		}
		if added {
			rows++
		}
	}
	return rows, nil
}

// loadPosition is how far into the journal the database goes.
func loadPosition(tx *Tx) (p position, err error) {
	err = tx.QueryRow("SELECT study, lines, bytes, sum, rows FROM journal").Scan(&p.study, &p.lines, &p.bytes, &p.sum, &p.rows)
	if errors.Is(err, sql.ErrNoRows) {
		return position{}, nil
	}
	tx.study = p.study
	return p, err
}

func (p position) store(tx *Tx) error {
	_, err := tx.Exec("INSERT OR REPLACE INTO journal (id, study, lines, bytes, sum, rows) VALUES (0, ?, ?, ?, ?, ?)", p.study, p.lines, p.bytes, p.sum, p.rows)
	return err
}

// counted says whether the tables have as many rows as the lines have made.
func (p position) counted(tx *Tx) error {
	var n int64
	for _, t := range tables {
		var rows int64
		if err := tx.QueryRow("SELECT count(*) FROM " + t.Name + " NOT INDEXED").Scan(&rows); err != nil {
			return err
		}
		n += rows
	}
	if n != p.rows {
		return fmt.Errorf("%w: it has %d rows, where %d were written", errDamaged, n, p.rows)
	}
	return nil
}

// Version changes with the history: compare it with the one before.
type Version struct{ data, bytes int64 }

// Version is that of now. It does not change with what is written here.
func (s *Store) Version(ctx context.Context) (v Version, err error) {
	s.mu.Lock()
	own := s.own
	s.mu.Unlock()
	fi, _ := os.Lstat(s.journal)
	if fi != nil {
		v.bytes = fi.Size() - own
	}
	db, err := s.open()
	if db == nil || err != nil {
		if fi != nil && fi.Size() > 0 {
			err = nil // it is read from the journal
		}
		return v, err
	}
	err = db.QueryRowContext(ctx, "PRAGMA data_version").Scan(&v.data)
	return v, err
}

// Dir is the study's folder.
func (s *Store) Dir() string { return filepath.Dir(s.path) }

// Path is the database's.
func (s *Store) Path() string { return s.path }
