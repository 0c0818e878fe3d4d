package merge

import (
	"bytes"
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"parfait/merge/codes"
	"parfait/merge/kernel"
	"parfait/merge/safetensors"
)

// values are a tensor's elements in a test.
type values struct {
	dtype safetensors.DType
	shape []int64
	data  []float64
}

// model is the tensors of a checkpoint in a test.
type model map[string]values

// bytes of v in its dtype; what is not computed on is one byte an element.
func (v values) bytes() []byte {
	n := int64(len(v.data)) * v.dtype.Bits() / 8
	out := make([]byte, n)
	if !v.dtype.Computable() {
		for i, x := range v.data {
			out[int64(i)*v.dtype.Bits()/8] = byte(x)
		}
		return out
	}
	kernel.Encode64(vector(out, v.dtype), v.data)
	return out
}

// write puts a checkpoint into a folder, with a config and a tokenizer.
func (m model) write(t testing.TB, dir string) string {
	t.Helper()
	must(t, os.MkdirAll(dir, 0o755))
	var list []safetensors.Tensor
	for name, v := range m {
		list = append(list, safetensors.Tensor{Name: name, DType: v.dtype, Shape: v.shape})
	}
	layout, err := safetensors.NewLayout(list, safetensors.FormatPT())
	must(t, err)
	var b bytes.Buffer
	must(t, layout.Write(&b, func(st safetensors.Tensor) ([]byte, error) { return m[st.Name].bytes(), nil }))
	must(t, os.WriteFile(filepath.Join(dir, "model.safetensors"), b.Bytes(), 0o644))
	must(t, os.WriteFile(filepath.Join(dir, "config.json"), []byte("{\n  \"architectures\": [\"Test\"],\n  \"torch_dtype\": \"float32\"\n}\n"), 0o644))
	must(t, os.WriteFile(filepath.Join(dir, "tokenizer.json"), []byte("{}\n"), 0o644))
	return dir
}

// read gives the decoded tensors of a checkpoint.
func read(t testing.TB, dir string) model {
	t.Helper()
	set, err := safetensors.OpenModel(dir)
	must(t, err)
	defer set.Close() //nolint:errcheck // a test
	out := model{}
	for _, name := range set.Names() {
		f, st, _ := set.Lookup(name)
		raw, err := f.Bytes(st)
		must(t, err)
		v := values{st.DType, st.Shape, make([]float64, st.Elements())}
		if st.DType.Computable() {
			kernel.Decode64(v.data, vector(raw, st.DType))
		} else {
			for i := range v.data {
				v.data[i] = float64(raw[int64(i)*st.DType.Bits()/8])
			}
		}
		out[name] = v
	}
	return out
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// drawn is a tensor of normal numbers that its dtype can hold.
func drawn(r *rand.Rand, d safetensors.DType, scale float64, shape ...int64) values {
	n := int64(1)
	for _, dim := range shape {
		n *= dim
	}
	v := values{d, shape, make([]float64, n)}
	for i := range v.data {
		v.data[i] = scale * r.NormFloat64()
	}
	kernel.Decode64(v.data, vector(v.bytes(), d))
	return v
}

// near is a tensor like v with small changes.
func near2(r *rand.Rand, v values, scale float64) values {
	out := values{v.dtype, v.shape, make([]float64, len(v.data))}
	for i, x := range v.data {
		out.data[i] = x + scale*r.NormFloat64()
	}
	kernel.Decode64(out.data, vector(out.bytes(), v.dtype))
	return out
}

// family is a base and n models fine-tuned from it, in folders.
func family(t testing.TB, seed uint64, d safetensors.DType, n int) (base string, models []Source) {
	r := rand.New(rand.NewPCG(seed, 1))
	root := t.TempDir()
	m := model{
		"model.embed.weight":    drawn(r, d, 1, 30, 7),
		"model.layers.0.weight": drawn(r, d, 1, 13, 17),
		"model.layers.1.weight": drawn(r, d, 1, 5, 3, 2),
		"model.layers.1.bias":   drawn(r, d, 1, 11),
		"model.scale":           drawn(r, d, 1),
		"model.count":           {safetensors.I64, []int64{2}, []float64{1, 2}},
		"model.empty":           {d, []int64{0, 4}, nil},
	}
	base = m.write(t, filepath.Join(root, "base"))
	for i := range n {
		tuned := model{}
		for _, name := range sortedKeys(m) {
			tuned[name] = m[name]
			if m[name].dtype.Computable() {
				tuned[name] = near2(r, m[name], 0.1*float64(1+i))
			}
		}
		name := string(rune('a' + i))
		models = append(models, Source{name, tuned.write(t, filepath.Join(root, name))})
	}
	return base, models
}

func plan(t testing.TB, s Spec) *Plan {
	t.Helper()
	p, err := NewPlan(t.Context(), s)
	must(t, err)
	t.Cleanup(func() { must(t, p.Close()) })
	return p
}

// one writes one output and reads it.
func one(t testing.TB, s Spec, at map[string]float64) model {
	t.Helper()
	target := filepath.Join(t.TempDir(), "out")
	_, err := plan(t, s).Write(t.Context(), []Output{{at, target}}, WriteOptions{}, nil)
	must(t, err)
	return read(t, target)
}

func sameBits(t *testing.T, what string, got, want model) {
	t.Helper()
	for _, name := range sortedKeys(want) {
		g, w := got[name], want[name]
		if g.dtype != w.dtype || len(g.data) != len(w.data) {
			t.Fatalf("%s: %s is %v with %d elements, want %v with %d", what, name, g.dtype, len(g.data), w.dtype, len(w.data))
		}
		for i := range w.data {
			if math.Float64bits(g.data[i]) != math.Float64bits(w.data[i]) {
				t.Fatalf("%s: %s[%d] = %v, want %v", what, name, i, g.data[i], w.data[i])
			}
		}
	}
	if len(got) != len(want) {
		t.Fatalf("%s: %d tensors, want %d", what, len(got), len(want))
	}
}

// referenceTaskArithmetic is METHODS.md §1, one number at a time.
func referenceTaskArithmetic(base model, models []model, lambda float64, c []float64) model {
	out := model{}
	for name, b := range base {
		v := values{b.dtype, b.shape, append([]float64(nil), b.data...)}
		for e := range v.data {
			if !b.dtype.Computable() {
				continue
			}
			any := false
			var a32 float32
			var a64 float64
			for i, m := range models {
				w := lambda * c[i]
				if float32(w) == 0 {
					continue
				}
				any = true
				if b.dtype == safetensors.F64 {
					d := m[name].data[e] - b.data[e]
					p := float64(w * d)
					a64 += p
					continue
				}
				d := float32(m[name].data[e]) - float32(b.data[e])
				p := float32(float32(w) * d)
				a32 = float32(a32 + p)
			}
			switch {
			case !any:
			case b.dtype == safetensors.F64:
				v.data[e] = b.data[e] + a64
			default:
				v.data[e] = float64(float32(b.data[e]) + a32)
			}
		}
		if b.dtype.Computable() {
			kernel.Decode64(v.data, vector(v.bytes(), b.dtype))
		}
		out[name] = v
	}
	return out
}

func TestTaskArithmeticIsTheReference(t *testing.T) {
	for _, d := range []safetensors.DType{safetensors.BF16, safetensors.F16, safetensors.F32, safetensors.F64} {
		t.Run(d.String(), func(t *testing.T) {
			base, models := family(t, 7, d, 3)
			inputs := []model{}
			for _, m := range models {
				inputs = append(inputs, read(t, m.Path))
			}
			for _, c := range [][]float64{{0.3, 0.5, 0.9}, {0, 0, 0}, {1, 0, 0}, {0, -0.7, 1.4}} {
				at := map[string]float64{"a": c[0], "b": c[1], "c": c[2], "lambda": 0.7}
				got := one(t, Spec{Base: base, Models: models, Method: "task_arithmetic"}, at)
				sameBits(t, "merge", got, referenceTaskArithmetic(read(t, base), inputs, 0.7, c))
			}
		})
	}
}

func TestExportRecipeAndVerify(t *testing.T) {
	base, models := family(t, 3, safetensors.F32, 2)
	spec := Spec{Base: base, Models: models, Method: "task_arithmetic", DType: BF16, Groups: []Group{{"early", "*layers.0.*"}, {"rest", "*"}}}
	at := map[string]float64{"a.early": 0.1, "a.rest": 1.0 / 3, "b.early": 1e-5, "b.rest": 0.7}
	p := plan(t, spec)
	dir := filepath.Join(t.TempDir(), "out")
	var last Progress
	receipt, err := p.Export(t.Context(), at, dir, ExportOptions{ShardSize: 600}, func(p Progress) { last = p })
	must(t, err)
	if last.Done != last.Total || last.Stage != "check" {
		t.Errorf("the last progress is %+v", last)
	}
	if len(receipt.Outputs) < 5 {
		t.Errorf("outputs: %+v", receipt.Outputs)
	}
	v, err := Verify(t.Context(), dir, VerifyOptions{Recompute: true}, nil)
	must(t, err)
	if len(v.Problems) > 0 || !v.Recomputed {
		t.Fatalf("verify: %+v", v)
	}
	recipe, err := ReadRecipe(filepath.Join(dir, RecipeFile))
	must(t, err)
	again := filepath.Join(t.TempDir(), "again")
	q := plan(t, recipe.Spec())
	_, err = q.Export(t.Context(), recipe.At(), again, ExportOptions{ShardSize: 600}, nil)
	must(t, err)
	for _, f := range receipt.Outputs {
		x, err := os.ReadFile(filepath.Join(dir, f.Name))
		must(t, err)
		y, err := os.ReadFile(filepath.Join(again, f.Name))
		must(t, err)
		if !bytes.Equal(x, y) {
			t.Errorf("%s differs between the export and its recipe\n%s\n%s", f.Name, x, y)
		}
	}
	entries, err := os.ReadDir(filepath.Dir(dir))
	must(t, err)
	if len(entries) != 1 {
		t.Errorf("left behind: %v", entries)
	}
	if _, err := p.Export(t.Context(), at, dir, ExportOptions{}, nil); !errors.Is(err, Problem{Code: codes.Exists}) {
		t.Errorf("a second export into the folder: %v", err)
	}
	config, err := os.ReadFile(filepath.Join(dir, "config.json"))
	must(t, err)
	if !bytes.Contains(config, []byte(`"torch_dtype": "bfloat16"`)) {
		t.Errorf("config: %s", config)
	}
	weights := filepath.Join(dir, receipt.Outputs[0].Name)
	data, err := os.ReadFile(weights)
	must(t, err)
	data[len(data)-1] ^= 1
	must(t, os.WriteFile(weights, data, 0o644))
	v, err = Verify(context.Background(), dir, VerifyOptions{Recompute: true}, nil)
	must(t, err)
	if len(v.Problems) != 2 || v.Problems[0].Code != codes.Corrupt || v.Problems[1].Code != codes.Mismatch {
		t.Errorf("verify of a changed file: %+v", v.Problems)
	}
}

func TestWorkersAndBatchesChangeNothing(t *testing.T) {
	base, models := family(t, 5, safetensors.BF16, 3)
	spec := Spec{Base: base, Models: models, Method: "task_arithmetic"}
	var ats []map[string]float64
	for i := range 6 {
		ats = append(ats, map[string]float64{"a": float64(i) / 5, "b": 0.2, "c": -0.1 * float64(i)})
	}
	p := plan(t, spec)
	want := make([]model, len(ats))
	for i, at := range ats {
		want[i] = one(t, spec, at)
	}
	for _, workers := range []int{1, 2, 7} {
		root := t.TempDir()
		var outs []Output
		for i, at := range ats {
			outs = append(outs, Output{at, filepath.Join(root, string(rune('0'+i)))})
		}
		_, err := p.Write(t.Context(), outs, WriteOptions{Workers: workers}, nil)
		must(t, err)
		for i, out := range outs {
			sameBits(t, "together", read(t, out.Target), want[i])
		}
	}
}

// TestMixedDTypes: a tensor whose inputs differ is computed in float32, whatever is written with it, and
// is the base to the bit where nothing is added.
func TestMixedDTypes(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	root := t.TempDir()
	b := model{"w": drawn(r, safetensors.F64, 1, 100)}
	base := b.write(t, filepath.Join(root, "base"))
	x := model{"w": near2(r, b["w"], 0.1)}
	y := model{"w": drawn(r, safetensors.F32, 1, 100)}
	models := []Source{{"x", x.write(t, filepath.Join(root, "x"))}, {"y", y.write(t, filepath.Join(root, "y"))}}
	for _, method := range []string{"task_arithmetic", "dare_linear"} {
		p := plan(t, Spec{Base: base, Models: models, Method: method})
		if len(p.Warnings()) != 1 || p.Warnings()[0].Code != codes.MixedDTypes {
			t.Errorf("warnings: %v", p.Warnings())
		}
		ats := []map[string]float64{{"x": 0.3, "y": 0}, {"x": 0, "y": 0}, {"x": 0.2, "y": 0.4}}
		var outs []Output
		for i, at := range ats {
			outs = append(outs, Output{at, filepath.Join(root, method+string(rune('0'+i)))})
		}
		_, err := p.Write(t.Context(), outs, WriteOptions{}, nil)
		must(t, err)
		for i, at := range ats {
			sameBits(t, "with others", read(t, outs[i].Target), one(t, p.Spec(), at))
		}
		sameBits(t, "nothing added", read(t, outs[1].Target), b)
	}
}
