package merge

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"parfait/merge/codes"
	"parfait/merge/safetensors"
)

// configOf reads a checkpoint's config.json.
func configOf(t testing.TB, dir string) map[string]any {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, configFile))
	must(t, err)
	var c map[string]any
	must(t, json.Unmarshal(data, &c))
	return c
}

// configured puts a configuration in the place of a test model's.
func configured(t testing.TB, dir, config string) string {
	t.Helper()
	must(t, os.WriteFile(filepath.Join(dir, configFile), []byte(config), 0o644))
	return dir
}

// sameUpToRounding says whether two tensors are the same up to rounding.
func sameUpToRounding(a, b values) bool {
	return slices.Equal(a.shape, b.shape) && slices.EqualFunc(a.data, b.data, func(x, y float64) bool { return math.Abs(x-y) < 1e-6 })
}

// An adapter alone with a coefficient of 1 is what PEFT's merge_and_unload and save_pretrained write:
// tensors, their names, and whether the configuration says that the head is tied.
func TestAdaptersAsPEFT(t *testing.T) {
	cases, err := os.ReadDir("testdata/peft")
	must(t, err)
	n := 0
	for _, c := range cases {
		if !c.IsDir() {
			continue
		}
		n++
		t.Run(c.Name(), func(t *testing.T) {
			dir := filepath.Join("testdata/peft", c.Name())
			spec := Spec{Base: dir + "/base", Models: []Source{{"x", dir + "/adapter"}}, Method: "task_arithmetic"}
			target := filepath.Join(t.TempDir(), "out")
			p := plan(t, spec)
			if _, err := p.Export(t.Context(), map[string]float64{"x": 1}, target, ExportOptions{}, nil); err != nil {
				t.Fatal(err)
			}
			got, want := read(t, target), read(t, dir+"/merged")
			if a, b := sortedKeys(got), sortedKeys(want); !slices.Equal(a, b) {
				t.Fatalf("the output has the tensors %v, PEFT's %v", a, b)
			}
			for name, v := range want {
				if !sameUpToRounding(got[name], v) {
					t.Errorf("%s is %v, PEFT's %v", name, got[name].data, v.data)
				}
			}
			if a, b := configOf(t, target)[tieKey], configOf(t, dir+"/merged")[tieKey]; a != b {
				t.Errorf("%s is %v, PEFT's %v", tieKey, a, b)
			}
			v, err := Verify(t.Context(), target, VerifyOptions{Recompute: true}, nil)
			if err != nil || len(v.Problems) > 0 {
				t.Errorf("the export is not what its recipe gives: %v %v", err, v.Problems)
			}
		})
	}
	if n < 14 {
		t.Fatalf("%d cases, want 14", n)
	}
}

func TestTwoLoRAsOnOneTensor(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	f := safetensors.F32
	root := t.TempDir()
	base := configured(t, model{"model.embed_tokens.weight": drawn(r, f, 1, 5, 3)}.write(t, filepath.Join(root, "base")), `{"architectures": ["LlamaForCausalLM"], "tie_word_embeddings": true}`)
	p := "base_model.model."
	x := writeAdapter(t, filepath.Join(root, "x"), loraConfig(nil), model{
		p + "lm_head.lora_A.weight": drawn(r, f, 1, 2, 3), p + "lm_head.lora_B.weight": drawn(r, f, 1, 5, 2),
		p + "model.embed_tokens.lora_embedding_A": drawn(r, f, 1, 2, 5), p + "model.embed_tokens.lora_embedding_B": drawn(r, f, 1, 3, 2),
	})
	_, err := NewPlan(t.Context(), Spec{Base: base, Models: []Source{{"x", x}}, Method: "task_arithmetic"})
	if got := codesOf(problemsOf(t, err)); !slices.Equal(got, []Code{codes.Tied}) {
		t.Errorf("problems %v (%v), want %v", got, err, codes.Tied)
	}
}

const (
	tiedLlama   = `{"architectures": ["LlamaForCausalLM"], "tie_word_embeddings": true}`
	untiedLlama = `{"architectures": ["LlamaForCausalLM"], "tie_word_embeddings": false}`
)

// Full checkpoints whose heads are stored here and not there.
func TestHeads(t *testing.T) {
	const embed, head = "model.embed_tokens.weight", "lm_head.weight"
	r := rand.New(rand.NewPCG(3, 3))
	f := safetensors.F32
	e, h := drawn(r, f, 1, 5, 3), drawn(r, f, 1, 5, 3)
	e2, h2 := near2(r, e, .1), near2(r, h, .1)
	for name, c := range map[string]struct {
		base, x             model
		baseConfig, xConfig string
		want                model // at a coefficient of 1
		tied                bool
		warned              []Code
	}{
		"tied base, own head": {
			model{embed: e},
			model{embed: e2, head: h2},
			tiedLlama, untiedLlama,
			model{embed: e2, head: h2},
			false,
			[]Code{codes.Tied},
		},
		"tied base, head stored twice": {
			model{embed: e},
			model{embed: e2, head: e2},
			tiedLlama, tiedLlama,
			model{embed: e2},
			true, nil,
		},
		"all stored twice": {
			model{embed: e, head: e},
			model{embed: e2, head: e2},
			tiedLlama, tiedLlama,
			model{embed: e2, head: e2},
			true, nil,
		},
		"base stored twice, model once": {
			model{embed: e, head: e},
			model{embed: e2},
			tiedLlama, tiedLlama,
			model{embed: e2, head: e2},
			true, nil,
		},
		"base stored twice, own head": {
			model{embed: e, head: e},
			model{embed: e2, head: h2},
			tiedLlama, tiedLlama,
			model{embed: e2, head: h2},
			false,
			[]Code{codes.Tied},
		},
		"all with heads, said to be tied": {
			model{embed: e, head: h},
			model{embed: e2, head: h2},
			tiedLlama, tiedLlama,
			model{embed: e2, head: h2},
			false,
			[]Code{codes.Tied},
		},
		"base with a head, tied model": {
			model{embed: e, head: h},
			model{embed: e2},
			untiedLlama, tiedLlama,
			model{embed: e2, head: e2},
			false,
			[]Code{codes.Config},
		},
		"nothing tied": {
			model{embed: e, head: h},
			model{embed: e2, head: h2},
			untiedLlama, untiedLlama,
			model{embed: e2, head: h2},
			false, nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			spec := Spec{Base: configured(t, c.base.write(t, root+"/base"), c.baseConfig), Models: []Source{{"x", configured(t, c.x.write(t, root+"/x"), c.xConfig)}}, Method: "task_arithmetic"}
			p := plan(t, spec)
			if got := codesOf(p.Warnings()); !slices.Equal(got, c.warned) {
				t.Errorf("warnings %v, want %v", p.Warnings(), c.warned)
			}
			write(t, p, map[string]float64{"x": 1}, root+"/out")
			got := read(t, root+"/out")
			if !maps.EqualFunc(got, c.want, sameUpToRounding) {
				t.Errorf("the output is %v, want %v", got, c.want)
			}
			if said := configOf(t, root+"/out")[tieKey]; said != c.tied {
				t.Errorf("%s is %v, want %v", tieKey, said, c.tied)
			}
		})
	}
}

// A head that is stored beside the embeddings that it is tied to stays equal to them, also where a method draws at
// random what it keeps, and where an adapter changes the embeddings.
func TestStoredTwiceStaysEqual(t *testing.T) {
	const embed, head = "model.embed_tokens.weight", "lm_head.weight"
	r := rand.New(rand.NewPCG(5, 5))
	f := safetensors.F32
	e := drawn(r, f, 1, 16, 8)
	e2 := near2(r, e, .1)
	root := t.TempDir()
	base := configured(t, model{embed: e, head: e}.write(t, root+"/base"), tiedLlama)
	full := configured(t, model{embed: e2, head: e2}.write(t, root+"/full"), tiedLlama)
	saved := writeAdapter(t, root+"/saved", loraConfig(nil), model{"base_model.model.model.embed_tokens.weight": e2, "base_model.model.lm_head.weight": e2})
	for _, c := range []struct{ method, path string }{{"task_arithmetic", full}, {"dare_linear", full}, {"della", full}, {"ties", full}, {"task_arithmetic", saved}, {"dare_linear", saved}} {
		p := plan(t, Spec{Base: base, Models: []Source{{"x", c.path}}, Method: c.method})
		out := filepath.Join(root, "out-"+c.method+"-"+filepath.Base(c.path))
		write(t, p, map[string]float64{"x": 1}, out)
		got := read(t, out)
		if len(got) != 2 || !slices.Equal(got[embed].data, got[head].data) {
			t.Errorf("%s of %s: %v, want the head equal to the embeddings", c.method, filepath.Base(c.path), got)
		}
		if slices.Equal(got[embed].data, e.data) {
			t.Errorf("%s of %s is the base", c.method, filepath.Base(c.path))
		}
	}
}

// write makes one output.
func write(t testing.TB, p *Plan, at map[string]float64, target string) {
	t.Helper()
	_, err := p.Write(t.Context(), []Output{{At: at, Target: target}}, WriteOptions{}, nil)
	must(t, err)
}

func TestTiesThatAreRefused(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	f := safetensors.F32
	e := drawn(r, f, 1, 5, 3)
	e2 := near2(r, e, .1)
	root := t.TempDir()
	saved := func(name, module string) string {
		return writeAdapter(t, filepath.Join(root, name), loraConfig(nil), model{"base_model.model." + module + ".weight": e2})
	}
	const t5 = `{"architectures": ["T5ForConditionalGeneration"]}`
	shared := configured(t, model{"shared.weight": e, "encoder.norm.weight": drawn(r, f, 1, 3), "decoder.norm.weight": drawn(r, f, 1, 3)}.write(t, root+"/t5"), t5)
	own := model{"shared.weight": e2, "encoder.embed_tokens.weight": e2, "decoder.embed_tokens.weight": e, "encoder.norm.weight": drawn(r, f, 1, 3), "decoder.norm.weight": drawn(r, f, 1, 3)}
	lone := filepath.Join(model{"model.embed_tokens.weight": e}.write(t, root+"/lone"), "model.safetensors")
	for name, spec := range map[string]Spec{
		"shared of encoder and decoder": {Base: shared, Models: []Source{{"x", saved("x", "shared")}}},
		"one of two that share":         {Base: shared, Models: []Source{{"x", saved("y", "encoder.embed_tokens")}}},
		"a decoder's own":               {Base: shared, Models: []Source{{"x", configured(t, own.write(t, root+"/own"), t5)}}},
		"no configuration":              {Base: lone, Models: []Source{{"x", saved("z", "model.embed_tokens")}}},
	} {
		t.Run(name, func(t *testing.T) {
			spec.Method = "task_arithmetic"
			_, err := NewPlan(t.Context(), spec)
			for _, p := range problemsOf(t, err) {
				if p.Code != codes.Tied || p.Expected == "" || p.Fix == "" {
					t.Errorf("%+v, want %s with what was expected and what to do", p, codes.Tied)
				}
			}
			if name == "no configuration" {
				return
			}
			spec.Skip = []string{"shared.weight", "lm_head.weight", "encoder.embed_tokens.weight", "decoder.embed_tokens.weight"}
			if p, err := NewPlan(t.Context(), spec); err != nil {
				t.Errorf("the way out does not help: %v", err)
			} else {
				must(t, p.Close())
			}
		})
	}
}

// A classifier has no head that could be tied, whatever its configuration says.
func TestNoHeadToTie(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 4))
	root := t.TempDir()
	e := drawn(r, safetensors.F32, 1, 5, 3)
	base := configured(t, model{"model.embed_tokens.weight": e, "score.weight": drawn(r, safetensors.F32, 1, 2, 3)}.write(t, root+"/base"), `{"architectures": ["LlamaForSequenceClassification"], "tie_word_embeddings": true}`)
	x := writeAdapter(t, root+"/x", loraConfig(nil), model{"base_model.model.model.embed_tokens.weight": near2(r, e, .1)})
	p := plan(t, Spec{Base: base, Models: []Source{{"x", x}}, Method: "task_arithmetic"})
	write(t, p, map[string]float64{"x": 1}, root+"/out")
	if got := sortedKeys(read(t, root+"/out")); len(got) != 2 || len(p.Warnings()) > 0 {
		t.Errorf("the output has %v, warnings %v", got, p.Warnings())
	}
}

// What a model of another family says of its ties is looked up once, and not for every tensor that it lacks.
func TestTiesOfAnotherFamily(t *testing.T) {
	const n = 8000
	root := t.TempDir()
	var dirs []string
	for _, family := range []string{"a", "b"} {
		m := model{"model.embed_tokens.weight": values{safetensors.F32, []int64{1}, []float64{1}}}
		for i := range n {
			m[fmt.Sprintf("model.%s%d.weight", family, i)] = values{safetensors.F32, []int64{1}, []float64{1}}
		}
		dirs = append(dirs, configured(t, m.write(t, filepath.Join(root, family)), `{"architectures": ["LlamaForCausalLM"], "tie_word_embeddings": true}`))
	}
	began := time.Now()
	_, err := NewPlan(t.Context(), Spec{Base: dirs[0], Models: []Source{{"x", dirs[1]}}, Method: "task_arithmetic"})
	if got, want := codesOf(problemsOf(t, err)), []Code{codes.ExtraTensor, codes.MissingTensor}; !slices.Equal(got, want) {
		t.Errorf("problems %v, want %v", got, want)
	}
	if took := time.Since(began); took > 20*time.Second { // looked up for each it is minutes
		t.Errorf("to say that %d tensors are missing took %v", n, took)
	}
}

func TestUntied(t *testing.T) {
	for config, want := range map[string]string{
		`{"a": 1, "tie_word_embeddings": true}`:                                        `{"a": 1, "tie_word_embeddings": false}`,
		`{"text_config": {"x": {"tie_word_embeddings": true}, "y": 2}, "z": Infinity}`: `{"tie_word_embeddings":false,"text_config":{"tie_word_embeddings":false,"x":{"tie_word_embeddings":true},"y":2},"z":Infinity}`,
		`{}`: `{"tie_word_embeddings":false}`,
	} {
		dir := t.TempDir()
		must(t, os.WriteFile(filepath.Join(dir, configFile), []byte(config), 0o644))
		c, err := readConfig(dir)
		must(t, err)
		squeeze := strings.NewReplacer(" ", "", "\n", "")
		if got := string(tiedAs("false", []byte(config), c)); squeeze.Replace(got) != squeeze.Replace(want) {
			t.Errorf("%s became %s, want %s", config, got, want)
		}
	}
}

// Of parts of a configuration that contradict each other the same one counts every time.
func TestConfigPartsInOrder(t *testing.T) {
	dir := configured(t, t.TempDir(), `{"llm_config": {"tie_word_embeddings": false, "quantization_config": {"quant_method": "awq"}},
		"text_config": {"tie_word_embeddings": true, "quantization_config": {"quant_method": "gptq"}}, "quantization_config": {"quant_method": "fp8"}}`)
	for range 50 {
		c, err := readConfig(dir)
		must(t, err)
		if tied, said := c.tied(); !tied || !said {
			t.Fatalf("tied %v, said %v, want what text_config says", tied, said)
		}
		if method, key := c.quantMethod(); method != "fp8" || key != "quantization_config" {
			t.Fatalf("%s by %s, want what the whole says", method, key)
		}
	}
}
