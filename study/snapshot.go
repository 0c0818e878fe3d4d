package study

import (
	"encoding/json"
	"math"
	"slices"
	"time"

	"parfait/evaluator"
	"parfait/merge"
	"parfait/search"
	"parfait/surrogate"
)

// Trial is one coefficient vector that is, was or will be measured. What was measured of it never changes.
type Trial struct {
	ID           int                `json:"id"` // from 1
	Batch        int                `json:"batch"`
	Origin       string             `json:"origin"` // "search", OriginImport, or who asked for it
	Why          string             `json:"why,omitempty"`
	X            []float64          `json:"-"` // in the order of Snapshot.Space
	State        State              `json:"state"`
	Attempt      int                `json:"attempt"`
	Metrics      map[string]Metric  `json:"metrics"` // what the measurements come to
	Error        string             `json:"error,omitempty"`
	Log          string             `json:"log,omitempty"`
	Progress     evaluator.Progress `json:"-"`
	Line         string             `json:"-"`                      // the last of its log while it runs, as on a terminal; a second old at most
	Measurements []Measurement      `json:"measurements,omitempty"` // by id
	Created      time.Time          `json:"created"`
	Started      time.Time          `json:"started,omitzero"`
	Ended        time.Time          `json:"ended,omitzero"`

	recorded State // in the history; State may be another, where study.yaml asks for more than was measured
	since    int   // the attempt from which on measurements answer what is asked now, 0 for all
}

// answered says whether what is asked now of a task was measured.
func (t *Trial) answered(task string) bool {
	return slices.ContainsFunc(t.Measurements, func(m Measurement) bool {
		_, ok := m.Metrics[task]
		return ok && m.Split == evaluator.Validation && m.Attempt >= t.since
	})
}

// counts says whether its figures are ones to fit: it is done, or was and is being measured once more.
func (t *Trial) counts() bool { return t.State == evaluator.Done || t.since > 0 && !t.State.Final() }

// took is how long it took to measure; known is false where nobody has seen it begin and end.
func (t *Trial) took() (d time.Duration, known bool) {
	return t.Ended.Sub(t.Started), !t.Started.IsZero() && !t.Ended.IsZero()
}

// partMeasured says whether something was measured in this attempt.
func (t *Trial) partMeasured() bool {
	return slices.ContainsFunc(t.Measurements, func(m Measurement) bool { return m.Attempt == t.Attempt })
}

// Prediction of one metric at one point, on the metric's scale. Far from the samples anything but Value
// may be infinite; JSON has null for what is not finite.
type Prediction struct {
	Value, Std float64 // of what is true there, on the items that were measured
	Lo, Hi     float64 // what one more measurement on these items says, nine times of ten
}

type predictionJSON struct {
	Value *float64 `json:"value"`
	Std   *float64 `json:"std"`
	Lo    *float64 `json:"lo"`
	Hi    *float64 `json:"hi"`
}

// MarshalJSON implements json.Marshaler.
func (p Prediction) MarshalJSON() ([]byte, error) {
	finite := func(v float64) *float64 {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil
		}
		return &v
	}
	return json.Marshal(predictionJSON{finite(p.Value), finite(p.Std), finite(p.Lo), finite(p.Hi)})
}

// UnmarshalJSON implements json.Unmarshaler; null is NaN.
func (p *Prediction) UnmarshalJSON(b []byte) error {
	var j predictionJSON
	err := json.Unmarshal(b, &j)
	number := func(v *float64) float64 {
		if v == nil {
			return math.NaN()
		}
		return *v
	}
	*p = Prediction{number(j.Value), number(j.Std), number(j.Lo), number(j.Hi)}
	return err
}

// Fit is one task's surrogate with its trust.
type Fit struct {
	Task      string
	Surrogate surrogate.Surrogate
	Trust     surrogate.Trust
	// Used are the trials fitted: Used[i] is the index in Analysis.Trials of datum i, so that
	// Trust.LOO[i] stands beside its measured value.
	Used []int
}

// FrontPoint is a point of the predicted front.
type FrontPoint struct {
	X         []float64
	Predicted []Prediction // a task, in the order of Snapshot.Tasks
	Leverage  float64
	Believed  bool    // inside the region where the surrogates may be believed
	Prob      float64 // probability that no other point of this front dominates it; 0: unknown
}

// Reference is a point with a name: each model alone, the base, the uniform average.
type Reference struct {
	Name      string
	X         []float64
	Predicted []Prediction
	Trial     int // index in Analysis.Trials where it was measured, −1 where not
}

// Analysis is what the finished trials say: surrogates, the front on them, and its named points.
// Immutable, and the same for the same trials.
type Analysis struct {
	Space       search.Space
	Tasks       []Task
	Objectives  []int        // indices in Tasks of the tasks that are optimised
	Trials      []Trial      // those that are done, by id
	Fits        []Fit        // a task
	Front       []FrontPoint // sorted by the first objective, worst first; at least one point
	Knee        int          // index in Front
	Untested    string       // why no figure of trust speaks of the front, in words; ""
	Best        []int        // a task: index in Front of the point best on it, −1 for tasks not optimised or constant
	Measured    []int        // indices in Trials of the measured front
	References  []Reference
	Ref         []float64 // hypervolume's reference point, a value an objective, metric's scale
	Hypervolume float64   // of the measured front
	History     []float64 // hypervolume of the measured front after each finished trial

	Surrogate surrogate.Choice // what study.yaml asked for

	Floors []search.Floor // under which Front was traced: study.yaml's, or those of Under
	Unmet  *search.Unmet  // what is missing where they cannot be kept, so that Front is of what does not keep them; else nil

	landscape *search.Landscape
	numbered  []FrontPoint // the study's own front, where Front is another
	failed    int          // trials that had failed by then
	todo      string       // what measures more of the front
}

// RunnerState says what the runner does.
type RunnerState string

// States of the runner.
const (
	Idle     RunnerState = "idle"     // no runner alive
	Sampling RunnerState = "sampling" // a runner is evaluating
	Paused   RunnerState = "paused"   // a runner is alive and holds
	Waits    RunnerState = "waits"    // a runner has met trouble of the machine, which Note tells, and goes on by itself
	Finished RunnerState = "finished" // the budget is spent, or the strategy has no more to ask
)

// Alive says whether a runner is.
func (s RunnerState) Alive() bool { return s == Sampling || s == Paused || s == Waits }

// Activity is what is going on.
type Activity struct {
	Runner     RunnerState
	Host       string // of the runner that is alive
	PID        int
	Beat       time.Time // its last heartbeat
	Budget     int       // trials in all: Search and what people asked for
	Search     int       // trials that the search may ask for, or has: what CommandBudget sets, unless it asked for more before
	Done       int       // trials finished, failed ones included
	Failed     int
	Running    int
	Waiting    int
	Throttle   int           // candidates at once in evaluators that take another number at work, as CommandThrottle sets it; 0: there are none
	ETA        time.Duration // 0: unknown
	Note       string        // why it stopped or what it waits for, in words
	Spent      Spent
	NextBudget int // of study.yaml, for the next runner, where the one at work began with another; 0 else
}

// Spent is what evaluations have cost, over all runs.
type Spent struct {
	Hours     float64 // in which anything was measured
	SlotHours float64 // summed over evaluations
	Cost      float64 // of those, 0 without a price
	Words     string  // of what study.yaml limits or gives a price for, "" where it does neither
}

// Pick is a trade-off that somebody chose, and why.
type Pick struct {
	ID        int                   `json:"id"`
	Name      string                `json:"name"`
	X         []float64             `json:"-"`
	Predicted map[string]Prediction `json:"predicted"`
	Why       string                `json:"why"`
	Anyway    []string              `json:"anyway,omitempty"` // tasks whose floors it was kept in spite of
	Wishes    *search.Wishes        `json:"wishes,omitempty"` // that it was chosen by; nil: otherwise
	Who       string                `json:"who,omitempty"`
	At        time.Time             `json:"at"`
}

// Warned is what an export was written in spite of: it goes into its receipt and its card.
type Warned struct {
	BelowBase []string          `json:"below_base"`              // objectives predicted worse than the base; nil: not known
	Breaks    []string          `json:"breaks_floors,omitempty"` // tasks whose floors in study.yaml are predicted to be broken
	Flagged   map[string]string `json:"flagged,omitempty"`       // tasks whose predictions should not be believed, and why
}

// Export is a checkpoint that was written from this study.
type Export struct {
	ID        int                   `json:"id"`
	Name      string                `json:"name"`
	Out       string                `json:"out"`
	Form      string                `json:"form,omitempty"`       // "" for FormFull, of earlier versions
	Cut       *merge.Cut            `json:"truncation,omitempty"` // of an adapter that was brought to a rank
	X         []float64             `json:"-"`
	Predicted map[string]Prediction `json:"predicted"`
	Doubt     string                `json:"doubt,omitempty"` // why Predicted is not to be believed; "" where it is
	Warned
	OnFront  bool                                            `json:"on_front,omitempty"`
	Measured map[evaluator.Split]map[string]evaluator.Metric `json:"measured"`
	// BesideFiles says of which tasks Measured is not of the files that were written, and why.
	BesideFiles map[string]string `json:"measured_beside_files,omitempty"`
	Receipt     string            `json:"receipt"` // path
	// ReceiptHash is receipt.json's SHA-256, "" for an export of an earlier version; ReceiptNext that of the one that is
	// being put in its place, "" when it is there.
	ReceiptHash string        `json:"receipt_hash,omitempty"`
	ReceiptNext string        `json:"receipt_next,omitempty"`
	Bytes       int64         `json:"bytes"`
	Took        time.Duration `json:"took"` // to write and check
	At          time.Time     `json:"at"`
}

// Snapshot is everything about a study at one moment. Immutable; share it freely.
type Snapshot struct {
	Name     string
	Dir      string
	Now      time.Time // when it was made
	Spec     *Spec
	Space    search.Space
	Tasks    []Task
	Trials   []Trial
	Batches  []Batch   // what the strategy answered, in the order in which it was asked
	Analysis *Analysis // nil while there are too few finished trials to fit
	Activity Activity
	Focus    *search.Focus // where the search looks; nil: at the whole front
	Picks    []Pick
	Exports  []Export
	Weights  map[string]string // fingerprints of the base's and the models' weights that trials were measured with, as far as known
	Damage   string            // what is wrong with the history, which could be read all the same; ""
	Problem  string            // why Trials or Analysis are not what the history says now; "" where they are
	Revision int64             // grows with every snapshot
}
