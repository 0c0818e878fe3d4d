package mergekit

import (
	"maps"
	"slices"

	"parfait/merge"
	"parfait/yamldoc"
)

// file is what a mergekit configuration says.
type file struct {
	root     yamldoc.Node
	method   string
	base     string
	baseNode yamldoc.Node
	models   []model
	shared   map[string]setting
	dtype    string
	outDType string
	ranges   []layerRange
}

type model struct {
	path   string
	node   yamldoc.Node
	params map[string]setting
}

type layerRange struct {
	node     yamldoc.Node
	from, to int
	path     string
}

// read takes the file's keys; what cannot be meant is a problem at its line.
func (f *file) read() {
	refuse := func(why string) func(yamldoc.Node) {
		return func(n yamldoc.Node) {
			if n.Present() {
				n.Failf("%s", why)
			}
		}
	}
	method := "" // as it stands there, known or not
	f.root.Fields(map[string]func(yamldoc.Node){
		"merge_method": func(n yamldoc.Node) {
			method, f.method = n.Text(), n.Word("merge method", slices.Sorted(maps.Keys(methods()))...)
		},
		"base_model": func(n yamldoc.Node) { f.base, f.baseNode = modelReference(n), n },
		"models":     f.readModels,
		"slices":     f.readSlices,
		"parameters": func(n yamldoc.Node) { readSettings(n, f.shared) },
		"dtype":      func(n yamldoc.Node) { f.dtype = readDType(n) },
		"out_dtype":  func(n yamldoc.Node) { f.outDType = readDType(n) },
		"tokenizer_source": func(n yamldoc.Node) {
			if s := n.Text(); s != "base" && s != f.base {
				n.Failf("the tokenizer is always the base's here; %q would change embeddings: write tokenizer_source: base or leave it out", s)
			}
		},
		"tokenizer":       refuse("tokenizers are not changed here; use tokenizer_source: base and change the embeddings beforehand"),
		"chat_template":   refuse("the chat template is the base's here; put it into the base's folder"),
		"modules":         refuse("modules with merges of their own have no meaning here; use models with filters"),
		"name":            refuse("several merges in one file are not read; give each a file"),
		"residual_weight": refuse("layers are not mixed here"),
	})
	if method == "" {
		f.root.Failf("merge_method: is missing")
	}
	if len(f.models) == 0 {
		f.root.Failf("models: is missing; list the models to merge")
	}
}

// readDType gives the dtype in this program's words.
func readDType(n yamldoc.Node) string {
	switch s := n.Text(); s {
	case "bfloat16", "bf16":
		return merge.BF16
	case "float16", "f16", "half":
		return merge.F16
	case "float32", "f32", "float":
		return merge.F32
	case "auto", "":
		return ""
	default:
		n.Failf("the dtype %q is not written here; one of bfloat16, float16, float32", s)
	}
	return ""
}

// modelReference reads a model: a path, or the mapping that mergekit prints.
func modelReference(n yamldoc.Node) string {
	if !n.IsMapping() {
		return n.Text()
	}
	var path, lora string
	n.Fields(map[string]func(yamldoc.Node){
		"model":                 func(n yamldoc.Node) { path = modelPath(n) },
		"lora":                  func(n yamldoc.Node) { lora = modelPath(n) },
		"override_architecture": func(n yamldoc.Node) { n.Failf("the architecture is the base's here") },
	})
	if lora != "" {
		return path + "+" + lora
	}
	return path
}

// modelPath reads a path, or a path with its revision.
func modelPath(n yamldoc.Node) string {
	if !n.IsMapping() {
		return n.Text()
	}
	var path, revision string
	n.Fields(map[string]func(yamldoc.Node){
		"path":     func(n yamldoc.Node) { path = n.Text() },
		"revision": func(n yamldoc.Node) { revision = "@" + n.Text() },
	})
	return path + revision
}

func readSettings(n yamldoc.Node, into map[string]setting) {
	n.Each(func(key string, v yamldoc.Node) {
		if v.Present() {
			into[key] = readSetting(v)
		}
	})
}

func (f *file) readModels(n yamldoc.Node) {
	for _, item := range n.List() {
		m := model{node: item, params: map[string]setting{}}
		item.Fields(map[string]func(yamldoc.Node){
			"model":      func(n yamldoc.Node) { m.path = modelReference(n) },
			"parameters": func(n yamldoc.Node) { readSettings(n, m.params) },
		})
		if m.path == "" {
			item.Failf("model: is missing")
		}
		f.models = append(f.models, m)
	}
}

// readSlices takes one slice whose sources are whole models, the usual way to write slerp.
func (f *file) readSlices(n yamldoc.Node) {
	list := n.List()
	if len(list) > 1 {
		list[1].Failf("layers of models cannot be put one after the other here (found %d slices); merge whole models with models:", len(list))
	}
	for _, item := range list[:min(1, len(list))] {
		item.Fields(map[string]func(yamldoc.Node){
			"parameters": func(n yamldoc.Node) { readSettings(n, f.shared) },
			"base_model": func(n yamldoc.Node) { f.base, f.baseNode = modelReference(n), n },
			"residual_weight": func(n yamldoc.Node) {
				if n.Present() {
					n.Failf("residual weights have no meaning here")
				}
			},
			"sources": f.readSources,
		})
	}
}

func (f *file) readSources(n yamldoc.Node) {
	for _, item := range n.List() {
		m := model{node: item, params: map[string]setting{}}
		item.Fields(map[string]func(yamldoc.Node){
			"model":      func(n yamldoc.Node) { m.path = modelReference(n) },
			"parameters": func(n yamldoc.Node) { readSettings(n, m.params) },
			"layer_range": func(n yamldoc.Node) {
				ends := n.List()
				if len(ends) != 2 {
					n.Failf("expected [first, end]")
					return
				}
				r := layerRange{node: n, from: ends[0].Int(0), to: ends[1].Int(0), path: m.path}
				if first := append(f.ranges, r)[0]; r.from != 0 || r.to != first.to {
					n.Failf("the layers [%d, %d] are not those of the whole model; layers from different places cannot be joined here", r.from, r.to)
				}
				f.ranges = append(f.ranges, r)
			},
		})
		f.models = append(f.models, m)
	}
}
