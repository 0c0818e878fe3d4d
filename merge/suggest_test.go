package merge

import (
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"parfait/merge/safetensors"
)

// The groups are the runs of layers that were moved alike, and each layer's figure is its own.
func TestSuggestGroups(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 9))
	root := t.TempDir()
	origin := model{"model.embed_tokens.weight": drawn(r, safetensors.F32, 1, 6, 4), "lm_head.0.weight": drawn(r, safetensors.F32, 1, 6, 4)}
	for i := range 12 {
		origin[fmt.Sprintf("model.layers.%d.mlp.weight", i)] = drawn(r, safetensors.F32, 1, 30, 30)
	}
	for i := range 3 {
		origin[fmt.Sprintf("vision.blocks.%d.weight", i)] = drawn(r, safetensors.F32, 1, 30, 30)
	}
	base := origin.write(t, filepath.Join(root, "base"))
	moved := func(name string, far func(layer int) float64) Source {
		m := model{}
		for k, v := range origin {
			_, n, _, _ := ofLayer(k)
			m[k] = near2(r, v, far(n))
		}
		return Source{name, m.write(t, filepath.Join(root, name))}
	}
	step := func(at int, low, high float64) func(int) float64 {
		return func(layer int) float64 {
			if layer < at {
				return low
			}
			return high
		}
	}
	suggest := func(models ...Source) Suggestion {
		in, err := Inspect(t.Context(), Spec{Base: base, Models: models}, InspectOptions{}, nil)
		must(t, err)
		return in.SuggestGroups()
	}
	for _, c := range []struct {
		models []Source
		want   string
	}{
		{[]Source{moved("late", step(8, 0.02, 0.2))}, "early model.layers.{0..7}.*, late_ model.layers.{8..11}.*, vision_blocks vision.blocks.*, rest *"},
		{[]Source{moved("a", step(3, 0.1, 0.01)), moved("b", step(9, 1, 2))}, "early model.layers.{0..2}.*, middle model.layers.{3..8}.*, late model.layers.{9..11}.*, vision_blocks vision.blocks.*, rest *"},
		{[]Source{moved("c", step(0, 0.1, 0.1))}, ""},
	} {
		s := suggest(c.models...)
		var got []string
		for _, g := range s.Groups {
			got = append(got, g.Name+" "+g.Match)
		}
		if text := strings.Join(got, ", "); text != c.want {
			t.Errorf("the groups are %s (%s), want %s", text, s.Why, c.want)
		}
		if len(s.Layers) != 15 || s.Layers[11].Layer != 11 {
			t.Errorf("the layers are %+v, want 12 and 3 in their order", s.Layers)
		}
		if len(s.Groups) > 0 { // every tensor is in one
			spec := Spec{Base: base, Models: c.models, Method: "task_arithmetic", Groups: s.Groups}
			plan(t, spec)
		}
	}
	one := moved("one", step(6, 0.02, 0.2))
	s, was := suggest(one), read(t, base)
	is := read(t, one.Path)
	for _, l := range s.Layers[:12] {
		name := fmt.Sprintf("model.layers.%d.mlp.weight", l.Layer)
		var far, whole float64
		for k, v := range was[name].data {
			far, whole = far+(is[name].data[k]-v)*(is[name].data[k]-v), whole+v*v
		}
		if want := math.Sqrt(far / whole); math.Abs(l.Relative[0]-want) > 1e-6 {
			t.Errorf("layer %d is %g from the base, want %g", l.Layer, l.Relative[0], want)
		}
	}
	none := model{"fc1.weight": drawn(r, safetensors.F32, 1, 4, 4)}
	in, err := Inspect(t.Context(), Spec{Base: none.write(t, filepath.Join(root, "flat")), Models: []Source{{"x", model{"fc1.weight": drawn(r, safetensors.F32, 1, 4, 4)}.write(t, filepath.Join(root, "x"))}}}, InspectOptions{}, nil)
	must(t, err)
	if s := in.SuggestGroups(); s.Groups != nil || s.Why != "no tensor's name has the number of a layer" {
		t.Errorf("%+v, want no groups where there are no layers", s)
	}
}

// segment is held against every way to divide a few rows.
func TestSegmentIsTheBest(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	for range 50 {
		rows := make([][]float64, 7)
		for i := range rows {
			rows[i] = []float64{r.Float64(), r.Float64()}
		}
		cost := func(part [][]float64) (sum float64) {
			for m := range 2 {
				mean := 0.0
				for _, row := range part {
					mean += row[m] / float64(len(part))
				}
				for _, row := range part {
					sum += (row[m] - mean) * (row[m] - mean)
				}
			}
			return sum
		}
		want := []float64{cost(rows), math.Inf(1), math.Inf(1)}
		for a := 1; a < 7; a++ {
			want[1] = min(want[1], cost(rows[:a])+cost(rows[a:]))
			for b := a + 1; b < 7; b++ {
				want[2] = min(want[2], cost(rows[:a])+cost(rows[a:b])+cost(rows[b:]))
			}
		}
		runs, left := segment(rows)
		if !slices.EqualFunc(left, want, func(a, b float64) bool { return math.Abs(a-b) < 1e-9 }) {
			t.Fatalf("the runs leave %v, want %v", left, want)
		}
		sum := 0.0
		for _, run := range runs {
			sum += cost(rows[run[0] : run[1]+1])
		}
		if math.Abs(sum-want[len(runs)-1]) > 1e-9 {
			t.Fatalf("the runs %v leave %g, want %g", runs, sum, want[len(runs)-1])
		}
	}
}
