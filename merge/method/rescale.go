package method

// Ways in which what is kept of a task vector makes up for what is dropped.
const (
	byNothing     = "none"
	byProbability = "probability" // each entry is divided by its chance to be kept
	byMagnitude   = "l1"          // the sum of magnitudes is as before
)

// rescaleRandom is of the methods that drop at random, rescaleTrimmed of those that drop by rank.
var (
	rescaleRandom  = Param{Name: "rescale", Kind: Choice, Default: byProbability, Choices: []string{byNothing, byProbability, byMagnitude}, About: "what is kept is divided by its probability, or scaled until the sum of magnitudes of each task vector is as before, or left"}
	rescaleTrimmed = Param{Name: "rescale", Kind: Choice, Default: byNothing, Choices: []string{byNothing, byMagnitude}, About: "what is kept is scaled until the sum of magnitudes of each task vector is as before, or left"}
)

// magnitudesOf is a Reducer that gathers what inner does (nil: nothing) and then, where rescale asks for
// it, the sums of magnitudes of the task vectors of some tensors together, before and after dropping.
func magnitudesOf(inner Reducer, ts []Tensor, outs func(Tensor) []Setting, thin32 thin[float32], thin64 thin[float64]) Reducer {
	if len(ts) == 0 || outs(ts[0])[0].Choice("rescale") != byMagnitude {
		return inner
	}
	first := outs(ts[0])
	return &rescaling{inner: inner, measuring: inner == nil, settings: outs, outs: len(first), models: len(first[0].Names), thin32: thin32, thin64: thin64}
}

type rescaling struct {
	inner     Reducer // what is needed to know what is dropped
	measuring bool    // the inner one is done
	settings  func(Tensor) []Setting
	outs      int
	models    int
	thin32    thin[float32]
	thin64    thin[float64]
	sums      chunkSums // an output and a model: before and after
	stats     rescaled
}

// rescaled is what a Reducer of magnitudes leaves for Apply.
type rescaled struct {
	inner   Stats
	factors [][]float64 // an output, a model
}

func (r *rescaling) Reduce32(pass int, in Chunk[float32]) {
	if !r.measuring {
		r.inner.Reduce32(pass, in)
		return
	}
	measure(r, in, r.thin32)
}

func (r *rescaling) Reduce64(pass int, in Chunk[float64]) {
	if !r.measuring {
		r.inner.Reduce64(pass, in)
		return
	}
	measure(r, in, r.thin64)
}

func measure[F Float](r *rescaling, in Chunk[F], thin thin[F]) {
	sums := make([]float64, 2*r.outs*r.models)
	for k, s := range r.settings(in.Tensor) {
		of := sums[2*k*r.models:]
		drop := thin(Tile[F]{Setting: s}, in, r.stats.inner)
		for lo := 0; lo < in.Len(); lo += BlockElements {
			hi := min(lo+BlockElements, in.Len())
			for i := range r.models {
				if s.Effective(i) != 0 {
					of[2*i] += magnitudes(in.Models[i][lo:hi])
					of[2*i+1] += magnitudes(thinned(in, drop, false, i, lo, hi))
				}
			}
		}
	}
	r.sums.add(in.Tensor, in.Index, sums)
}

func (r *rescaling) Spans(pass int, t Tensor) []Span {
	if s, ok := r.inner.(Sampler); ok && !r.measuring {
		return s.Spans(pass, t)
	}
	return nil
}

func (r *rescaling) Finish(pass int) (again bool, err error) {
	if !r.measuring {
		if again, err = r.inner.Finish(pass); again || err != nil {
			return again, err
		}
		r.measuring, r.stats.inner = true, r.inner.Stats()
		return true, nil
	}
	total := r.sums.total(2 * r.outs * r.models)
	for k := range r.outs {
		factors := make([]float64, r.models)
		for i := range factors {
			before, after := total[2*(k*r.models+i)], total[2*(k*r.models+i)+1]
			if factors[i] = before / after; before == 0 || after == 0 {
				factors[i] = 1
			}
		}
		r.stats.factors = append(r.stats.factors, factors)
	}
	return false, nil
}

func (r *rescaling) Stats() Stats { return r.stats }

// scaleKept scales what drop keeps for an output.
func scaleKept[F Float](r rescaled, tile Tile[F], drop sparse[F]) sparse[F] {
	factors := r.factors[tile.Output]
	return func(part []F, i, lo int) {
		drop(part, i, lo)
		scale(part, F(factors[i]))
	}
}
