package study

import (
	"database/sql"
	"math/rand/v2"
	"testing"

	"parfait/evaluator"
)

// many fills a study's history with finished trials.
func many(tb testing.TB, s *Study, n int) {
	tb.Helper()
	random := rand.New(rand.NewPCG(1, 1))
	if err := s.store.write(func(tx *sql.Tx) error {
		for i := range n {
			x := make([]float64, len(s.space().Coefficients))
			for j := range x {
				x[j] = random.Float64()
			}
			if err := insertTrial(tx, i/4, x, "search", "fills the largest gap"); err != nil {
				return err
			}
			for task, m := range bowls(evaluator.Candidate{Tasks: s.tasksOf("e0"), At: coefficients(s.Names(), x)}) {
				if _, err := tx.Exec("INSERT INTO metrics (trial, task, value, stderr, n) VALUES (?, ?, ?, ?, ?)", i+1, task, m.Value, m.Stderr, m.N); err != nil {
					return err
				}
			}
		}
		_, err := tx.Exec("UPDATE trials SET state = 'done', started = 1, ended = 2")
		return err
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
