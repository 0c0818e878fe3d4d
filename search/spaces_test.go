package search

import (
	"fmt"
	"math"
	"testing"

	"pgregory.net/rapid"
)

// anySpace draws models that are all scaled, with ranges of any size and place, or all proportions, in one group of
// layers or two, and a parameter or none.
func anySpace(t *rapid.T) Space {
	var s Space
	flat, groups := rapid.Bool().Draw(t, "proportions"), rapid.IntRange(1, 2).Draw(t, "groups")
	models := rapid.IntRange(2, 5).Draw(t, "models")
	for g := range groups {
		var set []int
		for m := range models {
			c := Coefficient{Name: fmt.Sprintf("m%d.g%d", m, g), Model: fmt.Sprintf("m%d", m), Group: fmt.Sprintf("g%d", g), Hi: 1, Kind: Scaling}
			if !flat {
				c.Lo = rapid.SampledFrom([]float64{0, -1, 0.1, -1e-3, 1e-7, 123.456, -1e6}).Draw(t, "lo")
				c.Hi = c.Lo + rapid.SampledFrom([]float64{0, 1, 1.2, 0.3, 1e-6, 1e3, 1. / 3}).Draw(t, "width")
			}
			set = append(set, len(s.Coefficients))
			s.Coefficients = append(s.Coefficients, c)
		}
		if flat {
			s.Simplex = append(s.Simplex, set)
		}
	}
	if rapid.Bool().Draw(t, "parameter") {
		s.Coefficients = append(s.Coefficients, Coefficient{Name: "density", Lo: 0.05, Hi: rapid.Float64Range(0.05, 1).Draw(t, "hi"), Kind: Parameter})
	}
	return s
}

// No strategy breaks its contract by arithmetic alone, whatever the ranges: a breach would end a run.
func TestContractInAnySpace(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		space := anySpace(t)
		e := registry[rapid.IntRange(0, len(registry)-1).Draw(t, "strategy")]
		g := game{space: space, tasks: rates(2), budget: 14, batch: 4, slots: rapid.IntRange(0, 3).Draw(t, "slots"), seed: 1, measure: func(x []float64) Point {
			var p Point
			for k := range 2 {
				eta := 0.0
				for i, c := range space.Coefficients {
					if w := c.Hi - c.Lo; w > 0 {
						u := (x[i] - c.Lo) / w
						eta += math.Cos(float64(3*i+5*k))*u - 0.4*u*u
					}
				}
				p.Y = append(p.Y, Measurement{Value: 1 / (1 + math.Exp(-eta)), N: 100})
			}
			return p
		}}
		g.play(t, e.build(&settings{}))
	})
}
