package study

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"parfait/evaluator"
	"parfait/merge"
)

// pool keeps the merged models that evaluators need on disk: written several in one pass over the
// inputs, under a quota, deleted after use. What an earlier runner left is reclaimed at the start.
type pool struct {
	plan     *merge.Plan
	dir      string
	max      int64                 // bytes, 0: as the disk allows
	names    []string              // coefficients
	upcoming func(but int) []Trial // trials that will need their model next, in order

	mu    sync.Mutex
	freed chan struct{} // closed and replaced whenever something is deleted
	ready map[int]*candidate

	deleting sync.WaitGroup
}

// candidate is a merged model on disk.
type candidate struct {
	path   string
	leases int
}

// passMost is the most models that one pass writes: beyond, one waits longer for the first than the
// inputs' reading costs.
const passMost = 8

// spareMost is what is left free on a disk for the history and logs, on a small one a twentieth of it.
const spareMost = 64 << 20

// newPool makes the folder for candidates and empties it of what a dead runner left.
func newPool(plan *merge.Plan, s *Study, form evaluator.Form, upcoming func(int) []Trial) (*pool, error) {
	dir := filepath.Join(s.dir, "candidates")
	if c := s.spec.Candidates.Path; c != "" {
		h := fnv.New32a()
		_, _ = h.Write([]byte(s.dir)) // two studies may share a scratch folder
		dir = filepath.Join(resolve(s.dir, c), fmt.Sprintf("%s-%08x", filepath.Base(s.dir), h.Sum32()))
	}
	if form != evaluator.Folder {
		dir = filepath.Join(dir, string(form))
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, &Error{Code: CodeSpace, Where: dir, What: "the folder for candidates cannot be made", Err: err, Fix: "set candidates.path in study.yaml to a folder you may write to"}
	}
	left, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	for _, e := range left {
		if strings.HasPrefix(e.Name(), "trial-") || strings.HasPrefix(e.Name(), ".trial-") {
			if err := os.RemoveAll(filepath.Join(dir, e.Name())); err != nil {
				return nil, err
			}
		}
	}
	p := &pool{plan: plan, dir: dir, max: s.spec.Candidates.Max, names: s.Names(), upcoming: upcoming, freed: make(chan struct{}), ready: map[int]*candidate{}}
	if p.max > 0 && plan.Bytes() > p.max {
		return nil, &Error{Code: CodeSpace, Where: "candidates.max", What: fmt.Sprintf("one merged model takes %d bytes, the quota is %d", plan.Bytes(), p.max), Fix: "raise candidates.max in study.yaml"}
	}
	return p, nil
}

// model gives trial t's merged model, and writes it with those that come next where it is not there.
func (p *pool) model(ctx context.Context, t Trial) (evaluator.Lease, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.ready[t.ID] == nil {
		n, err := p.room()
		if err != nil {
			return evaluator.Lease{}, err
		}
		if n > 0 {
			if err := p.write(ctx, append([]Trial{t}, p.upcoming(t.ID)...), n); err != nil {
				return evaluator.Lease{}, err
			}
			continue
		}
		freed := p.freed
		p.mu.Unlock()
		select {
		case <-freed:
			p.mu.Lock()
		case <-ctx.Done():
			p.mu.Lock()
			return evaluator.Lease{}, ctx.Err()
		}
	}
	c := p.ready[t.ID]
	c.leases++
	var once sync.Once
	return evaluator.Lease{Path: c.path, Release: func() {
		once.Do(func() {
			p.mu.Lock()
			c.leases--
			p.mu.Unlock()
		})
	}}, nil
}

// room says how many models may be written now: 0 to wait for one in use, an error where there is none to
// wait for. Models written ahead and not in use give way.
func (p *pool) room() (int, error) {
	size := max(1, p.plan.Bytes())
	for {
		free, total, err := space(p.dir)
		if err != nil {
			return 0, err
		}
		spare := min(spareMost, total/20)
		n := (free - spare) / size
		if p.max > 0 {
			n = min(n, p.max/size-int64(len(p.ready)))
		}
		if n > 0 {
			return int(min(n, passMost)), nil
		}
		idle, used := 0, false
		for id, c := range p.ready {
			if c.leases > 0 {
				used = true
			} else {
				idle = max(idle, id) // the one that is needed last
			}
		}
		switch {
		case idle > 0:
			if err := p.remove(idle); err != nil {
				return 0, err
			}
		case used:
			return 0, nil
		default:
			return 0, &Error{
				Code: CodeSpace, Where: p.dir, What: fmt.Sprintf("a merged model takes %d bytes, %d are free and %d of them stay so", size, free, min(free, spare)),
				Fix: "free some space, or set candidates.path in study.yaml to a larger disk",
			}
		}
	}
}

// write merges the first n of the trials that are not on disk yet, in one pass.
func (p *pool) write(ctx context.Context, trials []Trial, n int) error {
	var outs []merge.Output
	var ids []int
	for _, t := range trials {
		if p.ready[t.ID] != nil || len(outs) == n {
			continue
		}
		outs = append(outs, merge.Output{At: named(p.names, t.X), Target: filepath.Join(p.dir, fmt.Sprintf("trial-%04d", t.ID))})
		ids = append(ids, t.ID)
	}
	if _, err := p.plan.Write(ctx, outs, merge.WriteOptions{}, nil); err != nil {
		return err
	}
	for i, id := range ids {
		p.ready[id] = &candidate{path: outs[i].Target}
	}
	return nil
}

// done deletes trial id's model, beside the caller: a pass that is being written holds the pool.
func (p *pool) done(id int, failed func(error)) {
	p.deleting.Go(func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.ready[id] == nil {
			return
		}
		if err := p.remove(id); err != nil {
			failed(err)
		}
	})
}

func (p *pool) remove(id int) error {
	err := os.RemoveAll(p.ready[id].path)
	delete(p.ready, id)
	close(p.freed)
	p.freed = make(chan struct{})
	return err
}

// close deletes everything that is left.
func (p *pool) close() error {
	p.deleting.Wait()
	return errors.Join(os.RemoveAll(p.dir), p.plan.Close())
}

func named(names []string, x []float64) map[string]float64 {
	at := make(map[string]float64, len(names))
	for i, n := range names {
		at[n] = x[i]
	}
	return at
}
