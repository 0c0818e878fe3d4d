// Package evaluator measures merged models.
//
// In comes a Candidate: coefficients and, on demand, the merged model as a folder on disk. Out go
// Events that end in metrics or an error, for every candidate exactly once. One contract, several
// kinds (digits in process, a command of the user's, …), one conformance suite: evaluatortest.
//
// An evaluator knows nothing of studies, surrogates or merging; it may read safetensors files.
//
// To measure with one: make it ([parfait/evaluator/command.New] starts a program for every candidate,
// [parfait/evaluator/http.New] asks a server, [parfait/evaluator/worker.New] a program that stays), call its
// Recover once with what an earlier process left open, then Submit.
// To write one: hand a function that measures one candidate to [Blocking], and the result to
// [parfait/evaluator/evaluatortest.Run] in its test; [OpenLog], [Check] and [Errorf] do what every kind needs.
// What an evaluation that outlives its runner has to keep to is said at [Evaluator].
package evaluator

import (
	"context"
	"encoding/json"
	"path/filepath"
	"time"
)

// Split names the part of a task's data that is measured. Search only ever sees Validation; a pick is
// optimistic there, so exports are measured on Test too.
type Split string

// The two splits.
const (
	Validation Split = "validation"
	Test       Split = "test"
)

// Form is the shape in which an evaluator wants the merged model.
type Form string

// Forms of a candidate's model.
const (
	Folder  Form = "folder"  // a Hugging Face folder: config, tokenizer, safetensors
	Adapter Form = "adapter" // a PEFT LoRA folder on the base
)

// State is where a candidate's evaluation stands.
type State string

// The states of a candidate. Done, Failed and Cancelled are final.
const (
	Waiting   State = "waiting"
	Running   State = "running"
	Done      State = "done"
	Failed    State = "failed"
	Cancelled State = "cancelled"
)

// Final says whether no event can follow.
func (s State) Final() bool { return s == Done || s == Failed || s == Cancelled }

// Coefficient is one named number that was turned.
type Coefficient struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
}

// Metric is one measured figure, in the task's own unit and sense.
// Stderr is its standard error, N the number of independent items behind it; 0 means unknown.
type Metric struct {
	Value  float64 `json:"value"`
	Stderr float64 `json:"stderr,omitempty"`
	N      int     `json:"n,omitempty"`
}

// Metrics maps a task's name to its metric.
type Metrics map[string]Metric

// Progress of one evaluation: Done of Total items (Total 0: unknown), and a short note.
type Progress struct {
	Done  int    `json:"done"`
	Total int    `json:"total"`
	Note  string `json:"note,omitempty"`
}

// Lease is a merged model that stays on disk until Release is called. Release may be called twice.
type Lease struct {
	Path    string
	Release func()
}

// RunInfix follows a candidate's Log in the names of folders in which an evaluator keeps what has to outlive the
// runner: LOG.run-N-ID, N being the attempt and ID the candidate's, so that whoever finds one can tell whose it is. It deletes them as said at Evaluator; when nothing is open the runner deletes what is left.
const RunInfix = ".run-"

// KeptPrefix begins the names of folders beside merged models in which an evaluator keeps their files for an evaluation
// that outlives the runner. It deletes them itself.
const KeptPrefix = ".kept-"

// Candidate is a trial as an evaluator sees it.
//
// Its ID stands for the question: who has the answer under that ID may give it back instead of measuring.
// It is the same after an interruption, whoever caused it, and another where a person has asked to try
// again, for each trial, split and set of tasks, and in every other study, whatever its name. It is of letters,
// digits and - only.
type Candidate struct {
	Key     string   // "study/trial": stable across attempts and restarts
	ID      string   // of the question, see below
	Merge   string   // the same for all questions about one merge, and for no other; "": not known
	Attempt int      // from 1
	Tasks   []string // what to measure: metrics for exactly these must come back, and for Timed
	// Timed are tasks whose figure is how many seconds the evaluation of Tasks takes, from its start: waiting for a slot or
	// in a queue, and making the model, left out. Nobody is asked for them; where the evaluation reports one itself, that
	// counts. See Time.
	Timed []string
	Split Split         // validation or test
	At    []Coefficient // ordered
	// Recipe is the merge as JSON, with absolute paths and everything that is needed to make it; nil where there is none.
	Recipe json.RawMessage
	Log    string // file that the evaluator's output is appended to, see RunInfix; "" for none
	// Model materialises the merged model; the caller releases the lease. Nil where there is none.
	Model func(ctx context.Context, form Form) (Lease, error)
	// Digests works out here, without writing anything, the hashes of the files of weights that the merge has in a form,
	// by name, as `parfait merge --json` tells them; nil where nobody can. It takes as long as a merge.
	Digests func(ctx context.Context, form Form) (map[string]string, error)
	// Written is the folder of a checkpoint that is there already and is to be measured, an export; "" for none. Who
	// needs no model is told of it, and calls Looked where the figures are known to be those of its files.
	Written string
	Looked  func() // nil: nobody wants to know
}

// ModelPath returns the absolute path of the model in the given form; "" wants none made, and gives that of an export,
// which is there, or "". The model is there until release is called; release is not to be called where err is set.
func (c Candidate) ModelPath(ctx context.Context, form Form) (path string, release func(), err error) {
	if form == "" {
		if c.Written != "" {
			path, err = filepath.Abs(c.Written)
		}
		return path, func() {}, err
	}
	lease, err := c.Model(ctx, form)
	if err != nil {
		return "", nil, err
	}
	if path, err = filepath.Abs(lease.Path); err != nil {
		lease.Release()
	}
	return path, lease.Release, err
}

// Time gives the Timed tasks that m has no figure of the time that the evaluation took, where that is known (above 0),
// and returns m.
func (c Candidate) Time(m Metrics, took time.Duration) Metrics {
	for _, task := range c.Timed {
		if _, reported := m[task]; !reported && m != nil && took > 0 {
			m[task] = Metric{Value: took.Seconds()}
		}
	}
	return m
}

// Event tells where one candidate stands. Metrics are set when Done, Err when Failed or Cancelled.
type Event struct {
	Key      string
	Attempt  int
	State    State
	Metrics  Metrics
	Progress Progress
	Err      error
	// Elapsed, of a final event, is how long it held what has to be paid for; 0: since it was submitted.
	Elapsed time.Duration
}

// Limits say how an evaluator wants to be fed.
type Limits struct {
	InFlight   int           // candidates at once, at least 1
	Batch      int           // candidates a Submit, at least 1
	Files      int           // that it keeps open between candidates, at most
	NeedsModel bool          // whether Candidate.Model will be called
	Merges     bool          // it merges by Candidate.Recipe itself, from models that are where they are for the runner
	Form       Form          // in which it will ask for the model; "": Folder
	MaxRank    int           // of an Adapter's modules; 0: whatever they have
	Elsewhere  bool          // it may measure where the disk of this machine is seen, and its memory (/dev/shm) is not
	Splits     []Split       // which splits it can measure
	Timeout    time.Duration // for one candidate, from when it has its model; 0: none
	// Tries is how often the runner has a candidate measured at most where what ended an evaluation may not be its fault: it
	// was killed, the disk was full. 0: as the runner sees fit.
	Tries int
}

// Evaluator measures candidates.
//
// Submit measures a batch and returns when every candidate has had its final event, or when ctx is
// cancelled, after a Cancelled event for each that was open. It returns an error only where nothing
// could be started at all; a candidate's own failure is an event. After a restart of the runner Recover is
// called once, before any Submit, with the candidates that were open: it emits final events for those
// whose results are known, stops what is left running of the others, and returns their keys. An evaluation that may as
// well go on is left running, and told by an event with the state Running: the runner submits that candidate, with the
// same ID and Attempt, before any other, and Submit takes the evaluation up.
//
// emit may be called from several goroutines. With a final event it returns when the event is on record,
// or with an error where it could not be recorded. Until it has returned nil, an evaluator whose results
// outlive the runner keeps everything that it needs to tell them again: the runner may be killed at any
// moment, in Recover too, and the next one asks about whatever is not on record.
type Evaluator interface {
	Limits() Limits
	Submit(ctx context.Context, batch []Candidate, emit func(Event) error) error
	Recover(ctx context.Context, open []Candidate, emit func(Event) error) (unknown []string, err error)
}

// Sweeper is an Evaluator whose evaluations may go on while nobody runs, and are taken up when the same question is asked
// again. Sweep is called after Recover, before any Submit, and says which questions may still be asked: it ends and
// deletes what is left of the others.
type Sweeper interface {
	Sweep(wanted func(id string) bool) error
}

// Throttled is an Evaluator that can be told, while it is at work, to measure another number of candidates at once, at
// least 1: Limits().InFlight from then on. Where it measures more of them, those come to their end.
type Throttled interface {
	Evaluator
	Throttle(n int)
}
