package merge

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"parfait/merge/codes"
)

// meaningKeys are the entries of config.json that say how weights of equal shapes are used: a model that
// was trained with other ones is not the same function under the base's.
var meaningKeys = []string{
	"num_attention_heads", "num_key_value_heads", "head_dim", "num_heads", "n_head", "n_heads", "encoder_attention_heads", "decoder_attention_heads",
	"rope_theta", "rope_scaling", "partial_rotary_factor", "rotary_pct", "rotary_emb_base", "rope_local_base_freq", "rope_interleave", "position_embedding_type", "alibi",
	"max_position_embeddings", "n_positions", "sliding_window", "use_sliding_window", "max_window_layers", "attention_window_size", "layer_types",
	"hidden_act", "hidden_activation", "activation_function", "feed_forward_proj",
	"rms_norm_eps", "layer_norm_eps", "layer_norm_epsilon", "norm_eps", "norm_epsilon",
	tieKey, "query_pre_attn_scalar", "attn_logit_softcapping", "final_logit_softcapping", "logit_scale", "logits_scaling",
	"embedding_multiplier", "residual_multiplier", "attention_multiplier", "scale_embedding", "relative_attention_num_buckets",
	"num_experts_per_tok", "norm_topk_prob", "routed_scaling_factor", "pad_token_id", "bos_token_id", "eos_token_id", "decoder_start_token_id",
}

// sameWhereAbsent are keys that mean null where they are left out.
var sameWhereAbsent = []string{"rope_scaling", "sliding_window"}

// meaning are the entries of a configuration that decide what the weights mean, as JSON. Spellings of
// one thing are brought to one: rope_parameters of newer versions, type and rope_type, the size of a
// head where it is left out.
func (c *modelConfig) meaning() map[string]string {
	out := map[string]string{}
	for prefix, m := range c.parts() {
		part := map[string]any{}
		for _, key := range meaningKeys {
			if v, ok := m[key]; ok {
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
		have := m.config.meaning()
		if p.untied { // the output's is neither's, and that was said
			maps.DeleteFunc(have, func(key, _ string) bool { return strings.HasSuffix(key, tieKey) })
		}
		if list := differences(have, want, first.name); len(list) > 0 {
			found.warn(codes.Config, m.name, "its config.json says "+strings.Join(list, ", "), "one configuration: it says how the weights are used", "the output gets that of "+first.name+"; check that the model works with it")
		}
		theirs := m.tokenSums(found)
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
			out = append(out, fmt.Sprintf("%s %s (%s: %s)", key, a, first, b))
		}
	}
	for _, key := range sortedKeys(want) {
		if absent := slices.Contains(sameWhereAbsent, key[strings.LastIndexByte(key, '.')+1:]); absent && len(have) > 0 && have[key] == "" && want[key] != "null" {
			out = append(out, fmt.Sprintf("no %s (%s: %s)", key, first, want[key]))
		}
	}
	return out
}

const templateFile = "chat_template.jinja"

// tokenFiles are the files that say what token a row of the embeddings is.
var tokenFiles = []string{"tokenizer.json", "tokenizer.model", "spiece.model", "sentencepiece.bpe.model", "vocab.json", "vocab.txt", "merges.txt", templateFile}

// tokenSums are the digests of a folder's tokenFiles, of those that it has.
func (in *input) tokenSums(found *problems) map[string]string {
	out := map[string]string{}
	for _, name := range tokenFiles {
		path := filepath.Join(in.dir, name)
		sum, err := plainDigest(path)
		switch {
		case err == nil:
			out[name] = sum
		case !errors.Is(err, fs.ErrNotExist):
			found.take(codes.Read, in.name, sidecarProblem(path, err))
		}
	}
	return out
}
