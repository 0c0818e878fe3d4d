package merge

import "encoding/json"

// JSON is the recipe as JSON, which is also YAML: `parfait merge` executes either. Numbers read back to the same bits.
func (r Recipe) JSON() ([]byte, error) {
	s := r.spec
	out := recipeJSON{
		Version: recipeVersion, Base: s.Base, Method: map[string]any{"name": s.Method}, Groups: s.Groups, Skip: s.Skip, DType: s.DType,
		Masks: s.Masks, Vocab: s.Vocab, Form: s.Form, VarianceCorrection: s.VarianceCorrection, Seed: s.Seed,
	}
	for _, m := range s.Models {
		out.Models = append(out.Models, modelJSON{m, r.weightOf(m.Name)})
	}
	for name, v := range s.Params {
		out.Method[name] = v
	}
	return json.Marshal(out)
}

type recipeJSON struct {
	Version            int            `json:"version"`
	Base               string         `json:"base,omitempty"`
	Models             []modelJSON    `json:"models"`
	Method             map[string]any `json:"method"`
	Groups             []Group        `json:"groups,omitempty"`
	Skip               []string       `json:"skip,omitempty"`
	DType              string         `json:"dtype,omitempty"`
	Masks              string         `json:"masks,omitempty"`
	Vocab              string         `json:"vocab,omitempty"`
	Form               string         `json:"form,omitempty"`
	VarianceCorrection bool           `json:"variance_correction,omitempty"`
	Seed               uint64         `json:"seed"`
}

type modelJSON struct {
	Source
	Weight any `json:"weight,omitempty"` // a number, or one a group
}

// weightOf is a model's weight, or its weights by group; nil where the method has none.
func (r Recipe) weightOf(model string) any {
	if v, ok := r.weights[model]; ok {
		return v
	}
	by := map[string]float64{}
	for _, g := range r.spec.Groups {
		if v, ok := r.weights[join(model, g.Name)]; ok {
			by[g.Name] = v
		}
	}
	if len(by) == 0 {
		return nil
	}
	return by
}
