package merge

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"parfait/merge/safetensors"
)

// TestIndependent merges with every method and has numpy and ml_dtypes recompute the results bit for
// bit. PARFAIT_PYTHON names a Python with both.
func TestIndependent(t *testing.T) {
	python := os.Getenv("PARFAIT_PYTHON")
	if python == "" {
		if os.Getenv("CI") == "true" {
			t.Fatal("PARFAIT_PYTHON is not set: the independent check has to run here")
		}
		t.Skip("PARFAIT_PYTHON names no Python with numpy and ml_dtypes")
	}
	type check struct {
		Base   string         `json:"base"`
		Models [][2]string    `json:"models"`
		Out    string         `json:"out"`
		Method string         `json:"method"`
		C      []float64      `json:"c"`
		Params map[string]any `json:"params"`
		Seed   uint64         `json:"seed"`
	}
	merges := []struct {
		method string
		c      []float64
		params map[string]any
	}{
		{"task_arithmetic", []float64{0.3, -0.7, 1.1}, map[string]any{"lambda": 0.9}},
		{"task_arithmetic", []float64{0, 0, 0}, map[string]any{}},
		{"task_arithmetic", []float64{0, 1, 0}, map[string]any{}},
		{"linear", []float64{0.3, 0, 1.1}, map[string]any{}},
		{"ties", []float64{0.3, -0.7, 1.1}, map[string]any{"lambda": 0.9, "density": 0.3}},
		{"ties", []float64{0.3, 0.3, 0.4}, map[string]any{"density": 0.5, "normalize": true}},
		{"dare_linear", []float64{0.3, -0.7, 1.1}, map[string]any{"density": 0.3}},
		{"dare_ties", []float64{0.3, 0.7, 1.1}, map[string]any{"density": 0.8}},
		{"della", []float64{0.3, 0.7, 1.1}, map[string]any{"density": 0.5, "epsilon": 0.2}},
		{"della_linear", []float64{0.3, 0, 1.1}, map[string]any{"density": 0.5, "epsilon": 0.1}},
		{"breadcrumbs", []float64{0.3, 0.7, 1.1}, map[string]any{"density": 0.5, "gamma": 0.1}},
		{"breadcrumbs_ties", []float64{0.3, -0.7, 1.1}, map[string]any{"density": 0.9, "gamma": 0.05}},
	}
	root := t.TempDir()
	var checks []check
	for _, d := range []safetensors.DType{safetensors.BF16, safetensors.F16, safetensors.F32, safetensors.F64} {
		base, models := family(t, 21, d, 3)
		for i, m := range merges {
			for _, out := range []DType{AsBase, BF16, F16} {
				c := check{
					Base: base, Out: filepath.Join(root, fmt.Sprintf("%s-%d-%s", d, i, out)), Method: m.method, C: m.c, Seed: 12345,
					Params: map[string]any{},
				}
				at, fixed := map[string]float64{}, map[string]any{}
				for k, v := range m.params {
					c.Params[k] = v
					if x, ok := v.(float64); ok {
						at[k] = x
					} else {
						fixed[k] = v
					}
				}
				for k, s := range models {
					c.Models = append(c.Models, [2]string{s.Name, s.Path})
					at[s.Name] = m.c[k]
				}
				spec := Spec{Base: base, Models: models, Method: m.method, Params: fixed, DType: out, Seed: c.Seed}
				_, err := plan(t, spec).Write(t.Context(), []Output{{at, c.Out}}, WriteOptions{}, nil)
				must(t, err)
				checks = append(checks, c)
			}
		}
	}
	data, err := json.Marshal(checks)
	must(t, err)
	file := filepath.Join(root, "cases.json")
	must(t, os.WriteFile(file, data, 0o644))
	said, err := exec.Command(python, filepath.Join("testdata", "recompute.py"), file).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	t.Logf("%s", said)
}
