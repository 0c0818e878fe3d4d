package kernel

import (
	"fmt"
	"sync"
)

// tileElements is how many elements are worked on at a time: tiles stay in the first caches, and
// assembly, which cannot be pre-empted, returns within microseconds.
const tileElements = 2048

// tileOutputs is how many outputs share a reading of the inputs' tile.
const tileOutputs = 4

// Output is where one weighted sum goes, and its weight for each model. Weights are rounded to float32
// unless every input is F64. A weight of 0 means that the model has no part in the output.
type Output struct {
	Vector
	Weights []float64
}

// TaskArithmetic sets every output to θ₀ + Σ wᵢ·(θᵢ − θ₀) and says whether all of them are finite. Any
// NaN or infinity in the base, or in a model with a weight, makes an output non-finite. Where all of
// an output's weights are 0 it is the base, converted.
//
// With a = +0: a = f32(a + f32(wᵢ·f32(θᵢ − θ₀))) for each i with wᵢ ≠ 0 in order, then the output is
// f32(θ₀ + a) rounded to its format, to nearest, ties to even. If the base and every model are F64, with a
// weight or not, all is computed in float64 and rounded once.
//
// Inputs may have different formats; the fastest is one format for inputs and outputs. A model whose
// weights are all 0 may have no data, but has a format. Outputs share no bytes with each other or with
// inputs. O((K+1)·N) for N models and K outputs an element, inputs read from
// memory once. It panics where lengths differ.
func TaskArithmetic(outs []Output, base Vector, models []Vector) (finite bool) {
	return combine(outs, &base, models, base.Len())
}

// WeightedSum is TaskArithmetic with θᵢ in the place of θᵢ − θ₀ and without θ₀. An output whose weights
// are all 0 is +0. n is the number of elements.
func WeightedSum(outs []Output, models []Vector, n int) (finite bool) {
	return combine(outs, nil, models, n)
}

func combine(outs []Output, base *Vector, models []Vector, n int) bool {
	if base != nil {
		base.mustBe("the base", n)
	}
	used := make([]bool, len(models))
	for k, o := range outs {
		o.mustBe("an output", n)
		if len(o.Weights) != len(models) {
			panic(fmt.Sprintf("kernel: output %d has %d weights for %d models", k, len(o.Weights), len(models)))
		}
		for i, w := range o.Weights {
			used[i] = used[i] || w != 0
		}
	}
	double := base == nil || base.Format == F64
	for i, m := range models {
		if used[i] {
			m.mustBe("a model", n)
		} else if m.Format.Size() == 0 {
			panic(fmt.Sprintf("kernel: model %d has no format: expected one of a model without a weight too", i))
		}
		double = double && m.Format == F64
	}
	if double {
		return combine64(outs, base, models, n)
	}
	var groups []*group
	for lo := 0; lo < len(outs); lo += tileOutputs {
		groups = append(groups, newGroup(outs[lo:min(len(outs), lo+tileOutputs)], base, models))
	}
	finite := true
	for lo := 0; lo < n; lo += tileElements {
		for _, g := range groups {
			finite = g.tile(lo, min(n, lo+tileElements)) && finite
		}
	}
	return finite
}

// group is up to tileOutputs outputs that share their readings of the inputs.
type group struct {
	sums    []Output // outputs with a weight
	copies  []Output // outputs without
	base    *Vector
	models  []Vector  // those with a weight in one of sums
	weights []float32 // of models[i] in sums[k] at i·len(sums) + k
	fused   *fusedSum // nil: step by step
}

func newGroup(outs []Output, base *Vector, models []Vector) *group {
	g := &group{base: base}
	for _, o := range outs {
		weighted := false
		for _, w := range o.Weights {
			weighted = weighted || float32(w) != 0
		}
		if weighted {
			g.sums = append(g.sums, o)
		} else {
			g.copies = append(g.copies, o)
		}
	}
	for i, m := range models {
		used := false
		for _, o := range g.sums {
			used = used || float32(o.Weights[i]) != 0
		}
		if !used {
			continue
		}
		g.models = append(g.models, m)
		for _, o := range g.sums {
			g.weights = append(g.weights, float32(o.Weights[i]))
		}
	}
	g.fused = newFusedSum(g)
	return g
}

// tile computes elements lo to hi of every output.
func (g *group) tile(lo, hi int) (finite bool) {
	finite = true
	for _, o := range g.copies {
		if g.base != nil {
			finite = Convert(o.slice(lo, hi), g.base.slice(lo, hi)) && finite
		} else {
			clear(o.slice(lo, hi).Data)
		}
	}
	if len(g.sums) == 0 {
		return finite
	}
	if g.fused != nil {
		// A sum that is not finite is made again step by step, for bits that do not depend on the
		// machine: fused code multiplies by weights of 0 too, which is the same unless they meet an
		// infinity.
		if lo += g.fused.run(lo, hi); lo == hi {
			return finite
		}
	}
	return g.steps(lo, hi) && finite
}

// scratch is the decoded tiles of one call.
type scratch struct {
	base, model [tileElements]float32
	sums        [tileOutputs][tileElements]float32
}

var scratches = sync.Pool{New: func() any { return new(scratch) }}

// steps computes elements lo to hi, at most a tile, one operation at a time.
func (g *group) steps(lo, hi int) (finite bool) {
	s := scratches.Get().(*scratch)
	defer scratches.Put(s)
	n := hi - lo
	base := s.base[:n]
	if g.base != nil {
		Decode(base, g.base.slice(lo, hi))
	}
	for k := range g.sums {
		clear(s.sums[k][:n])
	}
	for i, m := range g.models {
		model := s.model[:n]
		Decode(model, m.slice(lo, hi))
		if g.base != nil {
			Sub(model, model, base)
		}
		for k := range g.sums {
			if w := g.weights[i*len(g.sums)+k]; w != 0 {
				Axpy(s.sums[k][:n], w, model)
			}
		}
	}
	finite = true
	for k, o := range g.sums {
		sum := s.sums[k][:n]
		if g.base != nil {
			Add(sum, base, sum)
		}
		finite = Encode(o.slice(lo, hi), sum) && finite
	}
	return finite
}
