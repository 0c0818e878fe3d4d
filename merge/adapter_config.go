package merge

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"parfait/merge/codes"
	"parfait/merge/safetensors"
)

// adapter is what adapter_config.json says of a LoRA adapter (Hu et al., arXiv 2106.09685), as PEFT
// writes it. Its task vector is δ = s·B·A with s = α/r, or α/√r with use_rslora.
type adapter struct {
	where      string
	dir        string
	alpha      float64
	rsLoRA     bool
	fanInOut   bool // weights are stored (in, out)
	patterns   []alphaPattern
	base       string   // base_model_name_or_path
	parameters []string // target_parameters: ends of names, of products on parameters that are no module's weight
	task       string   // task_type
	version    string   // peft_version
	class      string   // base_model_class of auto_mapping, which PEFT loads where no task_type is said
}

// alphaPattern is an α for the modules whose name ends so.
type alphaPattern struct {
	re    *regexp.Regexp
	alpha float64
}

// adapterJSON are the keys of adapter_config.json that decide what the weights mean.
type adapterJSON struct {
	PEFTType   string             `json:"peft_type"`
	Base       string             `json:"base_model_name_or_path"`
	Alpha      *float64           `json:"lora_alpha"`
	RSLoRA     bool               `json:"use_rslora"`
	FanInOut   bool               `json:"fan_in_fan_out"`
	AlphaBy    map[string]float64 `json:"alpha_pattern"`
	Init       any                `json:"init_lora_weights"`
	Parameters []string           `json:"target_parameters"`
	Task       string             `json:"task_type"`
	Version    string             `json:"peft_version"`
	Mapping    struct {
		Class string `json:"base_model_class"`
	} `json:"auto_mapping"`
}

// plainKeys are the keys of adapter_config.json with which a LoRA adapter is a sum of products, whatever
// their values: those above, names and versions, how it was trained, and what only some initialisations read.
var plainKeys = []string{
	"peft_type", "base_model_name_or_path", "r", "lora_alpha", "use_rslora", "fan_in_fan_out", "alpha_pattern", "rank_pattern",
	"init_lora_weights", "target_parameters", "task_type", "peft_version", "auto_mapping", "revision", "inference_mode",
	"lora_dropout", "target_modules", "exclude_modules", "modules_to_save", "layers_to_transform", "layers_pattern",
	"megatron_core", "qalora_group_size", "runtime_config", "ensure_weight_tying", "parent_library", "unsloth_fixed", "unsloth_version", "lora_dtype", "lorap_lr_ratio", "lorap_emb_lr",
	"loftq_config", "eva_config", "corda_config", "lora_ga_config",
}

// variant is an option that makes a LoRA adapter something else than a sum of products.
type variant struct {
	why    string
	merges bool // PEFT's merge_and_unload makes a full model of it
}

var variants = map[string]variant{
	"use_dora":                {"it has trained norms for the rows of the sum (DoRA)", true},
	"bias":                    {"it trained biases", true},
	"lora_bias":               {"it trained biases", true},
	"trainable_token_indices": {"it trained single rows of the embeddings", true},
	"kasa_config":             {"it cuts the smallest singular values off the base's weights, and has trained values between its two matrices (KaSA)", true},
	"velora_config":           {"it has tensors beside its two matrices (VeLoRA)", true},
	"monteclora_config":       {"it has a trained distribution of its matrices (MonteCLoRA)", true},
	"use_bdlora":              {"its matrices are blocks of larger ones (BD-LoRA)", true},
	"layer_replication":       {"its model has some of the base's layers several times", true},
	"megatron_config":         {"its modules are Megatron's", true},
	"use_qalora":              {"it works on averages of groups of the input (QA-LoRA)", false},
	"alora_invocation_tokens": {"it acts only after its invocation tokens, which no change of the weights does (aLoRA)", false},
	"arrow_config":            {"it routes every token to one of several adapters (Arrow)", false},
}

// initsOnBase are the initialisations that leave the base as it is. The others take from the base what the matrices
// begin with, so that the adapter belongs to another base.
var initsOnBase = []string{"gaussian", "eva", "orthogonal", "mica", "true", "false"}

// initsOffBase begin the names of those.
var initsOffBase = []string{"pissa", "olora", "corda", "loftq", "lora_ga"}

// readAdapterConfig reads a folder's adapter_config.json; nil where there is none.
func readAdapterConfig(where, dir string) (*adapter, error) {
	path := filepath.Join(dir, adapterConfigFile)
	data, err := readSidecar(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(filepath.Join(dir, safetensors.SingleName)); err == nil {
		return nil, nil // a full checkpoint that an adapter's configuration was left beside
	}
	var c adapterJSON
	var all map[string]any
	err = json.Unmarshal(plainJSON(data), &all)
	if err == nil {
		err = json.Unmarshal(plainJSON(data), &c)
	}
	if err != nil {
		return nil, Problem{Code: codes.Adapter, Where: path, What: "it is not the JSON of an adapter: " + atLine(data, err), Expected: "a configuration as PEFT writes it"}
	}
	a := &adapter{where: where, dir: dir, rsLoRA: c.RSLoRA, fanInOut: c.FanInOut, base: c.Base, parameters: c.Parameters, task: c.Task, version: c.Version, class: c.Mapping.Class}
	var found problems
	refuse := func(what, why, fix string) { found.add(codes.Adapter, where, what, why, fix) }
	if c.PEFTType != "LORA" {
		refuse(fmt.Sprintf("the adapter is of the kind %q", c.PEFTType), `a LoRA adapter (peft_type "LORA")`, a.unload())
		return nil, found.err()
	}
	a.checkVariants(all, c.Init, refuse)
	if c.Alpha == nil {
		refuse("lora_alpha is missing", "the scale of the adapter", "put the lora_alpha that it was trained with into its "+adapterConfigFile+" (PEFT takes 8 where the key is left out)")
		return nil, found.err()
	}
	a.alpha = *c.Alpha
	for _, key := range sortedKeys(c.AlphaBy) {
		re, err := regexp.Compile(`^(.*\.)?(` + key + `)$`)
		if err != nil {
			refuse(fmt.Sprintf("the key %q of alpha_pattern cannot be read: %v", key, err), "a module's name or a regular expression", a.unload())
			continue
		}
		a.patterns = append(a.patterns, alphaPattern{re, c.AlphaBy[key]})
	}
	return a, found.err()
}

// checkVariants refuses what is not known to be a sum of products.
func (a *adapter) checkVariants(all map[string]any, init any, refuse func(what, why, fix string)) {
	const plain = "a plain LoRA adapter, whose task vector is a product of two matrices"
	for _, key := range sortedKeys(all) {
		value := all[key]
		v, known := variants[key]
		switch {
		case slices.Contains(plainKeys, key) || isOff(value) || key == "bias" && value == "none":
		case !known:
			refuse(fmt.Sprintf("its %s has %s: %s, which is not known here%s", adapterConfigFile, key, asJSON(value), a.by()), plain, "if the option changes nothing about the weights, take it out of the file; else "+a.unload())
		case !v.merges:
			refuse("the adapter uses "+key+": "+v.why, plain, "leave it out: PEFT cannot merge it either")
		default:
			refuse("the adapter uses "+key+": "+v.why, plain, a.unload())
		}
	}
	name, named := init.(string)
	offBase := slices.ContainsFunc(initsOffBase, func(s string) bool { return strings.HasPrefix(strings.ToLower(name), s) })
	switch {
	case !named || slices.Contains(initsOnBase, strings.ToLower(name)):
	case offBase:
		refuse("the adapter uses init_lora_weights: "+name+", which takes from the base what its matrices begin with", "an adapter on the base as it is", a.unload())
	default:
		refuse("the adapter uses init_lora_weights: "+name+", which is not known here"+a.by()+": it may have changed the base", "an adapter on the base as it is", a.unload())
	}
}

// isOff says whether an option's value is that of one which is not used.
func isOff(v any) bool {
	switch x := v.(type) {
	case nil:
		return true
	case bool:
		return !x
	case string:
		return x == ""
	case float64:
		return x == 0
	case []any:
		return len(x) == 0
	case map[string]any:
		return len(x) == 0
	}
	return false
}

// asJSON is a value as the file has it, cut where it is long.
func asJSON(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return clip(string(text))
}

// by says which PEFT wrote the adapter.
func (a *adapter) by() string {
	if a.version == "" {
		return ""
	}
	return fmt.Sprintf(" (written by PEFT %s)", a.version)
}

// autoClasses are PEFT's classes for a task.
var autoClasses = map[string]string{
	"SEQ_CLS": "ForSequenceClassification", "SEQ_2_SEQ_LM": "ForSeq2SeqLM", "TOKEN_CLS": "ForTokenClassification",
	"QUESTION_ANS": "ForQuestionAnswering", "FEATURE_EXTRACTION": "ForFeatureExtraction",
}

// unload says how PEFT makes a full model of the adapter.
func (a *adapter) unload() string {
	class := autoClasses[a.task]
	if class == "" && (a.task != "" || a.class == "") {
		class = "ForCausalLM"
	}
	return fmt.Sprintf("merge the adapter into its base with PEFT and give the result: `python -c \"import peft; peft.AutoPeftModel%s.from_pretrained('%s', torch_dtype='auto').merge_and_unload().save_pretrained('OUT')\"`", class, a.dir)
}

// scale is what B·A is multiplied by in a module of rank r.
func (a *adapter) scale(module string, r int64) float64 {
	alpha := a.alpha
	for _, p := range a.patterns {
		if p.re.MatchString(module) {
			alpha = p.alpha
			break
		}
	}
	if a.rsLoRA {
		return alpha / math.Sqrt(float64(r))
	}
	return alpha / float64(r)
}
