package merge

import (
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"

	"parfait/merge/method"
	"parfait/merge/safetensors"
)

// zeros is a base under which models are their own task vectors.
func zerosLike(t *testing.T, m model) string {
	out := model{}
	for name, v := range m {
		out[name] = values{v.dtype, v.shape, make([]float64, len(v.data))}
	}
	return out.write(t, filepath.Join(t.TempDir(), "zero"))
}

func TestWithoutABaseTheModelsAreTheVectors(t *testing.T) {
	base, models := awkward(t, 21, safetensors.F32, 2)
	zero := zerosLike(t, read(t, base))
	for _, c := range []struct {
		method string
		params map[string]any
	}{{"multislerp", nil}, {"nuslerp", nil}, {"nuslerp", map[string]any{"vectors": "rows"}}, {"nuslerp", map[string]any{"vectors": "columns"}}} {
		s := Spec{Models: models, Method: c.method, Params: c.params}
		at := withWeights(t, s, 0.3, 0.6)
		free := one(t, s, at)
		s.Base = zero
		sameBits(t, c.method, one(t, s, at), free)
	}
}

func TestOneWeightOnTheSphereIsThatModel(t *testing.T) {
	base, models := awkward(t, 22, safetensors.F64, 2)
	for _, s := range []Spec{
		{Method: "karcher"},
		{Method: "multislerp"},
		{Method: "nuslerp"},
		{Method: "multislerp", Base: base},
		{Method: "nuslerp", Base: base},
		{Method: "nuslerp", Base: base, Params: map[string]any{"vectors": "rows"}},
		{Method: "nuslerp", Base: base, Params: map[string]any{"vectors": "columns"}},
	} {
		s.Models = models
		near3(t, s.Method, one(t, s, withWeights(t, s, 1, 0)), read(t, models[0].Path), 1e-12)
		near3(t, s.Method, one(t, s, withWeights(t, s, 0, 2)), read(t, models[1].Path), 1e-12)
	}
}

func TestOppositeDirections(t *testing.T) {
	root := t.TempDir()
	write := func(name string, v ...float64) Source {
		return Source{name, model{"w": {safetensors.F64, []int64{int64(len(v))}, v}}.write(t, filepath.Join(root, name))}
	}
	x, y := write("x", 1, 2, -2), write("y", -2, -4, 4)
	for method, want := range map[string][]float64{
		"multislerp": {-0.5, -1, 1}, // the weighted mean
		"karcher":    {1.5, 3, -3},  // the first one's direction, and the mean length
		"nuslerp":    {-0.5, -1, 1},
	} {
		s := Spec{Models: []Source{x, y}, Method: method, Params: map[string]any{}}
		if method == "karcher" {
			s.Params["max_iter"] = 0
		}
		closeTo(t, method, one(t, s, withWeights(t, s, 0.5, 0.5))["w"].data, want, 1e-12)
	}
}

// Rows that are longer than a chunk are merged as they are by themselves.
func TestLongRows(t *testing.T) {
	const n = method.ChunkElements + 77
	r := rand.New(rand.NewPCG(3, 3))
	root := t.TempDir()
	write := func(name string, m model) string { return m.write(t, filepath.Join(root, name)) }
	matrix, rows := map[string]model{}, map[string]model{}
	for _, name := range []string{"base", "a", "b"} {
		v := drawn(r, safetensors.F32, 1, 2, n)
		matrix[name] = model{"w": v}
		rows[name] = model{"w0": {v.dtype, []int64{n}, v.data[:n]}, "w1": {v.dtype, []int64{n}, v.data[n:]}}
	}
	for _, c := range []struct{ method, vectors string }{{"model_stock", "rows"}, {"nuslerp", "rows"}} {
		spec := func(of map[string]model, suffix string) Spec {
			return Spec{
				Base: write("base"+suffix+c.method, of["base"]), Method: c.method, Params: map[string]any{"vectors": c.vectors},
				Models: []Source{{"a", write("a"+suffix+c.method, of["a"])}, {"b", write("b"+suffix+c.method, of["b"])}},
			}
		}
		whole, apart := spec(matrix, "m"), spec(rows, "r")
		got, want := one(t, whole, withWeights(t, whole, 0.4, 0.7)), one(t, apart, withWeights(t, apart, 0.4, 0.7))
		if !slices.Equal(got["w"].data, slices.Concat(want["w0"].data, want["w1"].data)) {
			t.Errorf("%s: a row that is longer than a chunk is merged otherwise than by itself", c.method)
		}
	}
}
