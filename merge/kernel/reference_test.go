package kernel

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestNumpy has numpy and ml_dtypes, in the Python that PARFAIT_PYTHON names, compute the same sums.
func TestNumpy(t *testing.T) {
	python := os.Getenv("PARFAIT_PYTHON")
	if python == "" {
		if os.Getenv("CI") == "true" {
			t.Fatal("PARFAIT_PYTHON is not set: expected the path of a Python with numpy and ml_dtypes")
		}
		t.Skip("PARFAIT_PYTHON is not set")
	}
	type sum struct {
		Base    string    `json:"base"`
		Models  []string  `json:"models"`
		Weights []float64 `json:"weights"`
		DType   string    `json:"dtype"`
		Out     string    `json:"out"`
		File    string    `json:"file"`
	}
	dir := t.TempDir()
	put := func(name string, b []byte) string {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o644); err != nil {
			t.Fatal(err)
		}
		return name
	}
	r := rand.New(rand.NewPCG(51, 52))
	const n = 5003
	var sums []sum
	for _, in := range []Format{BF16, F16, F32, F64} {
		input := func() []byte {
			v := vectorOf(randoms(r, n, true), in)
			for i := range n { // what F16 has no room for
				if !isFinite(v.At(i)) {
					clear(v.slice(i, i+1).Data)
				}
			}
			return v.Data
		}
		base := Vector{input(), in}
		models := []Vector{{input(), in}, {input(), in}, {input(), in}}
		s := sum{DType: in.String(), Base: put(in.String()+".base", base.Data)}
		for i, m := range models {
			s.Models = append(s.Models, put(fmt.Sprintf("%v.%d", in, i), m.Data))
		}
		for _, out := range []Format{BF16, F16, F32, F64} {
			if in == F64 && out != F64 && out != F32 {
				continue // ml_dtypes and numpy round float64 through float32
			}
			for k, weights := range [][]float64{{.3, .4, .5}, {0, 1.1, -.2}, {0, 0, 0}, {1, 0, 0}} {
				s := s
				s.Weights, s.Out = weights, out.String()
				o := []Output{{Vector{make([]byte, n*out.Size()), out}, weights}}
				TaskArithmetic(o, base, models)
				s.File = put(fmt.Sprintf("%v-%v-%d", in, out, k), o[0].Data)
				sums = append(sums, s)
				WeightedSum(o, models, n)
				s.Base, s.File = "", put(s.File+"-linear", o[0].Data)
				sums = append(sums, s)
			}
		}
	}
	words := make([]uint32, 1001)
	NewRandom(7, "größe", "tensor").Words(words, 12345678901)
	var raw []byte
	for _, w := range words {
		raw = binary.LittleEndian.AppendUint32(raw, w)
	}
	description, err := json.Marshal(map[string]any{
		"sums": sums,
		"words": map[string]any{
			"seed": 7, "names": []string{"größe", "tensor"}, "start": 12345678901, "n": len(words), "file": put("words", raw),
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	put("case.json", description)
	out, err := exec.Command(python, filepath.Join("testdata", "reference.py"), dir).CombinedOutput()
	if err != nil || strings.TrimSpace(string(out)) != "ok" {
		t.Errorf("%v\n%s", err, out)
	}
}
