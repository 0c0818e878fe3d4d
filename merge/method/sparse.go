package method

import (
	"math"

	"parfait/merge/kernel"
)

// Methods that drop entries of task vectors and add up the rest, with or without an election of signs
// (TIES-Merging, Yadav et al., arXiv 2306.01708).

// sparse drops entries of δᵢ: part holds those from index lo of the chunk's part on, and gets zeros where
// they are dropped. It is called for each model with rising lo.
type sparse[F Float] func(part []F, i, lo int)

// thin says how a method drops entries of a chunk for an output; s are the method's statistics.
type thin[F Float] func(tile Tile[F], in Chunk[F], s Stats) sparse[F]

// sumSparse adds up what a method leaves of task vectors, with or without an election.
func sumSparse[F Float](elect bool, dst []Tile[F], in Chunk[F], s Stats, thin thin[F]) {
	drop := func(tile Tile[F]) sparse[F] { return thin(tile, in, s) }
	if r, ok := s.(rescaled); ok {
		drop = func(tile Tile[F]) sparse[F] { return scaleKept(r, tile, thin(tile, in, r.inner)) }
	}
	if elect {
		electSparse(dst, in, drop)
	} else {
		addSparse(dst, in, drop)
	}
}

// thinned is a block of a model's entries after dropping: in place for the last output that wants them.
func thinned[F Float](in Chunk[F], drop sparse[F], last bool, i, lo, hi int) []F {
	part := in.Models[i][lo:hi]
	if !last {
		part = in.Scratch(i)[:hi-lo]
		copy(part, in.Models[i][lo:hi])
	}
	drop(part, i, lo)
	return part
}

// normalizeFlag makes the sum an average over the models that agree.
var normalizeFlag = Param{
	Name: "normalize", Kind: Flag, Default: false,
	About: "divides by the sum of the weights of the models that agree: weights are then proportions",
}

// addSparse is θ₀ + λ Σ cᵢδ'ᵢ, where δ' is what dropping leaves of a task vector for an output.
func addSparse[F Float](dst []Tile[F], in Chunk[F], dropping func(Tile[F]) sparse[F]) {
	for k, tile := range dst {
		w, drop := scaled[F](tile.Setting), dropping(tile)
		for lo := 0; lo < len(tile.Out); lo += BlockElements {
			hi := min(lo+BlockElements, len(tile.Out))
			sum := tile.Out[lo:hi]
			clear(sum)
			for i := range w {
				if w[i] != 0 {
					Axpy(sum, w[i], thinned(in, drop, k == len(dst)-1, i, lo, hi))
				}
			}
			Add(sum, in.Base[lo:hi], sum)
		}
	}
}

// electSparse is addSparse over the entries whose product with their weight has the elected sign, that
// of Σ cᵢδ'ᵢ, + where it is zero. With normalize the sum is divided by the Σ cᵢ over them.
func electSparse[F Float](dst []Tile[F], in Chunk[F], dropping func(Tile[F]) sparse[F]) {
	for k, tile := range dst {
		last := k == len(dst)-1
		if narrow, ok := any(tile).(Tile[float32]); ok && tile.Number("lambda") == 1 {
			electOnKernel(narrow, any(in).(Chunk[float32]), any(dropping(tile)).(sparse[float32]), last)
			continue
		}
		w, drop := scaled[F](tile.Setting), dropping(tile)
		normalize := tile.Flag("normalize")
		elected, total, parts := in.Scratch(len(w)), in.Scratch(len(w)+1), make([][]F, len(w))
		for lo := 0; lo < len(tile.Out); lo += BlockElements {
			hi := min(lo+BlockElements, len(tile.Out))
			n := hi - lo
			sum, elected, total := tile.Out[lo:hi], elected[:n], total[:n]
			clear(sum)
			clear(elected)
			clear(total)
			for i := range w {
				if w[i] != 0 {
					parts[i] = thinned(in, drop, last, i, lo, hi)
					Axpy(elected, F(tile.Weights[i]), parts[i])
				}
			}
			for i := range w {
				if w[i] != 0 {
					agree(parts[i], elected, tile.Weights[i] < 0)
					Axpy(sum, w[i], parts[i])
					if normalize {
						addWhere(total, F(tile.Weights[i]), parts[i])
					}
				}
			}
			if normalize {
				divide(sum, total)
			}
			Add(sum, in.Base[lo:hi], sum)
		}
	}
}

// electOnKernel is electSparse for one output, where the weights that elect are those that scale.
func electOnKernel(tile Tile[float32], in Chunk[float32], drop sparse[float32], last bool) {
	w := scaled[float32](tile.Setting)
	var parts []float32
	if tile.Flag("normalize") {
		parts = w
	}
	list := make([][]float32, len(w))
	for lo := 0; lo < len(tile.Out); lo += BlockElements {
		hi := min(lo+BlockElements, len(tile.Out))
		for i := range w {
			if w[i] != 0 {
				list[i] = thinned(in, drop, last, i, lo, hi)
			}
		}
		kernel.Elect(tile.Out[lo:hi], list, w, parts)
		Add(tile.Out[lo:hi], in.Base[lo:hi], tile.Out[lo:hi])
	}
}

// agree clears the entries whose sign, flipped for a negative weight, is not the elected one.
func agree[F Float](part, elected []F, flip bool) {
	for e, v := range part {
		if (v < 0) != flip != (elected[e] < 0) {
			part[e] = 0
		}
	}
}

// addWhere adds c where an entry is not zero.
func addWhere[F Float](total []F, c F, part []F) {
	for e, v := range part {
		if v != 0 {
			total[e] += c
		}
	}
}

// divide divides by total, or by 1 where that is hardly different from zero.
func divide[F Float](sum, total []F) {
	for e, d := range total {
		if math.Abs(float64(d)) >= 1e-8 {
			sum[e] /= d
		}
	}
}
