package digits

import (
	"context"
	"slices"
	"sync"

	"parfait/evaluator"
)

// Landscape measures merges in memory: coefficients in, accuracies out, without files. It is what
// benchmarks of search strategies stand on, and it agrees exactly with the way over merge and files.
// It is immutable: any number of goroutines may use it.
type Landscape struct {
	tasks  []string // guard last
	base   []float32
	deltas [][]float32
	read   func(*network, set) []bool // what counts as right
}

// Recipe is how the models of a landscape were made and what counts as right.
type Recipe string

// Recipes. Only the usual one has files and an evaluator; the others are for benchmarks.
const (
	// Usual models are those of the program's studies; images are to be read.
	Usual Recipe = "usual"
	// Mild experts were fine-tuned in a few steps, so that merges of many work: a benign landscape.
	Mild Recipe = "mild"
	// Ignorant is a base without its output layer, which the usual experts bring along, and numbers of two digits are to be
	// read, of both of which the network has to be sure: the base scores nothing, an expert next to nothing off its task, and
	// merges with coefficients too small or too large collapse.
	Ignorant Recipe = "ignorant"
)

// NewLandscape trains the usual base and the experts of the first n tasks.
func NewLandscape(ctx context.Context, n int) (*Landscape, error) { return Usual.Landscape(ctx, n) }

// Landscape trains the base and the experts of the first n tasks.
func (r Recipe) Landscape(ctx context.Context, n int) (*Landscape, error) {
	if all := []Recipe{Usual, Mild, Ignorant}; !slices.Contains(all, r) {
		return nil, evaluator.Errorf(evaluator.BadOptions, "there is no landscape %q, there are %v", r, all)
	}
	models, err := school.models(ctx, r == Mild, n)
	if err != nil {
		return nil, err
	}
	l := &Landscape{tasks: append(Tasks(n), Guard), base: models.base, read: (*network).read}
	if r == Ignorant {
		l.base, l.read = slices.Clone(models.base), (*network).readNumbers
		clear(l.base[hidden*pixels+hidden:])
	}
	for _, expert := range models.experts {
		delta := make([]float32, len(expert))
		for j, v := range expert {
			delta[j] = v - l.base[j]
		}
		l.deltas = append(l.deltas, delta)
	}
	return l, nil
}

// Tasks returns the names in the order of Values: the experts' tasks, then the guard.
func (l *Landscape) Tasks() []string { return slices.Clone(l.tasks) }

// Dim is the number of coefficients, one an expert, in the order of Tasks.
func (l *Landscape) Dim() int { return len(l.deltas) }

// Values puts the accuracies of the merge with the coefficients x into dst, a value a task in the order
// of Tasks, and returns it. dst may be nil. len(x) must be Dim. It costs about a millisecond a task.
func (l *Landscape) Values(dst, x []float64, split evaluator.Split) []float64 {
	net := l.merge(x)
	dst = slices.Grow(dst[:0], len(l.tasks))[:len(l.tasks)]
	for i, task := range l.tasks {
		s := views.of(task, split)
		dst[i] = float64(count(l.read(net, s))) / float64(len(s.images))
	}
	return dst
}

// Items says of each task, in the order of Tasks, which images the merge with the coefficients x reads rightly: what
// Values counts.
func (l *Landscape) Items(x []float64, split evaluator.Split) [][]bool {
	net := l.merge(x)
	out := make([][]bool, len(l.tasks))
	for i, task := range l.tasks {
		out[i] = l.read(net, views.of(task, split))
	}
	return out
}

// At returns the same as Values as metrics with their binomial standard errors.
func (l *Landscape) At(x []float64, split evaluator.Split) evaluator.Metrics {
	net := l.merge(x)
	m := make(evaluator.Metrics, len(l.tasks))
	for _, task := range l.tasks {
		s := views.of(task, split)
		m[task] = Rate(count(l.read(net, s)), len(s.images))
	}
	return m
}

// merge is task arithmetic with λ = 1 as the merge engine does it, rounded to bfloat16.
//
//go:norace
func (l *Landscape) merge(x []float64) *network {
	out := make([]float32, len(l.base))
	for j, base := range l.base {
		var sum float32
		for i, delta := range l.deltas {
			if w := float32(x[i]); w != 0 {
				sum += float32(w * delta[j])
			}
		}
		out[j] = bf16(base + sum)
	}
	var net network
	net.fromFlat(out)
	return &net
}

// academy keeps what was trained in this process: the same every time, and asked for often by tests.
type academy struct {
	mu     sync.Mutex
	alumni map[class]*trained
}

type class struct {
	mild  bool
	tasks int
}

var school academy

func (a *academy) models(ctx context.Context, mild bool, n int) (*trained, error) {
	if n < 1 || n > MaxTasks() {
		return nil, evaluator.Errorf(evaluator.BadOptions, "there are digits models for 1 to %d tasks, asked for: %d", MaxTasks(), n)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if m, ok := a.alumni[class{mild, n}]; ok {
		return m, nil
	}
	m, err := train(ctx, n, mild)
	if err != nil {
		return nil, err
	}
	if a.alumni == nil {
		a.alumni = map[class]*trained{}
	}
	a.alumni[class{mild, n}] = m
	return m, nil
}
