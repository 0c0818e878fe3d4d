package merge

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"parfait/merge/method"
	"parfait/merge/safetensors"
)

// exactly is a tensor of numbers made of integers, the same on every machine.
func exactly(r *rand.Rand, d safetensors.DType, around values, shape ...int64) values {
	n := int64(1)
	for _, dim := range shape {
		n *= dim
	}
	v := values{d, shape, make([]float64, n)}
	for e := range v.data {
		v.data[e] = float64(r.IntN(255)-127) / 64
		if around.data != nil {
			v.data[e] = around.data[e] + float64(r.IntN(63)-31)/256
		}
	}
	return v
}

// pinnedFamily is a base and three models with several chunks, and Fisher information for two of them.
func pinnedFamily(t *testing.T) (base string, models []Source, information map[string]any) {
	r := rand.New(rand.NewPCG(1, 2))
	root := t.TempDir()
	shapes := map[string][]int64{"big": {3, method.ChunkElements/2 + 77}, "matrix": {65, 31}, "vector": {129}, "scalar": {}}
	m := model{}
	for _, name := range sortedKeys(shapes) {
		m[name] = exactly(r, safetensors.BF16, values{}, shapes[name]...)
	}
	base = m.write(t, filepath.Join(root, "base"))
	information = map[string]any{}
	for _, name := range []string{"a", "b", "c"} {
		tuned, fisher := model{}, model{}
		for _, tensor := range sortedKeys(shapes) {
			tuned[tensor] = exactly(r, safetensors.BF16, m[tensor], shapes[tensor]...)
			f := exactly(r, safetensors.F32, values{}, shapes[tensor]...)
			for e := range f.data {
				f.data[e] *= f.data[e]
			}
			fisher[tensor] = f
		}
		models = append(models, Source{name, tuned.write(t, filepath.Join(root, name))})
		information[name] = fisher.write(t, filepath.Join(root, "f"+name))
	}
	return base, models, information
}

// pinned are the digests of what every method writes for pinnedFamily. A recipe has to give the same
// bytes on every machine and in every version: a change here breaks that promise.
var pinned = map[string]string{
	"breadcrumbs":      "xxh3:604eb0f2282ccfff7518761855811b0c",
	"breadcrumbs_ties": "xxh3:56155a56e067a518099ce7d9b1ae3ef3",
	"dare_linear":      "xxh3:28ecab08f7e7e067384ed31b7e815035",
	"dare_ties":        "xxh3:629887149900ef4276f88acea83cfe89",
	"della":            "xxh3:90314dbd384e875802f8aba7819eedf3",
	"della_linear":     "xxh3:b77823b67c0023e53e891af18498ca8d",
	"fisher":           "xxh3:bc12c3feb3cb9640cc1a2403e5f89a2c",
	"linear":           "xxh3:dbed5ba267fe693289148acf4e4537d5",
	"model_stock":      "xxh3:bd024ec48f824b8ecbaae1bf3cdb8b33",
	"passthrough":      "xxh3:6aef41bb1036e526e6a056fc49733d76",
	"slerp":            "xxh3:c02e0a6dad497b5d0edefa2ea3d504c8",
	"task_arithmetic":  "xxh3:341fb9f12a8f0bb7ce94368485ae1332",
	"ties":             "xxh3:99f8ae0ec7882056d6178c178434504b",
}

// TestBytesOfEveryMethod: the same bytes with 1, 2 and 7 workers, alone and with other outputs, and the
// same as ever.
func TestBytesOfEveryMethod(t *testing.T) {
	base, models, information := pinnedFamily(t)
	for _, info := range method.All() {
		t.Run(info.Name, func(t *testing.T) {
			spec := Spec{Base: base, Models: models, Method: info.Name, Seed: 77, Params: map[string]any{}}
			if most := info.Models[1]; most > 0 {
				spec.Models = models[:most]
			}
			if info.Name == "fisher" {
				spec.Params["fisher"] = information
			}
			one := withWeights(t, spec, 0.25, 0.5, 0.625)
			other := withWeights(t, spec, 0.75, 0.125, 0.5)
			for _, p := range info.Params { // the pinned bytes are of these
				if p.Name == "density" || p.Name == "t" || p.Kind == method.Number && p.Default == nil {
					one[p.Name], other[p.Name] = 0.375, 0.75
				}
			}
			p := plan(t, spec)
			write := func(workers int, ats ...map[string]float64) string {
				root := t.TempDir()
				var outs []Output
				for i, at := range ats {
					outs = append(outs, Output{at, filepath.Join(root, fmt.Sprint(i))})
				}
				_, err := p.Write(t.Context(), outs, WriteOptions{Workers: workers}, nil)
				must(t, err)
				data, err := os.ReadFile(filepath.Join(root, "0", "model.safetensors"))
				must(t, err)
				sum, err := plainDigest(t.Context(), filepath.Join(root, "0", "model.safetensors"), false)
				must(t, err)
				if len(data) < method.ChunkElements {
					t.Fatal("the checkpoint is too small for the test")
				}
				return sum.hash
			}
			want := write(1, one)
			switch known, ok := pinned[info.Name]; {
			case !ok:
				t.Errorf("a new method: once its reference agrees, pin its bytes: %q: %q", info.Name, want)
			case want != known:
				t.Errorf("%q: %q, pinned %q: recipes that people have give other bytes now", info.Name, want, known)
			}
			for _, workers := range []int{2, 7} {
				if got := write(workers, one); got != want {
					t.Errorf("%d workers: %s, want %s", workers, got, want)
				}
			}
			if got := write(3, one, other, one); got != want {
				t.Errorf("with other outputs: %s, want %s", got, want)
			}
		})
	}
}
