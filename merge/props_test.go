package merge

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"parfait/merge/codes"
	"parfait/merge/method"
	"parfait/merge/safetensors"
)

func near3(t *testing.T, what string, got, want model, slack float64) {
	t.Helper()
	for _, name := range sortedKeys(want) {
		closeTo(t, what+": "+name, got[name].data, want[name].data, slack)
	}
}

// withWeights gives every weight coefficient of a spec a value, in order, and parameters that need one the middle of
// their range.
func withWeights(t testing.TB, s Spec, c ...float64) map[string]float64 {
	t.Helper()
	coefficients, _, err := Coefficients(s)
	must(t, err)
	at, weights := map[string]float64{}, 0
	for _, k := range coefficients {
		switch {
		case k.Param == "":
			at[k.Name] = c[weights%len(c)]
			weights++
		case k.Required:
			at[k.Name] = (k.Default[0] + k.Default[1]) / 2
		}
	}
	return at
}

// boxMethods are the methods of the registry that add task vectors, each with a coefficient of its own.
func boxMethods() []string {
	var out []string
	for _, m := range method.All() {
		if m.NeedsBase && slices.Contains(m.Domains, method.Box) && (m.Models[1] == 0 || m.Models[1] > 1) {
			out = append(out, m.Name)
		}
	}
	return out
}

func TestNoCoefficientIsTheBase(t *testing.T) {
	base, models := awkward(t, 6, safetensors.BF16, 2)
	for _, method := range boxMethods() {
		s := Spec{Base: base, Models: models, Method: method}
		sameBits(t, method, one(t, s, withWeights(t, s, 0)), read(t, base))
	}
}

// described is a method's description.
func described(name string) method.Info {
	info, _ := method.Describe(name)
	return info
}

func TestWithoutDroppingOneModelIsItself(t *testing.T) {
	base, models := awkward(t, 6, safetensors.F64, 2)
	for _, method := range boxMethods() {
		s := Spec{Base: base, Models: models, Method: method}
		at := withWeights(t, s, 1, 0)
		full := map[string]float64{"density": 1, "gamma": 0, "epsilon": 0, "mask": 0, "agree": 1}
		for _, p := range described(method).Params {
			if v, ok := full[p.Name]; ok {
				at[p.Name] = v
			}
		}
		near3(t, method, one(t, s, at), read(t, models[0].Path), 1e-12)
	}
}

func TestFullDensityDropsNothing(t *testing.T) {
	base, models := awkward(t, 6, safetensors.F32, 3)
	want := Spec{Base: base, Models: models, Method: "task_arithmetic"}
	sum := one(t, want, withWeights(t, want, 0.3, -0.2, 0.5))
	for _, method := range []string{"dare_linear", "della_linear", "breadcrumbs"} {
		s := Spec{Base: base, Models: models, Method: method}
		at := withWeights(t, s, 0.3, -0.2, 0.5)
		at["density"] = 1
		if method == "della_linear" {
			at["epsilon"] = 0
		}
		if method == "breadcrumbs" {
			at["gamma"] = 0
		}
		sameBits(t, method, one(t, s, at), sum)
	}
}

func TestOrderOfModelsHardlyMatters(t *testing.T) {
	base, models := awkward(t, 7, safetensors.F64, 3)
	c := []float64{0.31, 0.2, 0.53}
	for _, m := range method.All() {
		if m.Models[1] == 1 || m.Models[1] == 2 || m.Name == "fisher" {
			continue
		}
		at := withWeights(t, Spec{Base: base, Models: models, Method: m.Name}, c...)
		turned := []Source{models[2], models[0], models[1]}
		near3(t, m.Name, one(t, Spec{Base: base, Models: turned, Method: m.Name}, at), one(t, Spec{Base: base, Models: models, Method: m.Name}, at), 1e-12)
	}
}

func TestMergingIsLinear(t *testing.T) {
	base, models := awkward(t, 8, safetensors.F64, 2)
	for _, method := range []string{"task_arithmetic", "dare_linear", "della_linear", "breadcrumbs"} {
		s := Spec{Base: base, Models: models, Method: method}
		b := read(t, base)
		x, y := one(t, s, withWeights(t, s, 0.4, 0)), one(t, s, withWeights(t, s, 0, -0.3))
		both := one(t, s, withWeights(t, s, 0.4, -0.3))
		for _, name := range sortedKeys(b) {
			want := make([]float64, len(b[name].data))
			for e := range want {
				want[e] = x[name].data[e] + y[name].data[e] - b[name].data[e]
			}
			closeTo(t, method+": "+name, both[name].data, want, 1e-12)
		}
	}
}

func TestMasksNestAsDensityGrows(t *testing.T) {
	base, models := awkward(t, 9, safetensors.F64, 1)
	b := read(t, base)
	for _, method := range []string{"dare_linear", "ties", "della_linear"} {
		kept := map[string][]bool{}
		for _, density := range []float64{0.1, 0.3, 0.6, 0.9} {
			s := Spec{Base: base, Models: models, Method: method}
			got := one(t, s, map[string]float64{"a": 1, "density": density})
			total := 0
			for _, name := range sortedKeys(b) {
				now := make([]bool, len(b[name].data))
				for e := range now {
					if now[e] = got[name].data[e] != b[name].data[e]; now[e] {
						total++
					}
					if kept[name] != nil && kept[name][e] && !now[e] {
						t.Fatalf("%s: %s[%d] is kept at a lower density than %v and not there", method, name, e, density)
					}
				}
				kept[name] = now
			}
			if total == 0 {
				t.Errorf("%s at density %v keeps nothing", method, density)
			}
		}
	}
}

func TestEndsOfSlerp(t *testing.T) {
	_, models := awkward(t, 10, safetensors.F32, 2)
	s := Spec{Models: models, Method: "slerp"}
	near3(t, "t = 0", one(t, s, map[string]float64{"t": 0}), read(t, models[0].Path), 1e-6)
	near3(t, "t = 1", one(t, s, map[string]float64{"t": 1}), read(t, models[1].Path), 1e-6)
	same := Spec{Models: []Source{models[0], {"again", models[0].Path}}, Method: "slerp"}
	near3(t, "one model twice", one(t, same, map[string]float64{"t": 0.3}), read(t, models[0].Path), 1e-6)
	r := rand.New(rand.NewPCG(2, 2))
	zero := model{"w": {safetensors.F32, []int64{4}, make([]float64, 4)}}
	other := model{"w": drawn(r, safetensors.F32, 1, 4)}
	root := t.TempDir()
	s.Models = []Source{{"zero", zero.write(t, filepath.Join(root, "zero"))}, {"other", other.write(t, filepath.Join(root, "other"))}}
	got := one(t, s, map[string]float64{"t": 0.25})["w"].data
	for e, v := range other["w"].data {
		approx(t, "from zero", got[e], 0.25*v)
	}
}

func TestModelStockOfOneModelTwice(t *testing.T) {
	base, models := awkward(t, 11, safetensors.F64, 1)
	twice := []Source{models[0], {"again", models[0].Path}}
	near3(t, "cosine 1", one(t, Spec{Base: base, Models: twice, Method: "model_stock"}, nil), read(t, models[0].Path), 1e-12)
	far := []Source{{"x", base}, {"y", base}}
	near3(t, "no task vectors", one(t, Spec{Base: base, Models: far, Method: "model_stock"}, nil), read(t, base), 0)
}

func TestGlobalTrimIsOverTheWholeModel(t *testing.T) {
	for _, d := range []safetensors.DType{safetensors.F32, safetensors.F64} {
		base, models := awkward(t, 12, d, 2)
		s := Spec{Base: base, Models: models, Method: "ties", Params: map[string]any{"trim": "global", "density": 0.2}}
		for _, groups := range [][]Group{nil, {{"m", "m*"}, {"rest", "*"}}} {
			s.Groups = groups
			at := withWeights(t, s, 1, 0)
			got, b, x := one(t, s, at), read(t, base), read(t, models[0].Path)
			var all []float64
			order := sortedKeys(b)
			slices.SortFunc(order, compareNatural)
			for _, name := range order {
				for e := range b[name].data {
					if d == safetensors.F64 {
						all = append(all, x[name].data[e]-b[name].data[e])
					} else {
						all = append(all, r32(x[name].data[e]-b[name].data[e]))
					}
				}
			}
			kept := keepRanks(all, 0, ceilShare(0.2, len(all)))
			at0 := 0
			for _, name := range order {
				for e := range b[name].data {
					if moved := got[name].data[e] != b[name].data[e]; moved != (kept[at0] != 0 && x[name].data[e] != b[name].data[e]) {
						t.Fatalf("%v groups %v: %s[%d] moved %v, kept %v", d, len(groups), name, e, moved, kept[at0])
					}
					at0++
				}
			}
		}
	}
}

func TestVarianceCorrection(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	root := t.TempDir()
	var models []Source
	var data [][]float64
	for i := range 3 {
		m := model{"w": drawn(r, safetensors.F64, 1+float64(i), 2, method.ChunkElements/2+11)}
		name := fmt.Sprint("m", i)
		models = append(models, Source{name, m.write(t, filepath.Join(root, name))})
		data = append(data, m["w"].data)
	}
	s := Spec{Models: models, Method: "linear", VarianceCorrection: true}
	c := []float64{0.2, 0.3, 0.5}
	got := one(t, s, map[string]float64{"m0": 0.4, "m1": 0.6, "m2": 1})["w"].data
	average := make([]float64, len(got))
	want := 0.0
	for i, x := range data {
		for e, v := range x {
			average[e] += c[i] * v
		}
		want += c[i] * variance(x)
	}
	mean := inner(average, ones(len(average))) / float64(len(average))
	scale := math.Sqrt((want + 1e-6*want) / (variance(average) + 1e-6*want))
	for e := range average {
		average[e] = (average[e]-mean)*scale + mean
	}
	closeTo(t, "corrected", got, average, 1e-9)
	flat := model{"w": {safetensors.F32, []int64{3}, []float64{2, 2, 2}}}.write(t, filepath.Join(root, "flat"))
	s.Models = []Source{{"x", flat}, {"y", flat}}
	closeTo(t, "without variance", one(t, s, map[string]float64{"x": 1, "y": 1})["w"].data, []float64{2, 2, 2}, 0)
}

func TestMasks(t *testing.T) {
	root := t.TempDir()
	write := func(name string, v ...float64) Source {
		return Source{name, model{"w": {safetensors.F32, []int64{int64(len(v))}, v}}.write(t, filepath.Join(root, name))}
	}
	base := write("base", 1, 2, 3, 4).Path
	x, y, z := write("x", 0, 5, 0, 7), write("y", 0, 1, 2, 3), write("z", 0, 9, 0, 1)
	for _, c := range []struct {
		way    Masks
		models []Source
		want   []float64
	}{
		{MasksUnion, []Source{x, y}, []float64{0, 3, 1, 5}},
		{MasksIntersect, []Source{x, y}, []float64{0, 3, 0, 5}},
		{MasksPreserve, []Source{x, z}, []float64{0, 7, 0, 4}},
	} {
		s := Spec{Base: base, Models: c.models, Method: "task_arithmetic", Masks: c.way}
		dir := filepath.Join(t.TempDir(), "out")
		receipt, err := plan(t, s).Export(t.Context(), withWeights(t, s, 0.5), dir, ExportOptions{}, nil)
		must(t, err)
		closeTo(t, c.way, read(t, dir)["w"].data, c.want, 1e-6)
		zeros := int64(0)
		for _, v := range c.want {
			if v == 0 {
				zeros++
			}
		}
		if s := receipt.Sparsity; s == nil || s.After != zeros || s.Before["x"] != 2 || s.Elements != 4 {
			t.Errorf("%s: sparsity %+v", c.way, s)
		}
	}
	s := Spec{Base: base, Models: []Source{x, y}, Method: "linear", Masks: MasksPreserve}
	_, err := plan(t, s).Write(t.Context(), []Output{{withWeights(t, s, 0.5), filepath.Join(t.TempDir(), "out")}}, WriteOptions{}, nil)
	if !errors.Is(err, Problem{Code: codes.MasksDiffer}) || !strings.Contains(err.Error(), "w[2]: it is zero in x and not in y") {
		t.Errorf("masks that differ: %v", err)
	}
}

func TestFisher(t *testing.T) {
	root := t.TempDir()
	write := func(name string, d safetensors.DType, v ...float64) string {
		return model{"w": {d, []int64{int64(len(v))}, v}}.write(t, filepath.Join(root, name))
	}
	f := safetensors.F32
	x, y := write("x", f, 1, 2, 3, 4), write("y", f, 5, 6, 7, 8)
	fx, fy := []float64{3, 0, 4, 0}, []float64{0, 0, 1, 0}
	spec := Spec{
		Models: []Source{{"x", x}, {"y", y}}, Method: "fisher",
		Params: map[string]any{"fisher": map[string]any{"x": write("fx", f, fx...), "y": write("fy", safetensors.F64, fy...)}},
	}
	dir := filepath.Join(t.TempDir(), "out")
	at := map[string]float64{"x": 0.25, "y": 0.75}
	receipt, err := plan(t, spec).Export(t.Context(), at, dir, ExportOptions{}, nil)
	must(t, err)
	floorX, floorY := 1e-6*(7.0/5/4), 1e-6*(1.0/4)
	nx, ny := []float64{3. / 5, floorX, 4. / 5, floorX}, []float64{floorY, floorY, 1, floorY}
	want := make([]float64, 4)
	for e := range want {
		a, b := read(t, x)["w"].data[e], read(t, y)["w"].data[e]
		want[e] = (0.25*nx[e]*a + 0.75*ny[e]*b) / (0.25*nx[e] + 0.75*ny[e])
		if e == 1 || e == 3 {
			want[e] = 0.25*a + 0.75*b
		}
	}
	closeTo(t, "fisher", read(t, dir)["w"].data, want, 1e-6)
	if len(receipt.Notes) != 1 || !strings.Contains(receipt.Notes[0], "2 entries") {
		t.Errorf("notes: %v", receipt.Notes)
	}
	v, err := Verify(t.Context(), dir, VerifyOptions{Recompute: true}, nil)
	must(t, err)
	if len(v.Problems) > 0 {
		t.Errorf("verify: %v", v.Problems)
	}
	spec.Params = map[string]any{"fisher": map[string]any{"x": write("neg", f, 1, 1, -2, 1), "y": write("fy2", f, fy...)}}
	_, err = plan(t, spec).Write(t.Context(), []Output{{at, filepath.Join(t.TempDir(), "out")}}, WriteOptions{}, nil)
	if !errors.Is(err, Problem{Code: codes.Fisher}) || !strings.Contains(err.Error(), "w[2]") {
		t.Errorf("negative information: %v", err)
	}
	spec.Params = map[string]any{"fisher": map[string]any{"x": write("half", safetensors.BF16, fx...), "y": write("short", f, 1)}}
	_, err = NewPlan(t.Context(), spec)
	if got := codesOf(problemsOf(t, err)); !slices.Equal(got, []Code{codes.DType, codes.Shape}) {
		t.Errorf("problems %v", got)
	}
}
