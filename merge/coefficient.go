package merge

import (
	"fmt"
	"math"
	"slices"
	"sort"
	"strings"

	"parfait/merge/codes"
	"parfait/merge/method"
	"parfait/problem"
	"parfait/yamldoc"
)

// Coefficient is one number that may be turned: the weight of a model ("math", with groups "math.early") or a
// parameter of the method ("density", with groups "density.early" too). With a profile a weight is one at each knot ("math.k1").
type Coefficient struct {
	Name    string
	Model   string // the model whose weight it is; "" for a parameter
	Group   string // "" for the whole model; with a profile its knot, "k1" or "early.k1"
	Param   string // the parameter; "" for a weight
	Default [2]float64
	// Value is what holds where the coefficient is not turned; a coefficient that is Required has none.
	Value    float64
	Required bool
}

// Domain says where coefficients live: a box, but for disjoint sets of coefficients (indices) that are proportions,
// non-negative with the sum 1.
type Domain struct{ Simplex [][]int }

// Box says whether no coefficients are proportions.
func (d Domain) Box() bool { return len(d.Simplex) == 0 }

// Coefficients lists everything that may be turned in a spec, weights first, without opening a file. Numbers
// fixed in Spec.Params are not listed. The error is a problem.List.
func Coefficients(spec Spec) ([]Coefficient, Domain, error) {
	r, p := resolve(spec)
	if err := p.err(); err != nil {
		return nil, Domain{}, err
	}
	coefficients, domain := r.coefficients()
	return coefficients, domain, nil
}

func (r *resolved) coefficients() ([]Coefficient, Domain) {
	var coefficients []Coefficient
	var domain Domain
	groups := r.spec.groupNames()
	if len(groups) == 0 {
		groups = []string{""}
	}
	shape := r.method.Domain(r.options)
	if shape != method.Weightless {
		for _, g := range groups {
			for _, knot := range r.spec.knots() {
				var set []int
				for _, m := range r.spec.Models {
					group := strings.TrimPrefix(join(g, knot), ".")
					k := Coefficient{Name: join(m.Name, group), Model: m.Name, Group: group, Default: [2]float64{0, 1.2}, Required: true}
					if shape == method.Simplex {
						k.Default = [2]float64{r.info.Least, 1}
					}
					set = append(set, len(coefficients))
					coefficients = append(coefficients, k)
				}
				if shape == method.Simplex {
					domain.Simplex = append(domain.Simplex, set)
				}
			}
		}
	}
	for _, d := range r.info.Params {
		if _, fixed := r.fixed[d.Name]; fixed || d.Kind != method.Number {
			continue
		}
		k := Coefficient{Name: d.Name, Param: d.Name, Default: d.Range, Required: d.Default == nil}
		k.Value, _ = yamldoc.Float(d.Default)
		coefficients = append(coefficients, k)
		for _, g := range r.spec.groupNames() {
			k.Name, k.Group = join(d.Name, g), g
			k.Required = false // the whole one stands in
			coefficients = append(coefficients, k)
		}
	}
	return coefficients, domain
}

func join(name, group string) string {
	if group == "" {
		return name
	}
	return name + "." + group
}

// settings turns coefficient values into a Setting for each group (one without groups) and depth. output is the index
// of the output they are for.
func (r *resolved) settings(output int, at map[string]float64) ([]method.Setting, error) {
	var p problems
	coefficients, domain := r.coefficients()
	names := make([]string, len(coefficients))
	for i, k := range coefficients {
		names[i] = k.Name
	}
	for _, name := range sortedKeys(at) {
		v := at[name]
		switch i := slices.Index(names, name); {
		case i < 0:
			fix := problem.Meant(name, names)
			if _, fixed := r.fixed[strings.SplitN(name, ".", 2)[0]]; fixed {
				fix = "it is fixed in the spec; take it out there to turn it"
			}
			p.add(codes.UnknownCoefficient, name, "there is no such coefficient", strings.Join(names, ", "), fix)
		case math.IsNaN(v) || math.IsInf(v, 0):
			p.add(codes.CoefficientValue, name, fmt.Sprintf("the value %v", v), "a finite number", "")
		case math.IsInf(float64(float32(v)), 0):
			p.add(codes.CoefficientValue, name, fmt.Sprintf("the value %v", v), "a number that float32 can hold", "")
		case coefficients[i].Param != "":
			def, _ := r.info.Param(coefficients[i].Param)
			if why := def.Refuses(v); why != "" {
				p.add(codes.CoefficientValue, name, why, "a number "+def.Legal(), "")
			}
		}
	}
	value := func(name string) (float64, bool) { v, ok := at[name]; return v, ok }
	for _, k := range coefficients {
		if _, ok := value(k.Name); !ok && k.Required && !r.covered(k, at) {
			p.add(codes.MissingCoefficient, k.Name, "the coefficient has no value", fmt.Sprintf("a number, usually from %g to %g", k.Default[0], k.Default[1]), "give every one of "+strings.Join(required(coefficients), ", "))
		}
	}
	for _, set := range domain.Simplex {
		r.checkProportions(&p, coefficients, set, at)
	}
	if err := p.err(); err != nil {
		return nil, err
	}
	return r.everyGroup(output, at), nil
}

// everyGroup is settings for values that have been checked: one for each group and, with a profile, depth.
func (r *resolved) everyGroup(output int, at map[string]float64) []method.Setting {
	groups := r.spec.groupNames()
	if len(groups) == 0 {
		groups = []string{""}
	}
	depths := r.depths
	if len(depths) == 0 {
		depths = []float64{0}
	}
	var out []method.Setting
	for _, group := range groups {
		for _, depth := range depths {
			out = append(out, r.setting(output, group, depth, at))
		}
	}
	return out
}

// covered says whether a required parameter is given for every group instead of as a whole.
func (r *resolved) covered(k Coefficient, at map[string]float64) bool {
	if k.Param == "" || len(r.groups) == 0 {
		return false
	}
	for _, g := range r.spec.groupNames() {
		if _, ok := at[join(k.Param, g)]; !ok {
			return false
		}
	}
	return true
}

func (r *resolved) checkProportions(p *problems, coefficients []Coefficient, set []int, at map[string]float64) {
	sum, all := 0.0, true
	for _, i := range set {
		v, ok := at[coefficients[i].Name]
		all = all && ok
		if v < 0 {
			p.add(codes.CoefficientValue, coefficients[i].Name, fmt.Sprintf("the value %v", v), fmt.Sprintf("a proportion: with %s only the ratios of the weights matter, and none is negative", r.info.Name), "")
		}
		sum += v
	}
	if all && !(sum > 0) {
		where := "weights"
		if g := coefficients[set[0]].Group; g != "" {
			where = "weights of the group " + g
			if r.spec.Profile > 0 {
				where = "weights at " + g
			}
		}
		p.add(codes.CoefficientValue, where, fmt.Sprintf("their sum is %v", sum), "a sum above 0: an average of nothing is not defined", "give at least one model a weight")
	}
}

func (r *resolved) setting(output int, group string, depth float64, at map[string]float64) method.Setting {
	s := method.Setting{Output: output, Seed: r.spec.Seed, Names: r.spec.modelNames(), Options: r.options, Numbers: map[string][]float64{}}
	if r.method.Domain(r.options) != method.Weightless {
		for _, m := range r.spec.Models {
			var values []float64
			for _, knot := range r.spec.knots() {
				values = append(values, at[join(join(m.Name, group), knot)])
			}
			s.Weights = append(s.Weights, profiled(values, depth))
		}
	}
	for _, d := range r.info.Params {
		if d.Kind != method.Number {
			continue
		}
		def, _ := yamldoc.Float(d.Default)
		if v, ok := at[d.Name]; ok {
			def = v
		}
		if v, ok := at[join(d.Name, group)]; ok {
			def = v
		}
		n := 1
		if d.PerModel {
			n = len(r.spec.Models)
		}
		values := make([]float64, n)
		for i := range values {
			values[i] = def
			if fixed, ok := r.fixed[d.Name]; ok {
				model := ""
				if d.PerModel {
					model = r.spec.Models[i].Name
				}
				if v, said := fixed.of(model, group); said {
					values[i] = v
				}
			}
		}
		s.Numbers[d.Name] = values
	}
	return s
}

func required(coefficients []Coefficient) []string {
	var out []string
	for _, k := range coefficients {
		if k.Required {
			out = append(out, k.Name)
		}
	}
	sort.Strings(out)
	return out
}
