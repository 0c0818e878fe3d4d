package method

// ChunkElements is the number of elements of a tensor that are worked on at a time: 256 KiB of bf16,
// 512 KiB of f32. Digests are of such chunks, and rows above it are ranked in blocks of it.
const ChunkElements = 1 << 17

// Chunk is a run of consecutive elements of one tensor in every input, decoded. The executor reads
// chunks of ChunkElements and hands each of them over in parts, in order, by one goroutine; methods that
// want whole rows get it in one part.
type Chunk[F Float] struct {
	Tensor Tensor
	Index  int   // of the chunk in its tensor, the same for all its parts
	Start  int64 // index of the part's first element
	Base   []F   // θ₀; for methods that need none it may be nil
	Deltas bool  // Models are task vectors
	Models [][]F // δᵢ or θᵢ, as the method's Operand says; nil where no output gives the model a weight
	Aux    [][]F // what a parameter of kind Paths names for each model, with the same names and shapes

	Buffers *Buffers[F] // of the goroutine; nil makes new ones
}

// Buffers are what a goroutine keeps from one part of a chunk to the next, and from chunk to chunk.
type Buffers[F Float] struct {
	scratch [][]F
	memo    map[string]any
}

// Begin forgets what belonged to the chunk before.
func (b *Buffers[F]) Begin() { clear(b.memo) }

// Scratch is a buffer of BlockElements elements for whatever the method likes; i is the buffer's number.
func (c Chunk[F]) Scratch(i int) []F {
	if c.Buffers == nil {
		return make([]F, BlockElements)
	}
	for len(c.Buffers.scratch) <= i {
		c.Buffers.scratch = append(c.Buffers.scratch, make([]F, BlockElements))
	}
	return c.Buffers.scratch[i]
}

// Once gives what make made at the first part of the chunk: what costs, or what goes on from part to part.
func (c Chunk[F]) Once(key string, make func() any) any {
	if c.Buffers == nil {
		return make()
	}
	v, ok := c.Buffers.memo[key]
	if !ok {
		v = make()
		if c.Buffers.memo == nil {
			c.Buffers.memo = map[string]any{}
		}
		c.Buffers.memo[key] = v
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
