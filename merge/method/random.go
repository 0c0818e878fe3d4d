package method

import (
	"cmp"

	"parfait/merge/kernel"
)

// Random methods draw from kernel.NewRandom(seed, model, tensor): the word of an element depends on the
// seed, the two names and its index alone, so that neither the order of the work nor the number of
// workers can change it. An entry is kept where its word, over 2³², is below a probability.

// rowsOf are the random rows of the models for a tensor.
func rowsOf[F Float](tile Tile[F], in Chunk[F]) []*kernel.Random {
	return in.Once("random", func() any {
		out := make([]*kernel.Random, len(tile.Names))
		for i, name := range tile.Names {
			out[i] = kernel.NewRandom(tile.Seed, name, cmp.Or(in.Tensor.TiedTo, in.Tensor.Name))
		}
		return out
	}).([]*kernel.Random)
}

// wordsOf is a block of words to draw into.
func wordsOf[F Float](in Chunk[F]) []uint32 {
	return in.Once("words", func() any { return make([]uint32, BlockElements) }).([]uint32)
}

// keepRandom clears the entries of part that are not kept with probability p and divides the others
// by p.
func keepRandom[F Float](part []F, words []uint32, p float64) {
	if x, narrow := any(part).([]float32); narrow {
		kernel.Keep(x, words, p)
		return
	}
	below := kernel.Threshold(p)
	for e, w := range words {
		if uint64(w) < below {
			part[e] /= F(p)
		} else {
			part[e] = 0
		}
	}
}

// keepBelow clears the entries of part whose word is not below a threshold.
func keepBelow[F Float](part []F, words []uint32, below uint64) {
	for e, w := range words {
		v := part[e]
		if uint64(w) >= below {
			v = 0
		}
		part[e] = v
	}
}
