package study

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"parfait/evaluator"
	"parfait/history"
)

// TestMain lets this binary be what StartRunner starts: `SELF run DIR --headless`, and a viewer that starts
// one: `SELF start DIR`.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 && !strings.HasPrefix(os.Args[1], "-") {
		if err := play(os.Args[1], os.Args[2]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// play is a process of its own beside the test.
func play(role, dir string) error {
	switch role {
	case "lock":
		return lockBehind(dir)
	case "answer":
		return answer(dir)
	}
	fakes.Store("hangs", &fake{hook: func(ctx context.Context, _ evaluator.Candidate) error { <-ctx.Done(); return ctx.Err() }})
	s, err := Open(dir)
	if err != nil {
		return err
	}
	switch role {
	case "run":
		ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
		defer stop()
		if os.Getenv(dieAt) != "" {
			return errors.Join(makeMortal(s), s.Run(ctx, RunOptions{}))
		}
		return s.Run(ctx, RunOptions{Workers: 2})
	case "look":
		return look(s)
	case "start":
		if err := s.StartRunner(); err != nil {
			return err
		}
		fmt.Println("started")
		select {} // until somebody kills it
	}
	return fmt.Errorf("there is no role %q", role)
}

// kills is how often a run is killed; PARFAIT_KILLS sets another number for a long night.
func kills() int {
	if n, err := strconv.Atoi(os.Getenv("PARFAIT_KILLS")); err == nil {
		return n
	}
	if testing.Short() {
		return 3
	}
	return 10
}

// TestKilledRunners kills runners of the embedded study at random moments. No finished trial is lost,
// changed or measured again, and the end is that of a run that nobody disturbed.
func TestKilledRunners(t *testing.T) {
	t.Parallel()
	o := DemoOptions{Tasks: 2, Budget: 24, Seed: 4}
	calm := demo(t, o, RunOptions{Workers: 2})
	want := facts(load(t, calm))

	random := rand.New(rand.NewPCG(1, 2))
	dir := filepath.Join(t.TempDir(), "killed.study")
	again := func() { // the same study, nothing measured
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
		if err := os.CopyFS(dir, os.DirFS(calm.Dir())); err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(os.Remove(filepath.Join(dir, history.DatabaseFile)), os.Remove(filepath.Join(dir, history.JournalFile)), os.Remove(lockPath(dir))); err != nil {
			t.Fatal(err)
		}
	}
	again()
	done := map[int]string{}
	hits := 0
	for left, ends := kills(), 0; left > 0 || ends == 0; {
		cmd := exec.Command(os.Args[0], "run", dir)
		var out strings.Builder
		cmd.Stderr = &out
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if left > 0 {
			// Some while it starts, most after its first trials.
			kill := time.AfterFunc(time.Duration(random.Float64()*float64(250*time.Millisecond)), func() { _ = cmd.Process.Kill() })
			defer kill.Stop()
		}
		err := cmd.Wait()
		killed := cmd.ProcessState.Sys().(syscall.WaitStatus).Signaled()
		if killed {
			hits++
		}
		if err != nil && !killed {
			t.Fatalf("the run failed by itself: %v\n%s", err, out.String())
		}
		left--
		for _, tr := range load(t, open(t, dir)).Trials {
			line := fmt.Sprint(tr.ID, tr.Batch, tr.X, tr.State, tr.Attempt, tr.Metrics, tr.Started, tr.Ended)
			if was, ok := done[tr.ID]; ok && line != was {
				t.Fatalf("a finished trial was %s and is %s", was, line)
			}
			if tr.State == evaluator.Done {
				done[tr.ID] = line
			}
		}
		if !killed {
			ends++
			if got := facts(load(t, open(t, dir))); !slices.Equal(got, want) {
				t.Fatalf("the kills have changed what is measured: %s", firstDifference(got, want))
			}
			if left, err := os.ReadDir(filepath.Join(dir, "candidates")); err == nil {
				t.Errorf("models left behind: %v", left)
			}
			again()
			clear(done)
		}
	}
	if hits == 0 {
		t.Error("no kill has hit a run: want some, or this test has tested nothing")
	}
}

// A runner is killed while two commands are at work. Whether they end before the next one comes or after, they count, and
// are started once.
func TestWhatACommandMeasuredWhileNobodyRan(t *testing.T) {
	for name, c := range map[string]struct {
		said  string
		early bool
	}{"ended": {"its result was still there", true}, "goes on": {"it is still being measured, and goes on", false}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := commandStudy(t, `cd "$(dirname "$0")"
echo "$1" >> asked
while [ ! -e gate ]; do sleep 0.02; done
echo '{"rotated": 0.5, "mirrored": 0.25, "upright": 0.75}'
`)
			runner := exec.Command(os.Args[0], "run", s.Dir())
			if err := runner.Start(); err != nil {
				t.Fatal(err)
			}
			asked := func() int {
				b, _ := os.ReadFile(filepath.Join(s.Dir(), "asked"))
				return strings.Count(string(b), "\n")
			}
			until(t, "two commands start", func() bool { return asked() == 2 })
			if err := runner.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			_ = runner.Wait()
			open := func() { write(t, filepath.Join(s.Dir(), "gate"), "") }
			if c.early {
				open()
				until(t, "the commands end", func() bool {
					list, _ := filepath.Glob(filepath.Join(s.Dir(), "logs", "trial-*.run-*", "end.json"))
					return len(list) == 2
				})
			}
			said := ""
			if err := s.Run(t.Context(), RunOptions{Note: func(text string) {
				said += text + "\n"
				if strings.Count(said, c.said) == 2 && !c.early {
					open()
				}
			}}); err != nil {
				t.Fatal(err)
			}
			snap := load(t, s)
			if strings.Count(said, c.said) != 2 || asked() != len(snap.Trials) {
				t.Errorf("%d commands for %d trials; it said %q, expected %q twice", asked(), len(snap.Trials), said, c.said)
			}
			for _, tr := range snap.Trials {
				if tr.State != evaluator.Done || tr.Attempt != 1 {
					t.Errorf("trial %d is %s in attempt %d: %s", tr.ID, tr.State, tr.Attempt, tr.Error)
				}
			}
			if left, _ := filepath.Glob(filepath.Join(s.Dir(), "logs", "*.run-*")); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}
