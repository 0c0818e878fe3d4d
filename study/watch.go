package study

import (
	"context"
	"time"
)

// watchEvery is how often viewers look whether something has changed, and the runner for commands.
const watchEvery = 100 * time.Millisecond

// Subscribe returns a channel that always ends up holding the newest snapshot; a slow reader misses
// those between, and slows nobody. It closes when ctx ends, or the study is closed.
func (s *Study) Subscribe(ctx context.Context) <-chan *Snapshot {
	ch := make(chan *Snapshot, 1)
	s.mu.Lock()
	defer s.mu.Unlock()
	ch <- s.snap
	if s.life.Err() != nil {
		close(ch)
		return ch
	}
	s.subs[ch] = struct{}{}
	if !s.watching {
		s.watching = true
		s.work.Go(s.watch)
	}
	context.AfterFunc(ctx, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if _, open := s.subs[ch]; open {
			delete(s.subs, ch)
			close(ch)
		}
	})
	return ch
}

// publish makes snap the newest one. The caller holds mu.
func (s *Study) publish(snap *Snapshot) {
	snap.Revision = s.snap.Revision + 1
	s.snap = snap
	for ch := range s.subs {
		select {
		case <-ch: // newest wins
		default:
		}
		ch <- snap
	}
}

// changed says that this process has written to the history.
func (s *Study) changed() {
	select {
	case s.kick <- struct{}{}:
	default:
	}
}

// watch reloads when the history or the runner changes and keeps the analysis current, until nobody
// subscribes any more or the study is closed. A fit is followed by a rest as long as itself, so that a
// large study leaves half a core to the evaluators at least.
func (s *Study) watch() {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	var version int64
	var runner owner
	var rested time.Time
	analysed := make(chan time.Duration, 1)
	busy, again := false, true
	for {
		if again && !busy && time.Now().After(rested) {
			busy, again = true, false
			s.work.Go(func() {
				begin := time.Now()
				_ = s.analyse(s.life) // what it says is in the next snapshot
				analysed <- time.Since(begin)
			})
		}
		select {
		case <-s.life.Done():
			return
		case took := <-analysed:
			busy, rested = false, time.Now().Add(took)
			continue
		case <-s.kick:
			<-tick.C // at most one reload a tick, however fast trials finish
		case <-tick.C:
			if s.unwatched() {
				return
			}
			v, err := s.store.version(s.life)
			o := readOwner(s.dir)
			same := o.same(runner) && o.alive() == runner.alive()
			if err == nil && v == version && same {
				continue
			}
			version, runner = v, o
		}
		if err := s.reload(s.life); err != nil {
			s.report(err)
		} else {
			again = true
		}
	}
}

// unwatched says whether nobody subscribes; the watch is then over.
func (s *Study) unwatched() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.watching = len(s.subs) > 0
	return !s.watching
}

// reload reads the history into a new snapshot that keeps the analysis there was.
func (s *Study) reload(ctx context.Context) error {
	s.loading.Lock() // what was read first is published first
	defer s.loading.Unlock()
	if err := s.store.replaced(); err != nil {
		return err
	}
	h, err := s.load(ctx)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hist = h
	s.publish(s.snapshot(h, s.snap.Analysis))
	return nil
}

// report publishes what keeps the newest snapshot from being true, unless that was said already.
func (s *Study) report(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.life.Err() != nil || s.snap.Problem == err.Error() {
		return
	}
	next := *s.snap
	next.Problem = err.Error()
	s.publish(&next)
}
