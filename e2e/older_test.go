//go:build e2e

package e2e

import (
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"syscall"
	"testing"
	"time"
)

// olderProgram is a parfait of before there was a journal, which .ci/long builds.
const olderProgram = "PARFAIT_OLDER"

func older(t *testing.T) string {
	t.Helper()
	path := os.Getenv(olderProgram)
	if path == "" {
		t.Skip(olderProgram + " names no program of before there was a journal")
	}
	return path
}

// trialsBy are the trials that a program tells of.
func trialsBy(t *testing.T, program, dir string) map[int]trial {
	t.Helper()
	out, err := exec.Command(program, "trials", dir, "--json").Output()
	if err != nil {
		t.Fatalf("%s trials: %v", program, err)
	}
	var list struct{ Trials []trial }
	decode(t, string(out), &list)
	return byID(list.Trials)
}

// TestStudiesOfAnOlderParfait has studies begun by an older parfait, some killed in the middle, looked at, continued,
// compared and repaired by this one: what was measured stays as it was.
func TestStudiesOfAnOlderParfait(t *testing.T) {
	older := older(t)
	random := rand.New(rand.NewPCG(9, 9))
	for range scale(2, 25) {
		j := newJudge(t, "digits", time.Millisecond)
		dir := filepath.Join(t.TempDir(), "s.study")
		j.study(t, dir, 30)
		cmd := exec.Command(older, "run", dir, "--headless")
		need(t, cmd.Start(), "the older program")
		kill := time.AfterFunc(time.Duration(random.Float64()*float64(800*time.Millisecond)), func() { _ = cmd.Process.Kill() })
		_ = cmd.Wait()
		kill.Stop()
		if _, err := os.Stat(filepath.Join(dir, "study.db")); err != nil {
			continue // killed before it was begun
		}
		copied := filepath.Join(t.TempDir(), "s.study")
		need(t, os.CopyFS(copied, os.DirFS(dir)), "a copy")
		was := trials(t, dir) // before the older one may put right what it left
		if by := trialsBy(t, older, copied); !reflect.DeepEqual(was, by) {
			t.Errorf("this parfait reads %d trials, %d done, the older one %d, %d done", len(was), doneOf(was), len(by), doneOf(by))
		}
		whole(t, dir, "of an older parfait")
		good(t, ".", "repair", dir)
		good(t, ".", "run", dir, "--headless")
		whole(t, dir, "continued")
		now := trials(t, dir)
		for id, tr := range was {
			if tr.State == "done" && !reflect.DeepEqual(now[id], tr) {
				t.Errorf("trial %d was %+v and is %+v", id, tr, now[id])
			}
		}
		if doneOf(now) != 30 {
			t.Errorf("%d trials are done, want 30", doneOf(now))
		}
		if doneOf(was) == 30 {
			good(t, ".", "compare", copied, dir)
		}
		need(t, os.Remove(filepath.Join(dir, "study.db")), "a file to delete")
		good(t, ".", "repair", dir)
		if again := trials(t, dir); !reflect.DeepEqual(again, now) {
			t.Errorf("from its journal alone it has %d trials, want the %d that it had, the same", len(again), len(now))
		}
	}
}

// TestAnOlderRunnerAtWork has this parfait look and command while a runner of an older one is at work: it looks on, and
// leaves the history to that runner, which comes to its end.
func TestAnOlderRunnerAtWork(t *testing.T) {
	older := older(t)
	j := newJudge(t, "command", 150*time.Millisecond)
	dir := filepath.Join(t.TempDir(), "s.study")
	j.study(t, dir, 24)
	cmd := exec.Command(older, "run", dir, "--headless")
	cmd.Env = j.environ()
	need(t, cmd.Start(), "the older program")
	t.Cleanup(func() { _ = cmd.Process.Signal(syscall.SIGKILL) })
	until(t, "some trials have finished", func() bool {
		_, err := os.Stat(filepath.Join(dir, "study.db"))
		return err == nil && doneOf(trials(t, dir)) > 3
	})
	for _, args := range [][]string{{"check", dir}, {"trials", dir}} {
		if r := parfait(t, ".", args...); r.code != 0 {
			t.Errorf("%s beside an older runner ends with %d:\n%s", args[0], r.code, r.errors)
		}
	}
	for _, args := range [][]string{{"pick", dir, "--at", "rotated=0.5"}, {"run", dir, "--headless"}, {"run", dir, "--headless", "--budget", "30"}, {"repair", dir}} {
		if r := parfait(t, ".", args...); r.code != 6 {
			t.Errorf("%s beside an older runner ends with %d, want 6:\n%s", args[0], r.code, r.errors)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "history.jsonl*")); len(left) > 0 {
		t.Errorf("the history was upgraded under its runner: %v", left)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("the older runner ends with %v", err)
	}
	was := trials(t, dir)
	good(t, ".", "pick", dir, "--at", "rotated=0.5")
	good(t, ".", "run", dir, "--headless", "--budget", "26")
	whole(t, dir, "after the older runner")
	for id, tr := range was {
		if now := trials(t, dir)[id]; tr.State != "done" || !reflect.DeepEqual(now, tr) {
			t.Errorf("trial %d was %+v and is %+v", id, tr, now)
		}
	}
}
