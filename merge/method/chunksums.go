package method

import (
	"cmp"
	"maps"
	"slices"
	"sync"
)

// chunkSums adds up numbers that parts of chunks bring, in the order of the chunks, whichever goroutine
// brings them and when. What a chunk brings is added up first.
type chunkSums struct {
	mu sync.Mutex
	of map[chunkKey][]float64
}

type chunkKey struct{ tensor, chunk int }

// add takes the numbers of a part; the parts of a chunk come in order.
func (c *chunkSums) add(tensor Tensor, chunk int, part []float64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	key := chunkKey{tensor.Index, chunk}
	sum, ok := c.of[key]
	switch {
	case c.of == nil:
		c.of = map[chunkKey][]float64{key: part}
	case !ok:
		c.of[key] = part
	default:
		for k, v := range part {
			sum[k] += v
		}
	}
}

// total is the sum of n numbers a chunk; what it is of is forgotten.
func (c *chunkSums) total(n int) []float64 {
	out := make([]float64, n)
	keys := slices.SortedFunc(maps.Keys(c.of), func(a, b chunkKey) int {
		return cmp.Or(cmp.Compare(a.tensor, b.tensor), cmp.Compare(a.chunk, b.chunk))
	})
	for _, key := range keys {
		for k, v := range c.of[key] {
			out[k] += v
		}
	}
	c.of = nil
	return out
}
