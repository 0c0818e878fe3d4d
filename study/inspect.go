package study

import (
	"context"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"

	"parfait/merge"
)

// inspectFile keeps what Inspect found, so that the models are read once.
const inspectFile = "inspect.json"

type inspected struct {
	Inputs     map[string]string // fingerprints of what was read
	Inspection *merge.Inspection
}

// Inspect says how the models stand to each other: norms, cosines, conflicts, without evaluating anything.
// The first call reads every model once and may take as long as reading the disk; the result is kept in
// the study's folder and serves until the models change. With cached only what is kept is looked at: nil
// where there is nothing.
func (s *Study) Inspect(ctx context.Context, cached bool, progress func(merge.Progress)) (*merge.Inspection, error) {
	spec := s.spec().mergeSpec(s.dir)
	plan, err := merge.NewPlan(ctx, spec)
	if err != nil {
		return nil, err
	}
	prints, err := plan.Fingerprint()
	if closed := plan.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return nil, err
	}
	path := filepath.Join(s.dir, inspectFile)
	var kept inspected
	if b, err := os.ReadFile(path); err == nil && json.Unmarshal(b, &kept) == nil && kept.Inspection != nil && maps.Equal(kept.Inputs, prints) {
		return s.withAppeared(kept.Inspection), nil
	}
	if cached {
		return nil, nil
	}
	found, err := merge.Inspect(ctx, spec, merge.InspectOptions{}, progress)
	if err != nil {
		return nil, err
	}
	err = replaceFile(path, []byte(mustJSON(inspected{prints, found})))
	return s.withAppeared(found), err
}

// withAppeared adds what has appeared since the study was begun to the warnings, which are not kept.
func (s *Study) withAppeared(found *merge.Inspection) *merge.Inspection {
	out := *found
	out.Warnings = append(s.spec().appeared(), found.Warnings...)
	return &out
}
