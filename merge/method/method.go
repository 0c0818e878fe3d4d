package method

// Float is what methods compute in: float32, or float64 for a tensor that is F64 in every input.
type Float interface{ float32 | float64 }

// Method is one way to merge. It sees decoded numbers, a part of a tensor at a time, and fills one
// tile for each output; several goroutines call it at once. Each is one file that calls Register. A
// method whose outputs are weighted sums of its operands may be Weighted too, and is then fast.
type Method interface {
	Info() Info
	// Domain says where weights live under the given fixed options.
	Domain(o Options) Domain
	// Scan returns what gathers the statistics that Apply needs of tensor t for these outputs, or nil
	// where the method is element-wise. Inputs of a tensor with a Reducer are read more than once.
	Scan(t Tensor, outs []Setting) Reducer
	// Apply32 and Apply64 fill dst from in; s is what Reducer.Stats returned, or nil.
	Apply32(dst []Tile[float32], in Chunk[float32], s Stats)
	Apply64(dst []Tile[float64], in Chunk[float64], s Stats)
}

// Flexible is implemented by methods whose Info depends on what is asked.
type Flexible interface {
	// For is Info as it holds for a merge with these options, with a base or without.
	For(o Options, based bool) Info
}

// Tensor is one tensor of the base's layout.
type Tensor struct {
	Name   string
	TiedTo string // the tensor that this one repeats, and is to stay equal to; "" for none
	Shape  []int64
	Len    int64 // elements
	Index  int   // among the tensors that are merged, in the order in which they are worked on
	Wide   bool  // computed in float64
}

// Chunks is the number of chunks of the tensor, where they do not have to end with its rows.
func (t Tensor) Chunks() int64 { return (t.Len + ChunkElements - 1) / ChunkElements }

// Row is the number of elements of a row: the last dimension, or the whole of a vector.
func (t Tensor) Row() int64 {
	if len(t.Shape) == 0 {
		return 1
	}
	return t.Shape[len(t.Shape)-1]
}

// Tile is where one output's elements of a chunk go.
type Tile[F Float] struct {
	Setting
	Out []F
}

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
	Spans(pass int, t Tensor) []Span
}

// WholeModel is implemented by methods whose statistics may span all tensors: ScanAll is asked once,
// with every tensor that is merged, and returns nil where statistics a tensor (or none) suffice.
type WholeModel interface {
	ScanAll(ts []Tensor, outs func(t Tensor) []Setting) Reducer
}

// Weighted is implemented by methods whose outputs are weighted sums of their operands, plus the base
// where operands are deltas. They run on the kernel, from bytes to bytes; Apply is then the reference
// that the kernel is equal to.
type Weighted interface {
	// Sum gives the weights of the sum, 0 for a model that is not read.
	Sum(s Setting) []float64
}

// InputError is something in the inputs that a method cannot merge, as its Reducer finds it.
type InputError struct{ Where, What, Expected, Fix string }

// Error says all of it on one line.
func (e *InputError) Error() string {
	return e.Where + ": " + e.What + "; expected " + e.Expected + "; " + e.Fix
}
