// Package study holds everything about one question: what was asked (study.yaml), what was measured
// (SQLite), what that says (surrogates, fronts), and what was chosen (picks, exports). One folder.
//
// A runner runs, viewers look: the process in Run owns the run lock and evaluates; everybody else reads
// immutable Snapshots and records short Commands that the runner obeys. The package stands on search,
// evaluator and merge; it knows nothing of terminals or flags.
package study

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"parfait/evaluator"
	"parfait/search"
)

// Study is an open study. Any number of processes may open one; it is safe for concurrent use.
type Study struct {
	dir   string
	spec  *Spec
	space search.Space
	store *store

	mu       sync.Mutex
	snap     *Snapshot
	subs     map[chan *Snapshot]struct{}
	kick     chan struct{} // something changed in this process
	stop     context.CancelFunc
	watching bool
	warm     *search.Landscape

	commanded atomic.Bool // this process has given a command: its own changes do not show in data_version
}

// Open opens the study in dir. The history is checked against study.yaml; nothing is fitted yet.
func Open(dir string) (*Study, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	spec, err := ReadSpec(abs)
	if err != nil {
		return nil, err
	}
	space, err := spec.space()
	if err != nil {
		return nil, err
	}
	st, err := openStore(abs)
	if err != nil {
		return nil, err
	}
	s := &Study{dir: abs, spec: spec, space: space, store: st, subs: map[chan *Snapshot]struct{}{}, kick: make(chan struct{}, 1)}
	h, err := st.load(context.Background())
	if err == nil {
		err = spec.checkAgainst(h)
	}
	if err != nil {
		_ = st.close()
		return nil, err
	}
	s.snap = s.snapshot(h, nil)
	return s, nil
}

// Close stops watching and closes the history. A runner must have returned before.
func (s *Study) Close() error {
	s.mu.Lock()
	if s.stop != nil {
		s.stop()
	}
	s.mu.Unlock()
	return s.store.close()
}

// Dir returns the study's folder as an absolute path.
func (s *Study) Dir() string { return s.dir }

// Spec returns what was asked.
func (s *Study) Spec() *Spec { return s.spec }

// Snapshot returns the newest state that was read. Its Analysis may lag behind its Trials.
func (s *Study) Snapshot() *Snapshot {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.snap
}

// Load reads the history and analyses it before it returns.
func (s *Study) Load(ctx context.Context) (*Snapshot, error) {
	if err := s.reload(ctx); err != nil {
		return nil, err
	}
	if err := s.analyse(ctx); err != nil {
		return nil, err
	}
	return s.Snapshot(), nil
}

// Subscribe returns a channel that always ends up holding the newest snapshot; a slow reader misses
// those between, and slows nobody. It closes when ctx ends.
func (s *Study) Subscribe(ctx context.Context) <-chan *Snapshot {
	ch := make(chan *Snapshot, 1)
	s.mu.Lock()
	s.subs[ch] = struct{}{}
	ch <- s.snap
	if !s.watching {
		s.watching = true
		var watch context.Context
		watch, s.stop = context.WithCancel(context.Background())
		go s.watch(watch)
	}
	s.mu.Unlock()
	context.AfterFunc(ctx, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.subs, ch)
		close(ch)
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

const watchEvery = 100 * time.Millisecond

// watch reloads when the history or the runner changes and keeps the analysis current, until ctx ends.
func (s *Study) watch(ctx context.Context) {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	var version int64
	var runner owner
	analysed := make(chan struct{}, 1)
	busy, again := false, true
	for {
		if again && !busy {
			busy, again = true, false
			go func() {
				defer func() { analysed <- struct{}{} }()
				_ = s.analyse(ctx) // what it says is in the snapshot's note
			}()
		}
		select {
		case <-ctx.Done():
			return
		case <-analysed:
			busy = false
			continue
		case <-s.kick:
			<-tick.C // at most one reload a tick, however fast trials finish
		case <-tick.C:
			v, err := s.store.version(ctx)
			o := readOwner(s.dir)
			same := o.PID == runner.PID && o.Host == runner.Host && o.alive() == runner.alive()
			if err != nil || (v == version && same) {
				continue
			}
			version, runner = v, o
		}
		if s.reload(ctx) == nil {
			again = true
		}
	}
}

// reload reads the history into a new snapshot that keeps the analysis there was.
func (s *Study) reload(ctx context.Context) error {
	h, err := s.store.load(ctx)
	if err != nil {
		return historyError(s.dir, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.publish(s.snapshot(h, s.snap.Analysis))
	return nil
}

func (s *Study) snapshot(h *history, a *Analysis) *Snapshot {
	snap := &Snapshot{
		Name: filepath.Base(s.dir), Dir: s.dir, Spec: s.spec, Space: s.space, Tasks: s.spec.Tasks,
		Trials: h.trials, Analysis: a, Picks: h.picks, Exports: h.exports, Activity: s.activity(h),
	}
	snap.Name = strings.TrimSuffix(snap.Name, ".study")
	for i := range snap.Trials {
		snap.Trials[i].Log = s.logPath(snap.Trials[i].ID)
	}
	return snap
}

func (s *Study) logPath(trial int) string {
	return filepath.Join(s.dir, "logs", fmt.Sprintf("trial-%04d.log", trial))
}

// Log returns the end of a trial's log, 64 KiB at most.
func (s *Study) Log(trial int) (string, error) {
	f, err := os.Open(s.logPath(trial))
	if os.IsNotExist(err) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	defer func() { _ = f.Close() }()
	const most = 64 << 10
	if fi, err := f.Stat(); err == nil && fi.Size() > most {
		if _, err := f.Seek(-most, 2); err != nil {
			return "", err
		}
	}
	b := make([]byte, most)
	n, _ := f.Read(b)
	return string(b[:n]), nil
}

// budget is the number of trials that the search may ask for: study.yaml's, unless a command set
// another since study.yaml was last edited.
func (s *Study) budget(meta map[string]string) int {
	if of, n, ok := strings.Cut(meta["budget"], "→"); ok && of == strconv.Itoa(s.spec.Search.Budget) {
		if b, err := strconv.Atoi(n); err == nil {
			return b
		}
	}
	return s.spec.Search.Budget
}

func (s *Study) activity(h *history) Activity {
	o := readOwner(s.dir)
	a := Activity{Runner: Idle, Budget: s.budget(h.meta), Note: h.meta["note"]}
	var spent time.Duration
	timed, searched := 0, 0
	for _, t := range h.trials {
		if t.Batch < 0 {
			a.Budget++ // asked for by a person: on top of the search's budget
		} else {
			searched++
		}
		switch t.State {
		case evaluator.Running:
			a.Running++
		case evaluator.Waiting:
			a.Waiting++
		case evaluator.Failed, evaluator.Cancelled:
			a.Failed++
			a.Done++
		case evaluator.Done:
			a.Done++
			spent += t.Ended.Sub(t.Started)
			timed++
		}
	}
	finished := a.Running == 0 && a.Waiting == 0 && (searched >= s.budget(h.meta) || h.meta["exhausted"] != "")
	switch {
	case o.alive():
		a.Runner, a.Host, a.PID, a.Beat = Sampling, o.Host, o.PID, o.beat
		if h.meta["paused"] != "" {
			a.Runner = Paused
		}
	case finished:
		a.Runner = Finished
		if a.Note == "" {
			a.Note = h.meta["exhausted"]
		}
	}
	if timed > 0 && a.Runner == Sampling {
		a.ETA = spent / time.Duration(timed) * time.Duration(max(0, a.Budget-a.Done)) / time.Duration(max(1, a.Running))
	}
	return a
}

// LoadView returns what SaveView stored for who, or nil.
func (s *Study) LoadView(who string) ([]byte, error) { return s.store.loadView(who) }

// SaveView stores an interface's state, so that it comes back after a lost connection.
func (s *Study) SaveView(who string, b []byte) error { return s.store.saveView(who, b) }

// SavePick records a trade-off and why it was chosen.
func (s *Study) SavePick(p Pick) (Pick, error) {
	if err := s.checkPoint(p.X); err != nil {
		return p, err
	}
	p, err := s.store.addPick(p)
	s.changed()
	return p, historyError(s.dir, err)
}
