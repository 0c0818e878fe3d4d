package study

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"parfait/evaluator/slurm/slurmtest"
)

// A runner that Slurm keeps at work is found by whoever asks for another, also where it waits or is at work elsewhere.
func TestARunnerInTheCluster(t *testing.T) {
	cluster := slurmtest.New(t)
	t.Setenv("PATH", string(cluster)+":"+os.Getenv("PATH"))
	s := hanging(t)
	cluster.Set(t, "fates", "PENDING\n")
	sub, err := s.SubmitRunner(t.Context(), []string{"--time=1-0"}, []string{"--workers=2"})
	if err != nil || !sub.New || sub.Job != "1" || !strings.HasPrefix(sub.State, "PENDING") || sub.Log != filepath.Join(s.Dir(), "logs", "runner.log") {
		t.Fatalf("%+v, %v", sub, err)
	}
	if sub, err = s.SubmitRunner(t.Context(), nil, nil); err != nil || sub.New || sub.Job != "1" {
		t.Errorf("beside one that waits: %+v, %v", sub, err)
	}
	cluster.Set(t, "jobs/1_1/state", "CANCELLED\n")
	if sub, err = s.SubmitRunner(t.Context(), nil, nil); err != nil || !sub.New || sub.Job != "2" {
		t.Fatalf("after one that was cancelled: %+v, %v", sub, err)
	}
	await(t, s, "it is at work", func(s *Snapshot) bool { return s.Activity.Running > 0 })
	do(t, s, Command{Kind: CommandPause})
	if sub, err = s.SubmitRunner(t.Context(), nil, nil); err != nil || sub.New || sub.Job != "" || !strings.HasPrefix(sub.State, "at work as process ") {
		t.Errorf("beside one that is at work: %+v, %v", sub, err)
	}
	await(t, s, "it goes on", func(s *Snapshot) bool { return s.Activity.Runner == Sampling })
	do(t, s, Command{Kind: CommandStop})
	await(t, s, "the runner has gone", func(s *Snapshot) bool { return s.Activity.Runner == Idle })
}
