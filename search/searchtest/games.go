package searchtest

import (
	"math"
	"slices"

	"parfait/search"
	"parfait/surrogate"
)

// games are all games that suit a strategy: every space with every illness, or every third of such pairs where either
// is rare, and the rhythms in turn; every third has no budget.
func games(info search.Info) []game {
	rhythms := []rhythm{
		{name: "batches of 6", batch: 6},
		{name: "one by one, 3 at once", slots: 3},
		{name: "all at once", batch: 40},
		{name: "batches of 6, each after the other", batch: 6, drain: true},
	}
	var out []game
	for i, s := range spaces() {
		if s.models < info.Models {
			continue
		}
		for j, ill := range illnesses() {
			if (ill.rare || s.rare) && (i+j)%3 != 0 {
				continue
			}
			r := rhythms[(i+j)%len(rhythms)]
			g := game{name: s.name + "/" + ill.name + "/" + r.name, space: s.Space, tasks: tasks(), rhythm: r, measure: ill.measure, onePlace: s.onePlace}
			if g.budget = budget; (i+2*j)%3 == 2 {
				g.budget = 0
				g.name += ", no budget"
			}
			if ill.tasks != nil {
				g.tasks = ill.tasks
			}
			g.thorough = j < 3 && s.thorough
			if ill.people {
				g.people = corners(s.Space)
			}
			if ill.begun {
				g.begun = corners(s.Space)
			}
			out = append(out, g)
		}
	}
	return out
}

// tasks are one to maximise, one to minimise, and a guard with a floor.
func tasks() []search.Task {
	floor := 0.5
	return []search.Task{
		{Name: "rate", Link: surrogate.Logit, Maximize: true, Optimise: true},
		{Name: "loss", Link: surrogate.Log, Optimise: true},
		{Name: "guard", Link: surrogate.Identity, Maximize: true, AtLeast: &floor},
	}
}

// goals are tasks of which only the first n are optimised.
func goals(n int) []search.Task {
	out := tasks()
	for t := range out {
		out[t].Optimise = t < n
	}
	return out
}

// smooth measures the tasks of tasks: each smooth in the coefficients, and best at another place.
func smooth(x []float64) search.Point {
	var p search.Point
	for t := range tasks() {
		eta := 0.2
		for i, v := range x {
			eta += math.Cos(float64(3*i+5*t))*v - 0.4*v*v
		}
		p.Y = append(p.Y, search.Measurement{Value: 1 / (1 + math.Exp(-eta)), N: 400})
	}
	p.Y[1].Value = 1.1 - p.Y[1].Value
	return p
}

// illness is what is wrong with measurements.
type illness struct {
	name    string
	measure func(x []float64, nth int) search.Point
	people  bool          // points that people asked for come first
	begun   bool          // points of another strategy do
	tasks   []search.Task // in place of those of tasks
	rare    bool
}

func illnesses() []illness {
	failed := search.Point{Failed: true, Y: make([]search.Measurement, len(tasks()))}
	every := func(hurt func(*search.Point)) func([]float64, int) search.Point {
		return func(x []float64, _ int) search.Point {
			p := smooth(x)
			hurt(&p)
			return p
		}
	}
	return []illness{
		{name: "well", measure: every(func(*search.Point) {})},
		{name: "every third fails", measure: func(x []float64, nth int) search.Point {
			if nth%3 == 1 {
				return failed
			}
			return smooth(x)
		}},
		{name: "people have asked", measure: every(func(*search.Point) {}), people: true},
		{name: "NaN in a corner", measure: every(func(p *search.Point) {
			if p.Y[0].Value > 0.6 {
				p.Y[0].Value = math.NaN()
			}
		})},
		{name: "all fail", measure: func([]float64, int) search.Point { return search.Point{Failed: true} }},
		{name: "one never measured", measure: every(func(p *search.Point) { p.Y[1].Value = math.NaN() })},
		{name: "one constant", measure: every(func(p *search.Point) { p.Y[1].Value = 0.5 })},
		{name: "guard never measured", rare: true, measure: every(func(p *search.Point) { p.Y[2].Value = math.NaN() })},
		{name: "none ever measured", rare: true, measure: every(func(p *search.Point) {
			for t := range p.Y {
				p.Y[t].Value = math.NaN()
			}
		})},
		{name: "none or all right", rare: true, measure: every(func(p *search.Point) {
			for t := range p.Y {
				p.Y[t].Value = math.Round(p.Y[t].Value)
			}
		})},
		{name: "one goal", rare: true, tasks: goals(1), measure: every(func(*search.Point) {})},
		{name: "no goals", rare: true, tasks: goals(0), measure: every(func(*search.Point) {})},
		{name: "no tasks", rare: true, tasks: []search.Task{}, measure: every(func(p *search.Point) { p.Y = nil })},
		{name: "each measured on one goal alone", rare: true, measure: func(x []float64, nth int) search.Point {
			p := smooth(x)
			p.Y[nth%2].Value = math.NaN()
			return p
		}},
		{name: "another strategy began", rare: true, begun: true, measure: every(func(*search.Point) {})},
	}
}

// shape is a space of a kind that studies have.
type shape struct {
	search.Space
	name     string
	models   int
	onePlace bool
	rare     bool
	thorough bool
}

func spaces() []shape {
	model := func(name string, lo, hi float64) search.Coefficient {
		return search.Coefficient{Name: name, Model: name, Lo: lo, Hi: hi, Kind: search.Scaling}
	}
	part := func(name, group string, hi float64) search.Coefficient {
		return search.Coefficient{Name: name + "." + group, Model: name, Group: group, Hi: hi, Kind: search.Scaling}
	}
	density := search.Coefficient{Name: "density", Lo: 0.1, Hi: 0.9, Kind: search.Parameter}
	of := func(c ...search.Coefficient) search.Space { return search.Space{Coefficients: c} }
	proportions := func(s search.Space, sets ...[]int) search.Space {
		s.Simplex = sets
		return s
	}
	return []shape{
		{name: "box", models: 3, thorough: true, Space: of(model("a", 0, 1.2), model("b", 0, 1.2), model("c", 0, 1.2))},
		{name: "proportions", models: 4, thorough: true, Space: proportions(
			of(model("a", 0, 1), model("b", 0, 1), model("c", 0, 1), model("d", 0, 1)), []int{0, 1, 2, 3})},
		{name: "one model", models: 1, Space: of(model("a", 0, 1.2))},
		{name: "parameters alone", Space: of(density, search.Coefficient{Name: "t", Lo: -1, Hi: 1, Kind: search.Parameter})},
		{name: "below zero", models: 4, Space: of(
			model("a", -0.5, 1.5), model("b", -0.5, 1.5), model("c", -0.5, 1.5), model("d", -0.5, 1.5))},
		{name: "short ranges, one of no length", models: 3, Space: of(model("a", 0, 0.7), model("b", 0.25, 0.25), model("c", 0.1, 0.4))},
		{name: "groups", models: 2, Space: of(part("a", "early", 1.2), part("a", "late", 1.2), part("b", "early", 1), part("b", "late", 1.2), density)},
		{name: "groups of proportions", models: 2, Space: proportions(
			of(part("a", "early", 1), part("b", "early", 1), part("a", "late", 1), part("b", "late", 1), density), []int{0, 1}, []int{2, 3})},
		{name: "proportions with ranges", models: 3, Space: proportions(
			of(model("a", 0, 0.5), model("b", 0.1, 0.9), model("c", 0.1, 0.9)), []int{0, 1, 2})},
		{name: "one parameter", rare: true, Space: of(density)},
		{name: "one place", models: 2, onePlace: true, rare: true, Space: of(model("a", 1, 1), model("b", 0.5, 0.5))},
	}
}

// corners are points that people ask for: all coefficients at their lower ends, at their upper ends, twice, and in
// the middle; proportions at a vertex, at another one, twice, and equal.
func corners(s search.Space) [][]float64 {
	var out [][]float64
	for _, k := range []int{0, 1, 1, 2} {
		share := []float64{0, 1, 0.5}[k]
		x := make([]float64, len(s.Coefficients))
		for i, c := range s.Coefficients {
			x[i] = c.Lo + share*(c.Hi-c.Lo)
		}
		for _, set := range s.Simplex {
			for at, i := range set {
				switch {
				case k == 2:
					x[i] = 1 / float64(len(set))
				case at == k:
					x[i] = 1
				default:
					x[i] = 0
				}
			}
		}
		s.Bounds().Project(x)
		out = append(out, x)
	}
	return slices.Clip(out)
}
