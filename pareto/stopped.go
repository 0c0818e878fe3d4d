package pareto

import (
	"context"

	"parfait/internal/rescue"
)

// stopped is panicked with deep inside a computation whose context has ended, and says why: no depth of it has to
// hand an error up. It never leaves the package, see unwound.
type stopped struct{ error }

// goOn returns as long as ctx has not ended, and never after that.
func goOn(ctx context.Context) {
	if err := ctx.Err(); err != nil {
		panic(stopped{err})
	}
}

// unwound is deferred where the unwinding ends: err is why.
func unwound(err *error) {
	switch why := recover().(type) {
	case nil:
	case stopped:
		*err = why.error
	default:
		panic(rescue.Recovered(why)) // with its stack
	}
}
