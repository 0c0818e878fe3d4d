package study

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"parfait/evaluator"
	"parfait/internal/rescue"
	"parfait/internal/stage"
	"parfait/merge"
	"parfait/merge/codes"
	"parfait/search"
)

// pool keeps the merged models that evaluators need on disk: written several in one pass over the
// inputs, under a quota, deleted after use.
type pool struct {
	plan     *merge.Plan
	dir      string
	own      token                 // in the names of what is written
	max      int64                 // bytes, 0: as the disk allows
	where    search.Space          // the coefficients live
	upcoming func(but int) []Trial // trials that will need their model next, in order
	note     func(format string, args ...any)

	pass chan struct{} // holds one token: whoever takes it may write models

	mu      sync.Mutex         // never held while files are written or deleted
	ready   map[int]*candidate // by trial
	gone    int                // models that are being deleted: still on the disk
	cut     float64            // the most that was said to be taken away from an adapter
	written int                // so far: each has a folder of its own, also where a trial is tried again
	freed   chan struct{}      // closed and replaced whenever a model is deleted or no longer in use

	deleting rescue.Group
}

// candidate is a merged model on disk.
type candidate struct {
	path   string
	files  []string // in it
	leases int
	failed bool // its trial did: it stays for another try where there is room
}

// gone says whether it is no longer as it was written.
func (c *candidate) gone() bool {
	for _, name := range c.files {
		if _, err := os.Lstat(filepath.Join(c.path, name)); errors.Is(err, fs.ErrNotExist) {
			return true
		}
	}
	return false
}

// maxPass is the most models that one pass writes: beyond, one waits longer for the first than the
// inputs' reading costs.
const maxPass = 8

// maxSpare is what is left free on a disk for the history and logs, on a small one a twentieth of it.
const maxSpare = 64 << 20

// newPool makes the folder for candidates of a form.
func newPool(plan *merge.Plan, s *Study, form evaluator.Form, at placed, upcoming func(int) []Trial, note func(string, ...any)) (*pool, error) {
	own, err := s.token()
	if err != nil {
		return nil, err
	}
	p := &pool{
		plan: plan, dir: filepath.Join(s.candidates(), string(form)), own: own, max: s.spec().Candidates.Max, where: s.space(), upcoming: upcoming, note: note,
		pass: make(chan struct{}, 1), ready: map[int]*candidate{}, freed: make(chan struct{}),
	}
	if at.dir != "" {
		p.dir, p.max = filepath.Join(at.dir, string(form)), at.max
	}
	if p.max > 0 && plan.Bytes() > p.max {
		return nil, &Error{Code: CodeSpace, Where: "candidates.max", What: fmt.Sprintf("one merged model takes %d bytes, the quota is %d", plan.Bytes(), p.max), Fix: "raise candidates.max in study.yaml"}
	}
	if err := p.make(); err != nil {
		return nil, err
	}
	// Nothing is in the folder yet: what there is no room for now, there never is without somebody's doing.
	_, err = p.room()
	return p, err
}

// make makes the folder, also where it has been deleted since, or is being deleted.
func (p *pool) make() error {
	err := os.MkdirAll(p.dir, 0o755) // in memory within a folder that is ours alone
	for range maxRemade {
		if errors.Is(err, fs.ErrNotExist) {
			err = os.MkdirAll(p.dir, 0o755)
		}
	}
	if err != nil {
		return &Error{Code: CodeSpace, Where: p.dir, What: "the folder for candidates cannot be made", Err: err, Fix: "set candidates.path in study.yaml to a folder you may write to"}
	}
	return nil
}

// forms are those in which models are merged for evaluators.
var forms = []evaluator.Form{evaluator.Folder, evaluator.Adapter}

// candidates is the folder for merged models that evaluators need: nobody else's.
func (s *Study) candidates() string {
	if s.spec().Candidates.Path == "" {
		return filepath.Join(s.dir, "candidates")
	}
	real, err := filepath.EvalSymlinks(s.dir)
	if err != nil {
		real = s.dir
	}
	h := fnv.New32a()
	_, _ = h.Write([]byte(real)) // two studies may share a scratch folder
	return filepath.Join(under(s.dir, s.spec().Candidates.Path), fmt.Sprintf("%s-%08x", filepath.Base(real), h.Sum32()))
}

// model gives trial t's merged model, and writes it with those that come next where it is not there.
func (p *pool) model(ctx context.Context, t Trial) (evaluator.Lease, error) {
	for {
		p.mu.Lock()
		freed, c := p.freed, p.ready[t.ID]
		if c != nil && c.leases == 0 && c.gone() { // somebody has deleted it
			delete(p.ready, t.ID)
			c = nil
		}
		if c != nil {
			c.leases++
			c.failed = false
		}
		p.mu.Unlock()
		if c != nil {
			return evaluator.Lease{Path: c.path, Release: sync.OnceFunc(func() { p.release(c) })}, nil
		}
		wait, err := p.fill(ctx, t)
		if err != nil {
			return evaluator.Lease{}, err
		}
		if !wait {
			continue
		}
		select {
		case <-freed:
		case <-ctx.Done():
			return evaluator.Lease{}, ctx.Err()
		}
	}
}

func (p *pool) release(c *candidate) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if c.leases--; c.leases == 0 {
		p.signal()
	}
}

// signal wakes everybody who waits for room. The caller holds mu.
func (p *pool) signal() {
	close(p.freed)
	p.freed = make(chan struct{})
}

// fill writes trial t's model, with those that come next where there is room. It says whether to wait
// for models in use.
func (p *pool) fill(ctx context.Context, t Trial) (wait bool, err error) {
	select {
	case p.pass <- struct{}{}:
		defer func() { <-p.pass }()
	case <-ctx.Done():
		return false, ctx.Err()
	}
	if p.has(t.ID) { // by the pass that this one waited for
		return false, nil
	}
	n, err := p.room()
	if n == 0 || err != nil {
		return n == 0, err
	}
	list := []Trial{t}
	for _, u := range p.upcoming(t.ID) {
		if len(list) < n && !p.has(u.ID) {
			list = append(list, u)
		}
	}
	if err = p.make(); err == nil {
		err = p.write(ctx, list)
	}
	if err != nil && len(list) > 1 && ctx.Err() == nil {
		err = p.write(ctx, list[:1]) // what is wrong may be another's: it shall not be to blame for it
	}
	for range maxRemade {
		if err == nil || ctx.Err() != nil || !p.deleted(err) {
			break
		}
		if err = p.make(); err == nil {
			err = p.write(ctx, list[:1])
		}
	}
	if err != nil && ctx.Err() == nil && p.deleted(err) {
		err = p.shortage("the folder for merged models is being deleted", err)
	}
	if _, known := evaluator.TroubleOf(err); !known && errors.Is(err, merge.Problem{Code: codes.Space}) {
		err = p.shortage("a merged model could not be written", err)
	}
	return false, err
}

// maxRemade is how often a model is written again whose folder is deleted meanwhile.
const maxRemade = 8

// deleted says whether a model could not be written because somebody deletes the folder for candidates.
func (p *pool) deleted(err error) bool {
	_, there := os.Stat(p.dir)
	return errors.Is(err, fs.ErrNotExist) || errors.Is(there, fs.ErrNotExist)
}

// shortage says that there is no room for one model.
func (p *pool) shortage(what string, err error) error {
	_, total, _ := stage.Space(p.dir)
	return &shortage{
		problem: &Error{Code: CodeSpace, Where: p.dir, What: what, Err: err, Fix: "free some space, or set candidates.path in study.yaml to a larger disk"},
		at:      p.dir, need: max(1, p.plan.Bytes()) + min(maxSpare, total/20),
	}
}

func (p *pool) has(id int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.ready[id] != nil
}

// space is what is free where the folder is, or where it was: it may be deleted at any time, and is then made again.
func (p *pool) space() (free, total int64, err error) {
	for range maxRemade {
		if free, total, err = stage.Space(nearest(p.dir)); !errors.Is(err, fs.ErrNotExist) {
			break
		}
	}
	return free, total, err
}

// room says how many models may be written now: 0 to wait for one in use, an error where there is none to
// wait for. Models written ahead and not in use give way.
func (p *pool) room() (int, error) {
	size := max(1, p.plan.Bytes())
	for {
		free, total, err := p.space()
		if err != nil {
			return 0, err
		}
		spare := min(maxSpare, total/20)
		p.mu.Lock()
		n := (free - spare) / size
		if p.max > 0 {
			n = min(n, p.max/size-int64(len(p.ready)+p.gone))
		}
		idle, used := 0, p.gone > 0
		for id, c := range p.ready {
			if c.leases > 0 {
				used = true
			} else if way := p.ready[idle]; way == nil || c.failed && !way.failed || c.failed == way.failed && id > idle {
				idle = id // one that has failed, or that is needed last
			}
		}
		var way *candidate
		if n <= 0 && idle > 0 {
			way = p.ready[idle]
			delete(p.ready, idle)
		}
		p.mu.Unlock()
		switch {
		case n > 0:
			return int(min(n, maxPass)), nil
		case way != nil:
			if err := os.RemoveAll(way.path); err != nil {
				return 0, err
			}
		case used:
			return 0, nil
		default:
			return 0, p.shortage(fmt.Sprintf("a merged model takes %s, %s are free and %s of them stay so", stage.Bytes(size), stage.Bytes(free), stage.Bytes(min(free, spare))), nil)
		}
	}
}

// write merges the models of the trials in one pass.
func (p *pool) write(ctx context.Context, trials []Trial) error {
	outs := make([]merge.Output, len(trials))
	for i, t := range trials {
		p.written++ // under the pass's token
		outs[i] = merge.Output{At: named(p.where, t.X), Target: filepath.Join(p.dir, p.own.modelName(t.ID, p.written))}
	}
	written, err := p.plan.Write(ctx, outs, merge.WriteOptions{Owner: p.own.String()}, nil)
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, t := range trials {
		c := &candidate{path: outs[i].Target}
		for _, f := range written[i].Files {
			c.files = append(c.files, f.Name)
		}
		p.ready[t.ID] = c
		if cut := written[i].Cut; cut != nil && cut.Frobenius > 1.5*p.cut {
			p.cut = cut.Frobenius
			p.note("trial %d: %s", t.ID, cut)
		}
	}
	return nil
}

// done deletes trial id's model, where there is one, beside the caller.
func (p *pool) done(id int, failed func(error)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := p.ready[id]
	if c == nil {
		return
	}
	delete(p.ready, id)
	p.gone++
	p.deleting.Go(func() {
		if err := os.RemoveAll(c.path); err != nil {
			failed(err)
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		p.gone--
		p.signal()
	})
}

// keep leaves trial id's model, which has failed, for another try: it gives way to whatever is needed. The last few are
// kept; of an earlier one the model is deleted, beside the caller.
func (p *pool) keep(id int, failed func(error)) {
	p.mu.Lock()
	oldest, n := 0, 0
	for other, c := range p.ready {
		if other == id {
			c.failed = true
		}
		if c.failed && c.leases == 0 {
			if n++; oldest == 0 || other < oldest && other != id {
				oldest = other
			}
		}
	}
	p.signal()
	p.mu.Unlock()
	if n > maxKept {
		p.done(oldest, failed)
	}
}

// maxKept is of how many trials that failed the models are kept.
const maxKept = 2

// shed deletes the models that nobody measures, beside the caller: they are made again.
func (p *pool) shed(failed func(error)) {
	p.mu.Lock()
	var idle []int
	for id, c := range p.ready {
		if c.leases == 0 {
			idle = append(idle, id)
		}
	}
	p.mu.Unlock()
	for _, id := range idle {
		p.done(id, failed)
	}
}

// lost says whether trial id's model was made and is no longer whole: somebody else has deleted it, or of it.
func (p *pool) lost(id int) bool {
	p.mu.Lock()
	c := p.ready[id]
	p.mu.Unlock()
	return c != nil && c.gone()
}

// close waits for what is being written and deleted. The pool is of no use afterwards.
func (p *pool) close() error {
	p.pass <- struct{}{}
	p.deleting.Wait()
	return p.plan.Close()
}

func named(space search.Space, x []float64) map[string]float64 {
	at := map[string]float64{}
	for _, n := range space.Numbers() {
		at[n.Name] = n.At(x)
	}
	return at
}
