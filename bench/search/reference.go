package main

import (
	"math"

	"parfait/evaluator"
	"parfait/pareto"
)

// References from which hypervolume is counted. Above the rim, a tenth of the anchors' range below the worst of
// them, most of the volume is in merges that give up some task; above the base and above the uniform average, each
// less a quarter of what the best anchor gains over it, lies what people would ship.
const (
	rim     = "rim"
	base    = "base"
	average = "avg"
)

var referenceNames = []string{rim, base, average}

// reference is where hypervolume is counted from.
func (t *truth) reference(name string, split evaluator.Split) []float64 {
	anchors := t.all(t.anchors(), split)
	at := anchors[0]
	if name == average {
		at = t.negated(t.uniform(), split)
	}
	ref := make([]float64, t.n)
	for k := range ref {
		lo, hi := math.Inf(1), math.Inf(-1)
		for _, v := range anchors {
			lo, hi = min(lo, v[k]), max(hi, v[k])
		}
		if ref[k] = hi + (hi-lo)/10; name != rim {
			ref[k] = at[k] + (at[k]-lo)/4
		}
	}
	return ref
}

// uniform is the average of the models.
func (t *truth) uniform() []float64 {
	x := make([]float64, t.n)
	for i := range x {
		x[i] = 1 / float64(t.n)
	}
	return x
}

// chooser knows the volume above a reference as it looks on the split that points are chosen on.
func chooser(seen [][]float64, ref []float64) *judge {
	var points [][]float64
	for _, i := range pareto.NonDominated(seen) {
		if covers(seen[i], ref) {
			points = append(points, seen[i])
		}
	}
	return probed(points, ref, probesWanted/5, probesTried/10)
}
