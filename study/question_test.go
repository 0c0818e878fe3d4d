package study

import (
	"testing"

	"parfait/evaluator"
	"parfait/search"
)

// What is looked at of a history is what a strategy would know: the finished, what is on its way, and no
// failure of a point that only a person asked for.
func TestQuestionOfASnapshot(t *testing.T) {
	space := search.Space{Coefficients: []search.Coefficient{{Name: "a", Hi: 1, Kind: search.Scaling, Model: "a"}, {Name: "b", Hi: 1, Kind: search.Scaling, Model: "b"}}}
	value := func(v float64) map[string]Metric { return map[string]Metric{"rate": {Value: v, Stderr: 0.01, N: 100}} }
	s := &Snapshot{
		Space: space, Tasks: []Task{{Name: "rate", Role: Objective, Sense: Maximize}}, Spec: &Spec{Search: SearchSpec{Strategy: "adaptive", Seed: 7}},
		Activity: Activity{Search: 30, Budget: 33},
		Trials: []Trial{
			{ID: 1, X: []float64{1, 0}, State: evaluator.Done, Metrics: value(0.8)},
			{ID: 2, X: []float64{0, 1}, State: evaluator.Done, Metrics: value(0.6)},
			{ID: 3, X: []float64{0.1, 0.1}, Batch: 1, State: evaluator.Failed},
			{ID: 4, X: []float64{0.2, 0.2}, Batch: -1, State: evaluator.Failed},
			{ID: 5, X: []float64{0.3, 0.3}, Batch: -1, State: evaluator.Done, Metrics: value(0.7)},
			{ID: 6, X: []float64{0.4, 0.4}, Batch: 2, State: evaluator.Running},
		},
	}
	q := s.Question()
	if len(q.Done) != 4 || len(q.Pending) != 1 || q.Asked != 4 || q.Batch != 2 || q.Budget != 30 || q.Seed != 7 {
		t.Errorf("%+v, want 4 done, 1 pending and 4 asked for in batches up to 2, a budget of 30 and seed 7", q)
	}
	if lines, err := s.Lines(); err != nil || lines != nil {
		t.Errorf("lines %v (%v) where nothing lies between the models", lines, err)
	}
	s.Spec.Search.Strategy = "barrier"
	if lines, err := s.Lines(); err != nil || len(lines) != 1 || len(lines[0].Points) != 2 {
		t.Errorf("lines %v (%v), want the one whose middle is still to come", lines, err)
	}
	s.Spec.Search.Strategy = "ehvi"
	s.Trials = append(s.Trials, Trial{ID: 7, X: []float64{0.5, 0.5}, Batch: -1, State: evaluator.Done, Metrics: value(0.3)})
	if lines, err := s.Lines(); err != nil || len(lines) != 1 || len(lines[0].Points) != 3 {
		t.Errorf("lines %v (%v), want the one with the point that a person asked for", lines, err)
	}
	if tree, err := s.Tree(t.Context()); tree != nil || err != nil {
		t.Errorf("ehvi built a tree: %v (%v)", tree, err)
	}
	s.Spec.Search.Strategy = "nested"
	tree, err := s.Tree(t.Context())
	if err != nil || len(tree) != 1 || tree[0].Name != "(a + b)" || tree[0].Wanted == 0 {
		t.Errorf("the tree %v (%v), want one pair of two models", tree, err)
	}
}
