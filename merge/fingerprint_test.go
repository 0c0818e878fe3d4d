package merge

import (
	"os"
	"path/filepath"
	"testing"

	"parfait/merge/safetensors"
)

func TestFingerprintReachesTheLastByte(t *testing.T) {
	base, models := family(t, 1, safetensors.F32, 1)
	finger := func() string {
		p, err := NewPlan(t.Context(), Spec{Base: base, Models: models, Method: "task_arithmetic"})
		must(t, err)
		defer func() { must(t, p.Close()) }()
		f, err := p.Fingerprint()
		must(t, err)
		return f["base"]
	}
	before := finger()
	file := filepath.Join(base, "model.safetensors")
	b, err := os.ReadFile(file)
	must(t, err)
	b[len(b)-2] ^= 1
	must(t, os.WriteFile(file, b, 0o644))
	if finger() == before {
		t.Errorf("a file of %d bytes with another byte at its end has the same fingerprint", len(b))
	}
}
