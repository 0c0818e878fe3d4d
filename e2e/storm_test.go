//go:build e2e

package e2e

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// storm is a study whose runner is killed again and again.
type storm struct {
	*testing.T
	*judge
	dir      string
	random   *rand.Rand
	finished map[int]trial  // as they were seen first
	begun    map[string]int // evaluations of those, at that moment
	said     int            // the most trials that a runner has said are finished
	twice    int            // evaluations that came to their end for a trial that had one
	once     bool           // evaluations outlive their runners: each is begun once
	taken    int            // evaluations that a runner has taken up from another
}

// TestKilledEvaluations kills runners with SIGKILL at random moments: the runner alone, its process group, or all that
// belongs to the study, evaluators too. No finished trial is lost, changed, doubled or measured again, nothing that a
// runner has said is missing, and what is recorded is as it was written after every kill. What outlives its runner is begun
// once.
func TestKilledEvaluations(t *testing.T) {
	for _, storms := range []struct {
		kind, whom  string
		takes       time.Duration // an evaluation
		short, more int
	}{
		{"digits", "runner", 20 * time.Millisecond, 1, 70},
		{"digits", "group", 20 * time.Millisecond, 0, 40},
		{"command", "runner", 20 * time.Millisecond, 2, 80},
		{"command", "group", 20 * time.Millisecond, 0, 40},
		{"command", "group", 300 * time.Millisecond, 3, 60},
		{"command", "all", 20 * time.Millisecond, 2, 50},
		{"worker", "runner", 20 * time.Millisecond, 1, 70},
		{"worker", "all", 20 * time.Millisecond, 1, 40},
		{"http", "runner", 20 * time.Millisecond, 2, 70},
		{"http", "group", 20 * time.Millisecond, 0, 40},
	} {
		kills := scale(storms.short, storms.more)
		if kills == 0 {
			continue
		}
		t.Run(fmt.Sprint(storms.kind, " ", storms.whom, " ", storms.takes), func(t *testing.T) {
			s := &storm{T: t, judge: newJudge(t, storms.kind, storms.takes), random: rand.New(rand.NewPCG(uint64(kills), 7))}
			s.once = storms.kind == "command" && storms.whom != "all"
			s.dir = filepath.Join(t.TempDir(), "s.study")
			hits, ends := 0, 0
			s.begin()
			long := storms.takes > 100*time.Millisecond
			for hits < kills || ends == 0 {
				if long && s.taken == 0 && hits == kills && kills < 4*storms.more { // on a busy machine some hit before there is anything
					kills++
				}
				if s.run(storms.whom, hits < kills) {
					hits++
					s.after(hits)
					continue
				}
				ends++
				s.end()
				s.begin()
			}
			if long && s.taken == 0 {
				t.Error("no evaluation was taken up from a runner that was killed: want some, or that is not tested")
			}
			t.Logf("%d kills have hit a run, %d studies were ended, %d evaluations were taken up, %d were made again that nobody had heard of", hits, ends, s.taken, s.twice)
		})
	}
}

// budget of the studies: some kills come in each.
const stormBudget = 40

// begin makes a new study in the place of the last.
func (s *storm) begin() {
	need(s.T, os.RemoveAll(s.dir), "a folder to delete")
	s.judge.forget()
	s.study(s.T, s.dir, stormBudget)
	s.finished, s.begun, s.said = map[int]trial{}, map[string]int{}, 0
}

var samplingLine = regexp.MustCompile(`(?m)^sampling: (\d+)/`)

// run starts a runner and says whether it was killed before its end.
func (s *storm) run(whom string, kill bool) (killed bool) {
	cmd := exec.Command(program, "run", s.dir, "--headless", "--workers", "2")
	cmd.Env, cmd.SysProcAttr = s.environ(), &syscall.SysProcAttr{Setpgid: true}
	var errs strings.Builder
	cmd.Stderr = &errs
	need(s.T, cmd.Start(), "the program")
	if kill {
		upTo := []time.Duration{150 * time.Millisecond, time.Second}[s.random.IntN(2)]
		timer := time.AfterFunc(time.Duration(s.random.Float64()*float64(upTo)), func() { s.kill(cmd.Process.Pid, whom) })
		defer timer.Stop()
	}
	_ = cmd.Wait()
	for _, m := range samplingLine.FindAllStringSubmatch(errs.String(), -1) {
		n, _ := strconv.Atoi(m[1])
		s.said = max(s.said, n)
	}
	s.taken += strings.Count(errs.String(), "it is still being measured, and goes on")
	if cmd.ProcessState.Success() {
		return false
	}
	if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || !status.Signaled() {
		s.Fatalf("a run ended by itself with %v:\n%s", cmd.ProcessState, errs.String())
	}
	return true
}

func (s *storm) kill(pid int, whom string) {
	switch whom {
	case "runner":
		_ = syscall.Kill(pid, syscall.SIGKILL)
	case "group":
		_ = syscall.Kill(-pid, syscall.SIGKILL)
	default:
		for _, p := range s.survivors() {
			_ = syscall.Kill(p, syscall.SIGKILL)
		}
	}
}

// after looks at what is recorded after a kill.
func (s *storm) after(kill int) {
	s.Helper()
	if r := parfait(s.T, ".", "check", s.dir); r.code != 0 {
		s.Fatalf("after kill %d a check ends with %d:\n%s%s", kill, r.code, r.out, r.errors)
	}
	begun, now := s.judge.begun(), trials(s.T, s.dir)
	for id, was := range s.finished {
		if !reflect.DeepEqual(now[id], was) {
			s.Fatalf("after kill %d trial %d, which had finished, was %+v and is %+v", kill, id, was, now[id])
		}
	}
	done := 0
	for id, tr := range now {
		if tr.State != "done" {
			continue
		}
		done++
		if _, ok := s.finished[id]; !ok {
			s.finished[id], s.begun[strconv.Itoa(id)] = tr, begun[strconv.Itoa(id)]
		}
	}
	if done < s.said {
		s.Fatalf("after kill %d, %d trials have finished, where a runner has said that %d had", kill, done, s.said)
	}
}

// end looks at a study that has come to its end.
func (s *storm) end() {
	s.Helper()
	s.after(-1)
	begun, ended := s.judge.begun(), s.ended()
	for id, tr := range trials(s.T, s.dir) {
		key := strconv.Itoa(id)
		if tr.State != "done" {
			s.Errorf("trial %d is %s, want that all have finished", id, tr.State)
		}
		if s.kind == "digits" {
			continue
		}
		for task, want := range score(tr.Coefficients) {
			if got := tr.Metrics[task]["value"]; got != want {
				s.Errorf("trial %d: %s is %v, where the judge said %v", id, task, got, want)
			}
		}
		if now, was := begun[key], s.begun[key]; now != was {
			s.Errorf("trial %d was begun %d times when it had finished, and %d times in the end", id, was, now)
		}
		if s.once && begun[key] != 1 {
			s.Errorf("trial %d was begun %d times, want once: its evaluation outlives the runner", id, begun[key])
		}
		if s.twice += ended[key] - 1; ended[key] < 1 || s.kind == "http" && ended[key] > 1 {
			s.Errorf("trial %d was measured %d times to the end, want 1", id, ended[key])
		}
	}
	if n := len(s.finished); n != stormBudget {
		s.Errorf("%d trials have finished, want %d", n, stormBudget)
	}
	for _, pattern := range []string{"candidates/*", "logs/*.run-*", "study.db?*", "*.new"} {
		if left, _ := filepath.Glob(filepath.Join(s.dir, pattern)); len(left) > 0 {
			s.Errorf("left behind: %v", left)
		}
	}
	until(s.T, "the evaluators end", func() bool { return len(s.survivors()) == 0 })
}
