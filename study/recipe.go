package study

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"parfait/evaluator"
	"parfait/merge"
	"parfait/visible"
)

// Recipe returns the merge at x as a recipe in YAML, which `parfait merge` executes without the study.
func (s *Study) Recipe(ctx context.Context, x []float64) (yaml []byte, err error) {
	if x, err = s.normal(x); err != nil {
		return nil, err
	}
	plan, err := merge.NewPlan(ctx, s.mergeSpec(evaluator.Folder, 0))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, plan.Close()) }()
	return plan.Recipe(named(s.space(), x)).WithComment("from the study " + visible.Line(s.Snapshot().Name)).YAML(), nil
}

// recipeJSON is the merge at x for evaluators that may make it themselves. It opens no model, which may be elsewhere.
func (s *Study) recipeJSON(x []float64) (json.RawMessage, error) {
	r, err := merge.RecipeAt(s.mergeSpec(evaluator.Folder, 0), named(s.space(), x))
	if err != nil {
		return nil, err
	}
	return r.JSON()
}

// digests are the hashes of the weights that the merge at x has, by file.
func (s *Study) digests(ctx context.Context, form evaluator.Form, rank int, x []float64) (_ map[string]string, err error) {
	plan, err := merge.NewPlan(ctx, s.mergeSpec(form, rank))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, plan.Close()) }()
	files, err := plan.Digests(ctx, named(s.space(), x), merge.WriteOptions{})
	out := map[string]string{}
	for _, f := range files {
		out[f.Name] = f.Hash
	}
	return out, err
}

// CheckExport reads an export back and compares it with its receipt, and that with the history. The problems found are in words;
// the error says why it could not be checked.
func (s *Study) CheckExport(ctx context.Context, e Export, progress func(merge.Progress)) (problems []string, err error) {
	v, err := merge.Verify(ctx, e.Out, merge.VerifyOptions{}, progress)
	if err != nil {
		return nil, fmt.Errorf("%s cannot be checked: %w", e.Out, err)
	}
	e.vouch(&v, s.dir)
	for _, p := range v.Problems {
		problems = append(problems, p.Error())
	}
	return problems, nil
}
