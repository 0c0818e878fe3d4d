package mergekit

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"parfait/merge"
	"parfait/merge/internal/glob"
)

// skeleton is what is known of the tensors that a mergekit file is about: their names and the number
// of layers, from the base's headers. The zero skeleton knows nothing.
type skeleton struct {
	names  []string
	layers int
	runs   []int // how many layers each slice has; nil for one slice
}

// readSkeleton looks into a model, or a stack; an error says why it cannot.
func readSkeleton(path string, stack []merge.Slice) (skeleton, error) {
	spec := merge.Spec{Method: "passthrough", Models: []merge.Source{{Name: "base", Path: path}}}
	if stack != nil {
		spec.Stacks = map[string][]merge.Slice{"base": stack}
	}
	p, err := merge.NewPlan(context.Background(), spec)
	if err != nil {
		return skeleton{}, err
	}
	defer p.Close() //nolint:errcheck // read only
	var s skeleton
	for _, t := range p.Tensors() {
		s.names = append(s.names, t.Name)
	}
	var config struct {
		Layers int `json:"num_hidden_layers"`
		Text   struct {
			Layers int `json:"num_hidden_layers"`
		} `json:"text_config"`
		NLayer int `json:"n_layer"`
	}
	if data, err := os.ReadFile(filepath.Join(p.Summary().Models[0].Path, "config.json")); err == nil && json.Unmarshal(data, &config) == nil {
		s.layers = max(config.Layers, config.Text.Layers, config.NLayer)
	}
	if s.layers == 0 {
		for _, name := range s.names {
			if _, n, ok := layerNumber(name); ok {
				s.layers = max(s.layers, n+1)
			}
		}
	}
	return s, nil
}

var firstNumber = regexp.MustCompile(`^(.*?\.|)(\d+)\.`)

// layerNumber finds a tensor's layer: its prefix up to the number, and the number.
func layerNumber(name string) (prefix string, n int, ok bool) {
	m := firstNumber.FindStringSubmatch(name)
	if m == nil {
		return "", 0, false
	}
	n, err := strconv.Atoi(m[2])
	return m[1] + m[2] + ".", n, err == nil
}

// place is the slice that a tensor belongs to, and where its layer is between the slice's first (0) and last (1). What
// stands before the layers belongs to the first slice and what stands after them to the last, both at 0.
func (s skeleton) place(name string) (slice int, t float64) {
	_, n, ok := layerNumber(name)
	runs := s.runs
	if runs == nil {
		runs = []int{s.layers}
	}
	if !ok {
		if merge.AfterLayers(name) {
			return len(runs) - 1, 0
		}
		return 0, 0
	}
	for i, most := range runs {
		switch {
		case n >= most && i < len(runs)-1:
			n -= most
		case most <= 1:
			return i, 1
		default:
			return i, float64(n) / float64(most-1)
		}
	}
	return 0, 0
}

// slot is a set of tensors for which every parameter has one value.
type slot struct {
	group   merge.Group
	layer   string   // prefix of its layer, "" for no layer
	only    string   // the one tensor that it has, "" for any number
	filters []string // those that its tensors contain
	slice   int
	t       float64
}

func (s slot) matches(filter string) bool { return slices.Contains(s.filters, filter) }

// slots divides the tensors by layer, where layers matter, and by the filters that they contain. The
// groups' globs give each tensor to its slot; where globs cannot say that, every tensor is named.
func (s skeleton) slots(filters []string, layered bool) []slot {
	if len(filters) == 0 && !layered {
		return nil
	}
	if len(s.names) == 0 { // nothing is known but the filters
		var out []slot
		for i, f := range filters {
			out = append(out, slot{group: merge.Group{Name: groupName(i, "", []string{f}), Match: "*" + glob.Escape(f) + "*"}, filters: []string{f}})
		}
		return append(out, slot{group: merge.Group{Name: "rest", Match: "*"}})
	}
	var out []slot
	index := map[string]int{}
	of := make([]int, len(s.names))
	for i, name := range s.names {
		one := slot{}
		for _, f := range filters {
			if strings.Contains(name, f) {
				one.filters = append(one.filters, f)
			}
		}
		if layered {
			one.slice, one.t = s.place(name)
			if prefix, _, ok := layerNumber(name); ok {
				one.layer = prefix
			} else if len(s.runs) > 1 {
				one.only = name // no glob tells what stands before the layers from what stands after them
			}
		}
		key := one.only + "\x00" + one.layer + "\x00" + strings.Join(one.filters, "\x00")
		if _, ok := index[key]; !ok {
			index[key] = len(out)
			out = append(out, one)
		}
		of[i] = index[key]
	}
	// The more a glob says the earlier it stands.
	order := make([]int, len(out))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		x, y := out[a], out[b]
		if (x.only == "") != (y.only == "") {
			return map[bool]int{true: 1, false: -1}[x.only == ""]
		}
		if (x.layer == "") != (y.layer == "") {
			return map[bool]int{true: 1, false: -1}[x.layer == ""]
		}
		return len(y.filters) - len(x.filters)
	})
	sorted := make([]slot, len(out))
	for k, i := range order {
		sorted[k] = out[i]
		sorted[k].group = merge.Group{Name: groupName(k, out[i].layer, out[i].filters), Match: out[i].glob()}
	}
	if s.separates(sorted, order, of) {
		return sorted
	}
	var named []slot
	for i, name := range s.names {
		one := out[of[i]]
		one.group = merge.Group{Name: fmt.Sprintf("t%d", i), Match: glob.Escape(name)}
		named = append(named, one)
	}
	return named
}

// glob says what a slot's tensors have in common.
func (s slot) glob() string {
	if s.only != "" {
		return glob.Escape(s.only)
	}
	pattern := glob.Escape(s.layer) + "*"
	for _, f := range s.filters {
		pattern += glob.Escape(f) + "*"
	}
	return pattern
}

// separates says whether the globs, the first match winning, give each tensor to its slot.
func (s skeleton) separates(sorted []slot, order, of []int) bool {
	var globs []glob.Glob
	for _, one := range sorted {
		g, err := glob.Compile(one.group.Match)
		if err != nil {
			return false
		}
		globs = append(globs, g)
	}
	for i, name := range s.names {
		k := slices.IndexFunc(globs, func(g glob.Glob) bool { return g.Match(name) })
		if k < 0 || order[k] != of[i] {
			return false
		}
	}
	return true
}

// groupName is short and unique.
func groupName(i int, layer string, filters []string) string {
	parts := []string{}
	if layer != "" {
		parts = append(parts, strings.TrimSuffix(layer[strings.LastIndexByte(strings.TrimSuffix(layer, "."), '.')+1:], "."))
	}
	parts = append(parts, filters...)
	if len(parts) == 0 {
		return "rest"
	}
	name := strings.Map(func(r rune) rune {
		if merge.ValidName(string(r)) {
			return r
		}
		return '_'
	}, strings.Join(parts, "_"))
	if layer == "" {
		return fmt.Sprintf("g%d_%s", i, name)[:min(40, len(name)+len(fmt.Sprintf("g%d_", i)))]
	}
	return ("layer" + name)[:min(60, len(name)+5)]
}
