package merge

import (
	"encoding/json"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"parfait/merge/codes"
	"parfait/merge/safetensors"
)

// beside puts files into a model's folder.
func beside(t *testing.T, dir string, files map[string]string) string {
	t.Helper()
	for name, text := range files {
		must(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755))
		must(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644))
	}
	return dir
}

func readText(t *testing.T, dir, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, name))
	must(t, err)
	return string(data)
}

// An instruction-tuned model among others: its chat template, stop tokens and rotary embedding are warned of, and taken with
// files; the table of what differs has every input's value.
func TestFilesOfAModel(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 6))
	m := func() model { return model{"model.embed_tokens.weight": drawn(r, safetensors.BF16, 1, 5, 3)} }
	root := t.TempDir()
	base := beside(t, m().write(t, filepath.Join(root, "base")), map[string]string{
		"config.json":            `{"architectures": ["LlamaForCausalLM"], "torch_dtype": "float32", "tie_word_embeddings": true, "eos_token_id": 2, "max_position_embeddings": 4096, "rope_theta": 10000.0}`,
		"generation_config.json": `{"eos_token_id": 2}`, "tokenizer.json": `{}`, "base.txt": "",
	})
	math := beside(t, m().write(t, filepath.Join(root, "math")), map[string]string{
		"config.json":            `{"architectures": ["LlamaForCausalLM"], "torch_dtype": "float32", "tie_word_embeddings": true, "eos_token_id": 2, "max_position_embeddings": 4096, "rope_theta": 10000.0}`,
		"generation_config.json": `{"eos_token_id": 2}`, "tokenizer.json": `{}`,
	})
	chat := beside(t, m().write(t, filepath.Join(root, "chat")), map[string]string{
		"config.json":            `{"architectures": ["LlamaForCausalLM"], "torch_dtype": "float32", "eos_token_id": [2, 4], "max_position_embeddings": 32768, "rope_theta": 500000.0}`,
		"generation_config.json": `{"eos_token_id": [2, 4], "temperature": Infinity}`, "chat_template.jinja": "<|im_start|>", "tokenizer.json": `{}`,
	})
	spec := Spec{Base: base, Models: []Source{{"math", math}, {"chat", chat}}, Method: "task_arithmetic"}
	p := plan(t, spec)
	want := map[string][3]string{"eos_token_id": {"2", "2", "[2,4]"}, "generation_config.eos_token_id": {"2", "2", "[2,4]"}, "max_position_embeddings": {"4096", "4096", "32768"}, "rope_theta": {"10000", "10000", "500000"}}
	for _, d := range p.Summary().Differences {
		if got := [3]string{d.Values["base"], d.Values["math"], d.Values["chat"]}; got != want[d.Key] {
			t.Errorf("%s: %v, want %v", d.Key, got, want[d.Key])
		}
		delete(want, d.Key)
	}
	if len(want) > 0 {
		t.Errorf("not in the table: %v", want)
	}
	warned := []Code{codes.Config, codes.Tokenizer}
	if got := codesOf(p.Warnings()); !slices.Equal(got, warned) {
		t.Errorf("warnings %v (%v), want %v", got, p.Warnings(), warned)
	}
	for _, w := range p.Warnings() {
		if w.Where != "chat" || !strings.Contains(w.Fix, "files: chat") {
			t.Errorf("%s: the fix is %q, want files: chat", w.Where, w.Fix)
		}
	}
	export := func(spec Spec) string {
		out := filepath.Join(t.TempDir(), "out")
		_, err := plan(t, spec).Export(t.Context(), map[string]float64{"math": 0.5, "chat": 0.5}, out, ExportOptions{}, nil)
		must(t, err)
		v, err := Verify(t.Context(), out, VerifyOptions{Recompute: true}, nil)
		must(t, err)
		if len(v.Problems) > 0 || !v.Recomputed {
			t.Errorf("the export with files %q is not what its recipe gives: %v", spec.Files, v.Problems)
		}
		return out
	}
	plain := export(spec)
	if c := configOf(t, plain); c["max_position_embeddings"] != 4096.0 || c["torch_dtype"] != "bfloat16" {
		t.Errorf("configuration without files: %v; want the base's, with the dtype that is written", c)
	}
	spec.Files = "chat"
	out := export(spec)
	c := configOf(t, out)
	if c["max_position_embeddings"] != 32768.0 || c["torch_dtype"] != "bfloat16" || c[tieKey] != true || readText(t, out, "chat_template.jinja") != "<|im_start|>" || !strings.Contains(readText(t, out, generationFile), "[2, 4]") {
		t.Errorf("configuration with files: %v; want chat's, the dtype that is written, and that the head is tied", c)
	}
	text := readText(t, out, RecipeFile)
	again, err := ParseRecipe(filepath.Join(out, RecipeFile), []byte(text))
	must(t, err)
	data, err := again.JSON()
	must(t, err)
	if again.Spec().Files != "chat" || !strings.Contains(string(data), `"files":"chat"`) {
		t.Errorf("the recipe lost files:\n%s\n%s", text, data)
	}
	beside(t, math, map[string]string{"tokenizer_config.json": `{"chat_template": [{"name": "tool_use", "template": "x"}, {"name": "default", "template": "y"}]}`})
	if got := plan(t, spec).Warnings(); len(got) < 2 || got[len(got)-1].Where != "math" || !strings.Contains(got[len(got)-1].What, "its chat template differs") {
		t.Errorf("warnings %v, want that a template within tokenizer_config.json differs", got)
	}
	spec.Files = "chta"
	if _, err := NewPlan(t.Context(), spec); !errors.Is(err, Problem{Code: codes.Option}) || !strings.Contains(err.Error(), `"chat"?`) {
		t.Errorf("a model that is none: %v", err)
	}
}

// An adapter has a tokenizer and a template at most: with its files the rest is the base's.
func TestFilesOfAnAdapter(t *testing.T) {
	base, models, _ := adapted(t)
	beside(t, base, map[string]string{"tokenizer_config.json": `{"chat_template": "old"}`, "tokenizer.json": `{"a": 1}`, "special_tokens_map.json": `{}`, generationFile: `{"eos_token_id": 1}`})
	beside(t, models[1].Path, map[string]string{"tokenizer_config.json": `{}`, "tokenizer.json": `{"a": 2}`, "chat_template.jinja": "new"})
	out := filepath.Join(t.TempDir(), "out")
	_, err := plan(t, Spec{Base: base, Models: models, Method: "task_arithmetic", Files: "b"}).Export(t.Context(), map[string]float64{"a": 1, "b": 1}, out, ExportOptions{}, nil)
	must(t, err)
	if readText(t, out, "tokenizer.json") != `{"a": 2}` || readText(t, out, "chat_template.jinja") != "new" || !strings.Contains(readText(t, out, generationFile), "eos") {
		t.Error("the output has not the adapter's tokenizer and template, and the base's defaults of generation")
	}
	if _, err := os.Stat(filepath.Join(out, "special_tokens_map.json")); err == nil {
		t.Error("the output has the special tokens of the other tokenizer")
	}
	if _, err := os.Stat(filepath.Join(out, adapterConfigFile)); err == nil {
		t.Error("the output has the configuration of the adapter")
	}
	configOf(t, out)
}

// Parts of a configuration that are no language model keep their own vocabulary where the output's changes.
func TestNestedConfigurationsKeepTheirOwn(t *testing.T) {
	const config = `{"vocab_size": 7, "text_config": {"vocab_size": 7, "hidden_size": 3}, "vision_config": {"vocab_size": 49408, "torch_dtype": "float32"}, "qformer_config": {"vocab_size": 30523}, "time": [0.0, Infinity]}`
	r := rand.New(rand.NewPCG(6, 7))
	root := t.TempDir()
	base := beside(t, model{"model.embed_tokens.weight": drawn(r, safetensors.F32, 1, 7, 3)}.write(t, filepath.Join(root, "base")), map[string]string{"config.json": config})
	tuned := beside(t, model{"model.embed_tokens.weight": drawn(r, safetensors.F32, 1, 6, 3)}.write(t, filepath.Join(root, "a")), map[string]string{"config.json": config})
	out := filepath.Join(root, "out")
	_, err := plan(t, Spec{Base: base, Models: []Source{{"a", tuned}}, Method: "task_arithmetic", Vocab: VocabCrop, DType: BF16}).Export(t.Context(), map[string]float64{"a": 1}, out, ExportOptions{}, nil)
	must(t, err)
	text := readText(t, out, configFile)
	if !strings.Contains(text, "[0.0, Infinity]") {
		t.Errorf("the configuration lost its Infinity:\n%s", text)
	}
	var c struct {
		Rows int `json:"vocab_size"`
		Text struct {
			Rows int `json:"vocab_size"`
		} `json:"text_config"`
		Vision struct {
			Rows  int    `json:"vocab_size"`
			DType string `json:"torch_dtype"`
		} `json:"vision_config"`
		Former struct {
			Rows int `json:"vocab_size"`
		} `json:"qformer_config"`
	}
	must(t, json.Unmarshal(plainJSON([]byte(text)), &c))
	if c.Rows != 6 || c.Text.Rows != 6 || c.Vision.Rows != 49408 || c.Former.Rows != 30523 || c.Vision.DType != "bfloat16" {
		t.Errorf("%s\nwant 6 rows of the language model, and what the others have", text)
	}
}
