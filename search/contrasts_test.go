package search

import (
	"math"
	"slices"
	"testing"

	"parfait/surrogate"
)

// moved are the spaces whose middle and models alone leave something where it is.
func moved() map[string]Space {
	scaling := func(model, group string, lo, hi float64) Coefficient {
		name := model
		if group != "" {
			name += "." + group
		}
		return Coefficient{Name: name, Model: model, Group: group, Lo: lo, Hi: hi, Kind: Scaling}
	}
	grouped := func(hi float64, models ...string) (s Space) {
		for _, g := range []string{"early", "late"} {
			for _, m := range models {
				s.Coefficients = append(s.Coefficients, scaling(m, g, 0, hi))
			}
		}
		return s
	}
	box := func(lo, hi float64) Space {
		return Space{Coefficients: []Coefficient{scaling("a", "", lo, hi), scaling("b", "", lo, hi), scaling("c", "", lo, hi)}}
	}
	density := box(0, 1.2)
	density.Coefficients = append(density.Coefficients, Coefficient{Name: "density", Lo: 0.05, Hi: 1, Kind: Parameter})
	proportions := grouped(1, "a", "b", "c")
	proportions.Simplex = [][]int{{0, 1, 2}, {3, 4, 5}}
	return map[string]Space{
		"groups": grouped(1.2, "a", "b", "c"), "groups of one model": grouped(1, "a"), "groups of proportions": proportions,
		"density": density, "below zero": box(-1, 1.5),
	}
}

// The start moves all that there is: no group goes with another one, no parameter stands in the middle, and no coefficient
// that may be below zero stays above it.
func TestStartMovesWhatIsNew(t *testing.T) {
	for name, s := range moved() {
		for _, ask := range []func(q *Question) (Proposal, error){
			func(q *Question) (Proposal, error) { return open(t.Context(), q, 1) },
			func(q *Question) (Proposal, error) { return extend(t.Context(), q, 1) },
		} {
			q := Question{Space: s, Tasks: []Task{{Name: "t", Link: surrogate.Logit, Maximize: true, Optimise: true}}, N: 1, Seed: 1}
			for range 10 {
				p, err := ask(&q)
				if err != nil {
					t.Fatal(err)
				}
				for _, x := range p.Points {
					y := 0.2
					for i, v := range x.X {
						y += 0.4 * v / float64(i+2)
					}
					q.Done = append(q.Done, Point{X: x.X, Y: []Measurement{{Value: y, Stderr: 0.02, N: 450}}})
				}
			}
			apart, ends, below := 0, map[float64]bool{}, map[int]bool{}
			for _, p := range q.Done {
				for i, c := range s.Coefficients {
					j := slices.IndexFunc(s.Coefficients, func(o Coefficient) bool { return o.Model == c.Model && o.Group == "late" })
					if c.Group == "early" && math.Abs(p.X[i]-p.X[j]) > 0.5 {
						apart++
						break
					}
					if c.Kind == Parameter && (p.X[i] == c.Lo || p.X[i] == c.Hi) {
						ends[p.X[i]] = true
					}
					if p.X[i] < -0.2 {
						below[i] = true
					}
				}
			}
			switch {
			case len(s.Coefficients) == 4 && len(ends) < 2:
				t.Errorf("%s: in 10 trials density was at %v, want it at both ends", name, ends)
			case s.Coefficients[0].Group != "" && apart < 2:
				t.Errorf("%s: in 10 trials the groups were apart in %d, want it in 2 at least", name, apart)
			case s.Coefficients[0].Lo < 0 && len(below) < 1:
				t.Errorf("%s: in 10 trials %d coefficients were below zero, want one at least", name, len(below))
			}
		}
	}
}

// In a box of whole models from 0, and with proportions, the middle and the models alone are all that has a name.
func TestNothingNew(t *testing.T) {
	s := moved()["below zero"]
	for i := range s.Coefficients {
		s.Coefficients[i].Lo = 0
	}
	if c := newRegion(s).contrasts(); len(c) > 0 {
		t.Errorf("contrasts of a box: %v, want none", c)
	}
}

// Where no model is in a merge its density and λ make no difference, and where λ is 0 nothing does: it is the base, and that
// is measured once.
func TestTheBaseIsMeasuredOnce(t *testing.T) {
	spaces := map[string]Space{"density": moved()["density"]}
	scaled := moved()["density"]
	scaled.Coefficients = slices.Clone(scaled.Coefficients)
	scaled.Coefficients[3] = Coefficient{Name: "lambda", Lo: 0, Hi: 2, Kind: Parameter, AllOf: true}
	spaces["lambda"] = scaled
	for name, s := range spaces {
		for way, ask := range map[string]func(q *Question) (Proposal, error){
			"open":   func(q *Question) (Proposal, error) { return open(t.Context(), q, 1) },
			"extend": func(q *Question) (Proposal, error) { return extend(t.Context(), q, 1) },
		} {
			q := Question{Space: s, Tasks: []Task{{Name: "t", Link: surrogate.Logit, Maximize: true, Optimise: true}}, N: 1, Seed: 1}
			bases := 0
			for range 30 {
				p, err := ask(&q)
				if err != nil {
					t.Fatal(err)
				}
				for _, x := range p.Points {
					if all := x.X[0] + x.X[1] + x.X[2]; all == 0 || name == "lambda" && x.X[3] == 0 {
						bases++
					}
					q.Done = append(q.Done, Point{X: x.X, Y: []Measurement{{Value: 0.2 + 0.2*x.X[0], N: 450}}})
				}
			}
			if bases != 1 || len(q.Done) != 30 {
				t.Errorf("%s, %s: of %d points %d are the base, want one of 30", name, way, len(q.Done), bases)
			}
		}
	}
}

// Words of the start are true of its coefficients.
func TestWordsOfTheMiddle(t *testing.T) {
	wide := box(3, 0, 1.2)
	short := box(3, 0, 1.2)
	short.Coefficients = slices.Clone(short.Coefficients)
	short.Coefficients[1].Hi = 0.4
	for words, s := range map[string]Space{
		"all models at one half": wide, "all models at 0.408": moved()["groups"],
		"all models as near to one half as their ranges have it": short,
	} {
		found := slices.ContainsFunc(newRegion(s).middle(), func(p Proposed) bool { return p.Why == words })
		if !found {
			t.Errorf("%q is none of %v", words, newRegion(s).middle())
		}
	}
}

// Ranges of next to no length are one place: it is measured once, and there is nothing more to measure.
func TestRangesOfNextToNoLength(t *testing.T) {
	s := box(2, 0.5, 0.5+1e-9)
	if !s.OnePlace() {
		t.Error("a range of 1e-9 has several places, want one")
	}
	for _, i := range Strategies() {
		if i.Models > 0 && i.Name != "adaptive" {
			continue
		}
		strategy := strategyOf(t, i.Name, nil)
		q := Question{Space: s, Tasks: rates(2), N: 4, Seed: 1, Budget: 20}
		for range 5 {
			q.Asked = len(q.Done)
			p, err := strategy.Ask(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			if p.Stop != "" {
				break
			}
			for _, x := range p.Xs() {
				q.Done = append(q.Done, Point{X: x, Y: []Measurement{{Value: 0.5, N: 450}, {Value: 0.6, N: 450}}})
			}
		}
		if len(q.Done) > 1 {
			t.Errorf("%s measures %d merges that nothing tells apart, want one", i.Name, len(q.Done))
		}
	}
}
