package explore

import (
	"math"
	"slices"

	"parfait/study"
)

// Compromises are the points of the front that other rules than the knee's call the best compromise, those of one
// point together:
//
//   - most balanced: the best worst task, each in units of its range over the front;
//   - best mean: of the tasks as they are where all are rates, else in units of their ranges;
//   - best worst task: as they are, where all are rates to be maximised;
//   - nearest to the ideal: the least Euclidean distance, in units of the ranges, to the best of every task (compromise
//     programming; Yu 1973).
//
// None where fewer than two tasks are optimised. O(front · objectives), and as pareto.NonDominated.
func Compromises(a *study.Analysis) []NamedPoint {
	if a == nil || len(a.Front) == 0 || len(a.Objectives) < 2 {
		return nil
	}
	raw := make([][]float64, len(a.Front))
	for i := range a.Front {
		raw[i] = costs(a, a.Objectives, a.Front[i].Predicted)
	}
	rates := !slices.ContainsFunc(a.Objectives, func(t int) bool { return !a.Tasks[t].Rate() || a.Tasks[t].Sense == study.Minimize })
	inUnits := units(a, raw)
	means := inUnits
	if rates {
		means = raw
	}
	out := []NamedPoint{
		compromise(a, "most balanced", a.MostBalanced(everyPoint(a))),
		compromise(a, "best mean", least(means, sum)),
	}
	if rates {
		out = append(out, compromise(a, "best worst task", least(raw, slices.Max[[]float64])))
	}
	return append(out, compromise(a, "nearest to the ideal", least(inUnits, func(u []float64) float64 {
		squares := 0.0
		for _, v := range u {
			squares += v * v
		}
		return squares
	})))
}

func compromise(a *study.Analysis, name string, at int) NamedPoint {
	return NamedPoint{Name: name, X: a.Front[at].X, Front: at}
}

// units are costs in units of the ranges over the front, 0 the best.
func units(a *study.Analysis, raw [][]float64) [][]float64 {
	width, best, out := ranges(a), slices.Clone(raw[0]), make([][]float64, len(raw))
	for _, f := range raw {
		for k, v := range f {
			best[k] = min(best[k], v)
		}
	}
	for i, f := range raw {
		out[i] = make([]float64, len(f))
		for k, t := range a.Objectives {
			out[i][k] = (f[k] - best[k]) / width[t]
		}
	}
	return out
}

// least is the row with the least value; the first of equals.
func least(rows [][]float64, value func([]float64) float64) int {
	best, at := math.Inf(1), 0
	for i, r := range rows {
		if v := value(r); v < best {
			best, at = v, i
		}
	}
	return at
}

func sum(v []float64) float64 {
	s := 0.0
	for _, x := range v {
		s += x
	}
	return s
}
