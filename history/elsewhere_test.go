package history

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A database that somebody holds, or died in the middle of a commit to, is no damage: the journal has all, a check says why
// it was not compared, and who looks sees everything.
func TestADatabaseThatCannotBeReadNow(t *testing.T) {
	t.Parallel()
	s, dir := begun(t, 12)
	want, _ := contentOf(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for name, of := range map[string]struct {
		make func(t *testing.T) (dir string)
		why  string
	}{
		"held":         {func(t *testing.T) string { return inTheMiddle(t, dir) }, "keeps it locked"},
		"half written": {func(t *testing.T) string { return hot(t, dir) }, "in the middle of a commit"},
	} {
		t.Run(name, func(t *testing.T) {
			at := of.make(t)
			state, err := Check(t.Context(), at)
			if err != nil || len(state.Problems) > 0 || !strings.Contains(state.Unread, of.why) || state.Lines == 0 {
				t.Errorf("a check says %+v, %v; want that nothing is wrong, and %q", state, err, of.why)
			}
			got, trouble := content(t, at)
			if same(t, "what is read", got, want); trouble != nil {
				t.Errorf("the trouble is %v, want none", trouble)
			}
			if name == "held" {
				return
			}
			next, err := Open(at, nil)
			if err == nil {
				err = errors.Join(next.Write("next", func(c *Change) error { return c.Set("next", "one") }), next.Close())
			}
			if err != nil {
				t.Fatalf("to write on: %v", err)
			}
			healthy(t, at)
			got, _ = content(t, at)
			same(t, "after the next write", got, strings.Replace(want, "batches 0 ", "meta \"next\" \"one\"\nbatches 0 ", 1))
		})
	}
}

// Who has written before reads on while another writer is suspended between the journal and the database: nobody waits
// for that one.
func TestWhoHasWrittenIsNotHeldUp(t *testing.T) {
	t.Parallel()
	s, dir := begun(t, 2)
	beside, err := Open(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = beside.Close() })
	db, err := beside.begin()
	if err != nil {
		t.Fatal(err)
	}
	if err := within(t.Context(), db, "BEGIN IMMEDIATE", func(tx *Tx) error {
		p, err := loadPosition(tx)
		if err != nil {
			return err
		}
		end := p
		_, text, err := beside.changes(tx, &end, []Entry{{"a", func(c *Change) error { return c.Set("a", "1") }}})
		if err == nil {
			err = appendJournal(beside.journal, p, text)
		}
		if err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(t.Context(), writerWaits)
		defer cancel()
		trouble, err := s.Read(ctx, func(tx *Tx) error {
			var value string
			return tx.QueryRow("SELECT value FROM meta WHERE key = 'a'").Scan(&value)
		})
		if left, _ := ctx.Deadline(); trouble != nil || err != nil || time.Until(left) < writerWaits/2 {
			t.Errorf("%v, %v; want what the journal has, without waiting for the one that holds the database", trouble, err)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

// inTheMiddle is a copy of a history in rollback mode, of which a connection has begun to write to the database and
// not come to the end.
func inTheMiddle(t *testing.T, dir string) (copied string) {
	t.Helper()
	copied = t.TempDir()
	copyThere(t, dir, copied)
	stopIn(t, copied, "UPDATE trials SET why = hex(randomblob(3000))", "UPDATE batches SET asked = asked + 1")
	return copied
}

// stopIn has a connection begin to write to a database, and not come to the end.
func stopIn(t *testing.T, dir string, statements ...string) {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(dir, DatabaseFile))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	db.SetMaxOpenConns(1)
	// With a cache of one page, pages are written before the commit.
	for _, text := range append([]string{"PRAGMA cache_size = 1", "PRAGMA cache_spill = 1", "BEGIN EXCLUSIVE"}, statements...) {
		if _, err := db.Exec(text); err != nil {
			t.Fatal(err)
		}
	}
}

// hot is what is left of it when that connection's process has died.
func hot(t *testing.T, dir string) string {
	t.Helper()
	return dead(t, inTheMiddle(t, dir))
}

func dead(t *testing.T, from string) string {
	t.Helper()
	to := t.TempDir()
	copyThere(t, from, to)
	if fi, err := os.Stat(filepath.Join(to, DatabaseFile+"-journal")); err != nil || fi.Size() == 0 {
		t.Fatalf("there is no rollback journal: %v", err)
	}
	return to
}

// Whoever died while he began a history has recorded nothing: that is what everybody sees, and the next begins it.
func TestABeginningThatWasCutShort(t *testing.T) {
	t.Parallel()
	at := t.TempDir()
	stopIn(t, at, schema, "INSERT INTO views SELECT name || rootpage, randomblob(3000) FROM sqlite_master")
	at = dead(t, at)
	if got, trouble := content(t, at); got != "" || trouble != nil {
		t.Errorf("it has %q and the trouble %v, want nothing", got, trouble)
	}
	if state, err := Check(t.Context(), at); err != nil || len(state.Problems) > 0 || state.Lines > 0 {
		t.Errorf("a check says %+v, %v; want that nothing is recorded", state, err)
	}
	s, err := Open(at, nil)
	if err == nil {
		err = errors.Join(s.Write("x", func(c *Change) error { return c.Set("a", "b") }), s.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
	healthy(t, at)
}

// copyThere copies the files that are there.
func copyThere(t *testing.T, from, to string) {
	t.Helper()
	for _, name := range []string{DatabaseFile, JournalFile, DatabaseFile + "-journal"} {
		if b, err := os.ReadFile(filepath.Join(from, name)); err == nil {
			write(t, filepath.Join(to, name), b)
		}
	}
}
