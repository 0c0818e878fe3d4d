package merge

import (
	"errors"
	"math"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"parfait/merge/codes"
	"parfait/merge/safetensors"
)

func variance(x []float64) float64 {
	mean, sum := inner(x, ones(len(x)))/float64(len(x)), 0.0
	for _, v := range x {
		sum += (v - mean) * (v - mean)
	}
	return sum / float64(len(x))
}

func approx(t *testing.T, what string, got, want float64) {
	t.Helper()
	if math.Abs(got-want) > 1e-6*(1+math.Abs(want)) {
		t.Errorf("%s = %v, want %v", what, got, want)
	}
}

func TestInspectIsItsDefinition(t *testing.T) {
	base, models := awkward(t, 3, safetensors.F32, 3)
	for _, workers := range []int{1, 3} {
		got, err := Inspect(t.Context(), Spec{Base: base, Models: models}, InspectOptions{Workers: workers}, nil)
		must(t, err)
		b := read(t, base)
		for _, stats := range got.Tensors {
			name := stats.Name
			p := problemOf{base: b[name].data, round: r32}
			for _, m := range models {
				p.models = append(p.models, read(t, m.Path)[name].data)
			}
			average := make([]float64, len(p.base))
			deltas := [][]float64{p.delta(0), p.delta(1), p.delta(2)}
			conflicts := 0.0
			for e := range average {
				up, down := false, false
				for k := range p.models {
					average[e] += p.models[k][e] / 3
					up, down = up || deltas[k][e] > 0, down || deltas[k][e] < 0
				}
				if up && down {
					conflicts++
				}
			}
			mean := 0.0
			for k := range p.models {
				d := deltas[k]
				approx(t, name+" norm", stats.Norms[k], math.Sqrt(inner(d, d)))
				approx(t, name+" relative", stats.Relative[k], math.Sqrt(inner(d, d)/inner(p.base, p.base)))
				for l := range p.models {
					approx(t, name+" cosine", stats.Cosines[k][l], cosineOf(d, deltas[l]))
				}
				mean += variance(p.models[k]) / 3
			}
			approx(t, name+" conflicts", stats.Conflicts, conflicts/float64(len(average)))
			if mean > 0 {
				approx(t, name+" r", stats.VarianceRatio, variance(average)/mean)
			}
		}
		if got.Total.VarianceRatio < 0.8 || len(got.Warnings) > 0 {
			t.Errorf("r %v, warnings %v: these were fine-tuned from one base", got.Total.VarianceRatio, got.Warnings)
		}
	}
}

func TestInspectWarns(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 9))
	root := t.TempDir()
	write := func(name string, v values) string {
		return model{"model.layers.0.w": v}.write(t, filepath.Join(root, name))
	}
	f := safetensors.F32
	base := write("base", drawn(r, f, 1, 50, 40))
	bad := drawn(r, f, 1, 50, 40)
	bad.data[7] = math.NaN()
	models := []Source{{"x", write("x", drawn(r, f, 1, 50, 40))}, {"y", write("y", bad)}, {"same", base}}
	got, err := Inspect(t.Context(), Spec{Base: base, Models: models}, InspectOptions{}, nil)
	must(t, err)
	counts := map[Code]int{}
	for _, w := range got.Warnings {
		counts[w.Code]++
	}
	if counts[codes.Unrelated] != 1 || counts[codes.Far] != 2 || counts[codes.Same] != 1 || counts[codes.NotFinite] != 1 {
		t.Errorf("warnings: %v", got.Warnings)
	}
	if got.Total.NonFinite[2] != 1 || math.IsNaN(got.Total.Norms[1]) {
		t.Errorf("total: %+v", got.Total)
	}
	if r := got.Total.VarianceRatio; r < 0.3 || r > 0.4 {
		t.Errorf("r = %v of three unrelated models", r)
	}
	if len(got.Groups) != 1 || got.Groups[0].Name != "model.layers.0" {
		t.Errorf("groups: %+v", got.Groups)
	}
	_, err = Inspect(t.Context(), Spec{Base: base, Models: []Source{{"x", filepath.Join(root, "none")}}}, InspectOptions{}, nil)
	if !errors.Is(err, Problem{Code: codes.Open}) {
		t.Errorf("a missing model: %v", err)
	}
}
