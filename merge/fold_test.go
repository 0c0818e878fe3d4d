package merge

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"parfait/merge/codes"
	"parfait/merge/internal/glob"
	"parfait/merge/safetensors"
)

// layered is a model with some layers.
func layered(r *rand.Rand, layers int, width int64) model {
	f := safetensors.F32
	m := model{"model.norm.weight": drawn(r, f, 1, width)}
	for i := range layers {
		for _, name := range []string{"q", "k", "up"} {
			m[fmt.Sprintf("model.layers.%d.%s.weight", i, name)] = drawn(r, f, 1, width, width)
		}
	}
	return m
}

// A model of another size is said in a few lines, and the patterns that they propose are the way out.
func TestProblemsOfManyTensorsAreFolded(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	root := t.TempDir()
	base := layered(r, 12, 4).write(t, filepath.Join(root, "base"))
	deep, shallow := layered(r, 13, 4), layered(r, 2, 4)
	delete(deep, "model.layers.1.q.weight")
	for i := range 12 {
		name := fmt.Sprintf("model.layers.%d.up.weight", i)
		deep[name] = drawn(r, safetensors.F32, 1, 4, 5)
	}
	spec := Spec{Base: base, Method: "task_arithmetic", Models: []Source{{"deep", deep.write(t, filepath.Join(root, "deep"))}, {"shallow", shallow.write(t, filepath.Join(root, "shallow"))}}}
	_, err := NewPlan(t.Context(), spec)
	list := problemsOf(t, err)
	want := map[string]Code{
		"deep: model.layers.1.q.weight":               codes.MissingTensor,
		"deep: 12 tensors (model.layers.*.up.weight)": codes.Shape,
		"deep: 3 tensors (model.layers.12.*)":         codes.ExtraTensor,
		"shallow: 30 tensors (model.layers.2.*, model.layers.3.*, model.layers.4.*, model.layers.5.* and 6 more)": codes.MissingTensor,
	}
	delete(want, "deep: 12 tensors (model.layers.*.up.weight)") // layer 12 has one of these names too
	want["deep: 12 tensors (model.layers.0.up.weight, model.layers.1.up.weight, model.layers.2.up.weight, model.layers.3.up.weight and 8 more)"] = codes.Shape
	for _, p := range list {
		if want[p.Where] != p.Code {
			t.Errorf("an unexpected problem: %s %s", p.Code, p.Where)
		}
		delete(want, p.Where)
		patterns := regexp.MustCompile(`'([^']+)'`).FindAllStringSubmatch(p.Fix, -1)
		for _, pattern := range patterns {
			spec.Skip = append(spec.Skip, pattern[1])
		}
		if strings.Contains(p.Fix, skipMark) || len(patterns) == 0 {
			t.Errorf("the fix has no patterns: %s", p.Fix)
		}
	}
	for where := range want {
		t.Errorf("not said: %s", where)
	}
	if p := plan(t, spec); p.counts().Merged != 1+2*3-3 {
		t.Errorf("%d tensors are merged with the proposed skip: %v", p.counts().Merged, spec.Skip)
	}
}

func TestPatternsMatchWhatTheyStandFor(t *testing.T) {
	all := []string{"a.0.w", "a.0.v", "a.1.w", "a.1.v", "a.10.w", "b", "c*", "cd", "12", "x.0", "x.1"}
	for _, c := range []struct{ names, want string }{
		{"a.0.w a.1.w a.10.w", "a.*.w"},
		{"a.0.w a.1.w", "a.0.w a.1.w"}, // not a.10.w
		{"a.1.w a.1.v", "a.1.*"},
		{"a.0.w a.0.v a.1.w a.1.v a.10.w b", "a.*.w a.*.v b"},
		{"c* b", `c\* b`},
		{"12 b", "12 b"},
		{"x.0 x.1", "x.*"},
	} {
		names := strings.Fields(c.names)
		got := patternsOf(names, all)
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: %v, want %s", c.names, got, c.want)
		}
		for _, name := range all {
			matched := false
			for _, pattern := range got {
				g, err := glob.Compile(pattern)
				must(t, err)
				matched = matched || g.Match(name)
			}
			if matched != strings.Contains(" "+c.names+" ", " "+name+" ") {
				t.Errorf("%s: %v is wrong on %s", c.names, got, name)
			}
		}
	}
}
