package chart

// Field is a function of two variables known on a grid: Values[j*NX+i] is its value at the i-th of NX even
// steps from X.Lo to X.Hi and the j-th of NY from Y.Lo to Y.Hi. NaN is unknown.
type Field struct {
	X, Y   Range
	NX, NY int
	Values []float64
}

// NewField evaluates f on a grid of nx×ny points, at least 2×2.
func NewField(x, y Range, nx, ny int, f func(x, y float64) float64) Field {
	nx, ny = max(nx, 2), max(ny, 2)
	field := Field{X: x.usable(), Y: y.usable(), NX: nx, NY: ny, Values: make([]float64, nx*ny)}
	for j := range ny {
		for i := range nx {
			field.Values[j*nx+i] = f(field.X.Value(float64(i)/float64(nx-1)), field.Y.Value(float64(j)/float64(ny-1)))
		}
	}
	return field
}

// ok reports whether the field holds what it says.
func (f *Field) ok() bool { return f.NX > 1 && f.NY > 1 && len(f.Values) == f.NX*f.NY }

// Range is the range of the values.
func (f *Field) Range() Range { return RangeOf(f.Values...) }

// At is the value at (x, y), interpolated between the four points around it; NaN outside the grid.
func (f *Field) At(x, y float64) float64 {
	tx, ty := f.X.At(x), f.Y.At(y)
	const slack = 1e-9
	if !f.ok() || !(tx >= -slack && tx <= 1+slack && ty >= -slack && ty <= 1+slack) {
		return nan
	}
	i, u := node(tx, f.NX)
	j, v := node(ty, f.NY)
	return f.between(i, j, u, v)
}

// between is the value in the square of the grid with the corner (i, j), u and v of a step behind it.
func (f *Field) between(i, j int, u, v float64) float64 {
	row := f.Values[j*f.NX+i:]
	lower := float64(row[0]*(1-u)) + float64(row[1]*u) // not fused: the same cells on every machine
	upper := float64(row[f.NX]*(1-u)) + float64(row[f.NX+1]*u)
	return float64(lower*(1-v)) + float64(upper*v)
}

// node is the grid step before t in [0, 1] of n, and how far t lies behind it.
func node(t float64, n int) (int, float64) {
	at := min(max(t, 0), 1) * float64(n-1)
	i := min(int(at), n-2)
	return i, at - float64(i)
}

// sampler evaluates a field on a lattice: at the middles of nx×ny parts of a frame's ranges.
type sampler struct {
	f      *Field
	ix, iy []int
	tx, ty []float64
}

// sampler prepares to evaluate the field; positions outside the field have index -1.
func (f *Field) sampler(x, y Range, nx, ny int) sampler {
	s := sampler{f: f}
	s.ix, s.tx = nodes(x, f.X, nx, f.NX)
	s.iy, s.ty = nodes(y, f.Y, ny, f.NY)
	return s
}

func nodes(shown, field Range, cells, n int) (index []int, offset []float64) {
	index, offset = make([]int, cells), make([]float64, cells)
	for i := range cells {
		index[i] = -1
		const slack = 1e-9
		if t := field.At(shown.center(i, cells)); t >= -slack && t <= 1+slack {
			index[i], offset[i] = node(t, n)
		}
	}
	return index, offset
}

// at is the value in the middle of part i from the left and j from below.
func (s *sampler) at(i, j int) float64 {
	x, y := s.ix[i], s.iy[j]
	if x < 0 || y < 0 {
		return nan
	}
	return s.f.between(x, y, s.tx[i], s.ty[j])
}
