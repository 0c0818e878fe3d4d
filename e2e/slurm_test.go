//go:build e2e && linux

package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// slurm is a real one: a controller and two nodes on loopback.
type slurm struct{ dir string }

// startSlurm starts one, and stops it with the test.
func startSlurm(t *testing.T) slurm {
	t.Helper()
	for _, name := range []string{"slurmctld", "slurmd", "sbatch", "squeue", "munged"} {
		if _, err := exec.LookPath(name); err != nil {
			need(t, err, "Slurm (apt-get install slurmctld slurmd slurm-client munge)")
		}
	}
	if os.Getuid() != 0 {
		need(t, errors.New("its daemons are started as root"), "root, for Slurm")
	}
	s := slurm{filepath.Join(t.TempDir(), "slurm")}
	s.script(t, "start-slurm.sh", s.dir, "2", "2")
	t.Cleanup(func() { s.script(t, "stop-slurm.sh", s.dir) })
	t.Setenv("SLURM_CONF", filepath.Join(s.dir, "slurm.conf"))
	return s
}

// script runs one of the scripts of testdata; what it starts stays.
func (s slurm) script(t *testing.T, name string, args ...string) {
	t.Helper()
	cmd := exec.Command(filepath.Join("testdata", name), args...)
	log, err := os.Create(filepath.Join(filepath.Dir(s.dir), name+".log"))
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = log, log // no pipe, which daemons would hold
	err = errors.Join(cmd.Run(), log.Close())
	if err != nil {
		text, _ := os.ReadFile(log.Name())
		t.Fatalf("%s %v: %v\n%s", name, args, err, text)
	}
}

// kill ends one of its daemons as a power cut does, and start starts it again.
func (s slurm) kill(t *testing.T, daemon string)  { s.script(t, "stop-slurm.sh", s.dir, daemon, "KILL") }
func (s slurm) start(t *testing.T, daemon string) { s.script(t, "start-slurm.sh", s.dir, daemon) }

func (s slurm) call(t *testing.T, name string, args ...string) {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
}

// tasks are those in a state: their numbers.
func (s slurm) tasks(state string) []string {
	out, _ := exec.Command("squeue", "-h", "-r", "-t", state, "-o", "%F_%K").Output() // it may be away
	return strings.Fields(string(out))
}

// jobs are those of a name in a state: their numbers.
func (s slurm) jobs(name, state string) []string {
	out, _ := exec.Command("squeue", "-h", "-n", name, "-t", state, "-o", "%i").Output() // it may be away
	return strings.Fields(string(out))
}

// resume has nodes used again that Slurm has drained by itself: a controller that was killed gives a job's number twice,
// and the node that has it still takes that for an error.
func (s slurm) resume() {
	out, _ := exec.Command("sinfo", "-h", "-N", "-R", "-o", "%N %E").Output() // it may be away
	for line := range strings.Lines(string(out)) {
		if node, why, _ := strings.Cut(strings.TrimSpace(line), " "); !strings.Contains(why, "test") {
			_ = exec.Command("scontrol", "update", "NodeName="+node, "State=RESUME").Run()
		}
	}
}

// killStep kills the process that looks after a task on its node.
func (s slurm) killStep(t *testing.T) {
	t.Helper()
	found, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range found {
		line, _ := os.ReadFile(path) // it may have ended
		env, _ := os.ReadFile(filepath.Join(filepath.Dir(path), "environ"))
		if !bytes.HasPrefix(line, []byte("slurmstepd: [")) || !bytes.Contains(env, []byte("SLURM_CONF="+s.dir)) {
			continue
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if err != nil {
			t.Fatal(err)
		}
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		return
	}
	t.Fatal("no slurmstepd was found")
}

// slurmStudy makes a study of some trials whose evaluations take seconds in the cluster, two at once. Each leaves a line
// in begun and, at its end, in ended. more are further options of the evaluator.
func slurmStudy(t *testing.T, trials int, seconds float64, poll, lost string, more ...string) string {
	t.Helper()
	home := t.TempDir()
	dir := filepath.Join(home, "slurm.study")
	good(t, ".", "demo", "--headless", "--tasks", "2", "--budget", "3", "--dir", filepath.Join(home, "digits"))
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf(`version: 1
base: ../digits/models/base
models:
  - {name: rot, path: ../digits/models/rotated}
  - {name: mir, path: ../digits/models/mirrored}
tasks:
  - {name: a, unit: rate}
  - {name: b, unit: rate}
evaluators:
  main:
    slurm:
      command: [sh, -c, 'cat "$1"/*.safetensors >/dev/null || exit 9; echo $PARFAIT_TRIAL >>begun; echo "PARFAIT_PROGRESS 1/2 half"; sleep %g; echo "{\"a\": 0.5, \"b\": 0.4}" >"$2"; echo $PARFAIT_TRIAL >>ended', eval, '{model}', '{out}']
      sbatch: [--mem=10M, --time=10]
      throttle: 2
      poll: %s
      lost: %s
%ssearch: {strategy: design, budget: %d, batch: %d, seed: 3}
`, seconds, poll, lost, strings.Join(more, ""), trials, trials)
	if err := os.WriteFile(filepath.Join(dir, "study.yaml"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

// slurmRun is a runner that may be killed.
type slurmRun struct {
	cmd *exec.Cmd
	log string
}

func startRun(t *testing.T, dir string) *slurmRun {
	t.Helper()
	r := &slurmRun{exec.Command(program, "run", dir, "--headless"), filepath.Join(filepath.Dir(dir), "runner.log")}
	log, err := os.OpenFile(r.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	r.cmd.Stdout, r.cmd.Stderr = log, log
	if err := errors.Join(r.cmd.Start(), log.Close()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.cmd.Process.Kill() }) // it has ended, or the test has failed
	return r
}

func (r *slurmRun) kill(t *testing.T) {
	t.Helper()
	if err := r.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = r.cmd.Wait() // killed
}

// end waits for the end of a run, which must be good.
func (r *slurmRun) end(t *testing.T) {
	t.Helper()
	err := r.cmd.Wait()
	if text, _ := os.ReadFile(r.log); err != nil {
		t.Fatalf("the run ended with %v\n%s", err, text)
	}
}

func times(t *testing.T, path string) map[string]int {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	n := map[string]int{}
	for _, trial := range strings.Fields(string(text)) {
		n[trial]++
	}
	return n
}

// awaits waits a few minutes at most.
func awaits(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(5 * time.Minute); !is(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s: not seen within five minutes", what)
		}
	}
}

// onceEach holds the end of a study against what it should be: every trial done and on record once, at most so many
// evaluations beyond one each, and nothing left.
func (s slurm) onceEach(t *testing.T, dir string, want, most int) {
	t.Helper()
	var list struct {
		Trials []struct {
			ID           int
			State, Error string
			Measurements []any
		}
	}
	decode(t, good(t, ".", "trials", dir, "--json"), &list)
	if len(list.Trials) != want {
		t.Errorf("%d trials, want %d", len(list.Trials), want)
	}
	for _, tr := range list.Trials {
		if tr.State != "done" || len(tr.Measurements) != 1 {
			t.Errorf("trial %d is %s with %d measurements: %s", tr.ID, tr.State, len(tr.Measurements), tr.Error)
		}
	}
	paid := 0
	for _, n := range times(t, filepath.Join(dir, "ended")) {
		paid += n
	}
	t.Logf("%d evaluations came to their end for %d trials; begun: %v", paid, want, times(t, filepath.Join(dir, "begun")))
	if paid < want || paid > want+most {
		t.Errorf("%d evaluations came to their end for %d trials, want %d more at most", paid, want, most)
	}
	awaits(t, "an empty queue", func() bool { return len(s.tasks("RUNNING,PENDING")) == 0 })
	if left, _ := filepath.Glob(filepath.Join(dir, "logs", "slurm", "*")); len(left) > 0 {
		t.Errorf("%v is left", left)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "candidates", "*")); len(left) > 0 {
		t.Errorf("%v is left", left)
	}
}

// TestSlurm measures with a real one whose controller is killed, and of whose tasks one is cancelled by hand, while the
// runner is killed too: every trial is measured, and on record, once.
func TestSlurm(t *testing.T) {
	s := startSlurm(t)
	dir := slurmStudy(t, 8, 2, "1s", "3s")
	r := startRun(t, dir)
	awaits(t, "two tasks at work", func() bool { return len(times(t, filepath.Join(dir, "begun"))) >= 2 })
	if n := len(s.tasks("RUNNING,PENDING")); n > 2 {
		t.Errorf("%d tasks are in the cluster, the throttle is 2", n)
	}
	if out := good(t, ".", "run", dir, "--headless", "--throttle", "3"); !strings.Contains(out, "at most 3 candidates at once from now on: the runner at work") {
		t.Errorf("beside a runner the throttle is told with %q", out)
	}
	awaits(t, "a third", func() bool { return len(s.tasks("RUNNING,PENDING")) == 3 })
	r.kill(t)
	s.kill(t, "ctld")
	r = startRun(t, dir)
	awaits(t, "the two that went on", func() bool { return doneOf(trials(t, dir)) >= 2 })
	s.start(t, "ctld")
	awaits(t, "a task at work", func() bool { return len(times(t, filepath.Join(dir, "begun"))) >= 3 && len(s.tasks("RUNNING")) > 0 })
	s.call(t, "scancel", s.tasks("RUNNING")[0])
	r.end(t)
	s.onceEach(t, dir, 8, 1) // the one that was cancelled may just have come to its end
}

// TestSlurmMergesThere has the tasks merge, one of which is killed: the bytes are those of a merge here, every trial is
// measured once, and nothing is left, on the nodes neither.
func TestSlurmMergesThere(t *testing.T) {
	s := startSlurm(t)
	node := filepath.Join(t.TempDir(), "node")
	dir := slurmStudy(t, 6, 1, "1s", "3s", "      materialise: there\n", "      node_dir: "+node+"\n")
	r := startRun(t, dir)
	awaits(t, "two tasks at work", func() bool { return len(times(t, filepath.Join(dir, "begun"))) >= 2 })
	s.call(t, "scancel", s.tasks("RUNNING")[0])
	r.end(t)
	merged := filepath.Join(dir, "logs", "slurm", "merged.jsonl")
	text, err := os.ReadFile(merged)
	if err != nil {
		t.Fatal(err)
	}
	if n, compared := bytes.Count(text, []byte("\n")), bytes.Count(text, []byte(`"compared":true`)); n != 6 || compared != 1 {
		t.Errorf("%d merges are on record and %d were compared, want 6 and 1:\n%s", n, compared, text)
	}
	log, err := os.ReadFile(filepath.Join(dir, "logs", "trial-0001.log"))
	if err != nil || !bytes.Contains(log, []byte("merged on n")) {
		t.Errorf("the log of trial 1 does not tell of the merge: %v\n%s", err, log)
	}
	if err := os.Remove(merged); err != nil {
		t.Fatal(err)
	}
	awaits(t, "an empty node", func() bool { left, _ := filepath.Glob(filepath.Join(node, "*")); return len(left) == 0 })
	s.onceEach(t, dir, 6, 1)
	good(t, ".", "export", dir, "--at", "rot=0.3,mir=0.4", "--out", filepath.Join(filepath.Dir(dir), "export"), "--verify", "--anyway")
}

// TestSlurmKeepsTheRunner has the runner itself be a job, with so short a time that others follow it: one at a time, and
// every trial is measured once.
func TestSlurmKeepsTheRunner(t *testing.T) {
	s := startSlurm(t)
	dir := slurmStudy(t, 14, 4, "1s", "3s")
	submit := func() (sub struct {
		Job, Name, State string
		New              bool
	},
	) {
		decode(t, good(t, ".", "run", dir, "--detach=slurm", "--sbatch", "--time=1 --mem=10M --signal=B:USR1@50", "--json"), &sub)
		return sub
	}
	first := submit()
	if !first.New || first.Job == "" {
		t.Errorf("the first is %+v", first)
	}
	if second := submit(); second.New {
		t.Errorf("a second one was submitted beside %+v: %+v", first, second)
	}
	awaits(t, "all trials", func() bool {
		if n := len(s.jobs(first.Name, "RUNNING")); n > 1 {
			t.Fatalf("%d runners are at work", n)
		}
		return doneOf(trials(t, dir)) == 14
	})
	awaits(t, "the end of the runner", func() bool { return len(s.jobs(first.Name, "RUNNING,PENDING")) == 0 })
	log, err := os.ReadFile(filepath.Join(dir, "logs", "runner.log"))
	if err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(log, []byte("\njob ")) + 1; n < 2 {
		t.Errorf("%d runners were at work, want that others followed the first:\n%s", n, log)
	}
	s.onceEach(t, dir, 14, 0)
	submit() // there is nothing left to do
	awaits(t, "the end of one with nothing to do", func() bool { return len(s.jobs(first.Name, "RUNNING,PENDING")) == 0 })
}

// TestSlurmAtLength breaks all that may break beneath 24 candidates, two at once: the controller, a process that looks
// after a task, a node that is drained, a task that is cancelled by hand, and the runner, at work and many times in its
// recovery.
func TestSlurmAtLength(t *testing.T) {
	if !long() {
		t.Skip("it takes minutes: .ci/long runs it")
	}
	s := startSlurm(t)
	dir := slurmStudy(t, 24, 4, "5s", "30s")
	begun := func(n int) func() bool {
		return func() bool {
			s.resume()
			return len(times(t, filepath.Join(dir, "begun"))) >= n && len(s.tasks("RUNNING")) > 0
		}
	}
	r := startRun(t, dir)
	awaits(t, "3 begun", begun(3))
	s.kill(t, "ctld")
	time.Sleep(12 * time.Second) // squeue gives up after nine
	s.start(t, "ctld")
	awaits(t, "6 begun", begun(6))
	s.killStep(t)
	awaits(t, "8 begun", begun(8))
	r.kill(t)
	for i := range 16 { // as it starts, in its recovery, and as it takes up and submits
		r = startRun(t, dir)
		time.Sleep(time.Duration(i+1) * 60 * time.Millisecond)
		r.kill(t)
	}
	r = startRun(t, dir)
	awaits(t, "11 begun", begun(11))
	s.call(t, "scontrol", "update", "NodeName=n1", "State=DRAIN", "Reason=test")
	awaits(t, "13 begun", begun(13))
	s.call(t, "scancel", s.tasks("RUNNING")[0])
	awaits(t, "16 begun", begun(16))
	s.call(t, "scontrol", "update", "NodeName=n1", "State=RESUME")
	s.kill(t, "ctld")
	s.start(t, "ctld")
	awaits(t, "20 begun", begun(20))
	r.kill(t)
	r = startRun(t, dir)
	r.end(t)
	s.onceEach(t, dir, 24, 2) // that too, and an orphan of the process that was killed may end beside the one that came after it
}
