package merge

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"parfait/merge/method"
	"parfait/problem"
	"parfait/visible"
	"parfait/yamldoc"
)

// recipeVersion is the version of the recipe format that is written.
const recipeVersion = 1

// Recipe is a merge that can be executed by itself: a Spec, and a value for every weight.
type Recipe struct {
	spec    Spec
	weights map[string]float64 // by coefficient
	steps   []Step             // what is merged before it
	comment string
}

// Recipe fixes the coefficients of a plan: weights by model and group, everything else as a parameter of the
// method. Executing it writes the same bytes as Write with at. Paths are made absolute. Values that
// Write would refuse are refused when the recipe is executed.
func (p *Plan) Recipe(at map[string]float64) Recipe {
	rec := p.r.recipe(at)
	rec.spec = rec.spec.mapped(func(path string) string { return p.workshop.name(whereIs(path)) })
	if p.workshop != nil {
		rec.steps = p.workshop.steps
	}
	return rec
}

// RecipeAt is Plan.Recipe without a plan: no model is opened, and one that is not here keeps the path that it has in
// the spec. The error says what is wrong with the spec or with the coefficients.
func RecipeAt(spec Spec, at map[string]float64) (Recipe, error) {
	r, found := resolve(spec)
	if err := found.err(); err != nil {
		return Recipe{}, err
	}
	if _, err := r.settings(0, at); err != nil {
		return Recipe{}, err
	}
	rec := r.recipe(at)
	rec.spec = rec.spec.mapped(whereIs)
	return rec, nil
}

// whereIs is the absolute path of a model, owner/name@commit for one in the hub's cache, or what was said of it where it is
// not here.
func whereIs(path string) string {
	if _, step := stepOf(path); step || path == "" {
		return path
	}
	found, err := locate(path)
	if err != nil {
		return path
	}
	if name := hubName(found); name != "" {
		return name
	}
	return absolute(found)
}

// recipe fixes the coefficients, and leaves the paths of models as they are.
func (r *resolved) recipe(at map[string]float64) Recipe {
	whole := *r // parameters are those of groups, whatever the depth
	whole.depths = nil
	settings := whole.everyGroup(0, at)
	spec := r.spec
	spec.Models = append([]Source(nil), spec.Models...)
	spec.Params = map[string]any{}
	for name, v := range r.spec.Params {
		if paths, ok := r.options[name].(map[string]string); ok {
			v = absolutePaths(paths)
		}
		spec.Params[name] = v
	}
	for _, def := range r.info.Params {
		if _, fixed := r.fixed[def.Name]; def.Kind == method.Number && !fixed {
			spec.Params[def.Name] = byGroup(r.spec.groupNames(), settings, def.Name)
		}
	}
	rec := Recipe{spec: spec, weights: map[string]float64{}}
	coefficients, _ := r.coefficients()
	for _, k := range coefficients {
		if k.Param == "" {
			rec.weights[k.Name] = at[k.Name]
		}
	}
	return rec
}

// absolutePaths is the value of a parameter of kind Paths.
func absolutePaths(paths map[string]string) map[string]any {
	out := map[string]any{}
	for name, path := range paths {
		out[name] = absolute(path)
	}
	return out
}

// byGroup is a parameter's value: one number, or one a group where they differ.
func byGroup(groups []string, settings []method.Setting, name string) any {
	same := true
	by := map[string]any{}
	for g := range settings {
		v := settings[g].Number(name)
		same = same && v == settings[0].Number(name)
		if len(groups) > 0 {
			by[groups[g]] = v
		}
	}
	if same {
		return settings[0].Number(name)
	}
	return by
}

// Spec is what the recipe merges.
func (r Recipe) Spec() Spec { return r.spec }

// At is the value of every weight.
func (r Recipe) At() map[string]float64 {
	out := make(map[string]float64, len(r.weights))
	for k, v := range r.weights {
		out[k] = v
	}
	return out
}

// WithComment returns the recipe with lines of comment at its top.
func (r Recipe) WithComment(text string) Recipe {
	r.comment = text
	return r
}

// YAML is the recipe as a file. Numbers read back to the same bits.
func (r Recipe) YAML() []byte {
	var b strings.Builder
	if r.comment != "" {
		for line := range strings.SplitSeq(strings.TrimRight(visible.Text(r.comment), "\n"), "\n") { // YAML knows other ends of lines
			b.WriteString(strings.TrimRight("# "+line, " ") + "\n")
		}
	}
	s := r.spec
	fmt.Fprintf(&b, "version: %d\n", recipeVersion)
	if len(r.steps) > 0 {
		b.WriteString("steps:\n")
		for _, step := range r.steps {
			fmt.Fprintf(&b, "  - name: %s\n    recipe:\n", yamldoc.Quote(step.Name))
			for line := range strings.Lines(string(step.WithComment("").YAML())) {
				b.WriteString("      " + line)
			}
		}
	}
	switch {
	case s.Stacks[""] != nil:
		b.WriteString("base: {" + stackYAML(s.Stacks[""]) + "}\n")
	case s.Base != "":
		b.WriteString("base: " + yamldoc.Quote(s.Base) + "\n")
	}
	b.WriteString("models:\n")
	for _, m := range s.Models {
		place := "path: " + yamldoc.Quote(m.Path)
		if stack := s.Stacks[m.Name]; stack != nil {
			place = stackYAML(stack)
		}
		fmt.Fprintf(&b, "  - {name: %s, %s%s}\n", yamldoc.Quote(m.Name), place, r.weightYAML(m.Name))
	}
	b.WriteString("method: {name: " + yamldoc.Quote(s.Method))
	for _, name := range sortedKeys(s.Params) {
		b.WriteString(", " + yamldoc.Quote(name) + ": " + yamlValue(s.Params[name]))
	}
	b.WriteString("}\n")
	if len(s.Groups) > 0 {
		b.WriteString("groups:\n")
		for _, g := range s.Groups {
			fmt.Fprintf(&b, "  - {name: %s, match: %s}\n", yamldoc.Quote(g.Name), yamldoc.Quote(g.Match))
		}
	}
	if s.Profile > 0 {
		fmt.Fprintf(&b, "profile: %d\n", s.Profile)
	}
	if len(s.Skip) > 0 {
		b.WriteString("skip:\n")
		for _, p := range s.Skip {
			b.WriteString("  - " + yamldoc.Quote(p) + "\n")
		}
	}
	for _, kv := range [][2]string{{"dtype", s.DType}, {"masks", s.Masks}, {"vocab", s.Vocab}, {"form", s.Form}, {"tokenizer", s.Tokenizer}, {"chat_template", s.ChatTemplate}, {"files", s.Files}} {
		if kv[1] != "" {
			b.WriteString(kv[0] + ": " + yamldoc.Quote(kv[1]) + "\n")
		}
	}
	if s.Prepare.Name != "" {
		b.WriteString("prepare: {name: " + yamldoc.Quote(s.Prepare.Name))
		names, values := s.Prepare.keys()
		for i, name := range names {
			b.WriteString(", " + name + ": " + yamldoc.FormatNumber(values[i]))
		}
		b.WriteString("}\n")
	}
	if s.PadVocab > 0 {
		fmt.Fprintf(&b, "pad_to_multiple_of: %d\n", s.PadVocab)
	}
	if s.MaxRank > 0 {
		fmt.Fprintf(&b, "max_rank: %d\n", s.MaxRank)
	}
	if s.VarianceCorrection {
		b.WriteString("variance_correction: true\n")
	}
	fmt.Fprintf(&b, "seed: %d\n", s.Seed)
	return []byte(b.String())
}

// stackYAML is the key of a stack with its value.
func stackYAML(stack []Slice) string {
	parts := make([]string, len(stack))
	for i, s := range stack {
		parts[i] = fmt.Sprintf("{path: %s, layers: [%d, %d]}", yamldoc.Quote(s.Path), s.Layers[0], s.Layers[1])
	}
	return "stack: [" + strings.Join(parts, ", ") + "]"
}

// weightYAML is a model's weight, or its weights by group.
func (r Recipe) weightYAML(model string) string {
	if v, ok := r.weightAt(model); ok {
		return ", weight: " + v
	}
	var parts []string
	for _, g := range r.spec.Groups {
		if v, ok := r.weightAt(join(model, g.Name)); ok {
			parts = append(parts, yamldoc.Quote(g.Name)+": "+v)
		}
	}
	if parts == nil {
		return ""
	}
	return ", weight: {" + strings.Join(parts, ", ") + "}"
}

// weightAt is a weight, or the list of a profile's.
func (r Recipe) weightAt(name string) (text string, ok bool) {
	var values []string
	for _, knot := range r.spec.knots() {
		v, given := r.weights[join(name, knot)]
		if !given {
			return "", false
		}
		values = append(values, yamldoc.FormatNumber(v))
	}
	if r.spec.Profile == 0 {
		return values[0], true
	}
	return "[" + strings.Join(values, ", ") + "]", true
}

func yamlValue(v any) string {
	switch x := v.(type) {
	case map[string]any:
		var parts []string
		for _, k := range sortedKeys(x) {
			parts = append(parts, yamldoc.Quote(k)+": "+yamlValue(x[k]))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case bool:
		return strconv.FormatBool(x)
	case string:
		return yamldoc.Quote(x)
	}
	if f, ok := yamldoc.Float(v); ok {
		return yamldoc.FormatNumber(f)
	}
	return yamldoc.Quote(fmt.Sprint(v))
}

// NewRecipe makes a recipe of a spec and a value for every weight. from says in problems what it is made of.
func NewRecipe(from string, spec Spec, weights map[string]float64) (*Recipe, error) {
	res, found := resolve(spec)
	if err := found.err(); err != nil {
		return nil, inFile(from, err)
	}
	if _, err := res.settings(0, weights); err != nil {
		return nil, inFile(from, err)
	}
	return &Recipe{spec: spec, weights: maps.Clone(weights)}, nil
}

// from resolves a relative path against a folder, and leaves alone what is no file there (a hub id).
func from(dir, path string) string {
	path = Home(path)
	if _, step := stepOf(path); step || path == "" || filepath.IsAbs(path) {
		return path
	}
	joined := filepath.Join(dir, path)
	if _, err := os.Stat(joined); err == nil || !HubID(path) {
		return joined
	}
	// What happens to lie in the working folder is another model than the one that is missing.
	if _, err := os.Stat(path); err == nil {
		return joined
	}
	return path
}

// inFile says in which file the problems are.
func inFile(file string, err error) error {
	var e problem.List
	if !errors.As(err, &e) {
		return err
	}
	out := make([]Problem, len(e))
	for i, p := range e {
		p.Where = strings.TrimSuffix(file+": "+p.Where, ": ")
		out[i] = p
	}
	return problem.List(out)
}
