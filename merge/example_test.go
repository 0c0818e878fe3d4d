package merge_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"parfait/merge"
	"parfait/merge/codes"
	"parfait/merge/safetensors"
)

// writeModel puts a model of one tensor into a folder.
func writeModel(dir, tensor string, values ...float32) error {
	layout, err := safetensors.NewLayout([]safetensors.Tensor{{Name: tensor, DType: safetensors.F32, Shape: []int64{int64(len(values))}}}, safetensors.FormatPT())
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := layout.Write(&b, func(safetensors.Tensor) ([]byte, error) { return safetensors.AppendF32(nil, values), nil }); err != nil {
		return err
	}
	return errors.Join(os.MkdirAll(dir, 0o755), os.WriteFile(filepath.Join(dir, safetensors.SingleName), b.Bytes(), 0o644))
}

// models are a base and two models that were fine-tuned from it.
func models() (dir string, spec merge.Spec, err error) {
	dir, err = os.MkdirTemp("", "merge-example-*")
	in := func(name string) string { return filepath.Join(dir, name) }
	err = errors.Join(err, writeModel(in("base"), "w", 1, 1, 1), writeModel(in("math"), "w", 2, 1, 1), writeModel(in("code"), "w", 1, 1, 5))
	return dir, merge.Spec{
		Base: in("base"), Method: "task_arithmetic",
		Models: []merge.Source{{Name: "math", Path: in("math")}, {Name: "code", Path: in("code")}},
	}, err
}

// show prints the tensor w of a checkpoint.
func show(dir string) {
	set, err := safetensors.OpenModel(dir)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer set.Close() //nolint:errcheck // an example
	file, t, _ := set.Lookup("w")
	values, err := file.Float32s(t)
	fmt.Println(values, err)
}

// One merge is written, checked, and held to its receipt.
func Example() {
	ctx := context.Background()
	dir, spec, err := models()
	defer os.RemoveAll(dir) //nolint:errcheck // an example
	if err != nil {
		fmt.Println(err)
		return
	}
	plan, err := merge.NewPlan(ctx, spec) // headers only
	if err != nil {
		fmt.Println(err)
		return
	}
	defer plan.Close() //nolint:errcheck // read only
	out := filepath.Join(dir, "merged")
	if _, err := plan.Export(ctx, map[string]float64{"math": 1, "code": 0.5}, out, merge.ExportOptions{}, nil); err != nil {
		fmt.Println(err)
		return
	}
	show(out)
	found, err := merge.Verify(ctx, out, merge.VerifyOptions{Recompute: true}, nil)
	fmt.Println(found.Problems, found.Recomputed, err)
	// Output:
	// [2 1 3] <nil>
	// [] true <nil>
}

// Many merges are written in one pass over the models.
func ExamplePlan_Write() {
	ctx := context.Background()
	dir, spec, err := models()
	defer os.RemoveAll(dir) //nolint:errcheck // an example
	if err != nil {
		fmt.Println(err)
		return
	}
	plan, err := merge.NewPlan(ctx, spec)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer plan.Close() //nolint:errcheck // read only
	outs := []merge.Output{
		{At: map[string]float64{"math": 1, "code": 0}, Target: filepath.Join(dir, "one")},
		{At: map[string]float64{"math": 0.5, "code": 0.25}, Target: filepath.Join(dir, "two")},
	}
	if _, err := plan.Write(ctx, outs, merge.WriteOptions{}, nil); err != nil {
		fmt.Println(err)
		return
	}
	show(outs[0].Target)
	show(outs[1].Target)
	// Output:
	// [2 1 1] <nil>
	// [1.5 1 2] <nil>
}

// More files stand beside the weights when the folder appears.
func ExamplePlan_Stage() {
	ctx := context.Background()
	dir, spec, err := models()
	defer os.RemoveAll(dir) //nolint:errcheck // an example
	if err != nil {
		fmt.Println(err)
		return
	}
	plan, err := merge.NewPlan(ctx, spec)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer plan.Close() //nolint:errcheck // read only
	staged, err := plan.Stage(ctx, map[string]float64{"math": 1, "code": 1}, filepath.Join(dir, "merged"), merge.ExportOptions{}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	receipt, err := staged.Receipt().JSON()
	if err == nil {
		err = errors.Join(staged.Add(merge.ReceiptFile, receipt), staged.Add("README.md", []byte("# A merge\n")))
	}
	if err != nil {
		fmt.Println(errors.Join(err, staged.Discard()))
		return
	}
	fmt.Println(staged.Commit(ctx))
	files, err := os.ReadDir(filepath.Join(dir, "merged"))
	for _, f := range files {
		fmt.Println(f.Name(), err)
	}
	// Output:
	// <nil>
	// README.md <nil>
	// model.safetensors <nil>
	// receipt.json <nil>
	// recipe.yaml <nil>
}

// What may be turned is known without opening a file.
func ExampleCoefficients() {
	list, domain, err := merge.Coefficients(merge.Spec{
		Base: "base", Method: "ties", Models: []merge.Source{{Name: "math", Path: "m"}, {Name: "code", Path: "c"}},
		Params: map[string]any{"lambda": 1.0},
	})
	for _, c := range list {
		fmt.Println(c.Name, c.Default, c.Required)
	}
	fmt.Println(domain.Box(), err)
	// Output:
	// math [0 1.2] true
	// code [0 1.2] true
	// density [0.1 0.9] false
	// true <nil>
}

// A problem is known by its code; all of them are told at once.
func ExampleSpec() {
	_, _, err := merge.Coefficients(merge.Spec{Method: "tiess", Models: []merge.Source{{Name: "math", Path: "m"}}})
	fmt.Println(errors.Is(err, codes.Method), errors.Is(err, codes.Shape))
	// Output: true false
}
