package merge

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"parfait/merge/safetensors"
)

// speaking is a model whose rows are tokens, with the tokenizer that says so. added come after the others.
func speaking(t *testing.T, r *rand.Rand, dir string, rows int64, tokens []string, added ...string) (string, model) {
	t.Helper()
	f := safetensors.F32
	m := model{"model.embed_tokens.weight": drawn(r, f, 1, rows, 3), "lm_head.weight": drawn(r, f, 1, rows, 3), "model.norm.weight": drawn(r, f, 1, 3)}
	m.write(t, dir)
	vocab := map[string]int{}
	for i, token := range tokens {
		vocab[token] = i
	}
	list := []map[string]any{}
	for i, token := range added {
		list = append(list, map[string]any{"id": len(tokens) + i, "content": token, "special": true})
	}
	text, err := json.Marshal(map[string]any{"version": "1.0", "added_tokens": list, "model": map[string]any{"type": "BPE", "vocab": vocab}})
	must(t, err)
	must(t, os.WriteFile(filepath.Join(dir, tokenizerFile), text, 0o644))
	return configured(t, dir, fmt.Sprintf(`{"architectures": ["XForCausalLM"], "vocab_size": %d, "tie_word_embeddings": false, "eos_token_id": %d}`, rows, rows-1)), m
}

func row(v values, i int) []float64 { return v.data[3*i : 3*i+3] }

// Rows go by their token: what a model lacks is the base's, and what the base lacks the mean of those that have it.
func TestTokens(t *testing.T) {
	r := rand.New(rand.NewPCG(12, 12))
	root := t.TempDir()
	base, b := speaking(t, r, filepath.Join(root, "base"), 6, []string{"a", "b", "c"}, "<s>") // two rows are no token
	x, mx := speaking(t, r, filepath.Join(root, "x"), 4, []string{"c", "a"}, "<s>", "<im>")
	y, my := speaking(t, r, filepath.Join(root, "y"), 5, []string{"b", "a", "c"}, "<im>", "<y>")
	spec := Spec{Method: "task_arithmetic", Base: base, Models: []Source{{"x", x}, {"y", y}}}
	at := map[string]float64{"x": 0.5, "y": 0.25}
	const e = "model.embed_tokens.weight"
	mean := func(p, q []float64) []float64 {
		out := make([]float64, 3)
		for i := range out {
			out[i] = (p[i] + q[i]) / 2
		}
		return out
	}
	sum := func(base, x, y []float64) []float64 { // nil: the base
		out := slices.Clone(base)
		for i := range out {
			for w, v := range map[float64][]float64{0.5: x, 0.25: y} {
				if v != nil {
					out[i] += w * (v[i] - base[i])
				}
			}
		}
		return out
	}
	im := mean(row(mx[e], 3), row(my[e], 3))
	want := map[string][][]float64{
		"base": {
			sum(row(b[e], 0), row(mx[e], 1), row(my[e], 1)), sum(row(b[e], 1), nil, row(my[e], 0)), sum(row(b[e], 2), row(mx[e], 0), row(my[e], 2)),
			sum(row(b[e], 3), row(mx[e], 2), nil), row(b[e], 4), row(b[e], 5),
		},
		"y": {
			sum(row(b[e], 1), nil, row(my[e], 0)), sum(row(b[e], 0), row(mx[e], 1), row(my[e], 1)), sum(row(b[e], 2), row(mx[e], 0), row(my[e], 2)),
			sum(im, row(mx[e], 3), row(my[e], 3)), row(my[e], 4),
		},
	}
	want[TokenizerUnion] = append(slices.Clone(want["base"][:4]), want["y"][3], row(my[e], 4))
	for tokenizer, rows := range want {
		s := spec
		s.Tokenizer = tokenizer
		p := plan(t, s)
		for _, w := range p.Warnings() {
			if strings.Contains(w.What, templateWords) {
				t.Errorf("%s: a template that nobody has: %v", tokenizer, w)
			}
		}
		target := filepath.Join(t.TempDir(), "out")
		if _, err := p.Export(t.Context(), at, target, ExportOptions{}, nil); err != nil {
			t.Fatal(err)
		}
		got := read(t, target)[e]
		if got.shape[0] != int64(len(rows)) {
			t.Fatalf("%s: %d rows, want %d", tokenizer, got.shape[0], len(rows))
		}
		for i := range rows {
			for k := range 3 {
				if math.Abs(row(got, i)[k]-rows[i][k]) > 1e-6 {
					t.Errorf("%s: row %d is %v, want %v", tokenizer, i, row(got, i), rows[i])
					break
				}
			}
		}
		if n := configOf(t, target)["vocab_size"]; n != float64(len(rows)) {
			t.Errorf("%s: vocab_size is %v, want %d", tokenizer, n, len(rows))
		}
		v, err := readVocabulary(target)
		must(t, err)
		if want := map[string]int{"base": 3, "y": 4, TokenizerUnion: 5}[tokenizer]; len(v.tokens)-1 != want {
			t.Errorf("%s: the tokenizer has the tokens %q", tokenizer, v.tokens)
		}
		if tokenizer == "y" && configOf(t, target)["eos_token_id"] != 4.0 {
			t.Error("the end of a text is not y's")
		}
		again, err := Verify(t.Context(), target, VerifyOptions{Recompute: true}, nil)
		if err != nil || !again.Recomputed || len(again.Problems) > 0 {
			t.Errorf("%s: not made again: %v %v", tokenizer, err, again.Problems)
		}
	}
	if got := one(t, spec.with(TokenizerUnion), at)["model.norm.weight"]; len(got.data) != 3 {
		t.Errorf("the norm is %v", got)
	}
}

func (s Spec) with(tokenizer string) Spec {
	s.Tokenizer = tokenizer
	return s
}

// Rows that are added are the mean of the others.
func TestPaddedVocabulary(t *testing.T) {
	r := rand.New(rand.NewPCG(16, 16))
	base, m := speaking(t, r, filepath.Join(t.TempDir(), "base"), 4, []string{"a", "b", "c"}, "<s>")
	s := Spec{Method: "linear", Models: []Source{{"x", base}}, Tokenizer: "x", PadVocab: 3}
	got := one(t, s, map[string]float64{"x": 1})["lm_head.weight"]
	if got.shape[0] != 6 {
		t.Fatalf("%d rows, want 6", got.shape[0])
	}
	for k := range 3 {
		mean := 0.0
		for i := range 4 {
			mean += row(m["lm_head.weight"], i)[k] / 4
		}
		if math.Abs(row(got, 5)[k]-mean) > 1e-6 || row(got, 3)[k] != row(m["lm_head.weight"], 3)[k] {
			t.Errorf("the rows are %v, want the mean %g in column %d of the last two", got.data, mean, k)
		}
	}
}

// Equal tokenizers change nothing, not even how tensors are read.
func TestTokensThatAreTheSame(t *testing.T) {
	r := rand.New(rand.NewPCG(13, 13))
	root := t.TempDir()
	base, _ := speaking(t, r, filepath.Join(root, "base"), 6, []string{"a", "b", "c"}, "<s>")
	x, _ := speaking(t, r, filepath.Join(root, "x"), 6, []string{"a", "b", "c"}, "<s>")
	spec := Spec{Method: "ties", Base: base, Models: []Source{{"x", x}}}
	at := withWeights(t, spec, 0.5)
	sameBits(t, "union", one(t, spec.with(TokenizerUnion), at), one(t, spec, at))
	for _, tensor := range plan(t, spec.with("base")).tensors {
		if tensor.models[0].rows != nil {
			t.Errorf("the rows of %s are gathered", tensor.Name)
		}
	}
}

func TestTokensThatAreRefused(t *testing.T) {
	r := rand.New(rand.NewPCG(14, 14))
	root := t.TempDir()
	base, _ := speaking(t, r, filepath.Join(root, "base"), 4, []string{"a", "b", "c"}, "<s>")
	x, _ := speaking(t, r, filepath.Join(root, "x"), 4, []string{"b", "a", "c"}, "<s>")
	silent, _ := speaking(t, r, filepath.Join(root, "silent"), 4, []string{"a"})
	must(t, os.Remove(filepath.Join(silent, tokenizerFile)))
	torn, _ := speaking(t, r, filepath.Join(root, "torn"), 4, []string{"a"})
	must(t, os.WriteFile(filepath.Join(torn, tokenizerFile), []byte(`{"model": 3`), 0o644))
	beyond, _ := speaking(t, r, filepath.Join(root, "beyond"), 4, []string{"a"})
	must(t, os.WriteFile(filepath.Join(beyond, tokenizerFile), []byte(`{"model": {"vocab": {"a": -1}}, "added_tokens": []}`), 0o644))
	for want, s := range map[string]Spec{
		`the token "a" has the number -1`: {Base: base, Models: []Source{{"x", beyond}}, Tokenizer: "base"},
		"no " + tokenizerFile:             {Base: base, Models: []Source{{"x", silent}}, Tokenizer: "x"},
		"not what tokenizers write":       {Base: base, Models: []Source{{"x", torn}}, Tokenizer: "base"},
		`unknown value "z"`:               {Base: base, Models: []Source{{"x", x}}, Tokenizer: "z"},
		"says already which rows":         {Base: base, Models: []Source{{"x", x}}, Tokenizer: "x", Vocab: VocabPad},
	} {
		s.Method = "task_arithmetic"
		if _, err := NewPlan(t.Context(), s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error is %v, want %q in it", err, want)
		}
	}
	s := Spec{Method: "task_arithmetic", Base: silent, Models: []Source{{"x", x}}, Tokenizer: "base"}
	if p := plan(t, s); !strings.Contains(fmt.Sprint(p.Warnings()), "rows go by their number") {
		t.Errorf("nobody says that rows go by their number: %v", p.Warnings())
	}
}

// The chat template of the output: one that is known by its name, a file, or what most models have.
func TestChatTemplate(t *testing.T) {
	r := rand.New(rand.NewPCG(15, 15))
	root := t.TempDir()
	var models []Source
	for i, text := range []string{"", "one", "two", "two"} {
		name := string(rune('a' + i))
		dir, _ := speaking(t, r, filepath.Join(root, name), 4, []string{"a", "b", "c"}, "<s>")
		if text != "" {
			must(t, os.WriteFile(filepath.Join(dir, tokenizerConfigFile), []byte(`{"x": 1, "chat_template": "`+text+`"}`), 0o644))
		}
		models = append(models, Source{name, dir})
	}
	file := filepath.Join(root, "mine.jinja")
	must(t, os.WriteFile(file, []byte("mine"), 0o644))
	for name, want := range map[string]string{"auto": "two", "chatml": "<|im_start|>", file: "mine"} {
		p := plan(t, Spec{Method: "task_arithmetic", Base: models[1].Path, Models: models, ChatTemplate: name})
		target := filepath.Join(t.TempDir(), "out")
		write(t, p, map[string]float64{"a": 0, "b": 0, "c": 0, "d": 0}, target)
		text, err := os.ReadFile(filepath.Join(target, templateFile))
		must(t, err)
		config, err := os.ReadFile(filepath.Join(target, tokenizerConfigFile))
		must(t, err)
		var c struct {
			Template string `json:"chat_template"`
		}
		must(t, json.Unmarshal(config, &c))
		if !strings.Contains(string(text), want) || c.Template != string(text) {
			t.Errorf("%s: the template is %q, and %q in the configuration; want %q", name, text, c.Template, want)
		}
	}
	_, err := NewPlan(t.Context(), Spec{Method: "task_arithmetic", Base: models[1].Path, Models: models, ChatTemplate: "chatmm"})
	if err == nil || !strings.Contains(err.Error(), "alpaca, chatml") {
		t.Errorf("the error is %v", err)
	}
}

// What belongs to a model in folders beside its weights goes with it.
func TestFilesInFolders(t *testing.T) {
	r := rand.New(rand.NewPCG(18, 18))
	root := t.TempDir()
	dir, _ := speaking(t, r, filepath.Join(root, "m"), 4, []string{"a", "b", "c"}, "<s>")
	want := []string{"additional_chat_templates/tools.jinja", "1_Pooling/config.json", "2_Dense/model.safetensors", "code/deep/layers.py", "model_x.py", "modules.json", "source.spm", "USE_POLICY.md"}
	others := []string{"runs/events.json", "checkpoint-5/config.json", "additional_chat_templates/notes.txt", "1_Pooling/log.bin"}
	for _, name := range append(slices.Clone(want), others...) {
		must(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755))
		text := "x = 1"
		if name == "modules.json" {
			text = `[{"path": ""}, {"path": "1_Pooling"}, {"path": "2_Dense"}, {"path": "../.."}]`
		}
		must(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644))
	}
	target := filepath.Join(root, "out")
	_, err := plan(t, Spec{Method: "linear", Models: []Source{{"x", dir}}}).Export(t.Context(), map[string]float64{"x": 1}, target, ExportOptions{}, nil)
	must(t, err)
	for _, name := range want {
		if _, err := os.Stat(filepath.Join(target, name)); err != nil {
			t.Errorf("it has no %s", name)
		}
	}
	for _, name := range others {
		if _, err := os.Stat(filepath.Join(target, name)); err == nil {
			t.Errorf("it has %s", name)
		}
	}
	v, err := Verify(t.Context(), target, VerifyOptions{Recompute: true}, nil)
	if err != nil || len(v.Problems) > 0 {
		t.Errorf("it is not what its receipt says: %v %v", err, v.Problems)
	}
}
