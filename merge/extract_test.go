package merge

import (
	"math"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"parfait/merge/safetensors"
)

// dense is a tensor as a matrix.
func dense(v values) *mat.Dense { return mat.NewDense(int(v.shape[0]), int(v.shape[1]), v.data) }

// What is extracted is as near as singular values say that a rank can be, it says how near, and how much of the change has
// no place in it; a rank that is enough loses nothing.
func TestExtract(t *testing.T) {
	r := rand.New(rand.NewPCG(17, 17))
	f, root := safetensors.F32, t.TempDir()
	shapes := map[string][]int64{"model.tall": {60, 22}, "model.wide": {25, 70}, "model.square": {40, 40}}
	base, tuned := model{"model.norm.weight": drawn(r, f, 1, 8), "model.embed_tokens.weight": drawn(r, f, 1, 5, 8)}, model{}
	tuned["model.norm.weight"], tuned["model.embed_tokens.weight"] = near2(r, base["model.norm.weight"], 0.01), base["model.embed_tokens.weight"]
	for name, shape := range shapes {
		base[name+".weight"] = drawn(r, f, 1, shape...)
		tuned[name+".weight"] = near2(r, base[name+".weight"], 0.1)
	}
	low := drawn(r, f, 1, 40, 2) // a change of rank 2
	square := base["model.square.weight"]
	changed := drawn(r, f, 1, 40, 40)
	for i := range 40 {
		for k := range 40 {
			changed.data[40*i+k] = float64(float32(square.data[40*i+k] + low.data[2*i]*low.data[2*k] - low.data[2*i+1]*low.data[2*k+1]))
		}
	}
	tuned["model.square.weight"] = changed
	spec := Spec{Base: base.write(t, filepath.Join(root, "base")), Models: []Source{{"x", tuned.write(t, filepath.Join(root, "x"))}}, Method: "task_arithmetic", Form: FormAdapter, MaxRank: 6}
	target := filepath.Join(root, "out")
	receipt, err := plan(t, spec).Export(t.Context(), map[string]float64{"x": 1}, target, ExportOptions{}, nil)
	must(t, err)
	var lost, all float64
	for name := range shapes {
		a, b := dense(tuned[name+".weight"]), dense(base[name+".weight"])
		var delta, rest mat.Dense
		delta.Sub(a, b)
		got, rank := ranked(t, target, name)
		if rank != 6 {
			t.Errorf("%s has rank %d, want 6", name, rank)
		}
		rest.Sub(&delta, got)
		var svd mat.SVD
		svd.Factorize(&delta, mat.SVDNone)
		best := 0.0
		for i, s := range svd.Values(nil) {
			if all += s * s; i >= 6 {
				best += s * s
			}
		}
		lost += best
		if have := rest.Norm(2); have > 1.001*math.Sqrt(best)+1e-4 {
			t.Errorf("%s is %g away, and the nearest of rank 6 is %g", name, have, math.Sqrt(best))
		}
	}
	if receipt.Cut == nil || math.Abs(receipt.Cut.Frobenius-math.Sqrt(lost/all)) > 1e-3 {
		t.Errorf("it says that %+v is lost, want %g", receipt.Cut, math.Sqrt(lost/all))
	}
	if len(receipt.Notes) != 1 || !strings.Contains(receipt.Notes[0], "model.norm.weight") || strings.Contains(receipt.Notes[0], "embed") {
		t.Errorf("it says of what is left out: %v", receipt.Notes)
	}
	v, err := Verify(t.Context(), target, VerifyOptions{Recompute: true}, nil)
	if err != nil || !v.Recomputed || len(v.Problems) > 0 {
		t.Errorf("it is not made again: %v %v", err, v.Problems)
	}
	// And it is an adapter: merged into the base it gives the model back, as far as the rank goes.
	back := one(t, Spec{Base: spec.Base, Models: []Source{{"x", target}}, Method: "task_arithmetic"}, map[string]float64{"x": 1})
	for i, x := range back["model.square.weight"].data {
		if math.Abs(x-tuned["model.square.weight"].data[i]) > 1e-4 {
			t.Fatalf("element %d of the matrix of rank 2 is %g, want %g", i, x, tuned["model.square.weight"].data[i])
		}
	}
}
