package cli

import (
	"cmp"
	"encoding/json"
	"io"
	"math"
	"strconv"
	"time"

	"parfait/evaluator"
	"parfait/search"
	"parfait/study"
	"parfait/surrogate"
)

// printJSON writes one object, indented, with a line end. Keys are snake_case, maps are sorted.
func (a *app) printJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// number is a float64 that JSON can carry: what is not finite is null.
type number float64

// MarshalJSON implements json.Marshaler.
func (n number) MarshalJSON() ([]byte, error) {
	if f := float64(n); !math.IsNaN(f) && !math.IsInf(f, 0) {
		return strconv.AppendFloat(nil, f, 'g', -1, 64), nil
	}
	return []byte("null"), nil
}

// known is a number of which 0 means unknown: null.
func known(f float64) number {
	if f == 0 {
		return number(math.NaN())
	}
	return number(f)
}

type metricJSON struct {
	Value  number `json:"value"`
	Stderr number `json:"stderr"` // null: unknown
	N      *int   `json:"n"`      // null: unknown
}

func metricOf(m study.Metric) metricJSON {
	j := metricJSON{Value: number(m.Value), Stderr: known(m.Stderr)}
	if m.N > 0 {
		j.N = &m.N
	}
	return j
}

// metricsOf are the tasks' metrics, with the standard errors that are known of them.
func metricsOf(tasks []study.Task, m map[string]study.Metric) map[string]metricJSON {
	out := map[string]metricJSON{}
	for _, t := range tasks {
		if v, ok := m[t.Name]; ok {
			out[t.Name] = metricOf(t.WithStderr(v))
		}
	}
	return out
}

type predictionJSON struct {
	Value number `json:"value"`
	Std   number `json:"std"` // of what is true there on the items that were measured
	Lo    number `json:"lo"`  // of one more measurement on these items: nine times of ten it is between lo and hi
	Hi    number `json:"hi"`
}

func predictionOf(p study.Prediction) predictionJSON {
	return predictionJSON{number(p.Value), number(p.Std), number(p.Lo), number(p.Hi)}
}

func predictionsOf(tasks []study.Task, ps []study.Prediction) map[string]predictionJSON {
	out := map[string]predictionJSON{}
	for i, p := range ps {
		out[tasks[i].Name] = predictionOf(p)
	}
	return out
}

func namedPredictions(ps map[string]study.Prediction) map[string]predictionJSON {
	out := map[string]predictionJSON{}
	for task, p := range ps {
		out[task] = predictionOf(p)
	}
	return out
}

func coefficientsOf(space search.Space, x []float64) map[string]number {
	out := map[string]number{}
	for _, n := range space.Numbers() {
		out[n.Name] = number(n.At(x))
	}
	return out
}

type trialJSON struct {
	ID           int                   `json:"id"`
	Batch        int                   `json:"batch"` // −1: asked for by a person
	Origin       string                `json:"origin"`
	Why          string                `json:"why,omitempty"`
	State        study.State           `json:"state"`
	Attempt      int                   `json:"attempt"`
	Coefficients map[string]number     `json:"coefficients"`
	Metrics      map[string]metricJSON `json:"metrics"` // what the measurements come to
	Measurements []study.Measurement   `json:"measurements"`
	Error        string                `json:"error,omitempty"`
	Log          string                `json:"log,omitempty"`
	Progress     *evaluator.Progress   `json:"progress,omitempty"` // while it runs
	Started      *time.Time            `json:"started"`
	Ended        *time.Time            `json:"ended"`
	Elapsed      *number               `json:"elapsed_s"`             // that it was measured, so far or in all; null: not begun
	Remaining    *number               `json:"remaining_s,omitempty"` // expected, while it runs; none: not known
	LastLine     string                `json:"last_line,omitempty"`   // of its log, while it runs
}

// batchJSON is what the search answered once.
type batchJSON struct {
	Batch  int     `json:"batch"`
	Trials []int   `json:"trials"`
	Wait   string  `json:"wait,omitempty"`          // why it asked for nothing yet
	Advice string  `json:"advice,omitempty"`        // what its trials are expected to gain, in words
	Gain   *number `json:"expected_gain,omitempty"` // of the measured hypervolume, as a share of it
}

func batchOf(b study.Batch) batchJSON {
	out := batchJSON{Batch: b.ID, Trials: append([]int{}, b.Trials...), Wait: b.Wait, Advice: b.Advice.Text}
	if b.Advice.Text != "" {
		gain := number(b.Advice.Gain)
		out.Gain = &gain
	}
	return out
}

func batchesOf(snap *study.Snapshot) []batchJSON {
	out := []batchJSON{}
	for _, b := range snap.Batches {
		out = append(out, batchOf(b))
	}
	return out
}

func trialOf(snap *study.Snapshot, t study.Trial) trialJSON {
	moment := func(at time.Time) *time.Time {
		if at.IsZero() {
			return nil
		}
		return &at
	}
	out := trialJSON{
		ID: t.ID, Batch: t.Batch, Origin: t.Origin, Why: t.Why, State: t.State, Attempt: t.Attempt, Coefficients: coefficientsOf(snap.Space, t.X),
		Metrics: metricsOf(snap.Tasks, t.Metrics), Measurements: append([]study.Measurement{}, t.Measurements...), Error: t.Error, Log: t.Log, Started: moment(t.Started), Ended: moment(t.Ended),
	}
	if t.State == evaluator.Running && t.Progress != (evaluator.Progress{}) {
		out.Progress = &t.Progress
	}
	seconds := func(d time.Duration) *number {
		s := number(d.Seconds())
		return &s
	}
	if !t.Started.IsZero() {
		out.Elapsed = seconds(snap.Elapsed(&t))
	}
	if left, known := snap.Remaining(&t); known {
		out.Remaining = seconds(left)
	}
	if t.State == evaluator.Running {
		out.LastLine = t.Line
	}
	return out
}

func trialsOf(snap *study.Snapshot) []trialJSON {
	out := []trialJSON{}
	for _, t := range snap.Trials {
		out = append(out, trialOf(snap, t))
	}
	return out
}

type trustJSON struct {
	Fitter   string `json:"fitter"`
	N        int    `json:"n"`
	Q2       number `json:"q2"`
	Ceiling  number `json:"ceiling"`
	RMSE     number `json:"rmse"`
	Worst    number `json:"worst"`
	WorstAt  int    `json:"worst_trial"`
	Odd      []int  `json:"odd_trials"` // far from what all others predict there
	Apart    []int  `json:"apart_trials"`
	ApartWhy string `json:"apart_why,omitempty"`
	Coverage number `json:"coverage"`
	Constant bool   `json:"constant"`
	Cliff    bool   `json:"cliff"`
	CliffWhy string `json:"cliff_why,omitempty"`
	Noise    bool   `json:"noise_limited"` // predictions are as good as the noise of the evaluation allows, which is not good
	Flagged  bool   `json:"flagged"`       // its surrogate is, or the front is untested
	Why      string `json:"why,omitempty"`
	Note     string `json:"note,omitempty"`
}

func trustOf(a *study.Analysis, task int) trustJSON {
	f := a.Fits[task]
	t, flagged := f.Trust, a.Flagged(task)
	return trustJSON{
		Fitter: t.Fitter, N: t.N, Q2: number(t.Q2), Ceiling: number(t.Ceiling), RMSE: number(t.RMSE), Worst: number(t.Worst), WorstAt: worstTrial(a, f, t), Odd: trialIDs(a, f, t.Outliers), Apart: trialIDs(a, f, t.Apart), ApartWhy: a.Apart(task),
		Coverage: number(t.Coverage), Constant: t.Constant, Cliff: t.Cliff, CliffWhy: t.CliffWhy, Noise: t.NoiseLimited, Flagged: flagged != "", Why: cmp.Or(flagged, t.Why), Note: t.Note,
	}
}

// worstTrial is the id of the trial that was predicted worst, 0 where there is none.
func worstTrial(a *study.Analysis, f study.Fit, t surrogate.Trust) int {
	if t.WorstAt < 0 || t.WorstAt >= len(f.Used) {
		return 0
	}
	return a.Trials[f.Used[t.WorstAt]].ID
}

// trialIDs are the ids of some of the trials that a task was fitted to.
func trialIDs(a *study.Analysis, f study.Fit, data []int) []int {
	out := []int{}
	for _, i := range data {
		out = append(out, a.Trials[f.Used[i]].ID)
	}
	return out
}

func trustsOf(a *study.Analysis) map[string]trustJSON {
	out := map[string]trustJSON{}
	for i, f := range a.Fits {
		out[f.Task] = trustOf(a, i)
	}
	return out
}

type pointJSON struct {
	Coefficients map[string]number         `json:"coefficients"`
	Predicted    map[string]predictionJSON `json:"predicted"`
	Leverage     number                    `json:"leverage"`
	Believed     bool                      `json:"believed"`
	BelowBase    []string                  `json:"below_base"`     // objectives predicted worse than the base; null: not known
	Kept         map[string]number         `json:"kept,omitempty"` // of points of a front under floors: the probability that the floor of a task is truly kept
}

type frontJSON struct {
	pointJSON
	Probability number `json:"probability"` // that nothing on this front dominates it
}

func frontOf(a *study.Analysis, i int) frontJSON {
	p := a.Front[i]
	return frontJSON{onFrontOf(a, p), number(p.Prob)}
}

// keptOf is the probability that a point truly keeps the floors of a task under which the front was traced; NaN where it has none.
func keptOf(a *study.Analysis, task string, x []float64) float64 {
	p := math.NaN()
	for _, f := range a.Floors {
		switch k := a.Keeps(x, f); {
		case f.Task != task:
		case math.IsNaN(p):
			p = k
		default: // a band, of which it misses one end at a time
			p = max(p+k-1, 0)
		}
	}
	return p
}

func onFrontOf(a *study.Analysis, p study.FrontPoint) pointJSON {
	kept := map[string]number{}
	for _, t := range a.Tasks {
		if v := keptOf(a, t.Name, p.X); !math.IsNaN(v) {
			kept[t.Name] = number(v)
		}
	}
	return pointJSON{coefficientsOf(a.Space, p.X), predictionsOf(a.Tasks, p.Predicted), number(p.Leverage), p.Believed, a.BelowBaseNames(p.Predicted), kept}
}

func pointOf(a *study.Analysis, x []float64) pointJSON {
	p := a.Predict(x)
	return pointJSON{coefficientsOf(a.Space, x), predictionsOf(a.Tasks, p), number(a.Leverage(x)), a.Believed(x), a.BelowBaseNames(p), nil}
}

// activityJSON is what is going on.
type activityJSON struct {
	Runner study.RunnerState `json:"runner"`
	Note   string            `json:"note,omitempty"` // what it waits for, or why it stopped
	Spent  spentJSON         `json:"spent"`
}

// spentJSON is what evaluations have cost, over all runs.
type spentJSON struct {
	Hours     number  `json:"hours"`          // in which anything was measured
	SlotHours number  `json:"slot_hours"`     // summed over evaluations
	Cost      *number `json:"cost,omitempty"` // where study.yaml has a price
}

func activityOf(snap *study.Snapshot) activityJSON {
	a := snap.Activity
	out := activityJSON{a.Runner, a.Note, spentJSON{Hours: number(a.Spent.Hours), SlotHours: number(a.Spent.SlotHours)}}
	if snap.Spec.Search.Price > 0 {
		cost := number(a.Spent.Cost)
		out.Spent.Cost = &cost
	}
	return out
}

// studyJSON is what demo and run print: everything that a script wants to know of a study.
type studyJSON struct {
	Study string `json:"study"` // its folder
	activityJSON
	Trials   []trialJSON          `json:"trials"`
	Trust    map[string]trustJSON `json:"trust"`
	Front    []frontJSON          `json:"front"`
	Knee     *frontJSON           `json:"knee"` // null while there is no front
	Measured []int                `json:"measured_front"`
	Ref      map[string]number    `json:"reference_point"`
	Volume   number               `json:"hypervolume"` // of the measured front
}

func studyOf(snap *study.Snapshot) studyJSON {
	j := studyJSON{
		Study: snap.Dir, activityJSON: activityOf(snap), Trials: trialsOf(snap),
		Trust: map[string]trustJSON{}, Front: []frontJSON{}, Measured: []int{}, Ref: map[string]number{}, Volume: number(math.NaN()),
	}
	a := snap.Analysis
	if a == nil {
		return j
	}
	j.Trust, j.Volume = trustsOf(a), number(a.Hypervolume)
	for i := range a.Front {
		j.Front = append(j.Front, frontOf(a, i))
	}
	if len(a.Front) > 0 {
		j.Knee = &j.Front[a.Knee]
	}
	for _, i := range a.Measured {
		j.Measured = append(j.Measured, a.Trials[i].ID)
	}
	for o, t := range a.Objectives {
		if o < len(a.Ref) {
			j.Ref[a.Tasks[t].Name] = number(a.Ref[o])
		}
	}
	return j
}
