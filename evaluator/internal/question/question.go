// Package question is what programs and servers are asked, as JSON.
//
// Out of a candidate and, where it is wanted, its model comes one object that every kind of evaluator sends which
// talks JSON. It knows nothing of how it is sent.
package question

import (
	"context"
	"encoding/json"

	"parfait/evaluator"
)

// Question is one candidate.
type Question struct {
	ID           string          `json:"id,omitempty"`
	Key          string          `json:"key"`
	Attempt      int             `json:"attempt"`
	Tasks        []string        `json:"tasks"`
	Split        evaluator.Split `json:"split"`
	Coefficients json.RawMessage `json:"coefficients"`
	Recipe       json.RawMessage `json:"recipe,omitempty"`
	Model        string          `json:"model,omitempty"`
}

// Looked tells whoever wants to know of it where an answer names the folder whose files were measured, and that is the
// model's.
func (q Question) Looked(c evaluator.Candidate, folder string) {
	if c.Looked != nil && q.Model != "" && folder == q.Model {
		c.Looked()
	}
}

// Of makes the question about a candidate, with the path of its model as Candidate.ModelPath has it.
func Of(ctx context.Context, c evaluator.Candidate, form evaluator.Form) (q Question, release func(), err error) {
	q = Question{ID: c.ID, Key: c.Key, Attempt: c.Attempt, Tasks: c.Tasks, Split: c.Split, Recipe: c.Recipe}
	if q.Coefficients, err = evaluator.CoefficientsJSON(c.At); err != nil {
		return q, nil, err
	}
	q.Model, release, err = c.ModelPath(ctx, form)
	return q, release, err
}
