package searchtest

import (
	"context"
	"errors"
	"sync"
)

// ending is a context that is cancelled when it has been looked at n times.
type ending struct {
	context.Context //nolint:containedctx // it is one
	mu              sync.Mutex
	left            int
	done            chan struct{}
}

func newEnding(n int) *ending {
	return &ending{Context: context.Background(), left: n, done: make(chan struct{})}
}

// Done implements context.Context.
func (e *ending) Done() <-chan struct{} { return e.done }

// Err implements context.Context: every call is a look.
func (e *ending) Err() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.left--; e.left == -1 {
		close(e.done)
	}
	if e.left < 0 {
		return context.Canceled
	}
	return nil
}

// ended says whether anybody was told that it has ended.
func (e *ending) ended() bool {
	select {
	case <-e.done:
		return true
	default:
		return false
	}
}

// isOf says whether err is that of the context.
func isOf(err error, e *ending) bool { return errors.Is(err, e.Err()) }
