package merge

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"parfait/merge/codes"
	"parfait/merge/method"
	"parfait/merge/safetensors"
)

// Every input that was read is in the receipt with its hash, also where chunks end with rows and no
// piece that is read is one that is hashed.
func TestReceiptHashesWhatWasRead(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	root := t.TempDir()
	f := safetensors.F32
	shape := []int64{5, method.ChunkElements/4 - 3}
	m := model{"odd": drawn(r, f, 1, shape...)}
	base := m.write(t, filepath.Join(root, "base"))
	var models []Source
	information := map[string]any{}
	for _, name := range []string{"a", "b", "idle"} {
		models = append(models, Source{name, model{"odd": near2(r, m["odd"], 0.1)}.write(t, filepath.Join(root, name))})
		squares := drawn(r, f, 1, shape...)
		for e, v := range squares.data {
			squares.data[e] = v * v
		}
		information[name] = model{"odd": squares}.write(t, filepath.Join(root, "f"+name))
	}
	for _, info := range method.All() {
		spec := Spec{Base: base, Models: models, Method: info.Name, Params: map[string]any{}}
		if n := info.Models[1]; n > 0 {
			spec.Models = models[:n]
		}
		if info.Name == "fisher" {
			spec.Params["fisher"] = information
		}
		at := withWeights(t, spec, 0.75, 0.25, 0)
		receipt, err := plan(t, spec).Export(t.Context(), at, filepath.Join(t.TempDir(), "out"), ExportOptions{}, nil)
		must(t, err)
		for _, in := range receipt.Inputs {
			weight, weighted := at[in.Name]
			read := !weighted || weight != 0
			if in.Name == "base" {
				read = info.NeedsBase
			}
			if in.Name == "method.fisher.idle" {
				read = false
			}
			want := ""
			if read {
				set, err := safetensors.OpenModel(in.Path)
				must(t, err)
				want, err = newPartDigests(set.Files()[0].Tensors()).complete(t.Context(), set.Files()[0], 1, nil)
				must(t, err)
				must(t, set.Close())
			}
			if in.Read != read || in.Files[0].Hash != want {
				t.Errorf("%s: the input %s: read %v with %q, want %v with %q", info.Name, in.Name, in.Read, in.Files[0].Hash, read, want)
			}
		}
	}
}

// Weights that somebody put into an export are not its own, whatever else the receipt says; a card is
// nobody's business.
func TestVerifyFindsStrangers(t *testing.T) {
	base, models := family(t, 3, safetensors.F32, 2)
	dir := filepath.Join(t.TempDir(), "out")
	spec := Spec{Base: base, Models: models, Method: "task_arithmetic"}
	_, err := plan(t, spec).Export(t.Context(), map[string]float64{"a": 1, "b": 1}, dir, ExportOptions{ShardSize: 600}, nil)
	must(t, err)
	must(t, os.WriteFile(filepath.Join(dir, "README.md"), []byte("card"), 0o644))
	v, err := Verify(t.Context(), dir, VerifyOptions{}, nil)
	must(t, err)
	if len(v.Problems) != 0 {
		t.Fatalf("verify: %v", v.Problems)
	}
	for _, name := range []string{"model.safetensors", "pytorch_model.bin", "pytorch_model.bin.index.json"} {
		path := filepath.Join(dir, name)
		must(t, os.WriteFile(path, []byte("x"), 0o644))
		v, err := Verify(t.Context(), dir, VerifyOptions{}, nil)
		must(t, err)
		if len(v.Problems) != 1 || v.Problems[0].Code != codes.Corrupt || v.Problems[0].Where != path {
			t.Errorf("with %s: %v", name, v.Problems)
		}
		must(t, os.Remove(path))
	}
}
