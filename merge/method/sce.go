package method

import (
	"fmt"
	"slices"
	"sync/atomic"
)

func init() { Register(sce{}) }

// sce selects the entries in which task vectors differ most, weighs models by what is left of them, and
// erases what disagrees in sign (Wan et al., FuseChat, arXiv 2408.07990).
type sce struct{}

func (sce) Info() Info {
	return Info{
		Name:      "sce",
		About:     "selects the entries in which the task vectors vary most, weighs models by their squares, adds up what agrees in sign",
		Formula:   "θ₀ + λ Σ wᵢδ'ᵢ / Σ wᵢ over the i with sign(δ'ᵢ) = sign(Σ δ'ᵢ), wᵢ = cᵢ·mean(δ'ᵢ²), δ' the entries of δ whose variance over the models is among the ⌊select_topk·m⌋ largest of the m that are not 0",
		Paper:     "arXiv 2408.07990",
		Operand:   Deltas,
		NeedsBase: true,
		Models:    [2]int{1, 0},
		Domains:   []Domain{Simplex},
		Least:     0.01,
		Mergekit:  Mergekit{Name: "sce", Unweighted: true, Lacks: []string{"lambda", "even_below"}, Defaults: map[string]any{"even_below": evenBelow}},
		Params: []Param{lambda, {
			Name: "select_topk", Kind: Number, About: "share of the entries with any variance that is kept; 1 keeps all entries", Default: 1.0,
			Lo: 0, Hi: 1, Above: true, Range: [2]float64{0.1, 1},
		}, {
			Name: "even_below", Kind: Number, About: "in tensors where Σ mean(δ'ᵢ²) is below this wᵢ is cᵢ alone (mergekit has 1e-6, which most fine-tuned models are below)", Default: 0.0,
			Lo: 0, Hi: 1e6, Range: [2]float64{0, 1e-6},
		}},
		Notes: []string{
			"per tensor; the variance and the elected sign (+ where it is 0) are those of the models that have a weight, alike",
			"among entries of equal variance those with the lowest index are kept; Σ wᵢ = 1 over all models, and a divisor below 1e-6 is 1e-6",
		},
	}
}

// evenBelow is mergekit's.
const evenBelow = 1e-6

// leastDivisor is what the sum of weights of an entry is at least.
const leastDivisor = 1e-6

func (sce) cuts() int { return 1 }

func (sce) Domain(Options) Domain { return Simplex }

func (sce) Scan(t Tensor, outs []Setting) Reducer { return newSelection(t, outs) }

func (sce) Apply32(dst []Tile[float32], in Chunk[float32], s Stats) {
	selectAndElect(dst, in, s.(*selection))
}

func (sce) Apply64(dst []Tile[float64], in Chunk[float64], s Stats) {
	selectAndElect(dst, in, s.(*selection))
}

// selection is the Reducer of sce: it counts the entries with a variance, finds where the largest are cut,
// and adds up squares of what is kept. Where all is kept only the last is done.
type selection struct {
	t       Tensor
	sets    []*modelSet
	of      []int // an output: its set, −1 for an output without models
	share   []float64
	cuts    *ranks
	step    selectionStep
	sums    chunkSums   // an output and a model
	names   []string    // of the models
	squares [][]float64 // an output, a model: Σ δ'ᵢ²
}

// modelSet are the models that have a weight in some outputs: variances are over them.
type modelSet struct {
	models []int
	varied atomic.Int64 // entries whose variance is not 0
}

type selectionStep uint8

const (
	counting selectionStep = iota
	cutting
	squaring
)

func newSelection(t Tensor, outs []Setting) *selection {
	c := &selection{t: t, names: outs[0].Names, step: squaring}
	for _, s := range outs {
		models := s.active()
		set := slices.IndexFunc(c.sets, func(o *modelSet) bool { return slices.Equal(o.models, models) })
		if set < 0 && models != nil {
			set = len(c.sets)
			c.sets = append(c.sets, &modelSet{models: models})
		}
		share := s.Number("select_topk")
		if share < 1 && models != nil {
			c.step = counting
		}
		c.of, c.share = append(c.of, set), append(c.share, share)
	}
	return c
}

// kept is how many entries an output keeps, and whether it keeps all.
func (c *selection) kept(output int) (n int64, all bool) {
	share := c.share[output]
	return int64(share * float64(c.sets[c.of[output]].varied.Load())), share >= 1
}

func (c *selection) Reduce32(pass int, in Chunk[float32]) { reduceSelection(c, pass, in) }
func (c *selection) Reduce64(pass int, in Chunk[float64]) { reduceSelection(c, pass, in) }

func reduceSelection[F Float](c *selection, pass int, in Chunk[F]) {
	switch c.step {
	case counting:
		for _, set := range c.sets {
			n := int64(0)
			for _, v := range variances(set.models, in, 0, in.Len(), nil) {
				if v != 0 {
					n++
				}
			}
			set.varied.Add(n)
		}
	case cutting:
		of := Chunk[F]{Tensor: in.Tensor, Index: in.Index, Start: in.Start, Buffers: in.Buffers}
		for _, set := range c.sets {
			of.Models = append(of.Models, variances(set.models, in, 0, in.Len(), nil))
		}
		reduce(c.cuts, pass, of)
	case squaring:
		models := len(in.Models)
		sums := make([]float64, len(c.of)*models)
		for k, set := range c.of {
			if set < 0 {
				continue
			}
			keep := c.keeping(in.Once, k, in.Tensor, in.Start)
			for lo := 0; lo < in.Len(); lo += BlockElements {
				hi := min(lo+BlockElements, in.Len())
				for _, x := range selected(c.sets[set].models, keep, in, lo, hi) {
					sums[k*models+x.model] += Dot(x.entries, x.entries)
				}
			}
		}
		c.sums.add(in.Tensor, in.Index, sums)
	}
}

// reduce calls a Reducer in the arithmetic of F.
func reduce[F Float](r Reducer, pass int, in Chunk[F]) {
	switch in := any(in).(type) {
	case Chunk[float32]:
		r.Reduce32(pass, in)
	case Chunk[float64]:
		r.Reduce64(pass, in)
	}
}

// variances of the entries from lo to hi over some models, into dst.
func variances[F Float](models []int, in Chunk[F], lo, hi int, dst []F) []F {
	if dst == nil {
		dst = make([]F, hi-lo)
	}
	dst = dst[:hi-lo]
	n := F(len(models))
	for e := range dst {
		var sum, squares F
		for _, i := range models {
			sum += in.Models[i][lo+e]
		}
		mean := F(sum / n)
		for _, i := range models {
			d := in.Models[i][lo+e] - mean
			squares += F(d * d)
		}
		dst[e] = squares / n
	}
	return dst
}

// keeping gives what keeps an output's entries by their variance, from the first part of a chunk to the
// last; nil where all are kept.
func (c *selection) keeping(once func(string, func() any) any, output int, t Tensor, start int64) *bands {
	n, all := c.kept(output)
	if all {
		return nil
	}
	return once(fmt.Sprint("selection of output ", output), func() any {
		return c.cuts.between(c.of[output], 0, n, t.Len, t, start)
	}).(*bands)
}

// entriesOf are entries of a model, with zeros where they are not kept.
type entriesOf[F Float] struct {
	model   int
	entries []F
}

// selected are the entries from lo to hi that keep keeps.
func selected[F Float](models []int, keep *bands, in Chunk[F], lo, hi int) []entriesOf[F] {
	out := make([]entriesOf[F], len(models))
	for k, i := range models {
		out[k] = entriesOf[F]{i, in.Models[i][lo:hi]}
	}
	if keep == nil {
		return out
	}
	varied := variances(models, in, lo, hi, in.Scratch(len(in.Models)))
	keepBand(keep, varied)
	for k, i := range models {
		out[k].entries = in.Scratch(i)[:hi-lo]
		for e, v := range varied {
			x := in.Models[i][lo+e]
			if v == 0 {
				x = 0
			}
			out[k].entries[e] = x
		}
	}
	return out
}

func (c *selection) Spans(pass int, t Tensor) []Span {
	if c.step == cutting {
		return c.cuts.Spans(pass, t)
	}
	return nil
}

func (c *selection) Finish(pass int) (bool, error) {
	switch c.step {
	case counting:
		want := make([][]int64, len(c.sets))
		for k, set := range c.of {
			if set >= 0 {
				if n, all := c.kept(k); !all {
					want[set] = append(want[set], n)
				}
			}
		}
		if c.step, c.cuts = cutting, newRanks([]Tensor{c.t}, want); c.cuts == nil {
			c.step = squaring
		}
		return true, nil
	case cutting:
		if again, err := c.cuts.Finish(pass); again || err != nil {
			return again, err
		}
		c.step = squaring
		return true, nil
	}
	n := len(c.names)
	total := c.sums.total(len(c.of) * n)
	for k := range c.of {
		c.squares = append(c.squares, total[k*n:(k+1)*n])
	}
	return false, nil
}

func (c *selection) Stats() Stats { return c }

// weights are wᵢ of an output, with the sum 1.
func (c *selection) weights(s Setting) []float64 {
	w, sum, mean := make([]float64, len(s.Weights)), 0.0, 0.0
	for _, v := range c.squares[s.Output] {
		mean += v / float64(c.t.Len)
	}
	for i, v := range c.squares[s.Output] {
		switch {
		case s.Effective(i) == 0:
			continue
		case mean == 0 || mean < s.Number("even_below"):
			v = 1
		}
		w[i] = s.Weights[i] * v
		sum += w[i]
	}
	for i := range w {
		w[i] /= sum
	}
	return w
}

func selectAndElect[F Float](dst []Tile[F], in Chunk[F], c *selection) {
	for _, tile := range dst {
		models := c.sets[c.of[tile.Output]].models
		w, lambda := c.weights(tile.Setting), F(tile.Number("lambda"))
		keep := c.keeping(in.Once, tile.Output, in.Tensor, in.Start)
		for lo := 0; lo < in.Len(); lo += BlockElements {
			hi := min(lo+BlockElements, in.Len())
			kept := selected(models, keep, in, lo, hi)
			for e := range hi - lo {
				var elected, sum, total F
				for _, x := range kept {
					elected += x.entries[e]
				}
				for _, x := range kept {
					if v := x.entries[e]; v != 0 && (v < 0) == (elected < 0) {
						sum += F(F(w[x.model]) * v)
						total += F(w[x.model])
					}
				}
				sum /= max(total, leastDivisor)
				tile.Out[lo+e] = in.Base[lo+e] + F(lambda*sum)
			}
		}
	}
}
