package merge

import (
	"fmt"
	"regexp"
	"strings"

	"parfait/merge/codes"
	"parfait/merge/safetensors"
)

// One tensor may have several names: transformers 5 calls some modules otherwise in memory than their files do, and an
// adapter that is saved from memory has those names; and a model that was saved without its head lacks the prefix that the
// one with a head has.

// renaming is how names in files become names in memory.
type renaming struct {
	file   *regexp.Regexp
	memory string
}

func rename(pairs ...string) []renaming {
	var out []renaming
	for i := 0; i < len(pairs); i += 2 {
		out = append(out, renaming{regexp.MustCompile(pairs[i]), pairs[i+1]})
	}
	return out
}

// families are the renamings of transformers 5.24 (conversion_mapping.py) that concern modules which adapters train, those
// of one family together; all that match are done, in their order.
var families = [][]renaming{
	// LLaVA and what is built like it (Gemma 3, PaliGemma, Mistral 3, VipLLaVA, Qwen2-Audio, …)
	rename(`^language_model\.lm_head`, "lm_head", `^language_model\.model\.`, "model.language_model.", `^language_model\.`, "model.language_model.",
		`^(vision_tower|audio_tower|multi_modal_projector|image_newline|vision_model|connector|qformer)`, "model.$1"),
	// Qwen2-VL, Qwen2.5-VL
	rename(`^visual\.`, "model.visual.", `^model\.(embed_tokens|layers|norm|rotary_emb)`, "model.language_model.$1"),
	// ViT, DeiT, DINOv2
	rename(`encoder\.layer\.`, "layers.", `attention\.attention\.query`, "attention.q_proj", `attention\.attention\.key`, "attention.k_proj", `attention\.attention\.value`, "attention.v_proj",
		`attention\.output\.dense`, "attention.o_proj", `intermediate\.dense`, "mlp.fc1", `([0-9])\.output\.dense`, "$1.mlp.fc2"),
	// Swin, SegFormer
	rename(`attention\.self\.query`, "attention.q_proj", `attention\.self\.key`, "attention.k_proj", `attention\.self\.value`, "attention.v_proj",
		`attention\.output\.dense`, "attention.o_proj", `intermediate\.dense`, "mlp.fc1", `([0-9])\.output\.dense`, "$1.mlp.fc2"),
	// Granite MoE, Aria
	rename(`\.input_linear\.weight$`, ".experts.gate_up_proj", `\.output_linear\.weight$`, ".experts.down_proj",
		`\.experts\.fc1\.weight$`, ".experts.gate_up_proj", `\.experts\.fc2\.weight$`, ".experts.down_proj"),
	// GPT-NeoX
	rename(`^embed_out\.`, "lm_head."),
}

// fileNames finds the names in a base's files of modules that have others in memory, of the family that has most of
// them, under a longer or a shorter name too; empty where none has one.
func (in *input) fileNames(unknown []string) map[string]string {
	best := map[string]string{}
	for _, family := range families {
		files := map[string]string{}
		for _, name := range in.set.Names() {
			memory := name
			for _, r := range family {
				memory = r.file.ReplaceAllString(memory, r.memory)
			}
			if memory != name {
				files[memory] = name
			}
		}
		found, names := map[string]string{}, sortedKeys(files)
		for _, name := range unknown {
			near, ok := nearName(name, func(name string) bool { return files[name] != "" }, names)
			if ok {
				found[name] = files[near]
			}
		}
		if len(found) > len(best) {
			best = found
		}
	}
	return best
}

// nearName finds the name that another program knows under a longer or a shorter one, because one of two models was saved
// without its head.
func nearName(name string, known func(string) bool, names []string) (string, bool) {
	if known(name) {
		return name, true
	}
	if _, short, cut := strings.Cut(name, "."); cut && known(short) {
		return short, true
	}
	match := ""
	for _, n := range names {
		if strings.HasSuffix(n, "."+name) {
			if match != "" {
				return name, false
			}
			match = n
		}
	}
	if match == "" {
		return name, false
	}
	return match, true
}

// agreeing is the share of names of a model that the layout has, that many of its own have to be for two models to be
// taken for one under two prefixes.
const agreeing = 0.9

// settlePrefixes gives the tensors of full checkpoints the names of the layout where they differ in a prefix only: a model
// with a head and one without.
func (p *Plan) settlePrefixes(found *problems) {
	first := p.layoutInput()
	for _, m := range p.models {
		if m.adapter != nil || m == first {
			continue
		}
		from, to, ok := prefixBetween(m.set, first.set)
		if !ok {
			continue
		}
		picks := map[string]safetensors.Pick{}
		for _, name := range m.set.Names() {
			picks[renamed(name, from, to)] = safetensors.Pick{Set: m.set, Name: name}
		}
		set, err := safetensors.Select(m.set.Path(), []*safetensors.Set{m.set}, picks)
		if err != nil {
			continue // as they are
		}
		m.set = set
		what := fmt.Sprintf("its tensors begin with %q, and those of %s do not", from, first.name)
		if from == "" {
			what = fmt.Sprintf("its tensors lack %q, with which those of %s begin", to, first.name)
		}
		found.warn(codes.ExtraTensor, m.name, what, "the same names", "they are taken for the same: one of the two was saved without its head")
	}
}

// renamed is a name with one prefix instead of another. What has not the one stays.
func renamed(name, from, to string) string {
	if rest, ok := strings.CutPrefix(name, from); ok && (from != "" || to != "") {
		return to + rest
	}
	return name
}

// prefixBetween finds the prefix that most names of a model have and those of a layout have not (from), or the reverse
// (to). It says whether that makes names agree which do not as they are.
func prefixBetween(model, layout *safetensors.Set) (from, to string, ok bool) {
	share := func(from, to string) float64 {
		n := 0
		for _, name := range model.Names() {
			if to != "" && strings.HasPrefix(name, to) {
				return 0
			}
			if _, _, has := layout.Lookup(renamed(name, from, to)); has {
				n++
			}
		}
		return float64(n) / float64(max(1, min(model.Len(), layout.Len())))
	}
	if share("", "") > 1-agreeing {
		return "", "", false
	}
	best := 0.0
	for _, prefix := range prefixes(model) {
		if s := share(prefix, ""); s > best {
			best, from, to = s, prefix, ""
		}
	}
	for _, prefix := range prefixes(layout) {
		if s := share("", prefix); s > best {
			best, from, to = s, "", prefix
		}
	}
	return from, to, best >= agreeing
}

// prefixes are what many names begin with, of one part or two.
func prefixes(set *safetensors.Set) []string {
	count := map[string]int{}
	for _, name := range set.Names() {
		parts := strings.SplitAfterN(name, ".", 4)
		for n := 1; n < min(3, len(parts)); n++ {
			count[strings.Join(parts[:n], "")]++
		}
	}
	var out []string
	for _, prefix := range sortedKeys(count) {
		if 2*count[prefix] > set.Len() {
			out = append(out, prefix)
		}
	}
	return out
}
