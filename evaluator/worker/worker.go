//go:build linux || darwin

// Package worker measures candidates with programs that stay: a model server, a judge, whatever takes long
// to load and would be loaded anew for every candidate.
//
// Each of its slots has one process, started when it is first needed. A candidate goes in as a line of
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
	"strconv"
	"sync"
	"time"

	"parfait/evaluator"
	"parfait/evaluator/internal/option"
	"parfait/evaluator/internal/placeholder"
	"parfait/evaluator/internal/process"
	"parfait/evaluator/internal/question"
	"parfait/evaluator/internal/report"
)

// Reported is the code of a failure that a worker itself reported; it goes on with the next candidate.
const Reported evaluator.Code = "reported"

// Options say what to run and how. The zero value of each but Command is a good one.
type Options struct {
	Command  []string          // program and arguments; {slot} is the number of its slot
	Parallel int               // processes, and so candidates at once, 0: a device each, or 1
	Tries    int               // of a candidate, see evaluator.Limits
	Timeout  time.Duration     // for one candidate, with the start of the process where it is needed; 0: none
	Grace    time.Duration     // between SIGTERM and SIGKILL, 0: 10 s
	Dir      string            // working directory, "": the runner's
	Env      map[string]string // set beside the runner's own environment; with {slot}
	Devices  []string          // CUDA_VISIBLE_DEVICES of the slots, in turn; empty: as it is
	NoModel  bool              // the merged model is not wanted; else its path is in the request
	Form     evaluator.Form    // of the model, "": a folder
	MaxRank  int               // of an adapter's modules, 0: whatever they have
	Splits   []evaluator.Split // that it can measure, empty: validation
	Metrics  map[string]string // where a task's figure is in the answer, where not under the task's name
	LogLimit int64             // bytes of output that are kept in a candidate's log, 0: evaluator.MaxLog
}

var placeholderDocs = placeholder.Names{"slot": "0 … parallel−1, the number of the worker's slot"}

// ParseOptions reads the options as study.yaml has them. Everything wrong is returned, each error naming
// its key. Documented says which there are.
func ParseOptions(m map[string]any) (Options, []error) {
	var o Options
	errs := o.set().Read("a worker", m)
	return o, errs
}

// Documented are the options that ParseOptions knows.
func Documented() []evaluator.Option { return new(Options).set().Documented() }

// set are the options, to be read into o.
func (o *Options) set() option.Set {
	return option.Set{
		option.Program("worker", &o.Command, placeholderDocs),
		option.Parallel(&o.Parallel, "1, or one for each of `devices`"),
		option.Timeout(&o.Timeout, "for one candidate, with the start of the program where it is needed"),
		option.Grace(&o.Grace),
		option.Tries(&o.Tries),
		option.Dir(&o.Dir),
		option.Env(&o.Env, placeholderDocs),
		option.Devices(&o.Devices, &o.Env),
		option.NoModel(&o.NoModel),
		option.Form(&o.Form),
		option.MaxRank(&o.MaxRank, &o.Form),
		option.Splits(&o.Splits, "validation"),
		option.Metrics(&o.Metrics),
	}
}

// Evaluator keeps the processes. Close ends them; so does the end of the runner, where nobody does.
type Evaluator struct {
	evaluator.Evaluator
	options Options
	slots   chan *slot
	all     []*slot
}

// slot is where one process runs, or may run.
type slot struct {
	number int

	mu   sync.Mutex // held while a candidate is measured there
	proc *proc      // nil where none runs
}

// New checks the options and makes the evaluator. Nothing is started yet.
func New(o Options) (*Evaluator, error) {
	if err := errors.Join(o.set().Check()...); err != nil {
		return nil, err
	}
	o.Parallel = cmp.Or(o.Parallel, len(o.Devices), 1)
	o.Grace = cmp.Or(o.Grace, 10*time.Second)
	o.Form = cmp.Or(o.Form, evaluator.Folder)
	e := &Evaluator{options: o, slots: make(chan *slot, o.Parallel)}
	for i := range o.Parallel {
		p := &slot{number: i}
		e.all = append(e.all, p)
		e.slots <- p
	}
	e.Evaluator = evaluator.Blocking(evaluator.Limits{
		InFlight: o.Parallel, Files: keptFiles * o.Parallel, NeedsModel: !o.NoModel, Form: o.Form, MaxRank: o.MaxRank, Elsewhere: option.Elsewhere(o.Command), Splits: o.Splits, Timeout: o.Timeout, Tries: o.Tries,
	}, e.measure)
	return e, nil
}

// Close ends the processes, and says what one said that ended with a status of its own. What is measured after that
// starts new ones.
func (e *Evaluator) Close() error {
	var errs []error
	for _, p := range e.all {
		p.mu.Lock()
		if proc := p.proc; proc != nil {
			p.proc = nil
			errs = append(errs, proc.farewell(p.number, e.options.Grace))
		}
		p.mu.Unlock()
	}
	return errors.Join(errs...)
}

// farewell ends a worker that has answered everything. Its own status is its word that something was wrong.
func (p *proc) farewell(slot int, grace time.Duration) error {
	status, err := p.end(grace)
	if last := p.lastWords(); err == nil && status != 0 && process.SignalName(status) == "" && last != "" {
		err = fmt.Errorf("the worker %d ended with exit status %d: %s", slot, status, report.Reason([]byte(last)))
	}
	return errors.Join(err, p.errors.Close())
}

// end ends the slot's process, if there is one.
func (p *slot) end(grace time.Duration) error {
	if p.proc == nil {
		return nil
	}
	proc := p.proc
	p.proc = nil
	_, err := proc.end(grace)
	return errors.Join(err, proc.errors.Close())
}

// answer is a line that a worker writes: metrics, in the forms that a command may write, or an error.
type answer struct {
	Key     *string         `json:"key"`
	Metrics json.RawMessage `json:"metrics"`
	Error   string          `json:"error"`
	Model   string          `json:"model"` // the folder whose files were measured, where it says so

	found string // the beginning of the line, for errors
}

func (e *Evaluator) measure(ctx context.Context, c evaluator.Candidate, progress func(evaluator.Progress)) (evaluator.Metrics, error) {
	p := <-e.slots // never waits: there are as many as may be in flight
	defer func() { e.slots <- p }()
	p.mu.Lock()
	defer p.mu.Unlock()
	line, q, release, err := e.request(ctx, c)
	if err != nil {
		return nil, err
	}
	defer release()
	log, err := evaluator.OpenLog(c.Log, e.options.LogLimit)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	a, err := e.exchange(ctx, p, line, log, progress)
	if err != nil {
		// What is in an unknown state measures nothing else.
		if p.proc != nil {
			log.Say("the worker %d is ended: %v", p.number, err)
			err = errors.Join(err, p.end(evaluator.Left(ctx, e.options.Grace)))
		}
		return nil, err
	}
	switch {
	case a.Error != "":
		return nil, evaluator.Errorf(Reported, "the worker says: %s", report.Printable(a.Error))
	case len(a.Metrics) == 0 || string(a.Metrics) == "null":
		return nil, evaluator.Errorf(evaluator.NoMetrics, "the worker's answer has neither metrics nor an error: found %s", a.found)
	}
	m, err := report.Read(a.Metrics, report.Source{Where: e.options.Metrics, Optional: c.Timed}, c.Tasks)
	if err != nil {
		return nil, fmt.Errorf("the worker's metrics: %w", err)
	}
	q.Looked(c, a.Model)
	return m, nil
}

// request is the line that the worker reads, and the question in it.
func (e *Evaluator) request(ctx context.Context, c evaluator.Candidate) (line []byte, q question.Question, release func(), err error) {
	form := e.options.Form
	if e.options.NoModel {
		form = ""
	}
	q, release, err = question.Of(ctx, c, form)
	if err != nil {
		return nil, q, nil, err
	}
	line, err = json.Marshal(q)
	return append(line, '\n'), q, release, err
}

// values are what the placeholders stand for in a slot.
func (p *slot) values() map[string]string { return map[string]string{"slot": strconv.Itoa(p.number)} }
