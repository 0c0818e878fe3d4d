// Package paralleltest has a context for tests of long computations: it ends when it has been asked so many times
// whether it has, so that a test ends a computation wherever it can be ended, without a clock.
package paralleltest

import (
	"context"
	"sync"
)

// Ending is a context that is cancelled at a look. It is safe for concurrent use.
type Ending struct {
	context.Context //nolint:containedctx // it is one
	mu              sync.Mutex
	looks, most     int
	done            chan struct{}
}

// EndAfter returns a context that has ended once it was asked so many times; below 0 it never ends, and counts.
func EndAfter(looks int) *Ending {
	return &Ending{Context: context.Background(), most: looks, done: make(chan struct{})}
}

// Done implements context.Context.
func (e *Ending) Done() <-chan struct{} { return e.done }

// Err implements context.Context: every call is a look.
func (e *Ending) Err() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.looks++
	if e.most < 0 || e.looks <= e.most {
		return nil
	}
	if e.looks == e.most+1 {
		close(e.done)
	}
	return context.Canceled
}

// Looks is how often it was asked.
func (e *Ending) Looks() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.looks
}

// Ended says whether anybody was told that it has ended.
func (e *Ending) Ended() bool {
	select {
	case <-e.done:
		return true
	default:
		return false
	}
}
