package merge

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"parfait/merge/codes"
	"parfait/merge/internal/glob"
)

// Tied tensors are stored once and used in two places: a language model's head is most often its
// embeddings, and an encoder and a decoder share theirs. What changes one of the roles only (an adapter
// that trained the embeddings and not the head, a fine-tuned model with a head of its own) cannot be
// put into the one tensor: the output then has the other role as a tensor of its own, and its
// configuration says so, as PEFT's merge_and_unload does.
//
// The tensor that is stored is called source here, the other role alias.

// tieRule is one way in which transformers' models tie tensors (_tied_weights_keys), by names.
type tieRule struct {
	source  *regexp.Regexp
	aliases []string // what the alias may be called, $1 of source in it
	beside  string   // the alias is there only beside tensors called so; "" where config.json decides
	shared  bool     // by an encoder and a decoder; loaders differ in what they make of an alias that is stored
}

var (
	wordEmbeddings = regexp.MustCompile(`^(?:.*\.)?embeddings\.word_embeddings\.weight$`)
	sharedTensor   = regexp.MustCompile(`^(.*?)(?:model\.|transformer\.|led\.)?shared\.weight$`)
	sharedParts    = regexp.MustCompile(`^(.*\.)?shared\.weight$`)
)

var tieRules = []tieRule{
	{source: sharedTensor, aliases: []string{"${1}lm_head.weight"}, shared: true},
	{source: sharedParts, aliases: []string{"${1}encoder.embed_tokens.weight"}, beside: "${1}encoder.", shared: true},
	{source: sharedParts, aliases: []string{"${1}decoder.embed_tokens.weight"}, beside: "${1}decoder.", shared: true},
	{source: regexp.MustCompile(`^(.*?)model\.decoder\.embed_tokens\.weight$`), aliases: []string{"${1}proj_out.weight"}, beside: "${1}model.encoder."},
	{source: regexp.MustCompile(`^(.*?)(?:model\.)?(?:language_model\.|text_model\.|decoder\.)?embed_tokens\.weight$`), aliases: []string{"${1}lm_head.weight"}},
	{source: regexp.MustCompile(`^(.*?)transformer\.(?:wte|word_embeddings?)\.weight$`), aliases: []string{"${1}lm_head.weight"}},
	{source: regexp.MustCompile(`^(.*?)(?:gpt_neox|gpt_neox_japanese)\.embed_in\.weight$`), aliases: []string{"${1}embed_out.weight", "${1}lm_head.weight"}},
	{source: regexp.MustCompile(`^(.*?)backbone\.embeddings?\.weight$`), aliases: []string{"${1}lm_head.weight"}},
	{source: wordEmbeddings, aliases: []string{"cls.predictions.decoder.weight"}, beside: "cls.predictions."},
	{source: wordEmbeddings, aliases: []string{"predictions.decoder.weight"}, beside: "predictions."},
	{source: wordEmbeddings, aliases: []string{"lm_head.decoder.weight"}, beside: "lm_head."},
	{source: regexp.MustCompile(`^((?:cls\.)?predictions|lm_head)\.bias$`), aliases: []string{"${1}.decoder.bias"}, beside: "${1}."},
	{source: regexp.MustCompile(`^(?:.*\.)?embeddings\.tok_embeddings\.weight$`), aliases: []string{"decoder.weight"}, beside: "head."},
}

// headedName is in the name of a class that has a language model's head.
var headedName = regexp.MustCompile(`CausalLM|ConditionalGeneration|LMHead|DoubleHeads|MaskedLM|PreTraining|Seq2Seq|ImageTextToText|Vision2Seq|Generation`)

// tie is an alias that the layout may not need.
type tie struct {
	source  string
	aliases []string // names that it may have; the layout has none of them, or the first
	shared  bool
	stored  bool // the layout stores the alias as well, with the same values
	known   bool // configuration or names say that it is there and tied, and not only that it may be
	split   bool // the output has it as a tensor of its own
}

// alias is the name that the alias has, or would get.
func (t *tie) alias() string { return t.aliases[0] }

// findTies lists the aliases that the layout has without storing them, or stores although its
// configuration says that they are tied.
func (p *Plan) findTies(found *problems) {
	for _, t := range p.layoutInput().ties() {
		p.settleStored(t, found)
	}
}

// ties are the ways in which tensors of the input are, or may be, tied. Where an encoder and a decoder
// share a tensor that is all of them.
func (in *input) ties() []*tie {
	shares := slices.ContainsFunc(in.set.Names(), sharedParts.MatchString)
	var out []*tie
	for _, name := range naturalOrder(in.set) {
		if !shares && strings.Contains(name, "encoder.") {
			continue
		}
		for _, rule := range tieRules {
			if rule.shared != shares {
				continue
			}
			if t := in.tieBy(rule, name); t != nil {
				if out = append(out, t); !shares {
					break
				}
			}
		}
	}
	return out
}

// findStoredOnce are the ties that the input is known to have and of which it stores the source alone.
func (in *input) findStoredOnce() []*tie {
	return slices.DeleteFunc(in.ties(), func(t *tie) bool { return !t.known || t.stored })
}

// tieBy is how a rule ties a tensor of the input, nil where it does not.
func (in *input) tieBy(rule tieRule, name string) *tie {
	if !rule.source.MatchString(name) {
		return nil
	}
	t := &tie{source: name, shared: rule.shared}
	for _, alias := range rule.aliases {
		if alias = rule.source.ReplaceAllString(name, alias); in.has(alias) {
			t.aliases, t.stored = append([]string{alias}, t.aliases...), true
		} else {
			t.aliases = append(t.aliases, alias)
		}
	}
	if slices.Contains(t.aliases, name) {
		return nil
	}
	tied, said := in.config.tied()
	switch {
	case rule.beside != "":
		beside := rule.source.ReplaceAllString(name, rule.beside)
		there := slices.ContainsFunc(in.set.Names(), func(n string) bool { return strings.HasPrefix(n, beside) })
		t.known = there && (tied || !said || rule.shared)
		if !t.known {
			return nil
		}
	case said && !tied:
		return nil
	case in.config.classes() != "":
		if t.known = headedName.MatchString(in.config.classes()); !t.known {
			return nil // no head at all
		}
	default:
		t.known = said
	}
	return t
}

// settleStored decides what it means that the layout stores both roles.
func (p *Plan) settleStored(t *tie, found *problems) {
	first := p.layoutInput()
	if t.stored {
		if tied, said := first.config.tied(); !t.shared && !(tied && said) {
			return // two tensors like any others
		}
		source, _ := first.stored(t.source)
		alias, _ := first.stored(t.alias())
		same, err := sameValues(source, alias)
		found.take(codes.Read, first.name, err)
		if !same {
			if !t.shared {
				p.untied = true
				found.warn(codes.Tied, first.name, fmt.Sprintf("its config.json says %s, and %s is not %s", tieKey, t.alias(), t.source), "one tensor for both", "the output keeps both and says "+tieKey+": false: programs differ in which of the two they take for the head")
			}
			return
		}
	}
	p.ties = append(p.ties, t)
}

// tieOf finds the tie with an alias; nil where there is none.
func (p *Plan) tieOf(alias string) *tie {
	for _, t := range p.ties {
		if slices.Contains(t.aliases, alias) {
			return t
		}
	}
	return nil
}

// splitTies decides for every tie whether the output has the alias as a tensor of its own: where a model
// has it with other values than its source, or an adapter changes one of the two (apart).
func (p *Plan) splitTies(apart []map[*tie]bool, found *problems) {
	first := p.layoutInput()
	for _, t := range p.ties {
		if p.r.skips(t.source) && p.r.skips(t.alias()) {
			continue
		}
		for i, m := range p.models {
			why := ""
			if m.adapter != nil {
				if apart[i][t] {
					why = fmt.Sprintf("it trained one of %s and %s (modules_to_save), which %s stores once", t.source, t.alias(), first.name)
				}
			} else if own := m.ownAlias(t, found); own != "" {
				why = fmt.Sprintf("it has %s with other values than %s, and %s stores the two once", own, t.source, first.name)
				t.aliases = append([]string{own}, slices.DeleteFunc(t.aliases, func(s string) bool { return s == own })...)
			}
			switch {
			case why == "":
			case t.shared:
				found.add(codes.Tied, m.name, why, "one change for both: an encoder and a decoder share them, and programs differ in what they make of a second tensor", "leave the model out, or take both from the base with skip: ["+quoted([]string{glob.Escape(t.source), glob.Escape(t.alias())})+"]")
			case !t.known && m.adapter != nil:
				found.add(codes.Tied, m.name, fmt.Sprintf("it trained %s (modules_to_save), and without a config.json of %s nothing says whether the model's head is the same tensor", t.source, first.name), "a folder with the model's config.json", "give the folder that the file belongs to")
			default:
				t.split = true
				found.warn(codes.Tied, m.name, why, "one change for both", "the output gets "+t.alias()+" as a tensor of its own, and "+tieKey+": false in its config.json")
			}
		}
		p.untied = p.untied || t.split
	}
}

// ownAlias is the name of an alias that a full checkpoint stores with values that are not its source's.
func (in *input) ownAlias(t *tie, found *problems) string {
	for _, name := range t.aliases {
		alias, ok := in.stored(name)
		source, there := in.stored(t.source)
		if !ok || !there {
			continue
		}
		same, err := sameValues(source, alias)
		found.take(codes.Read, in.name, err)
		if !same {
			return name
		}
	}
	return ""
}

// names are the tensors of the output in their order: those of the layout, also an alias that it stores as
// well (but in adapters, which have one change for both), and at the end aliases that got one of their own.
func (p *Plan) names() []string {
	var out []string
	for _, name := range naturalOrder(p.layoutInput().set) {
		if t := p.tieOf(name); t == nil || t.shared || t.split || p.r.spec.Form != FormAdapter {
			out = append(out, name)
		}
	}
	for _, t := range p.ties {
		if t.split && !t.stored {
			out = append(out, t.alias())
		}
	}
	return out
}

// find is the operand of a tensor of the output in the layout.
func (p *Plan) find(name string) operand {
	first := p.layoutInput()
	if o, ok := first.stored(name); ok {
		return o
	}
	o, _ := first.stored(p.tieOf(name).source)
	return o
}

// operandOf finds a tensor of the output in a full checkpoint. A model whose head is its embeddings has
// the head by their name.
func (p *Plan) operandOf(m *input, name string) (operand, bool) {
	if o, ok := m.stored(name); ok {
		return o, true
	}
	if t := p.tieOf(name); t != nil {
		return m.stored(t.source)
	}
	for _, t := range m.storedOnce() {
		if slices.Contains(t.aliases, name) && p.layoutInput().has(t.source) {
			return m.stored(t.source)
		}
	}
	return operand{}, false
}

// settleRoles decides what an adapter does to the two roles of a tensor that is stored once, and says
// whether it changes them apart. byName are the adapter's parts by the tensors that they change.
//
// A LoRA on one of the roles is added to the one tensor, and so to both, as PEFT does when it merges.
func (in *input) settleRoles(t *tie, byName map[string]*parts, found *problems) (apart bool) {
	source, alias := byName[t.source], (*parts)(nil)
	for _, name := range t.aliases {
		if byName[name] != nil {
			alias = byName[name]
			delete(byName, name)
		}
	}
	once := fmt.Sprintf("%s and %s, which the base stores once", t.source, t.alias())
	switch {
	case source == nil && alias == nil:
		return false
	case source != nil && alias != nil && (source.product() || alias.product()):
		found.add(codes.Tied, in.name, "it has a LoRA on both "+once, "a LoRA on one of them: the one tensor cannot have two changes", "give a base with a head of its own, in which each has its place: "+untieCommand)
	case source.product() || alias.product():
		if source == nil {
			byName[t.source] = alias
		}
		if t.known {
			found.warn(codes.Tied, in.name, "it has a LoRA on one of "+once, "one change for both", "both are changed, as PEFT does when it merges; in training only one was")
		}
	case source != nil && alias != nil:
		same, err := sameValues(source.full, alias.full)
		found.take(codes.Read, in.name, err)
		if !same {
			byName[t.alias()] = alias
		}
		return !same
	case alias != nil:
		byName[t.alias()] = alias
		return true
	default:
		return true
	}
	return false
}

// untieCommand gives a model a head of its own.
const untieCommand = "`python -c \"import torch, transformers as t; m = t.AutoModelForCausalLM.from_pretrained('BASE', torch_dtype='auto'); " +
	"m.lm_head.weight = torch.nn.Parameter(m.get_input_embeddings().weight.detach().clone()); " +
	"m.config.tie_word_embeddings = m.config.get_text_config().tie_word_embeddings = False; m.save_pretrained('OUT')\"`"

func (in *input) has(name string) bool {
	_, _, ok := in.set.Lookup(name)
	return ok
}

// stored is the operand of a tensor that the input has under this name.
func (in *input) stored(name string) (o operand, ok bool) {
	o.file, o.tensor, ok = in.set.Lookup(name)
	return o, ok
}
