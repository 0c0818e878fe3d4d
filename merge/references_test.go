package merge

import (
	"math"
	"slices"
)

// More references: see methods_test.go.

// dropped is δ' of model i, scaled if the problem says so.
func (p problemOf) dropped(method string, i int) []float64 {
	x := p.sparse(method, i)
	if p.rescale != "l1" {
		return x
	}
	before, after := 0.0, 0.0
	for e, d := range p.delta(i) {
		before += math.Abs(d)
		after += math.Abs(x[e])
	}
	if before > 0 && after > 0 {
		for e := range x {
			x[e] = p.round(x[e] * p.round(before/after))
		}
	}
	return x
}

func (p problemOf) nearswap() []float64 {
	out := make([]float64, len(p.base))
	for e, d := range p.delta(0) {
		if t := p.round(p.param["t"]); math.Abs(d) > t {
			d = math.Copysign(t, d)
		}
		out[e] = p.round(p.base[e] + d)
	}
	return out
}

// weighed are the models that have a weight.
func (p problemOf) weighed() []int {
	var out []int
	for i, c := range p.c {
		if c != 0 {
			out = append(out, i)
		}
	}
	return out
}

func (p problemOf) sce() []float64 {
	models, n := p.weighed(), float64(len(p.weighed()))
	deltas := make([][]float64, len(p.models))
	for _, i := range models {
		deltas[i] = p.delta(i)
	}
	variance := make([]float64, len(p.base))
	varied := 0
	for e := range variance {
		sum, squares := 0.0, 0.0
		for _, i := range models {
			sum = p.round(sum + deltas[i][e])
		}
		for _, i := range models {
			d := p.round(deltas[i][e] - p.round(sum/n))
			squares = p.round(squares + p.round(d*d))
		}
		if variance[e] = p.round(squares / n); variance[e] != 0 {
			varied++
		}
	}
	if share := p.param["select_topk"]; share < 1 {
		variance = keepRanks(variance, 0, int(share*float64(varied)))
		for e, v := range variance {
			for _, i := range models {
				if v == 0 {
					deltas[i][e] = 0
				}
			}
		}
	}
	w, sum := make([]float64, len(p.models)), 0.0
	for _, i := range models {
		sum += inner(deltas[i], deltas[i]) / float64(len(p.base))
	}
	total := 0.0
	for _, i := range models {
		if w[i] = p.c[i]; sum > 0 && sum >= p.param["even_below"] {
			w[i] *= inner(deltas[i], deltas[i])
		}
		total += w[i]
	}
	out := make([]float64, len(p.base))
	for e := range out {
		elected, a, weights := 0.0, 0.0, 0.0
		for _, i := range models {
			elected = p.round(elected + deltas[i][e])
		}
		for _, i := range models {
			if d := deltas[i][e]; d > 0 && elected >= 0 || d < 0 && elected < 0 {
				a += w[i] / total * d
				weights += w[i] / total
			}
		}
		out[e] = p.base[e] + p.param["lambda"]*a/max(weights, 1e-6)
	}
	return out
}

// vectorsOf lists the indices of what is one vector.
func (p problemOf) vectorsOf() [][]int {
	n, of := len(p.base), func(int) int { return 0 }
	switch p.vectors {
	case "rows":
		of = func(e int) int { return e / p.row }
	case "columns":
		if p.row < n { // the tensors of these tests have two axes at most
			of = func(e int) int { return e % p.row }
		}
	}
	out := make([][]int, n)
	for e := range n {
		out[of(e)] = append(out[of(e)], e)
	}
	return out
}

// byVector merges vectors of task vectors (or of models) with weights that are worked out by themselves.
func (p problemOf) byVector(deltas bool, weights func(x [][]float64) []float64) []float64 {
	out, operands := make([]float64, len(p.base)), slices.Clone(p.models)
	for i := range operands {
		if deltas {
			operands[i] = p.delta(i)
		}
	}
	for _, at := range p.vectorsOf() {
		var x [][]float64
		for _, operand := range operands {
			v := make([]float64, len(at))
			for k, e := range at {
				v[k] = operand[e]
			}
			x = append(x, v)
		}
		w := weights(x)
		for k, e := range at {
			for i := range x {
				out[e] += w[i] * x[i][k]
			}
			if deltas {
				out[e] += p.base[e]
			}
		}
	}
	return out
}

func (p problemOf) nuslerp() []float64 {
	return p.byVector(true, func(x [][]float64) []float64 {
		t, cos := p.c[1]/(p.c[0]+p.c[1]), cosineOf(x[0], x[1])
		if 1-cos*cos <= 1e-12 {
			return []float64{1 - t, t}
		}
		omega := math.Acos(cos)
		return []float64{math.Sin((1-t)*omega) / math.Sin(omega), math.Sin(t*omega) / math.Sin(omega)}
	})
}

// unit is the direction of x.
func unit(x []float64) []float64 {
	n, out := math.Sqrt(inner(x, x)), make([]float64, len(x))
	for e, v := range x {
		out[e] = v / n
	}
	return out
}

// onSphere is the mean of directions times the mean length, improved some times along tangents.
func (p problemOf) onSphere(x [][]float64, alpha []float64, steps int, tol float64) []float64 {
	n := len(x[0])
	m, scale := make([]float64, n), 0.0
	for i, v := range x {
		if norm := math.Sqrt(inner(v, v)); norm > 0 {
			scale += alpha[i] * norm
			for e, u := range unit(v) {
				m[e] += alpha[i] * u
			}
		}
	}
	if inner(m, m) == 0 {
		return m
	}
	m = unit(m)
	for range steps {
		tangent := make([]float64, n)
		for i, v := range x {
			if inner(v, v) == 0 || alpha[i] == 0 {
				continue
			}
			u := unit(v)
			cos := min(max(inner(m, u), -1), 1)
			if omega := math.Acos(cos); omega >= tol && math.Sin(omega) > 0 {
				for e := range tangent {
					tangent[e] += alpha[i] * omega / math.Sin(omega) * (u[e] - cos*m[e])
				}
			}
		}
		angle := math.Sqrt(inner(tangent, tangent))
		if angle < tol {
			break
		}
		for e := range m {
			m[e] = math.Cos(angle)*m[e] + math.Sin(angle)/angle*tangent[e]
		}
		m = unit(m)
	}
	for e := range m {
		m[e] *= scale
	}
	return m
}

// proportions are the weights over their sum.
func (p problemOf) proportions() []float64 {
	out := make([]float64, len(p.c))
	for i, c := range p.c {
		out[i] = c / inner(p.c, ones(len(p.c)))
	}
	return out
}

func (p problemOf) karcher() []float64 {
	alpha := p.proportions()
	for i, x := range p.models {
		if inner(x, x) == 0 {
			alpha[i] = 0
		}
	}
	return p.onSphere(p.models, alpha, int(p.param["max_iter"]), p.param["tol"])
}

func (p problemOf) multislerp() []float64 {
	x, alpha := make([][]float64, len(p.models)), p.proportions()
	if p.flag {
		alpha = p.c
	}
	for i := range x {
		x[i] = p.delta(i)
	}
	out := p.onSphere(x, alpha, 0, 0)
	for e := range out {
		out[e] += p.base[e]
	}
	return out
}

func (p problemOf) consensus() []float64 {
	out := make([]float64, len(p.base))
	for e := range out {
		all, n, a := 0.0, 0, 0.0
		for i := range p.models {
			all = p.round(all + p.round(p.models[i][e]-p.base[e]))
		}
		for i, c := range p.c {
			d := p.round(p.models[i][e] - p.base[e])
			if math.Abs(d) >= p.round(p.round(p.param["mask"])*math.Abs(p.round(all-d))) {
				n++
			}
			if c != 0 {
				a = p.round(a + p.round(p.round(p.param["lambda"]*c)*d))
			}
		}
		if out[e] = p.base[e]; n >= min(int(p.param["agree"]), len(p.models)) {
			out[e] = p.round(p.base[e] + a)
		}
	}
	return out
}

// averaged is the average of some entries over the models that have them.
func (p problemOf) averaged(entries [][]float64, alone []float64) []float64 {
	out := make([]float64, len(p.base))
	for e := range out {
		sum, total, n, last := 0.0, 0.0, 0, 0
		for i, c := range p.c {
			if c != 0 && entries[i][e] != 0 {
				sum += c * entries[i][e]
				total += c
				n, last = n+1, i
			}
		}
		if n > 0 {
			sum /= total
		}
		if n == 1 {
			sum *= alone[last]
		}
		out[e] = p.base[e] + p.param["lambda"]*sum
	}
	return out
}

func (p problemOf) localize() []float64 {
	var entries [][]float64
	for i := range p.models {
		entries = append(entries, keepRanks(p.delta(i), 0, ceilShare(p.param["density"], len(p.base))))
	}
	return p.averaged(entries, ones(len(p.models)))
}

func (p problemOf) ram(plus bool) []float64 {
	var entries [][]float64
	for i := range p.models {
		x := p.delta(i)
		for e, d := range x {
			if math.Abs(d) <= p.round(p.param["epsilon"]) {
				x[e] = 0
			}
		}
		entries = append(entries, x)
	}
	alone, by, shared := ones(len(p.models)), make([]float64, len(p.models)), make([]float64, len(p.models))
	for e := range p.base {
		var who []int
		for _, i := range p.weighed() {
			if entries[i][e] != 0 {
				who = append(who, i)
			}
		}
		for _, i := range who {
			if len(who) == 1 {
				by[i]++
			} else {
				shared[i]++
			}
		}
	}
	for i := range alone {
		if plus && by[i] > 0 {
			alone[i] = 1 + p.param["r"]*min(shared[i]/by[i], p.param["alpha"])
		}
	}
	return p.averaged(entries, alone)
}

func (p problemOf) fusion() []float64 {
	n := len(p.base)
	x, d := make([]float64, n), p.delta(0)
	softmax := func(v []float64) []float64 {
		out, sum, top := make([]float64, len(v)), 0.0, slices.Max(v)
		for e := range v {
			out[e] = math.Exp(v[e] - top)
			sum += out[e]
		}
		for e := range out {
			out[e] = out[e]/sum + 1e-8
		}
		return out
	}
	for lo := 0; lo < n; lo += p.row {
		theta := make([]float64, p.row)
		for e := range theta {
			theta[e] = p.round(p.base[lo+e] + d[lo+e])
		}
		a, b, kl := softmax(theta), softmax(p.base[lo:lo+p.row]), 0.0
		for e := range a {
			kl += a[e] * math.Log(a[e]/b[e])
		}
		for e := range a {
			x[lo+e] = p.round(math.Abs(d[lo+e]) * p.round(max(kl, 0)))
		}
	}
	sorted := slices.Sorted(slices.Values(x))
	at := func(q int) float64 { return sorted[q*(n-1)/4] }
	least := p.round(at(2) + p.round(1.5*p.round(at(3)-at(1))))
	out := slices.Clone(p.base)
	for e := range out {
		if x[e] >= least {
			out[e] = p.round(out[e] + d[e])
		}
	}
	return out
}

// moreReferences are those of this file.
func (p problemOf) moreReferences(method string) (out []float64, exact bool) {
	switch method {
	case "nearswap":
		return p.nearswap(), true
	case "arcee_fusion":
		return p.fusion(), false
	case "consensus":
		return p.consensus(), true
	case "localize":
		return p.localize(), false
	case "ram", "ram_plus":
		return p.ram(method == "ram_plus"), false
	case "nuslerp":
		return p.nuslerp(), false
	case "karcher":
		return p.karcher(), false
	case "multislerp":
		return p.multislerp(), false
	case "sce":
		return p.sce(), false
	}
	panic("no reference of " + method)
}
