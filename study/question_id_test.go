package study

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"sync"
	"testing"
	"time"

	"parfait/evaluator"
	"parfait/history"
)

// listener is an evaluator that notes the id of every question, under the candidate's key and attempt.
type listener struct {
	mu  sync.Mutex
	ids map[string]string
}

func (l *listener) hear(c evaluator.Candidate) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ids[fmt.Sprint(filepath.Base(c.Key), ".", c.Attempt)] = c.ID
}

func (l *listener) id(t *testing.T, trial, attempt int) string {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	id := l.ids[fmt.Sprint(trial, ".", attempt)]
	if !regexp.MustCompile(`^[A-Za-z0-9-]+$`).MatchString(id) {
		t.Errorf("trial %d, attempt %d: the id of its question is %q: expected letters, digits and -", trial, attempt, id)
	}
	return id
}

// A question keeps its id when it is interrupted, whoever does that, and gets another when a person has it asked
// again.
func TestAQuestionKeepsItsID(t *testing.T) {
	t.Parallel()
	heard := &listener{ids: map[string]string{}}
	started := make(chan struct{}, 10)
	hold, fail := true, false
	s := open(t, fakeStudy(t, 2, &fake{hook: func(ctx context.Context, c evaluator.Candidate) error {
		heard.hear(c)
		switch {
		case hold:
			started <- struct{}{}
			<-ctx.Done()
			return ctx.Err()
		case fail:
			return errors.New("out of memory")
		}
		return nil
	}}))
	for _, end := range []func(cancel func()){
		func(cancel func()) { cancel() },
		func(func()) { do(t, s, Command{Kind: CommandStop}) },
	} {
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- s.Run(ctx, RunOptions{}) }()
		<-started
		end(cancel)
		if err := ended(t, done); err != nil {
			t.Fatal(err)
		}
		cancel()
	}
	hold, fail = false, true
	run := func() {
		t.Helper()
		done := running(t, s, RunOptions{})
		if fail {
			await(t, s, "pause", func(s *Snapshot) bool { return s.Activity.Runner == Paused })
			do(t, s, Command{Kind: CommandStop})
		}
		if err := ended(t, done); err != nil {
			t.Fatal(err)
		}
	}
	run()
	first, second, third := heard.id(t, 1, 1), heard.id(t, 1, 2), heard.id(t, 1, 3)
	if first != second || second != third {
		t.Errorf("cancelled, stopped, failed: one question has the ids %s, %s and %s", first, second, third)
	}
	do(t, s, Command{Kind: CommandRetry, N: 1})
	fail = false
	run()
	if again := heard.id(t, 1, 4); again == first {
		t.Errorf("a question that a person has asked again has the id %s of before", again)
	}
	if other := heard.id(t, 2, 1); other == first {
		t.Errorf("two trials have the id %s", other)
	}
}

// Nobody else has a study's ids: not the same question in a folder of the same name, not the study that begins
// again, nor the trials of one with other ranges. An older study, which has no id of its own, gets one.
func TestIDsOfStudies(t *testing.T) {
	t.Parallel()
	heard := &listener{}
	dir := fakeStudy(t, 2, &fake{hook: func(_ context.Context, c evaluator.Candidate) error { heard.hear(c); return nil }})
	of := func(dir string) (id, study string) {
		t.Helper()
		heard.ids = map[string]string{}
		s := open(t, dir)
		if err := s.Run(t.Context(), RunOptions{}); err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		return heard.id(t, 1, 1), s.name()
	}
	twin := filepath.Join(t.TempDir(), filepath.Base(dir))
	if err := os.CopyFS(twin, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	id, name := of(dir)
	other, twins := of(twin)
	if name != twins || id == other {
		t.Errorf("the studies %s and %s have the ids %s and %s", name, twins, id, other)
	}
	for _, left := range []string{"study.db", "history.jsonl", "run.lock", "logs"} {
		if err := os.RemoveAll(filepath.Join(dir, left)); err != nil {
			t.Fatal(err)
		}
	}
	if again, _ := of(dir); again == id {
		t.Errorf("a study that begins again has the id %s of before", again)
	}

	s := open(t, dir)
	if err := s.store.Write("test", func(c *history.Change) error { return c.Set("id", "") }); err != nil {
		t.Fatal(err)
	}
	a, err := s.questionIDs("")
	b, err2 := s.questionIDs("")
	if err != nil || err2 != nil || a.study == "" || a.study != b.study {
		t.Errorf("an older study has the ids %q and %q: %v, %v", a.study, b.study, err, err2)
	}
	c := evaluator.Candidate{Tasks: []string{"t", "u"}, Split: evaluator.Validation, At: []evaluator.Coefficient{{Name: "a", Value: 0.5}}}
	seen := map[string]string{a.of("1", c, 0): "the question itself"}
	turned := c
	turned.Tasks = []string{"u", "t"}
	if seen[a.of("1", turned, 0)] == "" {
		t.Error("the order of its tasks makes another question of it")
	}
	for what, change := range map[string]func(*questionIDs, *evaluator.Candidate){
		"coefficients": func(_ *questionIDs, c *evaluator.Candidate) { c.At = []evaluator.Coefficient{{Name: "a", Value: 0.25}} },
		"names":        func(_ *questionIDs, c *evaluator.Candidate) { c.At = []evaluator.Coefficient{{Name: "b", Value: 0.5}} },
		"tasks":        func(_ *questionIDs, c *evaluator.Candidate) { c.Tasks = c.Tasks[:1] },
		"split":        func(_ *questionIDs, c *evaluator.Candidate) { c.Split = evaluator.Test },
		"inputs":       func(a *questionIDs, _ *evaluator.Candidate) { a.inputs += "x" },
	} {
		a, c := a, c
		change(&a, &c)
		if was := seen[a.of("1", c, 0)]; was != "" {
			t.Errorf("other %s: the id is that of %s", what, was)
		}
		seen[a.of("1", c, 0)] = "other " + what
	}
}

// Two studies of one name, of other ranges, ask a judge that keeps its answers: each gets its own.
func TestTwoStudiesOfOneNameAskOneJudge(t *testing.T) {
	t.Parallel()
	j, url := serveJudge(t)
	for _, hi := range []string{"1.2", "0.7"} {
		s := kindStudy(t, fmt.Sprintf(`{http: {url: %q, model: false}}`, url))
		edit(t, s.Dir(), "path: a}", "path: a, range: [0, "+hi+"]}")
		s = open(t, s.Dir())
		if err := s.Run(t.Context(), RunOptions{}); err != nil {
			t.Fatal(err)
		}
		for _, tr := range load(t, s).Trials {
			if got, want := tr.Metrics["t"].Value, 1/(1+tr.X[0]); fmt.Sprintf("%.6g", got) != fmt.Sprintf("%.6g", want) {
				t.Errorf("range [0, %s]: trial %d at %v has %g, and the judge says %g", hi, tr.ID, tr.X, got, want)
			}
		}
	}
	if j.made() != 12 {
		t.Errorf("the judge was asked %d questions, expected 12", j.made())
	}
}

// A trial that one evaluator has failed, and another still measures, is not measured again by the first when
// the runner dies in between.
func TestAFailureIsOnRecordBeforeTheOtherEvaluatorEnds(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	paid, holding := map[string]int{}, true
	started, gate := make(chan struct{}, 10), make(chan struct{})
	s := open(t, fakeStudy(t, 1,
		&fake{hook: func(_ context.Context, c evaluator.Candidate) error {
			mu.Lock()
			defer mu.Unlock()
			paid[c.Key]++
			return errors.New("out of memory")
		}},
		&fake{hook: func(ctx context.Context, _ evaluator.Candidate) error {
			if holding {
				started <- struct{}{}
				<-gate // whatever it is told
			}
			return nil
		}}))
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx, RunOptions{patience: time.Millisecond}) }()
	<-started
	await(t, s, "the failure of a running trial", func(s *Snapshot) bool {
		return len(s.Trials) > 0 && s.Trials[0].State == evaluator.Running && s.Trials[0].Error == "out of memory"
	})
	cancel()
	if err := ended(t, done); CodeOf(err) != CodeEvaluator { // it is left behind, as if the runner had died
		t.Fatal(err)
	}
	holding = false
	close(gate)
	last := running(t, s, RunOptions{})
	await(t, s, "pause", func(s *Snapshot) bool { return s.Activity.Runner == Paused })
	do(t, s, Command{Kind: CommandStop})
	if err := ended(t, last); err != nil {
		t.Fatal(err)
	}
	tr := load(t, s).Trials[0]
	mu.Lock()
	defer mu.Unlock()
	if tr.State != evaluator.Failed || tr.Attempt != 1 || tr.Error != "out of memory" || paid[s.name()+"/1"] != 1 {
		t.Errorf("the trial is %s in attempt %d with %q, and was measured %d times", tr.State, tr.Attempt, tr.Error, paid[s.name()+"/1"])
	}
}
