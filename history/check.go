package history

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	sqlite3 "modernc.org/sqlite/lib"

	"parfait/problem"
)

// State is what a check found in a history.
type State struct {
	Lines    int64        `json:"lines"`            // of the journal
	Bytes    int64        `json:"bytes"`            // that they take
	Torn     int64        `json:"torn"`             // bytes of a last line that did not come to be: no damage
	Rows     int64        `json:"rows"`             // that they come to
	Behind   int64        `json:"behind"`           // lines that the database has not come to yet: no damage
	Unread   string       `json:"unread,omitempty"` // why the database was not compared: no damage
	Problems problem.List `json:"-"`
}

// shown is how many rows of a table are named that differ.
const shown = 5

// Check reads all of the history of the study in dir: whether the journal's lines are those that were written, whether
// SQLite finds its database whole, and whether the database has what the lines come to, row by row. It changes nothing. The
// error says why it could not be made; an empty State is that of a study of which nothing is recorded.
func Check(ctx context.Context, dir string) (State, error) {
	s, err := Open(dir, nil)
	if err != nil {
		return State{}, err
	}
	defer s.Close() //nolint:errcheck // it was read
	c := &checker{Store: s}
	if err = c.check(ctx); s.journalStands(err) || s.unfinished(err) {
		c.State = State{Unread: unread(err)}
		err = c.alone(ctx)
	}
	if err != nil && !Damaged(err) {
		return c.State, s.Explain(err)
	}
	return c.State, nil
}

// unread says why a database cannot be read where that is no damage.
func unread(err error) string {
	switch code := extendedCode(err); {
	case held(err):
		return "another process keeps it locked, perhaps one that was suspended"
	case code == sqlite3.SQLITE_READONLY_ROLLBACK || code == sqlite3.SQLITE_READONLY_RECOVERY:
		return "somebody died in the middle of a commit, which the next who writes takes back"
	}
	return err.Error()
}

// alone checks the journal without the database.
func (c *checker) alone(ctx context.Context) error {
	memory, err := newMemory()
	if err != nil {
		return err
	}
	defer memory.Close() //nolint:errcheck // nothing is kept there
	text, err := c.text()
	if err != nil || len(text) == 0 {
		return err
	}
	return within(ctx, memory, "BEGIN IMMEDIATE", func(tx *Tx) error { _, err := c.replay(tx, position{}, text); return err })
}

type checker struct {
	*Store
	State
}

// found notes what is wrong; what to do is the same for all.
func (c *checker) found(where, format string, args ...any) {
	c.Problems = append(c.Problems, problem.Problem{Code: CodeDamaged, Where: where, What: fmt.Sprintf(format, args...)})
}

// damaged notes err where it is damage, and returns it where it is not.
func (c *checker) damaged(where string, err error) error {
	if err == nil || !Damaged(err) {
		return err
	}
	c.found(where, "%s", plain(err))
	return nil
}

// plain is an error without the words that every damage has.
func plain(err error) string {
	for _, e := range []error{err, errors.Unwrap(err)} {
		if p := (problem.Problem{}); errors.As(e, &p) {
			return p.What
		}
	}
	text, damaged := err.Error(), errDamaged.Error()+": "
	if len(text) > len(damaged) && text[:len(damaged)] == damaged {
		return text[len(damaged):]
	}
	return text
}

func (c *checker) check(ctx context.Context) error {
	db, err := c.open()
	if err := c.damaged(c.path, err); err != nil {
		return err
	}
	if db == nil {
		return c.alone(ctx)
	}
	if version, err := schemaOf(ctx, db); err != nil || version < journalSince {
		return errors.Join(err, c.older(ctx))
	}
	memory, err := newMemory()
	if err != nil {
		return err
	}
	defer memory.Close() //nolint:errcheck // nothing is kept there
	return within(ctx, db, "BEGIN", func(tx *Tx) error {
		p, err := loadPosition(tx)
		if err := c.damaged(c.path, err); err != nil {
			return err
		}
		text, err := c.text() // after the database: it has what that has
		if err != nil {
			return err
		}
		if err := c.damaged(c.path, integrity(tx)); err != nil {
			return err
		}
		if err := c.damaged(c.path, c.form(tx)); err != nil {
			return err
		}
		return within(ctx, memory, "BEGIN IMMEDIATE", func(mem *Tx) error { return c.against(tx, mem, p, text) })
	})
}

// text is the journal's.
func (c *checker) text() ([]byte, error) {
	text, err := readJournal(c.journal, position{})
	c.Bytes = int64(len(text))
	return text, err
}

// replay folds the lines of text, which follow p, up to where they are damaged.
func (c *checker) replay(mem *Tx, p position, text []byte) (position, error) {
	begin := p.bytes
	err := p.replay(text, func(l line) (int64, error) { return l.apply(mem) })
	c.Lines, c.Rows, c.Torn = p.lines, p.rows, 0
	if err == nil {
		c.Torn = int64(len(text)) - (p.bytes - begin)
	}
	return p, c.damaged(c.journal, err)
}

// against compares the database, which has come to the position at, with what the journal comes to there.
func (c *checker) against(tx, mem *Tx, at position, text []byte) error {
	if study := studyOf(text); study != "" && at.study != "" && study != at.study {
		c.found(c.Dir(), ofTwo)
		_, err := c.replay(mem, position{}, text)
		return err
	}
	if at.bytes > int64(len(text)) {
		c.found(c.journal, "ends %d bytes before what is recorded in %s", at.bytes-int64(len(text)), DatabaseFile)
		at.bytes = int64(len(text))
	}
	p, err := c.replay(mem, position{}, text[:at.bytes])
	if err != nil {
		return err
	}
	if c.Torn > 0 {
		c.found(c.journal, "its last line is not as it was written, and %s has come to it", DatabaseFile)
	}
	if p.bytes == at.bytes && (p.sum != at.sum || p.lines != at.lines) {
		c.found(c.path, "is not of this journal: it has come to line %d with another sum", at.lines)
	}
	for _, t := range tables {
		against := mem
		if p.bytes < at.bytes { // the journal cannot say what the database should have
			against = nil
		}
		if err := c.damaged(c.path, c.compare(t, tx, against)); err != nil {
			return err
		}
	}
	rest := text[at.bytes:]
	if p.bytes < at.bytes || len(rest) == 0 { // damaged before, or all
		return nil
	}
	end, err := c.replay(mem, p, rest)
	c.Behind = end.lines - p.lines
	return err
}

// compare notes every row of a table that is not the same in both; without mem, that is not as it was written.
func (c *checker) compare(t *Table, tx, mem *Tx) error {
	want := map[any][]any{}
	if mem != nil {
		if err := t.each(mem, "", nil, func(line int64, v []any) error {
			want[v[0]] = append(v, line)
			return nil
		}); err != nil {
			return err
		}
	}
	n := 0
	differs := func(key any, how string) {
		if n++; n <= shown {
			c.found(c.path, "%s %v: %s", t.Name, key, how)
		}
	}
	err := t.every(tx, "", func(line int64, v []any, err error) {
		w, ok := want[v[0]]
		delete(want, v[0])
		switch {
		case err != nil:
			differs(v[0], "is not as it was written")
		case mem == nil:
		case !ok:
			differs(v[0], "is not in "+JournalFile)
		case !slices.Equal(w, append(v, line)):
			differs(v[0], "is another than in "+JournalFile)
		}
	})
	if err == nil {
		for key := range want {
			differs(key, "is missing")
		}
	}
	if n > shown {
		c.found(c.path, "%s: %d more", t.Name, n-shown)
	}
	return err
}

// every calls f with each row that the clause selects, also with those whose sum is wrong, until one cannot be read at all.
func (t *Table) every(tx *Tx, clause string, f func(line int64, values []any, err error)) error {
	rows, err := tx.Query(t.query(clause))
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		values := make([]any, len(t.columns))
		var line, sum any
		if err := rows.Scan(append(pointers(values), &line, &sum)...); err != nil {
			return err
		}
		n, ok := line.(int64)
		if ok = ok && sumOf(tx.study, t, values) == sum; ok {
			f(n, values, nil)
		} else {
			f(0, values, errDamaged)
		}
	}
	return rows.Err()
}

// integrity is what SQLite says of its file.
func integrity(tx *Tx) error {
	rows, err := tx.Query("PRAGMA integrity_check(20)")
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	var said []string
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return err
		}
		if text != "ok" {
			said = append(said, text)
		}
	}
	if err := rows.Err(); err != nil || len(said) == 0 {
		return err
	}
	return fmt.Errorf("%w: SQLite says: %s", errDamaged, problem.And(said[:min(len(said), 3)]))
}

// form says what of the database is not as this program makes one: its tables, or the size of its file.
func (c *checker) form(tx *Tx) error {
	rows, err := tx.Query("SELECT coalesce(sql, '') FROM sqlite_master WHERE substr(name, 1, 7) <> 'sqlite_' ORDER BY rowid")
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	var made strings.Builder
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return err
		}
		made.WriteString(text + ";\n")
	}
	if err := rows.Err(); err != nil {
		return err
	}
	if made.String() != schema {
		c.found(c.path, "its tables are not as they were made")
	}
	var pages, size int64
	if err := tx.QueryRow("SELECT page_count, page_size FROM pragma_page_count, pragma_page_size").Scan(&pages, &size); err != nil {
		return err
	}
	_, wal := os.Lstat(c.path + "-wal")
	if fi, err := os.Lstat(c.path); err == nil && wal != nil && fi.Size() != pages*size {
		c.found(c.path, "has %d bytes, where its %d pages take %d", fi.Size(), pages, pages*size)
	}
	return nil
}

// older checks a history that has no journal yet.
func (c *checker) older(ctx context.Context) error {
	if _, err := os.Lstat(c.journal); err == nil || !errors.Is(err, fs.ErrNotExist) {
		c.Bytes = 0 // of an upgrade that did not come to its end
	}
	db, err := c.open()
	if err != nil {
		return err
	}
	return within(ctx, db, "BEGIN", func(tx *Tx) error {
		if err := c.damaged(c.path, integrity(tx)); err != nil {
			return err
		}
		var version int
		if err := tx.QueryRow("PRAGMA user_version").Scan(&version); err != nil {
			return err
		}
		_, err := older(tx, version)
		if err != nil {
			c.found(c.path, "cannot be read as a history: %s", err)
		}
		return nil
	})
}

// byLine orders rows by the lines that gave them.
func byLine(a, b found) int { return cmp.Compare(a.line, b.line) }

// found is a row and the line that gave it.
type found struct {
	line int64
	put
}
