package merge

import (
	"math"

	"parfait/merge/kernel"
	"parfait/merge/method"
)

// sums are what figures of a tensor are made of; they add up over chunks and over tensors.
type sums struct {
	n         int64
	base      float64   // Σθ₀²
	products  []float64 // Σδᵢδⱼ, row-major
	conflicts int64
	zeros     []int64
	nonFinite []int64
	models    []moments // θᵢ
	average   moments   // Σθᵢ/N
}

// and adds the sums of what comes after.
func (s sums) and(o sums) sums {
	if s.n == 0 {
		return o
	}
	if o.n == 0 {
		return s
	}
	out := sums{n: s.n + o.n, base: s.base + o.base, conflicts: s.conflicts + o.conflicts, average: s.average.and(o.average)}
	for i := range s.products {
		out.products = append(out.products, s.products[i]+o.products[i])
	}
	for i := range s.zeros {
		out.zeros = append(out.zeros, s.zeros[i]+o.zeros[i])
		out.models = append(out.models, s.models[i].and(o.models[i]))
	}
	for i := range s.nonFinite {
		out.nonFinite = append(out.nonFinite, s.nonFinite[i]+o.nonFinite[i])
	}
	return out
}

// centred forgets the means, so that variances within tensors add up over tensors.
func (s sums) centred() sums {
	for i := range s.models {
		s.models[i].mean = 0
	}
	s.average.mean = 0
	return s
}

// stats turns sums into figures.
func (s sums) stats(name string, models int) GroupStats {
	if s.n == 0 {
		s = sums{products: make([]float64, models*models), zeros: make([]int64, models), nonFinite: make([]int64, models+1), models: make([]moments, models)}
	}
	g := GroupStats{
		Name: name, Elements: s.n, BaseNorm: math.Sqrt(s.base), NonFinite: s.nonFinite,
		Conflicts: share(float64(s.conflicts), float64(s.n)),
	}
	for i := range models {
		norm := math.Sqrt(s.products[i*models+i])
		g.Norms = append(g.Norms, norm)
		g.Relative = append(g.Relative, share(norm, g.BaseNorm))
		g.Zeros = append(g.Zeros, share(float64(s.zeros[i]), float64(s.n)))
	}
	own := 0.0
	for i := range models {
		row := make([]float64, models)
		for j := range row {
			row[j] = share(s.products[i*models+j], g.Norms[i]*g.Norms[j])
		}
		g.Cosines = append(g.Cosines, row)
		own += s.models[i].squares / float64(models)
	}
	g.VarianceRatio = share(s.average.squares, own)
	return g
}

// lookAt sums a chunk. Entries that are not finite in some input are left out in all.
func lookAt[F method.Float](w *worker, d *workspace[F], t *tensor, c chunk) (sums, error) {
	n := len(t.models)
	s := sums{n: int64(c.n), products: make([]float64, n*n), zeros: make([]int64, n), nonFinite: make([]int64, n+1)}
	raw, err := w.fetch(t, c, everyModel(n))
	if err != nil {
		return s, err
	}
	base := buffer(&d.base, c.n)
	clear(base)
	bad := make(map[int]bool)
	if t.base.present() {
		if !decodeAny(base, raw.base, t.base) {
			s.nonFinite[0] = clean(base, nil, bad)
		}
	}
	values := make([][]F, n)
	for i, o := range t.models {
		values[i] = buffer(&d.models[i], c.n)
		if o.lora != nil {
			if err := d.loadLoRA(w, i, values[i], o.lora, c.start); err != nil {
				return s, err
			}
			method.Add(values[i], base, values[i])
			continue
		}
		copy(values[i], base)
		if !decodeAny(values[i], raw.models[i], o) {
			s.nonFinite[1+i] = clean(values[i], base, bad)
		}
	}
	for e := range bad {
		for i := range values {
			values[i][e] = base[e]
		}
	}
	average := buffer(&d.average, c.n)
	clear(average)
	for i, x := range values {
		s.zeros[i] = zeros(x)
		s.models = append(s.models, quickMoments(x))
		method.Axpy(average, F(1)/F(n), x)
	}
	s.average = quickMoments(average)
	s.base = method.Dot(base, base)
	if t.base.present() {
		for _, x := range values {
			method.Sub(x, x, base)
		}
	}
	copy(s.products, method.Products(values))
	s.conflicts = conflicts(values, c.n)
	return s, nil
}

func everyModel(n int) []bool {
	out := make([]bool, n)
	for i := range out {
		out[i] = true
	}
	return out
}

// decodeAny decodes what there is, NaN and infinities too, and says whether there are none.
func decodeAny[F method.Float](dst []F, raw []byte, o operand) (finite bool) {
	if len(raw) == 0 {
		return true
	}
	v := vector(raw, o.tensor.DType)
	return decode(dst[:v.Len()], v)
}

// clean puts the base's entries, or zero, in the place of what is not finite, and notes where.
func clean[F method.Float](x, base []F, bad map[int]bool) (n int64) {
	for e, v := range x {
		if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
			n++
			bad[e] = true
			x[e] = 0
			if base != nil {
				x[e] = base[e]
			}
		}
	}
	return n
}

// zeros counts them.
func zeros[F method.Float](x []F) (n int64) {
	if narrow, ok := any(x).([]float32); ok {
		return kernel.CountEqual(narrow, 0)
	}
	for _, v := range x {
		if v == 0 {
			n++
		}
	}
	return n
}

// quickMoments are momentsOf in one pass of the kernel. What is lost to cancellation is less than what
// figures show; where all is lost the numbers are taken for equal.
func quickMoments[F method.Float](x []F) moments {
	if len(x) == 0 {
		return moments{}
	}
	n, sum, squares := float64(len(x)), 0.0, method.Dot(x, x)
	if narrow, ok := any(x).([]float32); ok {
		sum = kernel.Sum(narrow)
	} else {
		sum = kernel.Sum64(any(x).([]float64))
	}
	m := moments{n: n, mean: sum / n, squares: squares - float64(sum*sum)/n}
	if m.squares < 1e-12*squares {
		m.squares = 0
	}
	return m
}

// conflicts counts the entries where two task vectors have opposite signs.
func conflicts[F method.Float](deltas [][]F, n int) (count int64) {
	const up, down = 1, 2
	var signs [method.BlockElements]uint8
	for lo := 0; lo < n; lo += method.BlockElements {
		seen := signs[:min(method.BlockElements, n-lo)]
		clear(seen)
		for _, d := range deltas {
			if narrow, ok := any(d).([]float32); ok {
				for e, v := range narrow[lo : lo+len(seen)] {
					bits := math.Float32bits(v)
					moved := (bits<<1 | -(bits << 1)) >> 31
					seen[e] |= uint8(moved << (bits >> 31))
				}
				continue
			}
			for e, v := range d[lo : lo+len(seen)] {
				if v > 0 {
					seen[e] |= up
				} else if v < 0 {
					seen[e] |= down
				}
			}
		}
		for _, s := range seen {
			count += int64(s >> 1 & s)
		}
	}
	return count
}
