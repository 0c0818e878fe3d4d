package study

import (
	"math/rand/v2"
	"testing"

	"parfait/evaluator"
	"parfait/history"
)

// many fills a study's history with finished trials.
func many(tb testing.TB, s *Study, n int) {
	tb.Helper()
	random := rand.New(rand.NewPCG(1, 1))
	if err := s.store.Write("test", func(c *history.Change) error {
		for i := range n {
			x := make([]float64, len(s.space().Coefficients))
			for j := range x {
				x[j] = random.Float64()
			}
			if err := insertTrial(c, i/4, x, "search", "fills the largest gap"); err != nil {
				return err
			}
			of := Trial{ID: i + 1, Attempt: 1}
			if err := start(c, []Trial{of}, map[int]bool{}); err != nil {
				return err
			}
			metrics := bowls(evaluator.Candidate{Tasks: s.tasksOf("e0"), At: coefficients(s.space(), x)})
			if _, err := (result{trial: of.ID, attempt: 1, evaluator: "e0", metrics: metrics, to: evaluator.Done}).record(c); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		tb.Fatal(err)
	}
}

func BenchmarkReload5000(b *testing.B) {
	s := benchStudy(b)
	many(b, s, 5000)
	b.Run("first", func(b *testing.B) {
		for b.Loop() {
			s.hist = nil
			if err := s.reload(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("again", func(b *testing.B) {
		for b.Loop() {
			if err := s.reload(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkAnalyse(b *testing.B) {
	for _, n := range []int{60, 500, 1000, 2000} {
		s := benchStudy(b)
		many(b, s, n)
		if err := s.reload(b.Context()); err != nil {
			b.Fatal(err)
		}
		b.Run("", func(b *testing.B) {
			for b.Loop() {
				if _, err := analyse(b.Context(), s.snap, s.snap.Trials); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func benchStudy(b *testing.B) *Study {
	b.Helper()
	s, err := Open(fakeStudy(b, 10, &fake{}))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = s.Close() })
	return s
}
