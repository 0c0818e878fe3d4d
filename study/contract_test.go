package study

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"parfait/search"
)

// scripted is a strategy that answers batch after batch as it was told.
type scripted func(q search.Question) search.Proposal

func (s scripted) Ask(_ context.Context, q search.Question) (search.Proposal, error) {
	return s(q), nil
}

// runWith runs a study with a strategy that is in no registry.
func runWith(t *testing.T, s *Study, strategy search.Strategy) error {
	t.Helper()
	r, err := s.newRunner(t.Context(), RunOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.close()
	r.strategy = search.Hold(search.Info{Name: "rogue"}, strategy)
	return r.loop(t.Context())
}

func points(xs ...[]float64) search.Proposal {
	var p search.Proposal
	for _, x := range xs {
		p.Points = append(p.Points, search.Proposed{X: x, Why: "said so"})
	}
	return p
}

// A point outside the ranges ends the run before it is measured, with the name of the strategy and what it
// broke; what was measured before is safe.
func TestStrategyThatBreaksItsContract(t *testing.T) {
	t.Parallel()
	s := open(t, fakeStudy(t, 24, &fake{}))
	err := runWith(t, s, scripted(func(q search.Question) search.Proposal {
		if q.Batch == 0 {
			return points([]float64{0.1, 0.2})
		}
		return points([]float64{0.3, 0.4}, []float64{-3, 0.5})
	}))
	var e *search.Error
	if !errors.As(err, &e) || e.Clause != search.InRange || !strings.Contains(err.Error(), `"rogue"`) {
		t.Errorf("the run ends with %v, expected a breach of %s by the strategy rogue", err, search.InRange)
	}
	snap := load(t, s)
	if len(snap.Trials) != 1 || snap.Trials[0].Why != "said so" {
		t.Errorf("%d trials, expected the one of the batch that was sound: %+v", len(snap.Trials), snap.Trials)
	}
}

// What is on record of a strategy's answers: what a batch is expected to gain, and why one waited.
// Wait is no end: the strategy is asked again with all that was pending. Stop is one, whatever is pending.
func TestWaitAndStop(t *testing.T) {
	t.Parallel()
	s := open(t, fakeStudy(t, 24, &fake{}))
	var asked []string
	err := runWith(t, s, scripted(func(q search.Question) search.Proposal {
		asked = append(asked, fmt.Sprintf("%d: %d done, %d pending", q.Batch, len(q.Done), len(q.Pending)))
		switch q.Batch {
		case 0:
			p := points([]float64{0.1, 0.2}, []float64{0.2, 0.1})
			p.Advice = search.Advice{Text: "expected to add 1.2 % to the measured hypervolume", Gain: 0.012}
			return p
		case 1:
			return search.Proposal{Wait: "for the first two"}
		case 2:
			return points([]float64{0.3, 0.4})
		}
		return search.Proposal{Stop: "that was all"}
	}))
	if err != nil {
		t.Fatal(err)
	}
	if want := "[0: 0 done, 0 pending 1: 0 done, 2 pending 2: 2 done, 0 pending 3: 2 done, 1 pending]"; fmt.Sprint(asked) != want {
		t.Errorf("asked %v, expected %s", asked, want)
	}
	snap := load(t, s)
	var said []string
	for _, b := range snap.Batches {
		said = append(said, fmt.Sprint(b.ID, b.Trials, " ", b.Advice.Gain, " ", b))
	}
	if want := []string{
		"0 [1 2] 0.012 trials 1–2: expected to add 1.2 % to the measured hypervolume", "1 [] 0 the search waits: for the first two", "2 [3] 0 ",
	}; !slices.Equal(said, want) {
		t.Errorf("the batches say\n%s\nexpected\n%s", strings.Join(said, "\n"), strings.Join(want, "\n"))
	}
	if a := snap.Activity; a.Done != 3 || a.Runner != Finished || a.Note != "that was all" {
		t.Errorf("%+v, expected three finished trials and the reason of the end", a)
	}
}
