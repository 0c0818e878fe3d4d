// Package study holds everything about one question: what was asked (study.yaml), what was measured
// (SQLite), what that says (surrogates, fronts), and what was chosen (picks, exports). One folder.
//
// A runner runs, viewers look: the process in Run owns the run lock and evaluates; everybody else reads
// immutable Snapshots and records short Commands that the runner obeys. The package stands on search,
// evaluator and merge; it knows nothing of terminals or flags.
package study

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"parfait/evaluator"
	"parfait/internal/rescue"
	"parfait/merge"
	"parfait/problem"
)

// Study is an open study. Any number of processes may open one; it is safe for concurrent use.
type Study struct {
	dir   string
	asked atomic.Pointer[asked]
	store *store
	*flags

	life context.Context // until Close
	end  context.CancelFunc
	work rescue.Group // what goes on behind Subscribe

	loading sync.Mutex // held from reading the history to publishing it
	sheet   sheet

	mu       sync.Mutex
	snap     *Snapshot
	hist     *record                 // behind snap
	subs     map[chan *Snapshot]bool // whether it wants an analysis
	watching bool
	failed   analysisFailure
	looked   time.Time // at what evaluations print
	trouble  string    // what keeps snapshots from being what study.yaml and the history say now
}

// flags are what this process has done: its own changes do not show in data_version.
type flags struct {
	changing  atomic.Bool // for viewers: it has written to the history
	commanded atomic.Bool // for the runner: it has given a command
	runs      atomic.Bool // it is the runner
}

// Open opens the study in dir. The history is checked against study.yaml; nothing is fitted yet.
func Open(dir string) (*Study, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	read := readSheet(abs, nil)
	if read.err != nil {
		return nil, read.err
	}
	st, err := openStore(abs)
	if err != nil {
		return nil, err
	}
	s := &Study{dir: abs, sheet: read, store: st, flags: &flags{}, subs: map[chan *Snapshot]bool{}}
	s.asked.Store(read.asked)
	s.life, s.end = context.WithCancel(context.Background())
	o := readOwner(abs)
	if s.hist, err = s.load(s.life); err != nil {
		_ = st.Close()
		return nil, err
	}
	s.trouble = problem.Text(s.hist.damaged)
	s.hist.trials = s.see(s.hist.trials)
	s.snap = s.snapshot(s.hist, s.activity(s.hist, o), nil)
	return s, nil
}

// Close ends every subscription and closes the history. A runner must have returned before.
func (s *Study) Close() error {
	s.end()
	s.mu.Lock()
	for ch := range s.subs {
		delete(s.subs, ch)
		close(ch)
	}
	s.mu.Unlock()
	s.work.Wait()
	return s.store.Close()
}

// Dir returns the study's folder as an absolute path.
func (s *Study) Dir() string { return s.dir }

// Snapshot returns the newest state that was read. Its Analysis may lag behind its Trials.
func (s *Study) Snapshot() *Snapshot {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.snap
}

// Refresh reads the history. The snapshot's Analysis may lag behind its Trials.
func (s *Study) Refresh(ctx context.Context) (*Snapshot, error) {
	if err := s.reload(ctx); err != nil {
		return nil, err
	}
	return s.Snapshot(), nil
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

// load reads the history, which must be of what study.yaml asked when it was read.
func (s *Study) load(ctx context.Context) (*record, error) { return s.loadSince(ctx, nil) }

// loadSince is load for who has an earlier record; nil: as for viewers.
func (s *Study) loadSince(ctx context.Context, prev *record) (*record, error) {
	h, err := s.read(ctx, prev)
	if err != nil {
		return nil, err
	}
	return h, s.asked.Load().against(s.dir, h)
}

// read reads the history, whatever study.yaml asks. prev is an earlier record, nil: the one that viewers see.
func (s *Study) read(ctx context.Context, prev *record) (*record, error) {
	if prev == nil {
		s.mu.Lock()
		prev = s.hist
		s.mu.Unlock()
	}
	h, err := s.store.load(ctx, prev)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		return nil, s.store.Explain(err)
	}
	s.interpret(h)
	return h, nil
}

// interpret says what a record stands for, as study.yaml asks now: of the trials those that have changed, where the
// others stand for it already.
//
// Points that an earlier parfait may have written as they were given are brought to the form that stands for their merge,
// which is what was measured. What stands for none stays as it is: nothing but failed came of it.
func (s *Study) interpret(h *record) {
	normal := func(x *[]float64) {
		if y, err := s.normal(*x); err == nil {
			*x = y
		}
	}
	now := s.asked.Load()
	all := h.of != now
	h.of = now
	h.lacking = slices.DeleteFunc(h.lacking, func(id int) bool { return all || h.fresh[id] })
	for i := range h.trials {
		t := &h.trials[i]
		if !all && !h.fresh[t.ID] {
			continue
		}
		normal(&t.X)
		h.expect(t, now.spec.Tasks)
		t.Log = s.logPath(t.ID)
	}
	slices.Sort(h.lacking)
	for i := range h.picks {
		normal(&h.picks[i].X)
	}
	for i := range h.exports {
		normal(&h.exports[i].X)
	}
}

// snapshot is h for viewers. The caller holds mu, or nobody else knows s yet.
func (s *Study) snapshot(h *record, activity Activity, a *Analysis) *Snapshot {
	var weights map[string]string
	_ = json.Unmarshal([]byte(h.meta["inputs"]), &weights) // what cannot be read is not known
	q := s.asked.Load()
	return &Snapshot{
		Name: s.name(), Dir: s.dir, Spec: q.spec, Space: q.space, Tasks: q.spec.Tasks,
		Trials: h.trials, Batches: h.batches, Analysis: a, Picks: h.picks, Exports: h.exports, Activity: activity, Focus: s.focusOf(h.meta), Damage: problem.Text(h.damaged), Weights: weights, Problem: s.problem(), Now: time.Now(),
	}
}

// problem is what keeps a snapshot from being what the history says now. The caller holds mu.
func (s *Study) problem() string { return cmp.Or(s.trouble, s.failed.why) }

// name of the study: its folder's.
func (s *Study) name() string { return strings.TrimSuffix(filepath.Base(s.dir), ".study") }

func (s *Study) logPath(trial int) string {
	return filepath.Join(s.dir, "logs", fmt.Sprintf("trial-%04d.log", trial))
}

// maxLog is the most that Log returns, in bytes.
const maxLog = 64 << 10

// Log returns the end of a trial's log, 64 KiB at most, from the beginning of a line.
func (s *Study) Log(trial int) (string, error) {
	f, err := os.Open(s.logPath(trial))
	if os.IsNotExist(err) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	defer func() { _ = f.Close() }()
	fi, err := f.Stat()
	if err != nil {
		return "", err
	}
	skip := max(0, fi.Size()-maxLog)
	b, err := io.ReadAll(io.NewSectionReader(f, skip, maxLog))
	if i := bytes.IndexByte(b, '\n'); skip > 0 && i >= 0 {
		b = b[i+1:]
	}
	return strings.ToValidUTF8(string(b), "�"), err
}

// LoadView returns what SaveView stored for who, or nil.
func (s *Study) LoadView(who string) ([]byte, error) { return s.store.loadView(who) }

// SaveView stores an interface's state, so that it comes back after a lost connection.
func (s *Study) SaveView(who string, b []byte) error {
	return s.store.Explain(s.store.saveView(who, b))
}

// SavePick records a trade-off and why it was chosen.
func (s *Study) SavePick(p Pick) (Pick, error) {
	x, err := s.normal(p.X)
	if err != nil {
		return p, err
	}
	p.X = x
	p, err = s.store.addPick(p)
	s.changed()
	return p, s.store.Explain(err)
}

// mergeSpec is what the engine is to merge, in the form that evaluators want it; an adapter of at most this rank, 0: any.
func (s *Study) mergeSpec(form evaluator.Form, rank int) merge.Spec {
	m := s.spec().mergeSpec(s.dir)
	if form == evaluator.Adapter {
		m.Form, m.MaxRank = merge.FormAdapter, rank
		m.Tokenizer, m.PadVocab, m.ChatTemplate, m.Files = "", 0, "", "" // an adapter has none of these
	}
	return m
}
