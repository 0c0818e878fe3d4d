package merge

import (
	"strings"

	"parfait/merge/method"
)

// Summary is what headers say about a merge: for inspect and for the start of every merge.
type Summary struct {
	Method  string         `json:"method"`
	Base    *InputSummary  `json:"base,omitempty"`
	Models  []InputSummary `json:"models"`
	Tensors TensorCounts   `json:"tensors"`
	Carried []string       `json:"carried_dtypes,omitempty"` // of tensors that nothing is computed on: they come from the base
	DType   string         `json:"dtype"`                    // that is written, or "mixed"
	Bytes   int64          `json:"bytes"`                    // of the tensors of one output
	Reads   int64          `json:"reads"`                    // bytes of one reading of every input
	Memory  int64          `json:"memory"`                   // about what merging into one output takes, in bytes
	Groups  []GroupSummary `json:"groups,omitempty"`
	// Differences are entries of the models' configurations that are not the same in all of them.
	Differences []Difference `json:"differences,omitempty"`
	Warnings    []Problem    `json:"warnings,omitempty"`
}

// InputSummary is one input.
type InputSummary struct {
	Name    string           `json:"name"`
	Path    string           `json:"path"`
	Files   int              `json:"files"`
	Tensors int              `json:"tensors"`
	Bytes   int64            `json:"bytes"`
	DTypes  map[string]int64 `json:"dtypes"` // elements by dtype
}

// GroupSummary is one layer group.
type GroupSummary struct {
	Name     string   `json:"name"`
	Match    string   `json:"match"`
	Elements int64    `json:"elements"`
	Tensors  []string `json:"tensors"`
}

// TensorSummary is one tensor of the output.
type TensorSummary struct {
	Name  string  `json:"name"`
	Shape []int64 `json:"shape"`
	From  string  `json:"from"` // dtype in the layout
	DType string  `json:"dtype"`
	Fate  string  `json:"fate"` // merged, skipped, integer
	Group string  `json:"group,omitempty"`
	Bytes int64   `json:"bytes"`
}

// Tensors lists the tensors of the output in the order in which they are written into shards.
func (p *Plan) Tensors() []TensorSummary {
	out := make([]TensorSummary, len(p.tensors))
	for i, t := range p.tensors {
		out[i] = TensorSummary{
			Name: t.Name, Shape: t.Shape, From: t.layout.tensor.DType.String(), DType: t.out.String(),
			Fate: t.role.String(), Bytes: t.bytes(),
		}
		if len(p.r.spec.Groups) > 0 && t.role == roleMerge {
			out[i].Group = p.r.spec.Groups[p.inGroup(t)].Name
		}
	}
	return out
}

func (r role) String() string { return [...]string{"merged", "skipped", "integer"}[r] }

// Summary says what will be merged and what it takes.
func (p *Plan) Summary() Summary {
	s := Summary{
		Method: p.r.info.Name, Tensors: p.counts(), DType: p.dtypeWritten(), Bytes: p.Bytes(),
		Memory: p.memory(1, defaultWorkers()), Warnings: p.warnings, Differences: p.differences,
	}
	carried := map[string]bool{}
	for _, t := range p.tensors {
		if t.role == roleCarried {
			carried[t.out.String()] = true
		}
	}
	s.Carried = sortedKeys(carried)
	if p.base != nil {
		base := p.base.summary()
		s.Base = &base
		s.Reads += base.Bytes
	}
	for _, m := range p.models {
		s.Models = append(s.Models, m.summary())
		s.Reads += s.Models[len(s.Models)-1].Bytes
	}
	for i, g := range p.r.spec.Groups {
		group := GroupSummary{Name: g.Name, Match: g.Match}
		for _, t := range p.tensors {
			if t.role == roleMerge && p.inGroup(t) == i {
				group.Elements += t.Len
				group.Tensors = append(group.Tensors, t.Name)
			}
		}
		s.Groups = append(s.Groups, group)
	}
	return s
}

func (in *input) summary() InputSummary {
	s := InputSummary{Name: in.name, Path: in.path, Files: len(in.set.Files()), Tensors: in.set.Len(), Bytes: in.set.Size(), DTypes: map[string]int64{}}
	for _, t := range in.set.Tensors() {
		s.DTypes[t.DType.String()] += t.Elements()
	}
	return s
}

// processMemory is about what the program itself takes.
const processMemory = 20 << 20

// What a tensor takes in headers, names and the plan, in bytes: of the output, of each input, and of what a method that
// does not compute sums keeps of it. Measured: 120 to 320 MB at 30,000 and 60,000 tensors of one and three models.
const (
	tensorMemory = 2000
	headerMemory = 1100
	statsMemory  = 1000
)

// memory is about what a merge takes.
func (p *Plan) memory(outs, workers int) int64 {
	widest := p.widest
	perTensor := int64(tensorMemory + headerMemory*len(p.inputs()))
	perWorker := int64(1+len(p.models)+min(outs, fusedOutputs)) * widest * method.ChunkElements
	if _, fused := p.r.method.(method.Weighted); !fused {
		perWorker = int64(1+len(p.models)+outs) * (widest*method.ChunkElements + max(4, widest)*partElements)
		perTensor += statsMemory
	}
	for _, m := range p.models {
		perWorker += m.factorMemory()
	}
	total := int64(workers)*perWorker + processMemory + int64(len(p.tensors))*perTensor
	if p.matrices != nil {
		at := p.pace(workers)
		total += int64(at.matrices) * p.matrixMemory(at.models)
	}
	return total + method.ScanMemory(p.r.method, len(p.models), outs, workers)
}

// factorMemory is what a worker keeps of an adapter: the largest of its matrices that is kept whole.
func (in *input) factorMemory() int64 {
	if in.adapter == nil {
		return 0
	}
	var most int64
	for _, t := range in.set.Tensors() {
		if strings.Contains(t.Name, "lora_A") || strings.Contains(t.Name, "lora_embedding_B") {
			most = max(most, 4*t.Elements())
		}
	}
	return most
}
