// Package searchtest holds strategies to their contract, the clauses of package search.
//
// Run plays whole studies with a strategy: in the spaces that studies have, with what goes wrong in them
// (merges that fail, tasks that were never measured, points that people asked for), and in the rhythms in which
// strategies are asked: a batch before the batch before it is finished, or after, or one point whenever one of
// several slots is free; with a budget and without. Every answer is held to the contract, and some questions are put again: to a strategy that is
// built anew, from several goroutines at once, and with a context that ends after its first look, its second,
// and so on.
//
// What a strategy may be excused from stands in its search.Info (Models, Ends). The package knows nothing of
// how a strategy works; how well it searches is tested beside it.
package searchtest

import (
	"context"
	"fmt"
	"reflect"
	"sync"
	"testing"

	"parfait/search"
)

// Subject is a strategy under test.
type Subject struct {
	Info search.Info
	New  func() (search.Strategy, error)
}

// Run plays every game with the strategy, each as a subtest.
func Run(t *testing.T, s Subject) {
	for _, g := range games(s.Info) {
		t.Run(g.name, func(t *testing.T) {
			t.Parallel()
			if err := g.check(t.Context(), s); err != nil {
				t.Error(err)
			}
		})
	}
}

// Check plays game after game, and returns the first error: *search.Error, with the clause, where the contract
// is broken.
func Check(ctx context.Context, s Subject) error {
	for _, g := range games(s.Info) {
		if err := g.check(ctx, s); err != nil {
			return fmt.Errorf("%s: %w", g.name, err)
		}
	}
	return nil
}

// asked is a question with its answer.
type asked struct {
	question search.Question
	answer   search.Proposal
}

// check plays the game and, where that is wished for, puts its questions again.
func (g game) check(ctx context.Context, s Subject) error {
	all, err := g.play(ctx, s)
	if err != nil || !g.thorough {
		return err
	}
	if err := again(ctx, s, all); err != nil {
		return err
	}
	for _, k := range []int{0, len(all) / 2, len(all) - 1} {
		if err := interrupted(s, all[k]); err != nil {
			return err
		}
	}
	return nil
}

// held builds the strategy anew.
func (s Subject) held() (search.Strategy, error) {
	built, err := s.New()
	return search.Hold(s.Info, built), err
}

// again puts all questions once more, the last first, to a strategy that has seen none of them: from several
// goroutines at once.
func again(ctx context.Context, s Subject, all []asked) error {
	strategy, err := s.held()
	if err != nil {
		return err
	}
	const workers = 3
	errs := make([]error, workers)
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for k := len(all) - 1 - w; k >= 0 && errs[w] == nil; k -= workers {
				errs[w] = same(ctx, s, strategy, all[k])
			}
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func same(ctx context.Context, s Subject, strategy search.Strategy, a asked) error {
	p, err := strategy.Ask(ctx, a.question)
	switch {
	case err != nil:
		return search.Breach(s.Info.Name, search.Pure, "asked again for batch %d: %v", a.question.Batch, err)
	case !reflect.DeepEqual(p, a.answer):
		return search.Breach(s.Info.Name, search.Pure, "asked again for batch %d: %+v, was %+v", a.question.Batch, p, a.answer)
	}
	return nil
}

// interrupted puts a question with a context that ends at the n-th look at it, for ever more n, until the
// strategy is done before.
func interrupted(s Subject, a asked) error {
	for n := 0; ; n = max(1, 2*n) {
		strategy, err := s.held()
		if err != nil {
			return err
		}
		ctx := newEnding(n)
		p, err := strategy.Ask(ctx, a.question)
		switch ended := ctx.ended(); {
		case err == nil && !reflect.DeepEqual(p, a.answer):
			return search.Breach(s.Info.Name, search.Obedient, "batch %d, with a context that ended at look %d: %+v, was %+v", a.question.Batch, n, p, a.answer)
		case err != nil && (!ended || !isOf(err, ctx)):
			return search.Breach(s.Info.Name, search.Obedient, "batch %d, with a context that ended at look %d: %v", a.question.Batch, n, err)
		case !ended:
			return nil
		}
	}
}
