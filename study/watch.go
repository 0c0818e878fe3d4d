package study

import (
	"context"
	"errors"
	"time"

	"parfait/history"
	"parfait/internal/rescue"
	"parfait/problem"
)

// watchEvery is how often viewers look whether something has changed, and the runner for commands.
const watchEvery = 100 * time.Millisecond

// restFactor is how long the watch rests after an analysis, in times that it took: fits of a large study
// leave most of the machine to the evaluators.
const restFactor = 3

// Subscribe returns a channel that always ends up holding the newest snapshot; a slow reader misses
// those between, and slows nobody. It closes when ctx ends, or the study is closed. While anybody
// subscribes the analysis is kept current.
func (s *Study) Subscribe(ctx context.Context) <-chan *Snapshot { return s.subscribe(ctx, true) }

// Follow is Subscribe for who only wants to know what is going on: nothing is analysed for it.
func (s *Study) Follow(ctx context.Context) <-chan *Snapshot { return s.subscribe(ctx, false) }

func (s *Study) subscribe(ctx context.Context, analysed bool) <-chan *Snapshot {
	ch := make(chan *Snapshot, 1)
	s.mu.Lock()
	defer s.mu.Unlock()
	ch <- s.snap
	if s.life.Err() != nil {
		close(ch)
		return ch
	}
	s.subs[ch] = analysed
	if !s.watching {
		s.watching = true
		s.work.Go(s.watch)
	}
	context.AfterFunc(ctx, rescue.Guard(func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if _, open := s.subs[ch]; open {
			delete(s.subs, ch)
			close(ch)
		}
	}))
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
func (s *Study) changed() { s.changing.Store(true) }

// watch reloads when the history or the runner changes and keeps the analysis current, until nobody
// subscribes any more or the study is closed.
func (s *Study) watch() {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	var version history.Version
	var runner owner
	var alive bool // when it was looked at last: who dies changes nothing else
	var seen edition
	var rested time.Time
	analysed := make(chan time.Duration, 1)
	busy := false
	for {
		select {
		case <-s.life.Done():
			return
		case took := <-analysed:
			busy, rested = false, time.Now().Add(restFactor*took)
		case <-tick.C: // at most one reload a tick, however fast trials finish
			someone, wanted := s.subscribed()
			if !someone {
				return
			}
			v, err := s.store.Version(s.life)
			o := readOwner(s.dir)
			edited, now := s.edited()
			edited, seen = edited && now == seen, now // who writes it has come to the end
			if edited {
				s.reread()
			}
			if s.changing.Swap(false) || edited || err != nil || v != version || !o.same(runner) || o.Ready != runner.Ready || o.alive() != alive {
				version, runner, alive = v, o, o.alive()
				s.report(s.reload(s.life))
			} else if s.running() {
				s.glance()
			}
			if wanted && !busy && time.Now().After(rested) {
				busy = true
				s.work.Go(func() {
					begin := time.Now()
					_ = s.analyse(s.life) // what it says is in the next snapshot
					analysed <- time.Since(begin)
				})
			}
		}
	}
}

// running says whether anything is measured, and was not looked at for a while.
func (s *Study) running() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.snap.Activity.Running > 0 && s.snap.Activity.Runner.Alive() && time.Since(s.looked) >= lookEvery
}

// subscribed says whether anybody subscribes, and whether anybody wants an analysis. Without subscribers the
// watch is over.
func (s *Study) subscribed() (someone, wanted bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, analysed := range s.subs {
		wanted = wanted || analysed
	}
	s.watching = len(s.subs) > 0
	return s.watching, wanted
}

// reload reads the history into a new snapshot that keeps the analysis there was. Where study.yaml asks for
// something else than was measured, or is broken, the snapshot says so, and the error; what is going on is
// said truly all the same.
func (s *Study) reload(ctx context.Context) error {
	s.loading.Lock() // what was read first is published first
	defer s.loading.Unlock()
	if err := s.store.Replaced(); err != nil {
		return err
	}
	o := readOwner(s.dir)
	h, err := s.read(ctx, nil)
	if err != nil {
		return err
	}
	fits, err := s.adopt(h)
	activity := s.activity(h, o)
	h.trials = s.see(h.trials)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.trouble = problem.Text(errors.Join(h.damaged, err))
	if !fits {
		next := *s.snap
		next.Activity, next.Problem = activity, s.problem()
		s.publish(&next)
		return err
	}
	s.hist = h
	s.publish(s.snapshot(h, activity, s.snap.Analysis))
	return err
}

// report publishes what keeps the newest snapshot from being true, unless that was said already.
func (s *Study) report(err error) {
	if err == nil || s.life.Err() != nil {
		return
	}
	gone := !readOwner(s.dir).alive()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.trouble = problem.Text(err)
	next := *s.snap
	if gone && next.Activity.Runner.Alive() {
		next.Activity.Runner = Idle // as far as can be seen without the history
	}
	if next.Problem = s.problem(); next.Problem != s.snap.Problem || next.Activity != s.snap.Activity {
		s.publish(&next)
	}
}
