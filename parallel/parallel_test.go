package parallel_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"parfait/parallel"
	"parfait/parallel/paralleltest"
)

func TestForCallsEachOnce(t *testing.T) {
	for _, workers := range []int{-1, 0, 1, 3, 100} {
		for _, n := range []int{0, 1, 2, 1000} {
			calls, running := make([]atomic.Int32, n), atomic.Int32{}
			most := atomic.Int32{}
			err := parallel.For(t.Context(), workers, n, func(i int) {
				most.Store(max(most.Load(), running.Add(1)))
				calls[i].Add(1)
				running.Add(-1)
			})
			if err != nil {
				t.Errorf("%d workers, %d calls: %v", workers, n, err)
			}
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
			_ = parallel.For(t.Context(), workers, 100, func(i int) {
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

// It looks before each call: once its context has ended no more are begun, wherever it is.
func TestForIsLeftWhereverItStands(t *testing.T) {
	const n = 50
	for _, workers := range []int{1, 4} {
		for looks := range n {
			ctx := paralleltest.EndAfter(looks)
			var calls atomic.Int32
			if err := parallel.For(ctx, workers, n, func(int) { calls.Add(1) }); !errors.Is(err, context.Canceled) {
				t.Errorf("%d workers, ended at look %d: %v", workers, looks, err)
			}
			if c := int(calls.Load()); c != looks {
				t.Errorf("%d workers, ended at look %d: %d calls", workers, looks, c)
			}
		}
		if err := parallel.For(paralleltest.EndAfter(n), workers, n, func(int) {}); err != nil {
			t.Errorf("%d workers: all is done, and it says %v", workers, err)
		}
	}
}
