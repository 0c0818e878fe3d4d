package study

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"parfait/history"
	"parfait/problem"
	"parfait/search"
)

// Replayed is what a replay found.
type Replayed struct {
	Batches  int          `json:"batches"` // that were asked for again
	Before   int          `json:"before"`  // that cannot be: older than the journal
	Problems problem.List `json:"problems"`
}

// Replay asks the strategy of the study in dir again for everything that it has proposed, with what it saw then, and
// compares: with the same study.yaml the same measurements in the same order give the same proposals. It takes as long as the
// search took to think.
func Replay(ctx context.Context, dir string) (Replayed, error) {
	out := Replayed{Problems: problem.List{}}
	asked, err := readAsked(dir)
	if err != nil {
		return out, err
	}
	strategy, err := search.New(asked.spec.Search.Strategy, asked.spec.Search.Options)
	if err != nil {
		return out, inputError("search", "%s", err)
	}
	var before *record // as it was before the batch whose line came last; nil where it was another line
	var last *record
	err = history.Replay(ctx, dir, func(tx *history.Tx, kind string) error {
		if kind != "batch" && before == nil {
			return nil
		}
		h, err := read(tx, last)
		if err != nil {
			return err
		}
		last = h
		if before != nil {
			if err := out.again(ctx, strategy, asked, before, h); err != nil {
				return err
			}
		}
		if before = nil; kind == "batch" {
			before = h
		}
		return nil
	})
	return out, err
}

// again asks for the batch that h has and before has not.
func (out *Replayed) again(ctx context.Context, strategy search.Strategy, a *asked, before, h *record) error {
	if len(h.batches) == len(before.batches) {
		return nil
	}
	b := h.batches[len(h.batches)-1]
	if b.saw.N == 0 {
		out.Before++
		return nil
	}
	q := search.Question{
		Space: a.space, Tasks: withFloors(searchTasks(a.spec.Tasks), b.saw.Floors), Batch: b.ID, N: b.saw.N, Budget: b.saw.Budget, Seed: b.saw.Seed, Surrogate: a.spec.Surrogate, Focus: b.saw.Focus,
	}
	done, err := numbers(b.saw.Done)
	pending, err2 := numbers(b.saw.Pending)
	if err := errors.Join(err, err2); err != nil {
		return err
	}
	where := fmt.Sprintf("batch %d", b.ID)
	for _, t := range before.trials {
		if t.Batch >= 0 {
			q.Asked++
		}
		switch _, finished := slices.BinarySearch(done, t.ID); {
		case slices.Contains(pending, t.ID): // also where it has finished while the search was thinking
			q.Pending = append(q.Pending, t.X)
		case finished && !t.State.Final():
			out.Problems = append(out.Problems, problem.Problem{Code: CodeDamaged, Where: where, What: fmt.Sprintf("it saw trial %d finished, which was %s", t.ID, t.State)})
			return nil
		case finished:
			q.Done = append(q.Done, point(t, a.spec.Tasks))
		}
	}
	p, err := strategy.Ask(ctx, q)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	out.Batches++
	var was [][]float64
	for _, id := range b.Trials {
		was = append(was, h.trial(id).X)
	}
	if err != nil || !slices.EqualFunc(p.Xs(), was, slices.Equal) {
		out.Problems = append(out.Problems, problem.Problem{
			Code: CodeChanged, Where: where, What: fmt.Sprintf("asked again the search proposes %v, and had proposed %v", p.Xs(), was), Err: err,
			Fix: "has study.yaml, or parfait, changed since?",
		})
	}
	return nil
}

// withFloors are tasks with these floors in place of their own.
func withFloors(tasks []search.Task, floors []search.Floor) []search.Task {
	for i := range tasks {
		t := &tasks[i]
		t.AtLeast, t.AtMost = nil, nil
		for _, f := range floors {
			switch {
			case f.Task != t.Name:
			case f.Least:
				t.AtLeast = &f.Value
			default:
				t.AtMost = &f.Value
			}
		}
	}
	return tasks
}

// numbers reads what ranges has written.
func numbers(ranges string) (ids []int, err error) {
	if ranges == "" {
		return nil, nil
	}
	for part := range strings.SplitSeq(ranges, ",") {
		from, to, several := strings.Cut(part, "-")
		if !several {
			to = from
		}
		i, err := strconv.Atoi(from)
		j, err2 := strconv.Atoi(to)
		if err != nil || err2 != nil || j < i || j-i > 1e6 {
			return nil, fmt.Errorf("%q is no list of trials", ranges)
		}
		for ; i <= j; i++ {
			ids = append(ids, i)
		}
	}
	return ids, nil
}
