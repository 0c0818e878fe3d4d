package method_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"parfait/merge"
	"parfait/merge/method"
	"parfait/merge/safetensors"
)

// writeModel puts a model of one tensor into a folder.
func writeModel(dir string, values ...float32) error {
	layout, err := safetensors.NewLayout([]safetensors.Tensor{{Name: "w", DType: safetensors.F32, Shape: []int64{int64(len(values))}}}, safetensors.FormatPT())
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := layout.Write(&b, func(safetensors.Tensor) ([]byte, error) { return safetensors.AppendF32(nil, values), nil }); err != nil {
		return err
	}
	return errors.Join(os.MkdirAll(dir, 0o755), os.WriteFile(filepath.Join(dir, safetensors.SingleName), b.Bytes(), 0o644))
}

// strongest is a method that another program brings along: of every entry the task vector's that is furthest
// from zero.
type strongest struct{}

func (strongest) Info() method.Info {
	return method.Info{
		Name: "strongest", About: "takes of every entry the change that is furthest from zero", Formula: "θ₀ + the cᵢδᵢ with the largest |cᵢδᵢ|",
		Operand: method.Deltas, NeedsBase: true, Models: [2]int{1, 0}, Domains: []method.Domain{method.Box},
	}
}

func (strongest) Domain(method.Options) method.Domain                 { return method.Box }
func (strongest) Scan(method.Tensor, []method.Setting) method.Reducer { return nil }

func (strongest) Apply32(dst []method.Tile[float32], in method.Chunk[float32], _ method.Stats) {
	furthest(dst, in)
}

func (strongest) Apply64(dst []method.Tile[float64], in method.Chunk[float64], _ method.Stats) {
	furthest(dst, in)
}

func furthest[F method.Float](dst []method.Tile[F], in method.Chunk[F]) {
	for _, tile := range dst {
		for e := range tile.Out {
			var best F
			for i, delta := range in.Models {
				if delta == nil {
					continue
				}
				if v := F(tile.Weights[i]) * delta[e]; v*v > best*best {
					best = v
				}
			}
			tile.Out[e] = in.Base[e] + best
		}
	}
}

// Another program adds a method with Register, in an init function of its own.
func ExampleRegister() {
	if _, known := method.Get("strongest"); !known {
		method.Register(strongest{})
	}
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "method-example-*")
	defer os.RemoveAll(dir) //nolint:errcheck // an example
	in := func(name string) string { return filepath.Join(dir, name) }
	if err := errors.Join(err, writeModel(in("base"), 1, 1, 1), writeModel(in("math"), 2, 1, 1), writeModel(in("code"), 1, 1, 5)); err != nil {
		fmt.Println(err)
		return
	}
	plan, err := merge.NewPlan(ctx, merge.Spec{
		Base: in("base"), Method: "strongest",
		Models: []merge.Source{{Name: "math", Path: in("math")}, {Name: "code", Path: in("code")}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer plan.Close() //nolint:errcheck // read only
	out := filepath.Join(dir, "merged")
	_, err = plan.Write(ctx, []merge.Output{{At: map[string]float64{"math": 1, "code": 0.5}, Target: out}}, merge.WriteOptions{}, nil)
	fmt.Println(err)
	set, err := safetensors.OpenModel(out)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer set.Close() //nolint:errcheck // an example
	file, t, _ := set.Lookup("w")
	fmt.Println(file.Float32s(t))
	// Output:
	// <nil>
	// [2 1 3] <nil>
}
