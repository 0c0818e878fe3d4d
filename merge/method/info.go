package method

import (
	"fmt"
	"math"
)

// Domain is the shape of a domain.
type Domain string

// Kinds of domains of weights.
const (
	Box        Domain = "box"     // each weight in its own range; 0 is the base
	Simplex    Domain = "simplex" // only proportions matter: weights ≥ 0 that sum to 1
	Weightless Domain = "none"    // the method has no weights
)

// Operand is what a method is given of each model.
type Operand string

// Operands.
const (
	Deltas Operand = "deltas" // task vectors δᵢ = θᵢ − θ₀
	Values Operand = "values" // θᵢ
)

// Info describes a method for people, documentation and checks.
type Info struct {
	Name      string   `json:"name"`
	About     string   `json:"about"`
	Formula   string   `json:"formula"`
	Paper     string   `json:"paper,omitempty"`
	Operand   Operand  `json:"operand"`
	NeedsBase bool     `json:"needs_base"`
	Models    [2]int   `json:"models"` // fewest and most models; most 0: any number
	Domains   []Domain `json:"domains"`
	Random    bool     `json:"random,omitempty"`
	Rows      bool     `json:"rows,omitempty"`      // chunks end where rows end (rows above ChunkElements are cut into blocks of it)
	Least     float64  `json:"least,omitempty"`     // of a proportion: what is nearer to 0 is another function, from which a search stays away unless a range says otherwise
	ReadsAll  bool     `json:"reads_all,omitempty"` // models without a weight too, where some model has one
	Params    []Param  `json:"params"`
	Notes     []string `json:"notes,omitempty"`
	Mergekit  Mergekit `json:"mergekit,omitzero"`
}

// Mergekit says what the method is in mergekit (github.com/arcee-ai/mergekit); the zero value says that it
// has none that means the same.
type Mergekit struct {
	Name        string `json:"name"`
	Normalizes  bool   `json:"normalizes,omitempty"`    // weights are divided by their sum unless the file says otherwise
	BaseIsFirst bool   `json:"base_is_first,omitempty"` // its base_model is the first of the models
	Unweighted  bool   `json:"unweighted,omitempty"`    // it has no weights: models count alike

	Lacks    []string          `json:"lacks,omitempty"`    // parameters that it does not have
	Ignores  []string          `json:"ignores,omitempty"`  // parameters of it that change next to nothing and are not here
	Calls    map[string]string `json:"calls,omitempty"`    // its names of parameters that are called otherwise
	Defaults map[string]any    `json:"defaults,omitempty"` // of parameters whose default is another one there, or that it fixes
}

// Default is what a parameter is there where it is not given.
func (m Mergekit) Default(p Param) any {
	if v, ok := m.Defaults[p.Name]; ok {
		return v
	}
	return p.Default
}

// NameOf is what a parameter is called there.
func (m Mergekit) NameOf(param string) string {
	if name, ok := m.Calls[param]; ok {
		return name
	}
	return param
}

// Param finds a parameter by name.
func (m Info) Param(name string) (Param, bool) {
	for _, p := range m.Params {
		if p.Name == name {
			return p, true
		}
	}
	return Param{}, false
}

// Kind is what a parameter holds.
type Kind string

// Kinds of parameters. Only a number may be turned.
const (
	Number Kind = "number"
	Flag   Kind = "flag"
	Choice Kind = "choice"
	Paths  Kind = "paths" // a file for each model, by its name
)

// Param is a parameter of a method.
type Param struct {
	Name     string     `json:"name"`
	Kind     Kind       `json:"kind"`
	About    string     `json:"about"`
	Default  any        `json:"default,omitempty"` // nil: has to be given
	Lo       float64    `json:"lo,omitempty"`      // legal numbers, both ends included
	Hi       float64    `json:"hi,omitempty"`
	Above    bool       `json:"above,omitempty"` // Lo itself is not legal
	Whole    bool       `json:"whole,omitempty"`
	Range    [2]float64 `json:"range,omitempty"` // sensible range to search
	PerModel bool       `json:"per_model,omitempty"`
	Choices  []string   `json:"choices,omitempty"`
}

// Refuses says in words why v is no legal value, or "".
func (d Param) Refuses(v float64) string {
	switch {
	case math.IsNaN(v) || math.IsInf(v, 0):
		return fmt.Sprintf("the value %v is not finite", v)
	case d.Whole && v != math.Trunc(v):
		return fmt.Sprintf("the value %v is not whole", v)
	case d.Lo == d.Hi: // no limits
		return ""
	case v < d.Lo || v > d.Hi || d.Above && v == d.Lo:
		return fmt.Sprintf("the value %v is out of range", v)
	}
	return ""
}

// Legal says in words which values are.
func (d Param) Legal() string {
	switch {
	case d.Lo == d.Hi:
		return "(finite)"
	case d.Whole:
		return fmt.Sprintf("that is whole, from %.0f to %.0f", d.Lo, d.Hi)
	case d.Above:
		return fmt.Sprintf("above %v and up to %v", d.Lo, d.Hi)
	}
	return fmt.Sprintf("from %v to %v", d.Lo, d.Hi)
}
