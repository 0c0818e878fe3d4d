package history

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"parfait/internal/stage"
	"parfait/problem"
)

// networks are the folders that tests take for some of a network file system.
var networks sync.Map

// hasty are the paths of histories that wait for nobody.
var hasty sync.Map

// pretend names, in the environment of a child, its folder's file system.
const pretend = "PARFAIT_TEST_NETWORK"

func init() {
	fileSystemOf = func(path string) (stage.FileSystem, error) {
		if _, there := networks.Load(filepath.Clean(path)); there || os.Getenv(pretend) == path {
			return stage.FileSystem{Name: "NFS"}, nil
		}
		return stage.FileSystemOf(path)
	}
	patience = func(path string, d time.Duration) time.Duration {
		if _, there := hasty.Load(path); there {
			return 0
		}
		return d
	}
}

// TestMain lets this binary be another process on a history: `SELF writer DIR` begins a change, says so and stops
// itself in the middle of it; `SELF killed DIR` makes a change and is killed; `SELF count DIR` looks.
func TestMain(m *testing.M) {
	if len(os.Args) == 3 && !strings.HasPrefix(os.Args[1], "-") {
		if err := play(os.Args[1], os.Args[2]); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func play(role, dir string) error {
	s, err := Open(dir, nil)
	if err != nil {
		return err
	}
	switch role {
	case "writer":
		if err := s.Write("test", set("other", "1")); err != nil {
			return err
		}
		err = s.Write("test", func(c *Change) error {
			if err := c.Set("never", "1"); err != nil {
				return err
			}
			return signal(syscall.SIGSTOP)
		})
	case "commit": // stops where its change is in the journal, and locks readers out of what keeps a rollback journal
		if _, err := s.begin(); err != nil {
			return err
		}
		err = within(context.Background(), s.db, "BEGIN EXCLUSIVE", func(tx *Tx) error {
			if _, err := tx.Exec("UPDATE meta SET value = 'torn'"); err != nil {
				return err
			}
			return signal(syscall.SIGSTOP)
		})
	case "killed":
		if err := s.Write("test", set("other", "1")); err != nil {
			return err
		}
		return signal(syscall.SIGKILL)
	case "count":
		text, err := meta(s)
		fmt.Print(text)
		return errors.Join(err, s.Close())
	}
	return errors.Join(err, s.Close())
}

// signal ends or stops this process, here.
func signal(sig syscall.Signal) error {
	if err := syscall.Kill(os.Getpid(), sig); err != nil {
		return err
	}
	<-time.After(time.Hour) // the signal may take its time
	return errors.New("it goes on")
}

func set(key, value string) func(*Change) error {
	return func(c *Change) error { return c.Set(key, value) }
}

// meta is what a history has, but its id.
func meta(s *Store) (text string, err error) {
	trouble, err := s.Read(context.Background(), func(tx *Tx) error {
		text = ""
		return Meta.Rows(tx, 0, func(scan func(...any) error) error {
			var key, value string
			err := scan(&key, &value)
			if key != "id" {
				text += key + "=" + value + " "
			}
			return err
		})
	})
	return text, errors.Join(trouble, err)
}

// rested is a history that has been written and closed.
func rested(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	s := opened(t, dir)
	if err := errors.Join(s.Write("test", set("key", "0")), s.Close()); err != nil {
		t.Fatal(err)
	}
	return dir
}

func opened(t *testing.T, dir string) *Store {
	t.Helper()
	s, err := Open(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// onNetwork has dir taken for a folder on NFS.
func onNetwork(t *testing.T, dir string) {
	t.Helper()
	networks.Store(filepath.Clean(dir), true)
	t.Cleanup(func() { networks.Delete(filepath.Clean(dir)) })
}

// looks reads what a history has, and holds that nothing was made or changed but, where allowed, the -shm file.
func looks(t *testing.T, dir string) string {
	t.Helper()
	before := files(t, dir)
	s, err := Open(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	text, err := meta(s)
	if err := errors.Join(err, s.Close()); err != nil {
		t.Errorf("to look: %v, want all that was recorded", err)
	}
	if after := files(t, dir); !slices.Equal(before, after) {
		t.Errorf("to look made of\n%s\n\n%s", strings.Join(before, "\n"), strings.Join(after, "\n"))
	}
	return text
}

// files are those in dir with their sizes and times, but for -shm, which is no data.
func files(t *testing.T, dir string) (out []string) {
	t.Helper()
	for _, e := range entries(t, dir) {
		fi, err := os.Stat(filepath.Join(dir, e))
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasSuffix(e, "-shm") {
			out = append(out, fmt.Sprint(e, fi.Size(), fi.ModTime()))
		}
	}
	return out
}

func entries(t *testing.T, dir string) (names []string) {
	t.Helper()
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range list {
		names = append(names, e.Name())
	}
	return names
}

func journalMode(t *testing.T, s *Store) (mode string) {
	t.Helper()
	if err := s.db.QueryRow("PRAGMA journal_mode").Scan(&mode); err != nil {
		t.Fatal(err)
	}
	return mode
}

// child runs a role on dir until it ends or stops itself.
func child(t *testing.T, role, dir string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0], role, dir)
	if _, there := networks.Load(filepath.Clean(dir)); there {
		cmd.Env = append(cmd.Environ(), pretend+"="+dir)
	}
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	var ws syscall.WaitStatus
	if _, err := syscall.Wait4(cmd.Process.Pid, &ws, syscall.WUNTRACED, nil); err != nil {
		t.Fatal(err)
	}
	if ws.Exited() && ws.ExitStatus() != 0 {
		t.Fatalf("%s: %s; want it to do its part", role, out.String())
	}
	return cmd
}

func TestTheJournalModeIsThatOfTheFileSystem(t *testing.T) {
	t.Parallel()
	local, remote := rested(t), rested(t)
	onNetwork(t, remote)
	for dir, want := range map[string]string{local: "wal", remote: "delete"} {
		if got := entries(t, dir); !slices.Equal(got, []string{JournalFile, DatabaseFile}) {
			t.Errorf("at rest there are %q, want the journal and the database alone", got)
		}
		s := opened(t, dir)
		if err := s.Write("test", set("key", "1")); err != nil {
			t.Fatal(err)
		}
		if mode := journalMode(t, s); mode != want {
			t.Errorf("while it is written it is in mode %s, want %s", mode, want)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if got := entries(t, dir); !slices.Equal(got, []string{JournalFile, DatabaseFile}) {
			t.Errorf("after it there are %q, want the journal and the database alone", got)
		}
		if text := looks(t, dir); text != "key=1 " {
			t.Errorf("it has %q, want key=1", text)
		}
	}
}

// Who was killed leaves a log. It belongs to the history, wherever that is copied.
func TestAKilledWriterLosesNothing(t *testing.T) {
	t.Parallel()
	for name, network := range map[string]bool{"here": false, "copied to a network file system": true, "copied to one without locks": true} {
		for _, with := range []string{"", "-wal", "-wal-shm"} {
			t.Run(name+" with "+with, func(t *testing.T) {
				t.Parallel()
				killed := rested(t)
				child(t, "killed", killed)
				dir := t.TempDir()
				if network {
					onNetwork(t, dir)
				}
				for _, name := range entries(t, killed) {
					suffix := strings.TrimPrefix(name, DatabaseFile)
					if suffix != "-wal" && suffix != "-shm" || strings.Contains(with, suffix) {
						copied(t, filepath.Join(killed, name), filepath.Join(dir, name))
					}
				}
				alone := strings.Contains(name, "without locks")
				if alone {
					lockless.Store(dir, true)
					if err := opened(t, dir).Heartbeat(true); err != nil {
						t.Fatal(err)
					}
				}
				if with != "" && !slices.Contains(entries(t, dir), DatabaseFile+"-wal") {
					t.Fatal("no log was left: this tests nothing")
				}
				const want = "key=0 other=1 "
				if text := looks(t, dir); text != want {
					t.Errorf("who looks finds %q, want %q", text, want)
				}
				s := opened(t, dir)
				if err := s.Write("test", set("key", "2")); err != nil {
					t.Fatal(err)
				}
				if mode := journalMode(t, s); network != (mode == "delete") {
					t.Errorf("it is in mode %s", mode)
				}
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
				if alone { // with locks again
					lockless.Delete(dir)
					if err := s.Heartbeat(false); err != nil {
						t.Fatal(err)
					}
				}
				if got := entries(t, dir); !slices.Equal(got, []string{JournalFile, DatabaseFile}) {
					t.Errorf("after the next writer there are %q", got)
				}
				if text := looks(t, dir); text != "key=2 other=1 " {
					t.Errorf("it has %q", text)
				}
				if state, err := Check(t.Context(), dir); err != nil || len(state.Problems) > 0 {
					t.Errorf("a check says %v, %v", state.Problems, err)
				}
			})
		}
	}
}

func copied(t *testing.T, from, to string) {
	t.Helper()
	b, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, b, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// A writer that is suspended in the middle of a change holds up nobody who looks, and who writes is told.
func TestASuspendedWriter(t *testing.T) {
	t.Parallel()
	for _, role := range []string{"writer", "commit"} {
		for name, network := range map[string]bool{"on a local disk": false, "on a network file system": true} {
			t.Run(role+" "+name, func(t *testing.T) {
				t.Parallel()
				dir := rested(t)
				if network {
					onNetwork(t, dir)
				}
				stopped := child(t, role, dir)
				want := "key=0 "
				if role == "writer" {
					want += "other=1 "
				}
				impatient(t, dir)
				s := opened(t, dir)
				if text, err := meta(s); err != nil || text != want {
					t.Errorf("who looks finds %q, %v; want %q", text, err, want)
				}
				err := s.Explain(s.Write("test", set("key", "1")))
				if problem.CodeOf(err) != CodeBusy || !strings.Contains(err.Error(), "keeps the history locked") {
					t.Errorf("who writes is told %v, want code %s", err, CodeBusy)
				}
				if err := stopped.Process.Signal(syscall.SIGKILL); err != nil {
					t.Fatal(err)
				}
				_ = stopped.Wait()
				if err := s.Write("test", set("key", "1")); err != nil {
					t.Errorf("after it was ended: %v", err)
				}
			})
		}
	}
}

// impatient has whoever opens a history wait for nobody.
func impatient(t *testing.T, dir string) {
	t.Helper()
	path := filepath.Join(dir, DatabaseFile)
	hasty.Store(path, true)
	t.Cleanup(func() { hasty.Delete(path) })
}

// A folder that may only be read is read, whatever was left there.
func TestAFolderThatMayOnlyBeRead(t *testing.T) {
	t.Parallel()
	for _, left := range []string{"at rest", "killed", "killed, without -shm"} {
		t.Run(left, func(t *testing.T) {
			t.Parallel()
			dir := rested(t)
			want := "key=0 "
			if left != "at rest" {
				child(t, "killed", dir)
				want += "other=1 "
			}
			if strings.Contains(left, "without") {
				if err := os.Remove(filepath.Join(dir, DatabaseFile+"-shm")); err != nil {
					t.Fatal(err)
				}
			}
			before := entries(t, dir)
			got, err := somebodyElse(t, "count", dir)
			if err != nil || got != want {
				t.Errorf("somebody else finds %q, %v; want %q", got, err, want)
			}
			if after := entries(t, dir); !slices.Equal(before, after) {
				t.Errorf("%q became %q", before, after)
			}
		})
	}
}

// somebodyElse has another person play a role on dir, who may read it alone.
func somebodyElse(t *testing.T, role, dir string) (string, error) {
	t.Helper()
	home := t.TempDir()
	viewer := exec.Command(filepath.Join(home, "viewer"), role, dir)
	b, err := os.ReadFile(os.Args[0])
	if err == nil {
		err = os.WriteFile(viewer.Path, b, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	chmod := func(path string, mode fs.FileMode) {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range entries(t, dir) {
		chmod(filepath.Join(dir, name), 0o444)
	}
	for _, at := range []string{home, dir} {
		for ; at != filepath.Clean(os.TempDir()); at = filepath.Dir(at) {
			chmod(at, 0o555)
			t.Cleanup(func() { _ = os.Chmod(at, 0o755) })
		}
	}
	if os.Getuid() == 0 { // who may write everywhere
		viewer.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	}
	out, err := viewer.CombinedOutput()
	return string(out), err
}
