package method

import "sync"

// columnGrams is the Reducer of the inner products of two operands, column by column: an entry's column is
// its index without the first axis. Chunks are added up by themselves and then in their order, as soon as
// those before are there, so that few are kept.
type columnGrams struct {
	t       Tensor
	columns int64
	sums    []float64 // a column: ⟨x₁,x₁⟩, ⟨x₁,x₂⟩, ⟨x₂,x₂⟩

	mu      sync.Mutex
	open    map[int]*columnSums // chunks whose sums are not yet in sums
	next    int                 // chunk
	weights sync.Map            // an output: two a column
}

type columnSums struct {
	sums []float64
	done bool
}

func newColumnGrams(t Tensor) *columnGrams {
	c := &columnGrams{t: t, columns: 1, open: map[int]*columnSums{}}
	for _, n := range t.Shape[min(1, len(t.Shape)):] {
		c.columns *= n
	}
	c.sums = make([]float64, 3*c.columns)
	return c
}

func (c *columnGrams) Reduce32(_ int, in Chunk[float32]) { sumColumns(c, in) }
func (c *columnGrams) Reduce64(_ int, in Chunk[float64]) { sumColumns(c, in) }

func sumColumns[F Float](c *columnGrams, in Chunk[F]) {
	part := c.begin(in.Index)
	at := 3 * (in.Start % c.columns)
	for e := range in.Len() {
		var a, b float64
		if in.Models[0] != nil {
			a = float64(in.Models[0][e])
		}
		if in.Models[1] != nil {
			b = float64(in.Models[1][e])
		}
		part.sums[at] += float64(a * a)
		part.sums[at+1] += float64(a * b)
		part.sums[at+2] += float64(b * b)
		if at += 3; at == 3*c.columns {
			at = 0
		}
	}
	if end := in.Start + int64(in.Len()); end == c.t.Len || end%ChunkElements == 0 {
		c.end(part)
	}
}

// begin gives a chunk's sums to the goroutine that has it.
func (c *columnGrams) begin(chunk int) *columnSums {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.open[chunk] == nil {
		c.open[chunk] = &columnSums{sums: make([]float64, 3*c.columns)}
	}
	return c.open[chunk]
}

func (c *columnGrams) end(part *columnSums) {
	c.mu.Lock()
	defer c.mu.Unlock()
	part.done = true
	for p := c.open[c.next]; p != nil && p.done; p = c.open[c.next] {
		for k, v := range p.sums {
			c.sums[k] += v
		}
		delete(c.open, c.next)
		c.next++
	}
}

func (c *columnGrams) Finish(int) (bool, error) { return false, nil }

func (c *columnGrams) Stats() Stats { return c }

// of gives an output's two weights for each column.
func (c *columnGrams) of(s Setting, of combination) []float64 {
	if w, ok := c.weights.Load(s.Output); ok {
		return w.([]float64)
	}
	w, g := make([]float64, 0, 2*c.columns), gram{n: 2, sums: make([]float64, 4)}
	for k := int64(0); k < 3*c.columns; k += 3 {
		g.sums[0], g.sums[1], g.sums[2], g.sums[3] = c.sums[k], c.sums[k+1], c.sums[k+1], c.sums[k+2]
		w = append(w, of(s, &g)...)
	}
	c.weights.Store(s.Output, w)
	return w
}

// combineColumns sums two operands with weights of each column.
func combineColumns[F Float](dst []Tile[F], in Chunk[F], c *columnGrams, of combination) {
	for _, tile := range dst {
		w, at := c.of(tile.Setting, of), 2*(in.Start%c.columns)
		for e := range tile.Out {
			var sum float64 // columns may be short, and nearly opposite ones then have large weights
			for i, x := range in.Models {
				if v := w[at+int64(i)]; v != 0 {
					sum += float64(v * float64(x[e]))
				}
			}
			if in.Deltas {
				sum += float64(in.Base[e])
			}
			tile.Out[e] = F(sum)
			if at += 2; at == 2*c.columns {
				at = 0
			}
		}
	}
}
