package study

// Spec is a parsed study.yaml; paths are as written, see Study for resolved ones.
type Spec struct {
	Version    int
	Base       string
	Models     []ModelSpec
	Method     MethodSpec
	Groups     []GroupSpec
	Skip       []string
	DType      string
	Tasks      []Task
	Evaluators map[string]EvaluatorSpec
	Candidates CandidatesSpec
	Search     SearchSpec
}

// Range of a coefficient.
type Range [2]float64

// ModelSpec is one fine-tuned model.
type ModelSpec struct {
	Name  string
	Path  string
	Range Range
}

// MethodSpec names a merge method with its parameters, fixed or with a range.
type MethodSpec struct {
	Name   string
	Params map[string]any   // fixed: float64, bool or string
	Ranges map[string]Range // coefficients of the study
}

// GroupSpec is a layer group: a glob on whole tensor names, first match wins.
type GroupSpec struct{ Name, Match string }

// EvaluatorSpec has exactly one kind set.
type EvaluatorSpec struct {
	Kind    string         // "command", "digits", …
	Options map[string]any // as written, checked by the kind
}

// CandidatesSpec says where merged models for evaluators go, and how much they may take.
type CandidatesSpec struct {
	Path string // "" for the study's own folder
	Max  int64  // bytes, 0: no quota
}

// SearchSpec says what to measure.
type SearchSpec struct {
	Strategy string
	Budget   int
	Batch    int
	Seed     uint64
	Options  map[string]any
}
