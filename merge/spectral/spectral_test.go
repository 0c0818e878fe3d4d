package spectral

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// drawn is a matrix of random numbers.
func drawn(r *rand.Rand, rows, cols int) *mat.Dense {
	m := mat.NewDense(rows, cols, nil)
	m.Apply(func(int, int, float64) float64 { return r.NormFloat64() }, m)
	return m
}

// of is the stack of matrices as they are stored, transposed where they are wide.
func of(deltas []*mat.Dense) Stack {
	rows, cols := deltas[0].Dims()
	turned := rows < cols
	if turned {
		rows, cols = cols, rows
	}
	return Stack{Models: len(deltas), Rows: rows, Cols: cols, Turned: turned, AtOnce: 2, Read: func(_ context.Context, model, first int, into *mat.Dense) error {
		n, _ := into.Dims()
		if turned {
			into.Copy(deltas[model].Slice(0, cols, first, first+n).(*mat.Dense).T())
		} else {
			into.Copy(deltas[model].Slice(first, first+n, 0, cols))
		}
		return nil
	}}
}

// onto collects what is written, as it would be stored.
func onto(s Stack, n int) (write Write, get func(int) *mat.Dense) {
	out := make([]*mat.Dense, n)
	for i := range out {
		out[i] = mat.NewDense(s.Rows, s.Cols, nil)
		out[i].Apply(func(int, int, float64) float64 { return math.NaN() }, out[i])
	}
	write = func(first, rows int, shares []*mat.Dense) error {
		for i, share := range shares {
			into := out[i].Slice(first, first+rows, 0, s.Cols).(*mat.Dense)
			if into.Zero(); share != nil {
				into.Copy(share)
			}
		}
		return nil
	}
	return write, func(i int) *mat.Dense {
		if s.Turned {
			return mat.DenseCopyOf(out[i].T())
		}
		return out[i]
	}
}

// svd is the thin decomposition.
func svd(t testing.TB, m mat.Matrix) (u *mat.Dense, s []float64, v *mat.Dense) {
	t.Helper()
	var d mat.SVD
	if !d.Factorize(m, mat.SVDThin) {
		t.Fatal("there are no singular values")
	}
	u, v = new(mat.Dense), new(mat.Dense)
	d.UTo(u)
	d.VTo(v)
	return u, d.Values(nil), v
}

// polar is the nearest matrix with orthonormal columns, by singular values as the paper has it.
func polar(t testing.TB, m *mat.Dense) *mat.Dense {
	u, _, v := svd(t, m)
	var out mat.Dense
	out.Mul(u, v.T())
	return &out
}

// columns are the first n.
func columns(m *mat.Dense, n int) mat.Matrix {
	rows, _ := m.Dims()
	return m.Slice(0, rows, 0, n)
}

// beside puts matrices beside one another.
func beside(list ...mat.Matrix) *mat.Dense {
	out := mat.DenseCopyOf(list[0])
	for _, m := range list[1:] {
		var both mat.Dense
		both.Augment(out, m)
		out = &both
	}
	return out
}

func near(t *testing.T, what string, got, want mat.Matrix, slack float64) {
	t.Helper()
	var d mat.Dense
	d.Sub(got, want)
	if diff, size := mat.Norm(&d, 2), mat.Norm(want, 2); !(diff <= slack*(size+1e-300)) {
		t.Errorf("%s differs by %g, want at most %g of %g", what, diff, slack, size)
	}
}

func total(list []*mat.Dense) *mat.Dense {
	out := mat.DenseCopyOf(list[0])
	for _, m := range list[1:] {
		out.Add(out, m)
	}
	return out
}

var shapes = [][2]int{{40, 12}, {12, 40}, {17, 17}, {9, 300}, {700, 9}, {1, 20}, {20, 1}, {10, 64}}

// plainTSV is TSV-M by full decompositions, as the paper has it: the share of each model.
func plainTSV(t testing.TB, deltas []*mat.Dense, rank int) []*mat.Dense {
	var us, vs []mat.Matrix
	var values []float64
	for _, d := range deltas {
		u, s, v := svd(t, d)
		us, vs, values = append(us, columns(u, rank)), append(vs, columns(v, rank)), append(values, s[:rank]...)
	}
	u, v := polar(t, beside(us...)), polar(t, beside(vs...))
	out := make([]*mat.Dense, len(deltas))
	rows, cols := deltas[0].Dims()
	for i := range out {
		out[i] = mat.NewDense(rows, cols, nil)
		for r := range rows {
			for c := range cols {
				sum := 0.0
				for k := i * rank; k < (i+1)*rank; k++ {
					sum += u.At(r, k) * values[k] * v.At(c, k)
				}
				out[i].Set(r, c, sum)
			}
		}
	}
	return out
}

func TestTSV(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, shape := range shapes {
		for _, n := range []int{1, 2, 3, 4} {
			rank := min(shape[0], shape[1]) / n
			if rank == 0 {
				continue
			}
			deltas := make([]*mat.Dense, n)
			for i := range deltas {
				deltas[i] = drawn(r, shape[0], shape[1])
			}
			want := plainTSV(t, deltas, rank)
			s := of(deltas)
			write, get := onto(s, n)
			if err := TSV(t.Context(), s, rank, write); err != nil {
				t.Fatal(err)
			}
			var parts []*mat.Dense
			for i := range n {
				parts = append(parts, get(i))
				near(t, fmt.Sprintf("%v, model %d of %d", shape, i, n), get(i), want[i], 1e-7)
			}
			// The singular values of the sum are those of all tasks, and the left and right vectors of two tasks are orthogonal.
			sum := total(parts)
			if n == 1 {
				near(t, "one model, whole", sum, deltas[0], 1e-9)
			}
			for i := range n {
				for k := range i {
					var left, right mat.Dense
					left.Mul(parts[i].T(), parts[k])
					right.Mul(parts[i], parts[k].T())
					if size := mat.Norm(parts[i], 2) * mat.Norm(parts[k], 2); mat.Norm(&left, 2) > 1e-7*size || mat.Norm(&right, 2) > 1e-7*size {
						t.Errorf("%v: the shares of the models %d and %d of %d are not orthogonal: %g and %g of %g", shape, k, i, n, mat.Norm(&left, 2), mat.Norm(&right, 2), size)
					}
				}
			}
		}
	}
}

// What two tasks have in common is shared between them; a task without a change has no share; both leave numbers.
func TestTSVOfWhatIsTheSame(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	one := drawn(r, 30, 14)
	deltas := []*mat.Dense{one, mat.DenseCopyOf(one), mat.NewDense(30, 14, nil)}
	s := of(deltas)
	write, get := onto(s, 3)
	if err := TSV(t.Context(), s, 4, write); err != nil {
		t.Fatal(err)
	}
	u, values, v := svd(t, one)
	for k := range values {
		values[k] /= 2
	}
	var half mat.Dense
	half.Product(columns(u, 4), mat.NewDiagDense(4, values[:4]), columns(v, 4).T())
	near(t, "the first", get(0), &half, 1e-7)
	near(t, "the second", get(1), &half, 1e-7)
	if mat.Norm(get(2), 2) != 0 {
		t.Errorf("a task vector of zeros has a share of %g", mat.Norm(get(2), 2))
	}
}

// A rank that is not there asks for nothing: of a product of rank 3 no more than 3 directions count.
func TestTSVOfLowRank(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	low := func() *mat.Dense {
		var m mat.Dense
		m.Mul(drawn(r, 60, 3), drawn(r, 3, 40))
		return &m
	}
	deltas := []*mat.Dense{low(), low()}
	s := of(deltas)
	write, get := onto(s, 2)
	if err := TSV(t.Context(), s, 20, write); err != nil {
		t.Fatal(err)
	}
	want := plainTSV(t, deltas, 3)
	for i := range want {
		near(t, fmt.Sprint("model ", i), get(i), want[i], 1e-7)
	}
}

func TestIso(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	for _, shape := range shapes {
		deltas := []*mat.Dense{drawn(r, shape[0], shape[1]), drawn(r, shape[0], shape[1]), drawn(r, shape[0], shape[1])}
		u, values, v := svd(t, total(deltas))
		mean := 0.0
		for _, x := range values {
			mean += x / float64(len(values))
		}
		var want mat.Dense
		want.Mul(u, v.T())
		want.Scale(mean, &want)
		s := of(deltas)
		write, get := onto(s, 1)
		if err := Iso(t.Context(), s, write); err != nil {
			t.Fatal(err)
		}
		near(t, fmt.Sprint("Iso-C of ", shape), get(0), &want, 1e-7)
		flat(t, fmt.Sprint("Iso-C of ", shape), get(0), mean)
	}
}

// flat says where singular values are not all the same.
func flat(t *testing.T, what string, m *mat.Dense, mean float64) {
	t.Helper()
	_, values, _ := svd(t, m)
	for k, x := range values {
		if math.Abs(x-mean) > 1e-7*mean {
			t.Errorf("%s: singular value %d is %g, want %g like all", what, k, x, mean)
		}
	}
}

func TestIsoCTS(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	for _, shape := range shapes {
		for _, share := range []float64{0.5, 0.8, 1} {
			n := 3
			deltas := []*mat.Dense{drawn(r, shape[0], shape[1]), drawn(r, shape[0], shape[1]), drawn(r, shape[0], shape[1])}
			rank := min(shape[0], shape[1])
			common, own := split(rank, n, share)
			if common+n*own != rank || own < 0 || common < 0 {
				t.Fatalf("a rank of %d is divided into %d and %d times %d", rank, common, n, own)
			}
			u, values, v := svd(t, total(deltas))
			values = values[:common]
			us, vs := []mat.Matrix{}, []mat.Matrix{}
			if common > 0 {
				us, vs = append(us, columns(u, common)), append(vs, columns(v, common))
			}
			for _, d := range deltas {
				rest := mat.DenseCopyOf(d)
				if common > 0 {
					var inside mat.Dense
					inside.Product(columns(u, common), columns(u, common).T(), d)
					rest.Sub(d, &inside)
				}
				if own > 0 {
					a, s, b := svd(t, rest)
					us, vs, values = append(us, columns(a, own)), append(vs, columns(b, own)), append(values, s[:own]...)
				}
			}
			mean := 0.0
			for _, x := range values {
				mean += x / float64(rank)
			}
			var want mat.Dense
			want.Mul(polar(t, beside(us...)), polar(t, beside(vs...)).T())
			want.Scale(mean, &want)
			s := of(deltas)
			write, get := onto(s, 1)
			if err := IsoCTS(t.Context(), s, share, write); err != nil {
				t.Fatal(err)
			}
			near(t, fmt.Sprintf("Iso-CTS of %v, %g common", shape, share), get(0), &want, 1e-6)
			flat(t, fmt.Sprintf("Iso-CTS of %v, %g common", shape, share), get(0), mean)
		}
	}
}

// Nothing stays nothing.
func TestIsoOfNothing(t *testing.T) {
	deltas := []*mat.Dense{mat.NewDense(6, 4, nil), mat.NewDense(6, 4, nil)}
	for name, f := range map[string]func(context.Context, Stack, Write) error{
		"Iso-C": Iso, "Iso-CTS": func(ctx context.Context, s Stack, w Write) error { return IsoCTS(ctx, s, 0.8, w) },
	} {
		s := of(deltas)
		write, get := onto(s, 1)
		if err := f(t.Context(), s, write); err != nil || mat.Norm(get(0), 2) != 0 {
			t.Errorf("%s of nothing is %v (%v)", name, get(0).RawMatrix().Data, err)
		}
	}
}

// How many are decomposed at once changes no bit, and an error of the reader comes back.
func TestStackIsRead(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	deltas := []*mat.Dense{drawn(r, 300, 30), drawn(r, 300, 30), drawn(r, 300, 30)}
	var first *mat.Dense
	for _, n := range []int{0, 1, 3, 8} {
		s := of(deltas)
		s.AtOnce = n
		write, get := onto(s, 3)
		if err := TSV(t.Context(), s, 10, write); err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = get(1)
		} else if !mat.Equal(first, get(1)) {
			t.Errorf("with %d at once other bits come out", n)
		}
	}
	broken := errors.New("the disk is gone")
	s := of(deltas)
	s.Read = func(context.Context, int, int, *mat.Dense) error { return broken }
	write, _ := onto(s, 3)
	for name, err := range map[string]error{"TSV": TSV(t.Context(), s, 10, write), "Iso": Iso(t.Context(), s, write), "IsoCTS": IsoCTS(t.Context(), s, 0.8, write)} {
		if !errors.Is(err, broken) {
			t.Errorf("%s: %v, want the error of the reader", name, err)
		}
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if err := TSV(ended, of(deltas), 10, write); !errors.Is(err, context.Canceled) {
		t.Errorf("of an ended context: %v, want that it ended", err)
	}
}

// plainKnots is KnOTS by one decomposition of the whole, with TIES in loops.
func plainKnots(t testing.TB, deltas []*mat.Dense, rank int, density float64) []*mat.Dense {
	list := make([]mat.Matrix, len(deltas))
	for i, d := range deltas {
		list[i] = d
	}
	u, s, v := svd(t, beside(list...))
	_, cols := deltas[0].Dims()
	kept := make([][][]float64, len(deltas)) // model, column, direction
	for i := range deltas {
		kept[i] = make([][]float64, cols)
		var sizes []float64
		for c := range cols {
			for k := range rank {
				x := v.At(i*cols+c, k)
				kept[i][c] = append(kept[i][c], x)
				sizes = append(sizes, math.Abs(x))
			}
		}
		most := int(math.Ceil(density * float64(len(sizes))))
		for c := range cols {
			for k := range rank {
				larger := 0
				for _, x := range sizes {
					if x > math.Abs(kept[i][c][k]) {
						larger++
					}
				}
				if larger >= most {
					kept[i][c][k] = 0
				}
			}
		}
	}
	out := make([]*mat.Dense, len(deltas))
	rows, _ := deltas[0].Dims()
	for i := range out {
		out[i] = mat.NewDense(rows, cols, nil)
		for c := range cols {
			for k := range rank {
				sum, agree := 0.0, 0
				for m := range deltas {
					sum += kept[m][c][k]
				}
				for m := range deltas {
					if kept[m][c][k]*sum > 0 {
						agree++
					}
				}
				if kept[i][c][k]*sum > 0 {
					for r := range rows {
						out[i].Set(r, c, out[i].At(r, c)+u.At(r, k)*s[k]*kept[i][c][k]/float64(agree))
					}
				}
			}
		}
	}
	return out
}

func TestKnots(t *testing.T) {
	r := rand.New(rand.NewPCG(13, 14))
	for _, c := range []struct{ rows, cols, rank, models int }{{30, 20, 2, 3}, {20, 30, 3, 2}, {5, 40, 3, 3}, {40, 4, 3, 3}, {4, 4, 6, 2}, {30, 20, 2, 1}} {
		var lefts, rights, deltas []*mat.Dense
		for range c.models {
			l, right := drawn(r, c.rows, c.rank), drawn(r, c.cols, c.rank)
			var d mat.Dense
			d.Mul(l, right.T())
			lefts, rights, deltas = append(lefts, l), append(rights, right), append(deltas, &d)
		}
		copied := func(list []*mat.Dense) (out []*mat.Dense) {
			for _, m := range list {
				out = append(out, mat.DenseCopyOf(m))
			}
			return out
		}
		rank := KnotsRank(c.rows, c.cols, c.models, c.rank*c.models)
		product := func(left *mat.Dense, right *mat.Dense) *mat.Dense {
			if _, n := left.Dims(); n != rank {
				t.Errorf("%+v: the rank is %d, want %d", c, n, rank)
			}
			var out mat.Dense
			out.Mul(left, right.T())
			return &out
		}
		left, aligned := Knots(copied(lefts), copied(rights), false, 1)
		for i := range deltas {
			near(t, fmt.Sprintf("%+v: model %d, aligned", c, i), product(left, aligned[i]), deltas[i], 1e-9)
		}
		_, all, _ := svd(t, total(deltas))
		for _, density := range []float64{0.2, 0.61, 1} {
			want := plainKnots(t, deltas, min(rank, c.rows), density)
			left, aligned = Knots(copied(lefts), copied(rights), true, density)
			for i := range want {
				var d mat.Dense
				d.Sub(product(left, aligned[i]), want[i])
				if diff := mat.Norm(&d, 2); diff > 1e-8*all[0] {
					t.Errorf("%+v: model %d with a density of %g differs by %g", c, i, density, diff)
				}
			}
		}
	}
}

// A model that changes nothing takes no part; what two have in common fills no direction twice.
func TestKnotsOfSome(t *testing.T) {
	r := rand.New(rand.NewPCG(15, 16))
	l, right := drawn(r, 20, 2), drawn(r, 12, 2)
	again, same := mat.DenseCopyOf(l), mat.DenseCopyOf(right)
	var want mat.Dense
	want.Mul(l, right.T())
	left, aligned := Knots([]*mat.Dense{l, nil, again}, []*mat.Dense{right, nil, same}, true, 1)
	if aligned[1] != nil {
		t.Error("a model that changes nothing has a matrix")
	}
	for _, i := range []int{0, 2} {
		var got mat.Dense
		got.Mul(left, aligned[i].T())
		got.Scale(2, &got) // two agree everywhere
		near(t, fmt.Sprint("model ", i), &got, &want, 1e-9)
	}
	if n := mat.Norm(left.Slice(0, 20, 2, 4), 2); n != 0 {
		t.Errorf("the directions that nothing fills are %g long", n)
	}
	none, _ := Knots([]*mat.Dense{mat.NewDense(4, 1, nil)}, []*mat.Dense{mat.NewDense(4, 1, nil)}, true, 0.2)
	if mat.Norm(none, 2) != 0 {
		t.Error("nothing is something")
	}
}
