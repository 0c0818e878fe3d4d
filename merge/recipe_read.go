package merge

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"parfait/merge/codes"
	"parfait/merge/method"
	"parfait/problem"
	"parfait/yamldoc"
)

// stack reads that of a model, "" for the base.
func (p *recipeParser) stack(model string, n yamldoc.Node) {
	var stack []Slice
	for _, item := range n.List() {
		var s Slice
		item.Fields(map[string]func(yamldoc.Node){
			"path": func(n yamldoc.Node) { s.Path = n.Text() },
			"layers": func(n yamldoc.Node) {
				if n.IsList() && len(n.List()) == 2 {
					s.Layers = [2]int{n.List()[0].Int(0), n.List()[1].Int(1)}
				} else {
					n.Failf("expected [first, end], the first layer and the one after the last: [0, 16]")
				}
			},
		})
		if s.Path == "" || !item.Has("layers") {
			item.Failf("expected a path and its layers: {path: models/a, layers: [0, 16]}")
		}
		stack = append(stack, s)
	}
	if len(stack) == 0 {
		n.Failf("expected a list of runs of layers: [{path: models/a, layers: [0, 16]}]")
		return
	}
	if p.r.spec.Stacks == nil {
		p.r.spec.Stacks = map[string][]Slice{}
	}
	p.r.spec.Stacks[model] = stack
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
	p := newRecipeParser(filepath.Dir(file))
	p.read(root)
	if err := doc.Err(); err != nil {
		return nil, YAMLProblems(err)
	}
	r, err := p.recipe(file)
	if err != nil || len(p.steps) == 0 {
		return r, err
	}
	var steps []Step
	for i, step := range p.steps {
		made, err := step.recipe(file)
		if err != nil {
			return nil, err
		}
		steps = append(steps, Step{p.names[i], *made})
	}
	whole, err := r.After(steps)
	return &whole, inFile(file, err)
}

// recipe is what was read, checked; paths are meant from the folder of file.
func (p *recipeParser) recipe(file string) (*Recipe, error) {
	dir := filepath.Dir(file)
	p.r.spec = p.r.spec.mapped(func(path string) string { return from(dir, path) })
	spec := &p.r.spec
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

// recipeParser reads a recipe's nodes.
type recipeParser struct {
	dir   string // from which paths are meant
	r     Recipe
	names []string
	steps []*recipeParser
	globs []modelGlob

	weighed []modelWeight
}

func newRecipeParser(dir string) *recipeParser {
	return &recipeParser{dir: dir, r: Recipe{weights: map[string]float64{}}}
}

func (p *recipeParser) read(root yamldoc.Node) {
	s := &p.r.spec
	version := 0
	root.Fields(map[string]func(yamldoc.Node){
		"version": func(n yamldoc.Node) {
			if version = n.Int(1); version != recipeVersion {
				n.Failf("recipe version %d; this program reads version %d", version, recipeVersion)
			}
		},
		"steps":               p.readSteps,
		"base":                p.base,
		"models":              p.models,
		"method":              p.method,
		"groups":              p.groups,
		"profile":             func(n yamldoc.Node) { s.Profile = n.Int(leastKnots) },
		"skip":                func(n yamldoc.Node) { s.Skip = texts(n) },
		"dtype":               func(n yamldoc.Node) { s.DType = n.Word("dtype", AsBase, BF16, F16, F32) },
		"masks":               func(n yamldoc.Node) { s.Masks = n.Word("way to keep zeros", MasksPreserve, MasksIntersect, MasksUnion) },
		"vocab":               func(n yamldoc.Node) { s.Vocab = n.Word("way with vocabularies", VocabCrop, VocabPad) },
		"form":                func(n yamldoc.Node) { s.Form = n.Word("form", FormAdapter) },
		"prepare":             p.prepare,
		"tokenizer":           func(n yamldoc.Node) { s.Tokenizer = n.Text() },
		"chat_template":       func(n yamldoc.Node) { s.ChatTemplate = n.Text() },
		"files":               func(n yamldoc.Node) { s.Files = n.Text() },
		"pad_to_multiple_of":  func(n yamldoc.Node) { s.PadVocab = n.Int(1) },
		"max_rank":            func(n yamldoc.Node) { s.MaxRank = n.Int(1) },
		"variance_correction": func(n yamldoc.Node) { s.VarianceCorrection = n.Bool() },
		"seed":                func(n yamldoc.Node) { s.Seed = n.Uint64() },
	})
	for _, w := range p.weighed { // when it is known whether there is a profile
		p.weight(w.model, w.weight)
	}
	p.find() // when the base is known, which is none of them
	for name, v := range s.Params {
		if def, _ := methodParam(s.Method, name); def.Kind == method.Number {
			s.Params[name] = yamldoc.Numbers(v)
		}
	}
	if version == 0 {
		root.Failf("version: is missing; write version: %d at the top", recipeVersion)
	}
}

func (p *recipeParser) readSteps(n yamldoc.Node) {
	for _, item := range n.List() {
		step, name := newRecipeParser(p.dir), ""
		item.Fields(map[string]func(yamldoc.Node){
			"name":   func(n yamldoc.Node) { name = n.Text() },
			"recipe": step.read,
		})
		if !item.Has("recipe") {
			item.Failf("expected a name and a recipe")
		}
		p.names, p.steps = append(p.names, name), append(p.steps, step)
	}
}

func texts(n yamldoc.Node) []string {
	var out []string
	for _, item := range n.List() {
		out = append(out, item.Text())
	}
	return out
}

func (p *recipeParser) base(n yamldoc.Node) {
	if !n.IsMapping() {
		p.r.spec.Base = n.Text()
		return
	}
	n.Fields(map[string]func(yamldoc.Node){
		"path":  func(n yamldoc.Node) { p.r.spec.Base = n.Text() },
		"stack": func(n yamldoc.Node) { p.stack("", n) },
	})
}

func (p *recipeParser) models(n yamldoc.Node) {
	items := []yamldoc.Node{n}
	if !n.Has("glob") {
		items = n.List()
	}
	for _, item := range items {
		var m Source
		var weight, stack, glob yamldoc.Node
		var names string
		item.Fields(map[string]func(yamldoc.Node){
			"name":   func(n yamldoc.Node) { m.Name = n.Text() },
			"path":   func(n yamldoc.Node) { m.Path = n.Text() },
			"stack":  func(n yamldoc.Node) { stack = n },
			"weight": func(n yamldoc.Node) { weight = n },
			"glob":   func(n yamldoc.Node) { glob = n },
			"names":  func(n yamldoc.Node) { names = n.Text() },
		})
		if glob.Present() {
			if m.Name != "" || m.Path != "" || stack.Present() {
				glob.Failf("a glob finds paths and names them: leave name, path and stack out, or the glob")
			}
			p.globs = append(p.globs, modelGlob{len(p.r.spec.Models), glob, names, weight})
			continue
		}
		p.r.spec.Models = append(p.r.spec.Models, m)
		if stack.Present() {
			p.stack(m.Name, stack)
		}
		p.weighed = append(p.weighed, modelWeight{m.Name, weight})
	}
}

// weight is that of a model, or those by its groups.
func (p *recipeParser) weight(model string, weight yamldoc.Node) {
	switch {
	case !weight.Present():
	case weight.IsMapping():
		weight.Each(func(group string, v yamldoc.Node) { p.profile(join(model, group), v) })
	default:
		p.profile(model, weight)
	}
}

// profile is a weight, or the list of those at the knots of a profile; one number is that of all.
func (p *recipeParser) profile(name string, weight yamldoc.Node) {
	knots := p.r.spec.knots()
	items := make([]yamldoc.Node, len(knots))
	for i := range items {
		items[i] = weight
	}
	if weight.IsList() {
		switch items = weight.List(); {
		case p.r.spec.Profile == 0:
			weight.Failf("a list of weights is a profile over the layers: say profile: %d at the top", max(len(items), leastKnots))
			return
		case len(items) != len(knots):
			weight.Failf("expected %d weights, one for each knot of the profile, found %d", len(knots), len(items))
			return
		}
	}
	for i, knot := range knots {
		p.r.weights[join(name, knot)] = items[i].Float()
	}
}

// modelWeight is what a recipe says of a model's weight.
type modelWeight struct {
	model  string
	weight yamldoc.Node
}

// modelGlob is a glob among the models of a recipe.
type modelGlob struct {
	before int // of the models that are listed
	glob   yamldoc.Node
	names  string
	weight yamldoc.Node // of each model
}

// find looks for the models of the globs, the last first, so that those before keep their places.
func (p *recipeParser) find() {
	for _, g := range slices.Backward(p.globs) {
		found, err := Find(p.dir, g.glob.Text(), g.names, p.r.spec.Base)
		if err != nil {
			g.glob.Failf("%s", problem.Text(err))
			continue
		}
		for _, m := range found {
			p.weight(m.Name, g.weight)
		}
		p.r.spec.Models = slices.Insert(p.r.spec.Models, g.before, found...)
	}
}

func (p *recipeParser) method(n yamldoc.Node) {
	p.r.spec.Params = map[string]any{}
	if n.Present() && !n.IsMapping() {
		p.r.spec.Method = n.Text()
		return
	}
	n.Each(func(key string, v yamldoc.Node) {
		if key == "name" {
			p.r.spec.Method = v.Text()
			return
		}
		p.r.spec.Params[key] = v.Value()
	})
}

func (p *recipeParser) prepare(n yamldoc.Node) {
	s := &p.r.spec.Prepare
	n.Fields(map[string]func(yamldoc.Node){
		"name":    func(n yamldoc.Node) { s.Name = n.Word("preparation", preparations...) },
		"rank":    func(n yamldoc.Node) { s.Rank = n.Float() },
		"common":  func(n yamldoc.Node) { s.Common = n.Float() },
		"density": func(n yamldoc.Node) { s.Density = n.Float() },
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
