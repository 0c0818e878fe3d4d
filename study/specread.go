package study

import (
	"cmp"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"parfait/merge"
	"parfait/merge/method"
	"parfait/problem"
	"parfait/search"
	"parfait/surrogate"
	"parfait/yamldoc"
)

// specReader turns the nodes of a study.yaml into a Spec; problems gather in the document.
type specReader struct {
	doc    *yamldoc.Document
	ranges map[string]yamldoc.Node // of the models, where one is given
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
	}
	return r
}

func (r specReader) read(root yamldoc.Node) *Spec {
	s := &Spec{Search: SearchSpec{Strategy: "adaptive", Budget: 60, Batch: 4, Seed: 1, Options: map[string]any{}}, Evaluators: map[string]EvaluatorSpec{}}
	seen := map[string]bool{}
	field := func(name string, f func(yamldoc.Node)) func(yamldoc.Node) {
		return func(n yamldoc.Node) { seen[name] = true; f(n) }
	}
	var tasks yamldoc.Node
	handlers := map[string]func(yamldoc.Node){
		"version": func(n yamldoc.Node) {
			if s.Version = n.Int(1); s.Version != 1 {
				n.Failf("version %d is newer than this parfait, which knows version 1", s.Version)
			}
		},
		"base":   func(n yamldoc.Node) { s.Base = n.Text() },
		"models": func(n yamldoc.Node) { s.Models = r.models(n) },
		"method": func(n yamldoc.Node) { s.Method = r.method(n) },
		"groups": func(n yamldoc.Node) { s.Groups = r.groups(n) },
		"skip":   func(n yamldoc.Node) { s.Skip = texts(n) },
		"dtype":  func(n yamldoc.Node) { s.DType = n.Word("dtype", "as-base", "bf16", "f16", "f32") },
		"masks": func(n yamldoc.Node) {
			s.Masks = n.Word("masks", merge.MasksPreserve, merge.MasksIntersect, merge.MasksUnion)
		},
		"vocab":               func(n yamldoc.Node) { s.Vocab = n.Word("vocab", merge.VocabCrop, merge.VocabPad) },
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
		if !seen[k] {
			root.Failf("%s: is missing", k)
		}
	}
	if s.Method.Name == "" && !seen["method"] {
		s.Method = MethodSpec{Name: "task_arithmetic", Params: map[string]any{}, Ranges: map[string]Range{}}
	}
	r.checkTasks(tasks, s)
	r.checkNames(root, s)
	return s
}

func texts(n yamldoc.Node) []string {
	var out []string
	for _, i := range n.List() {
		out = append(out, i.Text())
	}
	return out
}

func (r specReader) models(n yamldoc.Node) []ModelSpec {
	var out []ModelSpec
	names := map[string]bool{}
	for _, item := range n.List() {
		m, given := ModelSpec{Range: Range{0, 1}}, yamldoc.Node{}
		item.Fields(map[string]func(yamldoc.Node){
			"name":  func(n yamldoc.Node) { m.Name = r.name(n) },
			"path":  func(n yamldoc.Node) { m.Path = n.Text() },
			"range": func(n yamldoc.Node) { m.Range, given = r.bounds(n), n },
		})
		if given.Present() {
			r.ranges[m.Name] = given
		}
		switch {
		case m.Name == "" || m.Path == "":
			item.Failf("a model needs a name and a path")
		case names[m.Name]:
			item.Failf("the name %q is taken by an earlier model", m.Name)
		}
		names[m.Name] = true
		out = append(out, m)
	}
	if len(out) == 0 {
		n.Failf("expected at least one model")
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

func (r specReader) tasks(n yamldoc.Node) []Task {
	var out []Task
	for _, item := range n.List() {
		t := Task{Role: Objective}
		var link string
		item.Fields(map[string]func(yamldoc.Node){
			"name":      func(n yamldoc.Node) { t.Name = r.name(n) },
			"role":      func(n yamldoc.Node) { t.Role = Role(n.Word("role", "objective", "guard", "info")) },
			"unit":      func(n yamldoc.Node) { t.Unit = unit(n) },
			"sense":     func(n yamldoc.Node) { t.Sense = Sense(n.Word("sense", "maximize", "minimize")) },
			"link":      func(n yamldoc.Node) { link = n.Word("link", "auto", "identity", "logit", "log") },
			"at_least":  func(n yamldoc.Node) { v := n.Float(); t.AtLeast = &v },
			"at_most":   func(n yamldoc.Node) { v := n.Float(); t.AtMost = &v },
			"evaluator": func(n yamldoc.Node) { t.Evaluator = n.Text() },
		})
		if t.Name == "" {
			item.Failf("a task needs a name")
		}
		if slices.ContainsFunc(out, func(o Task) bool { return o.Name == t.Name }) {
			item.Failf("the name %q is taken by an earlier task", t.Name)
		}
		if t.Sense == "" {
			t.Sense = Maximize
			if t.Unit == "loss" {
				t.Sense = Minimize
			}
		}
		if t.AtLeast != nil && t.AtMost != nil && *t.AtLeast > *t.AtMost {
			item.Failf("at_least %g is above at_most %g: nothing can satisfy both", *t.AtLeast, *t.AtMost)
		}
		t.Link, t.AutoLink = linkOf(link, t.Unit), link == "" || link == "auto"
		out = append(out, t)
	}
	return out
}

// unit reads a task's unit: any word, but for those that are meant to be one of the two that mean something.
func unit(n yamldoc.Node) string {
	word := n.Text()
	meant := []string{"rate", "loss"}
	if near := problem.Nearest(word, meant); near != "" && !slices.Contains(meant, word) {
		n.Failf("unknown unit %q; did you mean %q? (a unit of your own needs a name less like it)", word, near)
	}
	return word
}

// linkOf resolves "auto": rate → logit, loss → log while it is positive, else identity.
func linkOf(link, unit string) surrogate.Link {
	switch {
	case link != "" && link != "auto":
		return surrogate.Link(link)
	case unit == "rate":
		return surrogate.Logit
	case unit == "loss":
		return surrogate.Log
	}
	return surrogate.Identity
}

// evaluators reads {name: {KIND: …, options}}. What stands at the kind's own key is its options, or, where
// it is no mapping, the one called like the kind: a command, a worker's program.
func (r specReader) evaluators(n yamldoc.Node) map[string]EvaluatorSpec {
	out := map[string]EvaluatorSpec{}
	n.Each(func(name string, v yamldoc.Node) {
		e := EvaluatorSpec{Options: map[string]any{}, Line: v.Line()}
		option := func(key string, o yamldoc.Node) {
			if _, twice := e.Options[key]; twice {
				o.Failf("stands twice, beside its kind and in it; keep one")
			}
			e.Options[key] = optionValue(o)
		}
		v.Each(func(key string, o yamldoc.Node) {
			_, known := kinds[key]
			switch {
			case known && e.Kind != "":
				o.Failf("an evaluator has one kind, this has %s and %s", e.Kind, key)
				return
			case known:
				e.Kind = key
			}
			switch {
			case known && o.IsMapping():
				o.Each(option)
			case !known || o.Present():
				option(key, o)
			}
		})
		switch {
		case !v.Present():
			v.Failf("is empty: expected one of the kinds %s, such as {command: [python, evaluate.py, '{model}']}", strings.Join(evaluatorKinds(), ", "))
		case e.Kind == "":
			v.Failf("expected one of the kinds %s", strings.Join(evaluatorKinds(), ", "))
		default:
			for _, err := range kinds[e.Kind].check(e.Options) {
				v.Failf("%s", err)
			}
		}
		out[name] = e
	})
	return out
}

// optionValue is Value, but what stands in a list or a mapping (arguments, headers, variables) is text as it is
// written: 1.0 stays 1.0, and 007 is no octal number.
func optionValue(n yamldoc.Node) any {
	switch {
	case n.IsList():
		out := []any{}
		for _, item := range n.List() {
			out = append(out, written(item))
		}
		return out
	case n.IsMapping():
		out := map[string]any{}
		n.Each(func(k string, v yamldoc.Node) { out[k] = written(v) })
		return out
	}
	return n.Value()
}

func written(n yamldoc.Node) any {
	if !n.Present() || n.IsList() || n.IsMapping() {
		return n.Value()
	}
	return n.Text()
}

func (r specReader) candidates(n yamldoc.Node) CandidatesSpec {
	var c CandidatesSpec
	n.Fields(map[string]func(yamldoc.Node){
		"path": func(n yamldoc.Node) { c.Path = n.Text() },
		"max":  func(n yamldoc.Node) { c.Max = size(n) },
	})
	return c
}

var sizeRule = regexp.MustCompile(`(?i)^\s*([0-9.]+)\s*([kmgt]?i?b)\s*$`)

// ParseSize reads a number of bytes such as 200GB, 1.5 GiB or 4096.
func ParseSize(s string) (int64, bool) {
	if f, err := yamldoc.Number(strings.TrimSpace(s)); err == nil {
		return int64(f), f >= 0 && f < math.MaxInt64
	}
	m := sizeRule.FindStringSubmatch(s)
	if m == nil {
		return 0, false
	}
	f, err := strconv.ParseFloat(m[1], 64)
	if err != nil {
		return 0, false
	}
	unit, base := strings.ToLower(m[2]), 1000.0
	if strings.Contains(unit, "i") {
		base = 1024
	}
	f *= math.Pow(base, float64(strings.IndexByte("bkmgt", unit[0])))
	return int64(f), f < math.MaxInt64
}

func size(n yamldoc.Node) int64 {
	s := n.Text()
	v, ok := ParseSize(s)
	if !ok {
		n.Failf("expected a size such as 200GB or 20GiB, found %q", s)
	}
	return v
}

func (r specReader) search(n yamldoc.Node, s *SearchSpec) {
	s.Line = n.Line()
	options := map[string]yamldoc.Node{}
	n.Each(func(key string, v yamldoc.Node) {
		switch key {
		case "strategy":
			s.Strategy = v.Text()
		case "budget":
			s.Budget = v.Int(1)
		case "batch":
			s.Batch = v.Int(1)
		case "seed":
			s.Seed = v.Uint64()
		default:
			s.Options[key], options[key] = yamldoc.Numbers(v.Value()), v
		}
	})
	if unknownOptions(s.Strategy, options) {
		return
	}
	if _, err := search.New(s.Strategy, s.Options); err != nil {
		n.Failf("%s", strings.TrimPrefix(err.Error(), "search: "))
	}
}

// unknownOptions says which keys of search are neither its own nor the strategy's, each at its line.
func unknownOptions(strategy string, options map[string]yamldoc.Node) bool {
	known := []string{"strategy", "budget", "batch", "seed"}
	found := false
	for _, info := range search.Strategies() {
		if info.Name != cmp.Or(strategy, "adaptive") {
			continue
		}
		for _, o := range info.Options {
			known = append(known, o.Name)
		}
		for _, key := range slices.Sorted(maps.Keys(options)) {
			if !slices.Contains(known, key) {
				options[key].Unknown("key of search", key, known)
				found = true
			}
		}
	}
	return found
}

// surrogate reads a kind, or a mapping with one.
func (specReader) surrogate(n yamldoc.Node) surrogate.Choice {
	c := surrogate.Choice{Kind: surrogate.KindAuto}
	kind := func(n yamldoc.Node) {
		c.Kind = surrogate.Kind(n.Word("kind of surrogate", string(surrogate.KindAuto), string(surrogate.KindQuadratic), string(surrogate.KindGP)))
	}
	if !n.IsMapping() {
		kind(n)
		return c
	}
	plain := n
	n.Fields(map[string]func(yamldoc.Node){
		"kind":  kind,
		"plain": func(n yamldoc.Node) { plain, c.Plain = n, n.Bool() },
	})
	if err := c.Check(); c.Kind != "" && err != nil {
		plain.Failf("%s", err)
	}
	return c
}

// checkTasks gives every task its evaluator and checks what only shows with all of them read.
func (r specReader) checkTasks(n yamldoc.Node, s *Spec) {
	if !n.Present() {
		return
	}
	var names []string
	for name := range s.Evaluators {
		names = append(names, name)
	}
	slices.Sort(names)
	items, objectives := n.List(), 0
	for i := range s.Tasks {
		t := &s.Tasks[i]
		if t.Role == Objective {
			objectives++
		}
		switch {
		case t.Evaluator == "" && len(names) == 1:
			t.Evaluator = names[0]
		case t.Evaluator == "" && slices.Contains(names, "main"):
			t.Evaluator = "main"
		case t.Evaluator == "" && len(names) > 1:
			items[i].Failf("which evaluator measures it? Say evaluator: %s (or name one of them main)", strings.Join(names, " | "))
		case t.Evaluator != "" && !slices.Contains(names, t.Evaluator):
			items[i].Unknown("evaluator", t.Evaluator, names)
		}
	}
	if objectives == 0 {
		n.Failf("expected at least one task with role objective")
	}
}

// checkNames lets the engine say what it thinks of the method, its parameters and groups.
func (r specReader) checkNames(root yamldoc.Node, s *Spec) {
	if r.doc.Err() != nil {
		return
	}
	sp, err := s.space()
	if err != nil {
		root.Failf("%s", err)
		return
	}
	r.checkProportions(sp, s)
}

// checkProportions refuses a range that leaves out some proportions: nothing searches a part of a simplex. One that
// goes beyond them takes nothing away.
func (r specReader) checkProportions(sp search.Space, s *Spec) {
	for _, m := range s.Models {
		proportion := slices.ContainsFunc(slices.Concat(sp.Simplex...), func(i int) bool { return sp.Coefficients[i].Model == m.Name })
		if proportion && (m.Range[0] > 0 || m.Range[1] < 1) {
			r.ranges[m.Name].Failf("[%g, %g] is a part of [0, 1], and with %s the models' coefficients are proportions, of which each may be anything from 0 to 1, as they sum to 1; leave the range out, or %s",
				m.Range[0], m.Range[1], s.Method.Name, s.scaled())
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
