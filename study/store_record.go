package study

import (
	"database/sql"
	"errors"
	"fmt"
	"time"

	"parfait/evaluator"
)

// insertTrial records a trial that waits to be measured, at x in the order of the coefficients.
func insertTrial(tx *sql.Tx, batch int, x []float64, origin, why string) error {
	_, err := tx.Exec("INSERT INTO trials (batch, origin, why, x, state, attempt, created) VALUES (?, ?, ?, ?, ?, 1, ?)",
		batch, origin, why, mustJSON(x), evaluator.Waiting, now())
	return err
}

// start marks trials as running and returns the ids of those that were, as far as anybody knew, waiting
// for this attempt: the others were forgotten or tried again meanwhile.
func (s *store) start(trials []Trial) (started map[int]bool, err error) {
	err = s.write(func(tx *sql.Tx) error {
		started = map[int]bool{}
		for _, t := range trials {
			r, err := tx.Exec("UPDATE trials SET state = ?, started = ?, error = '', progress = '' WHERE id = ? AND attempt = ? AND state = ?",
				evaluator.Running, now(), t.ID, t.Attempt, evaluator.Waiting)
			if err != nil {
				return err
			}
			n, err := r.RowsAffected()
			if err != nil {
				return err
			}
			started[t.ID] = n > 0
		}
		return nil
	})
	return started, err
}

func (s *store) setProgress(progress map[int]evaluator.Progress) error {
	return s.write(func(tx *sql.Tx) error {
		for id, p := range progress {
			if _, err := tx.Exec("UPDATE trials SET progress = ? WHERE id = ? AND state = ?", mustJSON(p), id, evaluator.Running); err != nil {
				return err
			}
		}
		return nil
	})
}

// record stores what was measured in an attempt, and to what state it brought the trial: Done, Failed (why
// says it), Waiting for the next attempt, or still Running (with why where it has failed, and only others have
// to end). It says whether that attempt was running;
// where it was not, somebody has forgotten the trial meanwhile and nothing changes. So finished trials
// never do.
func (s *store) record(id, attempt int, metrics evaluator.Metrics, to State, why string) (current bool, err error) {
	err = s.write(func(tx *sql.Tx) error {
		var state State
		var at int
		if err := tx.QueryRow("SELECT state, attempt FROM trials WHERE id = ?", id).Scan(&state, &at); err != nil {
			return err
		}
		if current = state == evaluator.Running && at == attempt; !current {
			return nil
		}
		for task, m := range metrics {
			if _, err := tx.Exec("INSERT OR REPLACE INTO metrics (trial, task, value, stderr, n) VALUES (?, ?, ?, ?, ?)", id, task, m.Value, m.Stderr, m.N); err != nil {
				return err
			}
		}
		switch to {
		case evaluator.Running:
			_, err := tx.Exec("UPDATE trials SET error = ? WHERE id = ?", why, id)
			return err
		case evaluator.Waiting:
			return again(tx, id)
		}
		_, err := tx.Exec("UPDATE trials SET state = ?, error = ?, ended = ?, progress = '' WHERE id = ?", to, why, now(), id)
		return err
	})
	return current, err
}

// again makes a trial wait for its next attempt.
func again(tx *sql.Tx, id int) error {
	_, err := tx.Exec("UPDATE trials SET state = ?, attempt = attempt + 1, error = '', started = 0, ended = 0, progress = '' WHERE id = ?", evaluator.Waiting, id)
	return err
}

// move changes a trial's state where it is one of from: to Waiting for a new attempt, or to Cancelled.
func move(tx *sql.Tx, id int, to State, from ...State) error {
	where := fmt.Sprintf("trial %d", id)
	var is State
	err := tx.QueryRow("SELECT state FROM trials WHERE id = ?", id).Scan(&is)
	if errors.Is(err, sql.ErrNoRows) {
		return inputError(where, "there is no such trial")
	}
	if err != nil {
		return err
	}
	for _, f := range from {
		switch {
		case f != is:
		case to == evaluator.Waiting:
			return again(tx, id)
		default:
			_, err := tx.Exec("UPDATE trials SET state = ?, ended = ?, progress = '' WHERE id = ?", to, now(), id)
			return err
		}
	}
	if to == evaluator.Waiting {
		return inputError(where, "is %s: only trials that failed or were cancelled are measured again", is)
	}
	return inputError(where, "is %s: only trials that wait, run or failed can be cancelled", is)
}

func (s *store) addPick(p Pick) (Pick, error) {
	p.At = time.Now().UTC().Truncate(time.Millisecond)
	r, err := s.exec("INSERT INTO picks (at, x, body) VALUES (?, ?, ?)", p.At.UnixMilli(), mustJSON(p.X), mustJSON(p))
	if err != nil {
		return p, err
	}
	id, err := r.LastInsertId()
	p.ID = int(id)
	return p, err
}

func (s *store) addExport(e Export) (Export, error) {
	e.At = time.Now().UTC().Truncate(time.Millisecond)
	r, err := s.exec("INSERT INTO exports (at, x, body) VALUES (?, ?, ?)", e.At.UnixMilli(), mustJSON(e.X), mustJSON(e))
	if err != nil {
		return e, err
	}
	id, err := r.LastInsertId()
	e.ID = int(id)
	return e, err
}

// updateExport rewrites an export; one without an id is in no history.
func (s *store) updateExport(e Export) error {
	if e.ID == 0 {
		return nil
	}
	_, err := s.exec("UPDATE exports SET body = ? WHERE id = ?", mustJSON(e), e.ID)
	return err
}

// dropExport takes back an export that did not come to be.
func (s *store) dropExport(id int) error {
	if id == 0 {
		return nil
	}
	_, err := s.exec("DELETE FROM exports WHERE id = ?", id)
	return err
}
