package mergekit

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"parfait/merge"
	"parfait/merge/codes"
	"parfait/merge/method"
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

// defaults are the values of numbers that are not given there.
var defaults = map[string]float64{"density": 1, "lambda": 1, "gamma": 0.01, "epsilon": 0.15}

// Code is that of warnings about differences from mergekit, and of what one of the two cannot say.
const Code merge.Code = "mergekit"

// Import turns a mergekit configuration into a recipe. What has no meaning here is refused with its line,
// in a problem.List; warnings say where the result differs from mergekit's (see docs/mergekit.md).
// Parameters that depend on layers need the base's headers.
func Import(path string) (r *merge.Recipe, warnings []merge.Problem, err error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, nil, unread(path, err)
	}
	root, doc, err := yamldoc.Parse(path, data)
	if err != nil {
		return nil, nil, merge.YAMLProblems(err)
	}
	if root.Has("method") && !root.Has("merge_method") {
		return nil, nil, merge.Problem{Code: Code, Where: path, What: "it has method, as recipes and studies do", Expected: "a mergekit configuration, with merge_method", Fix: "parfait merge takes recipes as they are"}
	}
	f := &file{root: root, shared: map[string]setting{}}
	f.read()
	if err := doc.Err(); err != nil {
		return nil, nil, merge.YAMLProblems(err)
	}
	b := builder{f: f, info: methods()[f.method], dir: filepath.Dir(path), at: map[string]float64{}}
	b.build()
	if err := doc.Err(); err != nil {
		return nil, nil, merge.YAMLProblems(err)
	}
	if r, err = merge.NewRecipe(path, b.spec, b.at); err != nil {
		return nil, nil, err
	}
	return r, b.warnings, nil
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
	spec     merge.Spec
	at       map[string]float64
	warnings []merge.Problem
	skeleton skeleton
	slots    []slot // nil: one value for all tensors
	models   []model
	names    []string
}

func (b *builder) warn(where, what, fix string) {
	b.warnings = append(b.warnings, merge.Problem{Code: Code, Where: where, What: what, Fix: fix})
}

func (b *builder) build() {
	f, spec, info := b.f, &b.spec, b.info
	spec.Method, spec.Params, spec.Base = info.Name, map[string]any{}, b.path(f.base)
	if spec.DType = f.outDType; spec.DType == "" {
		spec.DType = f.dtype
	}
	b.chooseModels()
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
	b.unknown()
	if info.Random {
		b.warn("seed", "mergekit draws other random masks", "the recipe's seed is 0; any other gives another draw")
	}
	if info.Random {
		b.warn("rescale", "mergekit scales what is kept to the old sum of magnitudes, here each entry is divided by its probability, as in the paper", "")
	}
	if f.dtype != "" && f.dtype != merge.F32 {
		b.warn("dtype", "mergekit computes in "+f.dtype+", here it is always f32 with one rounding at the end", "")
	}
}

// path resolves against the working folder, as mergekit does, or else against the file's.
func (b *builder) path(p string) string {
	if p == "" || filepath.IsAbs(p) {
		return p
	}
	for _, candidate := range []string{p, filepath.Join(b.dir, p)} {
		if _, err := os.Stat(candidate); err == nil {
			if abs, err := filepath.Abs(candidate); err == nil {
				return abs
			}
		}
	}
	return p
}

// chooseModels takes the models without the base, which mergekit may list among them.
func (b *builder) chooseModels() {
	f, spec, info := b.f, &b.spec, b.info
	if info.Mergekit.BaseIsFirst && f.base == "" {
		f.root.Failf("base_model: is missing; %s goes from the base (t = 0) to the other model", info.Name)
		return
	}
	if info.Mergekit.BaseIsFirst && !slices.ContainsFunc(f.models, func(m model) bool { return m.path == f.base }) {
		b.models = append(b.models, model{path: f.base, node: f.baseNode})
	}
	for _, m := range f.models {
		switch {
		case m.path == f.base && info.NeedsBase:
			continue
		case m.path == f.base && info.Mergekit.BaseIsFirst:
			b.models = append([]model{m}, b.models...)
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
		spec.Models = append(spec.Models, merge.Source{Name: name, Path: b.path(path)})
	}
}

// freshName makes a name out of a path's last part.
func freshName(text string, taken []string) string {
	name := strings.Map(func(r rune) rune {
		if merge.ValidName(string(r)) {
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
func (b *builder) divide() {
	var filters []string
	layered := false
	var first yamldoc.Node
	look := func(params map[string]setting) {
		for _, key := range slices.Sorted(maps.Keys(params)) {
			s := params[key]
			if _, known := b.info.Param(key); !known && key != "weight" {
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
	path := b.spec.Base
	if path == "" {
		path = b.spec.Models[0].Path
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
		b.spec.Groups = append(b.spec.Groups, *g)
	}
	if len(s.names) == 0 && len(filters) > 1 {
		b.warn("filters", "the model's headers cannot be read, so tensors that match several filters go by the first", "import again where the model is")
	}
}

// value is a number of model i in a slot: the model's own, or else the shared one, or else missing.
func (b *builder) value(name string, i int, s slot) (v float64, node yamldoc.Node, ok bool) {
	for _, params := range []map[string]setting{b.models[i].params, b.f.shared} {
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

// normalize says whether the file wants weights divided by their sum.
func (b *builder) normalize() bool {
	s, ok := b.f.shared["normalize"]
	if !ok {
		return b.info.Mergekit.Normalizes
	}
	v, isBool := s.scalar.(bool)
	if !isBool {
		s.node.Failf("expected true or false for the whole merge, found %s", s.node.Kind())
	}
	return v
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
			if !ok {
				if v, ok = defaults[def.Name]; !ok {
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
		b.spec.Params[def.Name] = one
	default:
		b.spec.Params[def.Name] = byModel
	}
}

// flags sets normalize and refuses what the method does not do.
func (b *builder) flags() {
	info := b.info
	if _, has := info.Param("normalize"); has {
		b.spec.Params["normalize"] = b.normalize()
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
func (b *builder) unknown() {
	info := b.info
	known := []string{"weight", "normalize", "rescale", "int8_mask", "filter_wise"}
	for _, p := range info.Params {
		known = append(known, p.Name)
	}
	check := func(params map[string]setting) {
		for _, key := range slices.Sorted(maps.Keys(params)) {
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
