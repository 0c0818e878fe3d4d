package merge

import (
	"fmt"
	"regexp"
	"slices"

	"parfait/merge/codes"
	"parfait/merge/method"
)

// leastKnots is the number of knots of a straight line.
const leastKnots = 2

var (
	// layerStack is how the names of layers begin, up to their number, in transformers.
	layerStack = regexp.MustCompile(`(^|[._])(layers?|h|blocks?|resblocks|stages?)\.$`)

	// beforeLayers are tensors of no layer that stand before the first one.
	beforeLayers = regexp.MustCompile(`(?i)embed|(^|\.)(wte|wpe|shared|conv\w*|ln_pre|pre_?la?yer_?norm|pre_layrnorm|cls_token|class_token)(\.|$)|patch|position`)
)

// knots are the names of a profile's numbers; one "" without a profile.
func (s Spec) knots() []string {
	if s.Profile == 0 {
		return []string{""}
	}
	return KnotNames(s.Profile)
}

// KnotNames are how the n numbers of a profile are called, the one of the first layer first.
func KnotNames(n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf("k%d", i+1)
	}
	return out
}

// checkProfile adds what is wrong with the number of knots, as far as no model is needed to tell.
func (r *resolved) checkProfile(p *problems) {
	switch n := r.spec.Profile; {
	case n != 0 && n < leastKnots:
		p.add(codes.Option, "profile", fmt.Sprintf("%d knots", n), "2 knots and more: one for the first layers and one for the last are a straight line", "leave profile out: then each model has one coefficient")
	case n != 0 && r.method != nil && r.method.Domain(r.options) == method.Weightless:
		p.add(codes.Option, "profile", r.info.Name+" has no weights", "a method whose models have weights, which a profile turns from layer to layer", "leave profile out or change the method")
	}
}

// depths is where tensors stand between the first layer (0) and the last (1) of their stack, by their names: what comes
// before the layers is at 0, what comes after them at 1. layers is the number of the longest stack's.
func depths(names []string) (at map[string]float64, layers int) {
	most := map[string]int{} // by the prefix of a stack: its last layer
	named := false
	for _, name := range names {
		if prefix, n, _, ok := ofLayer(name); ok {
			most[prefix] = max(most[prefix], n)
			named = named || layerStack.MatchString(prefix)
		}
	}
	at = make(map[string]float64, len(names))
	for _, name := range names {
		prefix, n, _, ok := ofLayer(name)
		switch {
		case ok && (layerStack.MatchString(prefix) || !named):
			layers = max(layers, most[prefix]+1)
			if most[prefix] > 0 {
				at[name] = float64(n) / float64(most[prefix])
			}
		case AfterLayers(name) || !beforeLayers.MatchString(name):
			at[name] = 1
		}
	}
	return at, layers
}

// placeLayers gives each tensor that is merged its place among the settings: there is one for each group and depth.
func (p *Plan) placeLayers(found *problems) {
	if p.r.spec.Profile == 0 {
		return
	}
	at, layers := depths(p.names())
	if layers < p.r.spec.Profile {
		found.add(codes.Option, "profile", fmt.Sprintf("%d knots, and the model has %s", p.r.spec.Profile, layersText(layers)), "no more knots than layers", "lower profile, or leave it out")
		return
	}
	seen := map[float64]bool{}
	for _, t := range p.tensors {
		if d := at[t.Name]; t.role == roleMerge && !seen[d] {
			seen[d] = true
			p.r.depths = append(p.r.depths, d)
		}
	}
	slices.Sort(p.r.depths)
	for _, t := range p.tensors {
		if t.role == roleMerge {
			k, _ := slices.BinarySearch(p.r.depths, at[t.Name])
			t.group = t.group*len(p.r.depths) + k
		}
	}
}

func layersText(n int) string {
	switch n {
	case 0:
		return "no layers whose names have a number"
	case 1:
		return "one layer"
	}
	return fmt.Sprintf("%d layers", n)
}

// inGroup is the index of the group that a tensor is in.
func (p *Plan) inGroup(t *tensor) int { return t.group / max(1, len(p.r.depths)) }

// classes is how many settings an output has: one for each group and depth.
func (r *resolved) classes() int { return max(1, len(r.groups)) * max(1, len(r.depths)) }

// profiled is the weight at a depth, on the straight lines between its knots.
func profiled(knots []float64, depth float64) float64 {
	if len(knots) == 1 {
		return knots[0]
	}
	place := depth * float64(len(knots)-1)
	k := min(int(place), len(knots)-2)
	switch share := place - float64(k); share {
	case 0:
		return knots[k]
	case 1:
		return knots[k+1]
	default:
		return knots[k] + float64(share*(knots[k+1]-knots[k]))
	}
}
