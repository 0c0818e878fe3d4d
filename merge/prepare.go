package merge

import (
	"fmt"
	"strings"
	"time"

	"parfait/internal/stage"
	"parfait/merge/codes"
	"parfait/merge/method"
	"parfait/merge/spectral"
	"parfait/problem"
)

// Task vectors can be prepared for being summed: their matrices are changed by their singular vectors, all tasks together.
// Where what comes out is a share for each model, task arithmetic on the shares is the method, and they are written once
// (Plan.Prepare): a study on them costs what one of task arithmetic does. prepare: what is asked for; prepare_matrix: a
// matrix; prepare_write: models that go on where a killed run stopped. The arithmetic is package spectral's.

// Preparation is what is made of task vectors before they are summed; the zero value leaves them as they are.
type Preparation struct {
	Name    string  `json:"name"`              // one of the Prepare constants
	Rank    float64 `json:"rank,omitempty"`    // tsv: the share of a matrix's rank that each task keeps; 0: 1 / models
	Common  float64 `json:"common,omitempty"`  // iso-cts: the share of the rank that is common; 0: 0.8, as in the paper
	Density float64 `json:"density,omitempty"` // knots: the share of entries that TIES keeps; 0: no TIES
}

// Ways to prepare task vectors, see package spectral.
const (
	PrepareTSV    = "tsv"     // Σ cᵢMᵢ, Mᵢ the share of a task in TSV-M
	PrepareIsoC   = "iso-c"   // Iso-C of Σ cᵢδᵢ
	PrepareIsoCTS = "iso-cts" // Iso-CTS of the cᵢδᵢ
	PrepareKnots  = "knots"   // Σ cᵢMᵢ, Mᵢ an adapter in the common basis
)

// commonShare is the paper's share of Iso-CTS.
const commonShare = 0.8

var preparations = []string{PrepareTSV, PrepareIsoC, PrepareIsoCTS, PrepareKnots}

// each says whether there is a share for each model, which may be written by itself.
func (p Preparation) each() bool { return p.Name == PrepareTSV || p.Name == PrepareKnots }

// matrices says whether matrices of full checkpoints are changed.
func (p Preparation) matrices() bool { return p.Name != "" && p.Name != PrepareKnots }

// keys are the keys of a recipe with their values, in order.
func (p Preparation) keys() (names []string, values []float64) {
	for _, kv := range []struct {
		name  string
		value float64
	}{{"rank", p.Rank}, {"common", p.Common}, {"density", p.Density}} {
		if kv.value != 0 {
			names, values = append(names, kv.name), append(values, kv.value)
		}
	}
	return names, values
}

// check says what is wrong with a preparation, and with what else was asked for beside it.
func (r *resolved) checkPreparation(p *problems) {
	s, prep := r.spec, r.spec.Prepare
	if prep.Name == "" {
		if names, _ := prep.keys(); names != nil {
			p.add(codes.Option, "prepare", "it has no name", strings.Join(preparations, ", "), "")
		}
		return
	}
	takes := map[string]string{PrepareTSV: "rank", PrepareIsoC: "", PrepareIsoCTS: "common", PrepareKnots: "density"}
	key, known := takes[prep.Name]
	if !known {
		p.add(codes.Option, "prepare", fmt.Sprintf("unknown value %q", prep.Name), strings.Join(preparations, ", "), problem.Meant(prep.Name, preparations))
		return
	}
	names, values := prep.keys()
	for i, name := range names {
		switch {
		case name != key:
			p.add(codes.Option, "prepare."+name, prep.Name+" has no such option", "one of its own", "leave it out")
		case !(values[i] > 0 && values[i] <= 1):
			p.add(codes.Option, "prepare."+name, fmt.Sprintf("the value %v", values[i]), "a share above 0 and up to 1", "")
		}
	}
	if r.info.Name != "task_arithmetic" {
		p.add(codes.Option, "prepare", fmt.Sprintf("the method is %s, and prepared task vectors are summed", r.info.Name), "method task_arithmetic", "prepare models first (parfait prepare), then merge what it writes with any method")
	}
	for what, is := range map[string]bool{"groups": s.Groups != nil, "profile": s.Profile != 0, "masks": s.Masks != MasksNone, "vocab": s.Vocab != VocabStrict, "tokenizer": s.Tokenizer != "", "max_rank": s.MaxRank != 0} {
		if is {
			p.add(codes.Option, what, "it is given beside prepare", "one of the two", "leave it out, and give it where the prepared models are merged")
		}
	}
	if prep.each() && len(s.Models) == 1 {
		p.add(codes.ModelCount, "models", "one model is given, and "+prep.Name+" sets the task vectors of several against one another", "at least two", "add another model")
	}
	if adapter := prep.Name == PrepareKnots; adapter != (s.Form == FormAdapter) {
		p.add(codes.Option, "form", fmt.Sprintf("%q, with prepare: %s", s.Form, prep.Name), map[bool]string{true: "form: adapter, which is what knots makes", false: "full checkpoints"}[adapter], "")
	}
}

// prepareKinds refuses models of a kind that is not prepared in this way, and says whether all are.
func (p *Plan) prepareKinds(found *problems) bool {
	prep := p.r.spec.Prepare
	if prep.Name == "" {
		return true
	}
	fine := true
	for _, m := range p.models {
		switch {
		case prep.matrices() && m.adapter != nil:
			found.add(codes.Adapter, m.name, "it is an adapter, and "+prep.Name+" decomposes the matrices of full checkpoints", "full checkpoints", "prepare adapters with knots, or write it as a full checkpoint first: parfait merge, with a recipe of its base and itself")
			fine = false
		case !prep.matrices() && m.adapter == nil:
			found.add(codes.Adapter, m.name, "it is a full checkpoint, and "+prep.Name+" aligns adapters", "LoRA adapters", "prepare full checkpoints with tsv, or make an adapter of it first: parfait extract")
			fine = false
		}
	}
	return fine
}

// findMatrices finds what is prepared. All other tensors are averaged, as the papers have it: they are in a group of their
// own, whose weights are those of the models divided by how many there are.
func (p *Plan) findMatrices(found *problems) {
	if !p.r.spec.Prepare.matrices() {
		return
	}
	for _, t := range p.tensors {
		if t.role != roleMerge {
			continue
		}
		if len(t.Shape) == 2 && t.Len > 0 {
			p.matrices = append(p.matrices, t)
		} else {
			t.group = 1
		}
	}
	if len(p.matrices) == 0 && len(found.list) == 0 {
		found.add(codes.Option, "prepare", "no tensor is a matrix, and "+p.r.spec.Prepare.Name+" changes matrices", "tensors of two dimensions", "merge the models as they are")
	}
}

// prepared is the tensors that are merged as always.
func (p *Plan) unprepared(merged []*tensor) []*tensor {
	if !p.r.spec.Prepare.matrices() {
		return merged
	}
	var out []*tensor
	for _, t := range merged {
		if t.group == 1 {
			out = append(out, t)
		}
	}
	return out
}

// averaged is the group of what is not prepared.
func (u groupUse) averaged(models int) groupUse {
	out := u
	out.settings = make([]method.Setting, len(u.settings))
	for k, s := range u.settings {
		weights := make([]float64, len(s.Weights))
		for i, w := range s.Weights {
			weights[i] = w / float64(models)
		}
		s.Weights = weights
		out.settings[k] = s
	}
	return out
}

// share is what of the rank is common.
func (p Preparation) share() float64 {
	if p.Common == 0 {
		return commonShare
	}
	return p.Common
}

// rankOf is how many singular values of each task tsv keeps.
func (p Preparation) rankOf(rows, cols int64, models int) int {
	share := p.Rank
	if share == 0 {
		return int(min(rows, cols)) / models
	}
	return int(share * float64(min(rows, cols)))
}

// Cost is about what preparing takes.
type Cost struct {
	Matrices int     `json:"matrices"` // or modules of adapters
	Read     int64   `json:"read"`     // bytes
	Written  int64   `json:"written"`
	Memory   int64   `json:"memory"`     // bytes beside the program's own
	Work     float64 `json:"operations"` // in float64
}

// String says it in words.
func (c Cost) String() string {
	return fmt.Sprintf("%d matrices, %.2g operations in float64; %s are read and %s written, with about %s of memory", c.Matrices, c.Work, stage.Bytes(c.Read), stage.Bytes(c.Written), stage.Bytes(c.Memory))
}

// Duration is about how long it takes on this machine, now: as long as products of matrices do of as many operations.
func (c Cost) Duration() time.Duration {
	return time.Duration(c.Work / spectral.Rate() * float64(time.Second))
}

// PreparationCost is about what it takes to prepare the models with so many workers.
func (p *Plan) PreparationCost(workers int) Cost {
	prep, n := p.r.spec.Prepare, int64(len(p.models))
	outs := int64(1)
	if prep.each() {
		outs = n
	}
	c := Cost{Matrices: len(p.matrices) + len(p.products), Written: outs * p.Bytes()}
	for _, t := range p.tensors {
		need := make([]bool, n)
		for i := range need {
			need[i] = true
		}
		c.Read += p.reads(t, need) // from the disk; what is read again comes from the system's memory where that is large
	}
	if prep.matrices() {
		pace := p.pace(workers)
		for _, t := range p.matrices {
			c.Work += p.work(t)
		}
		c.Memory = int64(pace.matrices) * p.matrixMemory(pace.models)
	}
	for _, m := range p.products {
		for _, l := range m.parts {
			if l != nil {
				c.Read += l.a.tensor.Size + l.b.tensor.Size
			}
		}
		r := float64(m.sum)
		c.Work += 4*float64(m.out+m.in)*r*r + 20*r*r*r
		c.Memory = max(c.Memory, 8*(m.out+m.in)*m.sum*3)
	}
	return c
}

// eigenWork is how many operations of a product of matrices take as long as a symmetric eigenvalue problem does, over n³.
const eigenWork = 8

// work is about how many operations a matrix takes.
func (p *Plan) work(t *tensor) float64 {
	prep, n := p.r.spec.Prepare, float64(len(p.models))
	rows, cols := float64(max(t.Shape[0], t.Shape[1])), float64(min(t.Shape[0], t.Shape[1]))
	gram, eigen := rows*cols*cols, eigenWork*cols*cols*cols
	switch prep.Name {
	case PrepareIsoC:
		return gram + eigen + 4*rows*cols*cols
	case PrepareIsoCTS:
		return (n+1)*(gram+eigen) + 2*n*gram + 2*eigen + 9*gram
	}
	r := min(cols, n*float64(prep.rankOf(t.Shape[0], t.Shape[1], len(p.models))))
	return n*(gram+eigen) + 6*rows*cols*r + 3*rows*r*r + 2*eigenWork*r*r*r
}

// pace is how many matrices are prepared at once, and of each how many models are decomposed.
type pace struct{ matrices, models int }

// prepareMemory is what is not exceeded unless one matrix alone needs more.
const prepareMemory = 4 << 30

func (p *Plan) pace(workers int) pace {
	if workers <= 0 {
		workers = defaultWorkers()
	}
	out := pace{models: min(len(p.models), workers)}
	if p.r.spec.Prepare.Name == PrepareIsoC {
		out.models = 1
	}
	for out.models > 1 && p.matrixMemory(out.models) > prepareMemory {
		out.models--
	}
	out.matrices = int(max(1, min(int64(workers/out.models), prepareMemory/max(1, p.matrixMemory(out.models)))))
	return out
}

// matrixMemory is about what the largest matrix takes.
func (p *Plan) matrixMemory(atOnce int) int64 {
	most := int64(0)
	for _, t := range p.matrices {
		rows, cols := max(t.Shape[0], t.Shape[1]), min(t.Shape[0], t.Shape[1])
		n, squares := int64(len(p.models)), int64(0)
		switch p.r.spec.Prepare.Name {
		case PrepareIsoC:
			squares = 6
		case PrepareIsoCTS:
			squares = n + max(4*int64(atOnce), 10) + 1
		default:
			squares = max(4*int64(atOnce), 10) + 1
		}
		bytes := 2 * 8 * squares * cols * cols // as much again waits to be collected
		if t.Shape[0] < t.Shape[1] {           // columns are written last
			bytes += int64(p.preparedOutputs()) * rows * cols * t.out.Bits() / 8
		}
		most = max(most, bytes)
	}
	return most
}

func (p *Plan) preparedOutputs() int {
	if p.r.spec.Prepare.each() {
		return len(p.models)
	}
	return 1
}

// knotsRank is the rank of a module that knots makes.
func (m product) knotsRank() int64 {
	parts := 0
	for _, l := range m.parts {
		if l != nil {
			parts++
		}
	}
	return int64(spectral.KnotsRank(int(m.out), int(m.in), parts, int(m.sum)))
}
