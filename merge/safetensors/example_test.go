package safetensors_test

import (
	"bytes"
	"fmt"

	"parfait/merge/safetensors"
)

// A file is laid out first, and then its tensors are written in the layout's order.
func ExampleNewLayout() {
	values := map[string][]float32{"norm.weight": {1, 2, 3}, "proj.weight": {1, 2, 3, 4, 5, 6}}
	layout, err := safetensors.NewLayout([]safetensors.Tensor{
		{Name: "norm.weight", DType: safetensors.F32, Shape: []int64{3}},
		{Name: "proj.weight", DType: safetensors.BF16, Shape: []int64{2, 3}},
	}, safetensors.FormatPT())
	if err != nil {
		fmt.Println(err)
		return
	}
	var file bytes.Buffer
	if err := layout.Write(&file, func(t safetensors.Tensor) ([]byte, error) {
		if t.DType == safetensors.BF16 {
			return safetensors.AppendBF16(nil, values[t.Name]), nil
		}
		return safetensors.AppendF32(nil, values[t.Name]), nil
	}); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(file.Len() == int(layout.Size()))
	// Output: true
}

// exampleFile is a file; Open opens one on a disk.
type exampleFile struct{ *bytes.Reader }

func (exampleFile) Close() error { return nil }

func ExampleNewFile() {
	layout, err := safetensors.NewLayout([]safetensors.Tensor{{Name: "norm.weight", DType: safetensors.F32, Shape: []int64{3}}}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	var data bytes.Buffer
	if err := layout.Write(&data, func(safetensors.Tensor) ([]byte, error) { return safetensors.AppendF32(nil, []float32{1, 2, 3}), nil }); err != nil {
		fmt.Println(err)
		return
	}
	file, err := safetensors.NewFile("norm.safetensors", exampleFile{bytes.NewReader(data.Bytes())}, int64(data.Len()))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, t := range file.Tensors() {
		values, err := file.Float32s(t)
		fmt.Println(t.Name, t.DType, t.Shape, values, err)
	}
	// Output: norm.weight F32 [3] [1 2 3] <nil>
}
