package merge

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"parfait/merge/codes"
)

// meaningless are the entries of config.json that do not say how the weights are used: names and versions, how the
// model was trained, what a program returns or how it computes, defaults of generation, and what is
// compared elsewhere. A model that was trained with another value of any other entry is not the same function
// under the base's.
var meaningless = regexp.MustCompile(`^_|name_or_path$|version$|^(architectures|model_type|auto_map|torch_dtype|dtype|vocab_size|label2id|task_specific_params|finetuning_task)$` +
	`|drop|init|loss|jitter|^(mask_(time|feature)_|aux|\w*_coef$|apply_spec_augment|router_aux|gradient_checkpointing|training)` +
	`|^(use_cache|return_dict|use_return_dict|output_|torchscript|use_bfloat16|pretraining_tp|chunk_size_feed_forward|pruned_heads|reorder_and_upcast_attn)|kernels$|attn_implementation|^(use_)?flash` +
	`|^(temperature|top_k|top_p|typical_p|repetition_penalty|length_penalty|diversity_penalty|no_repeat_ngram_size|encoder_no_repeat_ngram_size|num_beams|num_beam_groups|num_return_sequences` +
	`|max_length|min_length|do_sample|early_stopping|bad_words_ids|(forced|begin)_\w+|suppress_tokens|remove_invalid_values|exponential_decay_length_penalty|prefix|transformers_weights)$` +
	`|^(quantization|quantization_config|compression_config|rope_parameters)$`)

// sameWhereAbsent are keys that mean null where they are left out.
var sameWhereAbsent = []string{"rope_scaling", "sliding_window"}

// meaning are the entries of a configuration that decide what the weights mean, as JSON. Spellings of
// one thing are brought to one: rope_parameters of newer versions, type and rope_type, the size of a
// head where it is left out.
func (c *modelConfig) meaning() map[string]string {
	out := map[string]string{}
	if c == nil {
		return out
	}
	var walk func(prefix string, m map[string]any)
	walk = func(prefix string, m map[string]any) {
		part := map[string]any{}
		for key, v := range m {
			switch inner, isPart := v.(map[string]any); {
			case meaningless.MatchString(key):
			case isPart && strings.HasSuffix(key, "_config"):
				walk(prefix+key+".", inner)
			default:
				part[key] = v
			}
		}
		settleRope(part, m)
		settleHeads(part, m)
		for key, v := range part {
			if text, err := json.Marshal(v); err == nil {
				out[prefix+key] = string(text)
			}
		}
	}
	walk("", c.top)
	return out
}

// settleRope reads the rotary embedding in either spelling.
func settleRope(part, m map[string]any) {
	if p, ok := m["rope_parameters"].(map[string]any); ok {
		scaling := map[string]any{}
		for k, v := range p {
			switch k {
			case "rope_theta", "partial_rotary_factor":
				part[k] = v
			default:
				scaling[k] = v
			}
		}
		part["rope_scaling"] = scaling
	}
	scaling, ok := part["rope_scaling"].(map[string]any)
	if !ok {
		return
	}
	settled := map[string]any{}
	for k, v := range scaling {
		if k == "type" {
			k = "rope_type"
		}
		settled[k] = v
	}
	part["rope_scaling"] = settled
	if len(settled) == 0 || len(settled) == 1 && settled["rope_type"] == "default" {
		part["rope_scaling"] = nil
	}
}

// settleHeads fills in what is left out because it follows from the rest.
func settleHeads(part, m map[string]any) {
	heads, ok := m["num_attention_heads"].(float64)
	if !ok || heads == 0 {
		return
	}
	if part["num_key_value_heads"] == nil {
		part["num_key_value_heads"] = heads
	}
	if width, ok := m["hidden_size"].(float64); ok && part["head_dim"] == nil {
		part["head_dim"] = width / heads
	}
}

// compareFolders warns where models are of another architecture, use equal shapes in another way, or
// have another tokenizer or chat template.
func (p *Plan) compareFolders(found *problems) {
	first := p.layoutInput()
	for _, in := range p.inputs() {
		found.warnings = append(found.warnings, in.odd...)
	}
	if first.dir == "" {
		return
	}
	want, sums := first.config.meaning(), first.tokenSums(found)
	for _, m := range p.models {
		if m == first || m.dir == "" {
			continue
		}
		if a, b := m.config.architecture(), first.config.architecture(); a != b && a != "" && b != "" {
			found.warn(codes.Architecture, m.name, "its config.json says "+a, b+" as in "+first.name, "check that it was fine-tuned from this base")
		}
		if first.config == nil && m.config != nil {
			found.warn(codes.Config, m.name, "it has a "+configFile+", and "+first.name+" has none", "one configuration: it says how the weights are used", "the output gets none; put the model's into the folder of "+first.name+" if the output is to have it")
		}
		have := m.config.meaning()
		if p.untied { // the output's is neither's, and that was said
			maps.DeleteFunc(have, func(key, _ string) bool { return strings.HasSuffix(key, tieKey) })
		}
		if list := differences(have, want, first.name); len(list) > 0 {
			found.warn(codes.Config, m.name, "its config.json says "+strings.Join(list, ", "), "one configuration: it says how the weights are used", "the output gets that of "+first.name+"; check that the model works with it")
		}
		theirs := m.tokenSums(found)
		if p.alignment != nil { // their rows go by their tokens
			theirs = map[string]string{templateFile: theirs[templateFile]}
		}
		if p.r.spec.ChatTemplate != "" || p.alignment != nil && p.alignment.from != first {
			delete(theirs, templateFile)
		}
		for _, name := range sortedKeys(theirs) {
			switch sum := theirs[name]; {
			case sums[name] != "" && sums[name] != sum:
				found.warn(codes.Tokenizer, m.name, "its "+name+" differs from that of "+first.name, "one tokenizer", "the output gets that of "+first.name+"; tokens that only the model knows are lost")
			case sums[name] == "" && name == templateFile:
				found.warn(codes.Tokenizer, m.name, "it has a "+name+", and "+first.name+" has none", "one chat template", "the output gets none; put the model's into the folder of "+first.name+" if the output is to have it")
			}
		}
	}
}

// differences says which entries are not the same in a model as in the first input. What is left out in
// one of them is not known.
func differences(have, want map[string]string, first string) []string {
	var out []string
	for _, key := range sortedKeys(have) {
		a, b := have[key], want[key]
		if absent := slices.Contains(sameWhereAbsent, key[strings.LastIndexByte(key, '.')+1:]); b == "" && absent {
			b = "null"
		}
		if b != "" && a != b {
			out = append(out, fmt.Sprintf("%s %s (%s: %s)", key, clip(a), first, clip(b)))
		}
	}
	for _, key := range sortedKeys(want) {
		if absent := slices.Contains(sameWhereAbsent, key[strings.LastIndexByte(key, '.')+1:]); absent && len(have) > 0 && have[key] == "" && want[key] != "null" {
			out = append(out, fmt.Sprintf("no %s (%s: %s)", key, first, want[key]))
		}
	}
	return out
}

// clip is a value with its middle left out where it is long, such as the names of a thousand classes.
func clip(text string) string {
	const most = 200
	if r := []rune(text); len(r) > most {
		return string(r[:most/2]) + "…" + string(r[len(r)-most/2:])
	}
	return text
}

const templateFile = "chat_template.jinja"

// tokenFiles are the files that say what token a row of the embeddings is.
var tokenFiles = []string{"tokenizer.json", "tokenizer.model", "spiece.model", "sentencepiece.bpe.model", "vocab.json", "vocab.txt", "merges.txt", templateFile}

// tokenSums are the digests of a folder's tokenFiles, of those that it has.
func (in *input) tokenSums(found *problems) map[string]string {
	out := map[string]string{}
	for _, name := range tokenFiles {
		path := filepath.Join(in.dir, name)
		sum, err := plainDigest(context.Background(), path, false)
		switch {
		case err == nil:
			out[name] = sum.hash
		case !errors.Is(err, fs.ErrNotExist):
			found.take(codes.Read, in.name, sidecarProblem(path, err))
		}
	}
	return out
}
