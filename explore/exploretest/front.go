package exploretest

import (
	"math"
	"slices"

	"parfait/study"
	"parfait/surrogate"
)

// analysis is what the finished trials say, known instead of fitted.
func (b bowls) analysis(s *study.Snapshot, done []study.Trial, o Options) *study.Analysis {
	a := &study.Analysis{Space: s.Space, Tasks: s.Tasks, Trials: done}
	for i, t := range s.Tasks {
		if t.Role == study.Objective {
			a.Objectives = append(a.Objectives, i)
		}
		trust := surrogate.Trust{Fitter: "gp", N: len(done), Q2: 0.97 - 0.01*float64(i), Ceiling: 0.98, RMSE: 0.01, Worst: 0.03, WorstAt: 0, Coverage: 0.91}
		if o.Flagged && i == b.d-1 {
			trust.Q2, trust.Flagged, trust.Why = 0.71, true, "held-out predictions explain 71 % of the variation, expected 90 %"
		}
		fit := study.Fit{Task: t.Name, Surrogate: metric{b, i}}
		for k := range done {
			fit.Used = append(fit.Used, k)
			trust.LOO = append(trust.LOO, b.mean(i, done[k].X))
		}
		fit.Trust = trust
		a.Fits = append(a.Fits, fit)
	}
	a.Front = b.front(a, o.FrontSize)
	b.name(a)
	b.measured(a)
	b.references(a)
	all := make([]int, len(a.Front))
	for i := range all {
		all[i] = i
	}
	a.Knee, _ = a.KneeOf(all)
	return a
}

// front is the Pareto set: the convex hull of the centres, on a lattice of about n points.
func (b bowls) front(a *study.Analysis, n int) []study.FrontPoint {
	p := 1
	for b.d > 1 && len(lattice(b.d, p+1)) <= n {
		p++
	}
	var out []study.FrontPoint
	for _, w := range lattice(b.d, p) {
		x := make([]float64, b.d)
		for t := range b.d {
			c := b.center(t)
			for i := range x {
				x[i] += w[t] * c[i]
			}
		}
		out = append(out, study.FrontPoint{X: x, Predicted: a.Predict(x), Leverage: a.Leverage(x), Believed: a.Believed(x), Prob: 0.6 + 0.35*slices.Max(w)})
	}
	slices.SortStableFunc(out, func(p, q study.FrontPoint) int {
		switch d := b.cost(0, p) - b.cost(0, q); {
		case d > 0:
			return -1
		case d < 0:
			return 1
		}
		return slices.Compare(p.X, q.X)
	})
	return out
}

// lattice are the vectors of m multiples of 1/p that sum to one (Das and Dennis).
func lattice(m, p int) [][]float64 {
	var out [][]float64
	w := make([]float64, m)
	var rec func(k, left int)
	rec = func(k, left int) {
		if k == m-1 {
			w[k] = float64(left) / float64(p)
			out = append(out, slices.Clone(w))
			return
		}
		for i := 0; i <= left; i++ {
			w[k] = float64(i) / float64(p)
			rec(k+1, left-i)
		}
	}
	rec(0, p)
	return out
}

// cost is the prediction of task t, to be minimised.
func (b bowls) cost(t int, p study.FrontPoint) float64 {
	if t == 0 && b.minimize {
		return p.Predicted[t].Value
	}
	return -p.Predicted[t].Value
}

// name finds the knee (the smallest sum of costs, each in units of its range) and the best of each task.
func (b bowls) name(a *study.Analysis) {
	lo := make([]float64, b.d)
	a.Best = make([]int, len(a.Tasks))
	for t := range a.Tasks {
		a.Best[t] = -1
	}
	for t := range b.d {
		lo[t] = math.Inf(1)
		for i, p := range a.Front {
			if c := b.cost(t, p); c < lo[t] {
				lo[t], a.Best[t] = c, i
			}
		}
	}
}

// measured finds the measured front, by comparing every pair.
func (b bowls) measured(a *study.Analysis) {
	costs := make([][]float64, len(a.Trials))
	for i := range a.Trials {
		for t := range b.d {
			v := a.Trials[i].Metrics[a.Tasks[t].Name].Value
			if t > 0 || !b.minimize {
				v = -v
			}
			costs[i] = append(costs[i], v)
		}
	}
	for i := range costs {
		if !slices.ContainsFunc(costs, func(c []float64) bool { return dominates(c, costs[i]) }) {
			a.Measured = append(a.Measured, i)
		}
		a.History = append(a.History, 0.3*(1-math.Exp(-float64(i+1)/12)))
	}
	a.Hypervolume = a.History[len(a.History)-1]
}

func dominates(x, y []float64) bool {
	better := false
	for k := range x {
		if x[k] > y[k] {
			return false
		}
		better = better || x[k] < y[k]
	}
	return better
}

func (b bowls) references(a *study.Analysis) {
	names := []string{"base"}
	for t := range b.d {
		names = append(names, a.Tasks[t].Name)
	}
	names = append(names, study.AverageName)
	for i, name := range names {
		r := study.Reference{Name: name, X: b.point(i), Trial: -1}
		r.Predicted = a.Predict(r.X)
		for k, t := range a.Trials {
			if slices.Equal(t.X, r.X) {
				r.Trial = k
			}
		}
		a.References = append(a.References, r)
	}
}
