package history

import (
	"bytes"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// olderStudy is the history of an older parfait.
func olderStudy(t *testing.T, more string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	db, err := sql.Open("sqlite", filepath.Join(dir, DatabaseFile))
	if err != nil {
		t.Fatal(err)
	}
	text := string(read(t, "testdata/schema-1.sql"))
	if _, err := db.Exec(text + more); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return dir
}

// What an older parfait had started, failed and chosen, beside what it measured.
const olderRows = `
INSERT INTO trials VALUES(5,-1,'ann','asked for','[0.25,0.125]','failed',3,'it ended',' ',1796026754397,1796026754530,1796026754548);
INSERT INTO trials VALUES(6,-1,'ann','asked for','[0.25,0.5]','running',2,'','{"done":1,"total":2}',1796026754397,1796026754530,0);
INSERT INTO metrics VALUES(6,'upright',0.1,0,0);
INSERT INTO commands VALUES(1,1796026754397,'ann','{"kind":"retry","n":5}');
INSERT INTO commands VALUES(2,1796026754398,'ann','not JSON');
INSERT INTO picks VALUES(2,1796026754399,'[0.5,0.5]','{"name":"p"}');
INSERT INTO exports VALUES(7,1796026754399,'[0.5,0.5]','{"name":"e"}');
INSERT INTO views VALUES('ann','seen');
`

// An older history is read without a change, and upgraded with the first write; a copy stays.
func TestOlderHistoriesAreReadAndUpgraded(t *testing.T) {
	t.Parallel()
	dir := olderStudy(t, olderRows)
	before := read(t, filepath.Join(dir, DatabaseFile))
	want, trouble := content(t, dir)
	for _, text := range []string{
		`"it ended"`, `{\"kind\":\"retry\",\"n\":5}`, `picks 2 `, `exports 7 `,
		`{\"upright\":{\"value\":0.1}}`, `{\"value\":0.6266666666666667`, `{\"people\":[]}`,
	} {
		if !strings.Contains(want, text) {
			t.Errorf("no %s in\n%s", text, want)
		}
	}
	if left, err := os.ReadDir(dir); trouble != nil || err != nil || len(left) != 1 || !bytes.Equal(before, read(t, filepath.Join(dir, DatabaseFile))) {
		t.Errorf("to look at it: %v, %v; %v are there", trouble, err, left)
	}
	healthy(t, dir)
	if done, err := Repair(t.Context(), dir); err != nil || done.Changed {
		t.Errorf("a repair: %+v, %v", done, err)
	}

	// An upgrade that was killed before the database changed leaves a journal that counts for nothing.
	write(t, filepath.Join(dir, JournalFile), []byte(`{"n":1,"at":0,"kind":"imported"`))
	got, _ := content(t, dir)
	same(t, "after half an upgrade", got, want)

	s, err := Open(dir, nil)
	if err == nil {
		err = errors.Join(s.Write("x", func(c *Change) error { return c.Set("a", "b") }), s.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
	healthy(t, dir)
	got, _ = content(t, dir)
	same(t, "upgraded", got, `meta "a" "b"`+"\n"+want)
	kept := t.TempDir()
	write(t, filepath.Join(kept, DatabaseFile), read(t, filepath.Join(dir, DatabaseFile+".schema-1")))
	got, _ = content(t, kept)
	same(t, "the copy", got, want)
	lose(t, dir)
	got, _ = content(t, dir)
	same(t, "from the journal", got, `meta "a" "b"`+"\n"+want)
}

// An older history whose runner died in the middle of a commit is read as it was before, and changed by who writes.
func TestAnOlderHistoryThatIsHalfWritten(t *testing.T) {
	t.Parallel()
	dir := olderStudy(t, olderRows)
	want, _ := content(t, dir)
	at := hot(t, dir)
	before := read(t, filepath.Join(at, DatabaseFile))
	got, trouble := content(t, at)
	if same(t, "what is read", got, want); trouble != nil {
		t.Errorf("the trouble is %v, want none", trouble)
	}
	if state, err := Check(t.Context(), at); err != nil || len(state.Problems) > 0 || state.Unread == "" {
		t.Errorf("a check says %+v, %v; want that nothing is wrong, and why it was not compared", state, err)
	}
	if !bytes.Equal(before, read(t, filepath.Join(at, DatabaseFile))) {
		t.Error("it was changed by who looks")
	}
	s, err := Open(at, nil)
	if err == nil {
		err = errors.Join(s.Write("x", func(c *Change) error { return c.Set("a", "b") }), s.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
	healthy(t, at)
	got, _ = content(t, at)
	same(t, "upgraded", got, `meta "a" "b"`+"\n"+want)
}

// An older history has nothing to be repaired from: that is said, and nothing is changed.
func TestADamagedOlderHistory(t *testing.T) {
	t.Parallel()
	dir := olderStudy(t, olderRows)
	path := filepath.Join(dir, DatabaseFile)
	b := read(t, path)
	clear(b[4096*3 : 4096*4])
	write(t, path, b)
	state, err := Check(t.Context(), dir)
	if err != nil || len(state.Problems) == 0 {
		t.Errorf("a check says %+v, %v", state, err)
	}
	if _, err := Repair(t.Context(), dir); !Damaged(err) || !strings.Contains(err.Error(), "kept no journal") {
		t.Errorf("a repair: %v", err)
	}
	if !bytes.Equal(b, read(t, path)) {
		t.Error("it was changed")
	}
}
