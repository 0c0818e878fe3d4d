//go:build linux || darwin

// Package worker measures candidates with programs that stay: a model server, a judge, whatever takes long
// to load and would be loaded anew for every candidate.
//
// Each place to run has one process, started when it is first needed. A candidate goes in as a line of
// JSON on its standard input, progress and the answer come back as lines on its standard output. What dies
// is started again for the next candidate; what does not answer in time is killed with all of its process
// group. No worker outlives its runner, however that ends. It knows nothing of studies; the options'
// names are those of study.yaml.
package worker

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"time"

	"parfait/evaluator"
	"parfait/evaluator/internal/option"
	"parfait/evaluator/internal/placeholder"
	"parfait/evaluator/internal/report"
)

// Reported is the code of a failure that a worker itself reported; it goes on with the next candidate.
const Reported evaluator.Code = "reported"

// Options say what to run and how. The zero value of each but Command is a good one.
type Options struct {
	Command  []string          // program and arguments; {slot} is the number of its place
	Parallel int               // processes, and so candidates at once, 0: 1
	Timeout  time.Duration     // for one candidate, with the start of the process where it is needed; 0: none
	Grace    time.Duration     // between SIGTERM and SIGKILL, 0: 10 s
	Dir      string            // working directory, "": the runner's
	Env      map[string]string // set beside the runner's own environment; with {slot}
	NoModel  bool              // the merged model is not wanted; else its path is in the request
	Form     evaluator.Form    // of the model, "": a folder
	Splits   []evaluator.Split // that it can measure, empty: validation
	Metrics  map[string]string // where a task's figure is in the answer, where not under the task's name
	LogLimit int64             // bytes of output that are kept in a candidate's log, 0: 16 MiB
}

var meanings = placeholder.Names{"slot": "0 … parallel−1, the number of the worker's place"}

// ParseOptions reads the options as study.yaml has them. Everything wrong is returned, each error naming
// its key.
//
//	worker: [python, serve.py, --gpu, '{slot}']
//	parallel: 2
//	timeout: 30m
//	grace: 10s
//	dir: eval
//	env: {CUDA_VISIBLE_DEVICES: '{slot}'}
//	model: false
//	form: adapter
//	splits: [validation, test]
//	metrics: {gsm8k: accuracy}
func ParseOptions(m map[string]any) (Options, []error) {
	var o Options
	errs := option.Read(m, "a worker", map[string]func(any) error{
		"worker":   option.Into(&o.Command, option.Command),
		"parallel": option.Into(&o.Parallel, option.AtLeastOne),
		"timeout":  option.Into(&o.Timeout, option.Duration),
		"grace":    option.Into(&o.Grace, option.Duration),
		"dir":      option.Into(&o.Dir, option.Text),
		"env":      option.Into(&o.Env, option.Texts),
		"model":    option.Not(&o.NoModel),
		"form":     option.Into(&o.Form, option.Form),
		"splits":   option.Into(&o.Splits, option.Splits),
		"metrics":  option.Into(&o.Metrics, option.Texts),
	})
	if len(errs) == 0 {
		errs = o.check()
	}
	return o, errs
}

func (o Options) check() []error {
	var errs []error
	bad := func(format string, args ...any) {
		errs = append(errs, evaluator.Errorf(evaluator.BadOptions, format, args...))
	}
	if len(o.Command) == 0 || o.Command[0] == "" {
		bad("worker: expected a program and its arguments such as [python, serve.py], found nothing")
	}
	for i, arg := range o.Command {
		for _, err := range meanings.Check(arg) {
			bad("worker, argument %d, %q: %w", i, arg, err)
		}
	}
	for _, k := range slices.Sorted(maps.Keys(o.Env)) {
		for _, err := range meanings.Check(o.Env[k]) {
			bad("env, %s: %w", k, err)
		}
	}
	if o.Parallel < 0 || o.Timeout < 0 || o.Grace < 0 || o.LogLimit < 0 {
		bad("parallel, timeout and grace: expected none below 0")
	}
	return append(errs, option.CheckOffer(o.Form, o.Splits)...)
}

// Evaluator keeps the processes. Close ends them; so does the end of the runner, where nobody does.
type Evaluator struct {
	evaluator.Evaluator
	options Options
	places  chan *place
	all     []*place
}

// place is where one process runs, or may run.
type place struct {
	slot int

	mu   sync.Mutex // held while a candidate is measured there
	proc *proc      // nil where none runs
}

// New checks the options and makes the evaluator. Nothing is started yet.
func New(o Options) (*Evaluator, error) {
	if err := errors.Join(o.check()...); err != nil {
		return nil, err
	}
	o.Parallel = cmp.Or(o.Parallel, 1)
	o.Grace = cmp.Or(o.Grace, 10*time.Second)
	o.Form = cmp.Or(o.Form, evaluator.Folder)
	o.LogLimit = cmp.Or(o.LogLimit, 16<<20)
	e := &Evaluator{options: o, places: make(chan *place, o.Parallel)}
	for i := range o.Parallel {
		p := &place{slot: i}
		e.all = append(e.all, p)
		e.places <- p
	}
	e.Evaluator = evaluator.Blocking(evaluator.Limits{
		InFlight: o.Parallel, NeedsModel: !o.NoModel, Form: o.Form, Splits: o.Splits, Timeout: o.Timeout,
	}, e.measure)
	return e, nil
}

// Close ends the processes. What is measured after that starts new ones.
func (e *Evaluator) Close() error {
	var errs []error
	for _, p := range e.all {
		p.mu.Lock()
		errs = append(errs, p.end(e.options.Grace))
		p.mu.Unlock()
	}
	return errors.Join(errs...)
}

// end ends the place's process, if there is one.
func (p *place) end(grace time.Duration) error {
	if p.proc == nil {
		return nil
	}
	proc := p.proc
	p.proc = nil
	_, err := proc.end(grace)
	return errors.Join(err, proc.errors.Close())
}

// request is a line that a worker reads.
type request struct {
	ID           string          `json:"id,omitempty"`
	Key          string          `json:"key"`
	Attempt      int             `json:"attempt"`
	Tasks        []string        `json:"tasks"`
	Split        evaluator.Split `json:"split"`
	Coefficients json.RawMessage `json:"coefficients"`
	Model        string          `json:"model,omitempty"`
}

// answer is a line that a worker writes: metrics, in the forms that a command may write, or an error.
type answer struct {
	Key     *string         `json:"key"`
	Metrics json.RawMessage `json:"metrics"`
	Error   string          `json:"error"`

	found string // the beginning of the line, for errors
}

func (e *Evaluator) measure(ctx context.Context, c evaluator.Candidate, progress func(evaluator.Progress)) (evaluator.Metrics, error) {
	p := <-e.places // never waits: there are as many as may be in flight
	defer func() { e.places <- p }()
	p.mu.Lock()
	defer p.mu.Unlock()
	q, release, err := e.request(ctx, c)
	if err != nil {
		return nil, err
	}
	defer release()
	log, err := openLog(c.Log, e.options.LogLimit)
	if err != nil {
		return nil, err
	}
	defer log.close()
	a, err := e.exchange(ctx, p, q, log, progress)
	if err != nil {
		// What is in an unknown state measures nothing else.
		if p.proc != nil {
			log.say("the worker %d is ended: %v", p.slot, err)
			err = errors.Join(err, p.end(e.options.Grace))
		}
		return nil, err
	}
	switch {
	case a.Error != "":
		return nil, evaluator.Errorf(Reported, "the worker says: %s", report.Printable(a.Error))
	case len(a.Metrics) == 0 || string(a.Metrics) == "null":
		return nil, evaluator.Errorf(evaluator.NoMetrics, "the worker's answer has neither metrics nor an error: found %s", a.found)
	}
	m, err := report.Read(a.Metrics, e.options.Metrics, c.Tasks)
	if err != nil {
		return nil, fmt.Errorf("the worker's metrics: %w", err)
	}
	return m, nil
}

func (e *Evaluator) request(ctx context.Context, c evaluator.Candidate) (line []byte, release func(), err error) {
	q := request{ID: c.ID, Key: c.Key, Attempt: c.Attempt, Tasks: c.Tasks, Split: c.Split}
	if q.Coefficients, err = evaluator.CoefficientsJSON(c.At); err != nil {
		return nil, nil, err
	}
	release = func() {}
	if !e.options.NoModel {
		lease, err := c.Model(ctx, e.options.Form)
		if err != nil {
			return nil, nil, err
		}
		release = lease.Release
		if q.Model, err = filepath.Abs(lease.Path); err != nil {
			release()
			return nil, nil, err
		}
	}
	line, err = json.Marshal(q)
	return append(line, '\n'), release, err
}

// values are what the placeholders stand for in a place.
func (p *place) values() map[string]string { return map[string]string{"slot": strconv.Itoa(p.slot)} }
