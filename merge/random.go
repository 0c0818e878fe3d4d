package merge

import "parfait/merge/kernel"

// Random methods draw from kernel.NewRandom(seed, model, tensor): the word of an element depends on the
// seed, the two names and its index alone, so that neither the order of the work nor the number of
// workers can change it. An entry is kept where its word, over 2³², is below a probability.

// rows makes the random row of each model for a tensor.
func rows(s Setting, t TensorInfo) []*kernel.Random {
	out := make([]*kernel.Random, len(s.Names))
	for i, name := range s.Names {
		if s.effective(i) != 0 {
			out[i] = kernel.NewRandom(s.Seed, name, t.Name)
		}
	}
	return out
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
