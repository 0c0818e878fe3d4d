package study

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"parfait/merge"
	"parfait/merge/method"
	"parfait/search"
	"parfait/yamldoc"
)

// specReader turns the nodes of a study.yaml into a Spec; problems gather in the document.
type specReader struct {
	doc    *yamldoc.Document
	dir    string                  // from which paths are meant
	pinned map[string]string       // the paths of the models that the study was begun with, by their names
	ranges map[string]yamldoc.Node // of the models, or the values that they are fixed at, where one is given
	ties   *yamldoc.Node           // the list tie
	looks  *yamldoc.Node           // the focus of search
	theirs map[string]yamldoc.Node // what the evaluators call the tasks, by the evaluators' names
}

var nameRule = regexp.MustCompile(`^[\pL\pN_][\pL\pN_-]*$`)

// name reads a name that is used in flags, files and coefficient names.
func (specReader) name(n yamldoc.Node) string {
	s := n.Text()
	if s != "" && !nameRule.MatchString(s) {
		n.Failf("%q cannot be a name: use letters, digits, _ and - only (it appears in flags and files)", s)
	}
	return s
}

func (specReader) bounds(n yamldoc.Node) Range {
	items := n.List()
	if len(items) != 2 {
		n.Failf("expected [low, high], found %s", n.Kind())
		return Range{0, 1}
	}
	r := Range{items[0].Float(), items[1].Float()}
	if r[0] >= r[1] {
		n.Failf("expected low < high, found %g and %g", r[0], r[1])
	} else if (search.Coefficient{Lo: r[0], Hi: r[1]}).Width() == 0 {
		n.Failf("the range from %v to %v is next to nothing wide: no measurement tells merges there apart; give a wider one, or one value in its place", r[0], r[1])
	}
	return r
}

func (r specReader) read(root yamldoc.Node) *Spec {
	s := &Spec{Search: SearchSpec{Strategy: "adaptive", Budget: 60, Order: OrderFixed, Batch: 4, Seed: 1, Options: map[string]any{}}, Evaluators: map[string]EvaluatorSpec{}}
	seen := map[string]bool{}
	field := func(name string, f func(yamldoc.Node)) func(yamldoc.Node) {
		return func(n yamldoc.Node) { seen[name] = true; f(n) }
	}
	var tasks, models yamldoc.Node
	handlers := map[string]func(yamldoc.Node){
		"version": func(n yamldoc.Node) {
			if s.Version = n.Int(1); s.Version != 1 {
				n.Failf("version %d is newer than this parfait, which knows version 1", s.Version)
			}
		},
		"base":    func(n yamldoc.Node) { s.Base = n.Text() },
		"models":  func(n yamldoc.Node) { models = n },
		"method":  func(n yamldoc.Node) { s.Method = r.method(n) },
		"groups":  func(n yamldoc.Node) { s.Groups = r.groups(n) },
		"profile": func(n yamldoc.Node) { s.Profile = n.Int(2) },
		"tie":     func(n yamldoc.Node) { s.Tie = r.tie(n) },
		"skip":    func(n yamldoc.Node) { s.Skip = texts(n) },
		"dtype":   func(n yamldoc.Node) { s.DType = n.Word("dtype", "as-base", "bf16", "f16", "f32") },
		"masks": func(n yamldoc.Node) {
			s.Masks = n.Word("masks", merge.MasksPreserve, merge.MasksIntersect, merge.MasksUnion)
		},
		"vocab":               func(n yamldoc.Node) { s.Vocab = n.Word("vocab", merge.VocabCrop, merge.VocabPad) },
		"tokenizer":           func(n yamldoc.Node) { s.Side.Tokenizer = n.Text() },
		"pad_to_multiple_of":  func(n yamldoc.Node) { s.Side.PadVocab = n.Int(1) },
		"chat_template":       func(n yamldoc.Node) { s.Side.ChatTemplate = n.Text() },
		"files":               func(n yamldoc.Node) { s.Side.Files = n.Text() },
		"variance_correction": func(n yamldoc.Node) { s.Variance = n.Bool() },
		"tasks":               func(n yamldoc.Node) { tasks = n; s.Tasks = r.tasks(n) },
		"evaluators":          func(n yamldoc.Node) { s.Evaluators = r.evaluators(n) },
		"candidates":          func(n yamldoc.Node) { s.Candidates = r.candidates(n) },
		"search":              func(n yamldoc.Node) { r.search(n, &s.Search) },
		"surrogate":           func(n yamldoc.Node) { s.Surrogate = r.surrogate(n) },
	}
	for k, f := range handlers {
		handlers[k] = field(k, f)
	}
	root.Fields(handlers)
	for _, k := range []string{"version", "base", "models", "tasks", "evaluators"} {
		if !seen[k] && !(k == "evaluators" && s.Search.Budget == 0) { // what is imported needs none
			root.Failf("%s: is missing", k)
		}
	}
	if s.Method.Name == "" && !seen["method"] {
		s.Method = MethodSpec{Name: "task_arithmetic", Params: map[string]any{}, Ranges: map[string]Range{}}
	}
	r.find(models, s)
	r.checkTasks(tasks, s)
	r.checkTies(s)
	r.checkNames(root, s)
	r.checkFocus(s)
	return s
}

func texts(n yamldoc.Node) []string {
	var out []string
	for _, i := range n.List() {
		out = append(out, i.Text())
	}
	return out
}

func (r specReader) method(n yamldoc.Node) MethodSpec {
	m := MethodSpec{Params: map[string]any{}, Ranges: map[string]Range{}}
	if !n.IsMapping() {
		m.Name = n.Text()
	} else {
		n.Each(func(key string, v yamldoc.Node) {
			switch {
			case key == "name":
				m.Name = v.Text()
			case v.IsMapping() && v.Has("range"):
				v.Fields(map[string]func(yamldoc.Node){"range": func(v yamldoc.Node) { m.Ranges[key] = r.bounds(v) }})
			case v.IsMapping(): // a number or a file for each model or group
				values := map[string]any{}
				v.Each(func(k string, v yamldoc.Node) { values[k] = number(v.Value()) })
				m.Params[key] = values
			case v.IsList():
				v.Failf("expected a value, or {range: [low, high]} to make it a coefficient")
			default:
				m.Params[key] = number(v.Value())
			}
		})
	}
	var known []string
	for _, info := range method.All() {
		known = append(known, info.Name)
		for _, p := range info.Params {
			if v, given := m.Params[p.Name]; given && info.Name == m.Name && p.Kind == method.Number {
				m.Params[p.Name] = yamldoc.Numbers(v)
			}
		}
	}
	switch {
	case m.Name == "":
		n.Failf("a method needs a name (known: %s)", strings.Join(known, ", "))
	case !slices.Contains(known, m.Name):
		n.Unknown("method", m.Name, known)
	}
	return m
}

// number makes whole numbers float64, so that parameters have one type.
func number(v any) any {
	if i, ok := v.(int); ok {
		return float64(i)
	}
	return v
}

func (r specReader) groups(n yamldoc.Node) []GroupSpec {
	var out []GroupSpec
	for _, item := range n.List() {
		var g GroupSpec
		item.Fields(map[string]func(yamldoc.Node){
			"name":  func(n yamldoc.Node) { g.Name = r.name(n) },
			"match": func(n yamldoc.Node) { g.Match = n.Text() },
		})
		if g.Name == "" || g.Match == "" {
			item.Failf("a group needs a name and a match (a glob on whole tensor names)")
		}
		if slices.ContainsFunc(out, func(o GroupSpec) bool { return o.Name == g.Name }) {
			item.Failf("the name %q is taken by an earlier group", g.Name)
		}
		out = append(out, g)
	}
	return out
}

// checkNames lets the engine say what it thinks of the method, its parameters and groups.
func (r specReader) checkNames(root yamldoc.Node, s *Spec) {
	if r.doc.Err() != nil {
		return
	}
	info, _ := method.Describe(s.Method.Name)
	for i, m := range s.Models {
		if _, given := r.ranges[m.Name]; !given && info.Least > 0 { // where its models are many, they leave room for one another
			s.Models[i].Range[0] = min(info.Least, 0.1/float64(len(s.Models)))
		}
	}
	sp, err := s.space()
	if err != nil {
		root.Failf("%s", err)
		return
	}
	r.checkProportions(sp, s)
}

// checkProportions refuses ranges within which proportions cannot sum to 1. One that goes beyond what proportions can be
// takes nothing away.
func (r specReader) checkProportions(sp search.Space, s *Spec) {
	refused := map[string]bool{}
	for _, set := range sp.Simplex {
		for _, i := range set {
			c := sp.Coefficients[i]
			if c.Lo > c.Hi && !refused[c.Model] {
				refused[c.Model] = true
				r.ranges[c.Model].Failf("with %s the models' coefficients are proportions, from 0 to 1: nothing of this is; leave it out, or %s", s.Method.Name, s.scaled())
			}
		}
		least, most := sums(sp, set)
		sum := fmt.Sprintf("%.4g at least", least)
		switch {
		case len(refused) > 0, least <= 1 && most >= 1:
			continue
		case least <= 1:
			sum = fmt.Sprintf("%.4g at most", most)
		}
		for _, i := range set {
			if at, ok := r.ranges[sp.Coefficients[i].Model]; ok {
				at.Failf("with %s the models' coefficients are proportions, which sum to 1; within their ranges they sum to %s: widen them, leave them out, or %s", s.Method.Name, sum, s.scaled())
				return
			}
		}
	}
}

// scaled is how the models' coefficients get ranges of their own where they are proportions.
func (s *Spec) scaled() string {
	if info, _ := method.Describe(s.Method.Name); slices.Contains(info.Domains, method.Box) {
		return "say `normalize: false` under method: then each has a range of its own"
	}
	return "choose a method whose coefficients have ranges of their own, such as task_arithmetic"
}
