package history

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
)

// large is the history of 5,000 trials of 8 tasks, in batches of 4.
func large(b *testing.B) string {
	b.Helper()
	dir := b.TempDir()
	s, err := Open(dir, nil)
	if err != nil {
		b.Fatal(err)
	}
	random := rand.New(rand.NewPCG(1, 2))
	var entries []Entry
	for batch := range 1250 {
		var xs [4][]float64
		for i := range xs {
			for range 8 {
				xs[i] = append(xs[i], random.Float64())
			}
		}
		first := 4*batch + 1
		entries = append(entries, Entry{"batch", func(c *Change) error {
			err := c.Put(Batches, Row{"id": batch, "asked": c.At.UnixMilli(), "saw": map[string]any{"done": fmt.Sprint("1-", first-1), "pending": "", "seed": 1}})
			for i, x := range xs {
				err = errors.Join(err, c.Put(Trials, Row{"id": first + i, "batch": batch, "origin": "search", "why": "most hypervolume expected, and the surest of those that come near it", "x": x, "state": "waiting", "attempt": 1, "created": c.At.UnixMilli()}))
			}
			return err
		}})
		for i := range xs {
			id := first + i
			tasks := map[string]any{}
			for t := range 8 {
				tasks[fmt.Sprint("task_", t)] = struct {
					Value  float64 `json:"value"`
					Stderr float64 `json:"stderr"`
					N      int     `json:"n"`
				}{random.Float64(), random.Float64() / 50, 450}
			}
			entries = append(entries, Entry{"started", func(c *Change) error {
				return c.Put(Trials, Row{"id": id, "state": "running", "started": c.At.UnixMilli(), "error": ""})
			}}, Entry{"done", func(c *Change) error {
				return errors.Join(
					c.Put(Trials, Row{"id": id, "state": "done", "since": 0, "error": "", "ended": c.At.UnixMilli()}),
					c.Put(Measurements, Row{"id": id, "trial": id, "attempt": 1, "evaluator": "main", "split": "validation", "at": c.At.UnixMilli(), "tasks": tasks}))
			}})
		}
	}
	if _, err := s.WriteAll(entries...); err != nil {
		b.Fatal(err)
	}
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
	return dir
}

func BenchmarkLarge(b *testing.B) {
	dir := large(b)
	for _, name := range []string{JournalFile, DatabaseFile} {
		fi, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			b.Fatal(err)
		}
		b.Logf("%s: %.1f MB", name, float64(fi.Size())/1e6)
	}
	b.Run("check", func(b *testing.B) {
		for b.Loop() {
			if s, err := Check(b.Context(), dir); err != nil || len(s.Problems) > 0 {
				b.Fatal(s.Problems, err)
			}
		}
	})
	b.Run("repair", func(b *testing.B) {
		for b.Loop() {
			b.StopTimer()
			if err := os.Remove(filepath.Join(dir, DatabaseFile)); err != nil {
				b.Fatal(err)
			}
			b.StartTimer()
			if _, err := Repair(b.Context(), dir); err != nil {
				b.Fatal(err)
			}
		}
	})
}
