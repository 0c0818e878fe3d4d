package study

import (
	"context"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"parfait/evaluator"
	"parfait/problem"
)

// elsewhere is a trial at x with figures for the tasks of makeStudy.
func elsewhere(x []float64, values ...float64) Measured {
	m := Measured{Where: "f.csv:2", X: x}
	if len(values) > 0 {
		metrics := evaluator.Metrics{}
		for i, v := range values {
			metrics[[]string{"t0", "other0"}[i]] = Metric{Value: v, N: 100}
		}
		m.Measurements = []Measurement{{Split: evaluator.Validation, Metrics: metrics}}
	}
	return m
}

func bring(t *testing.T, s *Study, want Imported, trials ...Measured) *Snapshot {
	t.Helper()
	got, err := s.Import(t.Context(), trials, "ana")
	if err != nil {
		t.Fatal(err)
	}
	if got != want {
		t.Errorf("imported %+v, want %+v", got, want)
	}
	return load(t, s)
}

// What was measured elsewhere is a trial like any other, and the same file twice is nothing new.
func TestImportedTrialsAreTrials(t *testing.T) {
	s := open(t, makeStudy(t, 0))
	failed := elsewhere([]float64{0.9, 0.9})
	failed.State, failed.Error = evaluator.Failed, "out of memory"
	file := []Measured{
		elsewhere([]float64{0, 0}, 0.3, 0.4),
		elsewhere([]float64{1, 0}, 0.7, 0.2),
		elsewhere([]float64{0, 2}, 0.2, 0.8), // outside the ranges
		elsewhere([]float64{0.5, 0.5}),       // nobody measured it
		failed,
		elsewhere(nil),                    // nobody says where it is
		elsewhere([]float64{0.5, 1}, 0.6), // not on every task
	}
	snap := bring(t, s, Imported{Trials: 5, Measurements: 4, Unmeasured: 1, Blank: 1, Outside: 1, Lacking: 1}, file...)
	if snap.Analysis == nil || len(snap.Analysis.Trials) != 3 {
		t.Fatalf("three trials were measured on everything, and the analysis has %+v", snap.Analysis)
	}
	for _, trial := range snap.Trials {
		if trial.Origin != OriginImport || trial.Batch != -1 {
			t.Errorf("trial %d is of origin %q, batch %d; want import, -1", trial.ID, trial.Origin, trial.Batch)
		}
	}
	if last := snap.Trials[4]; last.State != evaluator.Waiting {
		t.Errorf("a trial that lacks a task is %s, want waiting for it", last.State)
	}
	if a := snap.Activity; a.ETA != 0 || a.Budget != 5 || a.Search != 0 {
		t.Errorf("activity %+v: want a budget of the five that were imported", a)
	}
	again := bring(t, s, Imported{Known: 5, Unmeasured: 1, Blank: 1, Outside: 1, Lacking: 1}, file...)
	if got, want := facts(again), facts(snap); !slices.Equal(got, want) {
		t.Errorf("the same file once more changes the trials: %s", firstDifference(got, want))
	}
}

// The same coefficients are the same trial: a second figure is a second measurement, as is a second row; what its
// measurements come to is none.
func TestImportedFiguresAreMeasurements(t *testing.T) {
	s := open(t, makeStudy(t, 0))
	x := []float64{0.25, 0.5}
	bring(t, s, Imported{Trials: 1, Measurements: 1}, elsewhere(x, 0.5, 0.5))
	bring(t, s, Imported{Measurements: 1}, elsewhere(x, 0.7, 0.5))
	snap := bring(t, s, Imported{Known: 1}, elsewhere(x, 0.6, 0.5))
	trial := snap.Trials[0]
	if len(trial.Measurements) != 2 || math.Abs(trial.Metrics["t0"].Value-0.6) > 1e-15 {
		t.Errorf("%d measurements come to %v, want 2 that come to 0.6", len(trial.Measurements), trial.Metrics["t0"].Value)
	}
	twice := elsewhere(x, 0.5, 0.5)
	twice.Measurements = append(twice.Measurements, twice.Measurements[0])
	bring(t, s, Imported{Measurements: 1}, twice) // one of the two was there
	test := elsewhere(x, 0.1, 0.1)
	test.Measurements[0].Split = evaluator.Test
	snap = bring(t, s, Imported{Measurements: 1}, test)
	if got := snap.Trials[0].Metrics["t0"].Value; got < 0.5 {
		t.Errorf("a figure on test items moves the trial's to %v", got)
	}
}

// Trials of one file stay apart where they are apart there: the second at a point is the second at that point.
func TestImportedTrialsStayApart(t *testing.T) {
	s := open(t, makeStudy(t, 0))
	x := []float64{0.25, 0.5}
	two := []Measured{elsewhere(x, 0.5, 0.5), elsewhere(x, 0.7, 0.7)}
	bring(t, s, Imported{Trials: 2, Measurements: 2}, two...)
	bring(t, s, Imported{Known: 2}, two...)
}

// An import gives trials that wait, or lack tasks, what they lack; and a run measures the rest and nothing else.
func TestAnImportAndARunCompleteEachOther(t *testing.T) {
	dir := makeStudy(t, 0)
	s := open(t, dir)
	do(t, s, Command{Kind: CommandEvaluate, X: []float64{0.1, 0.1}})
	do(t, s, Command{Kind: CommandEvaluate, X: []float64{0.2, 0.2}})
	bring(t, s, Imported{Measurements: 1}, elsewhere([]float64{0.1, 0.1}, 0.3, 0.4))
	snap := bring(t, s, Imported{Trials: 1, Measurements: 2, Lacking: 1},
		elsewhere([]float64{0.3, 0.3}, 0.6), elsewhere([]float64{0.2, 0.2}, 0.7))
	if st := snap.Trials[0].State; st != evaluator.Done {
		t.Errorf("a trial that waited and was measured elsewhere is %s, want done", st)
	}
	if st := snap.Trials[1].State; st != evaluator.Waiting {
		t.Errorf("a trial that waited and was measured in part is %s, want waiting", st)
	}
	do(t, s, Command{Kind: CommandMissing})
	if err := s.Run(t.Context(), RunOptions{}); err != nil {
		t.Fatal(err)
	}
	snap = load(t, s)
	for _, trial := range snap.Trials {
		if trial.State != evaluator.Done || len(trial.Metrics) != 2 {
			t.Errorf("trial %d is %s with %d tasks, want done with both", trial.ID, trial.State, len(trial.Metrics))
		}
	}
	if got := snap.Trials[1].Metrics["t0"].Value; got != 0.7 {
		t.Errorf("what was imported became %v, want 0.7", got)
	}
}

// A trial that is measured once more is still to be, whatever is imported meanwhile.
func TestAnImportAnswersNoRetry(t *testing.T) {
	s := open(t, makeStudy(t, 0))
	x := []float64{0.1, 0.1}
	bring(t, s, Imported{Trials: 1, Measurements: 1}, elsewhere(x, 0.3, 0.4))
	do(t, s, Command{Kind: CommandRetry, N: 1})
	snap := bring(t, s, Imported{Measurements: 1}, elsewhere(x, 0.5, 0.4))
	if st := snap.Trials[0].State; st != evaluator.Waiting {
		t.Errorf("the trial is %s, want waiting for its measurement", st)
	}
	if err := s.Run(t.Context(), RunOptions{}); err != nil {
		t.Fatal(err)
	}
	if trial := load(t, s).Trials[0]; trial.State != evaluator.Done || len(trial.Measurements) != 3 {
		t.Errorf("it is %s with %d measurements, want done with 3", trial.State, len(trial.Measurements))
	}
}

// Everything that is wrong is said at once, and nothing is begun.
func TestAWrongImportLeavesNothing(t *testing.T) {
	s, err := Open(makeStudy(t, 0))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close() //nolint:errcheck // it was read
	_, err = s.Import(t.Context(), []Measured{
		elsewhere([]float64{0, 0}, 0.3, 0.4), elsewhere([]float64{0, math.Inf(1)}, 0.3, 0.4), elsewhere([]float64{0, 1}, 1.3, 61),
	}, "ana")
	for _, want := range []string{"bb: expected a finite number", `"t0" is 1.3`, `"other0" is 61`} {
		if err == nil || !strings.Contains(problem.Text(err), want) {
			t.Errorf("%v, want it to say %q", err, want)
		}
	}
	if begun, err := s.store.HasBegun(); begun || err != nil {
		t.Errorf("a history was begun (%v)", err)
	}
}

// While a runner is at work nothing is imported.
func TestAnImportWaitsForTheRunner(t *testing.T) {
	held := make(chan struct{})
	dir := makeStudy(t, 2, func(ctx context.Context, _ evaluator.Candidate) error {
		select {
		case <-held:
		case <-ctx.Done():
		}
		return nil
	})
	s := open(t, dir)
	done := running(t, s, RunOptions{})
	await(t, s, "a trial runs", func(snap *Snapshot) bool { return snap.Activity.Running > 0 })
	if _, err := open(t, dir).Import(t.Context(), []Measured{elsewhere([]float64{0, 0}, 0.3, 0.4)}, "ana"); CodeOf(err) != CodeBusy {
		t.Errorf("%v, want it to be busy", err)
	}
	close(held)
	if err := ended(t, done); err != nil {
		t.Fatal(err)
	}
}

// A study of imports alone needs no evaluators, and says so where something is to be measured.
func TestAStudyOfImportsNeedsNoEvaluators(t *testing.T) {
	dir := t.TempDir()
	spec := "version: 1\nbase: base\nmodels: [{name: a, path: a}, {name: bb, path: bb}]\ntasks: [{name: t0, unit: rate}, {name: other0, unit: rate}]\nsearch: {budget: %d}\n"
	write(t, filepath.Join(dir, SpecFile), fmt.Sprintf(spec, 0))
	s := open(t, dir)
	bring(t, s, Imported{Trials: 1, Measurements: 1}, elsewhere([]float64{0, 0}, 0.3, 0.4))
	var notes []string
	if err := s.Run(t.Context(), RunOptions{Note: func(text string) { notes = append(notes, text) }}); err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(notes, func(n string) bool { return strings.Contains(n, "nothing to run") }) {
		t.Errorf("the run says %q, want that there is nothing to run", notes)
	}
	for _, c := range []Command{{Kind: CommandEvaluate, X: []float64{1, 1}}, {Kind: CommandRetry, N: 1}, {Kind: CommandMissing}} {
		if err := s.Do(c); CodeOf(err) != CodeEvaluator {
			t.Errorf("%s: %v, want that there are no evaluators", c.Kind, err)
		}
	}
	if err := s.Do(Command{Kind: CommandBudget, N: 9}); CodeOf(err) != CodeEvaluator {
		t.Errorf("a budget: %v, want that there are no evaluators", err)
	}
	if _, err := ParseSpec("study.yaml", []byte(fmt.Sprintf(spec, 4))); err == nil || !strings.Contains(err.Error(), "evaluators: is missing") {
		t.Errorf("%v, want that a budget of 4 needs evaluators", err)
	}
}

// Several commands are one: all are done, or none.
func TestCommandsAreDoneTogether(t *testing.T) {
	s := open(t, makeStudy(t, 4))
	evaluate := func(x ...float64) Command { return Command{Kind: CommandEvaluate, X: x, Once: true} }
	if err := s.DoAll([]Command{evaluate(0.1, 0.1), {Kind: CommandForget, N: 7}}); err == nil {
		t.Error("a trial that is not there was forgotten")
	}
	if n := len(load(t, s).Trials); n != 0 {
		t.Errorf("%d trials wait after commands that could not be carried out, want none", n)
	}
	if err := s.DoAll([]Command{evaluate(0.1, 0.1), evaluate(0.2, 0.1), evaluate(0.1, 0.1)}); err != nil {
		t.Fatal(err)
	}
	if n := len(load(t, s).Trials); n != 2 {
		t.Errorf("%d trials wait for two points, one of which was asked for twice", n)
	}
}
