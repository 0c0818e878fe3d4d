package study

import (
	"os"
	"path/filepath"

	"parfait/search"
	"parfait/surrogate"
	"parfait/yamldoc"
)

// SpecFile is the name of the file that makes a folder a study.
const SpecFile = "study.yaml"

// Spec is a parsed study.yaml. Paths are as written; Study resolves them against its folder.
type Spec struct {
	Version    int
	Base       string
	Models     []ModelSpec
	Method     MethodSpec
	Groups     []GroupSpec
	Profile    int        // knots over the depth of the layers that each model has coefficients at; 0: none
	Appeared   []string   // what the globs of models find and did not when the study was begun: it is left out
	Tie        [][]string // coefficients that are one: names of models, groups or coefficients
	Skip       []string
	DType      string
	Masks      string // of sparse models: "", preserve, intersect or union
	Variance   bool   // variance_correction, for averages
	Vocab      string // "", crop or pad
	Side       SideSpec
	Tasks      []Task
	Evaluators map[string]EvaluatorSpec
	Candidates CandidatesSpec
	Search     SearchSpec
	Surrogate  surrogate.Choice // what is fitted to the trials
}

// SideSpec says what merges have beside their weights: see merge.Spec.
type SideSpec struct {
	Tokenizer    string
	PadVocab     int
	ChatTemplate string
	Files        string
}

// Range of a coefficient.
type Range [2]float64

// ModelSpec is one fine-tuned model and the range of its coefficient, or the value that it is fixed at.
type ModelSpec struct {
	Name  string
	Path  string
	Range Range // where it is fixed the value twice
	Fixed bool
}

// MethodSpec names a merge method with its parameters, fixed or with a range.
type MethodSpec struct {
	Name   string
	Params map[string]any   // fixed: float64, bool or string
	Ranges map[string]Range // coefficients of the study
}

// GroupSpec is a layer group: a glob on whole tensor names, first match wins.
type GroupSpec struct{ Name, Match string }

// EvaluatorSpec has one kind; its options are checked by the kind.
type EvaluatorSpec struct {
	Kind    string // "command", "digits", …
	Options map[string]any
	Line    int // in study.yaml, for errors of the kind's own
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
	Order    Order
	Batch    int // 0: as many as the evaluators have slots, and 4 at least
	Seed     uint64
	Options  map[string]any // of the strategy
	Line     int

	// What ends a run before its budget is spent: hours in which anything was measured, and the cost of what was, with Price
	// an hour of each slot; 0: nothing does.
	MaxHours, MaxCost, Price float64
	StopWhen                 *StopWhen // nil: never

	Focus *search.Wishes // where the search looks, as long as nobody says otherwise; nil: at the whole front
}

// StopWhen ends the search where the front gains less than Gain, a share of its hypervolume, over so many finished trials.
type StopWhen struct {
	Gain float64
	Over int
}

// Order says when the search is asked for more.
type Order string

// The orders.
const (
	OrderFixed Order = "fixed" // batch j from the completed batches up to j−2: the number of workers changes the time and nothing else
	OrderFree  Order = "free"  // whenever a slot is free, from all that has finished: none idles
)

// ReadSpec parses and checks dir/study.yaml. Everything wrong with it is in one *yamldoc.Problems.
func ReadSpec(dir string) (*Spec, error) {
	path := filepath.Join(dir, SpecFile)
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, notAStudy(dir, err)
	}
	return ParseSpec(path, b)
}

// ParseSpec parses and checks a study.yaml; file names it in errors.
func ParseSpec(file string, b []byte) (*Spec, error) { return parseSpec(file, b, nil) }

// parseSpec is ParseSpec of a study that was begun with these models, by their names; nil: with none so far.
func parseSpec(file string, b []byte, pinned map[string]string) (*Spec, error) {
	root, doc, err := yamldoc.Parse(file, b)
	if err != nil {
		return nil, err
	}
	r := specReader{doc: doc, dir: filepath.Dir(file), pinned: pinned, ranges: map[string]yamldoc.Node{}, ties: &yamldoc.Node{}, theirs: map[string]yamldoc.Node{}, looks: &yamldoc.Node{}}
	spec := r.read(root)
	if err := doc.Err(); err != nil {
		return nil, err
	}
	return spec, nil
}
