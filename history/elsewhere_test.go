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
	db, err := sql.Open("sqlite", filepath.Join(copied, DatabaseFile))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	db.SetMaxOpenConns(1)
	// With a cache of one page, pages are written before the commit.
	for _, text := range []string{"PRAGMA cache_size = 1", "PRAGMA cache_spill = 1", "BEGIN EXCLUSIVE", "UPDATE trials SET why = hex(randomblob(3000))", "UPDATE batches SET asked = asked + 1"} {
		if _, err := db.Exec(text); err != nil {
			t.Fatal(err)
		}
	}
	return copied
}

// hot is what is left of it when that connection's process has died.
func hot(t *testing.T, dir string) string {
	t.Helper()
	from, to := inTheMiddle(t, dir), t.TempDir()
	copyThere(t, from, to)
	if fi, err := os.Stat(filepath.Join(to, DatabaseFile+"-journal")); err != nil || fi.Size() == 0 {
		t.Fatalf("there is no rollback journal: %v", err)
	}
	return to
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
