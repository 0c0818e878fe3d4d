package pareto

import (
	"cmp"
	"math"
)

// Knee returns the index of the knee of a front, where what is gained and what it costs balance: the point with the
// largest product of gains, a gain being how far an objective is from its worst on the front, in units of its range
// over the front. No small move from it gains more, in per cent of the gains and summed over them, than it costs
// (where the front bulges towards the ideal, no move at all): it is Nash's bargaining solution (1950) among the objectives, with the worst of each as the disagreement,
// and what networks call proportionally fair (Kelly, Maulloo and Tan 1998).
//
// It lies inside fronts of any shape: where an objective is at its worst its gain is none. A sum of losses in its
// place ends in a corner as soon as the front does not bulge towards the ideal. It depends on neither the units of
// the objectives nor their order. An objective that is the same everywhere does not count; where no point has a
// gain in all, those with a gain in most; where products tie, the most balanced point, then the first.
//
// Dominated rows are ignored; −1 where no row can be compared. O(n) and as NonDominated.
func Knee(fs [][]float64) int {
	all := make([]int, len(fs))
	for i := range all {
		all[i] = i
	}
	return KneeAmong(fs, all)
}

// KneeAmong is the knee of the rows given by their indices, with ranges over the front of all rows: what is asked of
// a knee besides, such as a floor, takes points away and does not move what they are measured by.
func KneeAmong(fs [][]float64, among []int) int {
	s := rangesOf(fs, NonDominated(fs))
	rows := make([][]float64, len(among))
	for k, i := range among {
		rows[k] = fs[i]
	}
	best, top := -1, bargain{}
	for _, k := range NonDominated(rows) {
		if b := s.bargain(rows[k]); best < 0 || b.compare(top) > 0 {
			best, top = among[k], b
		}
	}
	return best
}

// bargain is what a point gains.
type bargain struct {
	without int     // objectives without a gain
	log     float64 // of the product of the gains of all others
	worst   float64 // the least gain
}

func (s ranges) bargain(f []float64) bargain {
	b := bargain{worst: 1}
	for k, v := range f {
		if !(s.nadir[k] > s.ideal[k]) {
			continue
		}
		gain := max(1-s.unit(k, v), 0)
		if b.worst = min(b.worst, gain); gain < tie {
			b.without++
			continue
		}
		b.log += math.Log(gain)
	}
	return b
}

// tie is how much two sums may differ by rounding.
const tie = 1e-9

// compare is positive where b is the better bargain.
func (b bargain) compare(o bargain) int {
	switch {
	case b.without != o.without:
		return cmp.Compare(o.without, b.without)
	case math.Abs(b.log-o.log) > tie:
		return cmp.Compare(b.log, o.log)
	case math.Abs(b.worst-o.worst) > tie:
		return cmp.Compare(b.worst, o.worst)
	}
	return 0
}
