package main

import (
	"encoding/json"
	"fmt"
)

// wanted is what is archived of merges that people would ship: what can be attained from the base and from the
// average, and, a preference, how far the merge that validation prefers truly falls short.
type wanted struct {
	Experts int        `json:"experts"`
	Base    attainable `json:"base"`
	Average attainable `json:"avg"`
	Wishes  []float64  `json:"wishes"`
}

// wantedPoints are archived of a reference.
const wantedPoints = 500

// judges are those of all references.
func (t *truth) judges() (map[string]*judge, wanted, error) {
	var w wanted
	b, err := archive.ReadFile(t.archived("wanted"))
	if err != nil {
		return nil, w, fmt.Errorf("what %d experts can attain is not archived: run with --attain first (%w)", t.n, err)
	}
	if err := json.Unmarshal(b, &w); err != nil {
		return nil, w, fmt.Errorf("%s: %w", t.archived("wanted"), err)
	}
	out := map[string]*judge{}
	if out[rim], err = newJudge(t); err != nil {
		return nil, w, err
	}
	if out[base], err = w.Base.judge(t, base); err != nil {
		return nil, w, err
	}
	out[average], err = w.Average.judge(t, average)
	return out, w, err
}
