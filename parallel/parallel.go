// Package parallel runs loops on several processors.
package parallel

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"

	"parfait/internal/rescue"
)

// For calls f(0), …, f(n−1) on as many goroutines as workers, GOMAXPROCS where that is 0 or less, and returns
// when all are done. Each i is called once, in no particular order: what f writes must depend on i alone. It asks
// ctx before each call; once that has ended no further ones are begun, and For returns its error as soon as those
// at work have returned: the steps of whatever takes long are calls of f. If a call panics, no further ones are begun,
// and For panics in the caller's goroutine, where it can be recovered.
func For(ctx context.Context, workers, n int, f func(i int)) error {
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	if workers = min(workers, n); workers <= 1 {
		for i := range n {
			if err := ctx.Err(); err != nil {
				return err
			}
			f(i)
		}
		return nil
	}
	var next atomic.Int64
	var wg sync.WaitGroup
	var panicked atomic.Pointer[rescue.Panic]
	var ended atomic.Bool
	for range workers {
		wg.Go(func() {
			defer func() {
				if p := rescue.Recovered(recover()); p != nil {
					panicked.CompareAndSwap(nil, p)
					next.Store(int64(n))
				}
			}()
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				if ctx.Err() != nil {
					ended.Store(true)
					return
				}
				f(i)
			}
		})
	}
	wg.Wait()
	if p := panicked.Load(); p != nil {
		panic(p)
	}
	if ended.Load() {
		return ctx.Err()
	}
	return nil
}
