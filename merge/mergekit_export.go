package merge

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"parfait/merge/method"
)

// ExportMergekit writes a recipe as a mergekit configuration. What cannot be said there is refused;
// warnings say where mergekit's result differs (see docs/mergekit.md).
func ExportMergekit(r Recipe) ([]byte, []Problem, error) {
	e := mergekitWriter{r: r, spec: r.spec}
	e.check()
	if err := e.found.err(); err != nil {
		return nil, nil, err
	}
	return e.write(), e.found.warnings, nil
}

type mergekitWriter struct {
	r     Recipe
	spec  Spec
	found problems
	// filters of each group; nil for the whole of the rest.
	filters [][]string
	skip    []string
}

func (e *mergekitWriter) refuse(where, what, fix string) {
	e.found.add(CodeMergekit, where, what, "what a mergekit configuration can say", fix)
}

func (e *mergekitWriter) check() {
	s := e.spec
	if !slices.Contains(mergekitMethods, s.Method) {
		e.refuse("method", fmt.Sprintf("mergekit has no method %s", s.Method), "")
		return
	}
	if s.Params["trim"] == "global" {
		e.refuse("method.trim", "mergekit trims per tensor only", "")
	}
	if info := infoOf(s.Method); info.Random {
		e.found.warn(CodeMergekit, "seed", "mergekit draws other random masks, and rescales to the old sum of magnitudes", "", "")
	}
	for where, set := range map[string]bool{
		"masks": s.Masks != MasksNone, "variance_correction": s.VarianceCorrection, "vocab": s.Vocab != VocabStrict, "form": s.Form != FormFull,
	} {
		if set {
			e.refuse(where, "mergekit has no such thing", "leave it out")
		}
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
		case !infoOf(s.Method).NeedsBase || s.Method == "model_stock":
			e.refuse(fmt.Sprintf("skip[%d]", i), fmt.Sprintf("with %s mergekit cannot take tensors from the base", s.Method), "")
		}
		e.skip = append(e.skip, words...)
	}
}

// namesIn are the names of the tensors of a group, where the headers can be read and no name is a part
// of another tensor's.
func (e *mergekitWriter) namesIn(group int) ([]string, bool) {
	path := e.spec.Base
	if path == "" {
		path = e.spec.Models[0].Path
	}
	s, err := readSkeleton(path)
	if err != nil {
		return nil, false
	}
	r, _ := resolve(e.spec)
	words := []string{}
	for _, name := range s.names {
		if r.group(name) != group {
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
		case strings.IndexByte(`*?[\`, word[i]) >= 0:
			return nil, false
		}
		plain.WriteByte(word[i])
	}
	return []string{plain.String()}, true
}

func (e *mergekitWriter) write() []byte {
	s := e.spec
	var b strings.Builder
	fmt.Fprintf(&b, "merge_method: %s\n", s.Method)
	base, models := s.Base, s.Models
	if s.Method == "slerp" {
		base = models[0].Path
	}
	if base != "" {
		b.WriteString("base_model: " + yamlText(base) + "\n")
	}
	b.WriteString("models:\n")
	for i, m := range models {
		b.WriteString("  - model: " + yamlText(m.Path) + "\n")
		e.params(&b, i)
	}
	e.shared(&b)
	// mergekit computes in dtype: float32 is what this program does.
	b.WriteString("dtype: float32\n")
	if out := torchNames[s.DType]; out != "" {
		b.WriteString("out_dtype: " + out + "\n")
	} else {
		e.found.warn(CodeMergekit, "dtype", "mergekit writes one dtype, and the recipe keeps the base's", "", "add out_dtype: bfloat16 if the base is in bf16; else it writes float32")
	}
	b.WriteString("tokenizer_source: base\n")
	return []byte(b.String())
}

// params are a model's own parameters.
func (e *mergekitWriter) params(b *strings.Builder, i int) {
	name := e.spec.Models[i].Name
	var lines []string
	weight := func(group string) (float64, bool) { v, ok := e.r.weights[join(name, group)]; return v, ok }
	if _, ok := weight(e.firstGroup()); ok {
		lines = append(lines, e.setting("weight", func(group string) float64 { v, _ := weight(group); return v }, true))
	}
	for _, def := range infoOf(e.spec.Method).Params {
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
func (e *mergekitWriter) shared(b *strings.Builder) {
	var lines []string
	for _, def := range infoOf(e.spec.Method).Params {
		switch {
		case def.Kind == method.Number && !def.PerModel:
			lines = append(lines, e.setting(def.Name, func(group string) float64 { return e.number(def, "", group) }, false))
		case def.Kind == method.Flag:
			v, ok := e.spec.Params[def.Name].(bool)
			if !ok {
				v, _ = def.Default.(bool)
			}
			lines = append(lines, fmt.Sprintf("%s: %v", def.Name, v))
		}
	}
	if len(lines) > 0 {
		b.WriteString("parameters:\n")
		for _, line := range lines {
			b.WriteString("  " + line + "\n")
		}
	}
}

func (e *mergekitWriter) firstGroup() string {
	if len(e.spec.Groups) == 0 {
		return ""
	}
	return e.spec.Groups[0].Name
}

// number is a parameter's value as the recipe fixes it.
func (e *mergekitWriter) number(def method.Param, model, group string) float64 {
	v, _ := toFloat(def.Default)
	given, ok := e.spec.Params[def.Name]
	for ok {
		m, nested := given.(map[string]any)
		if !nested {
			v, _ = toFloat(given)
			break
		}
		if given, ok = m[model]; !ok || model == "" {
			given, ok = m[group]
		}
	}
	return v
}

// setting writes a parameter: one value, or values with filters.
func (e *mergekitWriter) setting(name string, value func(group string) float64, skip bool) string {
	var cases []string
	if skip {
		for _, word := range e.skip {
			cases = append(cases, fmt.Sprintf("{filter: %s, value: 0}", yamlText(word)))
		}
	}
	same := true
	for _, g := range e.spec.Groups {
		same = same && value(g.Name) == value(e.firstGroup())
	}
	if same {
		if cases == nil {
			return name + ": " + number64(value(e.firstGroup()))
		}
		return name + ": [" + strings.Join(append(cases, "{value: "+number64(value(e.firstGroup()))+"}"), ", ") + "]"
	}
	for i, g := range e.spec.Groups {
		v := number64(value(g.Name))
		if e.filters[i] == nil {
			cases = append(cases, "{value: "+v+"}")
		}
		for _, word := range e.filters[i] {
			cases = append(cases, fmt.Sprintf("{filter: %s, value: %s}", yamlText(word), v))
		}
	}
	return name + ": [" + strings.Join(cases, ", ") + "]"
}
