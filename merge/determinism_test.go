package merge

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
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
	"arcee_fusion":     "xxh3:dfff9c0aee6746ef6ad8d0b42325c8bf",
	"breadcrumbs":      "xxh3:604eb0f2282ccfff7518761855811b0c",
	"breadcrumbs_ties": "xxh3:56155a56e067a518099ce7d9b1ae3ef3",
	"consensus":        "xxh3:54b0903b26a4d085abaee4be0be7a076",
	"dare_linear":      "xxh3:28ecab08f7e7e067384ed31b7e815035",
	"dare_ties":        "xxh3:629887149900ef4276f88acea83cfe89",
	"della":            "xxh3:90314dbd384e875802f8aba7819eedf3",
	"della_linear":     "xxh3:b77823b67c0023e53e891af18498ca8d",
	"fisher":           "xxh3:bc12c3feb3cb9640cc1a2403e5f89a2c",
	"karcher":          "xxh3:e902b2e84f06c14a7549fdc0b327cd84",
	"linear":           "xxh3:dbed5ba267fe693289148acf4e4537d5",
	"localize":         "xxh3:d9a91027b5ca499ce8e108fd8cf50dff",
	"model_stock":      "xxh3:bd024ec48f824b8ecbaae1bf3cdb8b33",
	"multislerp":       "xxh3:df0d33bbbf579a8a438584584e5e81c6",
	"nearswap":         "xxh3:a95d531a33f0362736e8db6a5171ef66",
	"nuslerp":          "xxh3:58cab06489a36c1b9bf956e702ddeb81",
	"passthrough":      "xxh3:6aef41bb1036e526e6a056fc49733d76",
	"ram":              "xxh3:0d396c2b761373945e62ac015ef906d5",
	"ram_plus":         "xxh3:59aba9f15491fab891777c3b59ec0279",
	"sce":              "xxh3:4a28de9eb6eb7954301c53f6bf12d837",
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
			if info.Name == "nearswap" { // as far as its entries move
				one["t"], other["t"] = 0.0625, 0.03125
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
			digestsAreThoseOfAnExport(t, p, one)
		})
	}
}

// TestBytesOfOptions: other ways of a method too give the same bytes with any number of workers, alone and with
// other outputs, of which some leave models out.
func TestBytesOfOptions(t *testing.T) {
	base, models, _ := pinnedFamily(t)
	for _, c := range []struct {
		method string
		params map[string]any
	}{
		{"ties", map[string]any{"rescale": "l1", "density": 0.3}},
		{"ties", map[string]any{"rescale": "l1", "trim": "global", "density": 0.3}},
		{"breadcrumbs_ties", map[string]any{"rescale": "l1"}},
		{"dare_linear", map[string]any{"rescale": "l1"}},
		{"della", map[string]any{"rescale": "l1"}},
		{"sce", map[string]any{"select_topk": 0.3}},
		{"model_stock", map[string]any{"vectors": "rows"}},
		{"nuslerp", map[string]any{"vectors": "rows"}},
		{"nuslerp", map[string]any{"vectors": "columns"}},
		{"multislerp", map[string]any{"normalize": false}},
		{"localize", map[string]any{"trim": "global", "density": 0.3}},
		{"ram_plus", map[string]any{"epsilon": 0.06}},
	} {
		t.Run(fmt.Sprint(c.method, c.params), func(t *testing.T) {
			spec := Spec{Base: base, Models: models, Method: c.method, Params: c.params, Seed: 77}
			if most := described(c.method).Models[1]; most > 0 {
				spec.Models = models[:most]
			}
			p := plan(t, spec)
			one, two, some := withWeights(t, spec, 0.25, 0.5, 0.625), withWeights(t, spec, 0.75, 0.125, 0.5), withWeights(t, spec, 0, 0.5)
			write := func(workers int, ats ...map[string]float64) []byte {
				root := t.TempDir()
				var outs []Output
				for i, at := range ats {
					outs = append(outs, Output{at, filepath.Join(root, fmt.Sprint(i))})
				}
				_, err := p.Write(t.Context(), outs, WriteOptions{Workers: workers}, nil)
				must(t, err)
				data, err := os.ReadFile(filepath.Join(root, fmt.Sprint(len(ats)-1), "model.safetensors"))
				must(t, err)
				return data
			}
			for _, at := range []map[string]float64{one, some} {
				want := write(1, at)
				if !slices.Equal(write(7, at), want) {
					t.Errorf("%v: with 7 workers the bytes are others", at)
				}
				if !slices.Equal(write(3, two, some, one, at), want) {
					t.Errorf("%v: with other outputs the bytes are others", at)
				}
			}
		})
	}
}

// digestsAreThoseOfAnExport holds Digests against what an export writes, in one file and in many.
func digestsAreThoseOfAnExport(t *testing.T, p *Plan, at map[string]float64) {
	t.Helper()
	for _, size := range []int64{0, 100_000} {
		receipt, err := p.Export(t.Context(), at, filepath.Join(t.TempDir(), "export"), ExportOptions{ShardSize: size}, nil)
		must(t, err)
		var want []FileInfo
		for _, f := range receipt.Outputs {
			if f.SHA = ""; filepath.Ext(f.Name) == ".safetensors" {
				want = append(want, f)
			}
		}
		for _, workers := range []int{1, 7} {
			got, err := p.Digests(t.Context(), at, WriteOptions{ShardSize: size, Workers: workers})
			must(t, err)
			if !slices.Equal(got, want) || len(got) == 0 {
				t.Errorf("files of %d bytes, %d workers: the digests are %v, an export's %v", size, workers, got, want)
			}
		}
	}
}
