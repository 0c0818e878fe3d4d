package mergekit

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"parfait/merge"
	"parfait/merge/method"
	"parfait/yamldoc"
)

// model is one that is merged, over the slices.
type model struct {
	path   string
	node   yamldoc.Node
	params []map[string]setting // by slice
	runs   []merge.Slice
	whole  bool // the slices say nothing of its layers
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

// chooseModels takes the models without the base, which mergekit may list among them, and says whether it could.
func (b *builder) chooseModels() (ok bool) {
	f, info := b.f, b.info
	base := model{path: f.base, node: f.baseNode}
	if len(f.slices) == 1 && f.slices[0].base != "" {
		base.path, base.node = f.slices[0].base, f.slices[0].baseNode
	}
	if info.Mergekit.BaseIsFirst && base.path == "" {
		f.root.Failf("base_model: is missing; %s goes from the base (t = 0) to the other model", info.Name)
		return false
	}
	apart := base.path != "" && (info.NeedsBase || info.Mergekit.BaseIsFirst) // from the other models
	for j, s := range f.slices {
		if s.base != "" && s.base != base.path {
			s.baseNode.Failf("the slices have different bases; one base is that of the whole merge here")
			return false
		}
		own := source{path: base.path, node: base.node}
		var others []source
		for _, src := range s.sources {
			if len(f.slices) > 1 && !src.ranged.Present() {
				src.node.Failf("layer_range: is missing")
			}
			if apart && src.path == base.path {
				own = src
			} else {
				others = append(others, src)
			}
		}
		if apart && !own.ranged.Present() && len(others) > 0 {
			own.layers, own.ranged = others[0].layers, others[0].ranged
		}
		base.add(own)
		if info.Mergekit.BaseIsFirst {
			others = append([]source{own}, others...)
		}
		if j > 0 && len(others) != len(b.models) {
			s.node.Failf("%d models are merged in this slice and %d in the first; as many in every one", len(others), len(b.models))
			return false
		}
		for i, src := range others {
			if n := src.layers[1] - src.layers[0]; src.ranged.Present() && n != others[0].layers[1]-others[0].layers[0] {
				src.ranged.Failf("%d layers, and %d in the first source; as many in every one of a slice", n, others[0].layers[1]-others[0].layers[0])
			}
			if j == 0 {
				b.models = append(b.models, model{path: src.path, node: src.node})
			}
			b.models[i].add(src)
		}
	}
	if base.path != "" && !info.Mergekit.BaseIsFirst {
		b.place("", base)
	}
	for _, m := range b.models {
		b.place(b.name(m), m)
	}
	return true
}

// add puts a source into the model's place in the next slice.
func (m *model) add(src source) {
	m.params = append(m.params, src.params)
	if m.whole = !src.ranged.Present(); !m.whole {
		m.runs = append(m.runs, merge.Slice{Path: src.path, Layers: src.layers})
	}
}

// name is the name of a model in the recipe.
func (b *builder) name(m model) string {
	text := m.path
	if whole, lora, ok := strings.Cut(text, "+"); ok && whole == b.f.base {
		text = lora
	}
	name := freshName(filepath.Base(strings.TrimSuffix(text, "/")), b.names)
	b.names = append(b.names, name)
	return name
}

// place says where a model is, "" for the base: a path, the result of a step, or a stack of layers.
func (b *builder) place(name string, m model) {
	path := ""
	if m.whole || m.isWhole(b) {
		path = b.locate(m.path, m.node, name != "")
	} else {
		if b.spec.Stacks == nil {
			b.spec.Stacks = map[string][]merge.Slice{}
		}
		for _, r := range m.runs {
			r.Path = b.locate(r.Path, m.node, false)
			b.spec.Stacks[name] = append(b.spec.Stacks[name], r)
		}
	}
	if name == "" {
		b.spec.Base = path
	} else {
		b.spec.Models = append(b.spec.Models, merge.Source{Name: name, Path: path})
	}
}

// isWhole says whether the runs of a model are all of its layers in their order.
func (m model) isWhole(b *builder) bool {
	end := 0
	for _, r := range m.runs {
		if r.Path != m.path || r.Layers[0] != end {
			return false
		}
		end = r.Layers[1]
	}
	s, err := b.look(b.locate(m.path, m.node, false))
	if err == nil && end > s.layers {
		b.f.slices[0].node.Failf("%s has %d layers, and %d are asked of it", m.path, s.layers, end)
		return true
	}
	return err != nil && len(m.runs) == 1 || s.layers == end
}

// look is readSkeleton of a model, once.
func (b *builder) look(path string) (skeleton, error) {
	if s, ok := b.seen[path]; ok {
		return s, nil
	}
	s, err := readSkeleton(path, nil)
	if err == nil {
		if b.seen == nil {
			b.seen = map[string]skeleton{}
		}
		b.seen[path] = s
	}
	return s, err
}

// locate is the place of a model that is written as a path, as a path with an adapter on it, or as the name of an
// earlier document.
func (b *builder) locate(path string, node yamldoc.Node, change bool) string {
	for _, s := range b.steps {
		if s.Name == path {
			return merge.StepPath(path)
		}
	}
	whole, lora, ok := strings.Cut(path, "+")
	switch {
	case !ok:
		return b.path(path)
	case change && whole == b.f.base && b.info.Operand == method.Deltas:
		return b.path(lora)
	}
	name := freshName(filepath.Base(whole)+"_"+filepath.Base(lora), nil)
	spec := merge.Spec{Base: b.locate(whole, node, false), Models: []merge.Source{{Name: "adapter", Path: b.path(lora)}}, Method: "task_arithmetic"}
	r, err := merge.NewRecipe(path, spec, map[string]float64{"adapter": 1})
	if err != nil {
		node.Failf("%v", err)
		return ""
	}
	if !slices.ContainsFunc(b.steps, func(s merge.Step) bool { return s.Name == name }) {
		b.steps = append(b.steps, merge.Step{Name: name, Recipe: *r})
	}
	return merge.StepPath(name)
}

// freshName makes a name out of a path's last part.
func freshName(text string, taken []string) string {
	name := merge.NameOf(text)
	for n := 2; slices.Contains(taken, name); n++ {
		name = fmt.Sprintf("%s_%d", strings.TrimSuffix(name, fmt.Sprintf("_%d", n-1)), n)
	}
	return name
}
