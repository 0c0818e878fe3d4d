package history

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"parfait/internal/stage"
	"parfait/problem"
)

// Repaired is what a repair did.
type Repaired struct {
	Changed   bool     `json:"changed"`   // something was put right
	Lines     int64    `json:"lines"`     // of the journal now
	Lost      int64    `json:"lost"`      // lines of the journal that could not be read
	Recovered int64    `json:"recovered"` // rows that only the database had
	Kept      []string `json:"kept"`      // the files as they were
}

// Repair puts the history of the study in dir right, from all that can be read of the journal and the database: a row
// counts where its sum is right, and of two the one that was written later. New files are written whole and take the
// place of the old ones, which stay beside them. Killed at any moment it leaves what the next one can repair. Nobody
// else may write meanwhile: the caller holds the study's run lock. A history that is whole stays as it is.
func Repair(ctx context.Context, dir string) (Repaired, error) {
	s, err := Open(dir, nil)
	if err != nil {
		return Repaired{}, err
	}
	defer s.Close() //nolint:errcheck // it was read
	r := &repairer{Store: s, stamp: time.Now().UTC().Format("20060102-150405")}
	release, err := r.hold()
	if err == nil {
		err = r.repair(ctx, release)
		release()
	}
	return r.Repaired, s.Explain(err)
}

// hold keeps others from writing, where the database is whole enough for that: those who cannot read it do not write.
func (r *repairer) hold() (release func(), err error) {
	if fi, err := os.Lstat(r.path); err != nil || !fi.Mode().IsRegular() || fi.Size() == 0 {
		return func() {}, nil
	}
	db, _ := connect(r.path, holding)
	if _, err := db.Exec("BEGIN IMMEDIATE"); held(err) {
		return nil, errors.Join(err, db.Close())
	}
	return sync.OnceFunc(func() { _ = db.Close() }), nil
}

type repairer struct {
	*Store
	Repaired
	stamp string
}

func (r *repairer) repair(ctx context.Context, release func()) error {
	db, err := r.open()
	if err != nil && !Damaged(err) {
		return err
	}
	var rows []found
	var views []view
	healthy := false
	if db != nil {
		if version, err := schemaOf(ctx, db); err == nil && version > 0 && version < journalSince {
			return r.ofOlder(ctx)
		}
	}
	text, err := readJournal(r.journal, position{})
	if err != nil {
		return err
	}
	lines, lost := goodLines(text)
	study := ""
	if len(lines) > 0 {
		study = lines[0].study // the first line's, where that is left
	}
	if db != nil {
		var anothers bool
		if rows, views, study, anothers = salvage(ctx, db, study); anothers {
			return &problem.Problem{
				Code: CodeDamaged, Where: r.Dir(), What: ofTwo + ", and which of them belongs here is not known",
				Fix: "put the one that does not back from a copy; or, where " + JournalFile + " belongs here, move " + DatabaseFile + " out of the folder, and parfait repair makes it again",
			}
		}
	}
	if study == "" {
		study = rand.Text()
	}
	if len(lines) == 0 && len(rows) == 0 {
		if len(text) == 0 && db == nil && err == nil {
			return nil
		}
		return &problem.Problem{Code: CodeDamaged, Where: r.path, What: "nothing can be read of it or of " + JournalFile, Fix: "put both back from a copy of the folder; to measure everything again, move them out of the folder"}
	}
	r.Lost = lost
	more, err := onlyIn(ctx, study, rows, lines, lost)
	if err != nil {
		return err
	}
	r.Recovered = int64(len(more))
	var end position
	bad := end.replay(text, func(line) (int64, error) { return 0, nil })
	journal := bad == nil && len(more) == 0 // it is whole
	if journal && db != nil {
		state, err := Check(ctx, r.Dir())
		healthy = err == nil && len(state.Problems) == 0
	}
	if r.Lines = int64(len(lines)); healthy {
		return nil
	}
	r.Changed = true
	if !journal {
		at := time.Now().UnixMilli()
		for _, row := range more {
			lines = append(lines, line{at: at, kind: "recovered", rows: []put{row.put}})
		}
		r.Lines = int64(len(lines))
	}
	return r.write(ctx, contents{study, lines, views, text[:end.bytes]}, journal, release)
}

// ofOlder refuses: there is nothing to make an older history from.
func (r *repairer) ofOlder(ctx context.Context) error {
	state, err := Check(ctx, r.Dir())
	if err != nil || len(state.Problems) == 0 {
		return err
	}
	return &problem.Problem{Code: CodeDamaged, Where: r.path, What: "is of a parfait that kept no journal, and damaged: " + problem.Text(state.Problems), Fix: "put back a copy of it"}
}

// contents are what a history is made from.
type contents struct {
	study string
	lines []line
	views []view
	text  []byte // of a journal that is whole, which the lines are in
}

// write puts the new files in the place of the old ones: the journal first, since the database can be made from it.
func (r *repairer) write(ctx context.Context, c contents, journal bool, release func()) error {
	next := r.path + ".new"
	for _, path := range []string{next, next + "-journal", next + "-wal", next + "-shm"} {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	text, err := build(ctx, next, c, journal)
	if err != nil {
		return err
	}
	if !journal {
		if err := writeSynced(r.journal+".new", text); err != nil {
			return err
		}
		if err := r.replace(r.journal+".new", r.journal); err != nil {
			return err
		}
	}
	_ = r.Close() // of what is damaged
	release()     // who writes to the old one now does so to a journal that is not its own, and is refused
	// What SQLite has beside the database belongs to the old one.
	for _, suffix := range []string{"-wal", "-journal"} {
		if err := r.keep(r.path + suffix); err != nil {
			return err
		}
		if err := os.Remove(r.path + suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	if err := os.Remove(r.path + "-shm"); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return r.replace(next, r.path)
}

// build writes a database from lines, and returns their text as the journal has it.
func build(ctx context.Context, path string, c contents, journal bool) (text []byte, err error) {
	db, _ := connect(path, building)
	defer func() { err = errors.Join(err, db.Close()) }()
	return text, within(ctx, db, "BEGIN IMMEDIATE", func(tx *Tx) error {
		if err := makeTables(tx); err != nil {
			return err
		}
		if journal {
			var p position
			err = p.replay(c.text, func(l line) (int64, error) { return l.apply(tx) })
			err = errors.Join(err, p.store(tx))
		} else {
			text, err = fold(tx, c.study, c.lines)
		}
		if err != nil {
			return err
		}
		for _, v := range c.views {
			if _, err := tx.Exec("INSERT INTO views (who, body) VALUES (?, ?)", v.who, v.body); err != nil {
				return err
			}
		}
		return nil
	})
}

// replace puts the file next in the place of path, which stays beside it.
func (r *repairer) replace(next, path string) error {
	if err := r.keep(path); err != nil {
		return err
	}
	return errors.Join(os.Rename(next, path), stage.OS{}.SyncDir(r.Dir()))
}

// keep gives a file, if it is there, another name as well.
func (r *repairer) keep(path string) error {
	to := fmt.Sprintf("%s.damaged-%s", path, r.stamp)
	fi, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && fi.Size() == 0 {
		return nil
	}
	if err == nil {
		err = os.Link(path, to)
	}
	if errors.Is(err, fs.ErrExist) {
		err = nil
	} else if err != nil { // a file system without links
		err = copyFile(path, to)
	}
	if err == nil {
		r.Kept = append(r.Kept, filepath.Base(to))
	}
	return err
}

func copyFile(from, to string) error {
	in, err := os.OpenFile(from, os.O_RDONLY|openFlags, 0)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()
	b, err := io.ReadAll(in)
	if err != nil {
		return err
	}
	return writeSynced(to, b)
}

func writeSynced(path string, b []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC|openFlags, 0o666)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// view is a row of views.
type view struct {
	who  string
	body []byte
}

// salvage reads the rows of a study's database that are as they were written, from both ends of each table, and what it
// has of views. With "" it is whose it says. It is another's where none of its rows is of the study, and some are of whose
// it says.
func salvage(ctx context.Context, db *sql.DB, of string) (rows []found, views []view, study string, anothers bool) {
	study = of
	_ = within(ctx, db, "BEGIN", func(tx *Tx) error {
		p, _ := loadPosition(tx)
		study = cmp.Or(study, p.study)
		tx.study = study
		rows = tx.salvage()
		if tx.study = p.study; len(rows) == 0 && p.study != study {
			anothers = len(tx.salvage()) > 0
		}
		read, err := tx.Query("SELECT who, body FROM views")
		if err != nil {
			return err
		}
		defer func() { _ = read.Close() }()
		for read.Next() {
			var v view
			if read.Scan(&v.who, &v.body) == nil {
				views = append(views, v)
			}
		}
		return nil
	})
	slices.SortStableFunc(rows, byLine)
	return rows, views, study, anothers
}

// salvage reads the rows of all tables that are as they were written.
func (tx *Tx) salvage() (rows []found) {
	for _, t := range tables {
		seen := map[any]bool{}
		for _, order := range []string{"", " DESC"} {
			_ = t.every(tx, "NOT INDEXED ORDER BY "+t.columns[0].name+order, func(line int64, v []any, bad error) {
				if bad == nil && !seen[v[0]] {
					seen[v[0]] = true
					rows = append(rows, found{line, put{t, t.asRow(v)}})
				}
			})
		}
	}
	return rows
}

// goodLines are the journal's lines that are as they were written, with the numbers that they had, and how many are
// not. A line is good where its sum follows from the line before it, as that was written; what the sum of a line was
// is known from itself or from the one after it.
func goodLines(text []byte) (good []line, lost int64) {
	previous := []string{""} // what the sum of the line before may have been
	var doubtful *line       // the line before, where its own sum is not right
	var should []string
	for len(text) > 0 {
		b, rest, whole := bytes.Cut(text, []byte{'\n'})
		text = rest
		l, sum, err := parseLine(b)
		if err != nil {
			if !whole || len(rest) == 0 {
				break // torn
			}
			lost++
			previous, doubtful = []string{sumIn(b)}, nil
			continue
		}
		var sums []string
		follows := ""
		for _, p := range previous {
			sums = append(sums, lineSum(p, before(b)))
			if sums[len(sums)-1] == sum {
				follows = p
			}
		}
		right := slices.Contains(sums, sum)
		if doubtful != nil {
			if right && slices.Contains(should, follows) {
				good = append(good, *doubtful)
			} else {
				lost++
			}
			doubtful = nil
		}
		if right && whole {
			good, previous = append(good, l), []string{sum}
			continue
		}
		if !whole || len(rest) == 0 {
			break
		}
		doubtful, should, previous = &l, sums, append(slices.Clone(sums), sum)
	}
	if doubtful != nil {
		lost++
	}
	return good, lost
}

// sumIn is the sum that a line has, as far as it can be read.
func sumIn(b []byte) string {
	i := bytes.LastIndex(b, []byte(sumField))
	if i < 0 {
		return "?"
	}
	return string(bytes.TrimSuffix(b[i+len(sumField):], []byte(`"}`)))
}

// onlyIn are the rows that only the database has: those that a line gave which is lost, or which comes after the last
// that is left; where lines are lost, also those that one gave which is left, and whose other columns were of one that
// is not.
func onlyIn(ctx context.Context, study string, rows []found, lines []line, lost int64) (more []found, err error) {
	memory, err := newMemory()
	if err != nil {
		return nil, err
	}
	defer memory.Close() //nolint:errcheck // nothing is kept there
	good := map[int64]bool{}
	return more, within(ctx, memory, "BEGIN IMMEDIATE", func(tx *Tx) error {
		tx.study = study
		for _, l := range lines {
			good[l.n], l.study = true, study
			if _, err := l.apply(tx); err != nil {
				return err
			}
		}
		for _, r := range rows {
			has, line, err := r.table.row(tx, r.row[r.table.columns[0].name])
			none := errors.Is(err, sql.ErrNoRows)
			if err != nil && !none {
				return err
			}
			differs := none || !sameRow(r.table, r.row, r.table.asRow(has))
			if differs && (!good[r.line] && r.line > line || lost > 0 && (none || r.line == line)) {
				more = append(more, r)
			}
		}
		return nil
	})
}

func sameRow(t *Table, a, b Row) bool {
	return !slices.ContainsFunc(t.columns, func(c column) bool {
		x, xok := a[c.name].(json.RawMessage)
		y, yok := b[c.name].(json.RawMessage)
		if xok && yok {
			return !bytes.Equal(x, y)
		}
		return a[c.name] != b[c.name]
	})
}
