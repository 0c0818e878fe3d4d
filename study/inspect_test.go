package study

import (
	"path/filepath"
	"testing"

	"parfait/merge"
)

func TestInspectionIsKeptUntilTheModelsChange(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "i.study")
	if err := Demo(t.Context(), dir, DemoOptions{Tasks: 2, Budget: 6, Seed: 1}); err != nil {
		t.Fatal(err)
	}
	s := open(t, dir)
	if got, err := s.Inspect(t.Context(), true, nil); got != nil || err != nil {
		t.Fatalf("before anything was read: %v, %v", got, err)
	}
	first, err := s.Inspect(t.Context(), false, nil)
	if err != nil || len(first.Models) != 2 || first.Total.Elements == 0 {
		t.Fatalf("%+v, %v", first, err)
	}
	read := false
	again, err := s.Inspect(t.Context(), false, func(merge.Progress) { read = true })
	if err != nil || read || again.Total.Norms[0] != first.Total.Norms[0] {
		t.Errorf("the models were read again: %v, %v", read, err)
	}
	if got, err := s.Inspect(t.Context(), true, nil); got == nil || err != nil {
		t.Errorf("what was found is not kept: %v", err)
	}
}
