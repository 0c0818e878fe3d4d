package merge

import (
	"fmt"
	"sort"
)

// Float is what methods compute in: float32, or float64 for a tensor that is F64 in every input.
type Float interface{ float32 | float64 }

// Method is one way to merge. It sees decoded numbers, a part of a tensor at a time, and fills one
// tile for each output; several goroutines call it at once. Each is one file that calls register. A
// method whose outputs are weighted sums of its operands may be Weighted too, and is then fast.
type Method interface {
	Info() MethodInfo
	// Domain says where weights live under the given fixed options.
	Domain(o Options) DomainKind
	// Scan returns what gathers the statistics that Apply needs of tensor t for these outputs, or nil
	// where the method is element-wise. Inputs of a tensor with a Reducer are read more than once.
	Scan(t TensorInfo, outs []Setting) Reducer
	// Apply32 and Apply64 fill dst from in; s is what Reducer.Stats returned, or nil.
	Apply32(dst []Tile[float32], in Chunk[float32], s Stats)
	Apply64(dst []Tile[float64], in Chunk[float64], s Stats)
}

// DomainKind is the shape of a domain.
type DomainKind string

// Kinds of domains of weights.
const (
	Box        DomainKind = "box"     // each weight in its own range; 0 is the base
	Simplex    DomainKind = "simplex" // only proportions matter: weights ≥ 0 that sum to 1
	Weightless DomainKind = "none"    // the method has no weights
)

// Operand is what a method is given of each model.
type Operand string

// Operands.
const (
	Deltas Operand = "deltas" // task vectors δᵢ = θᵢ − θ₀
	Values Operand = "values" // θᵢ
)

// MethodInfo describes a method for people, documentation and checks.
type MethodInfo struct {
	Name      string       `json:"name"`
	About     string       `json:"about"`
	Formula   string       `json:"formula"`
	Paper     string       `json:"paper,omitempty"`
	Operand   Operand      `json:"operand"`
	NeedsBase bool         `json:"needs_base"`
	Models    [2]int       `json:"models"` // fewest and most models; most 0: any number
	Domains   []DomainKind `json:"domains"`
	Random    bool         `json:"random,omitempty"`
	Rows      bool         `json:"rows,omitempty"` // chunks end where rows end (rows above ChunkElements are cut into blocks of it)
	Params    []Param      `json:"params"`
	Notes     []string     `json:"notes,omitempty"`
}

// param finds a parameter by name.
func (m MethodInfo) param(name string) (Param, bool) {
	for _, p := range m.Params {
		if p.Name == name {
			return p, true
		}
	}
	return Param{}, false
}

// ParamKind is what a parameter holds.
type ParamKind string

// Kinds of parameters. Only a number may be turned.
const (
	Number ParamKind = "number"
	Flag   ParamKind = "flag"
	Choice ParamKind = "choice"
	Paths  ParamKind = "paths" // a file for each model, by its name
)

// Param is a parameter of a method.
type Param struct {
	Name     string     `json:"name"`
	Kind     ParamKind  `json:"kind"`
	About    string     `json:"about"`
	Default  any        `json:"default,omitempty"` // nil: has to be given
	Lo       float64    `json:"lo,omitempty"`      // legal numbers, both ends included
	Hi       float64    `json:"hi,omitempty"`
	Above    bool       `json:"above,omitempty"` // Lo itself is not legal
	Range    [2]float64 `json:"range,omitempty"` // sensible range to search
	PerModel bool       `json:"per_model,omitempty"`
	Choices  []string   `json:"choices,omitempty"`
}

// TensorInfo is one tensor of the base's layout.
type TensorInfo struct {
	Name  string
	Shape []int64
	Len   int64 // elements
	Index int   // among the tensors that are merged, in the order in which they are worked on
	Wide  bool  // computed in float64
}

// Row is the number of elements of a row: the last dimension, or the whole of a vector.
func (t TensorInfo) Row() int64 {
	if len(t.Shape) == 0 {
		return 1
	}
	return t.Shape[len(t.Shape)-1]
}

// Chunk is a run of consecutive elements of one tensor in every input, decoded. The executor reads
// chunks of ChunkElements and hands each of them over in parts, in order, by one goroutine; methods that
// want whole rows get it in one part.
type Chunk[F Float] struct {
	Tensor TensorInfo
	Index  int   // of the chunk in its tensor, the same for all its parts
	Start  int64 // index of the part's first element
	Base   []F   // θ₀; nil for methods that need none
	Models [][]F // δᵢ or θᵢ, as the method's Operand says; nil where no output gives the model a weight
	Aux    [][]F // what a parameter of kind Paths names for each model, with the same names and shapes

	scratch *[][]F
	memo    map[string]any
}

// Scratch is a buffer of BlockElements elements for whatever the method likes; i is the buffer's number.
func (c Chunk[F]) Scratch(i int) []F {
	if c.scratch == nil {
		return make([]F, BlockElements)
	}
	for len(*c.scratch) <= i {
		*c.scratch = append(*c.scratch, make([]F, BlockElements))
	}
	return (*c.scratch)[i]
}

// Once gives what make made at the first part of the chunk: what costs, or what goes on from part to part.
func (c Chunk[F]) Once(key string, make func() any) any {
	if c.memo == nil {
		return make()
	}
	v, ok := c.memo[key]
	if !ok {
		v = make()
		c.memo[key] = v
	}
	return v
}

// BlockElements is the length of scratch buffers: what stays in the first caches.
const BlockElements = 4096

// Len is the number of elements.
func (c Chunk[F]) Len() int {
	if c.Base != nil {
		return len(c.Base)
	}
	for _, m := range c.Models {
		if m != nil {
			return len(m)
		}
	}
	return 0
}

// Tile is where one output's elements of a chunk go.
type Tile[F Float] struct {
	Setting
	Out []F
}

// Setting is what one output asks for one tensor: a weight for each model and values for parameters.
type Setting struct {
	Output  int       // index of the output
	Weights []float64 // cᵢ, a model; nil for a weightless method
	Seed    uint64
	Names   []string // of the models, as randomness is keyed by them
	options Options
	numbers map[string][]float64 // a value, or one a model
}

// Number returns a parameter's value, the same for every model.
func (s Setting) Number(name string) float64 { return s.NumberOf(name, 0) }

// NumberOf returns a parameter's value for model i.
func (s Setting) NumberOf(name string, i int) float64 {
	v := s.numbers[name]
	switch {
	case len(v) == 0:
		panic("merge: the method reads the parameter " + name + ", which it does not declare")
	case len(v) == 1:
		return v[0]
	}
	return v[i]
}

// Flag returns an option that is on or off.
func (s Setting) Flag(name string) bool { return s.options.Flag(name) }

// Choice returns an option that is one of several words.
func (s Setting) Choice(name string) string { return s.options.Choice(name) }

// Options are a method's parameters that are not numbers, with defaults filled in.
type Options map[string]any

// Flag returns an option that is on or off.
func (o Options) Flag(name string) bool { v, _ := o[name].(bool); return v }

// Choice returns an option that is one of several words.
func (o Options) Choice(name string) string { v, _ := o[name].(string); return v }

// Stats is what a Reducer found; only the method that made it knows what it is.
type Stats any

// Reducer gathers statistics of one tensor (or of the whole model, see WholeModel). Reduce32 and
// Reduce64 are called by several goroutines at once, each part of a chunk once in a pass and the parts
// of one chunk in order; what comes out must not depend on the order of the chunks. Finish ends a pass
// and says whether another one is needed, or why what was read cannot be merged. Stats of a whole model
// that have a method Notes() []string speak in the receipt.
type Reducer interface {
	Reduce32(pass int, in Chunk[float32])
	Reduce64(pass int, in Chunk[float64])
	Finish(pass int) (again bool, err error)
	Stats() Stats
}

// Sampler is implemented by Reducers that do not need all of a tensor in every pass.
type Sampler interface {
	// Spans are the parts of a tensor that the present pass has to read; nil means all of it.
	Spans(pass int, t TensorInfo) []Span
}

// WholeModel is implemented by methods whose statistics may span all tensors: ScanAll is asked once,
// with every tensor that is merged, and returns nil where statistics a tensor (or none) suffice.
type WholeModel interface {
	ScanAll(ts []TensorInfo, outs func(t TensorInfo) []Setting) Reducer
}

var registry = map[string]Method{}

// register makes a method known. A name that is taken is a mistake in the program.
func register(m Method) {
	name := m.Info().Name
	if _, taken := registry[name]; taken {
		panic(fmt.Sprintf("merge: two methods are called %q", name))
	}
	registry[name] = m
}

// Methods lists the methods by name.
func Methods() []MethodInfo {
	out := make([]MethodInfo, 0, len(registry))
	for _, m := range registry {
		out = append(out, m.Info())
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Name < out[j].Name })
	return out
}

// methodParam finds a parameter of a method, both by name.
func methodParam(method, name string) (Param, bool) {
	m, ok := registry[method]
	if !ok {
		return Param{}, false
	}
	return m.Info().param(name)
}

func methodNames() []string {
	var out []string
	for _, m := range Methods() {
		out = append(out, m.Name)
	}
	return out
}
