package study

import (
	"context"
	"slices"
	"time"

	"parfait/evaluator"
	"parfait/history"
	"parfait/problem"
)

// OriginImport is the origin of trials that were measured elsewhere.
const OriginImport = "import"

// Measured is a trial that was measured elsewhere, and where that stands.
type Measured struct {
	Where        string    // for people: results.csv:12
	X            []float64 // in the order of the study's coefficients; nil where nobody says, and nothing was measured
	State        State     // Failed or Cancelled where that came of it; anything else: what was measured counts
	Attempt      int
	Why, Error   string
	Started      time.Time
	Ended        time.Time
	Measurements []Measurement
}

// fails says whether nothing of it counts.
func (m Measured) fails() bool { return m.State == evaluator.Failed || m.State == evaluator.Cancelled }

// blank says whether there is nothing of it.
func (m Measured) blank() bool { return m.X == nil && len(m.Measurements) == 0 }

// Imported is what an import has brought.
type Imported struct {
	Trials       int `json:"trials"`       // that are new
	Measurements int `json:"measurements"` // that are new
	Known        int `json:"known"`        // trials that were there with all that was measured of them
	Unmeasured   int `json:"unmeasured"`   // that nothing was measured of: left out
	Blank        int `json:"blank"`        // of which there are neither coefficients nor figures: left out
	Outside      int `json:"outside"`      // trials outside the ranges of study.yaml
	Lacking      int `json:"lacking"`      // finished trials of the study that now lack a task: see CommandMissing
}

// Import records trials that were measured elsewhere, all or none of them, under the run lock, so that no runner is at
// work. Everything wrong is one [problem.List].
//
// What there is of a point is one trial. Of the trials given, the first at a point belongs to the study's first trial
// there, the second to its second; failed ones among the failed. What such a trial has measured already, or what its
// measurements come to, is not added again: importing the same twice changes nothing.
func (s *Study) Import(ctx context.Context, trials []Measured, who string) (Imported, error) {
	if err := s.importable(trials); err != nil {
		return Imported{}, err
	}
	if err := s.undamaged(ctx); err != nil {
		return Imported{}, err
	}
	if err := s.store.Begin(); err != nil { // before run.lock appears in the folder: see signs
		return Imported{}, s.store.Explain(err)
	}
	lock, err := takeLock(ctx, s.dir, s.store.Replaced, func(error) {})
	if err != nil {
		return Imported{}, err
	}
	defer lock.release()
	var out Imported
	err = s.store.Write("import", func(c *history.Change) (err error) {
		out, err = s.bringIn(c, trials, who)
		return err
	})
	s.changed()
	return out, s.store.Explain(err)
}

// importable says everything that is wrong with trials, and brings their points to the form that stands for the merge.
func (s *Study) importable(trials []Measured) error {
	var wrong problem.List
	for i := range trials {
		t := &trials[i]
		fail := func(err error) {
			if err != nil {
				wrong = append(wrong, problem.Problem{Code: CodeInput, Where: t.Where, What: err.Error()})
			}
		}
		if t.blank() {
			continue
		}
		x, err := s.normal(t.X)
		t.X = x
		fail(err)
		for _, m := range t.Measurements {
			var tasks []string
			for task := range m.Metrics {
				tasks = append(tasks, task)
			}
			slices.Sort(tasks)
			fail(s.judge(tasks, evaluator.Event{State: evaluator.Done, Metrics: m.Metrics}))
		}
	}
	return wrong.Err()
}

// bringIn records what is new of the trials.
func (s *Study) bringIn(c *history.Change, trials []Measured, who string) (out Imported, err error) {
	h, err := read(c.Tx, nil)
	if err != nil {
		return out, err
	}
	if err := s.asked.Load().against(s.dir, h); err != nil {
		return out, err
	}
	s.interpret(h)
	taken := map[int]bool{}
	for _, m := range trials {
		if m.blank() {
			out.Blank++
			continue
		}
		if len(m.Measurements) == 0 && m.State != evaluator.Failed {
			out.Unmeasured++
			continue
		}
		if s.outside(m.X) {
			out.Outside++
		}
		t := h.claim(m, taken)
		fresh := m.Measurements
		if t != nil {
			taken[t.ID] = true
			fresh = t.lacks(fresh)
		}
		switch {
		case t != nil && len(fresh) == 0:
			out.Known++
			continue
		case t == nil:
			if t, err = newTrial(c, m); err != nil {
				return out, err
			}
			out.Trials++
		}
		for _, one := range fresh {
			if err := t.measure(c, one); err != nil {
				return out, err
			}
			out.Measurements++
		}
		if err := t.complete(c, s.spec().Tasks); err != nil {
			return out, err
		}
	}
	if out.Trials+out.Measurements > 0 {
		if err := s.noteImport(c, h, out, who); err != nil {
			return out, err
		}
	}
	if h, err = read(c.Tx, nil); err == nil {
		s.interpret(h)
		out.Lacking = len(h.lacking)
	}
	return out, err
}

// noteImport records who has imported, and what study.yaml asked, which the figures are of from now on.
func (s *Study) noteImport(c *history.Change, h *record, out Imported, who string) error {
	id, err := c.Next(history.Commands)
	if err != nil {
		return err
	}
	body := Command{Kind: commandImport, N: out.Trials, Who: who}
	if err := c.Put(history.Commands, history.Row{"id": id, "at": c.At.UnixMilli(), "who": who, "body": body}); err != nil {
		return err
	}
	if now := s.asked.Load().identity; h.meta["identity"] != now {
		return c.Set("identity", now)
	}
	return nil
}

// claim is the first trial at the point of m that is of its kind and not taken; nil where there is none.
func (h *record) claim(m Measured, taken map[int]bool) *Trial {
	for i := range h.trials {
		t := &h.trials[i]
		failed := t.recorded == evaluator.Failed || t.recorded == evaluator.Cancelled
		if !taken[t.ID] && failed == m.fails() && samePoint(t.X, m.X) {
			return t
		}
	}
	return nil
}

// lacks are those of the measurements that the trial has not: each of its own stands for one. What all of its own come to
// is none.
func (t *Trial) lacks(of []Measurement) (fresh []Measurement) {
	own := slices.Clone(t.Measurements)
	for _, m := range of {
		i := slices.IndexFunc(own, m.sameFigures)
		switch {
		case i >= 0:
			own = slices.Delete(own, i, i+1)
		case m.Split == evaluator.Validation && m.sameFigures(Measurement{Split: m.Split, Metrics: t.Metrics}):
		default:
			fresh = append(fresh, m)
		}
	}
	return fresh
}

// sameFigures says whether both say the same of the same tasks. A standard error that is not known may be one that
// follows from the number of items.
func (m Measurement) sameFigures(o Measurement) bool {
	if m.Split != o.Split || len(m.Metrics) != len(o.Metrics) {
		return false
	}
	for task, v := range m.Metrics {
		w, ok := o.Metrics[task]
		derived := func(v Metric) bool {
			return v.Stderr == 0 || v == Task{Unit: "rate"}.WithStderr(Metric{Value: v.Value, N: v.N})
		}
		if !ok || v.Value != w.Value || v.N != w.N || v.Stderr != w.Stderr && !(derived(v) && derived(w)) {
			return false
		}
	}
	return true
}

// newTrial records that there is a trial. One that lacks tasks is finished too, until somebody asks for what it lacks.
func newTrial(c *history.Change, m Measured) (*Trial, error) {
	id, err := c.Next(history.Trials)
	if err != nil {
		return nil, err
	}
	t := &Trial{ID: id, Attempt: max(1, m.Attempt), Metrics: map[string]Metric{}, recorded: evaluator.Done}
	if m.fails() {
		t.recorded = m.State
	}
	for _, one := range m.Measurements {
		t.Attempt = max(t.Attempt, one.Attempt)
	}
	return t, c.Put(history.Trials, history.Row{
		"id": id, "batch": -1, "origin": OriginImport, "why": m.Why, "x": m.X, "state": t.recorded, "attempt": t.Attempt, "error": m.Error,
		"created": c.At.UnixMilli(), "started": toUnix(m.Started), "ended": toUnix(m.Ended),
	})
}

// measure records a measurement of the trial that was made elsewhere. It is none that was asked for since.
func (t *Trial) measure(c *history.Change, m Measurement) error {
	id, err := c.Next(history.Measurements)
	if err != nil {
		return err
	}
	m.ID = id
	if m.Attempt = min(max(1, m.Attempt), t.Attempt); t.since > 0 {
		m.Attempt = min(m.Attempt, t.since-1)
	}
	if m.At.IsZero() {
		m.At = c.At
	}
	t.add(m)
	return c.Put(history.Measurements, history.Row{
		"id": id, "trial": t.ID, "attempt": m.Attempt, "evaluator": m.Evaluator, "split": m.Split, "at": m.At.UnixMilli(), "tasks": m.Metrics,
	})
}

// complete says that a trial which waits is done, where nothing that study.yaml asks for is missing any more.
func (t *Trial) complete(c *history.Change, tasks []Task) error {
	lacks := func(task Task) bool { _, ok := t.Metrics[task.Name]; return !ok }
	if t.recorded.Final() || t.since > 0 || slices.ContainsFunc(tasks, lacks) {
		return nil
	}
	return c.Put(history.Trials, history.Row{"id": t.ID, "state": evaluator.Done, "error": "", "started": 0, "ended": c.At.UnixMilli()})
}

// outside says whether a point is outside the ranges of study.yaml.
func (s *Study) outside(x []float64) bool {
	for i, k := range s.space().Coefficients {
		if x[i] < k.Lo-1e-9 || x[i] > k.Hi+1e-9 {
			return true
		}
	}
	return false
}

func toUnix(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}
