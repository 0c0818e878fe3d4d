package merge

import (
	"context"
	"errors"

	"parfait/merge/codes"
	"parfait/merge/method"
)

// windowChunks and windowTensors bound how many tensors are between their statistics and their merge
// at one time: enough chunks to keep the workers busy, few enough that what was read is still cached.
const (
	windowChunks  = 256
	windowTensors = 16
)

// windows cuts the tensors into runs that are scanned and then merged together. Methods without
// statistics of tensors have one window.
func (j *job) windows(ts []*tensor, whole bool) [][]*tensor {
	if whole || len(j.scanned(ts)) == 0 {
		return [][]*tensor{ts}
	}
	var out [][]*tensor
	var chunks int64
	start := 0
	for i, t := range ts {
		if n := j.chunks(t); i > start && (chunks+n > windowChunks || i-start >= windowTensors) {
			out = append(out, ts[start:i])
			start, chunks = i, 0
		}
		chunks += j.chunks(t)
	}
	return append(out, ts[start:])
}

// scanned are the tensors that the method wants statistics of, each by itself or all together.
func (j *job) scanned(ts []*tensor) []*tensor {
	if j.modelReducer(ts) != nil {
		return ts
	}
	var out []*tensor
	for _, t := range ts {
		if j.plan.r.method.Scan(t.Tensor, j.uses(t).settings) != nil {
			out = append(out, t)
		}
	}
	return out
}

// modelReducer gathers statistics over all tensors, for methods that want them; nil for the others.
func (j *job) modelReducer(ts []*tensor) method.Reducer {
	m, ok := j.plan.r.method.(method.WholeModel)
	if !ok {
		return nil
	}
	infos := make([]method.Tensor, len(ts))
	for i, t := range ts {
		infos[i] = t.Tensor
	}
	return m.ScanAll(infos, func(t method.Tensor) []method.Setting { return j.uses(ts[t.Index]).settings })
}

// scanModel gathers the statistics over all tensors.
func (j *job) scanModel(ctx context.Context, ts []*tensor) (method.Stats, error) {
	r := j.modelReducer(ts)
	if r == nil {
		return nil, nil
	}
	reducers := make([]method.Reducer, len(ts))
	for i := range reducers {
		reducers[i] = r
	}
	// What is said of a whole model does not depend on the groups in which it has a weight.
	everywhere := make([]bool, len(j.plan.models))
	for _, u := range j.groups {
		for i, needed := range u.need {
			everywhere[i] = everywhere[i] || needed
		}
	}
	if err := j.passes(ctx, ts, reducers, func(*tensor) []bool { return everywhere }); err != nil {
		return nil, err
	}
	return r.Stats(), nil
}

// scanTensors gathers the statistics of each tensor, by TensorInfo.Index.
func (j *job) scanTensors(ctx context.Context, ts []*tensor, whole method.Stats) (map[int]method.Stats, error) {
	stats := make(map[int]method.Stats, len(ts))
	var scanned []*tensor
	var reducers []method.Reducer
	for _, t := range ts {
		if whole != nil {
			stats[t.Index] = whole
			continue
		}
		if r := j.plan.r.method.Scan(t.Tensor, j.uses(t).settings); r != nil {
			scanned, reducers = append(scanned, t), append(reducers, r)
		}
	}
	if err := j.passes(ctx, scanned, reducers, func(t *tensor) []bool { return j.uses(t).need }); err != nil {
		return nil, err
	}
	for i, t := range scanned {
		stats[t.Index] = reducers[i].Stats()
	}
	return stats, nil
}

// passes reads the tensors until no reducer wants more; reducers[i] is for ts[i], and one may stand
// for several tensors. need says which models are read. The meter expects one reading of each tensor.
func (j *job) passes(ctx context.Context, ts []*tensor, reducers []method.Reducer, need func(*tensor) []bool) error {
	var expected int64
	for _, t := range ts {
		expected += j.plan.reads(t, need(t))
	}
	for pass := 0; len(ts) > 0; pass++ {
		of, spans := make(map[*tensor]method.Reducer, len(ts)), map[*tensor][]method.Span{}
		for i, t := range ts {
			of[t] = reducers[i]
			if s, ok := reducers[i].(method.Sampler); ok {
				spans[t] = s.Spans(pass, t.Tensor)
			}
			expected -= part(j.plan.reads(t, need(t)), spans[t], t.Len)
		}
		if expected < 0 {
			j.meter.expect(-expected)
			expected = 0
		}
		err := j.eachOf(ctx, ts, spans, func(w *worker, t *tensor, c chunk) error {
			if t.Wide {
				return w.workspace64().scan(w, t, c, need(t), of[t], pass)
			}
			return w.workspace32().scan(w, t, c, need(t), of[t], pass)
		})
		if err != nil {
			return err
		}
		if ts, reducers, err = unfinished(ts, reducers, pass); err != nil {
			return err
		}
	}
	j.meter.expect(-expected)
	return nil
}

// part is what some spans of n elements take of the bytes of all; nil is all of them.
func part(bytes int64, spans []method.Span, n int64) int64 {
	if spans == nil || n == 0 {
		return bytes
	}
	var seen int64
	for _, s := range spans {
		seen += s.Len
	}
	return int64(float64(bytes) * float64(seen) / float64(n))
}

// unfinished ends a pass and keeps what wants another one.
func unfinished(ts []*tensor, reducers []method.Reducer, pass int) (left []*tensor, more []method.Reducer, err error) {
	again := map[method.Reducer]bool{}
	for i, r := range reducers {
		if _, asked := again[r]; !asked {
			if again[r], err = r.Finish(pass); err != nil {
				return nil, nil, inputProblem(err)
			}
		}
		if again[r] {
			left, more = append(left, ts[i]), append(more, r)
		}
	}
	return left, more, nil
}

// inputProblem is what a method found in its inputs, as a problem.
func inputProblem(err error) error {
	var e *method.InputError
	if errors.As(err, &e) {
		return Problem{Code: codes.Fisher, Where: e.Where, What: e.What, Expected: e.Expected, Fix: e.Fix}
	}
	return err
}
