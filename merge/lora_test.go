package merge

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"parfait/merge/method"
	"parfait/merge/safetensors"
)

// A head or an embedding of many rows is merged over several chunks, each of which sees some rows of a
// factor only: with every number of workers the bytes are those of the plain sum.
func TestAdapterOfManyRows(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 9))
	f := safetensors.F32
	root := t.TempDir()
	const vocab, width, rank = 2900, 97, 3
	m := model{"model.embed_tokens.weight": drawn(r, f, 1, vocab, width), "lm_head.weight": drawn(r, f, 1, vocab, width)}
	p := "base_model.model."
	a := model{
		p + "model.embed_tokens.lora_embedding_A": drawn(r, f, 1, rank, vocab), p + "model.embed_tokens.lora_embedding_B": drawn(r, f, 1, width, rank),
		p + "lm_head.lora_A.weight": drawn(r, f, 1, rank, width), p + "lm_head.lora_B.weight": drawn(r, f, 1, vocab, rank),
	}
	base := m.write(t, filepath.Join(root, "base"))
	spec := Spec{Base: base, Method: "task_arithmetic", Models: []Source{{"a", writeAdapter(t, filepath.Join(root, "a"), loraConfig(map[string]any{"r": rank, "lora_alpha": 1.5}), a)}}}
	plain := func(name string, left func(row, k int) float64, right func(k, col int) float64) values {
		v := values{f, []int64{vocab, width}, make([]float64, vocab*width)}
		for e := range v.data {
			sum := 0.0
			for k := range rank {
				sum = r32(sum + r32(r32(0.5*left(e/width, k))*right(k, e%width)))
			}
			v.data[e] = r32(m[name].data[e] + r32(0.75*sum))
		}
		return v
	}
	at := func(name string, cols int) func(i, j int) float64 {
		return func(i, j int) float64 { return a[p+name].data[i*cols+j] }
	}
	swapped := func(f func(i, j int) float64) func(i, j int) float64 {
		return func(i, j int) float64 { return f(j, i) }
	}
	want := model{
		"model.embed_tokens.weight": plain("model.embed_tokens.weight", swapped(at("model.embed_tokens.lora_embedding_A", vocab)), swapped(at("model.embed_tokens.lora_embedding_B", rank))),
		"lm_head.weight":            plain("lm_head.weight", at("lm_head.lora_B.weight", rank), at("lm_head.lora_A.weight", width)),
	}
	for _, workers := range []int{1, 2, 7} {
		out := filepath.Join(t.TempDir(), "out")
		_, err := plan(t, spec).Export(t.Context(), map[string]float64{"a": 0.75}, out, ExportOptions{Workers: workers}, nil)
		must(t, err)
		sameBits(t, "merged", read(t, out), want)
	}
}

// Workers keep the rows of a factor that a chunk needs, not the factor.
func TestFactorsStaySmall(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	f := safetensors.F32
	root := t.TempDir()
	const rows, width, rank = 60_000, 40, 8
	m := model{"lm_head.weight": drawn(r, f, 1, rows, width)}
	a := model{"lm_head.lora_A.weight": drawn(r, f, 1, rank, width), "lm_head.lora_B.weight": drawn(r, f, 1, rows, rank)}
	spec := Spec{
		Base: m.write(t, filepath.Join(root, "base")), Method: "task_arithmetic",
		Models: []Source{{"a", writeAdapter(t, filepath.Join(root, "a"), loraConfig(map[string]any{"r": rank}), a)}},
	}
	p := plan(t, spec)
	j, err := newJob(p, []*output{{Output: Output{At: map[string]float64{"a": 1}}}}, 1)
	must(t, err)
	j.meter = startMeter("test", 0, nil)
	w := <-j.free
	d := w.workspace32()
	part := make([]float32, partElements)
	for start := 0; start+len(part) <= rows*width; start += len(part) {
		must(t, d.loadLoRA(w, 0, part, p.tensors[0].models[0].lora, int64(start)))
	}
	most := (method.ChunkElements/width + 2) * rank
	if got := cap(d.loras[0].left); got > max(most, partElements) {
		t.Errorf("a worker keeps %d numbers of a factor of %d; a chunk needs %d", got, rows*rank, most)
	}
	if want := a["lm_head.lora_B.weight"].data; float64(d.loras[0].left[0]) != r32(1.5/4*want[d.loras[0].first*rank]) {
		t.Errorf("row %d of the factor is %v", d.loras[0].first, d.loras[0].left[0])
	}
}

// The matrices of an adapter that is written are made a run at a time, with runs that end within rows
// and between models.
func TestAdapterFormOfManyRows(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 11))
	f := safetensors.F32
	root := t.TempDir()
	const rows, width = 30_000, 45_000
	ranks, weights := []int64{2, 1, 3}, []float64{0.75, 0, -0.5}
	p := "base_model.model."
	base := model{"w.weight": {f, []int64{rows, width}, nil}} // of which the header is read alone
	dir := filepath.Join(root, "base")
	must(t, os.Mkdir(dir, 0o755))
	layout, err := safetensors.NewLayout([]safetensors.Tensor{{Name: "w.weight", DType: f, Shape: base["w.weight"].shape}}, nil)
	must(t, err)
	must(t, os.WriteFile(filepath.Join(dir, "model.safetensors"), layout.Header(), 0o644))
	must(t, os.Truncate(filepath.Join(dir, "model.safetensors"), layout.Size()))
	spec := Spec{Base: dir, Method: "task_arithmetic", Form: FormAdapter}
	at := map[string]float64{}
	var sum int64
	for _, rank := range ranks {
		sum += rank
	}
	left, right := make([]float64, rows*sum), make([]float64, 0, sum*width)
	var column int64
	for i, rank := range ranks {
		a := model{p + "w.lora_A.weight": drawn(r, f, 1, rank, width), p + "w.lora_B.weight": drawn(r, f, 1, rows, rank)}
		name := string(rune('a' + i))
		spec.Models = append(spec.Models, Source{name, writeAdapter(t, filepath.Join(root, name), loraConfig(map[string]any{"lora_alpha": float64(rank)}), a)})
		at[name] = weights[i]
		for e, v := range a[p+"w.lora_B.weight"].data {
			if weights[i] != 0 {
				left[int64(e)/rank*sum+column+int64(e)%rank] = r32(weights[i] * v)
			}
		}
		for _, v := range a[p+"w.lora_A.weight"].data {
			if weights[i] == 0 {
				v = 0
			}
			right = append(right, v)
		}
		column += rank
	}
	out := filepath.Join(root, "out")
	_, err = plan(t, spec).Export(t.Context(), at, out, ExportOptions{}, nil)
	must(t, err)
	must(t, os.Rename(filepath.Join(out, adapterWeights), filepath.Join(out, "model.safetensors")))
	sameBits(t, "the adapter", read(t, out), model{
		p + "w.lora_A.weight": {f, []int64{sum, width}, right}, p + "w.lora_B.weight": {f, []int64{rows, sum}, left},
	})
}
