package study

import (
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"parfait/history"
)

// contents are the files below dir with their bytes' sums, and the links with what they point to.
func contents(t *testing.T, dir string) []string {
	t.Helper()
	var out []string
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		line := e.Type().String() + " " + path
		switch {
		case e.Type()&fs.ModeSymlink != 0:
			to, err := os.Readlink(path)
			out = append(out, line+" → "+to)
			return err
		case e.Type().IsRegular():
			b, err := os.ReadFile(path)
			out = append(out, fmt.Sprintf("%s %x", line, sha256.Sum256(b)))
			return err
		}
		out = append(out, line)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// lookAll does what commands do that only look.
func lookAll(t *testing.T, dir string) error {
	t.Helper()
	s, err := Open(dir)
	if err != nil {
		return err
	}
	_, load := s.Load(t.Context())
	b, view := s.LoadView("me")
	if len(b) > 0 {
		t.Errorf("a view %q", b)
	}
	_, log := s.Log(1)
	<-s.Subscribe(t.Context())
	return errors.Join(load, view, log, s.Close())
}

// What cannot be done begins no history.
func TestACommandThatFailsMakesNothing(t *testing.T) {
	t.Parallel()
	dir := makeStudy(t, 4)
	before := contents(t, dir)
	s, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []Command{{Kind: CommandRetry, N: 1}, {Kind: CommandForget, N: 1}, {Kind: CommandBudget}, {Kind: "nonsense"}, {Kind: CommandEvaluate, X: []float64{1}}} {
		if err := s.Do(c); err == nil {
			t.Errorf("%+v was done", c)
		}
	}
	if after := contents(t, dir); !slices.Equal(before, after) {
		t.Errorf("commands that failed made of\n%s\n\n%s", strings.Join(before, "\n"), strings.Join(after, "\n"))
	}
	do(t, s, Command{Kind: CommandBudget, N: 7}) // one that can be done does
	if id := pragma(t, filepath.Join(dir, "study.db"), "application_id"); id != applicationID {
		t.Errorf("no history was begun: application id %d", id)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestLookingMakesAndChangesNothing(t *testing.T) {
	t.Parallel()
	dir := makeStudy(t, 4)
	before := contents(t, dir)
	s, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(lookAll(t, dir), s.SaveView("me", []byte("x"))); err != nil {
		t.Error(err)
	}
	if after := contents(t, dir); !slices.Equal(before, after) {
		t.Errorf("to look at a study that has not begun made of\n%s\n\n%s", strings.Join(before, "\n"), strings.Join(after, "\n"))
	}
	news := s.Follow(t.Context())
	if snap := <-news; snap.Activity.Budget != 4 {
		t.Fatalf("%+v, want a budget of 4", snap.Activity)
	}
	other := open(t, dir) // begins it, as another process does
	do(t, other, Command{Kind: CommandBudget, N: 7})
	for snap := range news {
		if snap.Activity.Budget == 7 {
			break
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if id := pragma(t, filepath.Join(dir, "study.db"), "application_id"); id != applicationID {
		t.Errorf("a history that was begun has application id %#x, want %#x", id, applicationID)
	}
}

// What study.db says of itself.
const (
	applicationID = 0x70726674 // "prft"
	historySchema = 3
)

func pragma(t *testing.T, path, name string) (v int) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(db.QueryRow("PRAGMA "+name).Scan(&v), db.Close()); err != nil {
		t.Fatal(err)
	}
	return v
}

// measuredStudy is the folder of a study that has been run.
func measuredStudy(t *testing.T) string {
	t.Helper()
	dir := makeStudy(t, 4)
	s := open(t, dir)
	if err := errors.Join(s.Run(t.Context(), RunOptions{}), s.Close()); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "logs", "trial-0001.log"), "measured\n")
	return dir
}

func TestALostHistoryIsNoNewStudy(t *testing.T) {
	t.Parallel()
	for name, lose := range map[string]func(t *testing.T, path string){
		"missing":           remove,
		"emptied":           func(t *testing.T, path string) { write(t, path, "") },
		"an empty database": func(t *testing.T, path string) { remove(t, path); sqlExec(t, path, "VACUUM") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := measuredStudy(t)
			lose(t, filepath.Join(dir, "study.db"))
			remove(t, filepath.Join(dir, history.JournalFile))
			before := contents(t, dir)
			err := lookAll(t, dir)
			if CodeOf(err) != CodeHistory {
				t.Fatalf("%v, want code %s", err, CodeHistory)
			}
			for _, want := range []string{"study.db", "has been run: see logs and run.lock", "put study.db and history.jsonl back", "move logs and run.lock out"} {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%v: does not say %q", err, want)
				}
			}
			if after := contents(t, dir); !slices.Equal(before, after) {
				t.Errorf("before:\n%s\nafter:\n%s", strings.Join(before, "\n"), strings.Join(after, "\n"))
			}
			// As the message says.
			if err := errors.Join(os.RemoveAll(filepath.Join(dir, "logs")), os.Remove(lockPath(dir))); err != nil {
				t.Fatal(err)
			}
			if s := open(t, dir); len(s.Snapshot().Trials) != 0 {
				t.Errorf("a study that begins again has %d trials", len(s.Snapshot().Trials))
			}
		})
	}
}

// A study whose run ended before anything was measured, or that is only served, has not lost anything.
func TestWhatIsNoSignOfALostHistory(t *testing.T) {
	t.Parallel()
	dir := makeStudy(t, 4)
	for _, name := range []string{"logs/serve.log", "logs/runner.log", "exports/.half-12/model.safetensors"} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		write(t, path, "x")
	}
	if err := lookAll(t, dir); err != nil {
		t.Error(err)
	}
	for _, sign := range []string{"logs/trial-0003.log", "exports/best/receipt.json", "candidates/folder/trial-0001-1", "run.lock"} {
		dir := makeStudy(t, 4)
		path := filepath.Join(dir, sign)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		write(t, path, "")
		if err := lookAll(t, dir); CodeOf(err) != CodeHistory {
			t.Errorf("beside %s: %v", sign, err)
		}
	}
}

// Tables as Optuna's storage makes them.
const optuna = `CREATE TABLE studies (study_id INTEGER PRIMARY KEY, study_name VARCHAR(512) NOT NULL);
CREATE TABLE trials (trial_id INTEGER PRIMARY KEY, number INTEGER, study_id INTEGER, state VARCHAR(8) NOT NULL);
INSERT INTO studies VALUES (1, 'mine');`

func TestAnotherProgramsDatabaseIsNotTouched(t *testing.T) {
	t.Parallel()
	for name, make := range map[string]func(t *testing.T, path string){
		"Optuna's":                func(t *testing.T, path string) { sqlExec(t, path, optuna) },
		"Optuna's, in WAL mode":   func(t *testing.T, path string) { sqlExec(t, path, "PRAGMA journal_mode = WAL;"+optuna) },
		"with an id of its own":   func(t *testing.T, path string) { sqlExec(t, path, "PRAGMA application_id = 7; CREATE TABLE t (x)") },
		"with an id and no table": func(t *testing.T, path string) { sqlExec(t, path, "PRAGMA application_id = 7") },
		"of a schema of its own":  func(t *testing.T, path string) { sqlExec(t, path, "PRAGMA user_version = 1;"+optuna) },
		"ours in name beside its": func(t *testing.T, path string) {
			sqlExec(t, path, optuna+"DROP TABLE studies; CREATE TABLE measurements (id)")
		},
		"in WAL mode, with what is not in the file yet": func(t *testing.T, path string) {
			db, err := sql.Open("sqlite", path)
			if err != nil {
				t.Fatal(err)
			}
			db.SetMaxOpenConns(1)
			t.Cleanup(func() { _ = db.Close() })
			for _, text := range []string{"PRAGMA journal_mode = WAL", "PRAGMA wal_autocheckpoint = 0", optuna} {
				if _, err := db.Exec(text); err != nil {
					t.Fatal(err)
				}
			}
			for _, suffix := range []string{"", "-wal"} { // as a process leaves it that was killed
				b, err := os.ReadFile(path + suffix)
				if err != nil {
					t.Fatal(err)
				}
				write(t, filepath.Join(filepath.Dir(path), "killed.db"+suffix), string(b))
			}
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			for _, suffix := range []string{"", "-wal"} {
				if err := os.Rename(filepath.Join(filepath.Dir(path), "killed.db"+suffix), path+suffix); err != nil {
					t.Fatal(err)
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := makeStudy(t, 4)
			make(t, filepath.Join(dir, "study.db"))
			before := contents(t, dir)
			err := lookAll(t, dir)
			if CodeOf(err) != CodeForeign || !strings.Contains(err.Error(), "another program's database") || name == "with an id and no table" && !strings.Contains(err.Error(), "the application 0x7, without a table") {
				t.Errorf("%v, want code %s", err, CodeForeign)
			}
			after := slices.DeleteFunc(contents(t, dir), func(line string) bool { return strings.Contains(line, "study.db-shm") }) // is no data
			if !slices.Equal(before, after) {
				t.Errorf("before:\n%s\nafter:\n%s", strings.Join(before, "\n"), strings.Join(after, "\n"))
			}
		})
	}
}

// olderStudy is a study of before there was a journal.
func olderStudy(t *testing.T) (dir string) {
	t.Helper()
	dir = makeStudy(t, 4)
	edit(t, dir, "name: t0,", "name: rotated,")
	edit(t, dir, "name: other0,", "name: mirrored,")
	text, err := os.ReadFile("../history/testdata/schema-1.sql")
	if err != nil {
		t.Fatal(err)
	}
	sqlExec(t, filepath.Join(dir, "study.db"), string(text)+"DELETE FROM meta WHERE key = 'identity';")
	return dir
}

// A runner of an older parfait would not know its history again: while one is at work nothing is upgraded, and who would
// write is told so.
func TestAnOlderRunnersHistoryIsLeftToIt(t *testing.T) {
	t.Parallel()
	dir := olderStudy(t)
	runner, err := takeLock(t.Context(), dir, nothing, func(error) {})
	if err != nil {
		t.Fatal(err)
	}
	before := contents(t, dir)
	s, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	for what, err := range map[string]error{
		"a command": s.Do(Command{Kind: CommandPause, Who: "ann"}),
		"a run":     s.Run(t.Context(), RunOptions{}),
	} {
		if CodeOf(err) != CodeBusy || !strings.Contains(err.Error(), "older parfait") {
			t.Errorf("%s: %v; want that it is busy, with an older parfait's runner", what, err)
		}
	}
	if err := lookAll(t, dir); err != nil {
		t.Errorf("to look at it: %v", err)
	}
	if after := contents(t, dir); !slices.Equal(before, after) {
		t.Errorf("beside the runner was made of\n%s\n\n%s", strings.Join(before, "\n"), strings.Join(after, "\n"))
	}
	runner.release()
	if err := s.Do(Command{Kind: CommandPause, Who: "ann"}); err != nil {
		t.Errorf("a command, when the runner has gone: %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "study.db.schema-1")); err != nil {
		t.Errorf("no copy is kept: %v", err)
	}
}

// A history of before there was an application id is opened as it is; a runner marks it.
func TestAnOlderHistoryIsKnownByItsTables(t *testing.T) {
	t.Parallel()
	dir := olderStudy(t)
	path := filepath.Join(dir, "study.db")
	before := contents(t, dir)
	if err := lookAll(t, dir); err != nil {
		t.Fatal(err)
	}
	if after := contents(t, dir); !slices.Equal(before, after) {
		t.Errorf("to look at it made of\n%s\n\n%s", strings.Join(before, "\n"), strings.Join(after, "\n"))
	}
	s := open(t, dir)
	if n := len(s.Snapshot().Trials); n != 4 {
		t.Errorf("%d trials, want 4", n)
	}
	if err := errors.Join(s.Run(t.Context(), RunOptions{}), s.Close()); err != nil {
		t.Fatal(err)
	}
	if id := pragma(t, path, "application_id"); id != applicationID {
		t.Errorf("after a run its application id is %#x, want %#x", id, applicationID)
	}
	if v := pragma(t, path, "user_version"); v != historySchema {
		t.Errorf("after a run its schema is %d, want %d", v, historySchema)
	}
}

func TestLinksAreNotFollowed(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		link string // in the study's folder
		to   func(t *testing.T, outside string) string
		look bool // refused to those who look, too
	}{
		"study.db":             {"study.db", func(t *testing.T, o string) string { sqlExec(t, o+"/their.db", optuna); return o + "/their.db" }, true},
		"study.db, to nowhere": {"study.db", func(_ *testing.T, o string) string { return o + "/new.db" }, true},
		"run.lock": {"run.lock", func(t *testing.T, o string) string {
			write(t, o+"/precious.txt", "precious")
			return o + "/precious.txt"
		}, false},
		"run.lock, to nowhere":       {"run.lock", func(_ *testing.T, o string) string { return o + "/new.lock" }, false},
		"candidates":                 {"candidates", func(t *testing.T, o string) string { scratch(t, o+"/folder"); return o }, false},
		"the models of candidates":   {"candidates/folder", func(t *testing.T, o string) string { scratch(t, o); return o }, false},
		"the adapters of candidates": {"candidates/adapter", func(t *testing.T, o string) string { scratch(t, o); return o }, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, outside := makeStudy(t, 4), t.TempDir()
			begun := open(t, dir)
			link := filepath.Join(dir, c.link)
			if c.look {
				if err := errors.Join(begun.Close(), os.Remove(link)); err != nil {
					t.Fatal(err)
				}
			}
			target := c.to(t, outside)
			if err := errors.Join(os.MkdirAll(filepath.Dir(link), 0o755), os.Symlink(target, link)); err != nil {
				t.Fatal(err)
			}
			before := contents(t, outside)
			err := lookAll(t, dir)
			if c.look != (CodeOf(err) == CodeForeign) || !c.look && err != nil {
				t.Errorf("to look: %v", err)
			}
			if !c.look {
				err = begun.Run(t.Context(), RunOptions{})
			}
			if CodeOf(err) != CodeForeign || !strings.Contains(err.Error(), target) || !strings.Contains(err.Error(), "follows no link") {
				t.Errorf("%v, want code %s", err, CodeForeign)
			}
			if after := contents(t, outside); !slices.Equal(before, after) {
				t.Errorf("before:\n%s\nafter:\n%s", strings.Join(before, "\n"), strings.Join(after, "\n"))
			}
			if err := os.Remove(link); err != nil { // as the message says, or nearly
				t.Fatal(err)
			}
			if err := open(t, dir).Run(t.Context(), RunOptions{}); err != nil {
				t.Errorf("without the link: %v", err)
			}
		})
	}
}

// scratch is a folder with other people's models.
func scratch(t *testing.T, dir string) {
	t.Helper()
	model := filepath.Join(dir, "trial-precious")
	if err := os.MkdirAll(model, 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(model, "model.safetensors"), "precious")
}

// NFSv4 gives an exclusive lock to nobody who could not write, whatever the umask made of the file's mode.
func TestTheLockIsHeldByAHandleThatMayWrite(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux says how a file was opened")
	}
	t.Parallel()
	dir := t.TempDir()
	write(t, lockPath(dir), "")
	chmod(t, lockPath(dir), 0o644) // as umask 022 leaves it
	l, err := takeLock(t.Context(), dir, nothing, func(error) {})
	if err != nil {
		t.Fatal(err)
	}
	defer l.release()
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	found := false
	for _, fd := range fds {
		if to, err := os.Readlink("/proc/self/fd/" + fd.Name()); err != nil || to != lockPath(dir) {
			continue
		}
		info, err := os.ReadFile("/proc/self/fdinfo/" + fd.Name())
		if err != nil {
			t.Fatal(err)
		}
		_, rest, _ := strings.Cut(string(info), "flags:")
		flags, err := strconv.ParseInt(strings.Fields(rest)[0], 8, 64)
		if err != nil {
			t.Fatal(err)
		}
		if found = true; flags&unix.O_ACCMODE != unix.O_RDWR || flags&unix.O_NOFOLLOW == 0 {
			t.Errorf("the lock's handle has flags %#o, want it to read and write, and to follow no link", flags)
		}
	}
	if !found {
		t.Error("no handle of the lock is open")
	}
}
