package study

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"parfait/evaluator"
	"parfait/evaluator/slurm/slurmtest"
)

// TestTwoClustersOfOneStudy ends a run while two evaluators of one study have tasks in the cluster; the next run takes up
// those of both, and what is forgotten meanwhile is cancelled there.
func TestTwoClustersOfOneStudy(t *testing.T) {
	t.Parallel()
	cluster := slurmtest.New(t)
	one := func(task string) string {
		return fmt.Sprintf(`{slurm: {command: [sh, -c, 'cd "$1"; echo x >>begun-%[1]s; while [ -e gate ]; do sleep 0.02; done; echo x >>ended-%[1]s; echo "{\"%[1]s\": 0.5}"', eval, .], throttle: 2, poll: 0.1, lost: 0.3, bin: %[2]s}}`, task, cluster)
	}
	dir := filepath.Join(t.TempDir(), "s.study")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, SpecFile), "version: 1\nbase: base\nmodels:\n  - {name: a, path: a}\n  - {name: bb, path: bb}\n"+
		"tasks:\n  - {name: t, unit: rate, evaluator: one}\n  - {name: u, unit: rate, evaluator: two}\nevaluators:\n  one: "+one("t")+"\n  two: "+one("u")+"\nsearch: {strategy: design, budget: 4, batch: 4, seed: 3}\n")
	write(t, filepath.Join(dir, "gate"), "")
	interrupted(t, dir, func() bool {
		return lines(t, filepath.Join(dir, "begun-t"))+lines(t, filepath.Join(dir, "begun-u")) == 4
	})
	s := open(t, dir)
	forgotten := load(t, s).Trials[1].ID
	do(t, s, Command{Kind: CommandForget, N: forgotten})
	asked := cluster.Calls("squeue")
	go func() {
		for cluster.Calls("squeue") < asked+4 { // both have swept, and asked for theirs
			time.Sleep(10 * time.Millisecond)
		}
		_ = os.Remove(filepath.Join(dir, "gate")) // else the test does not end
	}()
	if err := s.Run(t.Context(), RunOptions{}); err != nil {
		t.Fatal(err)
	}
	for _, tr := range load(t, s).Trials {
		if want := evaluator.Done; tr.ID != forgotten && tr.State != want {
			t.Errorf("trial %d is %s: %s", tr.ID, tr.State, tr.Error)
		}
	}
	for _, task := range []string{"t", "u"} {
		if n := lines(t, filepath.Join(dir, "ended-"+task)); n != 3 {
			t.Errorf("%s was measured to the end %d times, expected once for each of 4 trials but the one that was forgotten when it was at work", task, n)
		}
		if n := lines(t, filepath.Join(dir, "begun-"+task)); n != 4 {
			t.Errorf("%s was begun %d times, expected once for each of 4 trials", task, n)
		}
	}
	if left, _ := os.ReadDir(filepath.Join(dir, "logs", "slurm")); len(left) > 0 {
		t.Errorf("%v is left", left)
	}
}
