package study

import (
	"bufio"
	"errors"
	"os"
	"os/exec"
	signals "os/signal"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// hanging is a study whose evaluator, in a process of its own, never ends.
func hanging(t *testing.T) *Study {
	t.Helper()
	dir := fakeStudy(t, 4, &fake{})
	edit(t, dir, `"`+t.Name()+`-0"`, "hangs")
	s := open(t, dir)
	t.Cleanup(func() { // of the runner, whoever started it
		if o := readOwner(dir); o.PID > 0 && o.PID != os.Getpid() {
			_ = syscall.Kill(o.PID, syscall.SIGTERM)
		}
	})
	return s
}

func TestARunnerOutlivesWhoStartedIt(t *testing.T) {
	t.Parallel()
	for name, signal := range map[string]syscall.Signal{"SIGKILL": syscall.SIGKILL, "SIGHUP": syscall.SIGHUP} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if signal == syscall.SIGHUP && signals.Ignored(signal) {
				t.Skip("SIGHUP is ignored here, as nohup does, and so it would be by the viewer")
			}
			s := hanging(t)
			viewer := exec.Command(os.Args[0], "start", s.Dir())
			viewer.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
			viewer.Stderr = os.Stderr
			out, err := viewer.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := viewer.Start(); err != nil {
				t.Fatal(err)
			}
			if line, err := bufio.NewReader(out).ReadString('\n'); line != "started\n" {
				t.Fatalf("the viewer said %q, %v", line, err)
			}
			if err := syscall.Kill(-viewer.Process.Pid, signal); err != nil { // as a terminal that hangs up does: all of its group
				t.Fatal(err)
			}
			_ = viewer.Wait()
			await(t, s, "two trials run", func(s *Snapshot) bool { return s.Activity.Running == 2 && s.Activity.Runner == Sampling })
			do(t, s, Command{Kind: CommandStop})
			await(t, s, "the runner has gone", func(s *Snapshot) bool { return s.Activity.Runner == Idle && s.Activity.Running == 0 })
		})
	}
}

func TestTwoViewersStartARunnerAtOnce(t *testing.T) {
	t.Parallel()
	s := hanging(t)
	var wg sync.WaitGroup
	for range 4 {
		other := open(t, s.Dir())
		wg.Go(func() {
			if err := other.StartRunner(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if a := await(t, s, "a trial runs", func(s *Snapshot) bool { return s.Activity.Running > 0 }).Activity; a.Running != 2 || a.Runner != Sampling {
		t.Errorf("%+v, want one runner with two workers", a)
	}
	// One that is told to stop is followed by another.
	pid := readOwner(s.Dir()).PID
	do(t, s, Command{Kind: CommandStop})
	if err := s.StartRunner(); err != nil {
		t.Fatal(err)
	}
	await(t, s, "another runner", func(s *Snapshot) bool {
		return s.Activity.Runner == Sampling && s.Activity.PID != pid && s.Activity.Running > 0
	})
	do(t, s, Command{Kind: CommandStop})
	await(t, s, "the runner has gone", func(s *Snapshot) bool { return s.Activity.Runner == Idle })
}

func TestARunnerThatDiesAtOnceSaysWhy(t *testing.T) {
	t.Parallel()
	dir := fakeStudy(t, 4, &fake{})
	edit(t, dir, "{fake: {name:", "{command: [./no-such-program, '{model}'] } #")
	s := open(t, dir)
	err := s.StartRunner() // its models are missing: it has the lock when it finds out
	if CodeOf(err) != CodeEvaluator || !strings.Contains(err.Error(), "base") || !strings.Contains(err.Error(), "ended at once") {
		t.Errorf("a runner without models: %v", err)
	}
	edit(t, dir, "strategy: design", "strategy: desing")
	if err := s.StartRunner(); err == nil || !strings.Contains(err.Error(), "desing") || strings.Contains(err.Error(), "base") {
		t.Errorf("a runner that cannot read study.yaml has to say what it said, and nothing older: %v", err)
	}
	var missing *exec.Error
	if err := s.detach(exec.Command("/no/such/parfait"), time.Now().Add(time.Minute)); err == nil || errors.As(err, &missing) {
		t.Errorf("a program that is not there: %v", err)
	}
	if a := load(t, s).Activity; a.Runner != Idle || !strings.Contains(a.Note, "base") {
		t.Errorf("those who look on are told %+v", a)
	}
}

func TestARunnerWithNothingToDo(t *testing.T) {
	t.Parallel()
	s := open(t, makeStudy(t, 4))
	if err := s.Run(t.Context(), RunOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := s.StartRunner(); err != nil {
		t.Error(err)
	}
	if snap := await(t, s, "the end", func(s *Snapshot) bool { return s.Activity.Runner == Finished }); snap.Activity.Done != 4 {
		t.Errorf("%+v, want four trials done", snap.Activity)
	}
}
