package study

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"

	"parfait/evaluator"
	"parfait/history"
)

// record is all of the history at one moment. Trials that did not change are shared between records: nobody
// changes them.
type record struct {
	meta    map[string]string
	trials  []Trial // by id
	batches []Batch // by id, from 0 and without a gap
	picks   []Pick
	exports []Export
	retries map[int]int // how often a person has asked to measure a trial again

	lacking []int // finished trials that were not measured on every task that study.yaml asks for

	fresh    map[int]bool // trials that this load has found changed
	of       *asked       // what the others stand for, see Study.interpret; nil: nothing
	searched int          // trials that the search has asked for
	over     int          // trials at the beginning that are over, as far as was looked

	line    int64 // of the journal, that it has come to; 0: not known
	damaged error // what is wrong with the history, where this could be read all the same
}

// trial returns the trial with an id, or nil.
func (h *record) trial(id int) *Trial {
	i, ok := h.find(id)
	if !ok {
		return nil
	}
	return &h.trials[i]
}

func (h *record) find(id int) (int, bool) {
	return slices.BinarySearchFunc(h.trials, id, func(t Trial, id int) int { return t.ID - id })
}

// expect makes a finished trial wait that was not measured on all of the tasks, as tasks are that were added to study.yaml.
func (h *record) expect(t *Trial, tasks []Task) {
	if t.State = t.recorded; t.State != evaluator.Done {
		return
	}
	for _, task := range tasks {
		if _, ok := t.Metrics[task.Name]; !ok {
			t.State, h.lacking = evaluator.Waiting, append(h.lacking, t.ID)
			return
		}
	}
}

// open are the trials that are not over, and such as are between them. Of thousands that are over few are looked at.
func (h *record) open() []Trial {
	for h.over < len(h.trials) && h.trials[h.over].State.Final() {
		h.over++
	}
	return h.trials[h.over:]
}

// finished is how many trials are over.
func (h *record) finished() int {
	open := h.open()
	n := len(h.trials) - len(open)
	for i := range open {
		if open[i].State.Final() {
			n++
		}
	}
	return n
}

// measured is how many trials have anything measured, whatever became of them.
func (h *record) measured() int {
	n := 0
	for i := range h.trials {
		if len(h.trials[i].Metrics) > 0 {
			n++
		}
	}
	return n
}

// load reads the history. Of the trials only those are read that have changed since prev, an earlier load
// or nil: a study of thousands is followed at the price of what changes. What is damaged is read whole, since that is
// how it is noticed.
func (s *store) load(ctx context.Context, prev *record) (*record, error) {
	h := &record{meta: map[string]string{}, retries: map[int]int{}}
	trouble, err := s.Read(ctx, func(tx *history.Tx) (err error) {
		h, err = read(tx, prev)
		return err
	})
	h.damaged = trouble
	return h, err
}

// read is load in a transaction.
func read(tx *history.Tx, prev *record) (h *record, err error) {
	h = &record{retries: map[int]int{}, fresh: map[int]bool{}}
	if h.line, err = tx.Line(); err != nil {
		return h, err
	}
	if h.meta, err = metaOf(tx); err != nil {
		return h, err
	}
	after := int64(0)
	if prev != nil && prev.damaged == nil && prev.line > 0 && h.line >= prev.line {
		after, h.trials, h.retries, h.batches = prev.line, slices.Clone(prev.trials), maps.Clone(prev.retries), slices.Clone(prev.batches)
		h.searched, h.of, h.lacking = prev.searched, prev.of, slices.Clone(prev.lacking)
	}
	return h, errors.Join(h.readBatches(tx, after), h.readTrials(tx, after), h.readMeasurements(tx, after), h.readProgress(tx), h.readCommands(tx, after), h.readPicks(tx), h.readExports(tx))
}

func (h *record) readTrials(tx *history.Tx, after int64) error {
	return history.Trials.Rows(tx, after, func(scan func(...any) error) error {
		t := Trial{Metrics: map[string]Metric{}}
		var created, started, ended int64
		if err := scan(&t.ID, &t.Batch, &t.Origin, &t.Why, &t.X, &t.recorded, &t.Attempt, &t.since, &t.Error, &created, &started, &ended); err != nil {
			return err
		}
		t.State = t.recorded
		t.Created, t.Started, t.Ended = fromUnix(created), fromUnix(started), fromUnix(ended)
		if i, ok := h.find(t.ID); ok {
			t.Measurements, t.Metrics = h.trials[i].Measurements, h.trials[i].Metrics
			h.trials[i] = t
		} else {
			h.trials = append(h.trials, t)
			h.asked(t)
		}
		h.fresh[t.ID] = true
		return nil
	})
}

// asked counts a trial that the search has asked for.
func (h *record) asked(t Trial) {
	if t.Batch < 0 {
		return
	}
	h.searched++
	if t.Batch < len(h.batches) {
		b := &h.batches[t.Batch]
		b.Trials = append(slices.Clip(b.Trials), t.ID) // others may have it
	}
}

func (h *record) readMeasurements(tx *history.Tx, after int64) error {
	return history.Measurements.Rows(tx, after, func(scan func(...any) error) error {
		var m Measurement
		var at int64
		var trial int
		if err := scan(&m.ID, &trial, &m.Attempt, &m.Evaluator, &m.Split, &at, &m.Metrics); err != nil {
			return err
		}
		m.At = fromUnix(at)
		if t := h.trial(trial); t != nil {
			t.add(m)
			h.fresh[t.ID] = true
		}
		return nil
	})
}

// readProgress reads how far the trials are that run.
func (h *record) readProgress(tx *history.Tx) error {
	if !slices.ContainsFunc(h.trials, func(t Trial) bool { return t.State == evaluator.Running }) {
		return nil
	}
	rows, err := tx.Query("SELECT trial, body FROM progress")
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var id int
		var body string
		if err := rows.Scan(&id, &body); err != nil {
			return err
		}
		if t := h.trial(id); t != nil && t.State == evaluator.Running {
			t.Progress = evaluator.Progress{}
			_ = json.Unmarshal([]byte(body), &t.Progress) // it may be lost
		}
	}
	return rows.Err()
}

// readCommands counts what people have asked to be measured again.
func (h *record) readCommands(tx *history.Tx, after int64) error {
	return history.Commands.Rows(tx, after, func(scan func(...any) error) error {
		var c Command
		err := scan(nil, nil, nil, &c)
		if c.Kind == CommandRetry {
			h.retries[c.N]++
		}
		return err
	})
}

func (h *record) readPicks(tx *history.Tx) error {
	return history.Picks.Rows(tx, 0, func(scan func(...any) error) error {
		var p Pick
		var id int
		var at int64
		err := scan(&id, &at, &p.X, &p)
		p.ID, p.At = id, fromUnix(at)
		h.picks = append(h.picks, p)
		return err
	})
}

func (h *record) readExports(tx *history.Tx) error {
	return history.Exports.Rows(tx, 0, func(scan func(...any) error) error {
		var e Export
		var id, dropped int
		var at int64
		err := scan(&id, &at, &e.X, &e, &dropped)
		e.ID, e.At = id, fromUnix(at)
		if dropped == 0 && e.written() {
			h.exports = append(h.exports, e)
		}
		return err
	})
}
