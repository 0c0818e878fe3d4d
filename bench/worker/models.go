package main

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"

	"parfait/merge/safetensors"
)

// shape is that of a Llama, as its config.json has it.
type shape struct {
	hidden, inner, layers, heads, vocabulary int64
}

// shapeOf is a shape of about so many bytes in bf16.
func shapeOf(bytes int64) shape {
	s := shape{hidden: 768, inner: 2048, heads: 12, vocabulary: 4096, layers: 1}
	for s.bytes() < bytes {
		s.layers++
	}
	return s
}

func (s shape) tensors() []safetensors.Tensor {
	var list []safetensors.Tensor
	add := func(name string, shape ...int64) {
		list = append(list, safetensors.Tensor{Name: name, DType: safetensors.BF16, Shape: shape})
	}
	add("model.embed_tokens.weight", s.vocabulary, s.hidden)
	add("lm_head.weight", s.vocabulary, s.hidden)
	add("model.norm.weight", s.hidden)
	for l := range s.layers {
		in := fmt.Sprintf("model.layers.%d.", l)
		for _, name := range []string{"q", "k", "v", "o"} {
			add(in+"self_attn."+name+"_proj.weight", s.hidden, s.hidden)
		}
		add(in+"mlp.gate_proj.weight", s.inner, s.hidden)
		add(in+"mlp.up_proj.weight", s.inner, s.hidden)
		add(in+"mlp.down_proj.weight", s.hidden, s.inner)
		add(in+"input_layernorm.weight", s.hidden)
		add(in+"post_attention_layernorm.weight", s.hidden)
	}
	return list
}

func (s shape) bytes() (n int64) {
	for _, t := range s.tensors() {
		n += 2 * t.Elements()
	}
	return n
}

// config is a config.json that transformers builds the model by.
func (s shape) config() string {
	return fmt.Sprintf(`{"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": %d, "intermediate_size": %d, "num_hidden_layers": %d,
 "num_attention_heads": %d, "num_key_value_heads": %d, "vocab_size": %d, "max_position_embeddings": 512, "rms_norm_eps": 1e-5,
 "tie_word_embeddings": false, "torch_dtype": "bfloat16", "bos_token_id": 1, "eos_token_id": 2}`,
		s.hidden, s.inner, s.layers, s.heads, s.heads, s.vocabulary)
}

// write writes a model of random weights of about ±0.02, as models begin.
func (s shape) write(dir string, seed uint64) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	layout, err := safetensors.NewLayout(s.tensors(), safetensors.FormatPT())
	if err != nil {
		return err
	}
	f, err := os.Create(filepath.Join(dir, "model.safetensors"))
	if err != nil {
		return err
	}
	r := rand.New(rand.NewPCG(seed, 7))
	err = layout.Write(f, func(t safetensors.Tensor) ([]byte, error) {
		b := make([]byte, 2*t.Elements())
		for i := 0; i < len(b); i += 2 {
			u := r.Uint32()
			binary.LittleEndian.PutUint16(b[i:], uint16(u&0x8000|0x3c00|u>>16&0xff))
		}
		return b, nil
	})
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "config.json"), []byte(s.config()), 0o644)
	}
	return err
}
