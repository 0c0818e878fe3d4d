package mergekit

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"

	"parfait/merge"
	"parfait/merge/internal/glob"
	"parfait/merge/method"
	"parfait/problem"
	"parfait/yamldoc"
)

// Export writes a recipe as a mergekit configuration. What cannot be said there is refused, with a
// problem.List; warnings say where mergekit's result differs (see docs/mergekit.md).
func Export(r merge.Recipe) (config []byte, warnings []merge.Problem, err error) {
	e := writer{spec: r.Spec(), weights: r.At()}
	e.info, _ = method.Describe(e.spec.Method)
	e.skeleton = sync.OnceValues(func() (skeleton, error) {
		return readSkeleton(cmp.Or(e.spec.Base, e.spec.Models[0].Path), nil)
	})
	e.check()
	if len(e.problems) > 0 {
		return nil, nil, problem.List(e.problems)
	}
	return e.write(), e.warnings, nil
}

type writer struct {
	spec    merge.Spec
	info    method.Info
	weights map[string]float64
	// skeleton is that of the base, or of the first model: it is looked into where names of tensors are needed.
	skeleton func() (skeleton, error)

	problems, warnings []merge.Problem
	// filters of each group; nil for the whole of the rest.
	filters [][]string
	skip    []string
}

func (e *writer) refuse(where, what, fix string) {
	e.problems = append(e.problems, merge.Problem{Code: Code, Where: where, What: what, Expected: "what a mergekit configuration can say", Fix: fix})
}

func (e *writer) warn(where, what, fix string) {
	e.warnings = append(e.warnings, merge.Problem{Code: Code, Where: where, What: what, Fix: fix})
}

func (e *writer) check() {
	s := e.spec
	if e.info.Mergekit.Name == "" {
		e.refuse("method", fmt.Sprintf("mergekit has no method %s", s.Method), "")
		return
	}
	if e.info.Random {
		e.warn("seed", "mergekit draws other random masks", "")
	}
	e.checkParams()
	for where, set := range map[string]bool{
		"masks": s.Masks != "", "variance_correction": s.VarianceCorrection, "vocab": s.Vocab != "", "form": s.Form != "", "prepare": s.Prepare.Name != "", "stack": s.Stacks != nil,
	} {
		if set {
			e.refuse(where, "mergekit has no such thing", "leave it out")
		}
	}
	if s.Profile > 0 {
		e.refuse("profile", "mergekit's gradients give the head and the last norm what the first layer has, and a profile what the last one has", "merge it here: parfait merge")
	}
	for i, g := range s.Groups {
		words, ok := substrings(g.Match)
		if !ok {
			words, ok = e.namesIn(i)
		}
		if !ok {
			e.refuse(fmt.Sprintf("groups[%d] (%s)", i, g.Name), fmt.Sprintf("mergekit selects tensors by a part of their name, which %q is not", g.Match), "write patterns such as '*mlp*' or 'model.layers.3.*', or export where the base's headers can be read")
		}
		e.filters = append(e.filters, words)
	}
	for i, pattern := range s.Skip {
		words, ok := substrings(pattern)
		switch {
		case !ok || words == nil:
			e.refuse(fmt.Sprintf("skip[%d]", i), fmt.Sprintf("mergekit selects tensors by a part of their name, which %q is not", pattern), "write patterns such as '*classifier*'")
		case !e.info.NeedsBase || weightless(e.info):
			e.refuse(fmt.Sprintf("skip[%d]", i), fmt.Sprintf("with %s mergekit cannot take tensors from the base", s.Method), "")
		}
		e.skip = append(e.skip, words...)
	}
}

// checkParams refuses parameters and weights that mergekit has no words for.
func (e *writer) checkParams() {
	for _, name := range e.info.Mergekit.Lacks {
		def, _ := e.info.Param(name)
		there := e.info.Mergekit.Default(def)
		v, given := e.spec.Params[name]
		if !given {
			v = def.Default
		}
		if a, number := yamldoc.Float(v); number {
			v = a
		}
		if v != there {
			e.refuse("method."+name, fmt.Sprintf("%v, and mergekit's %s has no %s: it is always as with %v", v, e.info.Mergekit.Name, name, there), fmt.Sprintf("%s: %v is exported", name, there))
		}
	}
	if e.choice("rescale") == "probability" {
		e.warn("method.rescale", "mergekit scales what is kept to the old sum of magnitudes, and does not divide it by its probability", "rescale: l1 is the same here and there")
	}
	if !e.info.Mergekit.Unweighted {
		return
	}
	groups := []string{""}
	if len(e.spec.Groups) > 0 {
		groups = nil
		for _, g := range e.spec.Groups {
			groups = append(groups, g.Name)
		}
	}
	for _, g := range groups {
		for _, m := range e.spec.Models {
			if e.weights[inGroup(m.Name, g)] != e.weights[inGroup(e.spec.Models[0].Name, g)] {
				e.refuse(inGroup(m.Name, g), "its weight is not that of the other models, and mergekit's "+e.info.Mergekit.Name+" has no weights", "give all models the same")
			}
		}
	}
}

// choice is what a parameter that is one of several words is; "" where the method has none of that name.
func (e *writer) choice(name string) string {
	def, _ := e.info.Param(name)
	word, ok := e.spec.Params[name].(string)
	if !ok {
		word, _ = def.Default.(string)
	}
	return word
}

// namesIn are the names of the tensors of a group, where the headers can be read and no name is a part
// of another tensor's.
func (e *writer) namesIn(group int) ([]string, bool) {
	s, err := e.skeleton()
	if err != nil {
		return nil, false
	}
	groupOf := byGroups(e.spec.Groups)
	words := []string{}
	for _, name := range s.names {
		if groupOf(name) != group {
			continue
		}
		for _, other := range s.names {
			if other != name && strings.Contains(other, name) {
				return nil, false
			}
		}
		words = append(words, name)
	}
	return words, true
}

var classOfDigits = regexp.MustCompile(`\[(\d)-(\d)\]`)

// substrings are the texts of which a name contains one exactly if it matches the pattern, as far as
// names of tensors go; nil where every name matches.
func substrings(pattern string) (words []string, ok bool) {
	if strings.Trim(pattern, "*") == "" {
		return nil, pattern != ""
	}
	if m := classOfDigits.FindStringSubmatchIndex(pattern); m != nil {
		for d := pattern[m[2]]; d <= pattern[m[4]]; d++ {
			part, ok := substrings(pattern[:m[0]] + string(d) + pattern[m[1]:])
			if !ok {
				return nil, false
			}
			words = append(words, part...)
		}
		return words, true
	}
	word := strings.TrimSuffix(strings.TrimPrefix(pattern, "*"), "*")
	var plain strings.Builder
	for i := 0; i < len(word); i++ {
		switch {
		case word[i] == '\\' && i+1 < len(word):
			i++
		case strings.IndexByte(`*?[{\`, word[i]) >= 0:
			return nil, false
		}
		plain.WriteByte(word[i])
	}
	return []string{plain.String()}, true
}

func (e *writer) write() []byte {
	s := e.spec
	var b strings.Builder
	fmt.Fprintf(&b, "merge_method: %s\n", e.info.Mergekit.Name)
	base, models := s.Base, s.Models
	if e.info.Mergekit.BaseIsFirst {
		base = models[0].Path
	}
	if base != "" {
		b.WriteString("base_model: " + yamldoc.Quote(base) + "\n")
	}
	b.WriteString("models:\n")
	for i, m := range models {
		b.WriteString("  - model: " + yamldoc.Quote(m.Path) + "\n")
		e.params(&b, i)
	}
	e.shared(&b)
	// mergekit computes in dtype: float32 is what this program does.
	b.WriteString("dtype: float32\n")
	if out := torchNames[s.DType]; out != "" {
		b.WriteString("out_dtype: " + out + "\n")
	} else {
		e.warn("dtype", "mergekit writes one dtype, and the recipe keeps the base's", "add out_dtype: bfloat16 if the base is in bf16; else it writes float32")
	}
	switch i := slices.IndexFunc(models, func(m merge.Source) bool { return m.Name == s.Tokenizer }); {
	case s.Tokenizer == "":
	case i >= 0 && (i > 0 || base != ""):
		b.WriteString("tokenizer_source: " + yamldoc.Quote(models[i].Path) + "\n")
	case s.Tokenizer == merge.TokenizerUnion:
		b.WriteString("tokenizer_source: union\n")
	default:
		b.WriteString("tokenizer_source: base\n")
	}
	if s.Files != "" {
		e.warn("files", "mergekit copies the configuration of its base_model, and the recipe takes "+s.Files+"'s", "copy config.json and generation_config.json of "+s.Files+" into the merge afterwards")
	}
	if s.ChatTemplate != "" {
		b.WriteString("chat_template: " + yamldoc.Quote(s.ChatTemplate) + "\n")
	}
	return []byte(b.String())
}

// params are a model's own parameters.
func (e *writer) params(b *strings.Builder, i int) {
	name := e.spec.Models[i].Name
	var lines []string
	weight := func(group string) (float64, bool) { v, ok := e.weights[inGroup(name, group)]; return v, ok }
	if _, ok := weight(e.firstGroup()); ok && !e.info.Mergekit.Unweighted {
		lines = append(lines, e.setting("weight", func(group string) float64 { v, _ := weight(group); return v }, true))
	}
	for _, def := range e.info.Params {
		if def.Kind == method.Number && def.PerModel {
			lines = append(lines, e.setting(def.Name, func(group string) float64 { return e.number(def, name, group) }, false))
		}
	}
	if len(lines) > 0 {
		b.WriteString("    parameters:\n")
		for _, line := range lines {
			b.WriteString("      " + line + "\n")
		}
	}
}

// shared are the parameters of the whole merge.
func (e *writer) shared(b *strings.Builder) {
	var lines []string
	for _, def := range e.info.Params {
		switch {
		case slices.Contains(e.info.Mergekit.Lacks, def.Name):
		case def.Name == "vectors":
			lines = append(lines, vectorsFlags(e.info.Name, e.choice("vectors"))...)
		case def.Name == "rescale":
			lines = append(lines, fmt.Sprintf("rescale: %v", e.choice("rescale") != "none"))
		case def.Kind == method.Number && !def.PerModel:
			lines = append(lines, e.setting(def.Name, func(group string) float64 { return e.number(def, "", group) }, false))
		case def.Kind == method.Flag:
			v, ok := e.spec.Params[def.Name].(bool)
			if !ok {
				v, _ = def.Default.(bool)
			}
			lines = append(lines, fmt.Sprintf("%s: %v", e.info.Mergekit.NameOf(def.Name), v))
		}
	}
	if len(lines) > 0 {
		b.WriteString("parameters:\n")
		for _, line := range lines {
			b.WriteString("  " + line + "\n")
		}
	}
}

func (e *writer) firstGroup() string {
	if len(e.spec.Groups) == 0 {
		return ""
	}
	return e.spec.Groups[0].Name
}

// number is a parameter's value as the recipe fixes it.
func (e *writer) number(def method.Param, model, group string) float64 {
	v, _ := yamldoc.Float(def.Default)
	given, ok := e.spec.Params[def.Name]
	for ok {
		m, nested := given.(map[string]any)
		if !nested {
			v, _ = yamldoc.Float(given)
			break
		}
		if given, ok = m[model]; !ok || model == "" {
			given, ok = m[group]
		}
	}
	return v
}

// setting writes a parameter: one value, or values with filters.
func (e *writer) setting(name string, value func(group string) float64, skip bool) string {
	var cases []string
	if skip {
		for _, word := range e.skip {
			cases = append(cases, fmt.Sprintf("{filter: %s, value: 0}", yamldoc.Quote(word)))
		}
	}
	same := true
	for _, g := range e.spec.Groups {
		same = same && value(g.Name) == value(e.firstGroup())
	}
	if same {
		if cases == nil {
			return name + ": " + yamldoc.FormatNumber(value(e.firstGroup()))
		}
		return name + ": [" + strings.Join(append(cases, "{value: "+yamldoc.FormatNumber(value(e.firstGroup()))+"}"), ", ") + "]"
	}
	for i, g := range e.spec.Groups {
		v := yamldoc.FormatNumber(value(g.Name))
		if e.filters[i] == nil {
			cases = append(cases, "{value: "+v+"}")
		}
		for _, word := range e.filters[i] {
			cases = append(cases, fmt.Sprintf("{filter: %s, value: %s}", yamldoc.Quote(word), v))
		}
	}
	return name + ": [" + strings.Join(cases, ", ") + "]"
}

// torchNames are PyTorch's names of what may be written.
var torchNames = map[string]string{merge.BF16: "bfloat16", merge.F16: "float16", merge.F32: "float32"}

// weightless says whether a method has no weights.
func weightless(info method.Info) bool {
	return slices.Equal(info.Domains, []method.Domain{method.Weightless})
}

// inGroup is the name of a model's weight in a group.
func inGroup(model, group string) string {
	if group == "" {
		return model
	}
	return model + "." + group
}

// byGroups finds the first of some groups that matches a tensor, −1 where none does.
func byGroups(groups []merge.Group) func(tensor string) int {
	patterns := make([]glob.Glob, len(groups))
	for i, g := range groups {
		patterns[i], _ = glob.Compile(g.Match) // a recipe has none that cannot be
	}
	return func(tensor string) int {
		return slices.IndexFunc(patterns, func(p glob.Glob) bool { return p.Match(tensor) })
	}
}
