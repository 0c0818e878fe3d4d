package study

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"parfait/evaluator"
	"parfait/history"
)

// questionIDs gives the questions that a study asks its evaluators their ids: see evaluator.Candidate. An id has three
// parts: the study's own, which is random, so that no two studies ever ask the same; what is measured, a trial's
// number for one; and a hash of everything that decides the answer.
type questionIDs struct {
	study  string
	inputs string // what merges are made of
}

// questionIDs returns the study's; inputs are the fingerprints of its models, "" where nobody needs them.
func (s *Study) questionIDs(inputs string) (questionIDs, error) {
	q := s.asked.Load()
	id := q.spec.identity(q.space)
	id.Tasks = nil // each question has its own
	a := questionIDs{inputs: mustJSON(id) + inputs}
	var err error
	a.study, err = s.store.ownID()
	if CodeOf(s.store.Explain(err)) == CodeReadOnly {
		a.study, err = rand.Text(), nil // of a study that may only be looked at: nobody will ask again
	}
	return a, s.store.Explain(err)
}

// about is q for questions about merges in another form than they are exported in: an adapter that was brought to a rank.
func (a questionIDs) about(lim evaluator.Limits) questionIDs {
	if lim.MaxRank > 0 {
		a.inputs += fmt.Sprintf(" max_rank %d", lim.MaxRank)
	}
	return a
}

// of is the id of the question's whose subject is a trial or an export. again is how often a person has asked for
// another answer.
func (a questionIDs) of(subject string, c evaluator.Candidate, again int) string {
	tasks := slices.Sorted(slices.Values(c.Tasks))
	what := []any{a.inputs, c.At, tasks, c.Split, again}
	if len(c.Timed) > 0 { // whoever has an answer without the time does not have this one
		what = append(what, slices.Sorted(slices.Values(c.Timed)))
	}
	sum := sha256.Sum256([]byte(mustJSON(what)))
	return fmt.Sprintf("%s-%s-%s", a.study, subject, hex.EncodeToString(sum[:16]))
}

// merge stands for the merge that c is, whatever is asked of it.
func (a questionIDs) merge(c evaluator.Candidate) string {
	sum := sha256.Sum256([]byte(mustJSON([]any{a.study, a.inputs, c.At})))
	return hex.EncodeToString(sum[:16])
}

// ofTrial says whether an id is of a question about one of the study's trials; exports are measured by other processes.
func (a questionIDs) ofTrial(id string) bool {
	rest, own := strings.CutPrefix(id, a.study+"-")
	subject, _, _ := strings.Cut(rest, "-")
	_, err := strconv.Atoi(subject)
	return own && err == nil
}

// ownID returns the random id of the study, and gives it one where it has none yet.
func (s *store) ownID() (id string, err error) {
	read := func(tx *history.Tx) error {
		meta, err := metaOf(tx)
		id = meta["id"]
		return err
	}
	if _, err := s.Read(context.Background(), read); id != "" || err != nil && !history.Damaged(err) {
		return id, err
	}
	err = s.Write("id", func(c *history.Change) error {
		if err := read(c.Tx); id != "" || err != nil {
			return err
		}
		id = rand.Text()
		return c.Set("id", id)
	})
	return id, err
}
