package study

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"parfait/search"
)

// Batch is one answer of the strategy: trials, or why it waited.
type Batch struct {
	ID     int // from 0
	Asked  time.Time
	Trials []int         // ids, ascending; none where it waited
	Wait   string        // why it asked for nothing before what was pending had finished
	Advice search.Advice // what the trials were expected to gain; no text: not known
}

// String is what the batch is expected to gain, or why the strategy waits, in words; "" where it said neither.
func (b Batch) String() string {
	switch {
	case b.Wait != "":
		return "the search waits: " + b.Wait
	case b.Advice.Text == "" || len(b.Trials) == 0:
		return ""
	}
	first, last := b.Trials[0], b.Trials[len(b.Trials)-1]
	if first == last {
		return fmt.Sprintf("trial %d: %s", first, b.Advice.Text)
	}
	return fmt.Sprintf("trials %d–%d: %s", first, last, b.Advice.Text)
}

// Newest is the batch that was asked for last, the zero Batch where there is none.
func (s *Snapshot) Newest() Batch {
	if len(s.Batches) == 0 {
		return Batch{}
	}
	return s.Batches[len(s.Batches)-1]
}

// adviceSince is the schema since which batches say what was expected of them.
const adviceSince = 2

// loadBatches reads the batches, and which of the trials are whose. Of a history that was written last before
// they said it, nothing is known of what they were expected to gain.
func loadBatches(tx *sql.Tx, trials []Trial) ([]Batch, error) {
	var version int
	if err := tx.QueryRow("PRAGMA user_version").Scan(&version); err != nil {
		return nil, err
	}
	said := "wait, advice"
	if version < adviceSince {
		said = "'', ''"
	}
	var out []Batch
	err := each(tx, func(scan scanner) error {
		var b Batch
		var asked int64
		var advice string
		if err := scan(&b.ID, &asked, &b.Wait, &advice); err != nil {
			return err
		}
		b.Asked = fromUnix(asked)
		out = append(out, b)
		if advice == "" {
			return nil
		}
		return json.Unmarshal([]byte(advice), &out[len(out)-1].Advice)
	}, "SELECT id, asked, "+said+" FROM batches ORDER BY id")
	for _, t := range trials {
		if t.Batch >= 0 && t.Batch < len(out) {
			out[t.Batch].Trials = append(out[t.Batch].Trials, t.ID)
		}
	}
	return out, err
}

// addBatch records what the strategy answered, whole or not at all. A batch that is there stays as it is:
// a commit may have come through although the disk said otherwise.
func (s *store) addBatch(id int, seen []int, p search.Proposal) error {
	return s.write(func(tx *sql.Tx) error {
		var there int
		if err := tx.QueryRow("SELECT count(*) FROM batches WHERE id = ?", id).Scan(&there); err != nil || there > 0 {
			return err
		}
		advice := ""
		if p.Advice.Text != "" {
			advice = mustJSON(p.Advice)
		}
		if _, err := tx.Exec("INSERT INTO batches (id, seen, asked, wait, advice) VALUES (?, ?, ?, ?, ?)", id, mustJSON(seen), now(), p.Wait, advice); err != nil {
			return err
		}
		for _, point := range p.Points {
			if err := insertTrial(tx, id, point.X, "search", point.Why); err != nil {
				return err
			}
		}
		return nil
	})
}
