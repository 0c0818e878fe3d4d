package study

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"parfait/evaluator"
	"parfait/history"
)

// store is the study's history, in the words of this package: what is recorded, and what it means.
type store struct {
	*history.Store
}

// openStore finds the history of the study in dir.
func openStore(dir string) (*store, error) {
	h, err := history.Open(dir, func() []string { return signs(dir) })
	h.Alone = func() (func(), error) { return alone(dir) }
	return &store{h}, err
}

// alone takes the run lock for as long as a history is upgraded.
func alone(dir string) (release func(), err error) {
	lock, err := takeLock(context.Background(), dir, func() error { return nil }, func(error) {})
	if e := (&Error{}); errors.As(err, &e) && e.Code == CodeBusy {
		err = &Error{
			Code: CodeBusy, Where: dir, What: e.What + ", of an older parfait: it would not know its history again once this one has written to it",
			Fix: "look on meanwhile; command it with the parfait that runs it, or wait for its end",
		}
	}
	if err != nil {
		return nil, err
	}
	return lock.release, nil
}

// rehearse makes a change in a history in memory where none was begun yet: what cannot be done begins none.
func (s *store) rehearse(kind string, change func(*history.Change) error) error {
	begun, err := s.HasBegun()
	if begun || err != nil {
		return err
	}
	m, err := history.Memory()
	if err != nil {
		return err
	}
	defer m.Close() //nolint:errcheck // nothing is kept there
	return m.Write(kind, change)
}

func mustJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("study: %T cannot be written as JSON: %v", v, err)) // only our own plain types come here
	}
	return string(b)
}

// setMeta sets the keys, all or none. Those that have the value already stay untouched.
func (s *store) setMeta(kind string, values map[string]string) error {
	return s.Write(kind, func(c *history.Change) error {
		is, err := metaOf(c.Tx)
		if err != nil {
			return err
		}
		for _, k := range slices.Sorted(maps.Keys(values)) {
			if old, ok := is[k]; ok && old == values[k] {
				continue
			}
			if err := c.Set(k, values[k]); err != nil {
				return err
			}
		}
		return nil
	})
}

// metaOf is what the history says of itself.
func metaOf(tx *history.Tx) (map[string]string, error) {
	meta := map[string]string{}
	err := history.Meta.Rows(tx, 0, func(scan func(...any) error) error {
		var key, value string
		err := scan(&key, &value)
		meta[key] = value
		return err
	})
	return meta, err
}

// insertTrial records a trial that waits to be measured, at x in the order of the coefficients.
func insertTrial(c *history.Change, batch int, x []float64, origin, why string) error {
	id, err := c.Next(history.Trials)
	if err != nil {
		return err
	}
	return c.Put(history.Trials, history.Row{
		"id": id, "batch": batch, "origin": origin, "why": why, "x": x, "state": evaluator.Waiting, "attempt": 1, "created": c.At.UnixMilli(),
	})
}

// standing is where a trial stands.
type standing struct {
	state          State
	attempt, since int
}

func standingOf(tx *history.Tx, id int) (at standing, err error) {
	err = tx.QueryRow("SELECT state, attempt, since FROM trials WHERE id = ?", id).Scan(&at.state, &at.attempt, &at.since)
	if errors.Is(err, sql.ErrNoRows) {
		return at, inputError(fmt.Sprintf("trial %d", id), "there is no such trial")
	}
	return at, err
}

// start marks trials as running, and puts into started those that were, as far as anybody knew, waiting
// for this attempt: the others were forgotten or tried again meanwhile.
func start(c *history.Change, trials []Trial, started map[int]bool) error {
	clear(started)
	for _, t := range trials {
		at, err := standingOf(c.Tx, t.ID)
		if err != nil {
			return err
		}
		if at.attempt != t.Attempt || at.state != evaluator.Waiting {
			continue
		}
		started[t.ID] = true
		if _, err := c.Exec("DELETE FROM progress WHERE trial = ?", t.ID); err != nil { // of the attempt before
			return err
		}
		if err := c.Put(history.Trials, history.Row{"id": t.ID, "state": evaluator.Running, "started": c.At.UnixMilli(), "error": ""}); err != nil {
			return err
		}
	}
	return nil
}

// setProgress notes how far trials are. It may be lost, and is in no journal.
func (s *store) setProgress(progress map[int]evaluator.Progress) error {
	return s.Note(func(tx *history.Tx) error {
		for id, p := range progress {
			if _, err := tx.Exec("INSERT OR REPLACE INTO progress (trial, body) VALUES (?, ?)", id, mustJSON(p)); err != nil {
				return err
			}
		}
		return nil
	})
}

// result is what has come of an attempt of a trial: a measurement or none, and the state to which it brought the trial:
// Done, Failed (why says it), Waiting for the next attempt, or still Running (with why where it has failed, and only
// others have to end).
type result struct {
	trial, attempt int
	evaluator      string
	metrics        evaluator.Metrics // nil: nothing was measured
	to             State
	why            string
	renewed        time.Time // when it was begun in place of the time on record; zero: at that
}

// kind of the change, for the journal.
func (r result) kind() string {
	if r.metrics != nil && r.to == evaluator.Running {
		return "measured"
	}
	return string(r.to)
}

// record stores a result. It says whether that attempt was running; where it was not, somebody has forgotten the trial
// meanwhile and nothing changes. So finished trials never do.
func (r result) record(c *history.Change) (current bool, err error) {
	at, err := standingOf(c.Tx, r.trial)
	if current = err == nil && at.state == evaluator.Running && at.attempt == r.attempt; !current {
		return false, err
	}
	if r.metrics != nil {
		if err := r.measurement(c); err != nil {
			return true, err
		}
	}
	switch r.to {
	case evaluator.Running:
		if r.why == "" {
			return true, nil
		}
		return true, c.Put(history.Trials, history.Row{"id": r.trial, "error": r.why})
	case evaluator.Waiting:
		return true, again(c, r.trial, at)
	}
	row := history.Row{"id": r.trial, "state": r.to, "since": 0, "error": r.why, "ended": c.At.UnixMilli()}
	if !r.renewed.IsZero() {
		row["started"] = r.renewed.UnixMilli()
	}
	return true, c.Put(history.Trials, row)
}

// measurement adds what was measured.
func (r result) measurement(c *history.Change) error {
	id, err := c.Next(history.Measurements)
	if err != nil {
		return err
	}
	return c.Put(history.Measurements, history.Row{
		"id": id, "trial": r.trial, "attempt": r.attempt, "evaluator": r.evaluator, "split": evaluator.Validation, "at": c.At.UnixMilli(), "tasks": r.metrics,
	})
}

// again makes a trial wait for its next attempt. One that is done has all of it measured anew, beside what was.
func again(c *history.Change, id int, at standing) error {
	row := history.Row{"id": id, "state": evaluator.Waiting, "attempt": at.attempt + 1, "error": "", "started": 0, "ended": 0}
	if at.state == evaluator.Done {
		row["since"] = at.attempt + 1
	}
	return c.Put(history.Trials, row)
}

// move changes a trial's state where it is one of from: to Waiting for a new attempt, or to Cancelled.
func move(c *history.Change, id int, to State, from ...State) error {
	at, err := standingOf(c.Tx, id)
	if err != nil {
		return err
	}
	for _, f := range from {
		switch {
		case f != at.state:
		case to == evaluator.Waiting:
			return again(c, id, at)
		case at.since > 0: // it was done before it was to be measured once more
			return c.Put(history.Trials, history.Row{"id": id, "state": evaluator.Done, "since": 0, "ended": c.At.UnixMilli()})
		default:
			return c.Put(history.Trials, history.Row{"id": id, "state": to, "ended": c.At.UnixMilli()})
		}
	}
	where := fmt.Sprintf("trial %d", id)
	if to == evaluator.Waiting {
		return inputError(where, "is %s already", at.state)
	}
	return inputError(where, "is %s: only trials that wait, run or failed can be cancelled", at.state)
}

func (s *store) addPick(p Pick) (Pick, error) {
	err := s.Write("pick", func(c *history.Change) (err error) {
		p.At = c.At.UTC()
		if p.ID, err = c.Next(history.Picks); err != nil {
			return err
		}
		return c.Put(history.Picks, history.Row{"id": p.ID, "at": c.At.UnixMilli(), "x": p.X, "body": p})
	})
	return p, err
}

func (s *store) addExport(e Export) (Export, error) {
	err := s.Write("export", func(c *history.Change) (err error) {
		e.At = c.At.UTC()
		if e.ID, err = c.Next(history.Exports); err != nil {
			return err
		}
		return c.Put(history.Exports, history.Row{"id": e.ID, "at": c.At.UnixMilli(), "x": e.X, "body": e})
	})
	return e, err
}

// updateExport rewrites an export; one without an id is in no history.
func (s *store) updateExport(e Export) error {
	if e.ID == 0 {
		return nil
	}
	return s.Write("export", func(c *history.Change) error {
		return c.Put(history.Exports, history.Row{"id": e.ID, "body": e})
	})
}

// dropExport takes back an export that did not come to be.
func (s *store) dropExport(id int) error {
	if id == 0 {
		return nil
	}
	return s.Write("dropped", func(c *history.Change) error {
		return c.Put(history.Exports, history.Row{"id": id, "dropped": 1})
	})
}

// saveView keeps an interface's state. To have looked begins no history: where there is none, it is not kept.
func (s *store) saveView(who string, b []byte) error {
	return s.Note(func(tx *history.Tx) error {
		_, err := tx.Exec("INSERT INTO views (who, body) VALUES (?, ?) ON CONFLICT (who) DO UPDATE SET body = excluded.body", who, b)
		return err
	})
}

func (s *store) loadView(who string) (b []byte, err error) {
	_, err = s.Read(context.Background(), func(tx *history.Tx) error {
		err := tx.QueryRow("SELECT body FROM views WHERE who = ?", who).Scan(&b)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		return err
	})
	return b, err
}

func fromUnix(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}
