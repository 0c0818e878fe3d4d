package study

import (
	"slices"
	"testing"

	"parfait/evaluator"
)

// How long an evaluation takes is a task that nobody is asked for, unless the report has it; where only that is missing,
// the whole evaluation is done again, so that it is the time of the same work.
func TestSecondsAreMeasured(t *testing.T) {
	s := commandStudy(t, `case "$PARFAIT_TASKS" in *took*) echo "asked for $PARFAIT_TASKS" >&2; exit 1;; esac
echo '{"rotated": 0.5, "mirrored": 0.25, "upright": 0.75}'
`)
	edit(t, s.Dir(), "tasks:\n", "tasks:\n  - {name: took, unit: seconds}\n")
	s = open(t, s.Dir())
	if task := s.spec().Tasks[0]; task.Sense != Minimize || task.Link != "log" {
		t.Errorf("seconds are to be %sd on the scale %s: expected minimized, log", task.Sense, task.Link)
	}
	if err := s.Run(t.Context(), RunOptions{}); err != nil {
		t.Fatal(err)
	}
	for _, tr := range load(t, s).Trials {
		took := tr.Metrics["took"].Value
		if tr.State != evaluator.Done || !(took > 0) || took > tr.Ended.Sub(tr.Started).Seconds() {
			t.Errorf("trial %d: %s %s took %g s of the %v that it ran", tr.ID, tr.State, tr.Error, took, tr.Ended.Sub(tr.Started))
		}
	}
}

func TestSecondsThatAreReportedCount(t *testing.T) {
	s := commandStudy(t, `echo '{"rotated": 0.5, "mirrored": 0.25, "upright": 0.75, "took": 1234}'`)
	edit(t, s.Dir(), "tasks:\n", "tasks:\n  - {name: took, unit: seconds}\n")
	s = open(t, s.Dir())
	if err := s.Run(t.Context(), RunOptions{}); err != nil {
		t.Fatal(err)
	}
	for _, tr := range load(t, s).Trials {
		if tr.Metrics["took"].Value != 1234 {
			t.Errorf("trial %d: %s, %v: expected the report's 1234 s", tr.ID, tr.State, tr.Metrics["took"])
		}
	}
}

func TestWhatIsAskedForTheTime(t *testing.T) {
	answered := func(tasks ...string) Trial {
		m := evaluator.Metrics{}
		for _, task := range tasks {
			m[task] = Metric{}
		}
		return Trial{Measurements: []Measurement{{Split: evaluator.Validation, Metrics: m}}}
	}
	x := &executor{tasks: []string{"a", "took", "b"}, timed: []string{"took"}}
	for _, c := range []struct {
		of   Trial
		want []string
	}{
		{answered(), x.tasks},
		{answered("a", "b"), x.tasks},
		{answered("a", "took"), []string{"b"}},
		{answered("a", "took", "b"), nil},
	} {
		got := x.missing(c.of)
		if !slices.Equal(got, c.want) {
			t.Errorf("where %v is measured %v is asked for, expected %v", c.of.Measurements[0].Metrics, got, c.want)
		}
		var asked evaluator.Candidate
		x.asks(&asked, got)
		if slices.Contains(asked.Tasks, "took") || len(asked.Tasks)+len(asked.Timed) != len(got) {
			t.Errorf("of %v %v is asked for and %v timed", got, asked.Tasks, asked.Timed)
		}
	}
}
