package study

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"testing"

	"parfait/evaluator"
	"parfait/merge/safetensors"
)

// demo makes and runs the embedded study.
func demo(t *testing.T, o DemoOptions, run RunOptions) *Study {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "digits.study")
	if err := Demo(t.Context(), dir, o); err != nil {
		t.Fatal(err)
	}
	s := open(t, dir)
	if err := s.Run(t.Context(), run); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestTheWholeLoopOnDigits(t *testing.T) {
	s := demo(t, DemoOptions{Tasks: 3, Budget: 30, Seed: 1}, RunOptions{Workers: 2})
	snap := load(t, s)
	a := snap.Analysis
	if len(snap.Trials) != 30 || a == nil {
		t.Fatalf("%d trials, analysis %v", len(snap.Trials), a)
	}
	for _, f := range a.Fits[:3] {
		if f.Trust.Q2 < 0.8 {
			t.Errorf("%s: Q² %.3f", f.Task, f.Trust.Q2)
		}
	}
	if len(a.Front) < 20 {
		t.Errorf("the predicted front has %d points", len(a.Front))
	}
	if left, err := os.ReadDir(filepath.Join(s.Dir(), "candidates")); err == nil && len(left) > 0 {
		t.Errorf("candidates left behind: %v", left)
	}
	knee := a.Front[a.Knee]
	out := filepath.Join(t.TempDir(), "out")
	e, err := s.Export(t.Context(), ExportRequest{X: knee.X, Out: out, Verify: true, Why: "the knee"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, split := range []evaluator.Split{evaluator.Validation, evaluator.Test} {
		if len(e.Measured[split]) != 4 {
			t.Errorf("measured on %s: %v, want four tasks", split, e.Measured[split])
		}
	}
	for i, task := range snap.Tasks {
		m := e.Measured[evaluator.Validation][task.Name]
		if p := knee.Predicted[i]; math.Abs(m.Value-p.Value) > 0.1 {
			t.Errorf("%s: predicted %.3f, measured %.3f", task.Name, p.Value, m.Value)
		}
	}
	recompute(t, s, knee.X, out)
	b, err := os.ReadFile(filepath.Join(out, "receipt.json"))
	if err != nil {
		t.Fatal(err)
	}
	var r studyReceipt
	if err := json.Unmarshal(b, &r); err != nil || len(r.Measured) != 2 || len(r.Outputs) == 0 || r.Why != "the knee" {
		t.Errorf("receipt: %v\n%s", err, b)
	}
	if _, err := s.Export(t.Context(), ExportRequest{X: knee.X, Out: out}, nil); err == nil {
		t.Error("an export overwrote another")
	}
	if c, err := s.PlanExport(ExportRequest{X: knee.X, Out: out}); err != nil || len(c.Problems) == 0 {
		t.Errorf("the plan of an export over another: %+v, %v", c, err)
	}
}

// recompute merges with plain loops (METHODS: w = f32(λ·c); a = f32(a + f32(w·f32(θᵢ − θ₀))); out = RNE
// bf16 of f32(θ₀ + a)) and compares every bit.
func recompute(t *testing.T, s *Study, x []float64, out string) {
	t.Helper()
	read := func(dir string) map[string][]byte {
		set, err := safetensors.OpenFolder(dir)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = set.Close() }()
		m := map[string][]byte{}
		for _, name := range set.Names() {
			file, tensor, _ := set.Lookup(name)
			b := make([]byte, tensor.Size)
			if _, err := file.ReadAt(b, tensor.Offset); err != nil {
				t.Fatal(err)
			}
			m[name] = b
		}
		return m
	}
	at := func(b []byte, i int) float32 {
		return math.Float32frombits(uint32(b[2*i])<<16 | uint32(b[2*i+1])<<24)
	}
	base, got := read(filepath.Join(s.Dir(), "models", "base")), read(out)
	var models []map[string][]byte
	for _, m := range s.spec().Models {
		models = append(models, read(filepath.Join(s.Dir(), m.Path)))
	}
	if len(got) != len(base) {
		t.Fatalf("%d tensors, the base has %d", len(got), len(base))
	}
	for name, b := range base {
		for i := range len(b) / 2 {
			var acc float32
			for k, m := range models {
				d := at(m[name], i) - at(b, i)
				p := float32(x[k]) * d
				acc += p
			}
			sum := at(b, i) + acc
			bits := math.Float32bits(sum)
			want := uint16((bits + 0x7fff + bits>>16&1) >> 16)
			if have := uint16(got[name][2*i]) | uint16(got[name][2*i+1])<<8; have != want {
				t.Fatalf("%s[%d]: %04x, recomputed %04x", name, i, have, want)
			}
		}
	}
}

func TestDemoIsTheSameForAnyNumberOfWorkers(t *testing.T) {
	var want []string
	for _, workers := range []int{1, 2} {
		got := facts(load(t, demo(t, DemoOptions{Tasks: 2, Budget: 18, Seed: 5}, RunOptions{Workers: workers})))
		if want == nil {
			want = got
		}
		for i := range want {
			if got[i] != want[i] {
				t.Errorf("%d workers: trial %d\n%s\nwant\n%s", workers, i+1, got[i], want[i])
			}
		}
	}
}

func TestDemoRefusesAFolderOfSomethingElse(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "thesis.tex"), []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := Demo(t.Context(), dir, DemoOptions{Tasks: 2, Budget: 10, Seed: 1}); CodeOf(err) != CodeExists {
		t.Error(err)
	}
	for _, tasks := range []int{-1, 0, 1, 99} {
		if err := Demo(t.Context(), t.TempDir(), DemoOptions{Tasks: tasks, Budget: 10}); CodeOf(err) != CodeInput {
			t.Errorf("%d tasks: %v", tasks, err)
		}
	}
}

func TestModelsThatChangedAreRefused(t *testing.T) {
	s := demo(t, DemoOptions{Tasks: 2, Budget: 8, Seed: 2}, RunOptions{})
	snap := load(t, s)
	models := filepath.Join(s.Dir(), "models")
	swap := filepath.Join(models, snap.Spec.Models[0].Name, "model.safetensors")
	b, err := os.ReadFile(swap)
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)-2] ^= 1
	if err := os.WriteFile(swap, b, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := s.Do(Command{Kind: CommandBudget, N: 12}); err != nil {
		t.Fatal(err)
	}
	if err := s.Run(t.Context(), RunOptions{}); CodeOf(err) != CodeChanged {
		t.Errorf("run: %v", err)
	}
	if _, err := s.Export(t.Context(), ExportRequest{X: snap.Trials[0].X, Out: filepath.Join(t.TempDir(), "o")}, nil); CodeOf(err) != CodeChanged {
		t.Errorf("export: %v", err)
	}
}
