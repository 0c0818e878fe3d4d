package merge

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"parfait/merge/codes"
	"parfait/merge/safetensors"
)

var adviceKey = regexp.MustCompile(`(skip: \[.*?\])(?: |$|;|,|\()|vocab: (crop)`)

// What an error says to write is YAML as it stands, and a merge with it does what it says, whatever tensors are called
// and however many there are.
func TestAdviceIsTaken(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 8))
	f := safetensors.F32
	plain := func() model {
		m := model{"model.embed_tokens.weight": drawn(r, f, 1, 7, 3), "model.norm.weight": drawn(r, f, 1, 3)}
		for l := range 3 {
			m[fmt.Sprintf("model.layers.%d.q.weight", l)] = drawn(r, f, 1, 3, 3)
		}
		return m
	}
	for name, change := range map[string]func(m model){
		"a tensor less":    func(m model) { delete(m, "model.norm.weight") },
		"a tensor more":    func(m model) { m["head's [0]*.weight"] = drawn(r, f, 1, 2) },
		"a shape":          func(m model) { m["model.layers.1.q.weight"] = drawn(r, f, 1, 3, 2) },
		"a shape and more": func(m model) { m["model.norm.weight"] = drawn(r, f, 1, 2); m["x: y"] = drawn(r, f, 1, 2) },
		"a vocabulary":     func(m model) { m["model.embed_tokens.weight"] = drawn(r, f, 1, 6, 3) },
		"many more": func(m model) {
			for i := range 90 {
				m[fmt.Sprintf("vision.%c%c.weight", 'a'+i/26, 'a'+i%26)] = drawn(r, f, 1, 2)
			}
			for i := range 25 {
				m[fmt.Sprintf("model.extra%c", 'a'+i)] = drawn(r, f, 1, 2)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			base, tuned := plain(), plain()
			change(tuned)
			root := t.TempDir()
			spec := Spec{Base: base.write(t, filepath.Join(root, "base")), Models: []Source{{"a", tuned.write(t, filepath.Join(root, "a"))}}, Method: "task_arithmetic"}
			_, err := NewPlan(t.Context(), spec)
			found := problemsOf(t, err)
			if len(found) == 0 {
				t.Fatal("nothing is wrong")
			}
			for _, p := range found {
				said := adviceKey.FindStringSubmatch(p.Fix)
				if said == nil {
					t.Fatalf("nothing to write in %q", p.Fix)
				}
				var advice struct {
					Skip  []string `yaml:"skip"`
					Vocab string   `yaml:"vocab"`
				}
				text := said[1]
				if said[2] != "" {
					text = "vocab: " + said[2]
				}
				if err := yaml.Unmarshal([]byte(text), &advice); err != nil {
					t.Fatalf("%q is not YAML: %v", text, err)
				}
				spec.Skip, spec.Vocab = append(spec.Skip, advice.Skip...), advice.Vocab
			}
			p, err := NewPlan(t.Context(), spec)
			if err != nil {
				t.Fatalf("with %v and %q: %v", spec.Skip, spec.Vocab, err)
			}
			if c := p.counts(); c.Merged < len(base)-1 {
				t.Errorf("%d tensors of %d are merged with skip %v: it takes more than was wrong", c.Merged, len(base), spec.Skip)
			}
			must(t, p.Close())
		})
	}
}

// A model of which nothing would be left is not made to fit by skipping all of it.
func TestAdviceSkipsNotEverything(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 9))
	f := safetensors.F32
	root := t.TempDir()
	base := model{"model.a.weight": drawn(r, f, 1, 3, 2), "model.b.weight": drawn(r, f, 1, 3, 2)}.write(t, filepath.Join(root, "base"))
	other := model{"unet.c.weight": drawn(r, f, 1, 4, 4), "unet.d.weight": drawn(r, f, 1, 5)}.write(t, filepath.Join(root, "other"))
	_, err := NewPlan(t.Context(), Spec{Base: base, Models: []Source{{"a", other}}, Method: "task_arithmetic"})
	for _, p := range problemsOf(t, err) {
		if p.Code == codes.MissingTensor && (strings.Contains(p.Fix, "skip") || !strings.Contains(p.Fix, "nothing would be left")) {
			t.Errorf("advice: %s", p.Fix)
		}
	}
}
