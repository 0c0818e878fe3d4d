package study

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"

	"parfait/evaluator"
)

// A finished trial that is measured once more stays the same trial, and its figures are what both measurements come to.
func TestMeasuringOnceMore(t *testing.T) {
	t.Parallel()
	heard := &listener{ids: map[string]string{}}
	fails := false
	dir := fakeStudy(t, 9, &fake{hook: func(_ context.Context, c evaluator.Candidate) error {
		heard.hear(c)
		if fails {
			return errors.New("not this time")
		}
		return nil
	}})
	s := open(t, dir)
	if err := s.Run(t.Context(), RunOptions{}); err != nil {
		t.Fatal(err)
	}
	before := load(t, s)
	do(t, s, Command{Kind: CommandRetry, N: 3})
	waiting := load(t, s)
	if tr := waiting.Trials[2]; tr.State != evaluator.Waiting || len(tr.Metrics) == 0 || len(waiting.Analysis.Trials) != 9 {
		t.Errorf("while it waits it is %+v, and %d trials are fitted; want its figures to count", tr, len(waiting.Analysis.Trials))
	}
	if err := s.Run(t.Context(), RunOptions{}); err != nil {
		t.Fatal(err)
	}
	after := load(t, s)
	was, is := before.Trials[2], after.Trials[2]
	if len(after.Trials) != 9 || is.State != evaluator.Done || is.Attempt != 2 || len(is.Measurements) != 2 {
		t.Fatalf("measured once more it is %+v, want done in attempt 2 with 2 measurements", is)
	}
	for task, m := range is.Metrics {
		if w := was.Metrics[task]; math.Abs(m.Value-w.Value) > 1e-12 || m.N != w.N || math.Abs(m.Stderr-w.Stderr) > 1e-12 {
			t.Errorf("%s measured twice the same is %+v, want %+v: nobody is surer", task, m, w)
		}
	}
	if heard.id(t, 3, 1) == heard.id(t, 3, 2) {
		t.Error("both times the question has the same id, and who remembers it would answer as before")
	}

	// One that fails this time keeps what was measured.
	fails = true
	do(t, s, Command{Kind: CommandRetry, N: 3})
	if err := s.Run(t.Context(), RunOptions{}); err != nil {
		t.Fatal(err)
	}
	if tr := load(t, s).Trials[2]; tr.State != evaluator.Done || len(tr.Measurements) != 2 || !strings.Contains(tr.Error, "not this time") {
		t.Errorf("where the third try fails it is %+v, want done with 2 measurements and why", tr)
	}
	do(t, s, Command{Kind: CommandRetry, N: 3})
	do(t, s, Command{Kind: CommandForget, N: 3})
	if tr := load(t, s).Trials[2]; tr.State != evaluator.Done || len(tr.Metrics) != len(was.Metrics) {
		t.Errorf("where the third try is taken back it is %+v, want done", tr)
	}
}

func TestFiguresOfRepeats(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		of   []Metric
		want Metric
	}{
		{[]Metric{{Value: 0.1, Stderr: 0.3, N: 7}}, Metric{Value: 0.1, Stderr: 0.3, N: 7}},
		{[]Metric{{Value: 0.5, Stderr: 0.1, N: 100}, {Value: 0.7, Stderr: 0.1, N: 300}}, Metric{Value: 0.65, Stderr: 0.1, N: 300}},
		{[]Metric{{Value: 1, Stderr: 3}, {Value: 3, Stderr: 4}}, Metric{Value: 2, Stderr: math.Sqrt(12.5)}},
		{[]Metric{{Value: 1, N: 5}, {Value: 3}}, Metric{Value: 2, N: 5}},
	} {
		if got := mean(c.of); math.Abs(got.Value-c.want.Value) > 1e-15 || math.Abs(got.Stderr-c.want.Stderr) > 1e-15 || got.N != c.want.N {
			t.Errorf("%v come to %+v, want %+v", c.of, got, c.want)
		}
	}
}

// A task that is added to study.yaml is measured for the trials there are when somebody asks for it, and nothing else of
// them; one that is taken out takes nothing away.
func TestTasksThatAreAdded(t *testing.T) {
	t.Parallel()
	asked := map[string]int{}
	dir := fakeStudy(t, 6, &fake{hook: func(_ context.Context, c evaluator.Candidate) error {
		asked[strings.Join(c.Tasks, ",")]++
		return nil
	}})
	edit(t, dir, "- {name: other0,", "# - {name: other0,")
	s := open(t, dir)
	if err := errors.Join(s.Run(t.Context(), RunOptions{}), s.Close()); err != nil {
		t.Fatal(err)
	}
	edit(t, dir, "# - {name: other0,", "- {name: other0,")
	s = open(t, dir)
	if snap := s.Snapshot(); len(snap.Trials) != 6 || snap.Trials[0].State != evaluator.Waiting || len(snap.Trials[0].Metrics) != 1 {
		t.Errorf("with another task the first of %d trials is %+v, want it to wait, with what was measured", len(snap.Trials), snap.Trials[0])
	}
	err := s.Run(t.Context(), RunOptions{})
	if CodeOf(err) != CodeChanged || !strings.Contains(err.Error(), "6 finished trials were not measured on other0") || !strings.Contains(err.Error(), "--missing") {
		t.Errorf("a run: %v, want what is missing, and how to have it measured", err)
	}
	do(t, s, Command{Kind: CommandMissing})
	if err := s.Run(t.Context(), RunOptions{}); err != nil {
		t.Fatal(err)
	}
	for _, tr := range load(t, s).Trials {
		if tr.State != evaluator.Done || len(tr.Metrics) != 2 || len(tr.Measurements) != 2 {
			t.Errorf("trial %d is %+v, want done with a measurement for each task", tr.ID, tr)
		}
	}
	if asked["t0"] != 6 || asked["other0"] != 6 || len(asked) != 2 {
		t.Errorf("evaluators were asked for %v, want t0 and other0 six times each", asked)
	}
	do(t, s, Command{Kind: CommandMissing}) // nothing is
	before := facts(load(t, s))
	edit(t, dir, "- {name: other0,", "# - {name: other0,")
	without := open(t, dir)
	if err := without.Run(t.Context(), RunOptions{}); err != nil {
		t.Errorf("without the task again: %v", err)
	}
	edit(t, dir, "# - {name: other0,", "- {name: other0,")
	if after := facts(load(t, open(t, dir))); strings.Join(before, "\n") != strings.Join(after, "\n") {
		t.Errorf("with it again:\n%s\nwant\n%s", strings.Join(after, "\n"), strings.Join(before, "\n"))
	}
}
