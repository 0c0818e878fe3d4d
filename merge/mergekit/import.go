package mergekit

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"syscall"

	"parfait/merge"
	"parfait/merge/codes"
	"parfait/merge/method"
	"parfait/problem"
	"parfait/yamldoc"
)

// methods are those that mean the same here and there, by mergekit's names.
func methods() map[string]method.Info {
	out := map[string]method.Info{}
	for _, info := range method.All() {
		if info.Mergekit.Name != "" {
			out[info.Mergekit.Name] = info
		}
	}
	return out
}

// Code is that of warnings about differences from mergekit, and of what one of the two cannot say.
const Code merge.Code = "mergekit"

// Import turns a mergekit configuration into a recipe; of several documents all but the last become steps of the last
// one's. What has no meaning here is refused with its line, in a problem.List; warnings say where the result differs from
// mergekit's (see docs/mergekit.md). Parameters that depend on layers, and slices, need the headers of the models.
func Import(path string) (r *merge.Recipe, warnings []merge.Problem, err error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, nil, unread(path, err)
	}
	docs, doc, err := yamldoc.ParseAll(path, data)
	if err != nil {
		return nil, nil, merge.YAMLProblems(err)
	}
	if len(docs) == 0 {
		return nil, nil, merge.Problem{Code: Code, Where: path, What: "it is empty", Expected: "a mergekit configuration"}
	}
	if docs[0].Has("method") && !docs[0].Has("merge_method") {
		return nil, nil, merge.Problem{Code: Code, Where: path, What: "it has method, as recipes and studies do", Expected: "a mergekit configuration, with merge_method", Fix: "parfait merge takes recipes as they are"}
	}
	var steps []merge.Step
	for i, root := range docs {
		f := &file{root: root}
		f.read()
		if err := doc.Err(); err != nil {
			return nil, nil, merge.YAMLProblems(err)
		}
		b := builder{f: f, info: asked(methods()[f.method], f.base), dir: filepath.Dir(path), at: map[string]float64{}, steps: steps}
		b.build(i == len(docs)-1)
		if err := doc.Err(); err != nil {
			return nil, nil, merge.YAMLProblems(err)
		}
		warnings = append(warnings, b.warnings...)
		if r, err = merge.NewRecipe(path, b.spec, b.at); err != nil {
			return nil, nil, err
		}
		b.steps = append(b.steps, merge.Step{Name: cmp.Or(f.name, fmt.Sprintf("document%d", i+1)), Recipe: *r})
		steps = b.steps
	}
	last := len(steps) - 1
	*r, err = r.After(steps[:last])
	return r, warnings, err
}

// unread says why a configuration cannot be read.
func unread(path string, err error) merge.Problem {
	p := merge.Problem{Code: codes.Open, Where: path, What: err.Error(), Expected: "a mergekit configuration", Fix: "check the path"}
	if e := (*fs.PathError)(nil); errors.As(err, &e) {
		p.What = e.Err.Error()
	}
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		p.Code = codes.NotFound
	}
	return p
}

// builder turns what was read into a recipe.
type builder struct {
	f        *file
	info     method.Info
	dir      string
	steps    []merge.Step // before it, of which models may be the results
	spec     merge.Spec
	at       map[string]float64
	warnings []merge.Problem
	skeleton skeleton
	seen     map[string]skeleton // models that were looked into, by path
	slots    []slot              // nil: one value for all tensors
	models   []model
	names    []string
}

func (b *builder) warn(where, what, fix string) {
	b.warnings = append(b.warnings, merge.Problem{Code: Code, Where: where, What: what, Fix: fix})
}

// build makes the recipe; last says that nothing of the file comes after it.
func (b *builder) build(last bool) {
	f, spec, info := b.f, &b.spec, b.info
	spec.Method, spec.Params = info.Name, map[string]any{}
	if spec.DType = f.outDType; spec.DType == "" {
		spec.DType = f.dtype
	}
	b.warnings = append(b.warnings, f.warnings...)
	if last && f.name != "" {
		b.warn("name", "it changes nothing: it names the result for later documents of the file, and there is none", "")
	}
	if !b.chooseModels() {
		return
	}
	if len(b.models) == 0 {
		f.root.Failf("models: none is left to be merged")
		return
	}
	b.divide()
	b.weights()
	for _, def := range info.Params {
		if def.Kind == method.Number {
			b.number(def)
		}
	}
	b.flags()
	b.unused()
	b.tokens()
	if info.Random {
		b.warn("seed", "mergekit draws other random masks", "the recipe's seed is 0; any other gives another draw")
	}
	if f.dtype != "" && f.dtype != merge.F32 && info.Operand == method.Deltas {
		b.warn("dtype", "mergekit computes in "+f.dtype+", here it is always f32 with one rounding at the end", "")
	}
}

// divide finds the groups of tensors that have the same parameters.
func (b *builder) divide() {
	var filters []string
	layered, sliced := false, false
	var first yamldoc.Node
	look := func(params map[string]setting) (any bool) {
		for _, key := range slices.Sorted(maps.Keys(params)) {
			s := params[key]
			if _, known := b.info.Param(key); !known && key != "weight" {
				continue
			}
			before := len(filters)
			if filters = s.filters(filters); (s.layered() || len(filters) > before) && !first.Present() {
				first = s.node
			}
			any, layered = true, layered || s.layered()
		}
		return any
	}
	for _, m := range b.models {
		for _, params := range m.params {
			sliced = look(params) || sliced
		}
	}
	for _, s := range b.f.slices {
		sliced = look(s.params) || sliced
	}
	for _, params := range b.f.shared {
		look(params)
	}
	sliced = sliced && len(b.f.slices) > 1
	if len(filters) == 0 && !layered && !sliced {
		return
	}
	path, stack := b.spec.Base, b.spec.Stacks[""]
	if path == "" && stack == nil {
		path, stack = b.spec.Models[0].Path, b.spec.Stacks[b.names[0]]
	}
	var s skeleton
	var err error
	if stack == nil {
		s, err = b.look(path)
	} else {
		s, err = readSkeleton(path, stack)
	}
	if err != nil && (layered || sliced) {
		if !first.Present() {
			first = b.f.slices[len(b.f.slices)-1].node
		}
		first.Failf("values by layer need the model's headers: %v", err)
		return
	}
	for _, run := range b.models[0].runs {
		s.runs = append(s.runs, run.Layers[1]-run.Layers[0])
	}
	b.skeleton = s
	b.slots = s.slots(filters, layered || sliced)
	taken := slices.Clone(b.names)
	for i := range b.slots {
		g := &b.slots[i].group
		g.Name = freshName(g.Name, taken)
		taken = append(taken, g.Name)
		b.spec.Groups = append(b.spec.Groups, *g)
	}
	if len(s.names) == 0 && len(filters) > 1 {
		b.warn("filters", "the model's headers cannot be read, so tensors that match several filters go by the first", "import again where the model is")
	}
}

// value is a number of model i in a slot: the model's own, or else the slice's or the merge's, or else missing.
func (b *builder) value(name string, i int, s slot) (v float64, node yamldoc.Node, ok bool) {
	for _, params := range append([]map[string]setting{b.models[i].params[s.slice], b.f.slices[s.slice].params}, b.f.shared...) {
		p, given := params[name]
		if !given {
			continue
		}
		raw, found := p.at(s.matches, s.t)
		if !found {
			continue
		}
		if v, ok = yamldoc.Float(yamldoc.Numbers(raw)); !ok {
			p.node.Failf("expected a number, found %#v", raw)
			return math.NaN(), p.node, true
		}
		return v, p.node, true
	}
	return 0, b.models[i].node, false
}

// each calls f for every slot, or once where there is none.
func (b *builder) each(f func(group string, s slot)) {
	if b.slots == nil {
		f("", slot{})
	}
	for _, s := range b.slots {
		f(s.group.Name, s)
	}
}

// weights gives every coefficient its value.
func (b *builder) weights() {
	if weightless(b.info) {
		return
	}
	b.each(func(group string, s slot) {
		values := make([]float64, len(b.models))
		sum := 0.0
		for i := range b.models {
			v, node, ok := b.value("weight", i, s)
			if b.info.Mergekit.Unweighted {
				v, ok = 1, true
			}
			if !ok {
				node.Failf("weight: is missing for %s", b.models[i].path)
			}
			values[i] = v
			sum += v
		}
		if _, has := b.info.Param("normalize"); !has && b.normalize() && math.Abs(sum) >= 1e-8 {
			for i := range values {
				values[i] /= sum
			}
		}
		for i, v := range values {
			b.at[inGroup(b.names[i], group)] = v
		}
	})
}

// shared is a parameter of the whole merge.
func (b *builder) shared(name string) (setting, bool) {
	for _, params := range b.f.shared {
		if s, ok := params[name]; ok {
			return s, true
		}
	}
	for _, slice := range b.f.slices {
		if s, ok := slice.params[name]; ok {
			return s, true
		}
	}
	return setting{}, false
}

// flag is true or false for the whole merge; 1 and 0 say the same.
func (b *builder) flag(name string, absent bool) bool {
	s, ok := b.shared(name)
	if !ok {
		return absent
	}
	switch v := s.scalar.(type) {
	case bool:
		return v
	default:
		if f, isNumber := yamldoc.Float(v); isNumber && (f == 0 || f == 1) {
			return f == 1
		}
	}
	s.node.Failf("expected true or false for the whole merge, found %s", s.node.Kind())
	return absent
}

// normalize says whether the file wants weights divided by their sum.
func (b *builder) normalize() bool {
	return b.flag(b.info.Mergekit.NameOf("normalize"), b.info.Mergekit.Normalizes)
}

// number fixes a number of the method: one for all, or by model and group.
func (b *builder) number(def method.Param) {
	byModel := map[string]any{}
	all := map[float64]bool{}
	for i, name := range b.names {
		byGroup := map[string]any{}
		same := map[float64]bool{}
		last := 0.0
		b.each(func(group string, s slot) {
			v, node, ok := b.value(def.Name, i, s)
			if !ok || slices.Contains(b.info.Mergekit.Lacks, def.Name) {
				if v, ok = yamldoc.Float(b.info.Mergekit.Default(def)); !ok {
					node.Failf("%s: is missing", def.Name)
				}
			}
			if why := def.Refuses(v); ok && why != "" {
				node.Failf("%s: %s, expected a number %s", def.Name, why, def.Legal())
			}
			if def.Name == "gamma" {
				if density, _, given := b.value("density", i, s); !given || density >= 1 {
					v = 0 // mergekit drops nothing there
				}
			}
			byGroup[group], same[v], all[v], last = v, true, true, v
		})
		if byModel[name] = any(byGroup); len(same) == 1 {
			byModel[name] = last
		}
	}
	switch one := byModel[b.names[0]]; {
	case len(all) == 1 || !def.PerModel:
		b.spec.Params[def.Name] = one
	default:
		b.spec.Params[def.Name] = byModel
	}
}

// flags sets normalize and rescale, and refuses what the method does not do.
func (b *builder) flags() {
	info := b.info
	if _, has := info.Param("normalize"); has {
		b.spec.Params["normalize"] = b.normalize()
	}
	if def, has := info.Param("rescale"); has {
		b.spec.Params["rescale"] = info.Mergekit.Default(def)
		if _, said := b.shared("rescale"); said {
			b.spec.Params["rescale"] = rescaleWord[b.flag("rescale", false)]
		}
	}
	if _, has := info.Param("vectors"); has {
		b.spec.Params["vectors"] = vectorsWord(info.Name, b.flag)
	}
}

// rescaleWord is this program's word for mergekit's.
var rescaleWord = map[bool]string{true: "l1", false: "none"}

// tokens takes what is said of tokens and of the chat template.
func (b *builder) tokens() {
	v := b.f.vocab
	b.spec.ChatTemplate = b.f.template
	first := b.names[0] // the base of mergekit where none is named
	if b.spec.Base != "" || b.spec.Stacks[""] != nil {
		first = "base"
	}
	switch v.source {
	case "":
		return
	case merge.TokenizerUnion:
		b.spec.Tokenizer = merge.TokenizerUnion
	case "base", b.f.base:
		b.spec.Tokenizer = first
	default:
		for i, m := range b.models {
			if m.path == v.source {
				b.spec.Tokenizer = b.names[i]
			}
		}
		if b.spec.Tokenizer == "" {
			v.node.Failf("the tokenizer of %s, which is not merged, is not taken; write base, union or one of the models", v.source)
		}
	}
	if v.pad > 1 {
		b.spec.PadVocab = v.pad
	}
}

// settings are the parameters that mergekit reads for a method.
func settings(info method.Info) []string {
	out := append([]string{"weight", "normalize", "rescale", "int8_mask"}, info.Mergekit.Ignores...)
	for _, p := range info.Params {
		switch {
		case p.Name == "vectors":
			out = append(out, map[string][]string{"model_stock": {"filter_wise"}, "nuslerp": {"nuslerp_flatten", "nuslerp_row_wise"}}[info.Name]...)
		case !slices.Contains(info.Mergekit.Lacks, p.Name):
			out = append(out, info.Mergekit.NameOf(p.Name))
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// unused warns of parameters that mergekit does not read for the method, and refuses slips of the pen.
func (b *builder) unused() {
	known := settings(b.info)
	var others []string // of other methods
	for _, info := range methods() {
		others = append(others, settings(info)...)
	}
	said := map[string]bool{}
	check := func(params map[string]setting) {
		for _, key := range slices.Sorted(maps.Keys(params)) {
			switch {
			case slices.Contains(known, key):
			case !slices.Contains(others, key) && problem.Meant(key, known) != "":
				params[key].node.Unknown("parameter of "+b.f.method, key, known)
			case !said[key]:
				said[key] = true
				b.warn(key, "it changes nothing: "+b.f.method+" has no such parameter, and mergekit does not read it", "")
			}
		}
	}
	for _, params := range b.f.shared {
		check(params)
	}
	for _, s := range b.f.slices {
		check(s.params)
		for _, src := range s.sources {
			check(src.params)
		}
	}
}
