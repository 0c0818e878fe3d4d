package search

import (
	"math"
	"slices"
)

// cells cut the directions from the base into parts.
type cells struct {
	region *region
	axes   []int // coefficients that make the direction
	cuts   int   // an angle
	signed bool  // whether coefficients reach below the base
}

func newCells(r *region) *cells {
	c := &cells{region: r}
	for i, k := range r.space.Coefficients {
		if k.Kind == Parameter && slices.Contains(r.free, i) {
			continue
		}
		c.axes = append(c.axes, i)
		c.signed = c.signed || r.lo[i] < r.origin[i]
	}
	angles := max(len(c.axes)-1, 1)
	c.cuts = min(max(int(math.Pow(maxCells, 1/float64(angles))), 2), 8)
	return c
}

// key names the cell of x.
func (c *cells) key(x []float64) string {
	key := make([]byte, 0, len(c.axes))
	rest := 0.0 // squared length of what comes after
	v := make([]float64, len(c.axes))
	for k, i := range c.axes {
		width := c.region.space.Coefficients[i].Hi - c.region.space.Coefficients[i].Lo
		if width > 0 {
			v[k] = (x[i] - c.region.origin[i]) / width
		}
		rest += v[k] * v[k]
	}
	budget := math.Log(maxCells)
	for k := 0; k+1 < len(v) && budget > 0; k++ {
		rest = max(rest-v[k]*v[k], 0)
		angle := math.Atan2(math.Sqrt(rest), v[k]) // 0 … π
		whole := math.Pi
		if !c.signed {
			whole = math.Pi / 2
		}
		key = append(key, byte(min(int(angle/whole*float64(c.cuts)), c.cuts-1)))
		budget -= math.Log(float64(c.cuts))
	}
	return string(key)
}

// cellScores are scores of cells, and what counts where a cell has no points.
type cellScores struct {
	known   map[string]float64
	unknown float64
	std     float64
}

func (s cellScores) of(key string) float64 {
	if v, ok := s.known[key]; ok {
		return v
	}
	return s.unknown
}

// scores are mean plus half the standard deviation of the residuals in each cell.
func (l *Landscape) scores(c *cells, points []Point) cellScores {
	sum, count := map[int]float64{}, map[int]float64{}
	for _, i := range l.goalsOrAll() {
		f := &l.fits[i]
		if !f.varies() {
			continue
		}
		for k, p := range f.used {
			sum[p] += math.Abs(points[p].Y[i].Value-f.trust.LOO[k]) / f.width
			count[p]++
		}
	}
	byCell := map[string][]float64{}
	var all []float64
	for p, point := range points {
		if count[p] > 0 {
			r := sum[p] / count[p]
			all = append(all, r)
			k := c.key(point.X)
			byCell[k] = append(byCell[k], r)
		}
	}
	out := cellScores{known: map[string]float64{}, unknown: upper(all)}
	_, out.std = meanStd(all)
	for k, r := range byCell {
		out.known[k] = upper(r)
	}
	return out
}

// upper is the mean plus half the standard deviation.
func upper(v []float64) float64 {
	mean, std := meanStd(v)
	return mean + std/2
}

func meanStd(v []float64) (mean, std float64) {
	if len(v) == 0 {
		return 0, 0
	}
	for _, a := range v {
		mean += a / float64(len(v))
	}
	for _, a := range v {
		std += (a - mean) * (a - mean) / float64(len(v))
	}
	return mean, math.Sqrt(std)
}

// softmax returns the probabilities of the cells.
func softmax(keys []string, s cellScores) []float64 {
	out := make([]float64, len(keys))
	top := math.Inf(-1)
	for i, k := range keys {
		out[i] = 0
		if s.std > 0 {
			out[i] = s.of(k) / s.std
		}
		top = max(top, out[i])
	}
	sum := 0.0
	for i := range out {
		out[i] = math.Exp(out[i] - top)
		sum += out[i]
	}
	for i := range out {
		out[i] /= sum
	}
	return out
}
