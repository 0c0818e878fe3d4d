package main

import (
	"container/heap"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"parfait/evaluator"
	"parfait/search"
	"parfait/study"
)

const (
	models         = 4   // and tasks, of a simulated study
	simulatedSigma = 0.7 // of the logarithm of the times
)

// simulation is a study of many long evaluations on a clock of its own: what it costs the runner.
type simulation struct {
	Strategy string  `json:"strategy"` // none: random points
	Slots    int     `json:"slots"`
	Trials   int     `json:"trials"`
	Mean     float64 `json:"mean"`    // of an evaluation, simulated seconds
	Wall     float64 `json:"wall"`    // simulated seconds
	Busy     float64 `json:"busy"`    // share of the slots' time
	Took     float64 `json:"took"`    // real seconds
	Batches  int     `json:"batches"` // answers of the strategy
	Stages   []stage `json:"stages"`
	Reopen   float64 `json:"reopen"` // seconds to open the study again, at the end
}

// stage is what the runner took between two counts of finished trials.
type stage struct {
	Trials int     `json:"trials"` // finished by its end
	CPU    float64 `json:"cpu"`    // seconds a trial, but for the strategy's
	Think  float64 `json:"think"`  // CPU seconds of the strategy a trial
	RSS    float64 `json:"rss"`    // largest so far, MiB
	Bytes  float64 `json:"bytes"`  // written to files, a trial
}

// world is a simulated clock and the evaluations that take time on it. Time goes on by itself while anybody thinks, and
// leaps to the next end of an evaluation when all slots are busy, or nothing is left to begin.
type world struct {
	slots, trials int
	mean          time.Duration // of the evaluations
	finished      func(n int)   // is told how many have ended

	mu      sync.Mutex
	leapt   time.Duration
	random  *rand.Rand
	running evaluations
	thinks  bool // the strategy does
	started int
	ended   int
	used    time.Duration
}

// running evaluation.
type simulated struct {
	end  time.Time
	done chan struct{}
}

type evaluations []simulated

func (e evaluations) Len() int           { return len(e) }
func (e evaluations) Less(i, j int) bool { return e[i].end.Before(e[j].end) }
func (e evaluations) Swap(i, j int)      { e[i], e[j] = e[j], e[i] }
func (e *evaluations) Push(x any)        { *e = append(*e, x.(simulated)) }
func (e *evaluations) Pop() any {
	old := *e
	last := old[len(old)-1]
	*e = old[:len(old)-1]
	return last
}

// thinker is a strategy whose processor time is counted, with what little the runner does meanwhile.
type thinker struct {
	search.Strategy
	world *world
	mu    sync.Mutex
	spent float64
}

func (t *thinker) Ask(ctx context.Context, q search.Question) (search.Proposal, error) {
	t.world.think(true)
	before := use().cpu
	p, err := t.Strategy.Ask(ctx, q)
	defer t.world.think(false)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.spent += use().cpu - before
	if p.Wait != "" {
		t.world.wait()
	}
	return p, err
}

// anywhere asks for random points, at next to no cost: what is left is the runner's.
type anywhere struct{}

func (anywhere) Ask(_ context.Context, q search.Question) (p search.Proposal, err error) {
	random := rand.New(rand.NewPCG(q.Seed, uint64(q.Batch)))
	for range q.N {
		x := make([]float64, len(q.Space.Coefficients))
		for i, c := range q.Space.Coefficients {
			x[i] = c.Lo + (c.Hi-c.Lo)*math.Round(1e6*random.Float64())/1e6
		}
		p.Points = append(p.Points, search.Proposed{X: x, Why: "anywhere"})
	}
	return p, nil
}

func (t *thinker) total() float64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.spent
}

// Now is what time it is.
func (w *world) Now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now()
}

func (w *world) now() time.Time { return time.Now().Add(w.leapt) }

// measure is an evaluation.
func (w *world) measure(ctx context.Context, c evaluator.Candidate, _ func(evaluator.Progress)) (evaluator.Metrics, error) {
	w.mu.Lock()
	took := time.Duration(float64(w.mean) * math.Exp(simulatedSigma*w.random.NormFloat64()-simulatedSigma*simulatedSigma/2))
	e := simulated{w.now().Add(took), make(chan struct{})}
	heap.Push(&w.running, e)
	w.started++
	w.used += took
	w.leap()
	w.mu.Unlock()
	select {
	case <-e.done:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	m := evaluator.Metrics{}
	for i, task := range c.Tasks {
		z := 1.0
		for j, x := range c.At {
			centre := 0.2 + 0.6*float64((i+j)%2)
			z -= (x.Value - centre) * (x.Value - centre)
		}
		v := 1 / (1 + math.Exp(-2*z))
		m[task] = evaluator.Metric{Value: v, N: 400, Stderr: math.Sqrt(v * (1 - v) / 400)}
	}
	return m, nil
}

// leap ends what is due, and, where nothing else can be begun before, what is due first.
func (w *world) leap() {
	for !w.thinks && len(w.running) > 0 && (len(w.running) == w.slots || w.started == w.trials || w.running[0].end.Before(w.now())) {
		w.end()
	}
}

// think says whether the strategy thinks: that takes real time, and what ends meanwhile ends with it.
func (w *world) think(thinks bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.thinks = thinks
	w.leap()
}

// wait leaps although slots are free: the strategy waits for what runs.
func (w *world) wait() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.running) > 0 {
		w.end()
	}
}

// end ends the evaluation that is due first.
func (w *world) end() {
	first := heap.Pop(&w.running).(simulated)
	if ahead := first.end.Sub(w.now()); ahead > 0 {
		w.leapt += ahead
	}
	close(first.done)
	w.ended++
	w.finished(w.ended)
}

// simulatedMean is the mean in seconds: an hour where nobody said another than that of real processes.
func simulatedMean(d time.Duration) float64 {
	if d == time.Second {
		d = time.Hour
	}
	return d.Seconds()
}

// run plays the study and prints what it took.
func (s simulation) run(ctx context.Context, profile string, asJSON bool) error {
	if profile != "" {
		f, err := os.Create(profile)
		if err != nil {
			return err
		}
		defer func() { _ = f.Close() }()
		if err := pprof.StartCPUProfile(f); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	if err := s.play(ctx); err != nil {
		return err
	}
	if asJSON {
		enc := json.NewEncoder(os.Stdout)
		enc.SetIndent("", "  ")
		return enc.Encode(s)
	}
	fmt.Printf("%d trials on %d slots, %s: %.0f h on its clock, %.0f s on ours, %.0f %% busy, %d batches, opened again in %.2f s\n",
		s.Trials, s.Slots, s.Strategy, s.Wall/3600, s.Took, 100*s.Busy, s.Batches, s.Reopen)
	fmt.Println("trials  CPU ms a trial  of the strategy  RSS MiB  kB a trial")
	for _, t := range s.Stages {
		fmt.Printf("%6d  %14.1f  %15.1f  %7.0f  %10.1f\n", t.Trials, 1000*t.CPU, 1000*t.Think, t.RSS, t.Bytes/1000)
	}
	return nil
}

// folder makes the study.
func (s *simulation) folder() (dir string, err error) {
	if dir, err = os.MkdirTemp("", "schedule-*"); err != nil {
		return "", err
	}
	var spec strings.Builder
	spec.WriteString("version: 1\nbase: base\nmodels:\n")
	for i := range models {
		fmt.Fprintf(&spec, "  - {name: m%d, path: m%d}\n", i, i)
	}
	spec.WriteString("tasks:\n")
	for i := range models {
		fmt.Fprintf(&spec, "  - {name: t%d, unit: rate}\n", i)
	}
	fmt.Fprintf(&spec, "evaluators:\n  main: {command: ['true'], model: false, parallel: %d}\n", s.Slots)
	fmt.Fprintf(&spec, "search: {order: free, budget: %d}\n", s.Trials)
	return dir, os.WriteFile(filepath.Join(dir, study.SpecFile), []byte(spec.String()), 0o644)
}

// play plays the study.
func (s *simulation) play(ctx context.Context) error {
	dir, err := s.folder()
	defer func() { _ = os.RemoveAll(dir) }()
	if err != nil {
		return err
	}
	w := &world{slots: s.Slots, trials: s.Trials, mean: time.Duration(s.Mean * float64(time.Second)), random: rand.New(rand.NewPCG(1, 1))}
	of := search.Strategy(anywhere{})
	if s.Strategy != "none" {
		if of, err = search.New(s.Strategy, nil); err != nil {
			return err
		}
	}
	strategy := &thinker{Strategy: of, world: w}
	last, thought, finished := use(), 0.0, 0
	w.finished = func(n int) {
		if !slices.Contains([]int{s.Trials / 10, s.Trials / 5, s.Trials * 2 / 5, s.Trials}, n) {
			return
		}
		u, think, per := use(), strategy.total(), float64(n-finished)
		s.Stages = append(s.Stages, stage{
			Trials: n, CPU: (u.cpu - last.cpu - think + thought) / per, Think: (think - thought) / per, RSS: u.rss, Bytes: (u.bytes - last.bytes) / per,
		})
		last, thought, finished = u, think, n
	}
	st, err := study.Open(dir)
	if err != nil {
		return err
	}
	follow, end := context.WithCancel(ctx)
	defer end()
	st.Follow(follow) // as a run does that says how far it is
	begun, real := w.Now(), time.Now()
	err = st.Run(ctx, study.RunOptions{
		Note:     func(text string) { _, _ = fmt.Fprintln(os.Stderr, "bench/schedule:", text) },
		Simulate: &study.Simulation{Now: w.Now, Evaluators: map[string]evaluator.Evaluator{"main": evaluator.Blocking(evaluator.Limits{InFlight: s.Slots}, w.measure)}, Strategy: strategy},
	})
	s.Wall, s.Took = w.Now().Sub(begun).Seconds(), time.Since(real).Seconds()
	s.Busy = w.used.Seconds() / s.Wall / float64(s.Slots)
	if err = errors.Join(err, st.Close()); err != nil {
		return err
	}
	real = time.Now()
	if st, err = study.Open(dir); err != nil {
		return err
	}
	s.Reopen = time.Since(real).Seconds()
	s.Batches = len(st.Snapshot().Batches)
	if done := st.Snapshot().Activity.Done; done != s.Trials {
		err = fmt.Errorf("%d of %d trials are done", done, s.Trials)
	}
	return errors.Join(err, st.Close())
}

// used is what this process has taken.
type used struct{ cpu, rss, bytes float64 }

func use() (u used) {
	var r unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &r) == nil {
		u.cpu = float64(r.Utime.Sec+r.Stime.Sec) + float64(r.Utime.Usec+r.Stime.Usec)/1e6
		u.rss = float64(r.Maxrss) / 1024
		if runtime.GOOS == "darwin" {
			u.rss /= 1024
		}
	}
	b, _ := os.ReadFile("/proc/self/io") // not known elsewhere
	for line := range strings.Lines(string(b)) {
		if text, ok := strings.CutPrefix(line, "wchar: "); ok {
			u.bytes, _ = strconv.ParseFloat(strings.TrimSpace(text), 64)
		}
	}
	return u
}
