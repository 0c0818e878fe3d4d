package merge

import "context"

// windowChunks and windowTensors bound how many tensors are between their statistics and their merge
// at one time: enough chunks to keep the workers busy, few enough that what was read is still cached.
const (
	windowChunks  = 256
	windowTensors = 16
)

// windows cuts the tensors into runs that are scanned and then merged together. Methods without
// statistics of tensors have one window.
func (j *job) windows(ts []*tensor, whole bool) [][]*tensor {
	if whole || !j.scans(ts) {
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

// scans says whether the method wants statistics of any tensor.
func (j *job) scans(ts []*tensor) bool {
	for _, t := range ts {
		if j.plan.r.method.Scan(t.TensorInfo, j.uses(t).settings) != nil {
			return true
		}
	}
	return false
}

// scanModel gathers statistics over all tensors, for methods that want them; nil for the others.
func (j *job) scanModel(ctx context.Context, ts []*tensor) (Stats, error) {
	m, ok := j.plan.r.method.(WholeModel)
	if !ok {
		return nil, nil
	}
	infos := make([]TensorInfo, len(ts))
	for i, t := range ts {
		infos[i] = t.TensorInfo
	}
	r := m.ScanAll(infos, func(t TensorInfo) []Setting { return j.uses(ts[t.Index]).settings })
	if r == nil {
		return nil, nil
	}
	reducers := make([]Reducer, len(ts))
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
func (j *job) scanTensors(ctx context.Context, ts []*tensor, whole Stats) (map[int]Stats, error) {
	stats := make(map[int]Stats, len(ts))
	var scanned []*tensor
	var reducers []Reducer
	for _, t := range ts {
		if whole != nil {
			stats[t.Index] = whole
			continue
		}
		if r := j.plan.r.method.Scan(t.TensorInfo, j.uses(t).settings); r != nil {
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
// for several tensors. need says which models are read.
func (j *job) passes(ctx context.Context, ts []*tensor, reducers []Reducer, need func(*tensor) []bool) error {
	for pass := 0; len(ts) > 0; pass++ {
		of, spans := make(map[*tensor]Reducer, len(ts)), map[*tensor][]Span{}
		for i, t := range ts {
			of[t] = reducers[i]
			if s, ok := reducers[i].(Sampler); ok {
				spans[t] = s.Spans(pass, t.TensorInfo)
			}
		}
		err := j.eachOf(ctx, ts, spans, func(w *worker, t *tensor, c chunk) error {
			if t.Wide {
				return w.desk64().scan(w, t, c, need(t), of[t], pass)
			}
			return w.desk32().scan(w, t, c, need(t), of[t], pass)
		})
		if err != nil {
			return err
		}
		again := map[Reducer]bool{}
		var left []*tensor
		var more []Reducer
		for i, r := range reducers {
			if _, asked := again[r]; !asked {
				if again[r], err = r.Finish(pass); err != nil {
					return err
				}
			}
			if again[r] {
				left, more = append(left, ts[i]), append(more, r)
			}
		}
		ts, reducers = left, more
	}
	return nil
}
