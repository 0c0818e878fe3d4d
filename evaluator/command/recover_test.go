//go:build linux || darwin

package command

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"parfait/evaluator"
	"parfait/evaluator/internal/process"
)

// A runner is killed while three are measured: those that come to their end without it count, with metrics or error; the
// one that hangs goes on, and is taken up.
func TestRecoverAfterKill(t *testing.T) {
	dir := t.TempDir()
	var open []evaluator.Candidate
	for i, behaviour := range []string{"out", "hang", "die"} {
		c := behaving(behaviour)(t)
		c.Key, c.Attempt, c.Split = "digits/"+string(rune('1'+i)), 1, evaluator.Validation
		c.Log = filepath.Join(dir, filepath.Base(c.Key)+".log")
		open = append(open, c)
	}
	crash(t, dir, open)
	hanging, err := readRecord(runFolder(open[1]))
	if err != nil {
		t.Fatal(err)
	}
	if lives, err := hanging.lives(hanging.PID, hanging.Start); !lives || err != nil {
		t.Fatalf("what hangs does not live on when the runner is killed (%v)", err)
	}
	events := map[string]evaluator.Event{}
	ev := mustNew(t, options(dir))
	unknown, err := ev.Recover(t.Context(), open, func(e evaluator.Event) error { events[e.Key] = e; return nil })
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(unknown, []string{"digits/2"}) {
		t.Errorf("unknown are %v, expected the one that hung", unknown)
	}
	if e := events["digits/1"]; e.State != evaluator.Done || e.Attempt != 1 || e.Metrics["b"] != (evaluator.Metric{Value: .1, Stderr: .01, N: 100}) {
		t.Errorf("the finished one is %s with %v: %v", e.State, e.Metrics, e.Err)
	}
	if e := events["digits/3"]; e.State != evaluator.Failed || !errors.Is(e.Err, evaluator.Exited) || !strings.Contains(e.Err.Error(), "CUDA") {
		t.Errorf("the failed one is %s: %v", e.State, e.Err)
	}
	if e := events["digits/2"]; e.State != evaluator.Running {
		t.Errorf("the one that hung is told as %q, want running", e.State)
	}
	ctx, cancel := context.WithCancel(t.Context())
	finals := 0
	if err := ev.Submit(ctx, open[1:2], func(e evaluator.Event) error {
		if cancel(); e.State.Final() {
			finals++
		}
		return nil
	}); err != nil || finals != 1 {
		t.Errorf("what is taken up and cancelled has %d final events (%v)", finals, err)
	}
	if left, err := process.Members(hanging.PID); err != nil || len(left) > 0 {
		t.Errorf("%v are left of what hung (%v)", left, err)
	}
	for _, c := range open {
		if exists(runFolder(c)) {
			t.Errorf("%s is left", runFolder(c))
		}
		b, err := os.ReadFile(c.Log)
		if err != nil || !strings.Contains(string(b), "exit status") {
			t.Errorf("the log of %s says nothing of what happened (%v):\n%s", c.Key, err, b)
		}
		if n := strings.Count(string(b), "CUDA"); c.Key == "digits/3" && n != 1 {
			t.Errorf("the log has the error %d times:\n%s", n, b)
		}
	}
	again, err := mustNew(t, options(dir)).Recover(t.Context(), open, func(e evaluator.Event) error { t.Errorf("%+v a second time", e); return nil })
	if err != nil || len(again) != len(open) {
		t.Errorf("after a second restart unknown are %v (%v)", again, err)
	}
}

// stranger starts a process group that is none of ours, and a record that points at it.
func stranger(t *testing.T, change func(*record)) (c evaluator.Candidate, alive func() bool) {
	t.Helper()
	cmd := exec.Command("sleep", "1000")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	p, ok, err := process.LookUp(cmd.Process.Pid)
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	boot, err := process.BootID()
	if err != nil {
		t.Fatal(err)
	}
	c = behaving("out")(t)
	c.Key, c.Attempt, c.Split, c.Log = "s/1", 1, evaluator.Validation, filepath.Join(t.TempDir(), "1.log")
	if err := os.MkdirAll(runFolder(c), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, f := range []string{stdoutName, stderrName} {
		write(filepath.Join(runFolder(c), f), "")
	}
	r := record{Key: c.Key, Attempt: 1, Dir: runFolder(c), PID: p.PID, Start: p.Start, Boot: boot, Token: "t", Started: time.Now()}
	change(&r)
	if err := r.write(runFolder(c)); err != nil {
		t.Fatal(err)
	}
	return c, func() bool {
		p, ok, err := process.LookUp(cmd.Process.Pid)
		return err == nil && ok && !p.Zombie
	}
}

// The number of a process can be used again, after a while or after a boot: what has it now is spared.
func TestRecoverSparesStrangers(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*record)
		spared bool
	}{
		"the very one":         {func(*record) {}, false}, // so that the others are known to test something
		"started later":        {func(r *record) { r.Start += "1" }, true},
		"another boot":         {func(r *record) { r.Boot = "another" }, true},
		"nothing was recorded": {func(r *record) { r.Start, r.Boot = "", "" }, true},
		"a copy of the folder": {func(r *record) { r.Dir += "-of-another" }, true},
		// It has the number and the moment of a supervisor, and not its token.
		"no supervisor": {func(r *record) { r.Supervisor, r.SupervisorStart, r.SupervisorToken = r.PID, r.Start, "t" }, false},
	} {
		t.Run(name, func(t *testing.T) {
			candidate, alive := stranger(t, c.change)
			o := options(t.TempDir())
			o.Grace = 50 * time.Millisecond
			unknown, err := mustNew(t, o).Recover(t.Context(), []evaluator.Candidate{candidate}, func(e evaluator.Event) error { t.Errorf("want no event, got %+v", e); return nil })
			if err != nil || !slices.Equal(unknown, []string{candidate.Key}) {
				t.Errorf("unknown %v, %v", unknown, err)
			}
			if alive() != c.spared {
				t.Errorf("alive: %t, expected %t", alive(), c.spared)
			}
		})
	}
}

// The group outlives its leader: only what carries the token is ended.
func TestRecoverWithoutLeader(t *testing.T) {
	dir := t.TempDir()
	cmd := exec.Command("sh", "-c", "sleep 1000 & echo $! >ours.part; mv ours.part ours; env -u "+tokenVariable+" sleep 1000 & echo $! >other.part; mv other.part other")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), tokenVariable+"=secret")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) })
	boot, err := process.BootID()
	if err != nil {
		t.Fatal(err)
	}
	if !until(func() bool { // env has become sleep
		all, err := process.Members(cmd.Process.Pid)
		return err == nil && len(all) == 2 && !gone(t, filepath.Join(dir, "other")) &&
			!slices.ContainsFunc(all, func(p process.Process) bool {
				return process.HasEnv(p.PID, tokenVariable+"=secret") && p.PID == read(t, filepath.Join(dir, "other"))
			})
	}) {
		t.Fatal("the processes did not start")
	}
	r := record{PID: cmd.Process.Pid, Start: "gone", Boot: boot, Token: "secret"}
	if err := r.stop(time.Second); err != nil {
		t.Fatal(err)
	}
	if !until(func() bool { return gone(t, filepath.Join(dir, "ours")) }) {
		t.Error("a process of ours is left")
	}
	if gone(t, filepath.Join(dir, "other")) {
		t.Error("a process that is none of ours was ended")
	}
}

// A record that cannot be read is told, not guessed at.
func TestRecoverDamagedRecord(t *testing.T) {
	c := behaving("out")(t)
	c.Key, c.Log = "s/1", filepath.Join(t.TempDir(), "1.log")
	if err := os.MkdirAll(runFolder(c), 0o700); err != nil {
		t.Fatal(err)
	}
	write(filepath.Join(runFolder(c), recordName), `{"pid": 1}`)
	unknown, err := mustNew(t, options(t.TempDir())).Recover(t.Context(), []evaluator.Candidate{c}, func(evaluator.Event) error { return nil })
	if err == nil || !strings.Contains(err.Error(), "damaged") || len(unknown) != 1 {
		t.Errorf("unknown %v, %v", unknown, err)
	}
}

// After a boot a report may have lost its end: only a whole one counts.
func TestRecoverAfterBoot(t *testing.T) {
	for report, want := range map[string]int{`{"a": 1, "b": 2}`: 0, `{"a": 1, "b`: 1, "": 1} {
		c, _ := stranger(t, func(r *record) { r.Boot = "another" })
		write(filepath.Join(runFolder(c), endName), `{"status": 0}`)
		write(filepath.Join(runFolder(c), outName), report)
		unknown, err := mustNew(t, options(t.TempDir())).Recover(t.Context(), []evaluator.Candidate{c}, func(evaluator.Event) error { return nil })
		if err != nil || len(unknown) != want {
			t.Errorf("report %q: unknown %v, %v; expected %d", report, unknown, err, want)
		}
	}
}

// A runner that is killed while it stops an evaluation leaves no failure: the next one measures it anew. What
// had come to a good end even so counts.
func TestRecoverAfterAKilledStop(t *testing.T) {
	for name, c := range map[string]struct {
		status  string
		halted  bool
		unknown int
	}{
		"ended badly by itself":     {"1", false, 0},
		"ended badly, when told to": {"1", true, 1},
		"ended well, when told to":  {"0", true, 0},
		"ended by the signal":       {"143", true, 1},
	} {
		t.Run(name, func(t *testing.T) {
			candidate, _ := stranger(t, func(r *record) { r.Start += "1" }) // its process has gone
			dir := runFolder(candidate)
			write(filepath.Join(dir, endName), `{"status": `+c.status+`}`)
			write(filepath.Join(dir, outName), `{"a": 1, "b": 2}`)
			if c.halted {
				halt(dir)
			}
			unknown, err := mustNew(t, options(t.TempDir())).Recover(t.Context(), []evaluator.Candidate{candidate}, func(evaluator.Event) error { return nil })
			if err != nil || len(unknown) != c.unknown {
				t.Errorf("unknown %v, %v; expected %d", unknown, err, c.unknown)
			}
		})
	}
}

// What had to be stopped is told to stop only when it is noted that it was.
func TestStoppingIsNoted(t *testing.T) {
	dir := t.TempDir()
	ev := mustNew(t, options(dir))
	c := behaving("hang")(t)
	c.Key, c.Attempt, c.Split, c.Log = "digits/1", 1, evaluator.Validation, filepath.Join(dir, "1.log")
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		until(func() bool { return exists(filepath.Join(dir, "started-1")) })
		cancel()
	}()
	if err := ev.Submit(ctx, []evaluator.Candidate{c}, func(e evaluator.Event) error {
		if e.State.Final() {
			return errors.New("nobody is there to record it")
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if !exists(filepath.Join(runFolder(c), haltName)) {
		t.Error("nothing says that it was told to end")
	}
}

// What an older parfait has begun, under the names that it used, is found; two studies that share a folder for logs do
// not find each other's.
func TestRecoverFindsWhatAnOlderOneHasBegun(t *testing.T) {
	c := evaluator.Candidate{Key: "s/1", Attempt: 1, Split: evaluator.Validation, Tasks: []string{"t"}, Log: filepath.Join(t.TempDir(), "trial-0001.log")}
	old := runFolder(c)
	c.ID = "STUDY-1-0f"
	if dir := runFolder(c); dir == old || dir != c.Log+evaluator.RunInfix+"1-STUDY-1-0f" {
		t.Errorf("the folder of a candidate with an ID is %s, want its ID in it", dir)
	}
	if dir := leftFolder(c); dir != runFolder(c) {
		t.Errorf("where nothing is left it is looked for in %s", dir)
	}
	if err := os.Mkdir(old, 0o700); err != nil {
		t.Fatal(err)
	}
	if dir := leftFolder(c); dir != old {
		t.Errorf("what an older one has left is looked for in %s, want %s", dir, old)
	}
}

// What an earlier runner has begun is kept as that of the command and the scripts of then, of which this runner has others.
func TestRecoverKeepsUnderTheSumOfThen(t *testing.T) {
	for sum, want := range map[string]int{"5c": 1, "": 0} {
		c, _ := stranger(t, func(r *record) { r.Boot, r.Kept = "another", sum })
		c.Merge = "m1"
		write(filepath.Join(runFolder(c), endName), `{"status": 0}`)
		write(filepath.Join(runFolder(c), outName), `{"results": {"a": {"acc,none": 0.5}, "b": {"acc,none": 0.25}}}`)
		unknown, err := mustNew(t, options(t.TempDir())).Recover(t.Context(), []evaluator.Candidate{c}, func(evaluator.Event) error { return nil })
		if err != nil || len(unknown) > 0 {
			t.Fatalf("unknown %v, %v", unknown, err)
		}
		kept, _ := filepath.Glob(filepath.Join(filepath.Dir(c.Log), "*.json"))
		if len(kept) != want || want == 1 && filepath.Base(kept[0]) != "1.report-5c.json" {
			t.Errorf("sum %q: kept are %q, expected %d", sum, kept, want)
		}
	}
}
