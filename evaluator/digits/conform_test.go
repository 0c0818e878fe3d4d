package digits

import (
	"context"
	"encoding/binary"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"parfait/evaluator"
	"parfait/evaluator/evaluatortest"
	"parfait/merge/safetensors"
)

func at(path string) evaluator.Candidate {
	return evaluator.Candidate{
		Tasks: []string{"rotated", Guard, "mirrored"},
		Model: func(context.Context, evaluator.Form) (evaluator.Lease, error) {
			return evaluator.Lease{Path: path}, nil
		},
	}
}

func TestConforms(t *testing.T) {
	models, err := Write(t.Context(), filepath.Join(t.TempDir(), "models"), 2)
	if err != nil {
		t.Fatal(err)
	}
	fails := func(c evaluator.Candidate, code evaluator.Code) evaluatortest.Failure {
		return evaluatortest.Failure{Candidate: func(testing.TB) evaluator.Candidate { return c }, Code: code}
	}
	strange := at(models.Base)
	strange.Tasks = []string{"rotated", "gsm8k"}
	hanging := at(models.Base)
	hanging.Model = func(ctx context.Context, _ evaluator.Form) (evaluator.Lease, error) {
		<-ctx.Done()
		return evaluator.Lease{}, ctx.Err()
	}
	failures := map[string]evaluatortest.Failure{
		"a task of another world": fails(strange, evaluator.UnknownTask),
		"no folder":               fails(at(filepath.Join(t.TempDir(), "none")), evaluator.BadModel),
	}
	for name, dir := range badModels(t, models.Base) {
		failures[name] = fails(at(dir), evaluator.BadModel)
	}
	evaluatortest.Run(t, evaluatortest.Harness{
		New:      func(testing.TB, string) evaluator.Evaluator { return New(Options{Workers: 2}) },
		Good:     func(testing.TB) evaluator.Candidate { return at(models.Experts[0].Path) },
		Hang:     func(testing.TB) evaluator.Candidate { return hanging },
		Failures: failures,
	})
}

// badModels makes folders that are no digits models, each in its own way.
func badModels(t testing.TB, base string) map[string]string {
	whole, err := os.ReadFile(filepath.Join(base, safetensors.SingleName))
	if err != nil {
		t.Fatal(err)
	}
	f, err := safetensors.Open(filepath.Join(base, safetensors.SingleName))
	if err != nil {
		t.Fatal(err)
	}
	list := f.Tensors()
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	rename := func(b []byte, from, to string) []byte { return []byte(strings.Replace(string(b), from, to, 1)) }
	nan := append([]byte(nil), whole...)
	binary.LittleEndian.PutUint16(nan[list[2].Offset+6:], uint16(math.Float32bits(float32(math.NaN()))>>16))
	shape, missing := append([]safetensors.Tensor(nil), list...), list[1:]
	shape[1].Shape = []int64{list[1].Elements()}
	extra := append(append([]safetensors.Tensor(nil), list...), safetensors.Tensor{Name: "lm_head.weight", DType: safetensors.BF16, Shape: []int64{2}})
	out := map[string]string{}
	for name, b := range map[string][]byte{
		"truncated":       whole[:len(whole)-100],
		"a lying header":  rename(whole, "[128,64]", "[128,65]"),
		"another name":    rename(whole, "fc1.bias", "fc9.bias"),
		"a NaN":           nan,
		"another shape":   zeros(t, shape),
		"a tensor less":   zeros(t, missing),
		"a tensor more":   zeros(t, extra),
		"no file at all":  nil,
		"another network": zeros(t, []safetensors.Tensor{{Name: "w", DType: safetensors.I64, Shape: []int64{3}}}),
	} {
		dir := t.TempDir()
		if b != nil {
			if err := os.WriteFile(filepath.Join(dir, safetensors.SingleName), b, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		out[name] = dir
	}
	return out
}

func zeros(t testing.TB, list []safetensors.Tensor) []byte {
	l, err := safetensors.NewLayout(list, safetensors.FormatPT())
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := l.Write(&b, func(t safetensors.Tensor) ([]byte, error) { return make([]byte, t.Size), nil }); err != nil {
		t.Fatal(err)
	}
	return []byte(b.String())
}

// Everything wrong with a model is said at once, with the file, the tensor, and what was expected.
func TestBadModelSaysAll(t *testing.T) {
	models, err := Write(t.Context(), filepath.Join(t.TempDir(), "models"), 1)
	if err != nil {
		t.Fatal(err)
	}
	dirs := badModels(t, models.Base)
	for name, want := range map[string][]string{
		"a NaN":           {"NaN", "at index 3", dirs["a NaN"]},
		"another name":    {"fc1.bias is missing", "fc9.bias", "[128]"},
		"another shape":   {"expected [128 64]", "[8192]"},
		"a tensor more":   {"lm_head.weight"},
		"another network": {"fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias", "tensor w "},
	} {
		_, err := readModel(dirs[name])
		if !errors.Is(err, evaluator.BadModel) {
			t.Errorf("%s: %v, expected %s", name, err, evaluator.BadModel)
			continue
		}
		for _, w := range want {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%s: the error does not say %q:\n%v", name, w, err)
			}
		}
	}
}

func TestWriteRefuses(t *testing.T) {
	full := t.TempDir()
	if err := os.WriteFile(filepath.Join(full, "thesis.tex"), []byte("years"), 0o600); err != nil {
		t.Fatal(err)
	}
	damaged := filepath.Join(t.TempDir(), "models")
	if _, err := Write(t.Context(), damaged, 1); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(filepath.Join(damaged, "rotated", safetensors.SingleName), 1000); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(damaged, "base", "config.json")); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		dir   string
		tasks int
		code  evaluator.Code
		says  []string
	}{
		"a folder of somebody's":  {full, 1, Occupied, []string{full}},
		"a damaged set":           {damaged, 1, Damaged, []string{"rotated", "config.json"}},
		"a set of another size":   {damaged, 2, Occupied, []string{"1 tasks", "2 tasks"}},
		"no tasks":                {filepath.Join(t.TempDir(), "m"), 0, evaluator.BadOptions, []string{"1 to 8"}},
		"more tasks than experts": {filepath.Join(t.TempDir(), "m"), 9, evaluator.BadOptions, []string{"1 to 8"}},
	} {
		_, err := Write(t.Context(), c.dir, c.tasks)
		if !errors.Is(err, c.code) {
			t.Errorf("%s: %v, expected %s", name, err, c.code)
			continue
		}
		for _, w := range c.says {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%s: the error does not say %q: %v", name, w, err)
			}
		}
	}
	if b, err := os.ReadFile(filepath.Join(full, "thesis.tex")); err != nil || string(b) != "years" {
		t.Errorf("the file of somebody's is %q now (%v)", b, err)
	}
}

// A Write that fails, or is told to stop, leaves nothing behind.
func TestWriteLeavesNothing(t *testing.T) {
	parent := t.TempDir()
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if _, err := (&academy{}).models(ctx, false, 2); !errors.Is(err, context.Canceled) {
		t.Errorf("training in spite of a cancelled context: %v", err)
	}
	if err := os.WriteFile(filepath.Join(parent, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Write(t.Context(), filepath.Join(parent, "file", "models"), 1); err == nil {
		t.Error("wrote models below a file")
	}
	if _, err := Write(t.Context(), filepath.Join(parent, "file"), 1); err == nil {
		t.Error("wrote models over a file")
	}
	entries, err := os.ReadDir(parent)
	if err != nil || len(entries) != 1 {
		t.Errorf("left behind: %v (%v)", entries, err)
	}
}
