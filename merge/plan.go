package merge

import (
	"context"
	"errors"

	"parfait/merge/codes"
	"parfait/merge/method"
	"parfait/merge/safetensors"
)

// role says what happens to a tensor.
type role uint8

const (
	roleMerge   role = iota // merged
	roleSkip                // taken from the base because the spec says so
	roleCarried             // taken from the base because nothing is computed on its dtype
)

// operand is where one input's elements of a tensor are; the zero operand has no file and stands for a
// task vector of zeros.
type operand struct {
	file   *safetensors.File
	tensor safetensors.Tensor
	rows   *gather // its rows in another order; nil as they are
	lora   *lora   // the task vector is a product; file and tensor are then absent
}

func (o operand) present() bool { return o.file != nil }

// tensor is one tensor of the output.
type tensor struct {
	method.Tensor
	role   role
	group  int
	out    safetensors.DType
	base   operand   // or, without a base, absent
	layout operand   // the tensor that the output is shaped like
	models []operand // a model
	aux    []operand // a model, for methods with a parameter of kind Paths

	as string // name in the output, "" for its own

	// narrowed says that some operand is F64 and the tensor is computed in float32.
	narrowed bool

	// leansOnBase says that θ₀ is needed to know some θᵢ or δᵢ: adapters, and rows that a model lacks.
	leansOnBase bool
}

// Plan is a merge that has been checked: inputs opened, headers compared, nothing else read. Close it.
type Plan struct {
	r           *resolved
	base        *input // nil without a base
	models      []*input
	aux         []*input // a model, for methods with a parameter of kind Paths
	tensors     []*tensor
	products    []product // of an adapter that is written
	left        []*tensor // that it has no place for
	matrices    []*tensor // that are prepared
	warnings    []Problem
	widest      int64 // bytes of the largest element that is read or written
	vocab       int64 // rows of a vocabulary that was cropped or padded, else 0
	ties        []*tie
	workshop    *workshop
	template    string       // the chat template that was asked for, "" where the layout's stays
	alignment   *alignment   // nil: rows of vocabularies go by their number
	differences []Difference // of configurations
	untied      bool         // the output has a head of its own, which the layout's configuration denies
}

// NewPlan opens the inputs, reads their headers and configurations and checks them against each other
// and the spec. Of the tensors it reads only those whose values decide what can be done: integers, which
// are compared, and a head that may be the embeddings once more. The error is a problem.List with everything that keeps the merge from being done.
func NewPlan(ctx context.Context, spec Spec) (*Plan, error) {
	r, found := resolve(spec)
	p := &Plan{r: r}
	p.open(ctx, found)
	if err := ctx.Err(); err != nil {
		return nil, errors.Join(err, p.Close())
	}
	if len(found.list) == 0 {
		p.align(found)
	}
	if len(found.list) == 0 {
		p.compare(found)
	}
	if len(found.list) == 0 {
		p.compareCarried(ctx, found)
	}
	if err := ctx.Err(); err != nil {
		return nil, errors.Join(err, p.Close())
	}
	if err := found.err(); err != nil {
		return nil, errors.Join(err, p.Close())
	}
	p.warnings, p.widest = found.warnings, p.widestElement()
	return p, nil
}

// Close closes the inputs.
func (p *Plan) Close() error {
	errs := []error{p.base.close()}
	for _, in := range append(p.models, p.aux...) {
		errs = append(errs, in.close())
	}
	return errors.Join(append(errs, p.workshop.close())...)
}

// Warnings are what is odd and no reason to stop.
func (p *Plan) Warnings() []Problem { return p.warnings }

// Spec is what the plan was made from.
func (p *Plan) Spec() Spec { return p.r.spec }

// Coefficients lists what may be turned in this merge.
func (p *Plan) Coefficients() ([]Coefficient, Domain) { return p.r.coefficients() }

// Bytes is the size of the tensors of one output.
func (p *Plan) Bytes() int64 {
	var n int64
	for _, t := range p.tensors {
		n += t.bytes()
	}
	for _, t := range p.factorTensors() {
		n += t.Elements() * t.DType.Bits() / 8
	}
	return n
}

// byRole are the tensors that are taken from the base, and those that are merged.
func (p *Plan) byRole() (copied, merged []*tensor) {
	for _, t := range p.tensors {
		if t.role == roleMerge {
			merged = append(merged, t)
		} else {
			copied = append(copied, t)
		}
	}
	return copied, merged
}

// widestElement is the size of the largest element among inputs and outputs.
func (p *Plan) widestElement() int64 {
	bits := int64(8)
	for _, t := range p.tensors {
		bits = max(bits, t.out.Bits(), t.layout.tensor.DType.Bits())
		for _, o := range append(t.models, t.aux...) {
			bits = max(bits, o.tensor.DType.Bits())
		}
	}
	return bits / 8
}

// outName is the tensor's name in the output.
func (t *tensor) outName() string {
	if t.as != "" {
		return t.as
	}
	return t.Name
}

func (t *tensor) bytes() int64 { return t.Len * t.out.Bits() / 8 }

func (p *Plan) open(ctx context.Context, found *problems) {
	if p.r.spec.hasBase() {
		in, err := openSource("base", p.r.spec.Base, p.r.spec.Stacks[""])
		found.take(codes.Open, "base", err)
		if p.base = in; err == nil && in.adapter != nil {
			found.add(codes.Adapter, "base", "it is an adapter, and nothing can be put on it", "the model that the adapter was trained on"+ofBase(in.adapter.base), "give that model as base, and the adapter among the models")
		}
	}
	for _, m := range p.r.spec.Models {
		if m.Path == "" && p.r.spec.Stacks[m.Name] == nil || ctx.Err() != nil {
			continue
		}
		in, err := openSource(m.Name, m.Path, p.r.spec.Stacks[m.Name])
		found.take(codes.Open, m.Name, err)
		if err == nil {
			p.models = append(p.models, in)
			if in.adapter != nil && !p.r.spec.hasBase() {
				found.add(codes.Adapter, m.Name, "it is an adapter, and there is no base to put it on", "the model that the adapter was trained on"+ofBase(in.adapter.base), "add base:")
			}
		}
	}
	for _, def := range p.r.info.Params {
		paths, _ := p.r.options[def.Name].(map[string]string)
		for _, m := range p.r.spec.Models {
			if path := paths[m.Name]; path != "" {
				in, err := openInput("method."+def.Name+"."+m.Name, path)
				found.take(codes.Open, def.Name, err)
				if err == nil {
					p.aux = append(p.aux, in)
				}
			}
		}
	}
}

// layoutInput is the input that decides names, shapes, dtypes and side files of the output.
func (p *Plan) layoutInput() *input {
	if p.base != nil {
		return p.base
	}
	return p.models[0]
}

// outDType is the dtype that a tensor is written in.
func (p *Plan) outDType(in safetensors.DType) safetensors.DType {
	if !in.Computable() {
		return in
	}
	switch p.r.spec.DType {
	case BF16:
		return safetensors.BF16
	case F16:
		return safetensors.F16
	case F32:
		return safetensors.F32
	}
	return in
}

// active says which models a setting asks for: those whose effective weight is not zero.
func (r *resolved) active(s method.Setting) []bool {
	out := make([]bool, len(r.spec.Models))
	for i := range out {
		out[i] = s.Weights == nil || s.Effective(i) != 0
	}
	return out
}
