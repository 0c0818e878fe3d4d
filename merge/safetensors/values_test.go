package safetensors_test

import (
	"bytes"
	"math"
	"slices"
	"testing"

	"parfait/merge/kernel"
	"parfait/merge/safetensors"
)

// TestValuesAgreeWithKernel: every 16-bit pattern, read by both packages.
func TestValuesAgreeWithKernel(t *testing.T) {
	const n = 1 << 16
	raw := make([]byte, 2*n)
	for i := range n {
		raw[2*i], raw[2*i+1] = byte(i), byte(i>>8)
	}
	for d, format := range map[safetensors.DType]kernel.Format{safetensors.BF16: kernel.BF16, safetensors.F16: kernel.F16} {
		f := inMemory(t, safetensors.Tensor{Name: "a", DType: d, Shape: []int64{n}}, raw)
		got, err := f.Float32s(f.Tensors()[0])
		if err != nil {
			t.Fatal(err)
		}
		want := make([]float32, n)
		kernel.Decode(want, kernel.Vector{Data: raw, Format: format})
		for i := range n {
			if got[i] != want[i] && !(math.IsNaN(float64(got[i])) && math.IsNaN(float64(want[i]))) {
				t.Fatalf("%v %#04x: %v, kernel %v", d, i, got[i], want[i])
			}
		}
		if d == safetensors.BF16 {
			back := kernel.Vector{Data: make([]byte, 2*n), Format: format}
			kernel.Encode(back, want)
			if !bytes.Equal(safetensors.AppendBF16(nil, want), back.Data) {
				t.Error("AppendBF16 differs from the kernel")
			}
		}
	}
}

func inMemory(t *testing.T, tensor safetensors.Tensor, raw []byte) *safetensors.File {
	t.Helper()
	l, err := safetensors.NewLayout([]safetensors.Tensor{tensor}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := l.Write(&b, func(safetensors.Tensor) ([]byte, error) { return raw, nil }); err != nil {
		t.Fatal(err)
	}
	f, err := safetensors.NewFile("memory", memory(b.Bytes()), int64(b.Len()))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestFloat32s(t *testing.T) {
	values := []float32{0, 1, -1.5, 3e38, 1e-40}
	f := inMemory(t, safetensors.Tensor{Name: "a", DType: safetensors.F32, Shape: []int64{5}}, safetensors.AppendF32(nil, values))
	if got, err := f.Float32s(f.Tensors()[0]); err != nil || !slices.Equal(got, values) {
		t.Errorf("%v, %v", got, err)
	}
	f = inMemory(t, safetensors.Tensor{Name: "a", DType: safetensors.F64, Shape: []int64{1}}, []byte{0, 0, 0, 0, 0, 0, 0xf8, 0x3f})
	if got, err := f.Float32s(f.Tensors()[0]); err != nil || !slices.Equal(got, []float32{1.5}) {
		t.Errorf("F64: %v, %v", got, err)
	}
	f = inMemory(t, safetensors.Tensor{Name: "a", DType: safetensors.I32, Shape: []int64{1}}, []byte{0, 0, 0, 0})
	if _, err := f.Float32s(f.Tensors()[0]); !slices.Equal(safetensors.Codes(err), []safetensors.Code{safetensors.UnknownDType}) {
		t.Errorf("I32: %v", err)
	}
}
