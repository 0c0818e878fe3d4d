package merge

import (
	"fmt"
	"slices"
	"sort"
	"strings"

	"parfait/merge/codes"
	"parfait/merge/internal/glob"
	"parfait/merge/method"
	"parfait/problem"
	"parfait/yamldoc"
)

// resolved is a Spec whose names, patterns and parameters have been checked. No file was opened.
type resolved struct {
	spec    Spec
	method  method.Method
	info    method.Info
	options method.Options
	fixed   map[string]number // numbers given in Spec.Params
	groups  []glob.Glob
	depths  []float64 // of tensors, where there is a profile and models were opened; nil: as if all were at 0
	skip    []glob.Glob
}

// number is a parameter's value: one for all, or by model and group.
type number struct {
	all float64
	by  map[string]number // by the name of a model or a group
}

// of returns the value for a model in a group; ok is false where the maps say nothing about them.
func (n number) of(model, group string) (v float64, ok bool) {
	if n.by == nil {
		return n.all, true
	}
	for _, key := range []string{model, group} {
		if m, found := n.by[key]; found && key != "" {
			return m.of(model, group)
		}
	}
	return 0, false
}

// resolve checks everything about a spec that needs no file.
func resolve(spec Spec) (*resolved, *problems) {
	var p problems
	r := &resolved{spec: spec, options: method.Options{}, fixed: map[string]number{}}
	r.checkNames(&p)
	for i, g := range spec.Groups {
		pattern, err := glob.Compile(g.Match)
		if err != nil {
			p.add(codes.Pattern, fmt.Sprintf("groups[%d] (%s)", i, g.Name), err.Error(), "a glob on whole tensor names such as 'model.layers.*'", "")
		}
		r.groups = append(r.groups, pattern)
	}
	for i, s := range spec.Skip {
		pattern, err := glob.Compile(s)
		if err != nil {
			p.add(codes.Pattern, fmt.Sprintf("skip[%d]", i), err.Error(), "a glob on whole tensor names such as 'classifier.*'", "")
		}
		r.skip = append(r.skip, pattern)
	}
	word := func(key, value string, code Code, known ...string) {
		if value != "" && !slices.Contains(known, value) {
			p.add(code, key, fmt.Sprintf("unknown value %q", value), strings.Join(known, ", "), problem.Meant(value, known))
		}
	}
	word("dtype", spec.DType, codes.DTypeName, AsBase, BF16, F16, F32)
	word("masks", spec.Masks, codes.Option, MasksPreserve, MasksIntersect, MasksUnion)
	word("form", spec.Form, codes.Option, FormAdapter)
	word("vocab", spec.Vocab, codes.Option, VocabCrop, VocabPad)
	sources := append(spec.modelNames(), TokenizerUnion)
	if spec.hasBase() {
		sources = append([]string{"base"}, sources...)
	}
	word("tokenizer", spec.Tokenizer, codes.Option, sources...)
	word("files", spec.Files, codes.Option, slices.DeleteFunc(slices.Clone(sources), func(s string) bool { return s == TokenizerUnion })...)
	if spec.Files != "" && spec.Form == FormAdapter {
		p.add(codes.Option, "files", "an adapter has no configuration of a model", "files with a full checkpoint", "leave files out")
	}
	if spec.Tokenizer != "" && spec.Vocab != VocabStrict {
		p.add(codes.Option, "vocab", fmt.Sprintf("%q, and tokenizer: %s says already which rows there are", spec.Vocab, spec.Tokenizer), "one of the two", "leave vocab out")
	}
	if spec.PadVocab != 0 && (spec.Tokenizer == "" || spec.PadVocab < 0) {
		p.add(codes.Option, "pad_to_multiple_of", fmt.Sprintf("%d, with tokenizer %q", spec.PadVocab, spec.Tokenizer), "1 and more, and a tokenizer that says which rows are tokens", "write tokenizer: base")
	}
	if spec.Tokenizer != "" && spec.Form == FormAdapter {
		p.add(codes.Option, "tokenizer", "an adapter has no vocabulary of its own", "tokenizer with a full checkpoint", "leave tokenizer out")
	}
	r.checkMethod(&p)
	r.checkProfile(&p)
	return r, &p
}

func (r *resolved) checkNames(p *problems) {
	seen := map[string]string{}
	check := func(where, name string) {
		if !ValidName(name) {
			p.add(codes.Name, where, fmt.Sprintf("the name %q", name), "1 to 64 characters without spaces and without . , = : / and quotes", "give it a short name such as math")
		}
		if first, dup := seen[name]; dup && name != "" {
			p.add(codes.Duplicate, where, fmt.Sprintf("the name %q is taken by %s", name, first), "a name of its own for every model and group", "rename one of them")
		}
		seen[name] = where
	}
	if len(r.spec.Models) == 0 {
		p.add(codes.NoModels, "models", "no model is given", "at least one", "list the fine-tuned models with name and path")
	}
	for i, m := range r.spec.Models {
		check(fmt.Sprintf("models[%d]", i), m.Name)
		if m.Path == "" && r.spec.Stacks[m.Name] == nil {
			p.add(codes.Open, fmt.Sprintf("models[%d] (%s)", i, m.Name), "it has no path", "a folder, a .safetensors file or a hub id", "")
		}
	}
	for i, g := range r.spec.Groups {
		check(fmt.Sprintf("groups[%d]", i), g.Name)
	}
}

func (r *resolved) checkMethod(p *problems) {
	m, ok := method.Get(r.spec.Method)
	if !ok {
		p.add(codes.Method, "method", fmt.Sprintf("unknown method %q", r.spec.Method), strings.Join(methodNames(), ", "), problem.Meant(r.spec.Method, methodNames()))
		return
	}
	r.method, r.info = m, m.Info()
	if r.info.NeedsBase && !r.spec.hasBase() {
		p.add(codes.NeedsBase, "base", fmt.Sprintf("%s works on differences from a base, and none is given", r.info.Name), "the model that the others were fine-tuned from", "add base:")
	}
	n, few, most := len(r.spec.Models), r.info.Models[0], r.info.Models[1]
	if n > 0 && (n < few || most > 0 && n > most) {
		want := fmt.Sprintf("at least %d", few)
		if few == most {
			want = fmt.Sprintf("exactly %d", few)
		}
		p.add(codes.ModelCount, "models", fmt.Sprintf("%d models are given, %s takes %s", n, r.info.Name, want), "", "change the list of models or the method")
	}
	for _, def := range r.info.Params {
		if def.Kind != method.Number && def.Default != nil {
			r.options[def.Name] = def.Default
		}
	}
	for _, name := range sortedKeys(r.spec.Params) {
		r.checkParam(p, name, r.spec.Params[name])
	}
	for _, def := range r.info.Params {
		if _, given := r.spec.Params[def.Name]; !given && def.Kind != method.Number && def.Default == nil {
			p.add(codes.Param, "method."+def.Name, "it is not given", def.About, "add it under method:")
		}
	}
	if f, ok := m.(method.Flexible); ok {
		r.info = f.For(r.options, r.spec.Base != "")
	}
	if r.spec.VarianceCorrection {
		if r.info.Name != "linear" || m.Domain(r.options) != method.Simplex {
			p.add(codes.Option, "variance_correction", fmt.Sprintf("it is defined for plain averages, and %s is none as it is set", r.info.Name), "method linear with normalize: true", "leave variance_correction out or change the method")
		}
		r.method = varianceCorrected{m}
	}
	if r.spec.MaxRank < 0 || r.spec.MaxRank > 0 && r.spec.Form != FormAdapter {
		p.add(codes.Option, "max_rank", fmt.Sprintf("%d, with form %q", r.spec.MaxRank, r.spec.Form), "a rank of 1 and more, of an adapter that is written", "write form: adapter, or leave max_rank out")
	}
	r.checkPreparation(p)
	if r.spec.Form == FormAdapter && (r.info.Name != "task_arithmetic" || r.spec.Masks != MasksNone) {
		p.add(codes.Option, "form", fmt.Sprintf("an adapter cannot be the result of %s", r.describe()), "method task_arithmetic without masks: only sums of adapters are adapters", "leave form out")
	}
}

// describe names the method with what was asked of it.
func (r *resolved) describe() string {
	if r.spec.Masks != MasksNone {
		return r.info.Name + " with masks"
	}
	return r.info.Name
}

func (r *resolved) checkParam(p *problems, name string, v any) {
	where := "method." + name
	def, ok := r.info.Param(name)
	if !ok {
		var known []string
		for _, d := range r.info.Params {
			known = append(known, d.Name)
		}
		want := strings.Join(known, ", ")
		if want == "" {
			want = "no parameters"
		}
		p.add(codes.Param, where, fmt.Sprintf("%s has no parameter %q", r.info.Name, name), want, problem.Meant(name, known))
		return
	}
	bad := func(want string) {
		p.add(codes.Param, where, fmt.Sprintf("the value %v", v), want, "")
	}
	switch def.Kind {
	case method.Flag:
		if _, ok := v.(bool); !ok {
			bad("true or false")
			return
		}
		r.options[name] = v
	case method.Choice:
		s, _ := v.(string)
		if !slices.Contains(def.Choices, s) {
			bad(strings.Join(def.Choices, ", "))
			return
		}
		r.options[name] = s
	case method.Paths:
		paths := map[string]string{}
		m, _ := v.(map[string]any)
		for _, model := range r.spec.Models {
			s, ok := m[model.Name].(string)
			if !ok || s == "" {
				p.add(codes.Param, where, fmt.Sprintf("no file is given for the model %s", model.Name), def.About, "")
			}
			paths[model.Name] = s
		}
		r.options[name] = paths
	case method.Number:
		r.fixed[name] = r.checkNumber(p, def, where, v)
	}
}

func (r *resolved) checkNumber(p *problems, def method.Param, where string, v any) number {
	switch x := v.(type) {
	case map[string]any:
		n := number{by: map[string]number{}}
		for _, key := range sortedKeys(x) {
			isModel := slices.Contains(r.spec.modelNames(), key)
			switch {
			case isModel && !def.PerModel:
				p.add(codes.Param, where+"."+key, fmt.Sprintf("%s is one number for all models", def.Name), "a number, or numbers by group", "")
			case !isModel && !slices.Contains(r.spec.groupNames(), key):
				known := append(r.spec.modelNames(), r.spec.groupNames()...)
				p.add(codes.Param, where+"."+key, fmt.Sprintf("%q is neither a model nor a group", key), strings.Join(known, ", "), problem.Meant(key, known))
			}
			n.by[key] = r.checkNumber(p, def, where+"."+key, x[key])
		}
		return n
	default:
		f, ok := yamldoc.Float(v)
		if !ok {
			p.add(codes.Param, where, fmt.Sprintf("the value %v", v), "a number "+def.Legal(), "")
			return number{}
		}
		if why := def.Refuses(f); why != "" {
			p.add(codes.Param, where, why, "a number "+def.Legal(), "")
		}
		return number{all: f}
	}
}

// group returns the index of the first group that matches, −1 for none; 0 without groups.
func (r *resolved) group(tensor string) int {
	if len(r.groups) == 0 {
		return 0
	}
	return slices.IndexFunc(r.groups, func(g glob.Glob) bool { return g.Match(tensor) })
}

func (r *resolved) skips(tensor string) bool {
	return slices.ContainsFunc(r.skip, func(g glob.Glob) bool { return g.Match(tensor) })
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}

// methodParam finds a parameter of a method, both by name.
func methodParam(of, name string) (method.Param, bool) {
	info, _ := method.Describe(of)
	return info.Param(name)
}

func methodNames() []string {
	var out []string
	for _, m := range method.All() {
		out = append(out, m.Name)
	}
	return out
}
