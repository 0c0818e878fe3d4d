package pareto

import "math"

// Parameters of the augmented achievement function: the weight of the sum, and how far the utopian point
// lies below the ideal.
const (
	rho   = 1e-6
	delta = 1e-6
)

// Achievement is Wierzbicki's augmented achievement scalarising function (1980), to be minimised: how far
// f falls short of the aspiration in its worst objective, each in units of nadir − (ideal − δ), plus ρ
// times the sum of all. Negative where f is better than the aspiration in every objective. All vectors
// have the length of f; ρ = δ = 1e-6.
func Achievement(f, aspiration, ideal, nadir []float64) float64 {
	worst, sum := math.Inf(-1), 0.0
	for k, v := range f {
		u := (v - aspiration[k]) / max(nadir[k]-ideal[k]+delta, delta)
		worst, sum = max(worst, u), sum+u
	}
	return worst + rho*sum
}

// Nearest returns the index of the row with the smallest Achievement towards the aspiration, with ideal
// and nadir taken from the non-dominated rows; −1 where there is none. Entries of the aspiration that are
// NaN are not aspired to.
func Nearest(fs [][]float64, aspiration []float64) int {
	front := NonDominated(fs)
	if len(front) == 0 || len(aspiration) != len(fs[front[0]]) {
		return -1
	}
	s := rangesOf(fs, front)
	var wanted []int
	for k, v := range aspiration {
		if !math.IsNaN(v) {
			wanted = append(wanted, k)
		}
	}
	pick := func(v []float64) []float64 {
		out := make([]float64, len(wanted))
		for i, k := range wanted {
			out[i] = v[k]
		}
		return out
	}
	a, ideal, nadir := pick(aspiration), pick(s.ideal), pick(s.nadir)
	return argMin(front, func(i int) float64 {
		if len(wanted) == 0 {
			return 0
		}
		return Achievement(pick(fs[i]), a, ideal, nadir)
	})
}

// argMin returns the element with the smallest value, the first of equals, or −1.
func argMin(among []int, value func(int) float64) int {
	best, at := math.Inf(1), -1
	for _, i := range among {
		if v := value(i); at < 0 || v < best {
			best, at = v, i
		}
	}
	return at
}

// Satisfying returns the indices of the rows with no objective above its limit. A limit of NaN or +Inf is
// none.
func Satisfying(fs [][]float64, limits []float64) []int {
	var out []int
	for _, i := range comparables(fs) {
		if len(fs[i]) == len(limits) && excess(fs[i], limits, -1) == 0 {
			out = append(out, i)
		}
	}
	return out
}

// excess counts the limits that f breaks, the one at without set aside.
func excess(f, limits []float64, without int) int {
	n := 0
	for k, v := range f {
		if k != without && v > limits[k] {
			n++
		}
	}
	return n
}

// CostliestLimit returns, where no row satisfies all limits, the index of the one to drop: the one without which
// the most rows satisfy the others, or, where still none does, the one without which some row comes nearest to
// it (by its largest excess over a limit, in units of the objective's range). −1 where some row satisfies all
// limits, or there is no row.
func CostliestLimit(fs [][]float64, limits []float64) int {
	rows := comparables(fs)
	if len(rows) == 0 || len(fs[rows[0]]) != len(limits) || len(Satisfying(fs, limits)) > 0 {
		return -1
	}
	s := rangesOf(fs, rows)
	best, maxRows, minGap := -1, -1, math.Inf(1)
	for k, l := range limits {
		if math.IsNaN(l) || math.IsInf(l, 1) {
			continue
		}
		n, gap := 0, math.Inf(1)
		for _, i := range rows {
			if excess(fs[i], limits, k) == 0 {
				n++
			}
			gap = min(gap, s.shortfall(fs[i], limits, k))
		}
		if n > maxRows || (n == maxRows && gap < minGap) {
			best, maxRows, minGap = k, n, gap
		}
	}
	return best
}

// shortfall is the largest excess of f over the limits but one, in units of the ranges.
func (s ranges) shortfall(f, limits []float64, without int) float64 {
	worst := 0.0
	for k, v := range f {
		if k == without || !(v > limits[k]) {
			continue
		}
		w := s.nadir[k] - s.ideal[k]
		if !(w > 0) {
			w = 1
		}
		worst = max(worst, (v-limits[k])/w)
	}
	return worst
}

// Lexicographic returns the index of the row that is best in the objectives one after the other, in the order of
// the indices in order: after each objective only the rows within its slack of the best stay (one slack for each
// entry of order, in the objective's unit; nil: none). The last objective decides, then the lowest index. −1
// where there is no row.
func Lexicographic(fs [][]float64, order []int, slack []float64) int {
	stay := NonDominated(fs)
	for n, k := range order {
		if len(stay) == 0 || k < 0 || k >= len(fs[stay[0]]) {
			continue
		}
		best := fs[argMin(stay, func(i int) float64 { return fs[i][k] })][k]
		if n < len(slack) && slack[n] > 0 && n+1 < len(order) {
			best += slack[n]
		}
		var next []int
		for _, i := range stay {
			if fs[i][k] <= best {
				next = append(next, i)
			}
		}
		stay = next
	}
	if len(stay) == 0 {
		return -1
	}
	return stay[0]
}
