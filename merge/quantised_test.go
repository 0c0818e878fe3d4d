package merge

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"parfait/merge/codes"
	"parfait/merge/safetensors"
)

// bytesOf is a tensor on which nothing is computed.
func bytesOf(d safetensors.DType, first float64, shape ...int64) values {
	n := int64(1)
	for _, dim := range shape {
		n *= dim
	}
	v := values{d, shape, make([]float64, n)}
	for i := range v.data {
		v.data[i] = first + float64(i%7)
	}
	return v
}

// Tensors of one module as the formats of this kind store them, and what config.json says; the fix names
// the way back where there is one.
func TestQuantised(t *testing.T) {
	const m = "model.layers.0.mlp.down_proj."
	s := safetensors.F32
	num := func(d safetensors.DType) values { return bytesOf(d, 1, 4, 4) }
	scale := func(d safetensors.DType) values { return values{d, []int64{4}, []float64{1, 2, 3, 4}} }
	for name, c := range map[string]struct {
		tensors model
		config  string
		kind    string
		fix     string
	}{
		"bitsandbytes, 4 bit": {
			model{m + "weight": num(safetensors.U8), m + "weight.absmax": num(safetensors.U8), m + "weight.nested_absmax": scale(s), m + "weight.quant_map": scale(s), m + "weight.quant_state.bitsandbytes__nf4": num(safetensors.U8)},
			`{"quant_method": "bitsandbytes", "load_in_4bit": true}`, "bitsandbytes", ".dequantize()",
		},
		"bitsandbytes, 8 bit": {model{m + "weight": num(safetensors.I8), m + "SCB": scale(s)}, `{"quant_method": "bitsandbytes", "load_in_8bit": true}`, "bitsandbytes", ".dequantize()"},
		"FP8 with scales":     {model{m + "weight": num(safetensors.F8E4M3), m + "weight_scale_inv": scale(s)}, `{"quant_method": "fp8"}`, "FP8", "FineGrainedFP8Config(dequantize=True)"},
		"FP8 of experts":      {model{m + "experts.gate_up_proj": num(safetensors.F8E4M3), m + "experts.gate_up_proj_scale": scale(s)}, "", "", ""},
		"FP8, fbgemm":         {model{m + "weight": num(safetensors.F8E4M3), m + "weight_scale": scale(s), m + "input_scale_ub": scale(s)}, `{"quant_method": "fbgemm_fp8"}`, "fbgemm_fp8", ""},
		"GPTQ":                {model{m + "qweight": num(safetensors.I32), m + "qzeros": num(safetensors.I32), m + "scales": scale(safetensors.F16), m + "g_idx": num(safetensors.I32)}, `{"quant_method": "gptq", "bits": 4}`, "GPTQ", ""},
		"AWQ":                 {model{m + "qweight": num(safetensors.I32), m + "qzeros": num(safetensors.I32), m + "scales": scale(safetensors.F16)}, `{"quant_method": "awq"}`, "AWQ", ""},
		"HQQ":                 {model{m + "W_q": num(safetensors.U8), m + "scale": scale(safetensors.F16), m + "zero": scale(safetensors.F16)}, "", "HQQ", ""},
		"EETQ":                {model{m + "weight": num(safetensors.I8), m + "weight_scales": scale(safetensors.F16)}, `{"quant_method": "eetq"}`, "EETQ", ""},
		"quanto":              {model{m + "weight._data": num(safetensors.I8), m + "weight._scale": scale(s)}, "", "quanto", ""},
		"MXFP4":               {model{m + "experts.down_proj_blocks": num(safetensors.U8), m + "experts.down_proj_scales": num(safetensors.U8)}, `{"quant_method": "mxfp4"}`, "MXFP4", "Mxfp4Config(dequantize=True)"},
		"MXFP4 of others":     {model{m + "experts.gate_blocks": num(safetensors.U8), m + "experts.gate_scales": num(safetensors.U8)}, "", "", ""},
		"torchao":             {model{m + "weight_qdata": num(safetensors.I8), m + "weight_scale": scale(s)}, `{"quant_method": "torchao"}`, "torchao", ""},
		"compressed-tensors":  {model{m + "weight_packed": num(safetensors.I32), m + "weight_scale": scale(safetensors.BF16), m + "weight_shape": bytesOf(safetensors.I64, 1, 2)}, `{"quant_method": "compressed-tensors"}`, "compressed-tensors", ""},
		"NVFP4":               {model{m + "weight_packed": num(safetensors.U8), m + "weight_scale": num(safetensors.F8E4M3), m + "weight_global_scale": scale(s)}, "", "compressed-tensors", ""},
		"BitNet":              {model{m + "weight": num(safetensors.U8), m + "weight_scale": scale(safetensors.BF16)}, "", "", ""},
		"AQLM":                {model{m + "codes": num(safetensors.I8), m + "codebooks": scale(safetensors.F16), m + "scales": scale(safetensors.F16)}, "", "", ""},
		"MLX":                 {model{m + "weight": num(safetensors.U32), m + "scales": scale(safetensors.F16), m + "biases": scale(safetensors.F16)}, "", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(1, 9))
			plain := model{"model.embed_tokens.weight": drawn(r, s, 1, 5, 3)}
			base := plain.write(t, t.TempDir())
			c.tensors["model.embed_tokens.weight"] = plain["model.embed_tokens.weight"]
			for _, withConfig := range []bool{false, true} {
				if withConfig && c.config == "" {
					continue
				}
				dir := c.tensors.write(t, t.TempDir())
				if withConfig {
					configured(t, dir, `{"architectures": ["LlamaForCausalLM"], "quantization_config": `+c.config+`}`)
				}
				_, err := NewPlan(t.Context(), Spec{Base: base, Models: []Source{{"x", dir}}, Method: "task_arithmetic"})
				found := problemsOf(t, err)
				if got := codesOf(found); !slices.Equal(got, []Code{codes.Quantised}) {
					t.Fatalf("problems %v, want %v: %v", got, codes.Quantised, err)
				}
				if p := found[0]; withConfig && (!strings.Contains(p.What, c.kind) || !strings.Contains(p.Fix, c.fix)) {
					t.Errorf("%q and %q, want the kind %q and the fix %q", p.What, p.Fix, c.kind, c.fix)
				}
			}
		})
	}
}

// Without a configuration names and dtypes say what it is.
func TestQuantisedWithoutConfiguration(t *testing.T) {
	scale := values{safetensors.F32, []int64{4}, []float64{1, 2, 3, 4}}
	for want, c := range map[string]struct {
		tensors model
		fix     string
	}{
		"NVFP4 or ModelOpt": {model{"a.weight": bytesOf(safetensors.U8, 1, 4, 4), "a.weight_scale": bytesOf(safetensors.F8E4M3, 1, 4), "a.weight_scale_2": scale}, "no way to dequantise"},
		"FP8 with scales":   {model{"a.weight": bytesOf(safetensors.F8E4M3, 1, 4, 4), "a.weight_scale": scale}, "or the config.json that it was saved with"},
	} {
		dir := c.tensors.write(t, t.TempDir())
		_, err := NewPlan(t.Context(), Spec{Base: dir, Models: []Source{{"x", dir}}, Method: "task_arithmetic"})
		p := problemsOf(t, err)[0]
		if p.Code != codes.Quantised || !strings.Contains(p.What, "quantised ("+want+")") || !strings.Contains(p.Fix, c.fix) {
			t.Errorf("%s: %q and %q, want the kind and %q", want, p.What, p.Fix, c.fix)
		}
	}
}

// Every kind of transformers 5.24 (AUTO_QUANTIZER_MAPPING) and some besides has a name of its own and a way out.
func TestQuantisedByItsKind(t *testing.T) {
	for method, fix := range map[string]string{
		"awq": "no way to dequantise", "bitsandbytes_4bit": ".dequantize()", "bitsandbytes_8bit": ".dequantize()", "gptq": "no way to dequantise", "aqlm": "no way to dequantise", "quanto": "no way to dequantise",
		"quark": "no way to dequantise", "fouroversix": "no way to dequantise", "fp_quant": "no way to dequantise", "eetq": "no way to dequantise", "higgs": ".dequantize()", "hqq": "no way to dequantise",
		"compressed-tensors": "run_compressed=False", "fbgemm_fp8": "no way to dequantise", "torchao": "no way to dequantise", "bitnet": "no way to dequantise", "vptq": "no way to dequantise", "spqr": "no way to dequantise",
		"fp8": "dequantize=True", "nvfp4": "no way to dequantise", "mxfp8": "dequantize=True", "auto-round": "no way to dequantise", "mxfp4": "dequantize=True", "metal": "MetalConfig(dequantize=True)", "sinq": "no way to dequantise",
		"modelopt": "no way to dequantise", "exl3": "no way to dequantise", "of tomorrow": "give the checkpoint that it was quantised from",
	} {
		m := model{"a.weight": bytesOf(safetensors.U8, 1, 8, 8), "a.weight_scale": bytesOf(safetensors.F32, 1, 8)}
		dir := configured(t, m.write(t, t.TempDir()), `{"architectures": ["LlamaForCausalLM"], "quantization_config": {"quant_method": "`+method+`"}}`)
		_, err := NewPlan(t.Context(), Spec{Base: dir, Models: []Source{{"x", dir}}, Method: "task_arithmetic"})
		p := problemsOf(t, err)[0]
		if p.Code != codes.Quantised || !strings.Contains(p.Fix, fix) || strings.Contains(p.What, "quantised:") {
			t.Errorf("%s: %s; %s; want a name, and %q", method, p.What, p.Fix, fix)
		}
	}
}

// A configuration that was left behind by whoever dequantised the weights.
func TestQuantisedByNameOnly(t *testing.T) {
	m := model{"a.weight": drawn(rand.New(rand.NewPCG(1, 9)), safetensors.BF16, 1, 5, 3)}
	base := m.write(t, t.TempDir())
	x := configured(t, m.write(t, t.TempDir()), `{"quantization_config": {"quant_method": "fp8"}}`)
	_, err := NewPlan(t.Context(), Spec{Base: base, Models: []Source{{"x", x}}, Method: "task_arithmetic"})
	found := problemsOf(t, err)
	if len(found) != 1 || found[0].Code != codes.Quantised || !strings.Contains(found[0].Fix, "remove that key") {
		t.Fatalf("%v", err)
	}
	configured(t, x, `{"quantization_config": null}`)
	plan(t, Spec{Base: base, Models: []Source{{"x", x}}, Method: "task_arithmetic"})
}

// Integers beside floats that are no scales of theirs.
func TestNotQuantised(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 9))
	f := safetensors.F32
	for name, m := range map[string]model{
		"Swin v2":   {"attn.relative_position_index": bytesOf(safetensors.I64, 0, 4, 4), "attn.logit_scale": drawn(r, f, 1, 2), "attn.qkv.weight": drawn(r, f, 1, 60, 60)},
		"BatchNorm": {"bn.num_batches_tracked": bytesOf(safetensors.I64, 3), "bn.weight": drawn(r, f, 1, 8), "bn.running_var": drawn(r, f, 1, 8)},
		"GPT-2":     {"h.0.attn.bias": bytesOf(safetensors.Bool, 0, 1, 1, 4, 4), "h.0.attn.c_attn.weight": drawn(r, f, 1, 12, 12)},
		"ConvNeXt":  {"layer_scale_parameter": drawn(r, f, 1, 8), "scales": drawn(r, f, 1, 8), "position_ids": bytesOf(safetensors.I64, 0, 1, 8), "dwconv.weight": drawn(r, f, 1, 60, 60)},
		"AltCLIP":   {"embeddings.position_ids": bytesOf(safetensors.I64, 0, 1, 8), "embeddings.scale": drawn(r, f, 1, 8), "embeddings.word.weight": drawn(r, f, 1, 60, 60)},
	} {
		t.Run(name, func(t *testing.T) {
			dir := m.write(t, t.TempDir())
			p := plan(t, Spec{Base: dir, Models: []Source{{"x", dir}}, Method: "task_arithmetic"})
			if len(p.Warnings()) > 0 {
				t.Errorf("warnings of a model that is the base: %v", p.Warnings())
			}
		})
	}
}

func TestCarriedValuesThatDiffer(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 9))
	w := drawn(r, safetensors.F32, 1, 60, 60)
	with := func(first float64, d safetensors.DType, n int64) string {
		return model{"w.weight": w, "norm.num_batches_tracked": bytesOf(d, first, n)}.write(t, t.TempDir())
	}
	for name, c := range map[string]struct {
		base, x string
		warn    bool
		refuse  bool
	}{
		"equal":              {with(1, safetensors.I64, 8), with(1, safetensors.I64, 8), false, false},
		"other values":       {with(1, safetensors.I64, 8), with(2, safetensors.I64, 8), true, false},
		"other dtype":        {with(1, safetensors.I64, 8), with(1, safetensors.I32, 8), true, false},
		"much, and equal":    {with(1, safetensors.F8E4M3, 9000), with(1, safetensors.F8E4M3, 9000), false, false},
		"plain 8-bit floats": {with(1, safetensors.F8E4M3, 9000), with(2, safetensors.F8E4M3, 9000), false, true},
	} {
		t.Run(name, func(t *testing.T) {
			spec := Spec{Base: c.base, Models: []Source{{"x", c.x}}, Method: "task_arithmetic"}
			p, err := NewPlan(t.Context(), spec)
			if c.refuse {
				if got := codesOf(problemsOf(t, err)); !slices.Equal(got, []Code{codes.Integers}) {
					t.Fatalf("problems %v, want %v", got, codes.Integers)
				}
				spec.Skip = []string{"norm.num_batches_tracked"}
				plan(t, spec) // asked for
				return
			}
			must(t, err)
			defer p.Close() //nolint:errcheck // a test
			var said string
			for _, w := range p.Warnings() {
				if w.Code == codes.Integers {
					said += w.Error()
				}
			}
			if (said != "") != c.warn || c.warn && !strings.Contains(said, "norm.num_batches_tracked") {
				t.Errorf("the warning is %q, want one: %v", said, c.warn)
			}
		})
	}
}

func TestSideFilesThatCannotBeRead(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 9))
	m := model{"a.weight": drawn(r, safetensors.F32, 1, 5, 3)}
	for _, where := range []string{"base", "x"} {
		t.Run(where, func(t *testing.T) {
			dirs := map[string]string{"base": m.write(t, t.TempDir()), "x": m.write(t, t.TempDir())}
			for _, name := range []string{"config.json", "tokenizer.json", "generation_config.json"} {
				_ = os.Remove(dirs[where] + "/" + name)
				must(t, os.Symlink("blobs/gone-"+name, dirs[where]+"/"+name))
			}
			_, err := NewPlan(t.Context(), Spec{Base: dirs["base"], Models: []Source{{"x", dirs["x"]}}, Method: "task_arithmetic"})
			found := problemsOf(t, err)
			if got := codesOf(found); !slices.Equal(got, []Code{codes.Read, codes.Read, codes.Read}) {
				t.Fatalf("problems %v, want one for each link: %v", got, err)
			}
			for _, p := range found {
				if !strings.Contains(p.What, "blobs/gone-") || p.Fix == "" {
					t.Errorf("%+v, want the missing blob and what to do", p)
				}
			}
		})
	}
}

func TestConfigurationsThatDiffer(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 9))
	m := model{"a.weight": drawn(r, safetensors.F32, 1, 5, 3)}
	for name, c := range map[string]struct {
		base, x string
		want    []string // in the warning; none: no warning
	}{
		"rope and norm": {
			`{"rope_theta": 10000.0, "rms_norm_eps": 1e-5, "vocab_size": 5}`, `{"rope_theta": 1000000.0, "rms_norm_eps": 1e-6, "vocab_size": 7}`,
			[]string{"rope_theta 1000000 (base: 10000)", "rms_norm_eps 0.000001 (base: 0.00001)"},
		},
		"nested":          {`{"text_config": {"hidden_activation": "gelu"}}`, `{"text_config": {"hidden_activation": "silu"}}`, []string{`text_config.hidden_activation "silu" (base: "gelu")`}},
		"heads":           {`{"hidden_size": 8, "num_attention_heads": 2}`, `{"hidden_size": 8, "num_attention_heads": 4}`, []string{"num_attention_heads 4 (base: 2)", "head_dim 2 (base: 4)"}},
		"scaling":         {`{"rope_theta": 1}`, `{"rope_theta": 1, "rope_scaling": {"type": "linear", "factor": 8}}`, []string{"rope_scaling", "(base: null)"}},
		"scaling in base": {`{"rope_theta": 1, "rope_scaling": {"type": "linear", "factor": 8}}`, `{"rope_theta": 1}`, []string{"no rope_scaling"}},
		"theta in x":      {`{"model_type": "llama", "hidden_size": 8}`, `{"model_type": "llama", "hidden_size": 8, "rope_theta": 500000.0}`, []string{"rope_theta 500000 (base: none, which means 10000)"}},
		"theta in base":   {`{"model_type": "llama", "rope_parameters": {"rope_type": "default", "rope_theta": 500000.0}}`, `{"model_type": "llama", "hidden_size": 8}`, []string{"no rope_theta, which means 10000 (base: 500000)"}},
		"the default":     {`{"model_type": "llama", "hidden_size": 8}`, `{"model_type": "llama", "rope_theta": 10000.0, "max_position_embeddings": 2048, "partial_rotary_factor": 1.0, "sliding_window": null}`, nil},
		"other positions": {
			`{"model_type": "mistral", "max_position_embeddings": 8192}`, `{"model_type": "mistral", "sliding_window": null, "partial_rotary_factor": 0.5}`,
			[]string{"no max_position_embeddings, which means 131072 (base: 8192)", "sliding_window null (base: none, which means 4096)", "partial_rotary_factor 0.5 (base: none, which means 1)"},
		},
		"unknown type":     {`{"model_type": "strange"}`, `{"rope_theta": 5, "text_config": {"rope_theta": 6}}`, []string{"rope_theta 5 (base: none, which means transformers' default)"}},
		"within":           {`{"text_config": {"model_type": "qwen2", "hidden_size": 8}}`, `{"text_config": {"model_type": "qwen2", "rope_theta": 1000000.0}}`, []string{"text_config.rope_theta 1000000 (base: none, which means 10000)"}},
		"windows not used": {`{"use_sliding_window": false, "sliding_window": 4096}`, `{"use_sliding_window": false, "sliding_window": null}`, nil},
		"two rotary embeddings": {
			`{"rope_theta": 1000000.0, "rope_local_base_freq": 10000.0, "rope_scaling": null}`,
			`{"rope_parameters": {"full_attention": {"rope_type": "default", "rope_theta": 1000000.0}, "sliding_attention": {"rope_type": "default", "rope_theta": 10000.0}}}`, nil,
		},
		"two versions":     {`{"rope_theta": 10000.0, "rope_scaling": {"type": "linear", "factor": 8}}`, `{"rope_parameters": {"rope_theta": 10000, "rope_type": "linear", "factor": 8}}`, nil},
		"default":          {`{"rope_theta": 10000.0, "rope_scaling": null}`, `{"rope_parameters": {"rope_theta": 10000.0, "rope_type": "default"}}`, nil},
		"said or left out": {`{"hidden_size": 8, "num_attention_heads": 2}`, `{"hidden_size": 8, "num_attention_heads": 2, "head_dim": 4, "num_key_value_heads": 2, "sliding_window": null}`, nil},
		"infinity":         {`{"sliding_window": Infinity, "_note": "NaN"}`, `{"sliding_window": Infinity, "_note": "Infinity"}`, nil},
		"switches": {
			`{"parallel_attn": true, "use_qk_norm": false, "norm_type": "rms", "new_decoder_architecture": false, "mlp_bias": false, "attention_bias": true}`,
			`{"parallel_attn": false, "use_qk_norm": true, "norm_type": "layer", "new_decoder_architecture": true, "mlp_bias": true, "attention_bias": false}`,
			[]string{"parallel_attn false (base: true)", "use_qk_norm true", `norm_type "layer" (base: "rms")`, "new_decoder_architecture true", "mlp_bias true", "attention_bias false (base: true)"},
		},
		"classes":    {`{"id2label": {"0": "no", "1": "yes"}}`, `{"id2label": {"0": "yes", "1": "no"}}`, []string{`id2label {"0":"yes","1":"no"} (base: {"0":"no","1":"yes"})`}},
		"experts":    {`{"topk_group": 1, "n_group": 1, "norm_topk_prob": true}`, `{"topk_group": 4, "n_group": 8, "norm_topk_prob": false}`, []string{"topk_group 4", "n_group 8", "norm_topk_prob false"}},
		"of another": {`{"vision_config": {"hidden_act": "gelu"}}`, `{"vision_config": {"hidden_act": "quick_gelu"}}`, []string{`vision_config.hidden_act "quick_gelu" (base: "gelu")`}},
		"of training and generation": {
			`{"_name_or_path": "a", "transformers_version": "4.1", "torch_dtype": "float32", "use_cache": true, "attention_dropout": 0.1, "initializer_range": 0.02, "temperature": 1, "architectures": ["A"], "model_type": "a", "output_router_logits": false, "router_aux_loss_coef": 0.1, "rope_parameters": {"rope_type": "default"}}`,
			`{"_name_or_path": "b", "transformers_version": "5.1", "dtype": "bfloat16", "use_cache": false, "attention_dropout": 0.0, "initializer_range": 0.1, "temperature": 2, "architectures": ["A"], "model_type": "a", "output_router_logits": true, "router_aux_loss_coef": 0.2}`, nil,
		},
		"infinity and less": {`{"rope_theta": NaN}`, `{"rope_theta": 5}`, []string{"rope_theta 5"}},
	} {
		t.Run(name, func(t *testing.T) {
			base, x := configured(t, m.write(t, t.TempDir()), c.base), configured(t, m.write(t, t.TempDir()), c.x)
			p := plan(t, Spec{Base: base, Models: []Source{{"x", x}}, Method: "task_arithmetic"})
			said := ""
			for _, w := range p.Warnings() {
				said += w.Error() + "\n"
			}
			for _, want := range c.want {
				if !strings.Contains(said, want) {
					t.Errorf("the warnings %q do not say %q", said, want)
				}
			}
			if c.want == nil && said != "" {
				t.Errorf("a warning of what is the same: %s", said)
			}
		})
	}
}

// Configurations that Python wrote have Infinity in them.
func TestDTypeBesideInfinity(t *testing.T) {
	got := string(setDType([]byte(`{"time_step_limit": [0.0, Infinity], "torch_dtype": "float32"}`), BF16))
	if want := `{"time_step_limit": [0.0, Infinity], "torch_dtype": "bfloat16"}`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestTokenFilesThatDiffer(t *testing.T) {
	m := model{"a.weight": drawn(rand.New(rand.NewPCG(2, 9)), safetensors.F32, 1, 5, 3)}
	base, x := m.write(t, t.TempDir()), m.write(t, t.TempDir())
	for _, name := range []string{"tokenizer.model", "vocab.json", "bpe.codes", "source.spm", "target.spm"} {
		must(t, os.WriteFile(base+"/"+name, []byte("a"), 0o644))
		must(t, os.WriteFile(x+"/"+name, []byte("b"), 0o644))
	}
	must(t, os.WriteFile(x+"/"+templateFile, []byte("b"), 0o644))
	p := plan(t, Spec{Base: base, Models: []Source{{"x", x}}, Method: "task_arithmetic"})
	if got := codesOf(p.Warnings()); len(got) != 6 || slices.ContainsFunc(got, func(c Code) bool { return c != codes.Tokenizer }) {
		t.Errorf("warnings %v", p.Warnings())
	}
	must(t, os.WriteFile(base+"/"+templateFile, []byte("a"), 0o644))
	for _, w := range plan(t, Spec{Base: base, Models: []Source{{"x", x}}, Method: "task_arithmetic"}).Warnings() {
		if template := strings.Contains(w.What, "chat template differs"); template == strings.Contains(w.Error()+w.Fix, "tokens that only") {
			t.Errorf("%+v is said of a file that it does not fit", w)
		}
	}
}

func TestTwoModelsInOneFolder(t *testing.T) {
	m := model{"a.weight": drawn(rand.New(rand.NewPCG(2, 9)), safetensors.F32, 1, 5, 3)}
	base, x := m.write(t, t.TempDir()), m.write(t, t.TempDir())
	for text, want := range map[string][]Code{
		`{"weight_map": {"a.weight": "model-00001-of-00002.safetensors"}}`: {codes.TwoModels},
		`{"weight_map": {"a.weight": "model.safetensors"}}`:                nil,
	} {
		must(t, os.WriteFile(x+"/"+safetensors.IndexName, []byte(text), 0o644))
		p := plan(t, Spec{Base: base, Models: []Source{{"x", x}}, Method: "task_arithmetic"})
		if got := codesOf(p.Warnings()); !slices.Equal(got, want) {
			t.Errorf("%s: warnings %v, want %v", text, p.Warnings(), want)
		}
	}
}

// What is no file of its kind is refused, of whichever model, with what it is and what to do; nothing waits for a
// pipe that nobody writes to.
func TestSidecarsThatAreNone(t *testing.T) {
	const pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12\n"
	m := model{"a.weight": drawn(rand.New(rand.NewPCG(2, 9)), safetensors.F32, 1, 5, 3)}
	text := func(s string) func(string) error {
		return func(path string) error { return os.WriteFile(path, []byte(s), 0o644) }
	}
	pipe := func(path string) error { return syscall.Mkfifo(path, 0o644) }
	for _, c := range []struct {
		file, what, fix string
		put             func(string) error
	}{
		{"config.json", "it is empty", "copy it again", text("")},
		{"config.json", "line 3: invalid character", "copy it again", text("{\n\"a\": 1,\n}")},
		{"config.json", "not a JSON object", "copy it again", text("[1]")},
		{"config.json", "not a JSON object", "copy it again", text("null")},
		{"config.json", "Git LFS pointer", "git lfs pull", text(pointer)},
		{"tokenizer.json", "Git LFS pointer", "git lfs pull", text(pointer)},
		{"tokenizer.model", "Git LFS pointer", "git lfs pull", text(pointer)},
		{"adapter_config.json", "Git LFS pointer", "git lfs pull", text(pointer)},
		{"tokenizer.json", "it is empty", "copy it again", text("")},
		{"config.json", "a named pipe", "remove it", pipe},
		{"tokenizer.json", "a named pipe", "remove it", pipe},
		{"adapter_config.json", "a named pipe", "remove it", pipe},
		{"vocab.txt", "a device", "remove it", func(path string) error { return os.Symlink(os.DevNull, path) }},
	} {
		for _, where := range []string{"base", "x"} {
			t.Run(where+" "+c.file+" "+c.what, func(t *testing.T) {
				dirs := map[string]string{"base": m.write(t, t.TempDir()), "x": m.write(t, t.TempDir())}
				path := filepath.Join(dirs[where], c.file)
				_ = os.Remove(path)
				must(t, c.put(path))
				_, err := NewPlan(t.Context(), Spec{Base: dirs["base"], Models: []Source{{"x", dirs["x"]}}, Method: "task_arithmetic"})
				found := problemsOf(t, err)
				if len(found) != 1 || found[0].Where != path || !strings.Contains(found[0].What, c.what) || !strings.Contains(found[0].Fix, c.fix) {
					t.Fatalf("%v, want one problem of %s: %s; %s", err, path, c.what, c.fix)
				}
			})
		}
	}
	dir := m.write(t, t.TempDir())
	must(t, pipe(filepath.Join(dir, safetensors.IndexName)))
	plan(t, Spec{Base: dir, Models: []Source{{"x", dir}}, Method: "task_arithmetic"}) // there is a whole model beside it
}

// A byte order mark, which editors leave, is no part of the text: it hides nothing, and the copy is without it.
func TestByteOrderMarks(t *testing.T) {
	const bom = "\xef\xbb\xbf"
	r := rand.New(rand.NewPCG(2, 9))
	m := model{"a.weight": drawn(r, safetensors.F32, 1, 5, 3)}
	base := configured(t, m.write(t, t.TempDir()), bom+`{"rope_theta": 1, "torch_dtype": "float32"}`)
	x := configured(t, m.write(t, t.TempDir()), bom+`{"rope_theta": 2, "torch_dtype": "float32"}`)
	p := plan(t, Spec{Base: base, Models: []Source{{"x", x}}, Method: "task_arithmetic", DType: BF16})
	if w := p.Warnings(); len(w) != 1 || !strings.Contains(w[0].Error(), "rope_theta 2 (base: 1)") {
		t.Errorf("warnings %v, want one of rope_theta", w)
	}
	files, err := p.sidecars()
	must(t, err)
	if i := slices.IndexFunc(files, func(f sidecar) bool { return f.name == "config.json" }); i < 0 || string(files[i].data) != `{"rope_theta": 1, "torch_dtype": "bfloat16"}` {
		t.Errorf("config.json is copied as %q", files[max(i, 0)].data)
	}
}

// MLX writes two keys and no method, bitsandbytes of old no method; a card names the original.
func TestQuantisedWithoutAMethod(t *testing.T) {
	const m = "model.layers.0.mlp.down_proj."
	scale := values{safetensors.F16, []int64{4}, []float64{1, 2, 3, 4}}
	packed := model{m + "weight": bytesOf(safetensors.U32, 1, 4, 4), m + "scales": scale, m + "biases": scale}
	for config, want := range map[string][2]string{
		`{"quantization": {"bits": 4}, "quantization_config": {"bits": 4}}`: {"MLX", "mlx_lm.convert"},
		`{}`: {"MLX", "mlx_lm.convert"},
		`{"architectures": ["A"], "quantization_config": {"load_in_4bit": true}}`:                 {"bitsandbytes", ".dequantize()"},
		`{"architectures": ["A"], "quantization_config": {"quant_method": "compressed-tensors"}}`: {"compressed-tensors", "CompressedTensorsConfig(run_compressed=False)"},
		`{"architectures": ["A"], "quantization_config": {"quant_method": "gptq"}}`:               {"GPTQ", "transformers has no way to dequantise GPTQ"},
	} {
		dir := configured(t, packed.write(t, t.TempDir()), config)
		must(t, os.WriteFile(filepath.Join(dir, "README.md"), []byte("---\nlicense: mit\nbase_model:\n- them/Whole-7B\n---\n# x\n"), 0o644))
		_, err := NewPlan(t.Context(), Spec{Base: dir, Models: []Source{{"x", dir}}, Method: "task_arithmetic"})
		p := problemsOf(t, err)[0]
		if p.Code != codes.Quantised || !strings.Contains(p.What, want[0]) || !strings.Contains(p.Fix, want[1]) || !strings.Contains(p.Fix, "its model card says them/Whole-7B") {
			t.Errorf("%s: %v, want %v", config, p, want)
		}
	}
}
