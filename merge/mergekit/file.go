package mergekit

import (
	"maps"
	"slices"
	"strings"

	"parfait/merge"
	"parfait/problem"
	"parfait/yamldoc"
)

// file is one merge of a mergekit configuration.
type file struct {
	root     yamldoc.Node
	name     string // by which later documents of the file have its result
	method   string
	base     string
	baseNode yamldoc.Node
	slices   []slice              // one where whole models are merged
	shared   []map[string]setting // for the whole merge; the first that has a key counts
	dtype    string
	outDType string
	vocab    vocabulary
	template string
	warnings []merge.Problem
}

// slice is a run of layers of the output.
type slice struct {
	node     yamldoc.Node
	base     string // "" for the merge's own
	baseNode yamldoc.Node
	sources  []source
	params   map[string]setting
}

// source is a model in a slice, and which of its layers are meant.
type source struct {
	path   string
	node   yamldoc.Node
	params map[string]setting
	layers [2]int
	ranged yamldoc.Node // where the layers stand; without it all are meant
}

// vocabulary is what a configuration says of tokens.
type vocabulary struct {
	node   yamldoc.Node
	source string // "base", "union", a model, or "" for nothing said
	pad    int    // rows become a multiple of this; 0: they stay
}

// ignorable are keys that change no weight there.
var ignorable = map[string]string{
	"random_seed": "mergekit takes no seed from its configuration; write seed: into the recipe",
	"embed_slerp": "mergekit does not know it either: embeddings are merged like all else",
}

// read takes the keys of one document; what cannot be meant is a problem at its line.
func (f *file) read() {
	known := map[string]func(yamldoc.Node){
		"name": func(n yamldoc.Node) { f.name = n.Text() },
		"merge_method": func(n yamldoc.Node) {
			f.method = n.Word("merge method", slices.Sorted(maps.Keys(methods()))...)
		},
		"base_model":       func(n yamldoc.Node) { f.base, f.baseNode = modelReference(n), n },
		"models":           func(n yamldoc.Node) { f.slices = append(f.slices, readModels(n)) },
		"slices":           func(n yamldoc.Node) { f.slices = append(f.slices, readSlices(n)...) },
		"modules":          f.readModules,
		"parameters":       func(n yamldoc.Node) { f.shared = append(f.shared, readSettings(n)) },
		"dtype":            func(n yamldoc.Node) { f.dtype = readDType(n) },
		"out_dtype":        func(n yamldoc.Node) { f.outDType = readDType(n) },
		"tokenizer_source": func(n yamldoc.Node) { f.vocab.node, f.vocab.source = n, modelReference(n) },
		"tokenizer":        f.readTokenizer,
		"chat_template":    func(n yamldoc.Node) { f.template = n.Text() },
	}
	if why := f.instead(); why != "" {
		f.root.Failf("%s", why)
		return
	}
	f.root.Each(func(key string, n yamldoc.Node) {
		if read, ok := known[key]; ok {
			if n.Present() {
				read(n)
			}
			return
		}
		why, ok := ignorable[key]
		if words := slices.Sorted(maps.Keys(known)); !ok && problem.Meant(key, words) != "" {
			n.Unknown("key", key, words)
			return
		}
		if !ok {
			why = "mergekit does not know it either"
		}
		f.warnings = append(f.warnings, merge.Problem{Code: Code, Where: key, What: "it changes nothing: " + why})
	})
	if !f.root.Has("merge_method") {
		f.root.Failf("merge_method: is missing")
	}
	switch given := slices.DeleteFunc([]string{"models", "slices", "modules"}, func(key string) bool { return !f.root.Has(key) }); {
	case len(given) == 0:
		f.root.Failf("models: is missing")
	case len(given) > 1:
		f.root.Failf("%s: one of them says what is merged", strings.Join(given, " and "))
	}
}

// instead says what another kind of file it is, "" where it may be a merge.
func (f *file) instead() string {
	switch {
	case f.root.Has("merge_method"):
	case f.root.Has("genome"):
		return "this is a configuration of mergekit-evolve, and no merge: a study does what it does (parfait init --help)"
	case f.root.Has("experts"):
		return "this is a configuration of mergekit-moe, and no merge: it makes a mixture of experts, a model of another architecture, which is not done here"
	}
	return ""
}

// readModules takes the only module of a language model, as mergekit writes it out.
func (f *file) readModules(n yamldoc.Node) {
	count := 0
	n.Each(func(_ string, module yamldoc.Node) {
		if count++; count > 1 {
			module.Failf("a model of several modules is merged whole here; write models: instead of modules:, and filters where they differ")
			return
		}
		module.Fields(map[string]func(yamldoc.Node){
			"models":     func(n yamldoc.Node) { f.slices = append(f.slices, readModels(n)) },
			"slices":     func(n yamldoc.Node) { f.slices = append(f.slices, readSlices(n)...) },
			"parameters": func(n yamldoc.Node) { f.shared = append([]map[string]setting{readSettings(n)}, f.shared...) },
		})
	})
}

// readTokenizer takes tokenizer:, the newer form of tokenizer_source:.
func (f *file) readTokenizer(n yamldoc.Node) {
	f.vocab.node = n
	n.Fields(map[string]func(yamldoc.Node){
		"source": func(n yamldoc.Node) {
			if n.Present() {
				f.vocab.source = modelReference(n)
			}
		},
		"pad_to_multiple_of": func(n yamldoc.Node) {
			if n.Present() {
				f.vocab.pad = n.Int(1)
			}
		},
		"tokens": func(n yamldoc.Node) {
			n.Each(func(token string, rule yamldoc.Node) {
				rule.Failf("rules for single tokens (%q) are not read; leave them out: a token that only some models have gets the mean of those", token)
			})
		},
	})
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

func readSettings(n yamldoc.Node) map[string]setting {
	into := map[string]setting{}
	n.Each(func(key string, v yamldoc.Node) {
		if v.Present() {
			into[key] = readSetting(v)
		}
	})
	return into
}

// readModels takes whole models.
func readModels(n yamldoc.Node) slice {
	s := slice{node: n}
	for _, item := range n.List() {
		s.sources = append(s.sources, readSource(item))
	}
	if len(s.sources) == 0 {
		n.Failf("expected the models to merge")
	}
	return s
}

func readSlices(n yamldoc.Node) []slice {
	var out []slice
	for _, item := range n.List() {
		s := slice{node: item}
		item.Fields(map[string]func(yamldoc.Node){
			"parameters": func(n yamldoc.Node) { s.params = readSettings(n) },
			"base_model": func(n yamldoc.Node) {
				if n.Present() {
					s.base, s.baseNode = modelReference(n), n
				}
			},
			"residual_weight": func(n yamldoc.Node) {
				if n.Present() {
					n.Failf("residual weights have no meaning here, nor for mergekit's merges; leave it out")
				}
			},
			"sources": func(n yamldoc.Node) {
				for _, item := range n.List() {
					s.sources = append(s.sources, readSource(item))
				}
			},
		})
		if len(s.sources) == 0 {
			item.Failf("sources: is missing")
		}
		out = append(out, s)
	}
	return out
}

func readSource(item yamldoc.Node) source {
	s := source{node: item, params: map[string]setting{}}
	item.Fields(map[string]func(yamldoc.Node){
		"model":      func(n yamldoc.Node) { s.path = modelReference(n) },
		"parameters": func(n yamldoc.Node) { s.params = readSettings(n) },
		"layer_range": func(n yamldoc.Node) {
			var ends []yamldoc.Node
			if n.IsList() {
				ends = n.List()
			}
			if len(ends) != 2 {
				n.Failf("expected [first, end], the first layer and the one after the last: [0, 16]")
				return
			}
			s.ranged, s.layers = n, [2]int{ends[0].Int(0), ends[1].Int(1)}
			if s.layers[0] >= s.layers[1] {
				n.Failf("the layers [%d, %d] are none", s.layers[0], s.layers[1])
			}
		},
	})
	if s.path == "" {
		item.Failf("model: is missing")
	}
	return s
}
