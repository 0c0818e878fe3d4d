package merge

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"parfait/merge/codes"
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
	comment string
}

// Recipe fixes the coefficients of a plan: weights by model and group, everything else as a parameter of the
// method. Executing it writes the same bytes as Write with at. Paths are made absolute. Values that
// Write would refuse are refused when the recipe is executed.
func (p *Plan) Recipe(at map[string]float64) Recipe {
	rec := p.r.recipe(at)
	if p.base != nil {
		rec.spec.Base = absolute(p.base.path)
	}
	for i := range rec.spec.Models {
		rec.spec.Models[i].Path = absolute(p.models[i].path)
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
	if rec.spec.Base != "" {
		rec.spec.Base = whereIs(rec.spec.Base)
	}
	for i := range rec.spec.Models {
		rec.spec.Models[i].Path = whereIs(rec.spec.Models[i].Path)
	}
	return rec, nil
}

// whereIs is the absolute path of a model, or what was said of it where it is not here.
func whereIs(path string) string {
	if found, err := locate(path); err == nil {
		return absolute(found)
	}
	return path
}

// recipe fixes the coefficients, and leaves the paths of models as they are.
func (r *resolved) recipe(at map[string]float64) Recipe {
	settings := r.everyGroup(0, at)
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
	if s.Base != "" {
		b.WriteString("base: " + yamldoc.Quote(s.Base) + "\n")
	}
	b.WriteString("models:\n")
	for _, m := range s.Models {
		fmt.Fprintf(&b, "  - {name: %s, path: %s%s}\n", yamldoc.Quote(m.Name), yamldoc.Quote(m.Path), r.weightYAML(m.Name))
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
	if len(s.Skip) > 0 {
		b.WriteString("skip:\n")
		for _, p := range s.Skip {
			b.WriteString("  - " + yamldoc.Quote(p) + "\n")
		}
	}
	for _, kv := range [][2]string{{"dtype", s.DType}, {"masks", s.Masks}, {"vocab", s.Vocab}, {"form", s.Form}} {
		if kv[1] != "" {
			b.WriteString(kv[0] + ": " + yamldoc.Quote(kv[1]) + "\n")
		}
	}
	if s.VarianceCorrection {
		b.WriteString("variance_correction: true\n")
	}
	fmt.Fprintf(&b, "seed: %d\n", s.Seed)
	return []byte(b.String())
}

// weightYAML is a model's weight, or its weights by group.
func (r Recipe) weightYAML(model string) string {
	if v, ok := r.weights[model]; ok {
		return ", weight: " + yamldoc.FormatNumber(v)
	}
	var parts []string
	for _, g := range r.spec.Groups {
		if v, ok := r.weights[join(model, g.Name)]; ok {
			parts = append(parts, yamldoc.Quote(g.Name)+": "+yamldoc.FormatNumber(v))
		}
	}
	if parts == nil {
		return ""
	}
	return ", weight: {" + strings.Join(parts, ", ") + "}"
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

// ReadRecipe reads a recipe; a folder stands for its recipe.yaml. Relative paths are meant from the recipe's own
// folder. The error names
// every problem with its line.
func ReadRecipe(path string) (*Recipe, error) {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		path = filepath.Join(path, RecipeFile)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, unread(codes.Open, path, err, "a recipe", "check the path")
	}
	return ParseRecipe(path, data)
}

// ParseRecipe is ReadRecipe for bytes; file names them in errors and gives the folder of relative paths.
func ParseRecipe(file string, data []byte) (*Recipe, error) {
	root, doc, err := yamldoc.Parse(file, data)
	if err != nil {
		return nil, YAMLProblems(err)
	}
	if root.Has("merge_method") {
		return nil, Problem{Code: codes.Recipe, Where: file, What: "it is a mergekit configuration", Expected: "a recipe", Fix: "turn it into one: parfait mergekit import"}
	}
	p := recipeParser{r: Recipe{weights: map[string]float64{}}}
	p.read(root)
	if err := doc.Err(); err != nil {
		return nil, YAMLProblems(err)
	}
	spec := &p.r.spec
	dir := filepath.Dir(file)
	spec.Base = from(dir, spec.Base)
	for i := range spec.Models {
		spec.Models[i].Path = from(dir, spec.Models[i].Path)
	}
	for name, v := range spec.Params {
		if def, _ := methodParam(spec.Method, name); def.Kind == method.Paths {
			if m, ok := v.(map[string]any); ok {
				for model, path := range m {
					m[model] = from(dir, fmt.Sprint(path))
				}
			}
		}
	}
	return NewRecipe(file, *spec, p.r.weights)
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
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	joined := filepath.Join(dir, path)
	if _, err := os.Stat(joined); err == nil || !hubID(path) {
		return joined
	}
	// What happens to lie in the working folder is another model than the one that is missing.
	if _, err := os.Stat(path); err == nil {
		return joined
	}
	return path
}

// hubID says whether a path could be owner/name on the hub.
func hubID(path string) bool {
	return strings.Count(path, "/") == 1 && !strings.HasPrefix(path, ".") && !strings.HasPrefix(path, "/") && !strings.HasSuffix(path, "/") && !strings.HasSuffix(path, ".safetensors")
}

// YAMLProblems turns what package yamldoc found in a file into problems.
func YAMLProblems(err error) error {
	var doc *yamldoc.Problems
	if !errors.As(err, &doc) {
		return Problem{Code: codes.Recipe, What: err.Error()}
	}
	var list []Problem
	for _, p := range doc.List {
		where := doc.File
		if p.Line > 0 {
			where = fmt.Sprintf("%s:%d:%d", doc.File, p.Line, p.Column)
		}
		if p.Path != "" {
			where += ": " + p.Path
		}
		list = append(list, Problem{Code: codes.Recipe, Where: where, What: p.Msg})
	}
	return problem.List(list)
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

// recipeParser reads a recipe's nodes.
type recipeParser struct{ r Recipe }

func (p *recipeParser) read(root yamldoc.Node) {
	s := &p.r.spec
	version := 0
	root.Fields(map[string]func(yamldoc.Node){
		"version": func(n yamldoc.Node) {
			if version = n.Int(1); version != recipeVersion {
				n.Failf("recipe version %d; this program reads version %d", version, recipeVersion)
			}
		},
		"base":                func(n yamldoc.Node) { s.Base = n.Text() },
		"models":              p.models,
		"method":              p.method,
		"groups":              p.groups,
		"skip":                func(n yamldoc.Node) { s.Skip = texts(n) },
		"dtype":               func(n yamldoc.Node) { s.DType = n.Word("dtype", AsBase, BF16, F16, F32) },
		"masks":               func(n yamldoc.Node) { s.Masks = n.Word("way to keep zeros", MasksPreserve, MasksIntersect, MasksUnion) },
		"vocab":               func(n yamldoc.Node) { s.Vocab = n.Word("way with vocabularies", VocabCrop, VocabPad) },
		"form":                func(n yamldoc.Node) { s.Form = n.Word("form", FormAdapter) },
		"variance_correction": func(n yamldoc.Node) { s.VarianceCorrection = n.Bool() },
		"seed":                func(n yamldoc.Node) { s.Seed = n.Uint64() },
	})
	for name, v := range s.Params {
		if def, _ := methodParam(s.Method, name); def.Kind == method.Number {
			s.Params[name] = yamldoc.Numbers(v)
		}
	}
	if version == 0 {
		root.Failf("version: is missing; write version: %d at the top", recipeVersion)
	}
}

func texts(n yamldoc.Node) []string {
	var out []string
	for _, item := range n.List() {
		out = append(out, item.Text())
	}
	return out
}

func (p *recipeParser) models(n yamldoc.Node) {
	for _, item := range n.List() {
		var m Source
		var weight yamldoc.Node
		item.Fields(map[string]func(yamldoc.Node){
			"name":   func(n yamldoc.Node) { m.Name = n.Text() },
			"path":   func(n yamldoc.Node) { m.Path = n.Text() },
			"weight": func(n yamldoc.Node) { weight = n },
		})
		p.r.spec.Models = append(p.r.spec.Models, m)
		switch {
		case !weight.Present():
		case weight.IsMapping():
			weight.Each(func(group string, v yamldoc.Node) { p.r.weights[join(m.Name, group)] = v.Float() })
		default:
			p.r.weights[m.Name] = weight.Float()
		}
	}
}

func (p *recipeParser) method(n yamldoc.Node) {
	p.r.spec.Params = map[string]any{}
	n.Each(func(key string, v yamldoc.Node) {
		if key == "name" {
			p.r.spec.Method = v.Text()
			return
		}
		p.r.spec.Params[key] = v.Value()
	})
}

func (p *recipeParser) groups(n yamldoc.Node) {
	for _, item := range n.List() {
		var g Group
		item.Fields(map[string]func(yamldoc.Node){
			"name":  func(n yamldoc.Node) { g.Name = n.Text() },
			"match": func(n yamldoc.Node) { g.Match = n.Text() },
		})
		p.r.spec.Groups = append(p.r.spec.Groups, g)
	}
}
