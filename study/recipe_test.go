package study

import (
	"os"
	"path/filepath"
	"testing"

	"parfait/merge"
)

func TestRecipeAndCheckOfAnExport(t *testing.T) {
	s := demo(t, DemoOptions{Tasks: 2, Budget: 6, Seed: 3}, RunOptions{})
	x := []float64{0.4, 0.7}
	yaml, err := s.Recipe(t.Context(), x)
	if err != nil {
		t.Fatal(err)
	}
	r, err := merge.ParseRecipe("recipe.yaml", yaml)
	if err != nil {
		t.Fatalf("%v\n%s", err, yaml)
	}
	for i, name := range s.Names() {
		if r.At()[name] != x[i] {
			t.Errorf("the recipe has %s at %g, asked for %g", name, r.At()[name], x[i])
		}
	}
	if _, err := s.Recipe(t.Context(), x[:1]); CodeOf(err) != CodeInput {
		t.Errorf("one coefficient of two: %v", err)
	}
	e, err := s.Export(t.Context(), ExportRequest{X: x, Out: filepath.Join(t.TempDir(), "out")}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if problems, err := s.CheckExport(t.Context(), e, nil); err != nil || len(problems) > 0 {
		t.Errorf("a good export: %v, %v", problems, err)
	}
	file := filepath.Join(e.Out, "model.safetensors")
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)-1] ^= 1
	if err := os.WriteFile(file, b, 0o644); err != nil {
		t.Fatal(err)
	}
	if problems, err := s.CheckExport(t.Context(), e, nil); err != nil || len(problems) == 0 {
		t.Errorf("a byte was changed: %v, %v", problems, err)
	}
}
