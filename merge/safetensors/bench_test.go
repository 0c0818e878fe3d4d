package safetensors_test

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"parfait/merge/safetensors"
)

// layers is a model of n tensors with names and shapes as models have them.
func layers(n int) []safetensors.Tensor {
	var list []safetensors.Tensor
	for i := range n {
		list = append(list, safetensors.Tensor{
			Name:  fmt.Sprintf("model.layers.%d.self_attn.q_proj.%d.weight", i/9, i%9),
			DType: safetensors.BF16,
			Shape: []int64{4096, 4096},
		})
	}
	return list
}

// sparse writes a file with the header of n tensors and as many bytes as they need, none of them stored.
func sparse(t testing.TB, n int) string {
	t.Helper()
	l, err := safetensors.NewLayout(layers(n), safetensors.FormatPT())
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), safetensors.SingleName)
	if err := os.WriteFile(path, l.Header(), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, l.Size()); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestOpenTakesNoMemory: a file of terabytes costs what its header costs, and the last byte is there.
func TestOpenTakesNoMemory(t *testing.T) {
	path := sparse(t, 30_000) // 1 TB
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f, err := safetensors.Open(path)
	runtime.ReadMemStats(&after)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	last := f.Tensors()[len(f.Tensors())-1]
	header := f.Tensors()[0].Offset
	if took := int64(after.TotalAlloc - before.TotalAlloc); took > 12*header {
		t.Errorf("a header of %d bytes took %d bytes of memory", header, took)
	}
	b := make([]byte, 2)
	if _, err := f.ReadAt(b, last.Offset+last.Size-2); err != nil || last.Offset+last.Size != f.Size() {
		t.Errorf("the last element: %v, %v", b, err)
	}
}

func BenchmarkOpen(b *testing.B) {
	for _, n := range []int{300, 30_000} {
		path := sparse(b, n)
		b.Run(fmt.Sprintf("tensors=%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				f, err := safetensors.Open(path)
				if err != nil {
					b.Fatal(err)
				}
				_ = f.Close()
			}
		})
	}
}
