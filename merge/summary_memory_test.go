package merge

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"parfait/merge/safetensors"
)

// With many small tensors headers and the plan are what a merge takes; what is announced grows with them.
func TestMemoryOfManyTensors(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	announced := func(n int) int64 {
		m := model{}
		for i := range n {
			m[fmt.Sprintf("a%d.weight", i)] = drawn(r, safetensors.F32, 1, 1)
		}
		dir := m.write(t, t.TempDir())
		return plan(t, Spec{Base: dir, Models: []Source{{"x", dir}}, Method: "task_arithmetic"}).Summary().Memory
	}
	// 60,000 tensors of two inputs take 208 MB beside the program.
	if each := (announced(1100) - announced(100)) / 1000; each < 3000 || each > 6000 {
		t.Errorf("%d bytes are announced for each tensor, want 3,000 to 6,000", each)
	}
}
