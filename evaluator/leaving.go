package evaluator

import (
	"context"
	"errors"
	"time"
)

// Leaving is the cause of a context that ends because the program has to leave: what it has started has until By to
// end in its own way, whatever grace it is given otherwise.
type Leaving struct {
	By  time.Time
	Why error
}

// Error implements error.
func (l *Leaving) Error() string { return l.Why.Error() }

// Unwrap returns why.
func (l *Leaving) Unwrap() error { return l.Why }

// Left is how long what has to end because ctx has ended may take for it: the grace that it is given, or less where the
// program is leaving.
func Left(ctx context.Context, grace time.Duration) time.Duration {
	if l := (*Leaving)(nil); errors.As(context.Cause(ctx), &l) {
		return max(0, min(grace, time.Until(l.By)))
	}
	return grace
}
