package merge

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strings"

	"parfait/merge/codes"
	"parfait/merge/safetensors"
)

// A quantised checkpoint has weights in integers or in floats of 8 bits and fewer that mean something only
// together with scales, zeros or codebooks beside them. Nothing in it can be merged: the packed weights
// would be one model's, and their scales a sum of all. It is told by its configuration, or by the
// names and dtypes in its headers.

// quantisation is one way of packing weights.
type quantisation struct {
	name    string
	methods []string       // quant_method in config.json
	tensors *regexp.Regexp // names of tensors that only this one has, nil where there are none
	undo    string         // how transformers loads it unpacked, "" where it cannot
}

var quantisations = []quantisation{
	{"bitsandbytes", []string{"bitsandbytes", "bitsandbytes_4bit", "bitsandbytes_8bit"}, regexp.MustCompile(`\.SCB$|\.weight\.(nested_)?absmax$|\.quant_state\.`), ".dequantize()"},
	{"HIGGS", []string{"higgs"}, nil, ".dequantize()"},
	{"MXFP4", []string{"mxfp4"}, regexp.MustCompile(`_blocks$`), "quantization_config=t.Mxfp4Config(dequantize=True)"},
	{"FP8 with scales", []string{"fp8", "mxfp8"}, regexp.MustCompile(`_scale_inv$`), "quantization_config=t.FineGrainedFP8Config(dequantize=True)"},
	{"AWQ", []string{"awq"}, nil, ""},
	{"GPTQ", []string{"gptq"}, regexp.MustCompile(`\.g_idx$`), ""},
	{"GPTQ or AWQ", nil, regexp.MustCompile(`\.(qweight|qzeros)$`), ""},
	{"HQQ", []string{"hqq"}, regexp.MustCompile(`\.W_q$`), ""},
	{"compressed-tensors", []string{"compressed-tensors"}, regexp.MustCompile(`\.weight_packed$`), "quantization_config=t.CompressedTensorsConfig(run_compressed=False)"},
	{"quanto", []string{"quanto"}, regexp.MustCompile(`\.weight\._(data|scale)$`), ""},
	{"EETQ", []string{"eetq"}, nil, ""},
	{"torchao", []string{"torchao"}, regexp.MustCompile(`_qdata$`), ""},
	{"Metal", []string{"metal"}, nil, "quantization_config=t.MetalConfig(dequantize=True)"},
	{"AQLM", []string{"aqlm"}, regexp.MustCompile(`\.codebooks$`), ""},
	{"VPTQ", []string{"vptq"}, regexp.MustCompile(`\.centroids(\.|$)`), ""},
	{"EXL2 or EXL3", []string{"exl2", "exl3"}, regexp.MustCompile(`\.(q_scale_max|trellis)$`), ""},
	{"BitNet", []string{"bitnet"}, nil, ""},
	{"SpQR", []string{"spqr"}, nil, ""},
	{"Quark", []string{"quark"}, nil, ""},
	{"FP-Quant", []string{"fp_quant"}, nil, ""},
	{"Four Over Six", []string{"fouroversix"}, nil, ""},
	{"FBGEMM's FP8 (fbgemm_fp8)", []string{"fbgemm_fp8"}, nil, ""},
	{"AutoRound", []string{"auto-round", "intel/auto-round"}, nil, ""},
	{"SINQ", []string{"sinq"}, nil, ""},
	{"NVFP4 or ModelOpt", []string{"nvfp4", "modelopt"}, regexp.MustCompile(`\.weight_scale_2$`), ""},
	{"MLX", []string{"mlx"}, regexp.MustCompile(`\.biases$`), ""},
}

var (
	// packedName ends what may be packed weights.
	packedName = regexp.MustCompile(`(^|[._])(weight|qweight|q_weight|W_q|codes|trellis|indices|Qidxs|blocks|packed|data|qdata)$`)
	// companionName is what unpacks the weights of the same module.
	companionName = regexp.MustCompile(`^(\w+_)?_?(scales?|scale_inv|scale_2|global_scale|qzeros|zeros?|zero_point|(nested_)?absmax|SCB|g_idx|codebooks?|centroids|q_scale(_max)?|suh|svh|(nested_)?quant_map|packed)$`)
)

// quantised says how an input is packed and what tells it; nil where it is not.
func (in *input) quantised() (how *quantisation, evidence string) {
	packed := in.packedTensor()
	method, key := in.config.quantMethod()
	switch {
	case key != "" && packed != "":
		evidence = fmt.Sprintf("its config.json has %s, and %s is packed", key, packed)
	case key != "":
		evidence = "its config.json has " + key
	case packed != "":
		evidence = packed + " is packed"
	default:
		return nil, ""
	}
	for i, q := range quantisations {
		for _, m := range q.methods {
			if m == method {
				return &quantisations[i], evidence
			}
		}
	}
	if method != "" {
		return &quantisation{name: method}, evidence
	}
	for i, q := range quantisations {
		for _, name := range in.set.Names() {
			if q.tensors != nil && q.tensors.MatchString(name) {
				return &quantisations[i], evidence
			}
		}
	}
	if strings.Contains(packed, "(F8_") {
		return &quantisation{name: scaledF8}, evidence
	}
	return &quantisation{}, evidence
}

// scaledF8 are weights of 8 bits whose scales are told by nothing but their names.
const scaledF8 = "FP8 with scales"

// packedTensor names a tensor of packed weights with companions beside it, "" where there is none.
func (in *input) packedTensor() string {
	companions := map[string]bool{} // modules
	for _, name := range in.set.Names() {
		module, last := moduleOf(name)
		if companionName.MatchString(last) {
			companions[module] = true
			companions[strings.TrimSuffix(module, ".weight")] = true // weight.absmax
		}
	}
	if len(companions) == 0 {
		return ""
	}
	for _, t := range in.set.Tensors() {
		module, last := moduleOf(t.Name)
		unpacks := companions[module] || last == "weight" && companions[t.Name]
		if unpacks && !t.DType.Computable() && t.DType != safetensors.Bool && (packedName.MatchString(last) || in.scaled(t.Name)) {
			return fmt.Sprintf("%s (%s)", t.Name, t.DType)
		}
	}
	return ""
}

// scaled says whether a tensor's own name with an ending is that of its scales.
func (in *input) scaled(name string) bool {
	for _, end := range []string{"_scale", "_scale_inv", "_scales", "_zero_point"} {
		if _, _, ok := in.set.Lookup(name + end); ok {
			return true
		}
	}
	return false
}

// moduleOf splits a tensor's name at its last dot.
func moduleOf(name string) (module, last string) {
	dot := strings.LastIndexByte(name, '.')
	return name[:max(dot, 0)], name[dot+1:]
}

// quantMethod is how config.json says that the weights are packed, and the key that says so.
func (c *modelConfig) quantMethod() (method, key string) {
	for _, p := range c.parts() {
		m, where := p.entries, func(key string) string { return strings.Join(p.path(key), ".") }
		for _, k := range []string{"quantization_config", "compression_config"} {
			q, ok := m[k].(map[string]any)
			if !ok {
				continue
			}
			method, _ = q["quant_method"].(string)
			if method == "" && (q["load_in_4bit"] == true || q["load_in_8bit"] == true) {
				method = "bitsandbytes"
			}
			if method == "" && m["quantization"] != nil { // MLX writes both keys, and no method
				break
			}
			return method, where(k)
		}
		if q, ok := m["quantization"].(map[string]any); ok && q["bits"] != nil {
			return "mlx", where("quantization")
		}
	}
	return "", ""
}

// checkQuantised refuses a quantised input.
func (in *input) checkQuantised(where string) error {
	how, evidence := in.quantised()
	if how == nil {
		return nil
	}
	what := "the checkpoint is quantised"
	if how.name != "" {
		what += " (" + how.name + ")"
	}
	fix := "give the checkpoint that it was quantised from" + in.origin()
	switch {
	case in.packedTensor() == "" && in.plain():
		what, fix = "the weights are plain floats, and the configuration says that they are quantised", "remove that key from config.json if they were dequantised"
	case how.name == "MLX":
		fix += fmt.Sprintf(", or dequantise it: `mlx_lm.convert --hf-path '%s' --mlx-path OUT --dequantize`", in.path)
	case how.undo != "" && in.dir != "" && in.config != nil:
		fix += ", or dequantise it: " + how.command(in.dir) + " and copy the tokenizer's files to OUT"
	case how.name == scaledF8 && how.undo == "":
		fix += ", or the config.json that it was saved with: its quantization_config says how its weights and scales go together"
	case how.methods != nil && how.undo == "":
		fix += "; transformers has no way to dequantise " + how.name
	}
	return Problem{Code: codes.Quantised, Where: where, What: what + ": " + evidence, Expected: "weights in BF16, F16, F32 or F64: packed ones and their scales mean nothing apart", Fix: fix}
}

var baseEntry = regexp.MustCompile(`(?m)^base_model:\s*(?:\n\s*-\s*)?["']?([\w.-]+/[\w.-]+)`)

// origin says where a quantised model's original is named: on its card, whose metadata begins it.
func (in *input) origin() string {
	if in.dir != "" {
		if data, err := readSidecar(filepath.Join(in.dir, "README.md")); err == nil {
			if m := baseEntry.FindSubmatch(data); m != nil {
				return ": its model card says " + string(m[1])
			}
		}
	}
	return " (its model card names it)"
}

// plain says whether everything in the input can be computed on.
func (in *input) plain() bool {
	for _, t := range in.set.Tensors() {
		if !t.DType.Computable() && len(t.Shape) > 1 {
			return false
		}
	}
	return true
}

// command is the command that unpacks a folder with transformers.
func (q *quantisation) command(dir string) string {
	load, after := q.undo, ""
	if strings.HasPrefix(load, ".") {
		load, after = "", load
	} else {
		load = ", " + load
	}
	return fmt.Sprintf("`python -c \"import transformers as t; d='%s'; getattr(t, t.AutoConfig.from_pretrained(d).architectures[0]).from_pretrained(d, torch_dtype='auto'%s)%s.save_pretrained('OUT')\"`", filepath.Clean(dir), load, after)
}
