//go:build linux || darwin

package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"parfait/evaluator"
	"parfait/evaluator/internal/process"
	"parfait/internal/rescue"
)

// heard has what is printed go through a pipe into a log, and returns the log and what is kept of it.
func heard(t *testing.T, keep int, limit int64, chunks ...string) (log, kept string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "log")
	l, err := evaluator.OpenLog(path, limit)
	if err != nil {
		t.Fatal(err)
	}
	var into io.Writer
	p, err := listen(&into, keep, l, func(evaluator.Progress) {})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range chunks {
		if _, err := io.WriteString(into, c); err != nil {
			t.Fatal(err)
		}
	}
	p.started() // the only one that writes
	var others rescue.Group
	p.finish(&others)
	others.Wait()
	l.Close()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if n := cap(p.line); n > 4*maxLine {
		t.Errorf("a line holds %d bytes", n)
	}
	if n := cap(p.tail); n > 5*keep {
		t.Errorf("the end of the output holds %d bytes, kept are %d", n, keep)
	}
	return string(b), string(p.essence())
}

// onScreen is what stays of a text where carriage returns go home.
func onScreen(text string) string {
	lines := strings.Split(text, "\n")
	for i, l := range lines {
		lines[i] = l[strings.LastIndexByte(l, '\r')+1:]
	}
	return strings.Join(lines, "\n")
}

func TestPrintedLines(t *testing.T) {
	for printed, want := range map[string]string{
		"one\n\ntwo":                       "one\n\ntwo\n",
		"windows\r\nline\r\n":              "windows\nline\n",
		" 10%|#\r 50%|##\r100%|###\nend\n": "100%|###\nend\n",
		"\r 10%\r 20%\r":                   " 20%\n",
		"PARFAIT_PROGRESS 1/2\nx\n":        "x\n",
		"bar 1\rPARFAIT_PROGRESS 1/2\nx\n": "x\n",
	} {
		log, _ := heard(t, 1<<16, 1<<20, printed)
		if shown := onScreen(log); shown != want {
			t.Errorf("%q comes to %q, want %q", printed, log, want)
		}
		var bytewise []string
		for _, c := range printed {
			bytewise = append(bytewise, string(c))
		}
		if log, _ := heard(t, 1<<16, 1<<20, bytewise...); onScreen(log) != want {
			t.Errorf("%q, byte by byte, comes to %q, want %q", printed, log, want)
		}
	}
}

// A bar that is drawn over and over is the last line of the log while it is, whichever end its carriage returns stand at,
// and progress that is told that way counts.
func TestBars(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	log, err := evaluator.OpenLog(path, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	var told []evaluator.Progress
	p := &printed{keep: 1 << 16, log: log, progress: func(p evaluator.Progress) { told = append(told, p) }}
	say := func(s, last string) {
		t.Helper()
		p.take([]byte(s))
		if got := evaluator.LastLine(path); got != last {
			t.Errorf("after %q the last line of the log is %q, expected %q", s, got, last)
		}
	}
	say("loaded\r\n", "loaded")
	say(" 10%|#  \r", "10%|#")
	say(" 43%|## \r", "10%|#") // once a second at most
	say("PARFAIT_PROGRESS 3/10\r", "10%|#")
	say("100%|###\n", "100%|###")
	if b, err := os.ReadFile(path); err != nil || string(b) != "loaded\n\r 10%|#  \r100%|###\n" {
		t.Errorf("the log is %q (%v)", b, err)
	}
	if len(told) != 1 || told[0] != (evaluator.Progress{Done: 3, Total: 10}) {
		t.Errorf("progress %v, expected 3 of 10, once", told)
	}
}

// An endless line and an endless output take neither the memory nor the disk, and the end is still found.
func TestEndlessOutput(t *testing.T) {
	junk := strings.Repeat("x", 1<<20)
	flood := append(strings.SplitAfter(strings.Repeat(junk+" ", 8), " "), strings.Repeat("not of much use\n", 1<<19), "{\"a\": 1}\nthe end\n")
	log, kept := heard(t, 1<<20, 1<<20, flood...)
	if len(log) > 1<<20+200 || !strings.Contains(log, "left out") {
		t.Errorf("the log has %d bytes, and ends with %q", len(log), log[max(0, len(log)-100):])
	}
	if len(kept) > minTrim || !strings.HasSuffix(kept, "{\"a\": 1}\nthe end\n") {
		t.Errorf("kept are %d bytes", len(kept))
	}
}

// orphan starts a command by a runner that is killed, and returns the evaluator of the next.
func orphan(t *testing.T, name string) (dir string, c evaluator.Candidate, next evaluator.Evaluator) {
	t.Helper()
	dir = t.TempDir()
	write(filepath.Join(dir, "gated"), "")
	c = behaving(name)(t)
	c.Key, c.ID, c.Attempt, c.Split, c.Log = "digits/1", "x-1-0", 1, evaluator.Validation, filepath.Join(dir, "1.log")
	killRunner(t, dir, []evaluator.Candidate{c})
	if err := os.Remove(filepath.Join(dir, "started-1")); err != nil {
		t.Fatal(err)
	}
	return dir, c, mustNew(t, options(dir))
}

// What goes on is taken up, not begun again: with its progress, its metrics, its slot and the model that it reads.
func TestTakenUp(t *testing.T) {
	dir, c, next := orphan(t, "out")
	for range 2 { // the next runner is killed too, before it has submitted anything
		running := 0
		unknown, err := next.Recover(t.Context(), []evaluator.Candidate{c}, func(e evaluator.Event) error {
			if e.State == evaluator.Running {
				running++
			}
			return nil
		})
		if err != nil || running != 1 || len(unknown) != 1 {
			t.Fatalf("running %d, unknown %v, %v", running, unknown, err)
		}
	}
	model := filepath.Join(dir, evaluator.KeptPrefix+c.ID)
	if !exists(model) {
		t.Errorf("the model is not kept in %s", model)
	}
	c.Model = func(context.Context, evaluator.Form) (evaluator.Lease, error) {
		t.Error("the model is made again")
		return evaluator.Lease{}, errors.New("no model")
	}
	open := func() { write(filepath.Join(dir, "go"), "") }
	last, seen := measure(t.Context(), t, next, c, open)
	if last.State != evaluator.Done || last.Metrics["b"].N != 100 {
		t.Errorf("%s with %v: %v", last.State, last.Metrics, last.Err)
	}
	if want := (evaluator.Progress{Done: 2, Total: 2, Note: "b"}); seen[len(seen)-1] != want {
		t.Logf("the last progress is %+v", seen[len(seen)-1]) // it may have ended between two looks
	}
	if exists(filepath.Join(dir, "started-1")) {
		t.Error("the command was started again")
	}
	if exists(model) {
		t.Errorf("the model stays in %s", model)
	}
}

// The timeout counts from the start, whoever has made it.
func TestTheTimeoutGoesOn(t *testing.T) {
	dir, c, _ := orphan(t, "out")
	o := options(dir)
	o.Timeout = 10 * time.Minute
	rec, err := readRecord(runFolder(c))
	if err != nil {
		t.Fatal(err)
	}
	rec.Started = time.Now().Add(-10*time.Minute + 200*time.Millisecond)
	if err := rec.write(runFolder(c)); err != nil {
		t.Fatal(err)
	}
	last, _ := measure(t.Context(), t, mustNew(t, o), c, nil)
	if !errors.Is(last.Err, evaluator.TimedOut) {
		t.Errorf("%s: %v, want that its time is over", last.State, last.Err)
	}
}

// Whose supervisor is killed ends with it, and is begun again.
func TestTheSupervisorIsKilled(t *testing.T) {
	dir, c, next := orphan(t, "hang")
	rec, err := readRecord(runFolder(c))
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(rec.Supervisor, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	until(func() bool { lives, err := rec.lives(rec.Supervisor, rec.SupervisorStart); return err == nil && !lives })
	unknown, err := next.Recover(t.Context(), []evaluator.Candidate{c}, func(e evaluator.Event) error { t.Errorf("want no event, got %+v", e); return nil })
	if err != nil || len(unknown) != 1 {
		t.Errorf("unknown %v, %v", unknown, err)
	}
	if lives, err := rec.lives(rec.PID, rec.Start); err != nil || lives {
		t.Errorf("the command lives on: %t, %v", lives, err)
	}
	if exists(runFolder(c)) || exists(filepath.Join(dir, evaluator.KeptPrefix+c.ID)) {
		t.Error("something is left of it")
	}
}

// A run that has ended is waited for by nobody, however long its supervisor stays for what it has left.
func TestAnEndIsNoMoreToCome(t *testing.T) {
	_, c, next := orphan(t, "hang")
	dir := runFolder(c)
	rec, err := readRecord(dir)
	if err != nil {
		t.Fatal(err)
	}
	if !rec.goesOn(dir) {
		t.Fatal("a run that goes on is not told as one")
	}
	write(filepath.Join(dir, endName), `{"status": 137, "signal": "SIGKILL"}`) // and its supervisor stays
	if rec.goesOn(dir) {
		t.Error("its end is on record, and is waited for")
	}
	unknown, err := next.Recover(t.Context(), []evaluator.Candidate{c}, func(e evaluator.Event) error { t.Errorf("want no event, got %+v", e); return nil })
	if err != nil || len(unknown) != 1 {
		t.Errorf("unknown %v, %v", unknown, err)
	}
}

// A run whose folder is deleted is wanted by nobody.
func TestWhatNobodyWantsEnds(t *testing.T) {
	_, c, _ := orphan(t, "hang")
	rec, err := readRecord(runFolder(c))
	if err != nil {
		t.Fatal(err)
	}
	if err := evaluator.Drop(runFolder(c)); err != nil {
		t.Fatal(err)
	}
	if !until(func() bool {
		command, err := rec.lives(rec.PID, rec.Start)
		supervisor, e := rec.lives(rec.Supervisor, rec.SupervisorStart)
		return err == nil && e == nil && !command && !supervisor
	}) {
		t.Error("it goes on, or its supervisor does")
	}
}

// A server that a command has left in a session of its own goes on printing when the command has ended.
func TestWhatIsLeftMayPrint(t *testing.T) {
	// It is in a session of its own before the command ends, of which all in its group are ended with it.
	ev, c := shell(t, `rm -f apart; setsid sh -c 'echo >apart; until [ -e enough ] || ! [ -e logs ]; do echo "still here"; sleep 0.02; done; echo told >>told' &
		until [ -e apart ]; do sleep 0.01; done
		echo '{"a": 1, "b": 1}'`, nil)
	dir := filepath.Dir(filepath.Dir(c.Log))
	if e, _ := measure(t.Context(), t, ev, c, nil); e.State != evaluator.Done {
		t.Fatal(e.Err)
	}
	if e, _ := measure(t.Context(), t, ev, c, nil); e.State != evaluator.Done { // by the same supervisor
		t.Fatal(e.Err)
	}
	write(filepath.Join(dir, "enough"), "")
	if !until(func() bool {
		b, _ := os.ReadFile(filepath.Join(dir, "told"))
		return strings.Count(string(b), "told") == 2
	}) {
		t.Error("a server has ended when nobody listened")
	}
}

// Commands hear signals, find their program in their own PATH, and need no interpreter's line in a script.
func TestWhatACommandIsBornWith(t *testing.T) {
	for name, script := range map[string]string{
		"signals": `kill -TERM $$; sleep 5; echo '{"a": 1, "b": 1}'`,
		"hangup":  `kill -HUP $$; sleep 5; echo '{"a": 1, "b": 1}'`,
	} {
		ev, c := shell(t, script, nil)
		if e, _ := measure(t.Context(), t, ev, c, nil); !errors.Is(e.Err, evaluator.Killed) {
			t.Errorf("%s: %s, %v: want that the signal ends it", name, e.State, e.Err)
		}
	}
	ev, c := shell(t, "", func(o *Options) {
		if err := os.Mkdir(filepath.Join(o.Dir, "bin"), 0o700); err != nil {
			t.Fatal(err)
		}
		script(filepath.Join(o.Dir, "bin", "evaluate"), fmt.Sprintln(`echo '{"a": 1, "b": 1}'`))
		o.Command, o.Env = []string{"evaluate"}, map[string]string{"PATH": filepath.Join(o.Dir, "bin") + ":/usr/bin:/bin"}
	})
	if e, _ := measure(t.Context(), t, ev, c, nil); e.State != evaluator.Done {
		t.Errorf("a script without an interpreter, in the command's own PATH: %v", e.Err)
	}
}

// A supervisor that takes its time to notice that it may go keeps nobody from leaving.
func TestClosingWaitsForNoSupervisor(t *testing.T) {
	cmd := exec.Command("sleep", "30")
	orders, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	answers, say, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(say.Close(), cmd.Start()); err != nil {
		t.Fatal(err)
	}
	s := slots{used: []bool{false}, supervisors: []*supervised{{cmd: cmd, orders: orders, answers: answers}}}
	s.close()
	if err := cmd.Process.Kill(); err != nil {
		t.Errorf("close has waited for the supervisor: %v", err)
	}
}

// What a supervisor was told is on record before it can have heard it: who comes after a runner that died in between waits
// for what it begins, and nothing is begun twice.
func TestARunIsRecordedBeforeItIsOrdered(t *testing.T) {
	own := filepath.Join(t.TempDir(), "deaf")
	if err := os.WriteFile(own, []byte("#!/bin/sh\nexec sleep 600\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	was := superviseBy
	defer func() { superviseBy = was }()
	superviseBy = func() (string, error) { return own, nil }
	sv, err := supervise()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := sv.tell(order{Dir: dir, Record: record{Key: "1", Attempt: 1, Dir: dir, Token: "x"}}); err != nil {
		t.Fatal(err)
	}
	rec, err := readRecord(dir)
	if err != nil || !rec.Ordered {
		t.Fatalf("the record is %+v, %v", rec, err)
	}
	if !until(func() bool { return process.HasEnv(rec.Supervisor, supervisorVariable+"="+rec.SupervisorToken) }) {
		t.Fatal("it was not started")
	}
	if !rec.goesOn(dir) {
		t.Errorf("nobody would wait for %+v", rec)
	}
	sv.end(true)
	_ = sv.cmd.Wait()
	if rec.goesOn(dir) {
		t.Errorf("it is waited for %+v, which is gone", rec)
	}
}
