package pareto

// ranges are the ideal and the nadir over some rows: the least and the largest of each objective.
type ranges struct{ ideal, nadir []float64 }

func rangesOf(fs [][]float64, rows []int) ranges {
	var s ranges
	for _, i := range rows {
		s.include(fs[i])
	}
	return s
}

// include extends the ranges to f.
func (s *ranges) include(f []float64) {
	if s.ideal == nil {
		s.ideal, s.nadir = append(s.ideal, f...), append(s.nadir, f...)
		return
	}
	for k, v := range f {
		s.ideal[k], s.nadir[k] = min(s.ideal[k], v), max(s.nadir[k], v)
	}
}

// unit maps a value of objective k to [0, 1] over the range; 0 where there is no range.
func (s ranges) unit(k int, v float64) float64 {
	w := s.nadir[k] - s.ideal[k]
	if !(w > 0) {
		return 0
	}
	return (v - s.ideal[k]) / w
}

// comparables returns the indices of the rows that can be compared.
func comparables(fs [][]float64) []int {
	var out []int
	for i, f := range fs {
		if orderable(f, len(fs[0])) {
			out = append(out, i)
		}
	}
	return out
}
