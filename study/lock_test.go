package study

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// owned writes a lock file as another process left it.
func owned(t *testing.T, dir string, o owner, age time.Duration) {
	t.Helper()
	write(t, lockPath(dir), mustJSON(o))
	at := time.Now().Add(-age)
	if err := os.Chtimes(lockPath(dir), at, at); err != nil {
		t.Fatal(err)
	}
}

func nothing() error { return nil }

func TestWhoHoldsTheLock(t *testing.T) {
	t.Parallel()
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	gone := exec.Command("true")
	if err := gone.Run(); err != nil {
		t.Fatal(err)
	}
	dead, alive := gone.Process.Pid, os.Getppid()
	for _, c := range []struct {
		name  string
		o     owner
		age   time.Duration
		alive bool // as viewers see it
		busy  bool // for a runner
	}{
		{"a dead process here", owner{Host: host, PID: dead}, time.Second, false, false},
		{"its number used again", owner{Host: host, PID: alive}, time.Hour, false, false},
		{"a process here that does not hold the lock", owner{Host: host, PID: alive}, time.Second, true, false},
		{"elsewhere, a moment ago", owner{Host: "elsewhere", PID: dead}, time.Second, true, true},
		{"elsewhere, in a clock's future", owner{Host: "elsewhere", PID: dead}, -5 * time.Second, true, true},
		{"elsewhere, yesterday", owner{Host: "elsewhere", PID: dead}, 24 * time.Hour, false, false},
		{"here, tomorrow", owner{Host: host, PID: alive}, -24 * time.Hour, false, false},
		{"nobody", owner{Host: "elsewhere"}, 0, false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			owned(t, dir, c.o, c.age)
			if got := readOwner(dir).alive(); got != c.alive {
				t.Errorf("alive: %v, want %v", got, c.alive)
			}
			l, err := takeLock(t.Context(), dir, nothing, func(error) {})
			if (err != nil) != c.busy || (c.busy && CodeOf(err) != CodeBusy) {
				t.Fatalf("taking the lock: %v, want busy: %v", err, c.busy)
			}
			if err == nil {
				if o := readOwner(dir); o.PID != os.Getpid() || !o.alive() || o.Ready {
					t.Errorf("the lock says %+v, want this process, alive and not ready", o)
				}
				l.release()
				if o := readOwner(dir); o.alive() {
					t.Errorf("after its release the lock says %+v, want nobody alive", o)
				}
			}
		})
	}
}

// A heart that beats is alive, however wrong this machine's clock is.
func TestAClockThatIsWrong(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	o := owner{Host: "elsewhere", PID: 7}
	owned(t, dir, o, time.Minute)
	o = readOwner(dir)
	if o.alive() || o.beating(t.Context(), dir, 50*time.Millisecond) {
		t.Fatal("a heart that does not beat was heard")
	}
	heard := make(chan bool, 1)
	go func() { heard <- o.beating(t.Context(), dir, 30*time.Second) }()
	owned(t, dir, o, 58*time.Second) // two seconds later, by a clock that is a minute late
	if !<-heard {
		t.Error("a heart that beats was not heard")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if readOwner(dir).beating(ctx, dir, time.Hour) {
		t.Error("who stops listening has heard nothing")
	}
}

func TestRubbishInTheLockFile(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "{", `{"pid": "seven"}`, `{"pid": -1, "host": "x"}`, strings.Repeat("x", 1<<20)} {
		dir := t.TempDir()
		write(t, lockPath(dir), text)
		if o := readOwner(dir); o.alive() {
			t.Errorf("%.20q: %+v is alive", text, o)
		}
		l, err := takeLock(t.Context(), dir, nothing, func(error) {})
		if err != nil {
			t.Fatalf("%.20q: %v", text, err)
		}
		if o := readOwner(dir); o.PID != os.Getpid() {
			t.Errorf("%.20q: after taking it %+v", text, o)
		}
		if _, err := takeLock(t.Context(), dir, nothing, func(error) {}); CodeOf(err) != CodeBusy {
			t.Errorf("%.20q: taken twice: %v", text, err)
		}
		l.release()
	}
}

func TestALockThatIsLost(t *testing.T) {
	t.Parallel()
	other := owner{Host: "elsewhere", PID: 7, Started: time.Now()}
	for _, c := range []struct {
		name string
		ruin func(t *testing.T, dir string)
		want Code // "" where it goes on
	}{
		{"deleted", func(t *testing.T, dir string) { remove(t, lockPath(dir)) }, ""},
		{"emptied", func(t *testing.T, dir string) { write(t, lockPath(dir), "") }, ""},
		{"replaced by an empty one", func(t *testing.T, dir string) { remove(t, lockPath(dir)); write(t, lockPath(dir), "") }, ""},
		{"taken on another machine", func(t *testing.T, dir string) { owned(t, dir, other, 0) }, CodeBusy},
		{"deleted, and taken here by another", func(t *testing.T, dir string) {
			remove(t, lockPath(dir))
			l, err := takeLock(t.Context(), dir, nothing, func(error) {})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(l.release)
			l.mine.Started = other.Started
			if err := l.ready(); err != nil {
				t.Fatal(err)
			}
		}, CodeBusy},
		{"gone with the study", func(t *testing.T, dir string) {
			if err := os.RemoveAll(dir); err != nil {
				t.Fatal(err)
			}
		}, CodeNotAStudy},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			l, err := takeLock(t.Context(), dir, nothing, func(error) {})
			if err != nil {
				t.Fatal(err)
			}
			c.ruin(t, dir)
			if err := l.renew(); CodeOf(err) != c.want {
				t.Fatalf("the next beat says %v, want code %q", err, c.want)
			}
			if c.want == "" {
				if o := readOwner(dir); !o.same(l.mine) || !l.holds() {
					t.Errorf("the lock says %+v, held: %v", o, l.holds())
				}
				if _, err := takeLock(t.Context(), dir, nothing, func(error) {}); CodeOf(err) != CodeBusy {
					t.Errorf("another takes it: %v", err)
				}
			}
			before := readOwner(dir)
			l.release()
			if after := readOwner(dir); c.want == CodeBusy && !after.same(before) {
				t.Errorf("the release of a lock that was lost took it from its owner: %+v", after)
			}
		})
	}
}

func remove(t *testing.T, path string) {
	t.Helper()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
}

func TestWhatTheHeartbeatFindsEndsTheRun(t *testing.T) {
	t.Parallel()
	sick := errors.New("sick")
	lost := make(chan error, 10)
	l, err := takeLock(t.Context(), t.TempDir(), func() error { return sick }, func(err error) { lost <- err })
	if err != nil {
		t.Fatal(err)
	}
	if err := <-lost; !errors.Is(err, sick) {
		t.Error(err)
	}
	l.release()
	if len(lost) > 0 {
		t.Error("it was said twice")
	}
}

// A runner that goes by the heartbeat alone is seen by one that has flock, and remembers nothing.
func TestTheHeartbeatAlone(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	l, err := takeLockBy(t.Context(), dir, LockHeartbeat, nothing, func(error) {})
	if err != nil {
		t.Fatal(err)
	}
	for _, mode := range []LockMode{LockAuto, LockHeartbeat} {
		if _, err := takeLockBy(t.Context(), dir, mode, nothing, func(error) {}); CodeOf(err) != CodeBusy {
			t.Errorf("taken twice, by %q: %v", mode, err)
		}
	}
	l.release()
	l, err = takeLock(t.Context(), dir, nothing, func(error) {})
	if err != nil {
		t.Fatal(err)
	}
	l.release()
}
