package study

import (
	"context"
	"math"

	"parfait/evaluator"
	"parfait/search"
	"parfait/surrogate"
)

// Question is what a strategy could know at this moment: every finished trial, with what is on its way as
// pending. It is for looking at what strategies build, such as the tree of a nested merge; the runner asks
// by batches, so that the number of workers changes nothing.
func (s *Snapshot) Question() search.Question {
	q := search.Question{Space: s.Space, Tasks: searchTasks(s.Tasks), Budget: s.Activity.Search, Seed: s.Spec.Search.Seed, Surrogate: s.Spec.Surrogate, Focus: s.Focus}
	for _, t := range s.Trials {
		q.Batch = max(q.Batch, t.Batch)
		if t.Batch >= 0 {
			q.Asked++
		}
		switch {
		case !t.State.Final():
			q.Pending = append(q.Pending, t.X)
		case t.Batch >= 0 || t.State == evaluator.Done:
			q.Done = append(q.Done, point(t, s.Tasks))
		}
	}
	return q
}

// Tree is the merge tree of a study whose strategy is nested, as far as its trials decide it; nil where
// the strategy is another. It fits surrogates: not for the goroutine that draws.
func (s *Snapshot) Tree(ctx context.Context) ([]*search.Branch, error) {
	if s.Spec.Search.Strategy != "nested" {
		return nil, nil
	}
	return search.NestedTree(ctx, s.Question(), s.Spec.Search.Options)
}

// Lines are the straight lines between every two models with what was measured on them, where at least
// one has a barrier or the strategy looks for them; else nil.
func (s *Snapshot) Lines() ([]search.Line, error) {
	lines, err := search.Lines(s.Question())
	if err != nil || s.Spec.Search.Strategy == "barrier" {
		return lines, err
	}
	for _, l := range lines {
		for i, t := range searchTasks(s.Tasks) {
			if _, ok := l.Barrier(i, t); ok {
				return lines, nil
			}
		}
	}
	return nil, nil
}

// searchTasks are the tasks as search sees them.
func searchTasks(tasks []Task) []search.Task {
	out := make([]search.Task, len(tasks))
	for i, t := range tasks {
		if t.AutoLink && t.Link == surrogate.Log {
			t.Link = surrogate.Auto
		}
		out[i] = search.Task{Name: t.Name, Link: t.Link, Maximize: t.Sense == Maximize, Optimise: t.Role == Objective, AtLeast: t.AtLeast, AtMost: t.AtMost}
	}
	return out
}

// point is a final trial as search sees it.
func point(t Trial, tasks []Task) search.Point {
	p := search.Point{X: t.X, Batch: t.Batch, Failed: !t.counts()}
	for _, task := range tasks {
		m, ok := t.Metrics[task.Name]
		if !ok {
			m.Value = math.NaN()
		}
		stderr, _ := task.Stderr(m)
		p.Y = append(p.Y, search.Measurement{Value: m.Value, Stderr: stderr, N: m.N})
	}
	return p
}
