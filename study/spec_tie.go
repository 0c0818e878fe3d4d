package study

import (
	"fmt"
	"slices"

	"parfait/merge"
	"parfait/merge/method"
	"parfait/problem"
	"parfait/search"
	"parfait/yamldoc"
)

// tie reads lists of names; what they may be is checked when models and groups are known.
func (r specReader) tie(n yamldoc.Node) [][]string {
	*r.ties = n
	var out [][]string
	for _, set := range n.List() {
		out = append(out, texts(set))
	}
	return out
}

// weight is a coefficient of a model, by its place in study.yaml.
type weight struct {
	name         string
	model, group string // group "": there are none
	knot         string // of a profile; "": there is none
}

// weights are the coefficients of all models, in the order of a merge.
func (s *Spec) weights() []weight {
	groups, knots := []string{""}, []string{""}
	if len(s.Groups) > 0 {
		groups = nil
	}
	for _, g := range s.Groups {
		groups = append(groups, g.Name)
	}
	if s.Profile > 0 {
		knots = merge.KnotNames(s.Profile)
	}
	var out []weight
	for _, g := range groups {
		for _, k := range knots {
			for _, m := range s.Models {
				w := weight{m.Name, m.Name, g, k}
				for _, part := range []string{g, k} {
					if part != "" {
						w.name += "." + part
					}
				}
				out = append(out, w)
			}
		}
	}
	return out
}

// checkTies refuses what cannot be tied.
func (r specReader) checkTies(s *Spec) {
	for k, n := range r.ties.List() {
		if k >= len(s.Tie) {
			return
		}
		if len(s.Tie[k]) < 2 {
			n.Failf("expected two names or more, found %d: what is tied has one coefficient together", len(s.Tie[k]))
			continue
		}
		items := n.List()
		for i, name := range s.Tie[k] {
			if slices.Contains(s.Tie[k][:i], name) {
				items[i].Failf("%q stands twice in one tie; keep one", name)
			}
		}
		sets, where, why := s.tied(s.Tie[k])
		if why != "" {
			items[where].Failf("%s", why)
			continue
		}
		weights := s.weights()
		if some := slices.DeleteFunc(slices.Clone(sets), func(set []int) bool { return s.fixed(weights, set) }); len(some) > 0 {
			sets = some // those of models that have a value are one number anyway
		}
		for _, set := range sets {
			if why := s.unequal(weights, set); why != "" {
				n.Failf("%s", why)
				break
			}
		}
	}
	if info, known := method.Describe(s.Method.Name); known && len(s.Tie) > 0 && r.doc.Err() == nil {
		sp, err := s.space()
		switch {
		case err != nil: // which is said elsewhere
		case len(sp.Simplex) > 0:
			r.ties.Failf("with %s the models' coefficients are proportions, which sum to 1, and are not tied: merge the models that belong together first, or %s", s.Method.Name, s.scaled())
		case !slices.ContainsFunc(sp.Coefficients, func(c search.Coefficient) bool { return c.Kind == search.Scaling }):
			r.ties.Failf("%s has no coefficients of models that could be tied", info.Name)
		}
	}
}

func (s *Spec) modelOf(w weight) ModelSpec {
	return s.Models[slices.IndexFunc(s.Models, func(m ModelSpec) bool { return m.Name == w.model })]
}

// fixed says whether all of some coefficients have one value.
func (s *Spec) fixed(weights []weight, set []int) bool {
	return !slices.ContainsFunc(set, func(i int) bool {
		m := s.modelOf(weights[i])
		return !m.Fixed || m.Range != s.modelOf(weights[set[0]]).Range
	})
}

// unequal says why coefficients have no range together; "" where they have.
func (s *Spec) unequal(weights []weight, set []int) string {
	first := weights[set[0]]
	a := s.modelOf(first)
	for _, i := range set {
		b := s.modelOf(weights[i])
		switch {
		case b.Fixed:
			return fmt.Sprintf("%s has a value and is not searched: take it out of the tie, or give it a range in place of the value", weights[i].name)
		case a.Range != b.Range:
			return fmt.Sprintf("%s and %s are one coefficient and have different ranges, [%g, %g] and [%g, %g]: give their models the same", first.name, weights[i].name, a.Range[0], a.Range[1], b.Range[0], b.Range[1])
		}
	}
	return ""
}

// tied are the sets of coefficients, by their place among weights, that a list of names ties: of models group by group and knot by knot, and so on. why says what is wrong with one of the names.
func (s *Spec) tied(names []string) (sets [][]int, where int, why string) {
	weights := s.weights()
	kinds := []func(w weight) (name, rest string){
		func(w weight) (string, string) { return w.name, "" },
		func(w weight) (string, string) { return w.model, w.group + "." + w.knot },
		func(w weight) (string, string) { return w.group, w.model + "." + w.knot },
		func(w weight) (string, string) { return w.knot, w.model + "." + w.group },
	}
	var known []string
	for _, kind := range kinds {
		var of []string
		for _, w := range weights {
			if name, _ := kind(w); name != "" && !slices.Contains(of, name) {
				of = append(of, name)
			}
		}
		known = append(known, of...)
		if !slices.Contains(of, names[0]) {
			continue
		}
		for i, name := range names {
			if !slices.Contains(of, name) && s.named(name) {
				return nil, i, fmt.Sprintf("%s is another kind of thing than %s: models are tied to models, groups to groups, knots to knots, and single coefficients such as %s to one another", name, names[0], weights[0].name)
			}
			if !slices.Contains(of, name) {
				return nil, i, problem.Unknown("", "", "coefficient", name, of).Error()
			}
		}
		by := map[string][]int{}
		var order []string
		for i, w := range weights {
			name, rest := kind(w)
			if !slices.Contains(names, name) {
				continue
			}
			if by[rest] == nil {
				order = append(order, rest)
			}
			by[rest] = append(by[rest], i)
		}
		for _, rest := range order {
			sets = append(sets, by[rest])
		}
		return sets, 0, ""
	}
	slices.Sort(known)
	return nil, 0, problem.Unknown("", "", "coefficient", names[0], slices.Compact(known)).Error()
}

// named says whether a model, a group, a knot or a coefficient is called so.
func (s *Spec) named(name string) bool {
	return slices.ContainsFunc(s.weights(), func(w weight) bool {
		return name != "" && slices.Contains([]string{w.name, w.model, w.group, w.knot}, name)
	})
}

// together are the coefficients' names that each is one with, itself among them, in their order.
func (s *Spec) together() map[string][]string {
	weights := s.weights()
	out := map[string][]string{}
	for _, w := range weights {
		out[w.name] = []string{w.name}
	}
	for _, names := range s.Tie {
		sets, _, why := s.tied(names)
		if why != "" {
			continue
		}
		for _, set := range sets {
			var all []string
			for _, w := range weights {
				if slices.ContainsFunc(set, func(i int) bool { return slices.Contains(out[weights[i].name], w.name) }) {
					all = append(all, w.name)
				}
			}
			for _, name := range all {
				out[name] = all
			}
		}
	}
	return out
}
