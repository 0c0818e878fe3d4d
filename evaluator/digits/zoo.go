package digits

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"

	"parfait/evaluator"
	"parfait/internal/rescue"
)

// WriteZoo writes into dir, which must not exist or be empty, models of the kinds that people merge, for
// examples and tests, in about a second. dir appears complete or not at all; every byte is the same on
// every machine.
//
//	models/base, models/NAME        as Write's, for four tasks
//	checkpoints/step-100 … -500     of the run that made models/rotated, after 100, 200, … steps
//	soups/rate-0.0005 … -0.032      the base fine-tuned to read rotated digits, seven times, each on another
//	                                third of the images and at another learning rate
//	sparse/base, one, two, three    the base with half of its weights pruned, and fine-tuned to read rotated
//	                                digits at three learning rates, the mask kept
//	strangers/one                   upright digits learnt from another start: not a model of the base
//	fisher/NAME.safetensors         diagonal Fisher information of models/NAME, on its training images
//
// Errors: Occupied, the context's, and those of the file system.
func WriteZoo(ctx context.Context, dir string) error {
	entries, err := os.ReadDir(dir)
	switch {
	case err == nil && len(entries) > 0:
		return evaluator.Errorf(Occupied, "%s is not empty: choose another folder", dir)
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return err
	}
	z, err := newZoo(ctx)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return err
	}
	staging, err := os.MkdirTemp(filepath.Dir(dir), "."+filepath.Base(dir)+".partial-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(staging) }() // after the rename there is nothing left to remove
	if err := z.writeTo(staging); err != nil {
		return err
	}
	if err := os.Rename(staging, dir); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(dir))
}

// zoo is what WriteZoo writes.
type zoo struct {
	models  *trained
	fisher  [][]float32 // an expert
	animals []animal
}

// animal is a network and the folder that it goes to.
type animal struct {
	path   string
	raise  func(context.Context) (*network, error)
	raised []float32
}

const zooTasks = 4

// newZoo trains everything, in parallel.
func newZoo(ctx context.Context) (*zoo, error) {
	models, err := school.models(ctx, false, zooTasks)
	if err != nil {
		return nil, err
	}
	base, err := foundation(ctx, zooTasks)
	if err != nil {
		return nil, err
	}
	z := &zoo{models: models, animals: slices.Concat(checkpoints(base), soups(base), sparse(base), strangers())}
	errs := make([]error, len(z.animals))
	var all rescue.Group
	for i := range z.animals {
		all.Go(func() {
			a := &z.animals[i]
			var n *network
			if n, errs[i] = a.raise(ctx); errs[i] == nil {
				a.raised = n.rounded()
			}
		})
	}
	for i, flat := range models.experts {
		var n network
		n.fromFlat(flat)
		z.fisher = append(z.fisher, n.fisher(load().train.through(transforms[i].see)))
	}
	all.Wait()
	return z, errors.Join(errs...)
}

// checkpoints are the expert of the first task, on its way.
func checkpoints(base *network) []animal {
	var out []animal
	for steps := 100; steps <= transforms[0].steps; steps += 100 {
		out = append(out, animal{path: fmt.Sprintf("checkpoints/step-%d", steps), raise: func(ctx context.Context) (*network, error) {
			return base.expert(ctx, 0, steps)
		}})
	}
	return out
}

// soups are what somebody gets who fine-tunes for one task again and again, with other data and another
// learning rate each time.
func soups(base *network) []animal {
	images := load().train
	var out []animal
	for i, rate := range []string{"0.0005", "0.001", "0.002", "0.004", "0.008", "0.016", "0.032"} {
		third := images.pick(newStream(uint64(i)).permutation(len(images.images))[:300])
		out = append(out, animal{path: "soups/rate-" + rate, raise: func(ctx context.Context) (*network, error) {
			return base.tune(ctx, third.through(transforms[0].see), 60, 0.0005*math.Pow(2, float64(i)), newStream(500+uint64(i)))
		}})
	}
	return out
}

// sparse are three models of one pruned base (Zimmer et al., Sparse Model Soups, arXiv 2306.16788).
func sparse(base *network) []animal {
	mask := base.largestHalf()
	out := []animal{{path: "sparse/base", raise: func(context.Context) (*network, error) { return base.masked(mask), nil }}}
	for i, name := range []string{"one", "two", "three"} {
		out = append(out, animal{path: "sparse/" + name, raise: func(ctx context.Context) (*network, error) {
			n := base.masked(mask)
			random := newStream(trainSeed + 200 + uint64(i))
			for range 8 { // pruned again and again, while it learns
				tuned, err := n.tune(ctx, load().train.through(transforms[0].see), 25, 0.001*float64(i+1), random)
				if err != nil {
					return nil, err
				}
				n = tuned.masked(mask)
			}
			return n, nil
		}})
	}
	return out
}

// strangers learnt the base's task from another start.
func strangers() []animal {
	return []animal{{path: "strangers/one", raise: func(ctx context.Context) (*network, error) {
		random := newStream(trainSeed + 300)
		var start network
		start.initialise(random)
		return start.tune(ctx, load().train, baseSteps, baseRate, random)
	}}}
}

// largestHalf marks the half of the weights of each matrix that is largest in magnitude, and all biases,
// in the order of flat.
func (n *network) largestHalf() []bool {
	v := n.flat()
	mask := make([]bool, len(v))
	at := 0
	for _, t := range tensors {
		size := elements(t.shape)
		part := v[at : at+size]
		order := make([]int, size)
		for i := range order {
			order[i] = i
		}
		slices.SortStableFunc(order, func(i, j int) int {
			switch a, b := math.Abs(float64(part[i])), math.Abs(float64(part[j])); {
			case a > b:
				return -1
			case a < b:
				return 1
			}
			return 0
		})
		if len(t.shape) > 1 {
			order = order[:size/2]
		}
		for _, i := range order {
			mask[at+i] = true
		}
		at += size
	}
	return mask
}

// masked is n with zeros where the mask says so.
func (n *network) masked(mask []bool) *network {
	v := n.flat()
	for i, keep := range mask {
		if !keep {
			v[i] = 0
		}
	}
	var out network
	out.fromFlat(v)
	return &out
}

func (z *zoo) writeTo(dir string) error {
	if err := os.Chmod(dir, 0o755); err != nil {
		return err
	}
	for _, sub := range []string{"models", "checkpoints", "soups", "sparse", "strangers", "fisher"} {
		if err := os.Mkdir(filepath.Join(dir, sub), 0o755); err != nil {
			return err
		}
	}
	if err := z.models.writeTo(filepath.Join(dir, "models")); err != nil {
		return err
	}
	for _, a := range z.animals {
		if err := writeModel(filepath.Join(dir, filepath.FromSlash(a.path)), a.raised); err != nil {
			return err
		}
	}
	for i, f := range z.fisher {
		if err := writeFisher(filepath.Join(dir, "fisher", transforms[i].name+".safetensors"), f); err != nil {
			return err
		}
	}
	return syncFolder(dir)
}
