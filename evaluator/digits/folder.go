package digits

import (
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"

	"parfait/evaluator"
	"parfait/merge/safetensors"
)

// configuration is what a model's config.json says; the same for the base and all experts.
var configuration = map[string]any{
	"architectures": []string{"DigitsMLP"},
	"model_type":    "digits-mlp",
	"torch_dtype":   "bfloat16",
	"hidden_act":    "relu",
	"image_size":    side,
	"hidden_size":   hidden,
	"num_labels":    classes,
}

// writeModel writes one model's folder, synced to disk. v is in the order of network.flat.
func writeModel(dir string, v []float32) error {
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	config, err := json.MarshalIndent(configuration, "", "  ")
	if err != nil {
		return err
	}
	if err := writeFile(filepath.Join(dir, "config.json"), append(config, '\n')); err != nil {
		return err
	}
	if err := writeTensors(filepath.Join(dir, safetensors.SingleName), safetensors.BF16, safetensors.AppendBF16, v); err != nil {
		return err
	}
	return syncFolder(dir)
}

// writeTensors writes v as a new file of a dtype, under the names of a model's tensors.
func writeTensors(path string, dtype safetensors.DType, encode func([]byte, []float32) []byte, v []float32) error {
	var list []safetensors.Tensor
	data := map[string][]byte{}
	for _, t := range tensors {
		list = append(list, safetensors.Tensor{Name: t.name, DType: dtype, Shape: t.shape})
		n := elements(t.shape)
		data[t.name] = encode(nil, v[:n])
		v = v[n:]
	}
	layout, err := safetensors.NewLayout(list, safetensors.FormatPT())
	if err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	err = layout.Write(f, func(t safetensors.Tensor) ([]byte, error) { return data[t.Name], nil })
	return errors.Join(err, f.Sync(), f.Close())
}

// readModel reads a merged model, and says everything that is wrong with it at once.
func readModel(dir string) (*network, error) {
	set, err := safetensors.OpenFolder(dir)
	if err != nil {
		return nil, evaluator.Errorf(evaluator.BadModel, "the merged model cannot be read: %w", err)
	}
	defer func() { _ = set.Close() }() // opened for reading only
	var (
		errs  []error
		all   []float32
		known []string
	)
	bad := func(format string, args ...any) {
		errs = append(errs, evaluator.Errorf(evaluator.BadModel, "the merged model in "+dir+": "+format, args...))
	}
	for _, want := range tensors {
		known = append(known, want.name)
		f, t, ok := set.Lookup(want.name)
		if !ok {
			bad("the tensor %s is missing: expected a digits model, with %s of shape %v", want.name, want.name, want.shape)
			continue
		}
		if !slices.Equal(t.Shape, want.shape) {
			bad("the tensor %s has shape %v, expected %v", want.name, t.Shape, want.shape)
			continue
		}
		v, err := f.Float32s(t)
		if err != nil {
			bad("%w", err)
			continue
		}
		if i := slices.IndexFunc(v, func(x float32) bool { return math.IsNaN(float64(x)) || math.IsInf(float64(x), 0) }); i >= 0 {
			bad("the tensor %s has %v at index %d: its accuracy would mean nothing", want.name, v[i], i)
		}
		all = append(all, v...)
	}
	for _, name := range set.Names() {
		if !slices.Contains(known, name) {
			bad("the tensor %s is none of a digits model's (%v)", name, known)
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	var net network
	net.fromFlat(all)
	return &net, nil
}

func elements(shape []int64) int {
	n := int64(1)
	for _, d := range shape {
		n *= d
	}
	return int(n)
}
