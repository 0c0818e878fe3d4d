package merge

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"parfait/merge/method"
	"parfait/yamldoc"
)

// mergekitMethods are the methods that mean the same here and there.
var mergekitMethods = []string{
	"linear", "task_arithmetic", "ties", "dare_linear", "dare_ties", "della", "della_linear",
	"breadcrumbs", "breadcrumbs_ties", "slerp", "model_stock", "passthrough",
}

// mergekitNormalizes are the methods that divide by the sum of the weights there unless told otherwise.
var mergekitNormalizes = map[string]bool{"linear": true, "ties": true, "della": true}

// mergekitDefaults are the values of numbers that are not given there.
var mergekitDefaults = map[string]float64{"density": 1, "lambda": 1, "gamma": 0.01, "epsilon": 0.15}

// ImportMergekit turns a mergekit configuration into a recipe. What has no meaning here is refused with
// its line; warnings say where the result differs from mergekit's (see docs/mergekit.md). Parameters
// that depend on layers need the base's headers.
func ImportMergekit(path string) (*Recipe, []Problem, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, nil, unread(CodeOpen, path, err, "a mergekit configuration", "check the path")
	}
	root, doc, err := yamldoc.Parse(path, data)
	if err != nil {
		return nil, nil, recipeProblems(err)
	}
	if root.Has("method") && !root.Has("merge_method") {
		return nil, nil, Problem{CodeMergekit, path, "it has method, as recipes and studies do", "a mergekit configuration, with merge_method", "parfait merge takes recipes as they are"}
	}
	f := &mergekitFile{root: root, shared: map[string]setting{}}
	f.read()
	if err := doc.Err(); err != nil {
		return nil, nil, recipeProblems(err)
	}
	b := recipeBuilder{f: f, dir: filepath.Dir(path), recipe: Recipe{weights: map[string]float64{}}}
	b.build()
	if err := doc.Err(); err != nil {
		return nil, nil, recipeProblems(err)
	}
	r, found := resolve(b.recipe.spec)
	if err := found.err(); err != nil {
		return nil, nil, inFile(path, err)
	}
	if _, err := r.settings(0, b.recipe.weights); err != nil {
		return nil, nil, inFile(path, err)
	}
	return &b.recipe, b.warnings, nil
}

// recipeBuilder turns what was read into a recipe.
type recipeBuilder struct {
	f        *mergekitFile
	dir      string
	recipe   Recipe
	warnings []Problem
	skeleton skeleton
	slots    []slot // nil: one value for all tensors
	models   []mergekitModel
	names    []string
}

func (b *recipeBuilder) warn(where, what, expected, fix string) {
	b.warnings = append(b.warnings, Problem{CodeMergekit, where, what, expected, fix})
}

// CodeMergekit is of warnings about differences from mergekit.
const CodeMergekit Code = "mergekit"

func (b *recipeBuilder) build() {
	f, spec := b.f, &b.recipe.spec
	info := infoOf(f.method)
	spec.Method, spec.Params, spec.Base = f.method, map[string]any{}, b.path(f.base)
	if spec.DType = f.outDType; spec.DType == "" {
		spec.DType = f.dtype
	}
	b.chooseModels(info)
	if len(b.models) == 0 {
		f.root.Failf("models: none is left to be merged")
		return
	}
	b.divide(info)
	b.weights(info)
	for _, def := range info.Params {
		if def.Kind == method.Number {
			b.number(def)
		}
	}
	b.flags(info)
	b.unknown(info)
	if info.Random {
		b.warn("seed", "mergekit draws other random masks", "", "the recipe's seed is 0; any other gives another draw")
	}
	if strings.HasPrefix(f.method, "dare") || strings.HasPrefix(f.method, "della") {
		b.warn("rescale", "mergekit scales what is kept to the old sum of magnitudes, here each entry is divided by its probability, as in the paper", "", "")
	}
	if f.dtype != "" && f.dtype != F32 {
		b.warn("dtype", "mergekit computes in "+f.dtype+", here it is always f32 with one rounding at the end", "", "")
	}
}

// path resolves against the working folder, as mergekit does, or else against the file's.
func (b *recipeBuilder) path(p string) string {
	if p == "" || filepath.IsAbs(p) {
		return p
	}
	for _, candidate := range []string{p, filepath.Join(b.dir, p)} {
		if _, err := os.Stat(candidate); err == nil {
			return absolute(candidate)
		}
	}
	return p
}

// chooseModels takes the models without the base, which mergekit may list among them.
func (b *recipeBuilder) chooseModels(info method.Info) {
	f, spec := b.f, &b.recipe.spec
	if info.Name == "slerp" && f.base == "" {
		f.root.Failf("base_model: is missing; slerp goes from the base (t = 0) to the other model")
		return
	}
	if info.Name == "slerp" && !slices.ContainsFunc(f.models, func(m mergekitModel) bool { return m.path == f.base }) {
		b.models = append(b.models, mergekitModel{path: f.base, node: f.baseNode})
	}
	for _, m := range f.models {
		switch {
		case m.path == f.base && info.NeedsBase:
			continue
		case m.path == f.base && info.Name == "slerp":
			b.models = append([]mergekitModel{m}, b.models...)
		default:
			b.models = append(b.models, m)
		}
	}
	for _, m := range b.models {
		path := m.path
		if whole, lora, ok := strings.Cut(path, "+"); ok {
			if whole != f.base {
				m.node.Failf("the adapter %s is on %s, which is not the base; merge it into its model first", lora, whole)
			}
			path = lora
		}
		name := freshName(filepath.Base(strings.TrimSuffix(path, "/")), b.names)
		b.names = append(b.names, name)
		spec.Models = append(spec.Models, Source{name, b.path(path)})
	}
}

// freshName makes a name out of a path's last part.
func freshName(text string, taken []string) string {
	name := strings.Map(func(r rune) rune {
		if validName(string(r)) {
			return r
		}
		return '_'
	}, text)
	if name = name[:min(len(name), 48)]; name == "" {
		name = "model"
	}
	for n := 2; slices.Contains(taken, name); n++ {
		name = fmt.Sprintf("%s_%d", strings.TrimSuffix(name, fmt.Sprintf("_%d", n-1)), n)
	}
	return name
}

// divide finds the groups of tensors that have the same parameters.
func (b *recipeBuilder) divide(info method.Info) {
	var filters []string
	layered := false
	var first yamldoc.Node
	look := func(params map[string]setting) {
		for _, key := range sortedKeys(params) {
			s := params[key]
			if _, known := info.Param(key); !known && key != "weight" {
				continue
			}
			before := len(filters)
			if filters = s.filters(filters); (s.layered() || len(filters) > before) && !first.Present() {
				first = s.node
			}
			layered = layered || s.layered()
		}
	}
	for _, m := range b.models {
		look(m.params)
	}
	look(b.f.shared)
	if len(filters) == 0 && !layered && len(b.f.ranges) == 0 {
		return
	}
	path := b.recipe.spec.Base
	if path == "" {
		path = b.recipe.spec.Models[0].Path
	}
	s, err := readSkeleton(path)
	if err != nil && layered {
		first.Failf("values by layer need the model's headers: %v", err)
		return
	}
	for _, r := range b.f.ranges {
		if s.layers > 0 && r.to != s.layers {
			r.node.Failf("the model has %d layers and [0, %d] is not all of them; layers from different places cannot be joined here", s.layers, r.to)
		}
	}
	b.skeleton = s
	b.slots = s.slots(filters, layered)
	taken := slices.Clone(b.names)
	for i := range b.slots {
		g := &b.slots[i].group
		g.Name = freshName(g.Name, taken)
		taken = append(taken, g.Name)
		b.recipe.spec.Groups = append(b.recipe.spec.Groups, *g)
	}
	if len(s.names) == 0 && len(filters) > 1 {
		b.warn("filters", "the model's headers cannot be read, so tensors that match several filters go by the first", "", "import again where the model is")
	}
}

// value is a number of model i in a slot: the model's own, or else the shared one, or else missing.
func (b *recipeBuilder) value(name string, i int, s slot) (v float64, node yamldoc.Node, ok bool) {
	for _, params := range []map[string]setting{b.models[i].params, b.f.shared} {
		p, given := params[name]
		if !given {
			continue
		}
		raw, found := p.at(s.matches, s.t)
		if !found {
			continue
		}
		if v, ok = toFloat(yamldoc.Numbers(raw)); !ok {
			p.node.Failf("expected a number, found %#v", raw)
			return math.NaN(), p.node, true
		}
		return v, p.node, true
	}
	return 0, b.models[i].node, false
}

// each calls f for every slot, or once where there is none.
func (b *recipeBuilder) each(f func(group string, s slot)) {
	if b.slots == nil {
		f("", slot{})
	}
	for _, s := range b.slots {
		f(s.group.Name, s)
	}
}

// weights gives every knob its value.
func (b *recipeBuilder) weights(info method.Info) {
	if slices.Equal(info.Domains, []method.Domain{method.Weightless}) {
		return
	}
	b.each(func(group string, s slot) {
		values := make([]float64, len(b.models))
		sum := 0.0
		for i := range b.models {
			v, node, ok := b.value("weight", i, s)
			if !ok {
				node.Failf("weight: is missing for %s", b.models[i].path)
			}
			values[i] = v
			sum += v
		}
		if _, has := info.Param("normalize"); !has && b.normalize(info) && math.Abs(sum) >= 1e-8 {
			for i := range values {
				values[i] /= sum
			}
		}
		for i, v := range values {
			b.recipe.weights[join(b.names[i], group)] = v
		}
	})
}

// normalize says whether the file wants weights divided by their sum.
func (b *recipeBuilder) normalize(info method.Info) bool {
	s, ok := b.f.shared["normalize"]
	if !ok {
		return mergekitNormalizes[info.Name]
	}
	v, isBool := s.scalar.(bool)
	if !isBool {
		s.node.Failf("expected true or false for the whole merge, found %s", s.node.Kind())
	}
	return v
}

// number fixes a number of the method: one for all, or by model and group.
func (b *recipeBuilder) number(def method.Param) {
	byModel := map[string]any{}
	all := map[float64]bool{}
	for i, name := range b.names {
		byGroup := map[string]any{}
		same := map[float64]bool{}
		last := 0.0
		b.each(func(group string, s slot) {
			v, node, ok := b.value(def.Name, i, s)
			if !ok {
				if v, ok = mergekitDefaults[def.Name]; !ok {
					node.Failf("%s: is missing", def.Name)
				}
			}
			if why := def.Refuses(v); ok && why != "" {
				node.Failf("%s: %s, expected a number %s", def.Name, why, def.Legal())
			}
			byGroup[group], same[v], all[v], last = v, true, true, v
		})
		if byModel[name] = any(byGroup); len(same) == 1 {
			byModel[name] = last
		}
	}
	switch one := byModel[b.names[0]]; {
	case len(all) == 1 || !def.PerModel:
		b.recipe.spec.Params[def.Name] = one
	default:
		b.recipe.spec.Params[def.Name] = byModel
	}
}

// flags sets normalize and refuses what the method does not do.
func (b *recipeBuilder) flags(info method.Info) {
	if _, has := info.Param("normalize"); has {
		b.recipe.spec.Params["normalize"] = b.normalize(info)
	}
	if s, ok := b.f.shared["rescale"]; ok {
		random := info.Random
		if v, isBool := s.scalar.(bool); !isBool || v != random {
			s.node.Failf("%s always has rescale: %v here", info.Name, random)
		}
	}
	if s, ok := b.f.shared["filter_wise"]; ok && s.scalar != false {
		s.node.Failf("model_stock is per tensor here; leave filter_wise out")
	}
}

// unknown refuses parameters that nothing would read.
func (b *recipeBuilder) unknown(info method.Info) {
	known := []string{"weight", "normalize", "rescale", "int8_mask", "filter_wise"}
	for _, p := range info.Params {
		known = append(known, p.Name)
	}
	check := func(params map[string]setting) {
		for _, key := range sortedKeys(params) {
			if !slices.Contains(known, key) {
				params[key].node.Unknown("parameter of "+info.Name, key, known)
			}
		}
	}
	check(b.f.shared)
	for _, m := range b.f.models {
		check(m.params)
	}
}

// infoOf describes a method that is known.
func infoOf(name string) method.Info {
	m, _ := method.Get(name)
	return m.Info()
}
