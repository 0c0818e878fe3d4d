//go:build e2e

package e2e

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// injection has strace do something to system calls of the program: kinds is a list of them, what as strace has it.
type injection struct {
	kinds, what string
	paths       []string // only calls on these files; none: on all
}

func needStrace(t *testing.T) {
	t.Helper()
	err := exec.Command("strace", "-f", "-o", "/dev/null", "true").Run()
	need(t, err, "strace, and the right to trace")
}

// traced is the program under strace, which writes what it saw into the file trace.
func traced(trace string, injections []injection, args ...string) *exec.Cmd {
	// Calls are counted by the thread: with one processor there are few that make them.
	words := []string{"-f", "-qq", "-y", "-s", "40", "-E", "GOMAXPROCS=1", "-o", trace}
	var kinds []string
	for _, in := range injections {
		kinds = append(kinds, in.kinds)
		words = append(words, "-e", "inject="+in.kinds+":"+in.what)
		for _, p := range in.paths {
			words = append(words, "-P", p)
		}
	}
	words = append(words, "-e", "trace="+strings.Join(kinds, ","), program)
	cmd := exec.Command("strace", append(words, args...)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return cmd
}

// under runs the program under strace and waits for its end, at most as long as given: then it gets SIGTERM.
func under(t *testing.T, in []injection, atMost time.Duration, args ...string) (r result, trace string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "trace")
	cmd := traced(path, in, args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	need(t, cmd.Start(), "strace")
	end := time.AfterFunc(atMost, func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) })
	err := cmd.Wait()
	end.Stop()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	b, _ := os.ReadFile(path)
	code := cmd.ProcessState.ExitCode()
	if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		code = 128 + int(status.Signal()) // strace ends as what it traces
	}
	return result{code, out.String(), errs.String()}, string(b)
}

var (
	callIn = regexp.MustCompile(`^\d+ +(\w+)\((.*)$`)
	fileIn = regexp.MustCompile(`"([^"]+)"|<(/[^>]+)>`)
)

// lastCall is the system call that was the last in a trace, with the names of the files that it was about.
func lastCall(trace string) string {
	last := ""
	for line := range strings.Lines(trace) {
		m := callIn.FindStringSubmatch(strings.TrimSpace(line))
		if m == nil {
			continue
		}
		last = m[1]
		for _, f := range fileIn.FindAllStringSubmatch(m[2], -1) {
			if name := f[1] + f[2]; !strings.Contains(m[2], "AT_FDCWD<"+name+">") {
				last += " " + filepath.Base(name)
			}
		}
	}
	return regexp.MustCompile(`damaged-[0-9-]+`).ReplaceAllString(last, "damaged-TIME")
}
