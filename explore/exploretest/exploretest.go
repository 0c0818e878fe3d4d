// Package exploretest makes studies by hand, for tests of whatever looks at them.
//
// The metrics are known functions with known optima, so the front is known exactly: isotropic bowls around
// one centre a task have the convex hull of the centres as their Pareto set. Nothing is fitted and nothing
// is random, so that the same options give the same snapshot whatever happens to fitters and searches.
package exploretest

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat/distuv"

	"parfait/evaluator"
	"parfait/search"
	"parfait/study"
	"parfait/surrogate"
)

// Options describe a study. The zero value is a study of three objectives and a guard that has no trial.
type Options struct {
	Name      string
	Tasks     []string // objectives, one model each; nil: rotated, mirrored, upside_down
	NoGuard   bool     // else a guard "upright" is measured too
	Trials    int      // asked for
	Running   int      // of them, the last ones are running
	Failed    []int    // ids of trials that failed
	Budget    int      // 0: 60
	FrontSize int      // about how many points the front has; 0: 150
	Minimize  bool     // the first task is a loss
	Flagged   bool     // the last objective's surrogate is not to be believed
	Floor     float64  // of the guard, 0 for none
	Picks     int
	Exports   int
	Strategy  string // "": adaptive; barrier: the trials are lines between the models, the last of which is a stranger
}

// Epoch is when the studies' first trial was asked for.
var Epoch = time.Date(2025, 3, 1, 9, 0, 0, 0, time.UTC)

// Snapshot makes the study.
func Snapshot(o Options) *study.Snapshot {
	if o.Tasks == nil {
		o.Tasks = []string{"rotated", "mirrored", "upside_down"}
	}
	if o.Name == "" {
		o.Name = "digits"
	}
	if o.Budget == 0 {
		o.Budget = 60
	}
	if o.FrontSize == 0 {
		o.FrontSize = 150
	}
	b := bowls{d: len(o.Tasks), minimize: o.Minimize, lines: o.Strategy == "barrier"}
	s := &study.Snapshot{Name: o.Name, Dir: "/studies/" + o.Name + ".study", Revision: int64(o.Trials + 1), Now: Epoch.Add(time.Duration(o.Trials)*3*time.Second + 64*time.Second)}
	s.Spec = &study.Spec{Version: 1, Base: "models/base", Method: study.MethodSpec{Name: "task_arithmetic"}}
	for i, name := range o.Tasks {
		s.Space.Coefficients = append(s.Space.Coefficients, search.Coefficient{Name: name, Lo: 0, Hi: 1.2, Kind: search.Scaling, Model: name})
		s.Spec.Models = append(s.Spec.Models, study.ModelSpec{Name: name, Path: "models/" + name, Range: study.Range{0, 1.2}})
		t := study.Task{Name: name, Role: study.Objective, Unit: "rate", Sense: study.Maximize, Link: surrogate.Logit}
		if o.Minimize && i == 0 {
			t.Unit, t.Sense, t.Link = "loss", study.Minimize, surrogate.Log
		}
		s.Tasks = append(s.Tasks, t)
	}
	if !o.NoGuard {
		g := study.Task{Name: "upright", Role: study.Guard, Unit: "rate", Sense: study.Maximize, Link: surrogate.Logit}
		if o.Floor > 0 {
			g.AtLeast = &o.Floor
		}
		s.Tasks = append(s.Tasks, g)
	}
	s.Spec.Tasks = s.Tasks
	s.Spec.Search = study.SearchSpec{Strategy: cmp.Or(o.Strategy, "adaptive"), Budget: o.Budget, Batch: 4, Seed: 1}
	b.trials(s, o)
	s.Activity = activity(s, o)
	if done := doneOf(s); len(done) >= 3 {
		s.Analysis = b.analysis(s, done, o)
	}
	b.results(s, o)
	return s
}

// bowls are the metrics.
type bowls struct {
	d        int
	minimize bool
	lines    bool // the trials lie between the models, and the last of these is a stranger
}

// center is where objective t is best: mostly its own model, a little of the others.
func (b bowls) center(t int) []float64 {
	c := make([]float64, b.d)
	for i := range c {
		c[i] = 0.12 + 0.04*float64((i+t)%3)
	}
	c[t] = 0.72 + 0.05*float64(t%4)
	return c
}

// mean is metric t at x; the guard comes after the objectives.
func (b bowls) mean(t int, x []float64) float64 {
	r := 0.0
	if t == b.d {
		for _, v := range x {
			r += v * v
		}
		return 0.97 - 0.25*(1-math.Exp(-r/float64(b.d)))
	}
	c := b.center(t)
	for i, v := range x {
		r += (v - c[i]) * (v - c[i])
	}
	v := 0.96 - 0.02*float64(t%4) - (0.55+0.05*float64(t%3))*(1-math.Exp(-r/0.9))
	if b.lines {
		v -= 0.9 * x[b.d-1] * (1 - x[b.d-1])
	}
	if t == 0 && b.minimize {
		return 8 * (1.25 - v)
	}
	return v
}

// metric is one task's surrogate: the truth, with an uncertainty that grows away from the samples.
type metric struct {
	bowls
	task int
}

func (m metric) Predict(x []float64) (mean, std float64) {
	return m.mean(m.task, x), 0.006 + 0.01*m.Leverage(x)
}

func (m metric) Mean(grad, x []float64) float64 {
	if grad != nil {
		m.Gradient(grad, nil, x)
	}
	return m.mean(m.task, x)
}

func (m metric) Gradient(mean, std, x []float64) {
	const h = 1e-6
	for i := range x {
		up, down := slices.Clone(x), slices.Clone(x)
		up[i], down[i] = x[i]+h, x[i]-h
		mu, su := m.Predict(up)
		md, sd := m.Predict(down)
		if mean != nil {
			mean[i] = (mu - md) / (2 * h)
		}
		if std != nil {
			std[i] = (su - sd) / (2 * h)
		}
	}
}

func (m metric) Joint(xs [][]float64) ([]float64, *mat.SymDense) {
	mean, cov := make([]float64, len(xs)), mat.NewSymDense(len(xs), nil)
	for i, x := range xs {
		var std float64
		mean[i], std = m.Predict(x)
		cov.SetSym(i, i, std*std)
	}
	return mean, cov
}

func (m metric) Draws(xs [][]float64, n int, wider float64, normal func() float64) *mat.Dense {
	out := mat.NewDense(n, len(xs), nil)
	for j, x := range xs {
		mean, std := m.Predict(x)
		for i := range n {
			out.Set(i, j, mean+wider*std*normal())
		}
	}
	return out
}

func (m metric) Interval(x []float64, _ float64) (lo, hi float64) {
	mean, std := m.Predict(x)
	lo, hi = mean-1.7*std, mean+1.7*std
	if m.task != 0 || !m.minimize {
		hi = min(hi, 1)
	}
	return lo, hi
}

func (m metric) Quantile(x []float64, p float64) float64 {
	mean, std := m.Predict(x)
	return mean + distuv.UnitNormal.Quantile(p)*std
}

func (m metric) Broken(x []float64) (chance, std float64) {
	_, std = m.Predict(x)
	return 0, std
}

func (m metric) Leverage(x []float64) float64 {
	r := 0.0
	for _, v := range x {
		r += (v - 0.35) * (v - 0.35)
	}
	return 0.1 + r/(0.36*float64(m.d))
}

// trials are the base, each model, the uniform average, then points of a Halton sequence.
func (b bowls) trials(s *study.Snapshot, o Options) {
	for id := 1; id <= o.Trials; id++ {
		begin := Epoch.Add(time.Duration(id) * 3 * time.Second)
		t := study.Trial{
			ID: id, Batch: (id - 1) / 4, Origin: "search", Why: "spread over the front", X: b.point(id - 1),
			State: evaluator.Done, Attempt: 1, Created: begin, Started: begin, Ended: begin.Add(2 * time.Second),
			Log: fmt.Sprintf("/studies/%s.study/logs/trial-%04d.log", o.Name, id), Metrics: map[string]evaluator.Metric{},
		}
		if id <= b.d+2 {
			t.Why = "start: a point that everything is compared with"
		}
		switch {
		case slices.Contains(o.Failed, id):
			t.State, t.Error, t.Metrics = evaluator.Failed, "evaluate.py: exit status 1: CUDA out of memory", nil
		case id > o.Trials-o.Running:
			t.State, t.Metrics, t.Ended = evaluator.Running, nil, time.Time{}
			t.Progress = evaluator.Progress{Done: 180, Total: 450, Note: "rotated"}
			t.Line = "43%|████▎     | 194/450 [00:31<00:41,  6.2it/s]"
		default:
			for i, task := range s.Tasks {
				noise := 0.012 * (halton(id, 13+2*i) - 0.5)
				t.Metrics[task.Name] = evaluator.Metric{Value: b.mean(i, t.X) + noise, Stderr: 0.011, N: 450}
			}
		}
		s.Trials = append(s.Trials, t)
	}
}

func (b bowls) point(i int) []float64 {
	x := make([]float64, b.d)
	switch {
	case b.lines:
		return b.between(i)
	case i == 0:
	case i <= b.d:
		x[i-1] = 1
	case i == b.d+1:
		for k := range x {
			x[k] = 1 / float64(b.d)
		}
	default:
		primes := []int{2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37}
		for k := range x {
			x[k] = 0.9 * halton(i, primes[k%len(primes)])
		}
	}
	return x
}

// between are the models, then three points between every two of them.
func (b bowls) between(i int) []float64 {
	x := make([]float64, b.d)
	if i < b.d {
		x[i] = 1
		return x
	}
	i -= b.d
	for hi := range b.d {
		for lo := range hi {
			if i < 3 {
				x[hi] = float64(i+1) / 4
				x[lo] = 1 - x[hi]
				return x
			}
			i -= 3
		}
	}
	return x
}

func halton(i, base int) float64 {
	f, v := 1.0, 0.0
	for ; i > 0; i /= base {
		f /= float64(base)
		v += f * float64(i%base)
	}
	return v
}

func doneOf(s *study.Snapshot) []study.Trial {
	var done []study.Trial
	for _, t := range s.Trials {
		if t.State == evaluator.Done {
			done = append(done, t)
		}
	}
	return done
}

func activity(s *study.Snapshot, o Options) study.Activity {
	a := study.Activity{Runner: study.Idle, Budget: o.Budget, Search: o.Budget}
	for _, t := range s.Trials {
		switch t.State {
		case evaluator.Running:
			a.Running++
		case evaluator.Failed:
			a.Failed++
			a.Done++
		case evaluator.Done:
			a.Done++
		}
	}
	switch {
	case a.Running > 0:
		a.Runner, a.Host, a.PID, a.ETA = study.Sampling, "gpu-7", 4242, 3*time.Second*time.Duration(max(0, o.Budget-a.Done))/time.Duration(a.Running)
	case a.Done >= o.Budget:
		a.Runner = study.Finished
	}
	return a
}

func (b bowls) results(s *study.Snapshot, o Options) {
	if s.Analysis == nil {
		return
	}
	for i := range max(o.Picks, o.Exports) {
		p := s.Analysis.Front[min(s.Analysis.Knee+3*i, len(s.Analysis.Front)-1)]
		predicted := map[string]study.Prediction{}
		measured := map[evaluator.Split]map[string]evaluator.Metric{evaluator.Validation: {}, evaluator.Test: {}}
		for t, task := range s.Tasks {
			predicted[task.Name] = p.Predicted[t]
			v := p.Predicted[t].Value
			measured[evaluator.Validation][task.Name] = evaluator.Metric{Value: v + 0.004, Stderr: 0.013, N: 450}
			measured[evaluator.Test][task.Name] = evaluator.Metric{Value: v - 0.009, Stderr: 0.013, N: 450}
		}
		at := Epoch.Add(time.Duration(i+1) * time.Hour)
		if i < o.Picks {
			s.Picks = append(s.Picks, study.Pick{ID: i + 1, Name: fmt.Sprintf("pick %d", i+1), X: p.X, Predicted: predicted, Why: "the knee of the front", Who: "ana", At: at})
		}
		if i < o.Exports {
			name := fmt.Sprintf("pick-%d", i+1)
			s.Exports = append(s.Exports, study.Export{
				ID: i + 1, Name: name, Out: s.Dir + "/exports/" + name, X: p.X, Predicted: predicted, Measured: measured,
				Receipt: s.Dir + "/exports/" + name + "/receipt.json", Bytes: 98_304, Took: 40 * time.Millisecond, At: at,
			})
		}
	}
}
