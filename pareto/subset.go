package pareto

import (
	"container/heap"
	"math"
	"slices"
)

// Subset returns the indices of at most n rows that are spread evenly over the front: the best of every
// objective first, then always the row farthest from those taken (Gonzalez 1985), with each objective in
// units of its range. Only non-dominated rows are taken; the order is that of the taking, so that every
// prefix is spread too. O(n · len(fs)).
func Subset(fs [][]float64, n int) []int {
	front := NonDominated(fs)
	if n <= 0 || len(front) == 0 {
		return nil
	}
	s := scaleOf(fs, front)
	points := make([][]float64, len(front))
	for i, f := range front {
		points[i] = make([]float64, len(fs[f]))
		for k, v := range fs[f] {
			points[i][k] = s.unit(k, v)
		}
	}
	taken, _ := spread(points, n)
	for i, t := range taken {
		taken[i] = front[t]
	}
	return taken
}

// SubsetByVolume returns the indices of at most n rows that dominate much volume within the reference point:
// always the row that adds most to those taken, which reaches at least 1 − 1/e of what n rows can (Nemhauser,
// Wolsey and Fisher 1978; lazily, Minoux 1978). Rows that add nothing are not taken; the order is that of
// the taking. About one limited hypervolume of the rows taken for each row and a few more.
func SubsetByVolume(fs [][]float64, ref []float64, n int) []int {
	if n <= 0 || len(ref) == 0 || slices.ContainsFunc(ref, math.IsNaN) {
		return nil
	}
	m := max(len(ref), 4)
	l, taken := newLimits(m), &level{bound: make([]float64, m)}
	var open offers
	for i, f := range fs {
		if inside(f, ref) {
			at := slices.Repeat([]float64{-1}, m)
			for k, v := range f {
				at[k] = v - ref[k]
			}
			open = append(open, offer{i, at, l.alone(taken, at)})
		}
	}
	heap.Init(&open)
	var out []int
	for len(open) > 0 && len(out) < n {
		// Gains only fall as more is taken: one that is still the best when it is asked anew is the best.
		best := &open[0]
		if now := l.alone(taken, best.at); now < best.gain {
			best.gain = now
			heap.Fix(&open, 0)
			continue
		}
		if !(best.gain > 0) {
			break
		}
		out = append(out, best.row)
		taken.add(best.at)
		heap.Pop(&open)
	}
	return out
}

// offer is a row and what it gained when it was last asked.
type offer struct {
	row  int
	at   []float64
	gain float64
}

// offers is a heap, the largest gain first.
type offers []offer

func (o offers) Len() int { return len(o) }

func (o offers) Less(i, j int) bool {
	return o[i].gain > o[j].gain || o[i].gain == o[j].gain && o[i].row < o[j].row
}

func (o offers) Swap(i, j int) { o[i], o[j] = o[j], o[i] }

// Push implements heap.Interface.
func (o *offers) Push(x any) { *o = append(*o, x.(offer)) }

// Pop implements heap.Interface.
func (o *offers) Pop() any {
	last := (*o)[len(*o)-1]
	*o = (*o)[:len(*o)-1]
	return last
}

// spread takes at most n points: the least in every coordinate, then always the one farthest from those
// taken. It also returns how far the last was.
func spread(points [][]float64, n int) (taken []int, last float64) {
	m := len(points[0])
	v := slices.Concat(points...)
	gap := make([]float64, len(points))
	for i := range gap {
		gap[i] = math.Inf(1)
	}
	take := func(t int) {
		taken = append(taken, t)
		last = math.Sqrt(gap[t])
		p := v[t*m : (t+1)*m]
		for i := range gap {
			if gap[i] >= 0 {
				gap[i] = min(gap[i], squared(v[i*m:(i+1)*m], p))
			}
		}
		gap[t] = -1
	}
	for k := 0; k < m && len(taken) < n; k++ {
		t := extreme(v, m, k)
		if gap[t] >= 0 {
			take(t)
		}
	}
	for len(taken) < min(n, len(points)) {
		far := 0
		for i, g := range gap {
			if g > gap[far] {
				far = i
			}
		}
		take(far)
	}
	return taken, last
}

// extreme is the row with the least objective k, of equals the one with the least sum.
func extreme(v []float64, m, k int) int {
	best, at := [2]float64{math.Inf(1), math.Inf(1)}, 0
	for i := range len(v) / m {
		sum := 0.0
		for _, x := range v[i*m : (i+1)*m] {
			sum += x
		}
		if x := v[i*m+k]; x < best[0] || (x == best[0] && sum < best[1]) {
			best, at = [2]float64{x, sum}, i
		}
	}
	return at
}

func squared(a, b []float64) float64 {
	sum := 0.0
	for i, v := range a {
		d := v - b[i]
		sum += d * d
	}
	return sum
}
