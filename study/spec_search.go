package study

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"parfait/search"
	"parfait/surrogate"
	"parfait/yamldoc"
)

func (r specReader) search(n yamldoc.Node, s *SearchSpec) {
	s.Line = n.Line()
	options := map[string]yamldoc.Node{}
	n.Each(func(key string, v yamldoc.Node) {
		switch key {
		case "strategy":
			s.Strategy = v.Text()
		case "budget":
			s.Budget = v.Int(0)
		case "order":
			s.Order = Order(v.Word("order", string(OrderFixed), string(OrderFree)))
		case "batch":
			if s.Batch = 0; v.Value() != "auto" {
				s.Batch = v.Int(1)
			}
		case "seed":
			s.Seed = v.Uint64()
		case "max_hours":
			s.MaxHours = positive(v)
		case "max_cost":
			s.MaxCost = positive(v)
		case "price":
			s.Price = positive(v)
		case "stop_when":
			s.StopWhen = stopWhen(v)
		case "focus":
			*r.looks, s.Focus = v, r.focus(v)
		default:
			s.Options[key], options[key] = yamldoc.Numbers(v.Value()), v
		}
	})
	if s.MaxCost > 0 && s.Price == 0 {
		n.Failf("max_cost needs a price: what an hour of a slot costs, such as price: 2.5")
	}
	if unknownOptions(s.Strategy, options) {
		return
	}
	if _, err := search.New(s.Strategy, s.Options); err != nil {
		n.Failf("%s", strings.TrimPrefix(err.Error(), "search: "))
	}
}

// positive reads a number above 0.
func positive(n yamldoc.Node) float64 {
	v := n.Float()
	if v <= 0 {
		n.Failf("expected a number above 0, found %g", v)
	}
	return v
}

// stopWhen reads {gain: 0.5%, over: 8}.
func stopWhen(n yamldoc.Node) *StopWhen {
	w := &StopWhen{Over: 8}
	n.Fields(map[string]func(yamldoc.Node){
		"gain": func(n yamldoc.Node) {
			text, percent := strings.CutSuffix(n.Text(), "%")
			v, err := yamldoc.Number(strings.TrimSpace(text))
			if !percent || err != nil || !(v > 0) || v >= 100 {
				n.Failf("expected a share of the hypervolume in percent, such as 0.5%%, found %q", n.Text())
			}
			w.Gain = v / 100
		},
		"over": func(n yamldoc.Node) { w.Over = n.Int(1) },
	})
	if n.IsMapping() && !n.Has("gain") {
		n.Failf("stop_when needs gain: below which share the search ends, such as gain: 0.5%%")
	}
	return w
}

// unknownOptions says which keys of search are neither its own nor the strategy's, each at its line.
func unknownOptions(strategy string, options map[string]yamldoc.Node) bool {
	known := []string{"strategy", "budget", "order", "batch", "seed", "max_hours", "max_cost", "price", "stop_when", "focus"}
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
