package merge

import (
	"math/rand/v2"
	"path/filepath"
	"testing"

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
	d := w.desk32()
	part := make([]float32, partElements)
	for start := 0; start+len(part) <= rows*width; start += len(part) {
		must(t, d.loadLoRA(w, 0, part, p.tensors[0].models[0].lora, int64(start)))
	}
	most := (ChunkElements/width + 2) * rank
	if got := cap(d.loras[0].left); got > max(most, partElements) {
		t.Errorf("a worker keeps %d numbers of a factor of %d; a chunk needs %d", got, rows*rank, most)
	}
	if want := a["lm_head.lora_B.weight"].data; float64(d.loras[0].left[0]) != r32(1.5/4*want[d.loras[0].first*rank]) {
		t.Errorf("row %d of the factor is %v", d.loras[0].first, d.loras[0].left[0])
	}
}
