package mergekit

import (
	"slices"
	"testing"

	"parfait/merge"
)

// What a configuration cannot say of a recipe's files is said to whoever exports it.
func TestFilesAreNotExported(t *testing.T) {
	s := merge.Spec{Base: "them/base", Models: []merge.Source{{Name: "x", Path: "them/x"}}, Method: "task_arithmetic", Files: "x", DType: merge.BF16}
	_, warnings, err := Export(recipe(t, s, map[string]float64{"x": 1, "lambda": 1}))
	must(t, err)
	if !slices.ContainsFunc(warnings, func(p merge.Problem) bool { return p.Where == "files" }) {
		t.Errorf("warnings %v, want one that the files of x are not taken", warnings)
	}
}
