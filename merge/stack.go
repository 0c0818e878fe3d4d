package merge

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"parfait/merge/codes"
	"parfait/merge/safetensors"
)

// A stack is a model that is put together from runs of layers of others, its layers numbered anew. What belongs to no
// layer comes from the first run's model if it stands before the layers (embeddings), from the last one's if it stands
// after them (the last norm, the head).

// Slice is a run of layers of a model: the first, and the one after the last.
type Slice struct {
	Path   string `json:"path"`
	Layers [2]int `json:"layers"`
}

// decoder is an input of a stack with what is known of its layers.
type decoder struct {
	*input
	prefix string           // of the layers' names, up to the number
	layers int              // how many there are
	inside map[int][]string // what follows the number, by layer
	around []string         // the tensors of no layer
}

// afterLayers are tensors that stand after the last layer of a language model.
var afterLayers = regexp.MustCompile(`(^|\.)(norm|norm_f|ln_f|final_layer_?norm|output_norm|lm_head|embed_out|output|proj_out|score|classifier|head)\.(weight|bias)$`)

// AfterLayers says whether a tensor of no layer stands after the layers of a language model, by its name.
func AfterLayers(name string) bool { return afterLayers.MatchString(name) }

// ofLayer splits the name of a layer's tensor: up to the number, the number, and what follows.
func ofLayer(name string) (prefix string, n int, rest string, ok bool) {
	layer := layerOf(name)
	number := layer[strings.LastIndexByte(layer, '.')+1:]
	n, err := strconv.Atoi(number)
	if err != nil || digitRun(number) < len(number) || len(name) < len(layer)+2 {
		return "", 0, "", false
	}
	return strings.TrimSuffix(layer, number), n, name[len(layer)+1:], true
}

// openStack opens the models of a stack, and makes one input of it.
func openStack(name string, stack []Slice) (*input, error) {
	where := func(i int) string { return fmt.Sprintf("%s.stack[%d]", name, i) }
	var list problems
	opened := map[string]*decoder{}
	var order []*decoder
	of := make([]*decoder, len(stack))
	for i, s := range stack {
		if opened[s.Path] == nil {
			in, err := openInput(where(i), s.Path)
			if err == nil && in.adapter != nil {
				err = errors.Join(Problem{Code: codes.Adapter, Where: where(i), What: "it is an adapter, and a stack is made of whole models", Expected: "a full checkpoint", Fix: "merge it into its model first: parfait merge, with the model as base"}, in.close())
			}
			if list.take(codes.Open, where(i), err); err != nil {
				continue
			}
			opened[s.Path] = &decoder{input: in}
			order = append(order, opened[s.Path])
			list.take(codes.Format, where(i), opened[s.Path].count())
		}
		of[i] = opened[s.Path]
		if m := of[i]; m.layers > 0 && (s.Layers[0] < 0 || s.Layers[0] >= s.Layers[1] || s.Layers[1] > m.layers) {
			list.add(codes.Option, where(i), fmt.Sprintf("the layers [%d, %d]", s.Layers[0], s.Layers[1]), fmt.Sprintf("a first layer and the one after the last: %s has %d", m.path, m.layers), "")
		}
	}
	if len(list.list) == 0 {
		compareSlices(where, stack, of, &list)
	}
	var in *input
	if len(list.list) == 0 {
		in = joinStack(name, stack, of, order, &list)
	}
	if err := list.err(); err != nil {
		for _, m := range order {
			err = errors.Join(err, m.close())
		}
		return nil, err
	}
	return in, nil
}

// count finds the layers of a model: those that its configuration counts, or else the only ones that are numbered.
func (m *decoder) count() error {
	last := map[string]int{}
	for _, name := range m.set.Names() {
		if prefix, n, _, ok := ofLayer(name); ok {
			last[prefix] = max(last[prefix], n+1)
		}
	}
	said := m.config.layers()
	for _, prefix := range sortedKeys(last) {
		if said > 0 && last[prefix] != said {
			delete(last, prefix)
		}
	}
	if len(last) != 1 {
		return Problem{Code: codes.Format, Where: m.name + " (" + m.path + ")", What: fmt.Sprintf("%d runs of numbered layers are in it%s", len(last), listed(sortedKeys(last))), Expected: "one, of a language model's layers", Fix: "a stack is made of decoders; take another model"}
	}
	m.prefix = sortedKeys(last)[0]
	m.layers, m.inside = last[m.prefix], map[int][]string{}
	for _, name := range m.set.Names() {
		if prefix, n, rest, ok := ofLayer(name); ok && prefix == m.prefix {
			m.inside[n] = append(m.inside[n], rest)
		} else {
			m.around = append(m.around, name)
		}
	}
	return nil
}

func listed(names []string) string {
	if len(names) == 0 {
		return ""
	}
	return " (" + some(names) + ")"
}

// layerKeys are what configurations call the number of layers.
var layerKeys = []string{"num_hidden_layers", "n_layer", "n_layers", "num_layers"}

// layers is the number of layers that the configuration says, of the innermost language model; 0 where it does not.
func (c *modelConfig) layers() int {
	n := 0
	for _, p := range c.parts() {
		for _, key := range layerKeys {
			if v, ok := p.entries[key].(float64); ok {
				n = int(v)
			}
		}
	}
	return n
}

// compareSlices refuses models whose layers do not fit together.
func compareSlices(where func(int) string, stack []Slice, of []*decoder, list *problems) {
	shapes := func(i int) map[string]string {
		out := map[string]string{}
		for _, rest := range of[i].inside[stack[i].Layers[0]] {
			if _, t, ok := of[i].set.Lookup(fmt.Sprintf("%s%d.%s", of[i].prefix, stack[i].Layers[0], rest)); ok {
				out[rest] = fmt.Sprint(t.Shape)
			}
		}
		return out
	}
	want := shapes(0)
	for i := 1; i < len(stack); i++ {
		if of[i] == of[0] {
			continue
		}
		have := shapes(i)
		for _, rest := range sortedKeys(have) {
			if want[rest] != "" && have[rest] != want[rest] {
				list.add(codes.Shape, where(i)+" ("+of[i].path+")", fmt.Sprintf("%s has the shape %s, and %s in %s", rest, have[rest], want[rest], of[0].path), "layers of one shape", "stack models of one family and size")
				break
			}
		}
		meant, ours := of[i].config.meaning(), of[0].config.meaning()
		for key := range meant {
			if slices.Contains(layerKeys, key[strings.LastIndexByte(key, '.')+1:]) || strings.HasPrefix(meant[key], "[") {
				delete(meant, key)
			}
		}
		if _, diff := differences(entries{of[i].config, meant}, entries{of[0].config, ours}, "the first of the stack"); len(diff) > 0 {
			of[0].odd = append(of[0].odd, Problem{Code: codes.Config, Where: where(i), What: "its config.json says " + strings.Join(diff, ", "), Expected: "one configuration: it says how the weights are used", Fix: "the output gets that of " + of[0].path})
		}
	}
}

// joinStack makes one input of the runs.
func joinStack(name string, stack []Slice, of, order []*decoder, list *problems) *input {
	first, last := of[0], of[len(of)-1]
	picks := map[string]safetensors.Pick{}
	for _, tensor := range first.around {
		if from, source := first, tensor; afterLayers.MatchString(tensor) && last != first {
			if o, ok := last.find(tensor); ok {
				from, source = last, o
			} else {
				list.add(codes.MissingTensor, name, fmt.Sprintf("the last model of the stack, %s, lacks %s", last.path, tensor), "what follows the layers, in the last model", "let the stack end with another model")
			}
			picks[tensor] = safetensors.Pick{Set: from.set, Name: source}
		} else {
			picks[tensor] = safetensors.Pick{Set: first.set, Name: tensor}
		}
	}
	for _, tensor := range last.around {
		if afterLayers.MatchString(tensor) {
			picks[tensor] = safetensors.Pick{Set: last.set, Name: tensor}
		}
	}
	n := 0
	for i, s := range stack {
		for layer := s.Layers[0]; layer < s.Layers[1]; layer++ {
			for _, rest := range of[i].inside[layer] {
				picks[fmt.Sprintf("%s%d.%s", first.prefix, n, rest)] = safetensors.Pick{Set: of[i].set, Name: fmt.Sprintf("%s%d.%s", of[i].prefix, layer, rest)}
			}
			n++
		}
	}
	if len(list.list) > 0 {
		return nil
	}
	sets := make([]*safetensors.Set, len(order))
	in := &input{name: name, path: first.path, dir: first.dir, config: first.config}
	in.storedOnce = sync.OnceValue(in.findStoredOnce)
	for i, m := range order {
		sets[i] = m.set
		in.stat = append(in.stat, m.stat...)
		in.odd = append(in.odd, m.odd...)
	}
	for i := range stack {
		in.runs = append(in.runs, configRun{of[i].config, stack[i]})
	}
	set, err := safetensors.Select(first.path, sets, picks)
	list.take(codes.Format, name, err)
	in.set = set
	return in
}

// find is the name under which a model has a tensor: its own, or that of the one that it is tied to.
func (m *decoder) find(tensor string) (string, bool) {
	if m.has(tensor) {
		return tensor, true
	}
	for _, t := range m.storedOnce() {
		if slices.Contains(t.aliases, tensor) {
			return t.source, true
		}
	}
	return "", false
}

// configRun is a run of layers with the configuration of its model.
type configRun struct {
	config *modelConfig
	Slice
}

// stackedConfig is the config.json of a stack: the first model's with the number of its layers, and with the entries of
// its layers in every list that has one for each.
func stackedConfig(data []byte, runs []configRun) []byte {
	c := runs[0].config
	total := 0
	for _, r := range runs {
		total += r.Layers[1] - r.Layers[0]
	}
	for depth, p := range c.parts() {
		layers := 0
		for _, key := range layerKeys {
			if v, ok := p.entries[key].(float64); ok {
				layers = int(v)
				data = setEntry(data, strconv.Itoa(total), p.path(key)...)
			}
		}
		if layers == 0 {
			continue
		}
		for _, key := range sortedKeys(p.entries) {
			var list []any
			for _, r := range runs {
				parts := r.config.parts()
				if depth >= len(parts) {
					list = nil
					break
				}
				have, _ := parts[depth].entries[key].([]any)
				if len(have) < r.Layers[1] || len(have) == 0 {
					list = nil
					break
				}
				list = append(list, have[r.Layers[0]:r.Layers[1]]...)
			}
			if own, _ := p.entries[key].([]any); len(own) == layers && len(list) == total {
				if text, err := json.Marshal(list); err == nil {
					data = setEntry(data, string(text), p.path(key)...)
				}
			}
		}
	}
	return data
}

// movedStacks are stacks with every path changed by move.
func movedStacks(stacks map[string][]Slice, move func(string) string) map[string][]Slice {
	if stacks == nil {
		return nil
	}
	out := map[string][]Slice{}
	for name, stack := range stacks {
		out[name] = slices.Clone(stack)
		for i := range stack {
			out[name][i].Path = move(stack[i].Path)
		}
	}
	return out
}
