package merge

import (
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"sort"
	"testing"

	"parfait/merge/kernel"
	"parfait/merge/method"
	"parfait/merge/safetensors"
)

// The references of this file are as slow and obvious as can be: one number at a time, whole tensors
// sorted, one function a method. r32 rounds to float32, r64 does nothing: a tensor is computed in one
// arithmetic throughout.

type rounding func(float64) float64

func r32(v float64) float64 { return float64(float32(v)) }
func r64(v float64) float64 { return v }

// problemOf is one tensor of a merge.
type problemOf struct {
	name   string
	row    int
	base   []float64
	models [][]float64
	c      []float64
	names  []string
	param  map[string]float64
	flag   bool // normalize
	round  rounding

	rescale string
	vectors string
}

func (p problemOf) delta(i int) []float64 {
	out := make([]float64, len(p.base))
	for e := range out {
		out[e] = p.round(p.models[i][e] - p.base[e])
	}
	return out
}

// byMagnitude lists indices from the largest entry, the lowest index first among equal ones.
func byMagnitude(x []float64) []int {
	order := make([]int, len(x))
	for i := range order {
		order[i] = i
	}
	sort.SliceStable(order, func(a, b int) bool { return math.Abs(x[order[a]]) > math.Abs(x[order[b]]) })
	return order
}

func keepRanks(x []float64, from, to int) []float64 {
	out := make([]float64, len(x))
	for rank, e := range byMagnitude(x) {
		if from <= rank && rank < to {
			out[e] = x[e]
		}
	}
	return out
}

func ceilShare(share float64, n int) int { return max(1, int(math.Ceil(share*float64(n)))) }

func (p problemOf) words(i int) []uint32 {
	out := make([]uint32, len(p.base))
	kernel.NewRandom(7, p.names[i], p.name).Words(out, 0)
	return out
}

// sparse is δ' of model i.
func (p problemOf) sparse(method string, i int) []float64 {
	x, n := p.delta(i), len(p.base)
	switch method {
	case "ties":
		return keepRanks(x, 0, ceilShare(p.param["density"], n))
	case "breadcrumbs", "breadcrumbs_ties":
		drop := int(p.param["gamma"] * float64(n))
		return keepRanks(x, drop, drop+ceilShare(p.param["density"], n))
	case "dare_linear", "dare_ties":
		for e, w := range p.words(i) {
			switch {
			case float64(w)/(1<<32) >= p.param["density"]:
				x[e] = 0
			case p.rescale == "":
				x[e] = p.round(x[e] / p.round(p.param["density"]))
			}
		}
	case "della", "della_linear":
		words := p.words(i)
		for lo := 0; lo < n; lo += p.row {
			row := x[lo : lo+p.row]
			for place, e := range byMagnitude(slices.Clone(row)) {
				prob := p.param["density"]
				if p.row > 1 {
					rank := float64(p.row - 1 - place)
					prob += p.param["epsilon"] * (2*rank/float64(p.row-1) - 1)
				}
				prob = min(max(prob, 0), 1)
				switch {
				case float64(words[lo+e])/(1<<32) >= prob:
					row[e] = 0
				case p.rescale == "":
					row[e] = p.round(row[e] / p.round(prob))
				}
			}
		}
	}
	return x
}

// sum is θ₀ + λ Σ cᵢδ'ᵢ, after an election or not.
func (p problemOf) sum(method string, elect bool) []float64 {
	out := make([]float64, len(p.base))
	sparse := make([][]float64, len(p.models))
	for i := range p.models {
		sparse[i] = p.dropped(method, i)
	}
	for e := range out {
		elected := 0.0
		for i, c := range p.c {
			elected = p.round(elected + p.round(p.round(c)*sparse[i][e]))
		}
		a, total := 0.0, 0.0
		for i, c := range p.c {
			w, d := p.round(p.param["lambda"]*c), sparse[i][e]
			if w == 0 || d == 0 || elect && (c*d < 0) != (elected < 0) {
				continue
			}
			a = p.round(a + p.round(w*d))
			total = p.round(total + p.round(c))
		}
		if p.flag && math.Abs(total) >= 1e-8 {
			a = p.round(a / total)
		}
		out[e] = p.round(p.base[e] + a)
		if !slices.ContainsFunc(p.c, func(c float64) bool { return c != 0 }) {
			out[e] = p.base[e]
		}
	}
	return out
}

// norms and cosines over whole tensors. The order of the sums is not that of the program, so results
// agree to a tolerance only.
func inner(a, b []float64) float64 {
	s := 0.0
	for i := range a {
		s += a[i] * b[i]
	}
	return s
}

func cosineOf(a, b []float64) float64 {
	if n := math.Sqrt(inner(a, a) * inner(b, b)); n > 0 {
		return inner(a, b) / n
	}
	return 0
}

func (p problemOf) slerp() []float64 {
	t, out := p.param["t"], make([]float64, len(p.base))
	a, b := p.models[0], p.models[1]
	cos := cosineOf(a, b)
	wa, wb := 1-t, t
	if math.Abs(cos) <= 0.9995 && inner(a, a) > 0 && inner(b, b) > 0 {
		omega := math.Acos(cos)
		wa, wb = math.Sin((1-t)*omega)/math.Sin(omega), math.Sin(t*omega)/math.Sin(omega)
	}
	for e := range out {
		out[e] = wa*a[e] + wb*b[e]
	}
	return out
}

func (p problemOf) modelStock() []float64 {
	return p.byVector(true, func(x [][]float64) []float64 {
		n := len(x)
		sum, pairs := 0.0, 0.0
		for i := range n {
			for j := range i {
				sum += cosineOf(x[i], x[j])
				pairs++
			}
		}
		cos := sum / pairs
		t := float64(n) * cos / (1 + float64(n-1)*cos)
		w := ones(n)
		for i := range w {
			w[i] = min(max(t, 0), 1) / float64(n)
		}
		return w
	})
}

func (p problemOf) linear() []float64 {
	total := inner(p.c, ones(len(p.c)))
	out := make([]float64, len(p.base))
	for e := range out {
		a := 0.0
		for i, c := range p.c {
			if w := p.round(c / total); w != 0 {
				a = p.round(a + p.round(w*p.models[i][e]))
			}
		}
		out[e] = a
	}
	return out
}

func ones(n int) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = 1
	}
	return out
}

// reference merges every tensor by a method; exact says whether bits must agree.
func reference(method string, p problemOf) (out []float64, exact bool) {
	switch method {
	case "linear":
		return p.linear(), true
	case "task_arithmetic", "dare_linear", "della_linear", "breadcrumbs":
		return p.sum(method, false), p.rescale != "l1"
	case "ties", "dare_ties", "della", "breadcrumbs_ties":
		return p.sum(method, true), p.rescale != "l1"
	case "slerp":
		return p.slerp(), false
	case "model_stock":
		return p.modelStock(), false
	case "passthrough":
		out = make([]float64, len(p.models[0]))
		for e, v := range p.models[0] {
			out[e] = p.round(p.round(p.param["scale"]) * v)
		}
		return out, true
	}
	return p.moreReferences(method)
}

// awkward is a family whose tensors are one-entry rows, scalars, vectors, ties of magnitude, zero task
// vectors and more than one chunk.
func awkward(t testing.TB, seed uint64, d safetensors.DType, n int) (string, []Source) {
	r := rand.New(rand.NewPCG(seed, 2))
	root := t.TempDir()
	m := model{
		"column":  drawn(r, d, 1, 9, 1),
		"matrix":  drawn(r, d, 1, 40, 33),
		"scalar":  drawn(r, d, 1),
		"three":   drawn(r, d, 1, 3),
		"unmoved": drawn(r, d, 1, 50),
		"vector":  drawn(r, d, 1, 257),
	}
	if d == safetensors.F32 {
		m["big"] = drawn(r, d, 1, 2, method.ChunkElements/2+5)
	}
	base := m.write(t, filepath.Join(root, "base"))
	var models []Source
	for i := range n {
		tuned := model{}
		for _, name := range sortedKeys(m) {
			switch name {
			case "unmoved":
				tuned[name] = m[name]
			case "matrix": // many equal magnitudes
				v := values{d, m[name].shape, slices.Clone(m[name].data)}
				for e := range v.data {
					v.data[e] += float64(r.IntN(3)-1) * 0.5
				}
				kernel.Decode64(v.data, vector(v.bytes(), d))
				tuned[name] = v
			default:
				tuned[name] = near2(r, m[name], 0.2*float64(1+i))
			}
		}
		name := string(rune('a' + i))
		models = append(models, Source{name, tuned.write(t, filepath.Join(root, name))})
	}
	return base, models
}

func TestEveryMethodIsItsReference(t *testing.T) {
	cases := []struct {
		method string
		models int
		c      []float64
		params map[string]float64
		flags  map[string]any
	}{
		{"task_arithmetic", 3, []float64{0.3, -0.4, 1.1}, map[string]float64{"lambda": 0.7}, nil},
		{"linear", 3, []float64{0.3, 0.4, 0}, nil, nil},
		{"ties", 3, []float64{0.3, -0.4, 1.1}, map[string]float64{"lambda": 0.7, "density": 0.3}, nil},
		{"ties", 3, []float64{0.3, 0, 1.1}, map[string]float64{"lambda": 1, "density": 0.001}, nil},
		{"ties", 3, []float64{0.3, 0.3, 0.4}, map[string]float64{"lambda": 0.7, "density": 1}, map[string]any{"normalize": true}},
		{"dare_linear", 3, []float64{0.3, -0.4, 1.1}, map[string]float64{"lambda": 0.7, "density": 0.3}, nil},
		{"dare_linear", 3, []float64{0.3, -0.4, 1.1}, map[string]float64{"lambda": 1, "density": 1}, nil},
		{"dare_ties", 3, []float64{0.3, 0.4, 0.3}, map[string]float64{"lambda": 0.7, "density": 0.5}, map[string]any{"normalize": true}},
		{"della_linear", 2, []float64{0.3, 1.1}, map[string]float64{"lambda": 0.7, "density": 0.5, "epsilon": 0.2}, nil},
		{"della", 2, []float64{0.3, -1.1}, map[string]float64{"lambda": 0.7, "density": 0.9, "epsilon": 0.3}, nil},
		{"breadcrumbs", 2, []float64{0.3, 1.1}, map[string]float64{"lambda": 0.7, "density": 0.5, "gamma": 0.1}, nil},
		{"breadcrumbs_ties", 3, []float64{0.3, 1.1, -0.2}, map[string]float64{"lambda": 0.7, "density": 0.9, "gamma": 0.2}, nil},
		{"slerp", 2, nil, map[string]float64{"t": 0.3}, nil},
		{"model_stock", 3, nil, nil, nil},
		{"arcee_fusion", 1, nil, nil, nil},
		{"consensus", 3, []float64{0.3, -0.4, 1.1}, map[string]float64{"lambda": 0.7, "mask": 0.4, "agree": 2}, nil},
		{"consensus", 3, []float64{0.3, 0, 1.1}, map[string]float64{"mask": 0.7, "agree": 7}, nil},
		{"localize", 3, []float64{0.3, 0.4, 0.5}, map[string]float64{"lambda": 0.7, "density": 0.3}, nil},
		{"localize", 3, []float64{0.3, 0, 0.5}, map[string]float64{"density": 0.7}, nil},
		{"ram", 3, []float64{0.3, 0.4, 0.5}, map[string]float64{"lambda": 0.7, "epsilon": 0.2}, nil},
		{"ram_plus", 3, []float64{0.3, 0.4, 0.5}, map[string]float64{"epsilon": 0.3, "r": 0.5, "alpha": 1.5}, nil},
		{"ram_plus", 3, []float64{0.3, 0, 0.5}, map[string]float64{"lambda": 0.7, "epsilon": 0.2, "r": 0.5, "alpha": 0.2}, nil},
		{"model_stock", 3, nil, nil, map[string]any{"vectors": "rows"}},
		{"nuslerp", 2, []float64{0.3, 0.5}, nil, nil},
		{"nuslerp", 2, []float64{0.3, 0.5}, nil, map[string]any{"vectors": "rows"}},
		{"nuslerp", 2, []float64{0.5, 0.3}, nil, map[string]any{"vectors": "columns"}},
		{"karcher", 3, []float64{0.5, 0.3, 0.4}, map[string]float64{"max_iter": 100, "tol": 1e-9}, nil},
		{"karcher", 3, []float64{0.5, 0, 0.4}, map[string]float64{"max_iter": 2, "tol": 1e-5}, nil},
		{"multislerp", 3, []float64{0.5, 0.3, 0.4}, nil, nil},
		{"multislerp", 3, []float64{0.5, 0.3, -0.4}, nil, map[string]any{"normalize": false}},
		{"passthrough", 1, nil, map[string]float64{"scale": 1}, nil},
		{"passthrough", 1, nil, map[string]float64{"scale": -0.7}, nil},
		{"nearswap", 1, nil, map[string]float64{"t": 0.07}, nil},
		{"sce", 3, []float64{0.3, 0.4, 0.5}, map[string]float64{"lambda": 0.7, "select_topk": 1}, nil},
		{"sce", 3, []float64{0.3, 0, 0.5}, map[string]float64{"lambda": 1, "select_topk": 0.3}, nil},
		{"sce", 2, []float64{0.3, 0.5}, map[string]float64{"lambda": 1, "select_topk": 0.999, "even_below": 1000}, nil},
		{"ties", 3, []float64{0.3, -0.4, 1.1}, map[string]float64{"lambda": 0.7, "density": 0.3}, map[string]any{"rescale": "l1"}},
		{"breadcrumbs", 2, []float64{0.3, 1.1}, map[string]float64{"density": 0.5, "gamma": 0.1}, map[string]any{"rescale": "l1"}},
		{"dare_linear", 3, []float64{0.3, -0.4, 1.1}, map[string]float64{"density": 0.3}, map[string]any{"rescale": "l1"}},
		{"dare_ties", 3, []float64{0.3, 0.4, 1.1}, map[string]float64{"density": 0.3}, map[string]any{"rescale": "none"}},
		{"della", 2, []float64{0.3, -1.1}, map[string]float64{"density": 0.6, "epsilon": 0.3}, map[string]any{"rescale": "l1"}},
		{"della_linear", 2, []float64{0.3, -1.1}, map[string]float64{"density": 0.6, "epsilon": 0.3}, map[string]any{"rescale": "none"}},
	}
	compared := map[string]bool{"fisher": true} // whose files TestFisher makes
	for _, c := range cases {
		compared[c.method] = true
	}
	for _, name := range methodNames() {
		if !compared[name] {
			t.Errorf("%s is compared with nothing: add its formula in plain loops to reference, and a case here", name)
		}
	}
	for _, d := range []safetensors.DType{safetensors.BF16, safetensors.F32, safetensors.F64} {
		for _, c := range cases {
			t.Run(fmt.Sprintf("%s/%s/%v", c.method, d, c.params), func(t *testing.T) {
				base, models := awkward(t, 11, d, c.models)
				spec := Spec{Base: base, Models: models, Method: c.method, Seed: 7, Params: c.flags}
				at := map[string]float64{}
				for k, v := range c.params {
					at[k] = v
				}
				for i, w := range c.c {
					at[models[i].Name] = w
				}
				got, b := one(t, spec, at), read(t, base)
				var tuned []model
				for _, m := range models {
					tuned = append(tuned, read(t, m.Path))
				}
				for _, name := range sortedKeys(b) {
					p := problemOf{name: name, base: b[name].data, c: c.c, param: c.params, names: spec.modelNames(), round: r32, row: len(b[name].data)}
					if d == safetensors.F64 {
						p.round = r64
					}
					if shape := b[name].shape; len(shape) > 0 {
						p.row = int(shape[len(shape)-1])
					}
					if c.method == "task_arithmetic" || c.params["lambda"] == 0 {
						p.param = map[string]float64{"lambda": 1}
						for k, v := range c.params {
							p.param[k] = v
						}
					}
					_, p.flag = c.flags["normalize"]
					p.rescale, _ = c.flags["rescale"].(string)
					p.vectors, _ = c.flags["vectors"].(string)
					for _, m := range tuned {
						p.models = append(p.models, m[name].data)
					}
					want, exact := reference(c.method, p)
					v := values{d, b[name].shape, want}
					kernel.Decode64(v.data, vector(v.bytes(), d))
					compareTensor(t, name, got[name], v, exact)
				}
			})
		}
	}
}

// compareTensor wants the same bits, or numbers within two roundings of the dtype.
func compareTensor(t *testing.T, name string, got, want values, exact bool) {
	t.Helper()
	slack := map[safetensors.DType]float64{safetensors.BF16: 1.0 / 128, safetensors.F32: 1e-6, safetensors.F64: 1e-13}[got.dtype]
	for e := range want.data {
		g, w := got.data[e], want.data[e]
		if exact && math.Float64bits(g) != math.Float64bits(w) || math.Abs(g-w) > slack*math.Abs(w)+slack {
			t.Fatalf("%s[%d] = %v, want %v", name, e, g, w)
		}
	}
}
