package history

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"parfait/internal/rescue"
)

// begun is a history with a few rows in each table, in a folder of its own.
func begun(t *testing.T, trials int) (*Store, string) {
	t.Helper()
	dir := t.TempDir()
	s, err := Open(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	fill(t, s, trials)
	return s, dir
}

func fill(t *testing.T, s *Store, trials int) {
	t.Helper()
	random := rand.New(rand.NewPCG(1, 2))
	for i := range trials {
		var entries []Entry
		entries = append(entries, Entry{"batch", func(c *Change) error {
			return errors.Join(
				c.Put(Batches, Row{"id": i, "asked": c.At.UnixMilli(), "saw": map[string]string{"done": fmt.Sprint("1-", i)}}),
				c.Put(Trials, Row{"id": i + 1, "batch": i, "origin": "search", "why": "the gap \"of\" <all>\n", "x": []float64{random.Float64(), 1e-300 * random.Float64()}, "state": "waiting", "attempt": 1, "created": c.At.UnixMilli()}),
			)
		}}, Entry{"started", func(c *Change) error {
			return c.Put(Trials, Row{"id": i + 1, "state": "running", "started": c.At.UnixMilli()})
		}}, Entry{"done", func(c *Change) error {
			return errors.Join(
				c.Put(Measurements, Row{"id": i + 1, "trial": i + 1, "attempt": 1, "evaluator": "main", "split": "validation", "at": c.At.UnixMilli(), "tasks": map[string]any{"a": map[string]float64{"value": random.Float64()}}}),
				c.Put(Trials, Row{"id": i + 1, "state": "done", "ended": c.At.UnixMilli()}),
			)
		}})
		if i%3 == 0 {
			entries = append(entries, Entry{"pick", func(c *Change) error {
				return c.Put(Picks, Row{"id": i + 1, "at": c.At.UnixMilli(), "x": []float64{1}, "body": map[string]string{"name": "p"}})
			}}, Entry{"command", func(c *Change) error {
				return c.Put(Commands, Row{"id": i + 1, "at": c.At.UnixMilli(), "who": "me", "body": map[string]string{"kind": "pause"}})
			}}, Entry{"export", func(c *Change) error {
				return c.Put(Exports, Row{"id": i + 1, "at": c.At.UnixMilli(), "x": []float64{1}, "body": map[string]string{"name": "e"}})
			}})
		}
		errs, err := s.WriteAll(entries...)
		if err := errors.Join(append(errs, err)...); err != nil {
			t.Fatal(err)
		}
	}
}

// content is all of a history that commands answer from.
func content(t *testing.T, dir string) (text string, trouble error) {
	t.Helper()
	s, err := Open(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close() //nolint:errcheck // it was read
	return contentOf(t, s)
}

func contentOf(t *testing.T, s *Store) (string, error) {
	t.Helper()
	var out string
	trouble, err := s.Read(t.Context(), func(tx *Tx) error {
		var b strings.Builder
		for _, table := range tables {
			if err := table.each(tx, "ORDER BY "+table.columns[0].name, nil, func(_ int64, v []any) error {
				b.WriteString(table.Name)
				for _, v := range v {
					if n, ok := v.(int64); ok {
						fmt.Fprintf(&b, " %d", n)
					} else {
						fmt.Fprintf(&b, " %q", v)
					}
				}
				b.WriteByte('\n')
				return nil
			}); err != nil {
				return err
			}
		}
		out = b.String()
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out, trouble
}

func healthy(t *testing.T, dir string) {
	t.Helper()
	state, err := Check(t.Context(), dir)
	if err != nil || len(state.Problems) > 0 {
		t.Fatalf("a check says %+v, %v; want that all is well", state.Problems, err)
	}
}

// same says where two texts differ first.
func same(t *testing.T, what, got, want string) {
	t.Helper()
	if got == want {
		return
	}
	a, b := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range a {
		if i >= len(b) || a[i] != b[i] {
			t.Errorf("%s: line %d of %d is\n%s\nwant, of %d,\n%s", what, i, len(a), a[i], len(b), strings.Join(b[min(i, len(b)):min(i+1, len(b))], ""))
			return
		}
	}
	t.Errorf("%s: %d lines, want %d", what, len(a), len(b))
}

// What is written is read, by this process and another, and rebuilt from the journal alone.
func TestTheJournalAloneIsEnough(t *testing.T) {
	t.Parallel()
	s, dir := begun(t, 20)
	want, trouble := contentOf(t, s)
	if trouble != nil || strings.Count(want, "\n") < 60 {
		t.Fatalf("what was written is read with %v, want all of\n%s", trouble, want)
	}
	got, _ := content(t, dir)
	same(t, "to another process", got, want)
	healthy(t, dir)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	lose(t, dir)
	got, trouble = content(t, dir)
	if same(t, "without the database", got, want); !Damaged(trouble) || !strings.Contains(trouble.Error(), "parfait repair") {
		t.Errorf("the trouble is %v, want what to do", trouble)
	}
	if s, err := Open(dir, nil); err != nil {
		t.Fatal(err)
	} else if err := s.Write("x", func(c *Change) error { return c.Set("a", "b") }); !Damaged(err) {
		t.Errorf("to write without the database: %v, want that it is refused", err)
	}
	done, err := Repair(t.Context(), dir)
	if err != nil || !done.Changed || done.Lost != 0 || done.Recovered != 0 {
		t.Fatalf("%+v, %v", done, err)
	}
	healthy(t, dir)
	got, trouble = content(t, dir)
	if same(t, "rebuilt", got, want); trouble != nil {
		t.Errorf("the repaired history has the trouble %v, want none", trouble)
	}
	if again, err := Repair(t.Context(), dir); err != nil || again.Changed {
		t.Errorf("a second repair: %+v, %v, want that nothing is to be done", again, err)
	}
}

// lose deletes the database, with what SQLite has beside it.
func lose(t *testing.T, dir string) {
	t.Helper()
	for _, suffix := range []string{"", "-wal", "-shm", "-journal"} {
		if err := os.RemoveAll(filepath.Join(dir, DatabaseFile+suffix)); err != nil {
			t.Fatal(err)
		}
	}
}

// The last line may be torn at any byte: it was not recorded. The one before it was.
func TestAJournalTornAtEveryByteOfItsLastLine(t *testing.T) {
	t.Parallel()
	s, dir := begun(t, 2)
	before, _ := contentOf(t, s)
	if err := s.Write("last", func(c *Change) error { return c.Set("last", "one") }); err != nil {
		t.Fatal(err)
	}
	after, _ := contentOf(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, JournalFile)
	whole := read(t, path)
	start := bytes.LastIndexByte(whole[:len(whole)-1], '\n') + 1
	step := 1
	if testing.Short() {
		step = 7
	}
	for cut := start; cut <= len(whole); cut = min(cut+step, max(len(whole), cut+1)) {
		want := before
		if cut == len(whole) {
			want = after
		}
		alone := t.TempDir()
		write(t, filepath.Join(alone, JournalFile), whole[:cut])
		got, _ := content(t, alone)
		same(t, fmt.Sprintf("read, torn at byte %d", cut), got, want)
		if state, err := Check(t.Context(), alone); err != nil || state.Torn != int64(cut-start) && cut < len(whole) {
			t.Errorf("torn at byte %d: a check says %+v, %v", cut, state, err)
		}
		if _, err := Repair(t.Context(), alone); err != nil {
			t.Fatal(err)
		}
		got, _ = content(t, alone)
		same(t, fmt.Sprintf("rebuilt, torn at byte %d", cut), got, want)
		next, err := Open(alone, nil)
		if err == nil {
			err = errors.Join(next.Write("next", func(c *Change) error { return c.Set("next", "one") }), next.Close())
		}
		if err != nil {
			t.Errorf("torn at byte %d: to write on: %v", cut, err)
		}
		healthy(t, alone)

		// Where the database knows the line, nothing is lost.
		both := t.TempDir()
		write(t, filepath.Join(both, JournalFile), whole[:cut])
		write(t, filepath.Join(both, DatabaseFile), read(t, filepath.Join(dir, DatabaseFile)))
		if state, err := Check(t.Context(), both); err != nil || (len(state.Problems) == 0) != (cut == len(whole)) {
			t.Errorf("torn at byte %d beside a database that has all: a check says %+v, %v", cut, state.Problems, err)
		}
		if _, err := Repair(t.Context(), both); err != nil {
			t.Fatal(err)
		}
		got, _ = content(t, both)
		same(t, fmt.Sprintf("repaired, torn at byte %d", cut), got, after)
		healthy(t, both)
	}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func write(t *testing.T, path string, b []byte) {
	t.Helper()
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
}

// corruptions of a file of pages of 4096 bytes.
var corruptions = map[string]func(r *rand.Rand, b []byte) []byte{
	"a zeroed page": func(r *rand.Rand, b []byte) []byte {
		p := r.IntN(len(b) / 4096)
		clear(b[4096*p : 4096*(p+1)])
		return b
	},
	"a flipped bit": func(r *rand.Rand, b []byte) []byte {
		b[r.IntN(len(b))] ^= 1 << r.IntN(8)
		return b
	},
	"a truncation": func(r *rand.Rand, b []byte) []byte { return b[:r.IntN(len(b))] },
	"a foreign page": func(r *rand.Rand, b []byte) []byte {
		p, q := r.IntN(len(b)/4096), r.IntN(len(b)/4096)
		copy(b[4096*p:4096*(p+1)], b[4096*q:])
		b[4096*p+100] ^= 1
		return b
	},
}

// corrupted is how many databases are corrupted in each way, in short few; PARFAIT_CORRUPTIONS sets another number for a
// long night.
func corrupted() uint64 {
	if n, err := strconv.ParseUint(os.Getenv("PARFAIT_CORRUPTIONS"), 10, 64); err == nil {
		return n
	}
	if testing.Short() {
		return 5
	}
	return 10
}

// Whatever becomes of the database, a check notices what changes an answer, and a repair brings all of it back.
func TestCorruptedDatabases(t *testing.T) {
	t.Parallel()
	s, dir := begun(t, 24)
	want, _ := contentOf(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	db, journal := read(t, filepath.Join(dir, DatabaseFile)), read(t, filepath.Join(dir, JournalFile))
	for name, corrupt := range corruptions {
		noticed := 0
		for seed := range corrupted() {
			dir := t.TempDir()
			b := corrupt(rand.New(rand.NewPCG(seed, 7)), bytes.Clone(db))
			write(t, filepath.Join(dir, DatabaseFile), b)
			write(t, filepath.Join(dir, JournalFile), journal)
			what := fmt.Sprintf("%s, seed %d", name, seed)
			state, err := Check(t.Context(), dir)
			var foreign error
			if err != nil {
				foreign = err // it is no longer known as ours
			}
			if len(state.Problems) > 0 || foreign != nil {
				noticed++
			} else if got, trouble := content(t, dir); got != want || trouble != nil {
				same(t, what+": nothing was noticed, and what is read", got, want)
			}
			if foreign == nil {
				got, _ := content(t, dir)
				same(t, what+": what is read", got, want)
			}
			if _, err := Repair(t.Context(), dir); err != nil {
				t.Errorf("%s: %v", what, err)
				continue
			}
			healthy(t, dir)
			got, _ := content(t, dir)
			same(t, what+": repaired", got, want)
		}
		if noticed == 0 {
			t.Errorf("%s: none was noticed", name)
		}
		t.Logf("%s: %d of %d changed something and were noticed, all were repaired", name, noticed, corrupted())
	}
}

// Pages, and the whole file, of another study's database are told, and none of it is taken over.
func TestAnotherStudysDatabase(t *testing.T) {
	t.Parallel()
	s, dir := begun(t, 20)
	want, _ := contentOf(t, s)
	other, elsewhere := begun(t, 0) // its tables are empty, and their pages whole
	if err := other.Write("a", func(c *Change) error { return c.Set("a", "b") }); err != nil {
		t.Fatal(err)
	}
	pagesOf(t, s, dir, want, other, elsewhere)
	s, dir = begun(t, 20)
	want, _ = contentOf(t, s)
	other, elsewhere = begun(t, 19)
	pagesOf(t, s, dir, want, other, elsewhere)
}

// pagesOf puts the pages of another study's database one by one into that of a study.
func pagesOf(t *testing.T, s *Store, dir, want string, other *Store, elsewhere string) {
	t.Helper()
	if err := errors.Join(s.Close(), other.Close()); err != nil {
		t.Fatal(err)
	}
	db, journal, foreign := read(t, filepath.Join(dir, DatabaseFile)), read(t, filepath.Join(dir, JournalFile)), read(t, filepath.Join(elsewhere, DatabaseFile))
	for page := 0; page < min(len(db), len(foreign))/4096; page++ {
		b := bytes.Clone(db)
		if copy(b[4096*page:4096*(page+1)], foreign[4096*page:]); page == 0 {
			b = foreign
		}
		study := t.TempDir()
		write(t, filepath.Join(study, DatabaseFile), b)
		write(t, filepath.Join(study, JournalFile), journal)
		what := fmt.Sprintf("page %d of another study's", page)
		got, trouble := content(t, study)
		same(t, what+": what is read", got, want)
		state, err := Check(t.Context(), study)
		if err != nil || trouble != nil && len(state.Problems) == 0 || page == 0 && trouble == nil {
			t.Errorf("%s: the trouble is %v; a check says %+v, %v", what, trouble, state.Problems, err)
		}
		done, err := Repair(t.Context(), study)
		if page == 0 {
			if !Damaged(err) || !strings.Contains(err.Error(), "two studies") {
				t.Errorf("%s: the repair did %+v, %v, want that it asks which belongs here", what, done, err)
			}
			lose(t, study) // as it says
			done, err = Repair(t.Context(), study)
		}
		if err != nil || done.Recovered > 0 || done.Lost > 0 {
			t.Errorf("%s: the repair did %+v, %v, want that nothing is taken over", what, done, err)
		}
		got, _ = content(t, study)
		same(t, what+": repaired", got, want)
		healthy(t, study)
	}
}

// Ends of lines that an editor has made are told and put right; so is a bit in the middle of the journal, to who reads and
// to who writes.
func TestAJournalThatWasEdited(t *testing.T) {
	t.Parallel()
	for name, edit := range map[string]func(b []byte) []byte{
		"ends of lines":       func(b []byte) []byte { return bytes.ReplaceAll(b, []byte("\n"), []byte("\r\n")) },
		"a bit in the middle": func(b []byte) []byte { b[len(b)/2] ^= 1; return b },
		"a zeroed block":      func(b []byte) []byte { clear(b[len(b)/3 : len(b)/2]); return b },
	} {
		s, dir := begun(t, 12)
		want, _ := contentOf(t, s)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, JournalFile)
		edited := edit(read(t, path))
		write(t, path, edited)
		got, trouble := content(t, dir)
		if same(t, name+": what is read", got, want); !Damaged(trouble) {
			t.Errorf("%s: who reads is told %v, want that it is damaged", name, trouble)
		}
		s, err := Open(dir, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Write("x", func(c *Change) error { return c.Set("a", "b") }); !Damaged(err) {
			t.Errorf("%s: to write: %v, want that it is refused", name, err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(edited, read(t, path)) {
			t.Errorf("%s: a damaged journal was written to", name)
		}
		if _, err := Repair(t.Context(), dir); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		healthy(t, dir)
		got, _ = content(t, dir)
		same(t, name+": repaired", got, want)
	}
}

// What is no UTF-8 is written as it will be read, by a repair too.
func TestTextThatIsNoUTF8(t *testing.T) {
	t.Parallel()
	s, dir := begun(t, 1)
	if err := s.Write("note", func(c *Change) error { return c.Set("note", "bad \xe5\x80 \u2028 \ufffd") }); err != nil {
		t.Fatal(err)
	}
	want, _ := contentOf(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	healthy(t, dir)
	lose(t, dir)
	if _, err := Repair(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	healthy(t, dir)
	got, _ := content(t, dir)
	same(t, "repaired", got, want)
}

// A bit that is flipped in the journal is noticed, and put right from the database; without one all but the line is
// there.
func TestCorruptedJournals(t *testing.T) {
	t.Parallel()
	s, dir := begun(t, 12)
	want, _ := contentOf(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	db, journal := read(t, filepath.Join(dir, DatabaseFile)), read(t, filepath.Join(dir, JournalFile))
	random := rand.New(rand.NewPCG(3, 3))
	for range 4 * corrupted() {
		b := bytes.Clone(journal)
		at := random.IntN(len(b))
		b[at] ^= 1 << random.IntN(8)
		what := fmt.Sprintf("a bit of byte %d", at)
		both := t.TempDir()
		write(t, filepath.Join(both, DatabaseFile), db)
		write(t, filepath.Join(both, JournalFile), b)
		if state, err := Check(t.Context(), both); err != nil || len(state.Problems) == 0 {
			t.Errorf("%s: a check says %+v, %v, want that it is damaged", what, state, err)
		}
		if got, _ := content(t, both); got != want {
			same(t, what+": what is read", got, want)
		}
		done, err := Repair(t.Context(), both)
		if err != nil {
			t.Fatal(err)
		}
		healthy(t, both)
		got, _ := content(t, both)
		same(t, what+": repaired", got, want)

		alone := t.TempDir()
		write(t, filepath.Join(alone, JournalFile), b)
		if done, err = Repair(t.Context(), alone); err != nil {
			t.Fatal(err)
		}
		if last := at > bytes.LastIndexByte(journal[:len(journal)-1], '\n'); done.Lost > 2 || done.Lost == 0 && !last && content1(t, alone) != want {
			t.Errorf("%s, without a database: %+v, want that a line is lost, two at most, or nothing", what, done)
		}
		healthy(t, alone)
	}
}

func content1(t *testing.T, dir string) string {
	t.Helper()
	text, _ := content(t, dir)
	return text
}

// Lines that are whole but missing, moved or doubled are told.
func TestLinesThatAreNotInTheirPlace(t *testing.T) {
	t.Parallel()
	s, dir := begun(t, 3)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	lines := bytes.SplitAfter(read(t, filepath.Join(dir, JournalFile)), []byte("\n"))
	for name, of := range map[string][][]byte{
		"missing": append(append([][]byte{}, lines[:3]...), lines[4:]...),
		"doubled": append(append(append([][]byte{}, lines[:4]...), lines[3]), lines[4:]...),
		"swapped": append(append(append([][]byte{}, lines[:3]...), lines[4], lines[3]), lines[5:]...),
	} {
		alone := t.TempDir()
		write(t, filepath.Join(alone, JournalFile), bytes.Join(of, nil))
		if state, err := Check(t.Context(), alone); err != nil || len(state.Problems) == 0 {
			t.Errorf("%s: a check says %+v, %v", name, state, err)
		}
	}
}

// A change that fails leaves nothing, and holds up no other of its group.
func TestAChangeThatFailsLeavesNothing(t *testing.T) {
	t.Parallel()
	s, dir := begun(t, 1)
	no := errors.New("no")
	errs, err := s.WriteAll(
		Entry{"a", func(c *Change) error { return c.Set("a", "1") }},
		Entry{"b", func(c *Change) error { return errors.Join(c.Set("b", "1"), no) }},
		Entry{"c", func(c *Change) error { return nil }},
		Entry{"d", func(c *Change) error { return c.Put(Trials, Row{"id": 1, "nonsense": 2}) }},
		Entry{"e", func(c *Change) error { return c.Set("e", "1") }},
	)
	if err != nil || errs[0] != nil || !errors.Is(errs[1], no) || errs[2] != nil || errs[3] == nil || errs[4] != nil {
		t.Fatalf("%v, %v", errs, err)
	}
	healthy(t, dir)
	got, _ := content(t, dir)
	for text, want := range map[string]bool{`meta "a"`: true, `meta "b"`: false, `meta "e"`: true} {
		if strings.Contains(got, text) != want {
			t.Errorf("%s is there: %v, want %v", text, !want, want)
		}
	}
}

// A runner that dies between the journal and the database has recorded what the journal has.
func TestAJournalThatIsAhead(t *testing.T) {
	t.Parallel()
	s, dir := begun(t, 2)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	db := read(t, filepath.Join(dir, DatabaseFile))
	s, err := Open(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(s.Write("a", func(c *Change) error { return c.Set("a", "1") }), s.Write("a", func(c *Change) error { return c.Set("a", "2") })); err != nil {
		t.Fatal(err)
	}
	want, _ := contentOf(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	lose(t, dir)
	write(t, filepath.Join(dir, DatabaseFile), db)
	got, trouble := content(t, dir)
	if same(t, "to who looks", got, want); trouble != nil {
		t.Errorf("nothing is wrong, and it says %v", trouble)
	}
	if after := read(t, filepath.Join(dir, DatabaseFile)); !bytes.Equal(after, db) {
		t.Error("who looks has changed the database")
	}
	state, err := Check(t.Context(), dir)
	if err != nil || len(state.Problems) > 0 || state.Behind != 2 {
		t.Errorf("a check says %+v, %v", state, err)
	}
	if s, err = Open(dir, nil); err == nil {
		err = errors.Join(s.Write("b", func(c *Change) error { return c.Set("b", "1") }), s.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
	healthy(t, dir)
	got, _ = content(t, dir)
	same(t, "after the next write", got, strings.Replace(want, "meta \"id\"", "meta \"b\" \"1\"\nmeta \"id\"", 1))
}

// Nothing that was never begun is made by who looks, checks or repairs.
func TestWhatHasNotBegunStaysSo(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if got, trouble := content(t, dir); got != "" || trouble != nil {
		t.Errorf("it has %q and the trouble %v, want nothing", got, trouble)
	}
	if state, err := Check(t.Context(), dir); err != nil || state.Lines != 0 || len(state.Problems) > 0 {
		t.Errorf("%+v, %v", state, err)
	}
	if done, err := Repair(t.Context(), dir); err != nil || done.Changed {
		t.Errorf("%+v, %v", done, err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("%v, %v are there", left, err)
	}
}

// Who looks while somebody begins it sees nothing or a history, and never half of one.
func TestWhatIsBeingBegun(t *testing.T) {
	t.Parallel()
	for range 40 {
		dir := t.TempDir()
		done := make(chan error)
		rescue.Go(func() {
			s, err := Open(dir, nil)
			if err == nil {
				err = errors.Join(s.Begin(), s.Close())
			}
			done <- err
		})
		for looking := true; looking; {
			if _, trouble := content(t, dir); trouble != nil {
				t.Errorf("while it is begun: %v", trouble)
			}
			select {
			case err := <-done:
				if looking = false; err != nil {
					t.Error("beginning it: ", err)
				}
			default:
			}
		}
		healthy(t, dir)
	}
}

// Every write looks at what was written since the one before, not at all of the journal: the work grows with what is
// written.
func TestWhatWasSeenIsNotReadAgain(t *testing.T) {
	t.Parallel()
	s, dir := begun(t, 3)
	path := filepath.Join(dir, JournalFile)
	edited := read(t, path)
	edited[len(edited)/2] ^= 1 // in what this process has seen
	write(t, path, edited)
	if err := s.Write("a", func(c *Change) error { return c.Set("a", "1") }); err != nil {
		t.Errorf("to write on: %v, want that what was seen is not looked at again", err)
	}
	other, err := Open(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = other.Close() })
	if err := other.Write("b", func(c *Change) error { return c.Set("b", "1") }); !Damaged(err) {
		t.Errorf("to another process: %v, want that it is damaged", err)
	}
}
