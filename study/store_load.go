package study

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"parfait/evaluator"
)

// history is all of the store at one moment. Trials that are done are shared between histories: nobody
// changes them.
type history struct {
	meta    map[string]string
	trials  []Trial // by id
	batches []Batch // by id, from 0 and without a gap
	picks   []Pick
	exports []Export
	retries map[int]int // how often a person has asked to measure a trial again
}

// trial returns the trial with an id, or nil.
func (h *history) trial(id int) *Trial {
	i, ok := slices.BinarySearchFunc(h.trials, id, func(t Trial, id int) int { return t.ID - id })
	if !ok {
		return nil
	}
	return &h.trials[i]
}

// measured is how many trials have anything measured, whatever became of them.
func (h *history) measured() int {
	n := 0
	for i := range h.trials {
		if len(h.trials[i].Metrics) > 0 {
			n++
		}
	}
	return n
}

// load reads the history. Of the trials only those are read that were not done in prev, an earlier load
// or nil: a study of thousands is followed at the price of what changes.
func (s *store) load(ctx context.Context, prev *history) (*history, error) {
	h := &history{meta: map[string]string{}, retries: map[int]int{}}
	db, err := s.open()
	if db == nil || err != nil {
		return h, err
	}
	tx, err := db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return nil, err
	}
	defer func() { _ = tx.Rollback() }()
	if h.meta, err = metaOf(tx); err != nil {
		return nil, err
	}
	if h.trials, err = loadTrials(tx, prev); err != nil {
		return nil, err
	}
	if h.batches, err = loadBatches(tx, h.trials); err != nil {
		return nil, err
	}
	if err := each(tx, func(scan scanner) error {
		var trial, n int
		err := scan(&trial, &n)
		h.retries[trial] = n
		return err
	}, "SELECT body ->> 'n' AS trial, count(*) FROM commands WHERE CASE WHEN json_valid(body) THEN body ->> 'kind' END = ? GROUP BY trial", CommandRetry); err != nil {
		return nil, err
	}
	if err := each(tx, func(scan scanner) error {
		var p Pick
		err := body(scan, &p, &p.ID, &p.At, &p.X)
		h.picks = append(h.picks, p)
		return err
	}, "SELECT id, at, x, body FROM picks ORDER BY id"); err != nil {
		return nil, err
	}
	return h, each(tx, func(scan scanner) error {
		var e Export
		err := body(scan, &e, &e.ID, &e.At, &e.X)
		if e.written() {
			h.exports = append(h.exports, e)
		}
		return err
	}, "SELECT id, at, x, body FROM exports ORDER BY id")
}

// metaOf is what the history says of itself.
func metaOf(tx *sql.Tx) (map[string]string, error) {
	meta := map[string]string{}
	err := each(tx, func(scan scanner) error {
		var key, value string
		err := scan(&key, &value)
		meta[key] = value
		return err
	}, "SELECT key, value FROM meta")
	return meta, err
}

func loadTrials(tx *sql.Tx, prev *history) ([]Trial, error) {
	var out []Trial
	known, open := 0, []int{} // the last that prev has, and those of prev that may have changed
	if prev != nil {
		out = slices.Clone(prev.trials)
		for _, t := range prev.trials {
			known = max(known, t.ID)
			if t.State != evaluator.Done {
				open = append(open, t.ID)
			}
		}
	}
	const which = "id > ? OR id IN (SELECT value FROM json_each(?))"
	index := map[int]int{} // of what is read now: its place in out
	err := each(tx, func(scan scanner) error {
		t, err := scanTrial(scan)
		if err != nil {
			return err
		}
		if i, ok := slices.BinarySearchFunc(out, t.ID, func(t Trial, id int) int { return t.ID - id }); ok {
			index[t.ID], out[i] = i, t
		} else {
			index[t.ID], out = len(out), append(out, t)
		}
		return nil
	}, "SELECT id, batch, origin, why, x, state, attempt, error, progress, created, started, ended FROM trials WHERE "+which+" ORDER BY id", known, mustJSON(open))
	if err != nil {
		return nil, err
	}
	return out, each(tx, func(scan scanner) error {
		var trial int
		var task string
		var m Metric
		err := scan(&trial, &task, &m.Value, &m.Stderr, &m.N)
		if i, ok := index[trial]; ok {
			out[i].Metrics[task] = m
		}
		return err
	}, "SELECT trial AS id, task, value, stderr, n FROM metrics WHERE "+which, known, mustJSON(open))
}

func scanTrial(scan scanner) (Trial, error) {
	t := Trial{Metrics: map[string]Metric{}}
	var x, progress string
	var created, started, ended int64
	if err := scan(&t.ID, &t.Batch, &t.Origin, &t.Why, &x, &t.State, &t.Attempt, &t.Error, &progress, &created, &started, &ended); err != nil {
		return t, err
	}
	t.Created, t.Started, t.Ended = fromUnix(created), fromUnix(started), fromUnix(ended)
	if progress != "" && !t.State.Final() {
		if err := json.Unmarshal([]byte(progress), &t.Progress); err != nil {
			return t, err
		}
	}
	return t, json.Unmarshal([]byte(x), &t.X)
}

type scanner func(dst ...any) error

func each(tx *sql.Tx, f func(scanner) error, query string, args ...any) error {
	rows, err := tx.Query(query, args...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		if err := f(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

func body(scan scanner, v any, id *int, at *time.Time, x *[]float64) error {
	var xs, b string
	var t int64
	var n int
	if err := scan(&n, &t, &xs, &b); err != nil {
		return err
	}
	if err := errors.Join(json.Unmarshal([]byte(b), v), json.Unmarshal([]byte(xs), x)); err != nil {
		return err
	}
	*id, *at = n, fromUnix(t)
	return nil
}

func fromUnix(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}
