package pareto

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"

	"parfait/parallel"
)

// Box is where sets of points are compared, between the ideal point and the reference point. What is measured
// in it is in shares of its sides, so that objectives of different units count alike.
type Box struct{ Ideal, Ref []float64 }

// Reference is where hypervolume is counted from for an objective whose anchors lie between lo and hi: a tenth of
// their range worse than all of them, or of hi itself where they are all the same.
func Reference(lo, hi float64) float64 {
	width := hi - lo
	if !(width > 0) {
		width = max(math.Abs(hi), 1e-9)
	}
	return hi + width/10
}

// unit returns the rows with 0 at the ideal point and 1 at the reference point.
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
// above 1 for rows that are better than the ideal point.
func (b Box) Volume(rows [][]float64) float64 {
	return Hypervolume(b.unit(rows), slices.Repeat([]float64{1}, len(b.Ref)))
}

// Standing is how one of several sets stands among them.
type Standing struct {
	Volume  float64 // share of the box that it dominates
	Epsilon float64 // additive ε to the front of all sets, in shares of the box's sides
	IGDPlus float64 // likewise
	Own     int     // how many points of that front it has
}

// Standings returns how each set stands against the front of all of them, and how many points that front has.
// A point that several sets have counts for each of them.
func (b Box) Standings(sets [][][]float64) (standings []Standing, front int) {
	all := slices.Concat(sets...)
	var union [][]float64
	for _, i := range NonDominated(all) {
		union = append(union, all[i])
	}
	units := b.unit(union)
	for _, set := range sets {
		s := Standing{Volume: b.Volume(set), Epsilon: EpsilonAdditive(b.unit(set), units), IGDPlus: IGDPlus(b.unit(set), units)}
		for _, u := range union {
			if slices.ContainsFunc(set, func(p []float64) bool { return slices.Equal(p, u) }) {
				s.Own++
			}
		}
		standings = append(standings, s)
	}
	return standings, len(union)
}

// Noisy is a set whose points were measured with noise: row after row a standard deviation an objective.
type Noisy struct{ Points, Stds [][]float64 }

// Ahead draws every set with its noise, normal and independent, and returns for every two sets the share of the
// draws in which the first has the larger volume; a tie counts a half for both. The same seed gives the same
// shares. The error is that of ctx.
//
// Draws of a whole set are larger than what they are drawn from, as that is larger than the truth, because
// volume takes the best of all: sets that are to be compared so should be fronts, of as many points drawn from.
func (b Box) Ahead(ctx context.Context, sets []Noisy, draws int, seed uint64) ([][]float64, error) {
	volumes := make([][]float64, draws)
	parallel.For(0, draws, func(d int) {
		rng := rand.New(rand.NewPCG(seed, uint64(d)))
		for _, s := range sets {
			drawn := make([][]float64, len(s.Points))
			for i, p := range s.Points {
				drawn[i] = slices.Clone(p)
				for k, std := range s.Stds[i] {
					drawn[i][k] += std * rng.NormFloat64()
				}
			}
			if ctx.Err() == nil {
				volumes[d] = append(volumes[d], b.Volume(drawn))
			}
		}
	})
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	ahead := make([][]float64, len(sets))
	for i := range sets {
		ahead[i] = make([]float64, len(sets))
		for j := range sets {
			sum := 0.0
			for _, v := range volumes {
				switch {
				case v[i] > v[j]:
					sum++
				case v[i] == v[j]:
					sum += 0.5
				}
			}
			ahead[i][j] = sum / float64(max(draws, 1))
		}
	}
	return ahead, nil
}
