package evaluator

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"parfait/internal/rescue"
	"parfait/problem"
)

// Measure measures one candidate and returns when it is done. It must return soon after ctx ends, with
// any error: what it uses (the model's folder above all) is taken away when it returns, so nobody can
// give it up earlier. progress may be called at any time, from any goroutine.
type Measure func(ctx context.Context, c Candidate, progress func(Progress)) (Metrics, error)

// Blocking makes an evaluator of a function that measures one candidate.
//
// Zero values of l mean: one in flight, batches as large as what is in flight, the validation split only,
// no timeout. At most InFlight calls of f run at any time, over all Submits together; candidates start in
// the order of their batch; Throttle changes InFlight. What f returns is held against Check; its errors and panics become Failed
// events (a panic's stack goes to the candidate's log). The timeout starts when f has its model. An error after the timeout becomes TimedOut, one
// after ctx ended Cancelled; good metrics count even then. Of tasks that are Timed it is the time of f without that in
// Model, unless f says it. Leases that f did not release are released
// before the final event. After a restart nothing is left of a function: Recover knows no result.
func Blocking(l Limits, f Measure) Throttled {
	l.InFlight = max(l.InFlight, 1)
	if l.Batch < 1 {
		l.Batch = l.InFlight
	}
	if len(l.Splits) == 0 {
		l.Splits = []Split{Validation}
	}
	l.Splits = slices.Clone(l.Splits)
	return &blocking{limits: l, f: f, freed: make(chan struct{})}
}

type blocking struct {
	f Measure

	mu     sync.Mutex
	limits Limits
	used   int           // slots
	freed  chan struct{} // closed and replaced whenever there may be a slot
}

func (b *blocking) Limits() Limits {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.limits
}

func (b *blocking) Throttle(n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.limits.InFlight = max(n, 1)
	b.signal()
}

// signal wakes those who wait for a slot. The caller holds mu.
func (b *blocking) signal() {
	close(b.freed)
	b.freed = make(chan struct{})
}

func (b *blocking) Submit(ctx context.Context, batch []Candidate, emit func(Event) error) error {
	if err := checkBatch(batch, emit); err != nil {
		return err
	}
	var open rescue.Group
	defer open.Wait()
	for _, c := range batch {
		r := &reporter{c: c, emit: emit}
		if err := checkCandidate(c, b.Limits()); err != nil {
			r.end(Failed, nil, err)
			continue
		}
		if !b.take(ctx) {
			r.end(Cancelled, nil, interrupted(ctx))
			continue
		}
		r.progress(Progress{}) // running, in the order of the batch
		open.Go(func() {
			defer b.give()
			b.measure(ctx, r)
		})
	}
	return nil
}

// take waits for a slot; it says false where ctx ended, and then holds none.
func (b *blocking) take(ctx context.Context) bool {
	for ctx.Err() == nil {
		b.mu.Lock()
		free, freed := b.used < b.limits.InFlight, b.freed
		if free {
			b.used++
		}
		b.mu.Unlock()
		if free {
			return true
		}
		select {
		case <-freed:
		case <-ctx.Done():
		}
	}
	return false
}

// give gives a slot back.
func (b *blocking) give() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.used--
	b.signal()
}

// measure takes one candidate from running to its final event.
func (b *blocking) measure(ctx context.Context, r *reporter) {
	timeout := b.Limits().Timeout
	limited, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	clock := &clock{limit: timeout, expire: func() { stop(TimedOut) }}
	clock.start()
	defer clock.stop()
	limited = context.WithValue(limited, clockKey{}, clock)
	c, release := withLeases(r.c, clock)
	m, err := call(limited, b.f, c, r.progress)
	took := clock.total()
	release()
	if err == nil {
		m = c.Time(m, took)
		err = Check(c, m)
	}
	switch {
	case err == nil:
		r.end(Done, m, nil)
	case errors.Is(err, Panicked):
		r.end(Failed, nil, err)
	case ctx.Err() != nil:
		r.end(Cancelled, nil, interrupted(ctx))
	case errors.Is(context.Cause(limited), TimedOut):
		r.end(Failed, nil, &Error{Problem: problem.Problem{Code: TimedOut, What: fmt.Sprintf("stopped after the timeout of %v (raise the evaluator's timeout if it needs longer)%s", timeout, detail(err))}, Cause: err})
	case CodeOf(err) == Internal:
		r.end(Failed, nil, &Error{Problem: problem.Problem{Code: Internal, What: err.Error()}, Cause: err})
	default:
		r.end(Failed, nil, err)
	}
}

// call runs f and turns its panics into errors. It has a goroutine of its own, because f may end that.
func call(ctx context.Context, f Measure, c Candidate, progress func(Progress)) (m Metrics, err error) {
	var wait sync.WaitGroup
	wait.Add(1)
	go func() {
		defer wait.Done()
		returned := false
		defer func() {
			if p := recover(); !returned {
				m, err = nil, panicked(c, p)
			}
		}()
		m, err = f(ctx, c, progress)
		returned = true
	}()
	wait.Wait()
	return m, err
}

// panicked tells of a panic; its stack goes to the candidate's log. p is nil after runtime.Goexit.
func panicked(c Candidate, p any) error {
	where := "no log was asked for"
	if c.Log != "" {
		where = "its stack is in " + c.Log
		log, e := OpenLog(c.Log, 0)
		if e != nil {
			where = "its stack could not be logged: " + e.Error()
		}
		_, _ = fmt.Fprintf(log, "panic: %v\n\n%s\n", p, debug.Stack())
		log.Close()
	}
	if p == nil {
		p = "its goroutine ended itself (runtime.Goexit)"
	}
	return Errorf(Panicked, "the evaluator panicked on candidate %s: %v (%s)", c.Key, p, where)
}

func interrupted(ctx context.Context) error {
	return Errorf(Interrupted, "stopped before it was done: %w", context.Cause(ctx))
}

// clock counts a candidate's time. It stands while the model is made: that is not the evaluator's doing, and
// may mean to wait for room on a disk.
type clock struct {
	limit  time.Duration // 0: none
	expire func()
	timer  *time.Timer

	mu    sync.Mutex
	since time.Time     // it runs; zero: it stands
	spent time.Duration // before that
}

func (c *clock) start() {
	c.since = time.Now()
	if c.limit > 0 {
		c.timer = time.AfterFunc(c.limit, rescue.Guard(c.expire))
	}
}

func (c *clock) stop() {
	if c.timer != nil {
		c.timer.Stop()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.since.IsZero() {
		c.spent, c.since = c.spent+time.Since(c.since), time.Time{}
	}
}

func (c *clock) again() {
	if c.timer != nil {
		c.timer.Reset(c.limit)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.since = time.Now()
}

// total is how long it has run.
func (c *clock) total() time.Duration {
	c.stop()
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.spent
}

// began has the time count from a moment before this one.
func (c *clock) began(at time.Time) {
	if c.timer != nil {
		c.timer.Reset(max(0, c.limit-time.Since(at)))
	}
}

// clockKey is where the clock is in the context of a Measure.
type clockKey struct{}

// Began says to Blocking that what is measured with ctx was begun at a moment in the past, by a runner before this one: its
// timeout counts from there.
func Began(ctx context.Context, at time.Time) {
	if c, ok := ctx.Value(clockKey{}).(*clock); ok {
		c.began(at)
	}
}

// detail is what f has to say beside that its context ended.
func detail(err error) string {
	var e *Error
	if errors.Is(err, context.Canceled) && !errors.As(err, &e) {
		return ""
	}
	return ": " + err.Error()
}

// withLeases returns c with a Model whose leases are released at the latest by the returned function, and
// during which the clock stands.
func withLeases(c Candidate, clock *clock) (Candidate, func()) {
	if c.Model == nil {
		return c, func() {}
	}
	var (
		mu     sync.Mutex
		leases []Lease
		model  = c.Model
	)
	c.Model = func(ctx context.Context, form Form) (Lease, error) {
		clock.stop()
		l, err := model(ctx, form)
		clock.again()
		if err != nil {
			return Lease{}, Errorf(NoModel, "the merged model of candidate %s could not be made: %w", c.Key, err)
		}
		if l.Release == nil {
			l.Release = func() {}
		}
		l.Release = sync.OnceFunc(l.Release)
		mu.Lock()
		defer mu.Unlock()
		leases = append(leases, l)
		return l, nil
	}
	return c, func() {
		mu.Lock()
		defer mu.Unlock()
		for _, l := range leases {
			l.Release()
		}
	}
}

// reporter sends one candidate's events, in order, and none after the final one. Whether that is on record
// makes no difference to a function: nothing of it outlives the runner.
type reporter struct {
	c    Candidate
	emit func(Event) error

	mu    sync.Mutex
	ended bool
}

func (r *reporter) progress(p Progress) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.ended {
		_ = r.emit(Event{Key: r.c.Key, Attempt: r.c.Attempt, State: Running, Progress: p})
	}
}

func (r *reporter) end(s State, m Metrics, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ended = true
	_ = r.emit(Event{Key: r.c.Key, Attempt: r.c.Attempt, State: s, Metrics: m, Err: err})
}

func (b *blocking) Recover(_ context.Context, open []Candidate, _ func(Event) error) ([]string, error) {
	return Keys(open), nil
}

// Keys returns the candidates' keys, in order.
func Keys(cs []Candidate) []string {
	keys := make([]string, len(cs))
	for i, c := range cs {
		keys[i] = c.Key
	}
	return keys
}

// checkBatch refuses a batch whose events could not be told apart, or told to nobody.
func checkBatch(batch []Candidate, emit func(Event) error) error {
	if emit == nil {
		return Errorf(BadCandidate, "Submit needs somewhere to send its events: emit is nil")
	}
	seen := map[string]bool{}
	for _, c := range batch {
		if seen[c.Key] {
			return Errorf(BadCandidate, "the key %q is twice in one batch: its events could not be told apart", c.Key)
		}
		seen[c.Key] = true
	}
	return nil
}
