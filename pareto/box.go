package pareto

import (
	"context"
	"math"
	"slices"
)

// Box is where several sets of points are compared: between an ideal point and a reference point, which the
// caller takes for all sets alike (see Reference). What is measured in it is in shares of its sides, so that
// objectives of different units count alike.
type Box struct{ Ideal, Ref []float64 }

// Reference returns where hypervolume should be counted from for one objective whose values lie between lo and
// hi: a tenth of that range worse than hi, or a tenth of |hi| where there is no range.
func Reference(lo, hi float64) float64 {
	width := hi - lo
	if !(width > 0) {
		width = max(math.Abs(hi), 1e-9)
	}
	return hi + width/10
}

// unit maps rows so that the ideal point is at 0 and the reference point at 1 in every objective.
func (b Box) unit(rows [][]float64) [][]float64 {
	out := make([][]float64, len(rows))
	for i, row := range rows {
		out[i] = make([]float64, len(row))
		for k, v := range row {
			out[i][k] = (v - b.Ideal[k]) / (b.Ref[k] - b.Ideal[k])
		}
	}
	return out
}

// Volume returns the hypervolume of the rows, which must be as long as the ideal point, as a share of the box's:
// above 1 for rows that are better than the ideal point. The error is that of ctx.
func (b Box) Volume(ctx context.Context, rows [][]float64) (float64, error) {
	return HypervolumeUntil(ctx, b.unit(rows), slices.Repeat([]float64{1}, len(b.Ref)))
}

// Indicators are the quality indicators of one of several sets.
type Indicators struct {
	Volume      float64 // share of the box that it dominates
	Epsilon     float64 // EpsilonAdditive towards the front of all sets, in shares of the box's sides
	IGDPlus     float64 // likewise
	Contributed int     // how many points of that front are in the set
}

// Compare returns the indicators of each set, with the non-dominated points of all sets together as the reference
// front, and how many points that front has. A point that is in several sets counts for each of them. The error is
// that of ctx.
func (b Box) Compare(ctx context.Context, sets [][][]float64) (indicators []Indicators, front int, err error) {
	all := slices.Concat(sets...)
	var union [][]float64
	for _, i := range NonDominated(all) {
		union = append(union, all[i])
	}
	units := b.unit(union)
	for _, set := range sets {
		volume, err := b.Volume(ctx, set)
		if err != nil {
			return nil, 0, err
		}
		in := Indicators{Volume: volume, Epsilon: EpsilonAdditive(b.unit(set), units), IGDPlus: IGDPlus(b.unit(set), units)}
		for _, u := range union {
			if slices.ContainsFunc(set, func(p []float64) bool { return slices.Equal(p, u) }) {
				in.Contributed++
			}
		}
		indicators = append(indicators, in)
	}
	return indicators, len(union), nil
}
