package study

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"

	"parfait/evaluator"
	"parfait/internal/stage"
	"parfait/merge"
)

// exportMeasurer has the study's evaluators measure exports, on all splits.
type exportMeasurer struct {
	*Study
	ids       questionIDs
	executors []*executor
}

func (s *Study) exportMeasurer() (*exportMeasurer, error) {
	if err := s.canMeasure(CommandEvaluate); err != nil {
		return nil, err
	}
	s.mu.Lock()
	inputs := s.hist.meta["inputs"]
	s.mu.Unlock()
	ids, err := s.questionIDs(inputs)
	if err != nil {
		return nil, err
	}
	executors, err := s.executors(RunOptions{})
	return &exportMeasurer{Study: s, ids: ids, executors: executors}, err
}

func (m *exportMeasurer) close() error { return closeExecutors(m.executors) }

// offered says whether any evaluator can measure split.
func (m *exportMeasurer) offered(split evaluator.Split) bool {
	return slices.ContainsFunc(m.executors, func(x *executor) bool { return x.offers(split) })
}

// exportQuestion is what is to be measured of an export, and who hears of it.
type exportQuestion struct {
	export   Export
	split    evaluator.Split
	progress func(evaluator.Progress)
	// record takes what one evaluator has measured, and why that is not of the written files, "" where it is.
	record func(m evaluator.Metrics, beside string) error
}

// measure has every evaluator that can measure the split do so. What could be measured is recorded also where
// something else could not.
func (m *exportMeasurer) measure(ctx context.Context, e exportQuestion) error {
	var errs []error
	for _, x := range m.executors {
		if !x.offers(e.split) {
			continue
		}
		if err := m.ask(ctx, x, e); err != nil {
			errs = append(errs, &Error{Code: CodeEvaluator, Where: "evaluators." + x.name, What: fmt.Sprintf("the %s split could not be measured", e.split), Err: err})
		}
	}
	return errors.Join(errs...)
}

// ask has one evaluator measure an export.
func (m *exportMeasurer) ask(ctx context.Context, x *executor, q exportQuestion) error {
	e, split := q.export, q.split
	var looked atomic.Bool
	var cut atomic.Pointer[merge.Cut]
	c := evaluator.Candidate{
		Key: fmt.Sprintf("%s/%s-%s", m.name(), e.Name, split), Attempt: 1, Split: split, At: coefficients(m.space(), e.X),
		Log: filepath.Join(m.dir, "logs", "export-"+e.Name+".log"),
		Model: func(ctx context.Context, form evaluator.Form) (evaluator.Lease, error) {
			if cmp.Or(form, evaluator.Folder) != formOf(e.Form) {
				lease, c, err := m.otherForm(ctx, e, form)
				cut.Store(c)
				return lease, err
			}
			return evaluator.Lease{Path: e.Out, Release: func() {}}, nil
		},
		Written: e.Out, Looked: func() { looked.Store(true) },
	}
	x.asks(&c, x.tasks)
	written, err := merge.ReadRecipe(e.Out)
	if err == nil {
		c.Recipe, err = written.JSON()
	}
	if err != nil {
		return err
	}
	ids := m.ids.about(x.eval.Limits())
	c.ID, c.Merge = ids.of(fmt.Sprintf("export%d", e.ID), c, 0), ids.merge(c)
	if os.MkdirAll(filepath.Dir(c.Log), 0o755) != nil || stage.Writable(filepath.Dir(c.Log)) != nil {
		c.Log = "" // a study that may only be looked at
	}
	var mu sync.Mutex
	outcome := fmt.Errorf("evaluator %s ended without a result", x.name)
	err = x.eval.Submit(ctx, []evaluator.Candidate{c}, func(e evaluator.Event) error {
		mu.Lock()
		defer mu.Unlock()
		if !e.State.Final() {
			q.progress(e.Progress)
			return nil
		}
		if outcome = m.judge(x.tasks, e); outcome == nil {
			outcome = q.record(e.Metrics, x.besideFiles(q.export, looked.Load(), cut.Load()))
		}
		return nil // whatever became of it: nobody will ask again
	})
	mu.Lock()
	defer mu.Unlock()
	if err != nil {
		return err
	}
	return outcome
}

// besideFiles says why what x measures of an export is not of the files that were written; "" where it is. looked says
// that it told us to have read them, and cut what was taken away where it measured an adapter of a lower rank.
func (x *executor) besideFiles(e Export, looked bool, cut *merge.Cut) string {
	lim := x.eval.Limits()
	switch form := cmp.Or(lim.Form, evaluator.Folder); {
	case lim.NeedsModel && form == formOf(e.Form):
		return ""
	case lim.NeedsModel && form == evaluator.Adapter && cut != nil:
		return fmt.Sprintf("%s measured the same merge as an adapter (form: adapter) of which %s", x.name, cut)
	case lim.NeedsModel && form == evaluator.Adapter:
		return fmt.Sprintf("%s measured the same merge as an adapter (form: adapter)", x.name)
	case lim.NeedsModel:
		return fmt.Sprintf("%s measured the same merge as a full checkpoint", x.name)
	case looked:
		return ""
	}
	return fmt.Sprintf("%s measures by the coefficients (it is asked without a model), was told the folder, and did not say that it had read it", x.name)
}

// otherForm writes the export's merge again, for an evaluator that wants it in another form, and says what was taken away.
func (m *exportMeasurer) otherForm(ctx context.Context, e Export, form evaluator.Form) (evaluator.Lease, *merge.Cut, error) {
	plan, err := merge.NewPlan(ctx, m.mergeSpec(form, maxRank(m.executors)))
	if err != nil {
		return evaluator.Lease{}, nil, err
	}
	defer func() { _ = plan.Close() }()
	dir, err := os.MkdirTemp(filepath.Dir(e.Out), "."+e.Name+"-measured-*")
	if err != nil {
		return evaluator.Lease{}, nil, err
	}
	out := merge.Output{At: named(m.space(), e.X), Target: filepath.Join(dir, e.Name)}
	written, err := plan.Write(ctx, []merge.Output{out}, merge.WriteOptions{}, nil)
	if err != nil {
		return evaluator.Lease{}, nil, errors.Join(err, os.RemoveAll(dir))
	}
	return evaluator.Lease{Path: out.Target, Release: func() { _ = os.RemoveAll(dir) }}, written[0].Cut, nil
}
