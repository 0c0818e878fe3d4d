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
		if m["use_sliding_window"] == false {
			part["sliding_window"] = nil
		}
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
		if full, ok := p["full_attention"].(map[string]any); ok { // Gemma 3 has two
			if local, ok := p["sliding_attention"].(map[string]any); ok && local["rope_theta"] != nil {
				part["rope_local_base_freq"] = local["rope_theta"]
			}
			p = full
		}
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

// Difference is an entry of the configurations that is not the same in all of them.
type Difference struct {
	Key string `json:"key"`
	// Values are as JSON, by the names of the inputs: what transformers takes where positions are left out, and no value where
	// an entry is left out that says something else.
	Values map[string]string `json:"values"`
}

// compareFolders warns where models are of another architecture, use equal shapes in another way, or
// have another tokenizer or chat template, than the input whose files the output gets.
func (p *Plan) compareFolders(found *problems) {
	first, own := p.filesInput(), ""
	for _, in := range p.inputs() {
		found.warnings = append(found.warnings, in.odd...)
	}
	if first.dir == "" {
		if p.r.spec.Files != "" {
			found.add(codes.Option, "files", first.name+" is a file alone, without others beside it", "a model's folder", "give the folder")
		}
		return
	}
	want, sums := first.meaning(found), first.tokenSums(found)
	others, meanings, differing := p.models, map[string]entries{first.name: {first.config, want}}, []string(nil)
	if p.base != nil {
		others = append([]*input{p.base}, others...)
	}
	for _, m := range others {
		if m == first || m.dir == "" {
			continue
		}
		if p.r.spec.Files == "" {
			own = ", or take the model's with files: " + m.name
		}
		if a, b := m.config.architecture(), first.config.architecture(); a != b && a != "" && b != "" {
			found.warn(codes.Architecture, m.name, "its config.json says "+a, b+" as in "+first.name, "check that it was fine-tuned from this base")
		}
		if first.config == nil && first.adapter == nil && m.config != nil {
			found.warn(codes.Config, m.name, "it has a "+configFile+", and "+first.name+" has none", "one configuration: it says how the weights are used", "the output gets none"+own)
		}
		have := m.meaning(found)
		meanings[m.name] = entries{m.config, maps.Clone(have)}
		if m.config == nil && m.adapter != nil || first.adapter != nil {
			have = nil // an adapter has none of its own, and the output that of the base
		}
		if p.untied { // the output's is neither's, and that was said
			maps.DeleteFunc(have, func(key, _ string) bool { return strings.HasSuffix(key, tieKey) })
		}
		if keys, list := differences(entries{m.config, have}, meanings[first.name], first.name); len(list) > 0 {
			differing = append(differing, keys...)
			found.warn(codes.Config, m.name, "its config.json says "+strings.Join(list, ", "), "one configuration: it says how the weights are used", "the output gets that of "+first.name+"; check that the model works with it"+own)
		}
		theirs := m.tokenSums(found)
		if p.alignment != nil { // their rows go by their tokens
			maps.DeleteFunc(theirs, func(name, _ string) bool { return name != templateWords })
		}
		if p.r.spec.ChatTemplate != "" || p.alignment != nil && p.alignment.from != first {
			delete(theirs, templateWords)
		}
		for _, name := range sortedKeys(theirs) {
			switch sum := theirs[name]; {
			case sums[name] != "" && sums[name] != sum && name == templateWords:
				found.warn(codes.Tokenizer, m.name, "its "+name+" differs from that of "+first.name, "one chat template", "the output gets that of "+first.name+": what this model learned to answer is written in another form than it saw"+own)
			case sums[name] != "" && sums[name] != sum:
				found.warn(codes.Tokenizer, m.name, "its "+name+" differs from that of "+first.name, "one tokenizer", "the output gets that of "+first.name+"; tokens that only the model knows are lost"+own)
			case sums[name] == "" && name == templateWords:
				found.warn(codes.Tokenizer, m.name, "it has a "+name+", and "+first.name+" has none", "one chat template", "the output gets none"+own)
			}
		}
	}
	slices.Sort(differing)
	for _, key := range slices.Compact(differing) {
		d := Difference{key, map[string]string{}}
		for name, meaning := range meanings {
			if v, _ := meaning.value(key); v != "" {
				d.Values[name] = clip(v)
			}
		}
		p.differences = append(p.differences, d)
	}
}

// filesInput is the input whose configuration, tokenizer and other files the output gets.
func (p *Plan) filesInput() *input {
	for _, in := range p.inputs() {
		if in.name == p.r.spec.Files {
			return in
		}
	}
	return p.layoutInput()
}

const generationFile = "generation_config.json"

// stopKey stands for the tokens at which generation stops, which a generation_config.json says before a config.json does.
const stopKey = "generation_config.eos_token_id"

// meaning are the entries of an input's configurations that decide what it does.
func (in *input) meaning(found *problems) map[string]string {
	out := in.config.meaning()
	path := filepath.Join(in.dir, generationFile)
	data, err := readSidecar(path)
	if errors.Is(err, fs.ErrNotExist) {
		return out
	}
	var generation map[string]any
	if err == nil {
		if bad := json.Unmarshal(plainJSON(data), &generation); bad != nil {
			err = Problem{Code: codes.Read, Where: path, What: "it is not a JSON object: " + atLine(data, bad), Expected: "a model's defaults of generation", Fix: "copy it again from where the model comes from (hf download), or remove it"}
		}
	}
	found.take(codes.Read, in.name, err)
	if v, ok := generation["eos_token_id"]; ok {
		out[stopKey] = asJSON(v)
	}
	return out
}

// entries are those of an input's configurations, as meaning gives them.
type entries struct {
	config *modelConfig
	values map[string]string
}

// value is an entry as JSON, or what leaving it out means; "" where that is not known.
func (e entries) value(key string) (text string, said bool) {
	if v, ok := e.values[key]; ok {
		return v, true
	}
	return e.config.leftOut(key), false
}

// differences says which entries are not the same in a model as in the first input. What is left out in
// one of them is not known, except of positions.
func differences(have, want entries, first string) (keys, out []string) {
	if have.values == nil { // an adapter's are the base's
		return nil, nil
	}
	all := maps.Clone(want.values)
	maps.Copy(all, have.values)
	for _, key := range sortedKeys(all) {
		a, ours := have.value(key)
		b, theirs := want.value(key)
		if a == b || a == "" || b == "" {
			continue
		}
		text := key + " " + clip(a)
		if !ours {
			text = "no " + key
		}
		if !ours && a != "null" {
			text += ", which means " + a
		}
		of := clip(b)
		if !theirs && b != "null" {
			of = "none, which means " + b
		}
		keys, out = append(keys, key), append(out, fmt.Sprintf("%s (%s: %s)", text, first, of))
	}
	return keys, out
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

// templateWords stands for a chat template, which is a file or an entry of another.
const templateWords = "chat template"

// tokenFiles are the files that say what token a row of the embeddings is.
var tokenFiles = []string{"tokenizer.json", "tokenizer.model", "spiece.model", "sentencepiece.bpe.model", "vocab.json", "vocab.txt", "merges.txt", "bpe.codes", "source.spm", "target.spm"}

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
	text, err := in.chatTemplate()
	found.take(codes.Read, in.name, err)
	if text != "" {
		out[templateWords] = text
	}
	return out
}
