//go:build linux || darwin

package command

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"parfait/evaluator"
)

// followed makes a run's folder with something printed, and follows it.
func followed(t *testing.T, limit int64) (*output, string, *os.File) {
	t.Helper()
	dir := t.TempDir()
	write(filepath.Join(dir, stderrName), "")
	f, err := os.OpenFile(filepath.Join(dir, stdoutName), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	o, err := follow(dir, filepath.Join(dir, "log"), limit, func(evaluator.Progress) {})
	if err != nil {
		t.Fatal(err)
	}
	return o, dir, f
}

// What a runner had copied into the log is not copied again by the next; a line is not torn in two.
func TestFollowTakesUpWhereItWas(t *testing.T) {
	o, dir, f := followed(t, 1<<20)
	say := func(s string) {
		if _, err := f.WriteString(s); err != nil {
			t.Fatal(err)
		}
	}
	say("one\ntw")
	o.copy()
	say("o\nthr")
	o.copy()
	// The runner dies here, and another follows.
	again, err := follow(dir, filepath.Join(dir, "log"), 1<<20, func(evaluator.Progress) {})
	if err != nil {
		t.Fatal(err)
	}
	say("ee\nfour")
	again.finish()
	if err := again.close(); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(dir, "log"))
	if err != nil || string(b) != "one\ntwo\nthree\nfour\n" {
		t.Errorf("the log is %q (%v)", b, err)
	}
}

// An endless line and an endless output take neither the memory nor the disk, and the end is still found.
func TestFollowEndlessOutput(t *testing.T) {
	o, dir, f := followed(t, 1<<20)
	junk := strings.Repeat("x", 1<<20)
	for range 24 {
		if _, err := f.WriteString(junk); err != nil {
			t.Fatal(err)
		}
		o.copy()
		if n := cap(o.streams[0].line); n > 4*maxLine {
			t.Fatalf("a line without end holds %d bytes", n)
		}
	}
	if _, err := f.WriteString("\n{\"a\": 1}\n"); err != nil {
		t.Fatal(err)
	}
	o.finish()
	if err := o.close(); err != nil {
		t.Fatal(err)
	}
	if b, _, err := findReport(dir); err != nil || string(b) != `{"a": 1}` {
		t.Errorf("the report is %q (%v)", b, err)
	}
	info, err := os.Stat(filepath.Join(dir, "log"))
	if err != nil || info.Size() > 2<<20 {
		t.Errorf("the log has %d bytes (%v)", info.Size(), err)
	}
	info, err = os.Stat(filepath.Join(dir, stdoutName))
	if err != nil {
		t.Fatal(err)
	}
	if taken := info.Sys().(*syscall.Stat_t).Blocks * 512; o.streams[0].freed == 0 || canPunch(t, dir) && taken > 1<<20 {
		t.Errorf("stdout takes %d bytes of the disk, of %d that were printed", taken, info.Size())
	}
}

// What is printed faster than it can be read does not fill the disk meanwhile, and the end is still found: an evaluator
// that floods holds no room that its own result needs.
func TestFollowLeavesOutWhatItHasNoTimeFor(t *testing.T) {
	o, dir, f := followed(t, 1<<20)
	if _, err := f.WriteString(strings.Repeat("not of much use\n", 4<<20)); err != nil {
		t.Fatal(err)
	}
	if n := o.copy(); n < 64<<20 {
		t.Errorf("%d bytes were taken up or left out, want all", n)
	}
	if s := o.streams[0]; s.freed < 64<<20-2*s.keep {
		t.Errorf("%d bytes were given back while it goes on, want all but %d", s.freed, s.keep)
	}
	if _, err := f.WriteString("{\"a\": 1}\nthe end\n"); err != nil {
		t.Fatal(err)
	}
	o.finish()
	if err := o.close(); err != nil {
		t.Fatal(err)
	}
	if b, _, err := findReport(dir); err != nil || string(b) != `{"a": 1}` {
		t.Errorf("the report is %q (%v)", b, err)
	}
	if words := lastIn(filepath.Join(dir, stdoutName), "stdout").words; !strings.HasSuffix(words, "the end") {
		t.Errorf("its last words are %q", words)
	}
	b, err := os.ReadFile(filepath.Join(dir, "log"))
	if err != nil || strings.Count(string(b), "left out here") != 1 {
		t.Errorf("the log does not say once that something is left out (%v)", err)
	}
	info, err := os.Stat(filepath.Join(dir, stdoutName))
	if err != nil {
		t.Fatal(err)
	}
	if taken := info.Sys().(*syscall.Stat_t).Blocks * 512; canPunch(t, dir) && taken > 64<<10 {
		t.Errorf("stdout takes %d bytes of the disk when it is over", taken)
	}
}

// canPunch says whether this file system gives back what is punched out of a file.
func canPunch(t *testing.T, dir string) bool {
	path := filepath.Join(dir, "probe")
	write(path, strings.Repeat("x", 1<<20))
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	punch(f, 0, 1<<20)
	info, err := f.Stat()
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return err == nil && info.Sys().(*syscall.Stat_t).Blocks == 0
}
