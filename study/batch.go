package study

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"parfait/history"
	"parfait/search"
)

// Batch is one answer of the strategy: trials, or why it waited.
type Batch struct {
	ID     int // from 0
	Asked  time.Time
	Trials []int         // ids, ascending; none where it waited
	Wait   string        // why it asked for nothing before what was pending had finished
	Advice search.Advice // what the trials were expected to gain; no text: not known

	saw saw
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

// Newest is the batch that was asked for last; the zero Batch where there is none, and where it waited and the search has
// finished since.
func (s *Snapshot) Newest() Batch {
	if len(s.Batches) == 0 {
		return Batch{}
	}
	last := s.Batches[len(s.Batches)-1]
	if last.Wait != "" && s.Activity.Runner == Finished {
		return Batch{}
	}
	return last
}

// saw is what the strategy knew of the trials when it was asked: which had finished and which were on their way, as
// ranges ("1-8,11"), how many it was to propose at most and to have proposed in all, the seed of its random numbers, and where somebody looked.
// Histories without a journal only know the trials asked for by people.
type saw struct {
	Done    string `json:"done"`
	Pending string `json:"pending"`
	N       int    `json:"n"`
	Budget  int    `json:"budget"`
	Seed    uint64 `json:"seed"`

	Focus *search.Focus `json:"focus,omitempty"`
	// Floors are those that study.yaml had of the tasks then: they may be edited at any time.
	Floors []search.Floor `json:"floors,omitempty"`
}

// ranges writes ascending numbers: "1-8,11".
func ranges(ids []int) string {
	var b strings.Builder
	for i := 0; i < len(ids); {
		j := i
		for j+1 < len(ids) && ids[j+1] == ids[j]+1 {
			j++
		}
		if b.Len() > 0 {
			b.WriteByte(',')
		}
		b.WriteString(strconv.Itoa(ids[i]))
		if j > i {
			b.WriteString("-" + strconv.Itoa(ids[j]))
		}
		i = j + 1
	}
	return b.String()
}

// readBatches reads the batches; which trials are whose is read with those.
func (h *record) readBatches(tx *history.Tx, after int64) error {
	return history.Batches.Rows(tx, after, func(scan func(...any) error) error {
		var b Batch
		var asked int64
		err := scan(&b.ID, &asked, &b.saw, &b.Wait, &b.Advice)
		b.Asked = fromUnix(asked)
		h.batches = append(h.batches, b)
		return err
	})
}

// addBatch records what the strategy answered, whole or not at all. A batch that is there stays as it is.
func addBatch(c *history.Change, id int, seen saw, p search.Proposal) error {
	var there int
	if err := c.QueryRow("SELECT count(*) FROM batches WHERE id = ?", id).Scan(&there); err != nil || there > 0 {
		return err
	}
	row := history.Row{"id": id, "asked": c.At.UnixMilli(), "saw": seen}
	if p.Wait != "" {
		row["wait"] = p.Wait
	}
	if p.Advice.Text != "" {
		row["advice"] = p.Advice
	}
	if err := c.Put(history.Batches, row); err != nil {
		return err
	}
	for _, point := range p.Points {
		if err := insertTrial(c, id, point.X, "search", point.Why); err != nil {
			return err
		}
	}
	return nil
}
