package merge

import "strings"

// Source is one fine-tuned model: a name, and where it is: a Hugging Face folder, a .safetensors file,
// a LoRA adapter's folder, or a hub id in the local cache.
type Source struct {
	Name string `yaml:"name" json:"name"`
	Path string `yaml:"path" json:"path"`
}

// Group is a layer group: a glob on whole tensor names. A tensor belongs to the first group that
// matches. '*' matches any run of characters, '?' one, '[0-9]' one of a class.
type Group struct {
	Name  string `yaml:"name" json:"name"`
	Match string `yaml:"match" json:"match"`
}

// DType is the element type of what is written; "" keeps each tensor as it is in the base.
type DType = string

// What may be written.
const (
	AsBase DType = "as-base"
	BF16   DType = "bf16"
	F16    DType = "f16"
	F32    DType = "f32"
)

// Vocab says what to do where models have more or fewer vocabulary rows than the base.
type Vocab = string

// Ways out of vocabularies that differ, always explicit.
const (
	VocabStrict Vocab = ""     // a difference is a problem
	VocabCrop   Vocab = "crop" // rows that not every input has are left out
	VocabPad    Vocab = "pad"  // rows that only some models have are kept, with no change asked by the others
)

// Masks says how zeros of sparse models are kept (Sparse Model Soups, arXiv 2306.16788).
type Masks = string

// Ways to keep zeros.
const (
	MasksNone      Masks = ""
	MasksPreserve  Masks = "preserve"  // entries that are zero in every model stay zero; masks must agree
	MasksIntersect Masks = "intersect" // zero where any model is zero
	MasksUnion     Masks = "union"     // zero where every model is zero; masks may differ
)

// Form is what is written.
type Form = string

// Forms of an output.
const (
	FormFull    Form = ""        // a checkpoint
	FormAdapter Form = "adapter" // a LoRA adapter on the base, where every model is one
)

// Spec says what to merge and how, without the numbers that may be turned (see Coefficients).
type Spec struct {
	Base   string         // "" where the method needs none: the first model then gives the layout
	Models []Source       // in the order in which they are added up
	Method string         // see Methods
	Params map[string]any // fixed parameters: a number, a bool, a text, or numbers by model or group
	Groups []Group        // nil: one coefficient a model for the whole of it

	// Profile is the number of knots of a piecewise linear profile over the depth of the layers, which each model then has
	// in the place of one coefficient (in the place of each group's): k1 for the first layer and what comes before it, the last for the
	// last layer and what comes after it. Two are LiNeS (Wang et al., arXiv 2410.17146), any are mergekit's gradients. 0: none.
	Profile int

	Skip  []string // globs of tensors taken from the base
	DType DType
	Seed  uint64 // of the methods that draw at random

	// Stacks are what models are put together from, by their name, "" for the base; they have no path.
	Stacks map[string][]Slice

	// Tokenizer is the model ("base", or its name) whose tokens the rows of embeddings and head become, or
	// TokenizerUnion; "": rows go by their number, and the layout's tokenizer is copied.
	Tokenizer    string
	PadVocab     int    // with Tokenizer: rows are added up to a multiple of it, each the mean of the others; 0: none
	ChatTemplate string // of the output: a format's name, "auto" or a file; "": the tokenizer's own
	Files        string // the model ("base", or its name) whose configuration, tokenizer and other files the output gets; "": the layout's

	Masks              Masks
	VarianceCorrection bool
	Vocab              Vocab
	Form               Form
	Prepare            Preparation
	MaxRank            int // of the modules of an adapter that is written; 0: the sum of the adapters' own
}

// hasBase says whether there is a base.
func (s Spec) hasBase() bool { return s.Base != "" || s.Stacks[""] != nil }

// names of the groups; nil without groups.
func (s Spec) groupNames() []string {
	out := make([]string, len(s.Groups))
	for i, g := range s.Groups {
		out[i] = g.Name
	}
	return out
}

// modelNames in the order of the spec.
func (s Spec) modelNames() []string {
	out := make([]string, len(s.Models))
	for i, m := range s.Models {
		out[i] = m.Name
	}
	return out
}

// NameOf makes a name of any text: what may not be in one is '_', and it is cut where it is long.
func NameOf(text string) string {
	name := strings.Map(func(r rune) rune {
		if ValidName(string(r)) {
			return r
		}
		return '_'
	}, text)
	if name = name[:min(len(name), 48)]; name == "" {
		return "model"
	}
	return name
}

// ValidName says whether a model or group may be called so: names are joined by dots in coefficients and
// separated by commas and equals signs on command lines.
func ValidName(s string) bool {
	return s != "" && len(s) <= 64 && !strings.ContainsAny(s, ".,=: \t\n{}[]'\"#/\\")
}
