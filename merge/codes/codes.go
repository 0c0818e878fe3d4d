// Package codes names the kinds of problems that merging finds, for programs and tests: errors.Is(err,
// codes.Shape) asks for one. The words of a code never change; what people read may.
package codes

import "parfait/problem"

// Problems in a spec, found before any file is opened.
const (
	NoModels           problem.Code = "no-models"
	Name               problem.Code = "bad-name"
	Duplicate          problem.Code = "duplicate-name"
	Pattern            problem.Code = "bad-pattern"
	Method             problem.Code = "unknown-method"
	Param              problem.Code = "bad-parameter"
	Option             problem.Code = "bad-option"
	DTypeName          problem.Code = "bad-dtype"
	NeedsBase          problem.Code = "needs-base"
	ModelCount         problem.Code = "model-count"
	UnknownCoefficient problem.Code = "unknown-knob"
	MissingCoefficient problem.Code = "missing-knob"
	CoefficientValue   problem.Code = "bad-knob-value"
	UnusedPattern      problem.Code = "unused-pattern" // warning
)

// Problems between the files, found from their headers.
const (
	Open          problem.Code = "cannot-open"
	NotFound      problem.Code = "not-found" // a recipe, a receipt, a configuration
	Format        problem.Code = "bad-safetensors"
	NotConverted  problem.Code = "not-safetensors"
	NoWeights     problem.Code = "no-weights"
	MissingTensor problem.Code = "missing-tensor"
	ExtraTensor   problem.Code = "extra-tensor"
	Shape         problem.Code = "shape"
	Vocabulary    problem.Code = "vocabulary"
	DType         problem.Code = "dtype"
	NoGroup       problem.Code = "no-group"
	Adapter       problem.Code = "bad-adapter"
	Quantised     problem.Code = "quantised"
	Tied          problem.Code = "tied-embeddings"
	Architecture  problem.Code = "architecture"    // warning
	Config        problem.Code = "config-differs"  // warning
	Tokenizer     problem.Code = "tokenizer"       // warning
	TwoModels     problem.Code = "two-models"      // warning
	MixedDTypes   problem.Code = "mixed-dtypes"    // warning
	Integers      problem.Code = "integers-differ" // warning; or, where they are much of the model, a problem
)

// What goes wrong while data is read and written.
const (
	NotFinite   problem.Code = "not-finite"
	Changed     problem.Code = "input-changed"
	Read        problem.Code = "cannot-read"
	Write       problem.Code = "cannot-write"
	Space       problem.Code = "no-space"
	Exists      problem.Code = "target-exists"
	Permission  problem.Code = "permission"
	Mismatch    problem.Code = "read-back-differs"
	Corrupt     problem.Code = "corrupt"
	MasksDiffer problem.Code = "masks-differ"
	Fisher      problem.Code = "bad-fisher"
	Receipt     problem.Code = "bad-receipt"
	Recipe      problem.Code = "bad-recipe"
)

// What an inspection warns of.
const (
	Unrelated problem.Code = "unrelated"
	Far       problem.Code = "far-from-base"
	Same      problem.Code = "same-as-base"
)
