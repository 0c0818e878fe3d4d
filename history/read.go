package history

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// Read calls f with the history as it is at one moment; not where nothing is recorded yet. Where the database cannot be
// read, or lags, f reads what the journal says: trouble tells what is wrong then. f may be called twice: it begins
// anew.
func (s *Store) Read(ctx context.Context, f func(*Tx) error) (trouble, err error) {
	trouble, err = s.read(ctx, f)
	for tries := 0; errors.Is(err, errBehind) && tries < 3; tries++ {
		pause(ctx, behindWait) // a runner is between the two, or was when it died, or was suspended
		trouble, err = s.read(ctx, f)
	}
	if err == nil || ctx.Err() != nil || !(Damaged(err) || errors.Is(err, errBehind) || Passing(err) || elsewhere(s.path, err)) {
		return s.Explain(trouble), s.Explain(err)
	}
	there, damage, merr := s.fold(ctx, f)
	switch {
	case !there && merr == nil && s.unfinished(err):
		return nil, s.Explain(s.aside(ctx, err, f))
	case !there && merr == nil:
		return nil, s.Explain(err)
	case errors.Is(err, errBehind) || elsewhere(s.path, err):
		err = nil // nothing is wrong: the journal has all
	}
	return errors.Join(s.Explain(err), s.Explain(damage)), s.Explain(merr)
}

// behindWait is how long who looks waits for the database to come up to the journal.
const behindWait = 10 * time.Millisecond

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// read reads the database. It is errBehind where the journal has more.
func (s *Store) read(ctx context.Context, f func(*Tx) error) (trouble, err error) {
	db, err := s.open()
	if db == nil || err != nil {
		return nil, err
	}
	version, err := schemaOf(ctx, db)
	if err != nil {
		return nil, err
	}
	if version < journalSince {
		return nil, readOlder(ctx, db, version, f)
	}
	err = within(ctx, db, "BEGIN", func(tx *Tx) error {
		p, err := loadPosition(tx)
		if err != nil {
			return err
		}
		if s.journal != "" {
			text, err := readJournal(s.journal, p)
			if err == nil {
				err = s.soundTo(p)
			}
			if err == nil {
				err = p.replay(text, func(line) (int64, error) { return 0, errBehind })
			}
			if Damaged(err) && s.another(p) {
				err = fmt.Errorf("%w: %s, and what is read is of %s", errDamaged, ofTwo, JournalFile)
				return err
			}
			if errors.Is(err, errBehind) {
				return err
			}
			trouble = err // of the journal; the database has what it has
		}
		if err := p.counted(tx); err != nil {
			return err
		}
		return f(tx)
	})
	return trouble, err
}

// ofTwo is said of files that do not belong to each other.
const ofTwo = DatabaseFile + " and " + JournalFile + " are of two studies"

// another says whether the journal is whole as far as its first line, and of another study than the database, which has
// come to p: then the database is not of this study.
func (s *Store) another(p position) bool {
	text, err := readJournal(s.journal, position{})
	study := studyOf(text)
	return err == nil && study != "" && study != p.study
}

// aside has f read an older history that is unfinished, as err says, from a copy, of which that is taken back.
func (s *Store) aside(ctx context.Context, err error, f func(*Tx) error) error {
	dir, terr := os.MkdirTemp("", "parfait-history-")
	if terr != nil {
		return errors.Join(err, terr)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	path := filepath.Join(dir, DatabaseFile)
	for _, suffix := range []string{"", "-journal", "-wal"} {
		if err := copyFile(s.path+suffix, path+suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	db, _ := connect(path, holding)
	defer db.Close() //nolint:errcheck // nothing is kept there
	if begun, err := recognise(db, s.path); err != nil || !begun {
		return err // whoever began it died before anything was recorded
	}
	version, verr := schemaOf(ctx, db)
	if verr != nil || version >= journalSince {
		return err
	}
	return readOlder(ctx, db, version, f)
}

// fold has f read what the journal comes to, up to where it is damaged. There is none where it says false.
func (s *Store) fold(ctx context.Context, f func(*Tx) error) (there bool, damage, err error) {
	s.mu.Lock()
	if s.memory == nil && s.journal != "" {
		s.memory, err = newMemory()
	}
	memory := s.memory
	s.mu.Unlock()
	if memory == nil || err != nil {
		return false, nil, err
	}
	err = within(ctx, memory, "BEGIN IMMEDIATE", func(tx *Tx) error {
		p, err := s.settle(tx)
		if Damaged(err) {
			damage, err = err, p.store(tx)
		}
		if there = p.lines > 0; err != nil || !there {
			return err
		}
		return f(tx)
	})
	return there, damage, err
}

// Replay calls f before every line of the journal of the study in dir, with the history as it was then and the kind of
// the line, and once at the end with "". It changes nothing.
func Replay(ctx context.Context, dir string, f func(tx *Tx, kind string) error) error {
	s := &Store{path: filepath.Join(dir, DatabaseFile), journal: filepath.Join(dir, JournalFile)}
	memory, err := newMemory()
	if err != nil {
		return err
	}
	defer memory.Close() //nolint:errcheck // nothing is kept there
	text, err := readJournal(s.journal, position{})
	if err != nil {
		return s.Explain(err)
	}
	return s.Explain(within(ctx, memory, "BEGIN IMMEDIATE", func(tx *Tx) error {
		var p position
		if err := p.replay(text, func(l line) (int64, error) {
			if err := f(tx, l.kind); err != nil {
				return 0, err
			}
			rows, err := l.apply(tx)
			if err != nil {
				return 0, err
			}
			return rows, position{lines: l.n, study: tx.study}.store(tx) // for who asks how far it has come
		}); err != nil {
			return err
		}
		return f(tx, "")
	}))
}
