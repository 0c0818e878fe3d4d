package search

import (
	"cmp"
	"math"
	"slices"

	"parfait/pareto"
)

// Kind says what a coefficient turns.
type Kind string

// Kinds of coefficients.
const (
	Scaling   Kind = "scaling"   // scales one task vector; 0 is the base
	Parameter Kind = "parameter" // a parameter of the method, such as a density; no natural zero
)

// Coefficient is one number that may be turned.
type Coefficient struct {
	Name   string
	Lo, Hi float64
	Kind   Kind
	Model  string // the model scaled, where Kind is Scaling; of models that are tied math+code
	Group  string // its layer group, "" without groups; of groups that are tied early+late
	AllOf  bool   // a parameter that scales all models together: at 0 it is the base
}

// leastWidth is the width of a range, as a share of its numbers or of 1, below which all of it is one place: merges that are
// nearer are the same to within the arithmetic, let alone a measurement.
const leastWidth = 1e-6

// Width is the width of the range; 0 where it is next to nothing.
func (c Coefficient) Width() float64 {
	if w := c.Hi - c.Lo; w > leastWidth*max(1, math.Abs(c.Lo), math.Abs(c.Hi)) {
		return w
	}
	return 0
}

// Space is where coefficients live.
type Space struct {
	Coefficients []Coefficient
	Simplex      [][]int // disjoint sets of coefficients that are proportions, each within its range

	// All are the numbers that a merge is made of, where some are no coefficients of their own; nil: the coefficients are.
	All []Number
}

// OnePlace says whether there is one point alone: no range has any width.
func (s Space) OnePlace() bool {
	return len(s.Coefficients) > 0 && !slices.ContainsFunc(s.Coefficients, func(c Coefficient) bool { return c.Width() > 0 })
}

// base says whether x is the base: no model is in it, or they are scaled by 0, whatever the method's other parameters are.
// Where models are proportions, or one is fixed at another value, it never is.
func (s Space) base(x []float64) bool {
	models, scaled := 0, 0
	for i, c := range s.Coefficients {
		none := math.Abs(x[i]) <= sameGap*c.Width()
		switch {
		case c.AllOf && none:
			return len(s.Simplex) == 0
		case c.Kind == Scaling:
			models++
			if !none {
				scaled++
			}
		}
	}
	return models > 0 && scaled == 0 && len(s.Simplex) == 0 && !s.Held(0)
}

// apart is the gap between two merges: that of their coefficients, but none where both are the base.
func (s Space) apart(a, b []float64) float64 {
	if s.base(a) && s.base(b) {
		return 0
	}
	return s.Gap(a, b)
}

// Bounds returns the space as pareto's bounds.
func (s Space) Bounds() pareto.Bounds {
	b := pareto.Bounds{Simplex: s.Simplex}
	for _, c := range s.Coefficients {
		b.Lo, b.Hi = append(b.Lo, c.Lo), append(b.Hi, c.Hi)
	}
	return b
}

// Wrote says whether the search has written x as the point that is recorded: they are the same, but for the digits to which
// it rounds what it asks for.
func (s Space) Wrote(recorded, x []float64) bool {
	return s.same(recorded, x) || s.Bounds().Contains(x, tolerance) && s.same(recorded, s.tidy(x))
}

// tidy moves x into the space and rounds it to four digits of each range: what a person can read, type
// and repeat. Proportions still sum to one.
func (s Space) tidy(x []float64) []float64 {
	out := slices.Clone(x)
	for i, c := range s.Coefficients {
		step := step(c)
		out[i] = min(max(math.Round(x[i]/step)*step, c.Lo), c.Hi)
		// The multiplication rounds: take the shortest decimal at this step.
		if step < 1 {
			k := math.Round(1 / step)
			out[i] = min(max(math.Round(out[i]*k)/k, c.Lo), c.Hi)
		}
	}
	for _, set := range s.Simplex {
		s.complete(out, set)
	}
	return out
}

// complete makes proportions that were rounded sum to one: the largest takes what is missing, as far as its range goes,
// and then the next.
func (s Space) complete(x []float64, set []int) {
	missing := 1.0
	for _, i := range set {
		missing -= x[i]
	}
	order := slices.Clone(set)
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(x[j], x[i]) })
	for _, i := range order {
		c := s.Coefficients[i]
		v := min(max(math.Round((x[i]+missing)*1e12)/1e12, max(c.Lo, 0)), min(c.Hi, 1))
		missing -= v - x[i]
		x[i] = v
	}
}

// step is the power of ten at or below a thousandth of the range.
func step(c Coefficient) float64 {
	w := c.Width()
	if w == 0 {
		return 1e-4
	}
	return math.Pow(10, math.Floor(math.Log10(w/1000)))
}

// Gap is the distance between two points, each coefficient in units of its range.
func (s Space) Gap(a, b []float64) float64 {
	sum := 0.0
	for i, c := range s.Coefficients {
		w := c.Width()
		if w == 0 {
			continue
		}
		d := (a[i] - b[i]) / w
		sum += d * d
	}
	return math.Sqrt(sum)
}

// sameGap is the gap below which two points are one.
const sameGap = 1e-3

// known says whether x is already among points.
func (s Space) known(x []float64, points [][]float64) bool {
	for _, p := range points {
		if s.apart(x, p) < sameGap {
			return true
		}
	}
	return false
}

// same says whether two points are one, but for rounding: a billionth of each range.
func (s Space) same(a, b []float64) bool {
	for i, c := range s.Coefficients {
		width := c.Width()
		if width == 0 {
			width = max(1, math.Abs(b[i]))
		}
		if math.Abs(a[i]-b[i]) > 1e-9*width {
			return false
		}
	}
	return true
}

// unit is all that scales one model, or several that are tied: one coefficient, or one a group.
type unit struct {
	name string
	at   []int
}

// units are all that scales each model, in proportions or not, in the order of the coefficients.
func (s Space) units() []unit { return s.unitsOf(allOf(len(s.Coefficients))) }

// unitsOf are the units of some coefficients, in their order; parameters are of none.
func (s Space) unitsOf(coefficients []int) []unit {
	var out []unit
	owners := s.owners()
	for _, i := range coefficients {
		if s.Coefficients[i].Kind == Parameter {
			continue
		}
		k := slices.IndexFunc(out, func(u unit) bool { return u.name == owners[i] })
		if k < 0 {
			k = len(out)
			out = append(out, unit{name: owners[i]})
		}
		out[k].at = append(out[k].at, i)
	}
	return out
}

// onLine says how far x is from unit i alone to unit j alone, and whether it is on that line.
func (s Space) onLine(x []float64, r *region, units []unit, i, j int) (t float64, on bool) {
	a, b := r.between(units, i, j, 0), r.between(units, i, j, 1)
	up, length := 0.0, 0.0
	for k := range x {
		up += float64((x[k] - a[k]) * (b[k] - a[k]))
		length += float64((b[k] - a[k]) * (b[k] - a[k]))
	}
	if length == 0 {
		return 0, false
	}
	t = up / length
	for k := range x {
		if math.Abs(x[k]-a[k]-float64(t*(b[k]-a[k]))) > sameGap {
			return t, false
		}
	}
	return t, true
}

// random is point i of a sequence of uniform draws from the space.
func (s Space) random(seed, i uint64) []float64 {
	rng := generator(seed, mix(0x72616e646f6d)+i)
	x := make([]float64, len(s.Coefficients))
	for k, c := range s.Coefficients {
		x[k] = c.Lo + float64(rng.Float64()*(c.Hi-c.Lo))
	}
	for _, set := range s.Simplex {
		sum := 0.0
		for _, k := range set {
			x[k] = -math.Log(max(rng.Float64(), 1e-300))
			sum += x[k]
		}
		for _, k := range set {
			x[k] /= sum
		}
	}
	if len(s.Simplex) > 0 {
		s.Bounds().Spread(x)
	}
	return slices.Clip(x)
}
