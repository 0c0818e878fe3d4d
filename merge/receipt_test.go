package merge

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
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
		m, _ := method.Get(info.Name)
		if m, ok := m.(method.Flexible); ok {
			info = m.For(method.Options{}, true)
		}
		spec := Spec{Base: base, Models: models, Method: info.Name, Params: map[string]any{}}
		if n := info.Models[1]; n > 0 {
			spec.Models = models[:n]
		}
		if info.Name == "fisher" {
			spec.Params["fisher"] = information
		}
		at := withWeights(t, spec, 0.75, 0.25, 0)
		p := plan(t, spec)
		receipt, err := p.Export(t.Context(), at, filepath.Join(t.TempDir(), "out"), ExportOptions{}, nil)
		must(t, err)
		for _, in := range receipt.Inputs {
			weight, weighted := at[in.Name]
			read := !weighted || weight != 0 || info.ReadsAll
			if in.Name == "base" {
				read = p.r.info.NeedsBase // some use one that is there
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

// exported writes a small merge with a card beside it, as a study does.
func exported(t *testing.T, o ExportOptions) string {
	t.Helper()
	base, models := family(t, 3, safetensors.F32, 2)
	must(t, os.WriteFile(filepath.Join(base, "tokenizer.json"), []byte(`{"a": 1}`), 0o644))
	dir := filepath.Join(t.TempDir(), "out")
	spec := Spec{Base: base, Models: models, Method: "task_arithmetic"}
	s, err := plan(t, spec).Stage(t.Context(), map[string]float64{"a": 1, "b": 1}, dir, o, nil)
	must(t, err)
	r := s.Receipt()
	card := []byte("a card\n")
	r.Documents = []Document{r.Document("README.md", card)}
	text, err := r.JSON()
	must(t, err)
	must(t, s.Add("README.md", card))
	must(t, s.Add(ReceiptFile, text))
	must(t, s.Commit(t.Context()))
	return dir
}

func verified(t *testing.T, dir string, o VerifyOptions) Verification {
	t.Helper()
	v, err := Verify(t.Context(), dir, o, nil)
	must(t, err)
	return v
}

func off() *bool { return new(bool) }

func on() *bool { b := true; return &b }

// Whatever stands in an export is held: a byte changed anywhere is found, in the receipt too.
func TestVerifyCoversEveryFile(t *testing.T) {
	for name, sha := range map[string]*bool{"with SHA-256": on(), "without": off()} {
		dir := exported(t, ExportOptions{SHA256: sha})
		if v := verified(t, dir, VerifyOptions{}); len(v.Problems) > 0 {
			t.Fatalf("%s: a good export: %v", name, v.Problems)
		}
		entries, err := os.ReadDir(dir)
		must(t, err)
		for _, e := range entries {
			path := filepath.Join(dir, e.Name())
			good, err := os.ReadFile(path)
			must(t, err)
			for _, at := range []int{0, len(good) / 2, len(good) - 2} {
				bad := bytes.Clone(good)
				bad[at] ^= 1
				must(t, os.WriteFile(path, bad, 0o644))
				v, err := Verify(t.Context(), dir, VerifyOptions{SHA256: sha}, nil)
				if err == nil && (len(v.Problems) == 0 || v.Problems[0].Where != path) {
					t.Errorf("%s: byte %d of %s was changed: %v", name, at, e.Name(), v.Problems)
				}
			}
			must(t, os.Remove(path))
			if v, err := Verify(t.Context(), dir, VerifyOptions{SHA256: sha}, nil); err == nil && len(v.Problems) == 0 {
				t.Errorf("%s: %s is gone and nobody sees it", name, e.Name())
			}
			must(t, os.WriteFile(path, good, 0o644))
		}
	}
}

// SHA-256 that is worked out while a file is read for something else is that of the file.
func TestSHA256InOnePass(t *testing.T) {
	dir := exported(t, ExportOptions{SHA256: on(), ShardSize: 600})
	r, err := ReadReceipt(dir)
	must(t, err)
	if len(r.Outputs) < 4 {
		t.Fatalf("%d files are too few for the test", len(r.Outputs))
	}
	for _, f := range r.Outputs {
		data, err := os.ReadFile(filepath.Join(dir, f.Name))
		must(t, err)
		if want := fmt.Sprintf("%x", sha256.Sum256(data)); f.SHA != want {
			t.Errorf("%s: %s, want %s", f.Name, f.SHA, want)
		}
		fast, err := fileDigests(t.Context(), dir, f.Name, 2, false, startMeter("", 0, nil))
		must(t, err)
		if fast.hash != f.Hash {
			t.Errorf("%s: %s in order, %s in any", f.Name, f.Hash, fast.hash)
		}
	}
	for _, in := range r.Inputs {
		for _, f := range in.Files {
			data, err := os.ReadFile(filepath.Join(in.Path, f.Name))
			must(t, err)
			if want := fmt.Sprintf("%x", sha256.Sum256(data)); f.SHA != want {
				t.Errorf("input %s: %s, want %s", f.Name, f.SHA, want)
			}
		}
	}
}

// Nobody has to ask for SHA-256 where the processor is made for it, and it can be turned off and on.
func TestSHA256ByDefault(t *testing.T) {
	for _, c := range []struct {
		asked *bool
		want  bool
	}{{nil, FastSHA256()}, {off(), false}, {on(), true}} {
		r, err := ReadReceipt(exported(t, ExportOptions{SHA256: c.asked}))
		must(t, err)
		for _, f := range append(r.Outputs, r.Inputs[0].Files...) {
			if (f.SHA != "") != c.want {
				t.Errorf("%s has the SHA-256 %q", f.Name, f.SHA)
			}
		}
	}
}

// What is not checked is said: with hashes that do not show intent, and by receipts of earlier versions.
func TestVerifySaysWhatItDoesNotCheck(t *testing.T) {
	gaps := func(v Verification) string { return fmt.Sprint(v.Unchecked) }
	if v := verified(t, exported(t, ExportOptions{SHA256: on()}), VerifyOptions{SHA256: on()}); len(v.Unchecked) > 0 || len(v.Checked) != 4 {
		t.Errorf("everything is checked: %v, %v", v.Checked, v.Unchecked)
	}
	if v := verified(t, exported(t, ExportOptions{SHA256: on()}), VerifyOptions{SHA256: off()}); !strings.Contains(gaps(v), "not asked for") {
		t.Errorf("SHA-256 is there and not wanted: %v", v.Unchecked)
	}
	dir := exported(t, ExportOptions{SHA256: off()})
	if v := verified(t, dir, VerifyOptions{SHA256: on()}); !strings.Contains(gaps(v), "no SHA-256") {
		t.Errorf("SHA-256 is not there: %v", v.Unchecked)
	}
	var old map[string]any
	data, err := os.ReadFile(filepath.Join(dir, ReceiptFile))
	must(t, err)
	must(t, json.Unmarshal(data, &old))
	delete(old, "self_hash")
	delete(old, "documents")
	data, err = json.MarshalIndent(old, "", "  ")
	must(t, err)
	must(t, os.WriteFile(filepath.Join(dir, ReceiptFile), data, 0o644))
	v := verified(t, dir, VerifyOptions{})
	if len(v.Problems) > 0 || !strings.Contains(gaps(v), "earlier version") || !strings.Contains(gaps(v), "README.md") {
		t.Errorf("a receipt of an earlier version: %v, %v", v.Problems, v.Unchecked)
	}
}

// A card is anew with its receipt, and for a moment the one before.
func TestTheCardBefore(t *testing.T) {
	dir := exported(t, ExportOptions{})
	r, err := ReadReceipt(dir)
	must(t, err)
	r.Documents = []Document{r.Document("README.md", []byte("measured\n"))}
	text, err := r.JSON()
	must(t, err)
	must(t, os.WriteFile(filepath.Join(dir, ReceiptFile), text, 0o644))
	if v := verified(t, dir, VerifyOptions{}); len(v.Problems) > 0 || !strings.Contains(fmt.Sprint(v.Unchecked), "before the last measurement") {
		t.Errorf("the receipt is there, its card is not: %v, %v", v.Problems, v.Unchecked)
	}
	must(t, os.WriteFile(filepath.Join(dir, "README.md"), []byte("measured\n"), 0o644))
	if v := verified(t, dir, VerifyOptions{}); len(v.Problems) > 0 || strings.Contains(fmt.Sprint(v.Unchecked), "measurement") {
		t.Errorf("both are there: %v, %v", v.Problems, v.Unchecked)
	}
}

// What programs load, run or prefer is found wherever it lies; what they do not is named.
func TestStrangers(t *testing.T) {
	dir := exported(t, ExportOptions{})
	for name, problem := range map[string]bool{
		"modeling_custom.py": true, "adapter_config.json": true, "generation_config.json": true, "chat_template.jinja": true,
		"added_tokens.json": true, "vocab.txt": true, "tokenizer.model": true, "x.PT": true, "1_Pooling/config.json": true,
		"additional_chat_templates/tool.jinja": true, "__pycache__/modeling.pyc": true, "original/consolidated.00.pth": true,
		"NOTES.md": false, "loss.png": false, "results_2026.json": false, "trainer_state.json": false, "receipt.json.sig": false,
		".git/config.json": false, ".cache/huggingface/x.json": false,
	} {
		path := filepath.Join(dir, name)
		must(t, os.MkdirAll(filepath.Dir(path), 0o755))
		must(t, os.WriteFile(path, []byte("{}"), 0o644))
		v := verified(t, dir, VerifyOptions{})
		if found := len(v.Problems) == 1 && v.Problems[0].Where == path; found != problem {
			t.Errorf("%s stands beside the weights: %v", name, v.Problems)
		}
		named := strings.Contains(fmt.Sprint(v.Unchecked), name)
		if hidden := strings.HasPrefix(name, ".") || name == SignatureFile; named != (!problem && !hidden) {
			t.Errorf("%s: among what is not checked: %v: %v", name, named, v.Unchecked)
		}
		must(t, os.Remove(path))
	}
	must(t, os.Symlink(t.TempDir(), filepath.Join(dir, "elsewhere")))
	if v := verified(t, dir, VerifyOptions{}); len(v.Problems) != 1 {
		t.Errorf("a link to a folder: %v", v.Problems)
	}
	must(t, os.Remove(filepath.Join(dir, "elsewhere")))
	link := filepath.Join(t.TempDir(), "link")
	must(t, os.Symlink(dir, link))
	if v := verified(t, link, VerifyOptions{}); len(v.Problems) != 0 {
		t.Errorf("the export itself behind a link: %v", v.Problems)
	}
}

// The receipt is compared with every SHA-256 that it has: a file that XXH3 takes for good is not.
func TestSHA256IsCompared(t *testing.T) {
	dir := exported(t, ExportOptions{SHA256: on()})
	r, err := ReadReceipt(dir)
	must(t, err)
	for i := range r.Outputs {
		was := r.Outputs[i].SHA
		r.Outputs[i].SHA = strings.Repeat("ab", 32)
		text, err := r.JSON()
		must(t, err)
		must(t, os.WriteFile(filepath.Join(dir, ReceiptFile), text, 0o644))
		if v := verified(t, dir, VerifyOptions{SHA256: on()}); len(v.Problems) != 1 || !strings.Contains(v.Problems[0].What, "SHA-256") {
			t.Errorf("another SHA-256 of %s in the receipt: %v, want that problem alone", r.Outputs[i].Name, v.Problems)
		}
		r.Outputs[i].SHA = was
	}
}

// BenchmarkSHA256 shows what SHA-256 costs beside XXH3 over one file that lies in memory.
func BenchmarkSHA256(b *testing.B) {
	const size = 256 << 20
	path := filepath.Join(b.TempDir(), "model.safetensors")
	layout, err := safetensors.NewLayout([]safetensors.Tensor{{Name: "w", DType: safetensors.BF16, Shape: []int64{size / 2}}}, nil)
	if err != nil {
		b.Fatal(err)
	}
	if err := os.WriteFile(path, append(layout.Header(), make([]byte, size)...), 0o644); err != nil {
		b.Fatal(err)
	}
	for name, sha := range map[string]bool{"xxh3": false, "xxh3+sha256": true} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(size)
			for b.Loop() {
				if _, err := fileDigests(b.Context(), filepath.Dir(path), filepath.Base(path), 1, sha, startMeter("", size, nil)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// Whatever stands in the place of a receipt, and wherever it sends us, looking at it is safe.
func FuzzReceipt(f *testing.F) {
	f.Add([]byte(`{"version":1,"outputs":[{"name":"../x"}],"documents":[{"name":"/etc/passwd"}],
  "self_hash": "0000000000000000000000000000000000000000000000000000000000000000",
}`))
	f.Add([]byte(`{"version":1,"outputs":[{"name":"a.safetensors","size":-1}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		dir := t.TempDir()
		must(t, os.WriteFile(filepath.Join(dir, ReceiptFile), b, 0o644))
		if v, err := Verify(t.Context(), dir, VerifyOptions{}, nil); err == nil && len(v.Problems) == 0 && len(v.Receipt.Outputs) > 0 {
			t.Errorf("nothing but a receipt is a good export: %q", b)
		}
	})
}
