package parallel_test

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"parfait/parallel"
)

func TestForCallsEachOnce(t *testing.T) {
	for _, workers := range []int{-1, 0, 1, 3, 100} {
		for _, n := range []int{0, 1, 2, 1000} {
			calls, running := make([]atomic.Int32, n), atomic.Int32{}
			most := atomic.Int32{}
			parallel.For(workers, n, func(i int) {
				most.Store(max(most.Load(), running.Add(1)))
				calls[i].Add(1)
				running.Add(-1)
			})
			for i := range calls {
				if c := calls[i].Load(); c != 1 {
					t.Errorf("%d workers, %d calls: %d was called %d times", workers, n, i, c)
				}
			}
			if workers > 0 && int(most.Load()) > workers {
				t.Errorf("%d workers: %d at once", workers, most.Load())
			}
		}
	}
}

// A panic in a call reaches whoever called For, on one processor and on several.
func TestForPanicsInItsCaller(t *testing.T) {
	for _, workers := range []int{1, 4} {
		said := func() (said string) {
			defer func() { said = fmt.Sprint(recover()) }()
			parallel.For(workers, 100, func(i int) {
				if i == 7 {
					panic("the seventh")
				}
			})
			return ""
		}()
		if !strings.HasPrefix(said, "the seventh") {
			t.Errorf("%d workers: %q", workers, said)
		}
	}
}
