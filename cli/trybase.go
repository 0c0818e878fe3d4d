package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"parfait/evaluator"
	"parfait/merge"
	"parfait/study"
	"parfait/visible"
)

// try has the evaluators of a study that is about to be written measure the base.
func (a *app) try(ctx context.Context, dir string, spec *study.Spec, plan *merge.Plan) (tried []study.Tried, err error) {
	work, err := os.MkdirTemp(dir, ".try-*")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	if work, err = filepath.Abs(work); err != nil {
		return nil, err
	}
	b := base{spec: mergeSpec(dir, spec), plan: plan, work: work}
	p := a.progress()
	tried, err = spec.Try(ctx, dir, study.Try{
		At: b.at(), Model: b.model, Log: filepath.Join(work, "try.log"),
		Progress: func(e evaluator.Progress) {
			p.show("measuring the base", int64(e.Done), int64(e.Total), visible.Line(e.Note))
		},
	})
	p.end()
	switch {
	case ctx.Err() != nil:
		return nil, errInterrupted
	case err != nil: // the log is gone with the folder it is in
		text := strings.ReplaceAll(err.Error(), "\nall of it is in "+filepath.Join(work, "try.log"), "")
		return nil, &fault{exit: exitOf(err), what: text, fix: "nothing is written; put it right and try again, or leave --try out"}
	}
	return tried, nil
}

// base is the model that the others were fine-tuned from, as an evaluator wants it.
type base struct {
	spec merge.Spec
	plan *merge.Plan
	work string
}

// at is where the base is among the merges: at 0, or, where there are only proportions, where all have the same.
func (b base) at() map[string]float64 {
	at := map[string]float64{}
	coefficients, domain := b.plan.Coefficients()
	for i, c := range coefficients {
		at[c.Name] = c.Value
		for _, set := range domain.Simplex {
			if slices.Contains(set, i) {
				at[c.Name] = 1 / float64(len(set))
			}
		}
	}
	return at
}

// model is the base's own folder, or, where it is none or a merge would be of another dtype, the merge that stands for it.
func (b base) model(ctx context.Context, form evaluator.Form) (evaluator.Lease, error) {
	if info, err := os.Stat(b.spec.Base); err == nil && info.IsDir() && form != evaluator.Adapter && b.asWritten() {
		return evaluator.Lease{Path: b.spec.Base, Release: func() {}}, nil
	}
	out := merge.Output{At: b.at(), Target: filepath.Join(b.work, "base")}
	_, err := b.plan.Write(ctx, []merge.Output{out}, merge.WriteOptions{}, nil)
	return evaluator.Lease{Path: out.Target, Release: func() { _ = os.RemoveAll(out.Target) }}, err
}

// asWritten says whether the base has the dtype that merges are written in.
func (b base) asWritten() bool {
	s := b.plan.Summary()
	if s.Base == nil || b.spec.DType == "" || b.spec.DType == merge.AsBase {
		return s.Base != nil
	}
	_, same := s.Base.DTypes[strings.ToUpper(s.DType)]
	return same && len(s.Base.DTypes) == 1
}

type triedJSON struct {
	Evaluator string            `json:"evaluator"`
	Metrics   evaluator.Metrics `json:"metrics"`
	Seconds   float64           `json:"seconds"`
}

func triedOf(tried []study.Tried) []triedJSON {
	var out []triedJSON
	for _, t := range tried {
		out = append(out, triedJSON{t.Evaluator, t.Metrics, t.Took.Seconds()})
	}
	return out
}

// printTried says what the base was measured at, and what as many evaluations as the budget has would take.
func (a *app) printTried(spec *study.Spec, tried []study.Tried) error {
	for _, t := range tried {
		var parts []string
		for _, task := range spec.Tasks {
			m, ok := t.Metrics[task.Name]
			if !ok {
				continue
			}
			part := task.Name + " " + uncertain(task, m)
			if m.N > 0 {
				part += fmt.Sprintf(" (%d items)", m.N)
			}
			parts = append(parts, part)
		}
		slots, _ := spec.Evaluators[t.Evaluator].Options["parallel"].(int)
		slots = max(1, slots)
		all := t.Took * time.Duration((spec.Search.Budget+slots-1)/slots)
		if _, err := fmt.Fprintf(a.out, "\n%s measured the base in %s: %s\n%d merges will take about %s, %d at once\n",
			visible.Line(t.Evaluator), durationText(t.Took), strings.Join(parts, ", "), spec.Search.Budget, durationText(all), slots); err != nil {
			return err
		}
	}
	return nil
}
