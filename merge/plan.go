package merge

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"parfait/merge/safetensors"
)

// ChunkElements is the number of elements of a tensor that are worked on at a time: 256 KiB of bf16,
// 512 KiB of f32. Digests are of such chunks, and rows above it are ranked in blocks of it.
const ChunkElements = 1 << 17

// role says what happens to a tensor.
type role uint8

const (
	roleMerge   role = iota // merged
	roleSkip                // taken from the base because the spec says so
	roleInteger             // taken from the base because nothing is computed on its dtype
)

// operand is where one input's elements of a tensor are; the zero operand has no file and stands for a
// task vector of zeros.
type operand struct {
	file   *safetensors.File
	tensor safetensors.Tensor
}

func (o operand) present() bool { return o.file != nil }

// tensor is one tensor of the output.
type tensor struct {
	TensorInfo
	role   role
	group  int
	out    safetensors.DType
	wide   bool      // computed in float64
	base   operand   // or, without a base, absent
	layout operand   // the tensor that the output is shaped like
	models []operand // a model
}

// Plan is a merge that has been checked: inputs opened, headers compared, nothing else read. Close it.
type Plan struct {
	r        *resolved
	base     *input // nil without a base
	models   []*input
	tensors  []*tensor
	warnings []Problem
}

// NewPlan opens the inputs, reads their headers and checks them against each other and the spec. The
// error is a *ProblemsError with everything that keeps the merge from being done.
func NewPlan(ctx context.Context, spec Spec) (*Plan, error) {
	r, found := resolve(spec)
	p := &Plan{r: r}
	p.open(ctx, found)
	if err := ctx.Err(); err != nil {
		return nil, errors.Join(err, p.Close())
	}
	if len(found.list) == 0 {
		p.compare(found)
	}
	if err := found.err(); err != nil {
		return nil, errors.Join(err, p.Close())
	}
	p.warnings = found.warnings
	return p, nil
}

// Close closes the inputs.
func (p *Plan) Close() error {
	errs := []error{p.base.close()}
	for _, m := range p.models {
		errs = append(errs, m.close())
	}
	return errors.Join(errs...)
}

// Warnings are what is odd and no reason to stop.
func (p *Plan) Warnings() []Problem { return p.warnings }

// Spec is what the plan was made from.
func (p *Plan) Spec() Spec { return p.r.spec }

// Knobs lists what may be turned in this merge.
func (p *Plan) Knobs() ([]Knob, Domain) { return p.r.knobs() }

// Bytes is the size of the tensors of one output.
func (p *Plan) Bytes() int64 {
	var n int64
	for _, t := range p.tensors {
		n += t.bytes()
	}
	return n
}

func (t *tensor) bytes() int64 { return t.Len * t.out.Bits() / 8 }

func (p *Plan) open(ctx context.Context, found *problems) {
	if p.r.spec.Base != "" {
		in, err := openInput("base", p.r.spec.Base)
		found.take(CodeOpen, "base", err)
		p.base = in
	}
	for _, m := range p.r.spec.Models {
		if m.Path == "" || ctx.Err() != nil {
			continue
		}
		in, err := openInput(m.Name, m.Path)
		found.take(CodeOpen, m.Name, err)
		if err == nil {
			p.models = append(p.models, in)
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

// compare matches the models' tensors with the layout's.
func (p *Plan) compare(found *problems) {
	first := p.layoutInput()
	names := map[string]bool{}
	used := map[string]bool{}
	index := 0
	for _, name := range naturalOrder(first.set) {
		file, st, _ := first.set.Lookup(name)
		names[name] = true
		t := &tensor{layout: operand{file, st}, out: p.outDType(st.DType)}
		t.TensorInfo = TensorInfo{Name: name, Shape: st.Shape, Len: st.Elements(), Index: -1}
		if p.base != nil {
			t.base = t.layout
		}
		switch {
		case p.r.skips(name):
			t.role = roleSkip
		case !st.DType.Computable():
			t.role = roleInteger
		default:
			t.Index = index
			index++
		}
		if t.role == roleMerge {
			if t.group = p.r.group(name); t.group < 0 {
				found.add(CodeNoGroup, name, "the tensor matches no group", "every tensor in one group", "end the groups with {name: rest, match: '*'}")
				t.group = 0
			} else if len(p.r.groups) > 0 {
				used[p.r.spec.Groups[t.group].Name] = true
			}
		}
		p.match(t, found)
		p.tensors = append(p.tensors, t)
	}
	for _, m := range p.models {
		for _, name := range m.set.Names() {
			if !names[name] && !p.r.skips(name) {
				found.add(CodeExtraTensor, m.name+": "+name, "the model has a tensor that "+first.name+" lacks", "the same tensors in every input", "leave it out with skip: ['"+name+"']")
			}
		}
	}
	for _, g := range p.r.spec.Groups {
		if !used[g.Name] {
			found.warn(CodeUnusedPattern, "groups: "+g.Name, fmt.Sprintf("no tensor is left for the pattern %q", g.Match), "at least one tensor", "check the pattern and the order: the first match wins")
		}
	}
	for i, s := range p.r.skip {
		matched := false
		for _, t := range p.tensors {
			matched = matched || s.match(t.Name)
		}
		for _, m := range p.models {
			for _, name := range m.set.Names() {
				matched = matched || s.match(name)
			}
		}
		if !matched {
			found.warn(CodeUnusedPattern, fmt.Sprintf("skip[%d]", i), fmt.Sprintf("no tensor matches %q", s.pattern), "at least one tensor", "check the pattern: it is a glob on the whole name")
		}
	}
}

// match finds t in every model and compares.
func (p *Plan) match(t *tensor, found *problems) {
	first := p.layoutInput()
	dtypes := []string{t.layout.tensor.DType.String()}
	for _, m := range p.models {
		file, st, ok := m.set.Lookup(t.Name)
		if !ok {
			t.models = append(t.models, operand{})
			if t.role == roleMerge {
				found.add(CodeMissingTensor, m.name+": "+t.Name, "the model lacks a tensor that "+first.name+" has", "the same tensors in every input", "take it from the base with skip: ['"+t.Name+"']")
			}
			continue
		}
		t.models = append(t.models, operand{file, st})
		if t.role != roleMerge {
			continue
		}
		if !equalShape(st.Shape, t.Shape) {
			found.add(CodeShape, m.name+": "+t.Name, fmt.Sprintf("the shape %v", st.Shape), fmt.Sprintf("%v as in %s", t.Shape, first.name), "take it from the base with skip: ['"+t.Name+"']")
		}
		if !st.DType.Computable() {
			found.add(CodeDType, m.name+": "+t.Name, "the dtype "+st.DType.String(), "BF16, F16, F32 or F64: nothing is computed on others", "convert the model first, or take the tensor from the base with skip")
		}
		if d := st.DType.String(); !strings.Contains(strings.Join(dtypes, " "), d) {
			dtypes = append(dtypes, d)
		}
	}
	t.wide = len(dtypes) == 1 && t.layout.tensor.DType == safetensors.F64
	if t.role == roleMerge && len(dtypes) > 1 {
		found.warn(CodeMixedDTypes, t.Name, "the inputs have the dtypes "+strings.Join(dtypes, ", "), "one dtype", "it is computed in f32 and written as "+t.out.String())
	}
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

func equalShape(a, b []int64) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

// active says which models a setting asks for: those whose effective weight is not zero.
func (r *resolved) active(s Setting) []bool {
	out := make([]bool, len(r.spec.Models))
	for i := range out {
		out[i] = s.Weights == nil || s.effective(i) != 0
	}
	return out
}

// effective is λ·cᵢ, computed in float64; methods without λ have λ = 1. What float32 cannot tell from
// zero is zero, and the model is not read.
func (s Setting) effective(i int) float64 {
	w := s.Weights[i]
	if v, ok := s.numbers["lambda"]; ok {
		w = v[0] * w
	}
	if float32(w) == 0 {
		return 0
	}
	return w
}

// scaled gives the effective weights in the method's arithmetic, f32(λ·cᵢ) computed in f64.
func scaled[F Float](s Setting) []F {
	out := make([]F, len(s.Weights))
	for i := range out {
		out[i] = F(s.effective(i))
	}
	return out
}
