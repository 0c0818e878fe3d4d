package merge

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"parfait/merge/codes"
	"parfait/merge/method"
	"parfait/merge/safetensors"
)

// vocabularyName are tensors with a row a token.
var vocabularyName = regexp.MustCompile(`(^|\.)(embed_tokens|tok_embeddings|word_embeddings|wte|embed_in|embed_out|lm_head|shared|embeddings|output)\.(weight|bias)$`)

// compare matches the inputs' tensors with the layout's.
func (p *Plan) compare(found *problems) {
	p.settlePrefixes(found)
	p.findTies(found)
	adapted, apart := make([]map[string]operand, len(p.models)), make([]map[*tie]bool, len(p.models))
	for i, m := range p.models {
		if m.adapter != nil {
			adapted[i], apart[i] = p.matchAdapter(m, found)
		}
	}
	p.splitTies(apart, found)
	used := map[int]bool{}
	for _, name := range p.names() {
		t := p.newTensor(name)
		for i, m := range p.models {
			p.matchModel(t, m, adapted[i], found)
		}
		p.matchVocabulary(t, found)
		p.matchAux(t, found)
		t.Wide = p.wide(t, found)
		t.leansOnBase = p.leansOnBase(t)
		if t.role == roleMerge {
			if t.group = p.r.group(name); t.group < 0 {
				found.tensors.add(codes.NoGroup, "", name, "it matches no group", "every tensor in one group", "end the groups with {name: rest, match: '*'}")
				t.group = 0
			}
			used[t.group] = true
		}
		p.tensors = append(p.tensors, t)
	}
	p.placeLayers(found)
	index := 0
	for _, t := range p.tensors {
		if t.role == roleMerge {
			t.Index = index
			index++
		}
	}
	p.extraTensors(found)
	p.foldTensors(found)
	p.unusedPatterns(used, found)
	p.compareFolders(found)
	var err error
	p.template, err = p.findTemplate()
	found.take(codes.NotFound, "chat_template", err)
	if p.prepareKinds(found) {
		p.form(found)
		p.findMatrices(found)
	}
}

// form makes the plan one of an adapter, where that was asked for.
func (p *Plan) form(found *problems) {
	if p.r.spec.Form == FormAdapter {
		full := 0
		for _, m := range p.models {
			if m.adapter == nil {
				full++
			}
		}
		switch {
		case full == len(p.models) && p.r.spec.MaxRank > 0:
			p.makeExtracted(found)
			return
		case full == len(p.models):
			found.add(codes.Adapter, p.models[0].name, "it is a full checkpoint, and the form is adapter", "a rank, to which its task vector is brought", "write max_rank: 64, or leave form out")
			return
		case full > 0:
			found.add(codes.Adapter, "models", "some are adapters and some full checkpoints, and the form is adapter", "models of one kind", "leave form out, or extract adapters from the full ones first: parfait extract")
			return
		}
		p.makeAdapter(found)
	}
}

// foldTensors makes problems of those of single tensors.
func (p *Plan) foldTensors(found *problems) {
	if len(found.tensors.order)+len(found.odd.order) == 0 {
		return
	}
	var all []string
	for _, in := range p.inputs() {
		if in.adapter == nil {
			all = append(all, in.set.Names()...)
		}
	}
	slices.Sort(all)
	all = slices.Compact(all)
	layout := p.layoutInput().set.Len()
	found.list = append(found.list, found.tensors.fold(all, layout)...)
	found.warnings = append(found.warnings, found.odd.fold(all, layout)...)
}

// newTensor begins a tensor of the output as it is in the layout.
func (p *Plan) newTensor(name string) *tensor {
	layout := p.find(name)
	st := layout.tensor
	t := &tensor{layout: layout, out: p.outDType(st.DType)}
	t.Tensor = method.Tensor{Name: name, Shape: slices.Clone(st.Shape), Len: st.Elements(), Index: -1}
	if tie := p.tieOf(name); tie != nil && !tie.split {
		t.TiedTo = tie.source
	}
	if p.base != nil {
		t.base = t.layout
	}
	switch {
	case p.r.skips(name):
		t.role = roleSkip
	case !st.DType.Computable():
		t.role = roleCarried
	}
	return t
}

// matchModel finds t in a model.
func (p *Plan) matchModel(t *tensor, m *input, adapted map[string]operand, found *problems) {
	var o operand
	ok := true
	if m.adapter != nil {
		o = adapted[t.Name] // what an adapter does not have it does not change
		if tie := p.tieOf(t.Name); tie != nil && !o.present() && o.lora == nil {
			for _, name := range tie.aliases {
				if found, ok := adapted[name]; ok {
					o = found
				}
			}
		}
	} else {
		o, ok = p.operandOf(m, t.Name)
	}
	t.models = append(t.models, o)
	first := p.layoutInput().name
	if !ok {
		if t.role == roleMerge {
			found.tensors.add(codes.MissingTensor, m.name, t.Name, "the model lacks what "+first+" has", "the same tensors in every input", "take it from the base with skip: ["+skipMark+"]"+headHint(t.Name, "the model may have tied it to its embeddings: its config.json does not say so"))
		}
		return
	}
	if !o.present() || t.role == roleSkip {
		return
	}
	if t.role == roleCarried {
		return // see compareCarried
	}
	if !o.tensor.DType.Computable() {
		found.tensors.add(codes.DType, m.name, t.Name, "the dtype "+o.tensor.DType.String(), "BF16, F16, F32 or F64: nothing is computed on others", "convert the model to bf16 first, or take it from the base with skip: ["+skipMark+"]")
	}
	if !slices.Equal(o.tensor.Shape, t.layout.tensor.Shape) && !p.vocabulary(t, o) {
		found.tensors.add(codes.Shape, m.name, t.Name, fmt.Sprintf("the shape %v", o.tensor.Shape), fmt.Sprintf("%v as in %s", t.layout.tensor.Shape, first), "take it from the base with skip: ["+skipMark+"], or leave the model out")
	}
}

// vocabulary says whether an operand differs from the layout in its number of tokens only.
func (p *Plan) vocabulary(t *tensor, o operand) bool {
	a, b := o.tensor.Shape, t.layout.tensor.Shape
	return len(a) == len(b) && len(a) > 0 && slices.Equal(a[1:], b[1:]) && vocabularyName.MatchString(t.Name)
}

// matchVocabulary settles the rows of a tensor whose inputs have different vocabularies.
func (p *Plan) matchVocabulary(t *tensor, found *problems) {
	if p.alignment != nil && len(t.Shape) > 0 && t.role != roleCarried && vocabularyName.MatchString(t.Name) {
		p.alignRows(t, found)
		return
	}
	if t.role != roleMerge || len(t.Shape) == 0 {
		return
	}
	first := p.layoutInput()
	rows := []int64{t.Shape[0]}
	said := []string{fmt.Sprintf("%s %d", first.name, t.Shape[0])}
	for i, o := range t.models {
		if !o.present() || !p.vocabulary(t, o) {
			continue
		}
		rows = append(rows, o.tensor.Shape[0])
		said = append(said, fmt.Sprintf("%s %d", p.models[i].name, o.tensor.Shape[0]))
	}
	least, most := slices.Min(rows), slices.Max(rows)
	if least == most {
		return
	}
	switch p.r.spec.Vocab {
	case VocabCrop:
		t.Shape[0] = least
	case VocabPad:
		t.Shape[0] = most
	default:
		found.tensors.add(codes.Vocabulary, "", t.Name, "the vocabularies differ: "+strings.Join(said, ", ")+" rows", "as many tokens in every input", "write vocab: crop (--crop-vocab) to leave out the rows that not all have, or vocab: pad (--pad-vocab) to keep them; or take it from the base with skip: ["+skipMark+"]")
		return
	}
	t.Len = safetensors.Tensor{Shape: t.Shape}.Elements()
	p.vocab = t.Shape[0]
	found.odd.add(codes.Vocabulary, "", t.Name, "the vocabularies differ: "+strings.Join(said, ", ")+" rows", "as many tokens in every input", fmt.Sprintf("%d rows are written, with the tokenizer of %s", t.Shape[0], first.name))
}

// matchAux finds t in the files of a parameter of kind Paths.
func (p *Plan) matchAux(t *tensor, found *problems) {
	if t.role != roleMerge {
		return
	}
	for _, in := range p.aux {
		file, st, ok := in.set.Lookup(t.Name)
		t.aux = append(t.aux, operand{file: file, tensor: st})
		switch {
		case !ok:
			found.tensors.add(codes.MissingTensor, in.name, t.Name, "the file lacks it", "a tensor for every one that is merged", "take it from the base with skip: ["+skipMark+"]")
		case !slices.Equal(st.Shape, t.Shape):
			found.tensors.add(codes.Shape, in.name, t.Name, fmt.Sprintf("the shape %v", st.Shape), fmt.Sprintf("%v", t.Shape), "compute the file for these models")
		case st.DType != safetensors.F32 && st.DType != safetensors.F64:
			found.tensors.add(codes.DType, in.name, t.Name, "the dtype "+st.DType.String(), "F32 or F64: squares of gradients do not fit in less", "compute the file in float32")
		}
	}
}

// wide says whether t is computed in float64, and warns where the dtypes of its inputs differ.
func (p *Plan) wide(t *tensor, found *problems) bool {
	if t.role != roleMerge {
		return false
	}
	dtypes := []string{t.layout.tensor.DType.String()}
	for _, o := range t.models {
		if d := o.tensor.DType.String(); o.present() && !slices.Contains(dtypes, d) {
			dtypes = append(dtypes, d)
		}
	}
	if len(dtypes) > 1 {
		t.narrowed = slices.Contains(dtypes, safetensors.F64.String())
		found.odd.add(codes.MixedDTypes, "", t.Name, "the inputs have the dtypes "+strings.Join(dtypes, ", "), "one dtype", "it is computed in f32 and written as "+t.out.String())
		return false
	}
	return t.layout.tensor.DType == safetensors.F64
}

// leansOnBase says whether some operand is not there as it is from its first element to its last.
func (p *Plan) leansOnBase(t *tensor) bool {
	if t.role != roleMerge {
		return false
	}
	short := t.base.present() && t.base.tensor.Elements() < t.Len
	for _, o := range t.models {
		short = short || !o.present() || o.tensor.Elements() < t.Len
	}
	return short
}

// headHint is what else to know of a head.
func headHint(name, what string) string {
	if strings.HasPrefix(name, "lm_head.") {
		return " (" + what + ")"
	}
	return ""
}

// extraTensors says what models have that the layout lacks.
func (p *Plan) extraTensors(found *problems) {
	first := p.layoutInput()
	for _, m := range p.models {
		if m.adapter != nil {
			continue
		}
		for _, name := range m.set.Names() {
			if !first.has(name) && p.tieOf(name) == nil && !p.r.skips(name) {
				found.tensors.add(codes.ExtraTensor, m.name, name, "the model has what "+first.name+" lacks", "the same tensors in every input", "leave it out with skip: ["+skipMark+"]"+headHint(name, "what the model learnt in it is lost"))
			}
		}
	}
}

// unusedPatterns warns of globs that match nothing.
func (p *Plan) unusedPatterns(used map[int]bool, found *problems) {
	for i, g := range p.r.spec.Groups {
		if !used[i] {
			found.warn(codes.UnusedPattern, "groups: "+g.Name, fmt.Sprintf("no tensor is left for the pattern %q", g.Match), "at least one tensor", "check the pattern and the order: the first match wins")
		}
	}
	for i, s := range p.r.skip {
		matched := false
		for _, in := range p.inputs() {
			matched = matched || slices.ContainsFunc(in.set.Names(), s.Match)
		}
		if !matched {
			found.warn(codes.UnusedPattern, fmt.Sprintf("skip[%d]", i), fmt.Sprintf("no tensor matches %q", s.Pattern), "at least one tensor", "check the pattern: it is a glob on the whole name")
		}
	}
}
