package merge

import (
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"parfait/merge/codes"
	"parfait/merge/safetensors"
)

// thick is a base and three adapters whose ranks come to more than some of its modules are wide, and what they come to with
// some coefficients, a module each.
func thick(t testing.TB) (base string, models []Source, at map[string]float64, sums map[string]*mat.Dense) {
	r := rand.New(rand.NewPCG(11, 5))
	f, root := safetensors.F32, t.TempDir()
	shapes := map[string][2]int{"model.tall": {40, 12}, "model.wide": {10, 30}, "model.thin": {40, 4}, "model.few": {20, 20}}
	m := model{}
	for name, s := range shapes {
		m[name+".weight"] = drawn(r, f, 1, int64(s[0]), int64(s[1]))
	}
	base = m.write(t, filepath.Join(root, "base"))
	at = map[string]float64{"a": 0.7, "b": -0.4, "c": 0}
	sums = map[string]*mat.Dense{}
	ranks := map[string]int{"a": 5, "b": 6, "c": 4}
	for _, name := range []string{"a", "b", "c"} {
		factors := model{}
		for module, s := range shapes {
			rank := ranks[name]
			if module == "model.few" {
				rank = 1
			}
			p := "base_model.model." + module
			A, B := drawn(r, f, 1, int64(rank), int64(s[1])), drawn(r, f, 1, int64(s[0]), int64(rank))
			factors[p+".lora_A.weight"], factors[p+".lora_B.weight"] = A, B
			if sums[module] == nil {
				sums[module] = mat.NewDense(s[0], s[1], nil)
			}
			scale := 3 / float64(rank)
			if name == "b" {
				scale = 3 / math.Sqrt(float64(rank))
			} else if module == "model.wide" {
				scale = 8 / float64(rank)
			}
			d := mat.NewDense(s[0], s[1], matmul(B, A, at[name]*scale, false))
			sums[module].Add(sums[module], d)
		}
		config := map[string]any{"r": ranks[name], "use_rslora": name == "b", "rank_pattern": map[string]any{"few": 1}}
		if name != "b" {
			config["alpha_pattern"] = map[string]any{"wide": 8.0}
		}
		models = append(models, Source{name, writeAdapter(t, filepath.Join(root, name), loraConfig(config), factors)})
	}
	return base, models, at, sums
}

// ranked is the product of a module of an adapter that was written, times the scale that its configuration gives it.
func ranked(t testing.TB, dir, module string) (product *mat.Dense, rank int) {
	t.Helper()
	files, err := safetensors.Open(filepath.Join(dir, adapterWeights))
	must(t, err)
	defer files.Close() //nolint:errcheck // read only
	get := func(name string) *mat.Dense {
		tensor, ok := files.Tensor("base_model.model." + module + name)
		if !ok {
			t.Fatalf("the adapter has no %s%s", module, name)
		}
		raw := make([]byte, tensor.Size)
		_, err := files.ReadAt(raw, tensor.Offset)
		must(t, err)
		v := make([]float64, tensor.Elements())
		decode(v, vector(raw, tensor.DType))
		return mat.NewDense(int(tensor.Shape[0]), int(tensor.Shape[1]), v)
	}
	a, b := get(".lora_A.weight"), get(".lora_B.weight")
	var config struct {
		R     int            `json:"r"`
		Alpha float64        `json:"lora_alpha"`
		Ranks map[string]int `json:"rank_pattern"`
		Alphs map[string]int `json:"alpha_pattern"`
	}
	data, err := os.ReadFile(filepath.Join(dir, adapterConfigFile))
	must(t, err)
	must(t, json.Unmarshal(data, &config))
	rank, _ = a.Dims()
	says, alpha := config.R, config.Alpha
	if n, ok := config.Ranks[module]; ok {
		says, alpha = n, float64(config.Alphs[module])
	}
	if says != rank || alpha != float64(rank) {
		t.Errorf("%s has rank %d; its configuration says %d, with alpha %v", module, rank, says, alpha)
	}
	product = new(mat.Dense)
	product.Mul(b, a)
	return product, rank
}

// What is written is the nearest product of that rank, as the singular values of the whole matrix say; the receipt has the
// true error; modules that need nothing are as they were.
func TestMaxRank(t *testing.T) {
	base, models, at, sums := thick(t)
	for _, most := range []int{1, 4, 8, 12, 14} {
		spec := Spec{Base: base, Models: models, Method: "task_arithmetic", Form: FormAdapter, MaxRank: most}
		dir := filepath.Join(t.TempDir(), "adapter")
		receipt, err := plan(t, spec).Export(t.Context(), at, dir, ExportOptions{}, nil)
		must(t, err)
		v, err := Verify(t.Context(), dir, VerifyOptions{Recompute: true}, nil)
		must(t, err)
		if len(v.Problems) > 0 || !v.Recomputed {
			t.Errorf("max_rank %d: verify: %+v", most, v.Problems)
		}
		var lost, all, worst float64
		cut := 0
		for _, module := range sortedKeys(sums) {
			got, rank := ranked(t, dir, module)
			before := 15 // the sum of the ranks
			if module == "model.few" {
				before = 3
			}
			rows, cols := sums[module].Dims()
			want := before
			if before > most {
				want = min(most, rows, cols)
				cut++
			}
			if rank != want {
				t.Errorf("max_rank %d: %s has rank %d, want %d", most, module, rank, want)
			}
			var svd mat.SVD
			svd.Factorize(sums[module], mat.SVDNone)
			values := svd.Values(nil)
			var diff mat.Dense
			diff.Sub(got, sums[module])
			rest, norm, first := 0.0, 0.0, 0.0
			for i, s := range values {
				norm += s * s
				if i >= want {
					rest += s * s
					first = max(first, s)
				}
			}
			if d := mat.Norm(&diff, 2); math.Abs(d-math.Sqrt(rest)) > 1e-5*math.Sqrt(norm) {
				t.Errorf("max_rank %d: %s differs by %v, the nearest of rank %d by %v", most, module, d, want, math.Sqrt(rest))
			}
			if before > most {
				lost, all, worst = lost+rest, all+norm, max(worst, first/values[0])
			}
		}
		c := receipt.Cut
		if cut == 0 {
			t.Fatal("no module is above the rank")
		}
		if c == nil || c.Modules != cut || c.MaxRank != most || c.Rank != 15 && most >= 3 || math.Abs(c.Frobenius-math.Sqrt(lost/all)) > 1e-6 || math.Abs(c.Spectral-worst) > 1e-6 {
			t.Errorf("max_rank %d: the receipt says %+v, want %d modules, Frobenius %v, spectral %v", most, c, cut, math.Sqrt(lost/all), worst)
		}
	}
}

// Truncation does not depend on how many workers there are, on other outputs of the pass, or on what was asked for twice; the
// dtype is what was asked for; a sum of nothing stays nothing.
func TestMaxRankIsTheSame(t *testing.T) {
	base, models, at, _ := thick(t)
	spec := Spec{Base: base, Models: models, Method: "task_arithmetic", Form: FormAdapter, MaxRank: 4, DType: BF16}
	root := t.TempDir()
	p := plan(t, spec)
	nothing := map[string]float64{"a": 0, "b": 0, "c": 0}
	path := func(name string) string { return filepath.Join(root, name) }
	written, err := p.Write(t.Context(), []Output{{nothing, path("nothing")}, {at, path("together")}}, WriteOptions{Workers: 3}, nil)
	must(t, err)
	_, err = p.Write(t.Context(), []Output{{at, path("alone")}}, WriteOptions{Workers: 1}, nil)
	must(t, err)
	bytesOf := func(name string) string {
		b, err := os.ReadFile(filepath.Join(path(name), adapterWeights))
		must(t, err)
		return string(b)
	}
	if bytesOf("together") != bytesOf("alone") {
		t.Error("an adapter that is written with another has other bytes than one that is written alone")
	}
	if c := written[0].Cut; c.Frobenius != 0 || c.Spectral != 0 {
		t.Errorf("of nothing %+v was taken away", c)
	}
	if product, _ := ranked(t, path("nothing"), "model.tall"); mat.Norm(product, 2) != 0 {
		t.Error("a sum of nothing is something")
	}
	if c := written[1].Cut; c.Frobenius <= 0 || !strings.Contains(c.String(), "from rank 15 at most to 4") {
		t.Errorf("in words: %s", c)
	}
	f, err := safetensors.Open(filepath.Join(path("alone"), adapterWeights))
	must(t, err)
	defer f.Close() //nolint:errcheck // read only
	for _, tensor := range f.Tensors() {
		if tensor.DType != safetensors.BF16 {
			t.Errorf("%s is written as %s, want BF16", tensor.Name, tensor.DType)
		}
	}
}

func TestMaxRankIsChecked(t *testing.T) {
	base, models, _, _ := thick(t)
	for _, spec := range []Spec{{MaxRank: 4}, {Form: FormAdapter, MaxRank: -1}} {
		spec.Base, spec.Models, spec.Method = base, models, "task_arithmetic"
		if _, err := NewPlan(t.Context(), spec); !errors.Is(err, Problem{Code: codes.Option}) || !strings.Contains(err.Error(), "max_rank") {
			t.Errorf("max_rank %d of the form %q: %v, want a problem of max_rank", spec.MaxRank, spec.Form, err)
		}
	}
}

// Numpy's singular values of the whole matrix are those that the receipt's error is made of.
func TestMaxRankByNumpy(t *testing.T) {
	py := os.Getenv("PARFAIT_PYTHON")
	if py == "" || exec.Command(py, "-c", "import numpy").Run() != nil {
		t.Skip("PARFAIT_PYTHON names no Python with numpy")
	}
	base, models, at, sums := thick(t)
	dir := filepath.Join(t.TempDir(), "adapter")
	spec := Spec{Base: base, Models: models, Method: "task_arithmetic", Form: FormAdapter, MaxRank: 4}
	receipt, err := plan(t, spec).Export(t.Context(), at, dir, ExportOptions{}, nil)
	must(t, err)
	whole := map[string][][]float64{}
	for name, m := range sums {
		rows, _ := m.Dims()
		for i := range rows {
			whole[name] = append(whole[name], m.RawRowView(i))
		}
	}
	in, err := json.Marshal(map[string]any{"sums": whole, "rank": 4})
	must(t, err)
	const script = `
import json, sys, numpy as np
q = json.load(sys.stdin)
lost = every = spectral = 0
for name, m in q["sums"].items():
    if name == "model.few": continue
    m = np.array(m)
    u, s, v = np.linalg.svd(m, full_matrices=False)
    k = min(q["rank"], len(s))
    d = m - (u[:, :k] * s[:k]) @ v[:k]
    lost += (d ** 2).sum(); every += (m ** 2).sum()
    spectral = max(spectral, np.linalg.norm(d, 2) / s[0])
print(json.dumps([(lost / every) ** 0.5, spectral]))
`
	cmd := exec.Command(py, "-c", script)
	cmd.Stdin, cmd.Stderr = strings.NewReader(string(in)), os.Stderr
	said, err := cmd.Output()
	must(t, err)
	var want [2]float64
	must(t, json.Unmarshal(said, &want))
	if c := receipt.Cut; math.Abs(c.Frobenius-want[0]) > 1e-9 || math.Abs(c.Spectral-want[1]) > 1e-9 {
		t.Errorf("the receipt says %v and %v, numpy %v", c.Frobenius, c.Spectral, want)
	}
}
