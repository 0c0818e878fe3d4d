package merge

import "encoding/json"

// JSON is the recipe as JSON, which is also YAML: `parfait merge` executes either. Numbers read back to the same bits.
func (r Recipe) JSON() ([]byte, error) {
	s := r.spec
	out := recipeJSON{
		Version: recipeVersion, Base: baseJSON(s), Method: map[string]any{"name": s.Method}, Groups: s.Groups, Profile: s.Profile, Skip: s.Skip, DType: s.DType,
		Masks: s.Masks, Vocab: s.Vocab, Form: s.Form, MaxRank: s.MaxRank, Tokenizer: s.Tokenizer, PadVocab: s.PadVocab, ChatTemplate: s.ChatTemplate, Files: s.Files, VarianceCorrection: s.VarianceCorrection, Seed: s.Seed,
	}
	if s.Prepare.Name != "" {
		out.Prepare = &s.Prepare
	}
	for _, step := range r.steps {
		text, err := step.JSON()
		if err != nil {
			return nil, err
		}
		out.Steps = append(out.Steps, stepJSON{step.Name, text})
	}
	for _, m := range s.Models {
		out.Models = append(out.Models, modelJSON{m.Name, m.Path, s.Stacks[m.Name], r.weightOf(m.Name)})
	}
	for name, v := range s.Params {
		out.Method[name] = v
	}
	return json.Marshal(out)
}

type recipeJSON struct {
	Version            int            `json:"version"`
	Steps              []stepJSON     `json:"steps,omitempty"`
	Base               any            `json:"base,omitempty"` // a path, or an object with a stack
	Models             []modelJSON    `json:"models"`
	Method             map[string]any `json:"method"`
	Groups             []Group        `json:"groups,omitempty"`
	Profile            int            `json:"profile,omitempty"`
	Skip               []string       `json:"skip,omitempty"`
	DType              string         `json:"dtype,omitempty"`
	Masks              string         `json:"masks,omitempty"`
	Vocab              string         `json:"vocab,omitempty"`
	Form               string         `json:"form,omitempty"`
	MaxRank            int            `json:"max_rank,omitempty"`
	Prepare            *Preparation   `json:"prepare,omitempty"`
	Tokenizer          string         `json:"tokenizer,omitempty"`
	PadVocab           int            `json:"pad_to_multiple_of,omitempty"`
	ChatTemplate       string         `json:"chat_template,omitempty"`
	Files              string         `json:"files,omitempty"`
	VarianceCorrection bool           `json:"variance_correction,omitempty"`
	Seed               uint64         `json:"seed"`
}

type stepJSON struct {
	Name   string          `json:"name"`
	Recipe json.RawMessage `json:"recipe"`
}

func baseJSON(s Spec) any {
	switch {
	case s.Stacks[""] != nil:
		return map[string][]Slice{"stack": s.Stacks[""]}
	case s.Base != "":
		return s.Base
	}
	return nil
}

type modelJSON struct {
	Name   string  `json:"name"`
	Path   string  `json:"path,omitempty"`
	Stack  []Slice `json:"stack,omitempty"`
	Weight any     `json:"weight,omitempty"` // a number, or one a group; with a profile a list
}

// weightOf is a model's weight, or its weights by group; nil where the method has none.
func (r Recipe) weightOf(model string) any {
	one := func(name string) any {
		if v, ok := r.weights[name]; ok {
			return v
		}
		var list []float64
		for _, knot := range r.spec.knots() {
			if v, ok := r.weights[join(name, knot)]; ok {
				list = append(list, v)
			}
		}
		if len(list) == 0 {
			return nil
		}
		return list
	}
	if v := one(model); v != nil {
		return v
	}
	by := map[string]any{}
	for _, g := range r.spec.Groups {
		if v := one(join(model, g.Name)); v != nil {
			by[g.Name] = v
		}
	}
	if len(by) == 0 {
		return nil
	}
	return by
}
