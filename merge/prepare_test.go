package merge

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gonum.org/v1/gonum/mat"

	"parfait/merge/codes"
	"parfait/merge/safetensors"
	"parfait/parallel/paralleltest"
)

// prepared writes what is prepared and reads it, by the names of the models; "" where it is one.
func prepared(t testing.TB, s Spec, o ExportOptions) (dir string, models map[string]model) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "out")
	made, err := plan(t, s).Prepare(t.Context(), dir, o, nil)
	must(t, err)
	models = map[string]model{}
	for _, m := range made {
		name, err := filepath.Rel(dir, m.Target)
		must(t, err)
		if models[name] = nil; s.Form == FormFull {
			models[name] = read(t, m.Target)
		}
		v, err := Verify(t.Context(), m.Target, VerifyOptions{Recompute: true}, nil)
		if err != nil || !v.Recomputed || len(v.Problems) > 0 {
			t.Errorf("%s is not made again from its receipt: %v %v", m.Target, err, v.Problems)
		}
	}
	return dir, models
}

// decomposed is a thin singular value decomposition.
func decomposed(t testing.TB, m mat.Matrix) (u, v mat.Dense, s []float64) {
	t.Helper()
	var d mat.SVD
	if !d.Factorize(m, mat.SVDThin) {
		t.Fatal("there are no singular values")
	}
	d.UTo(&u)
	d.VTo(&v)
	return u, v, d.Values(nil)
}

// shares is TSV-M of some task vectors in loops: the share of each.
func shares(t testing.TB, deltas []*mat.Dense, rank int) []*mat.Dense {
	rows, cols := deltas[0].Dims()
	n := len(deltas)
	left, right := mat.NewDense(rows, n*rank, nil), mat.NewDense(cols, n*rank, nil)
	var values []float64
	for i, d := range deltas {
		u, v, s := decomposed(t, d)
		for k := range rank {
			for r := range rows {
				left.Set(r, i*rank+k, u.At(r, k))
			}
			for c := range cols {
				right.Set(c, i*rank+k, v.At(c, k))
			}
			values = append(values, s[k])
		}
	}
	var l, r mat.Dense
	u, v, _ := decomposed(t, left)
	l.Mul(&u, v.T())
	u, v, _ = decomposed(t, right)
	r.Mul(&u, v.T())
	out := make([]*mat.Dense, n)
	for i := range out {
		out[i] = mat.NewDense(rows, cols, nil)
		out[i].Apply(func(a, b int, _ float64) float64 {
			sum := 0.0
			for k := i * rank; k < (i+1)*rank; k++ {
				sum += l.At(a, k) * values[k] * r.At(b, k)
			}
			return sum
		}, out[i])
	}
	return out
}

// taskVector is a tensor of a model less that of the base.
func taskVector(of, base values) *mat.Dense {
	var d mat.Dense
	d.Sub(dense(of), dense(base))
	return &d
}

// Every model gets its share of the matrices and its part of the mean of all else; what is not computed on and the files
// beside the weights are the base's; the sum of the shares is what one merge of the recipe with weights of 1 makes.
func TestPrepareTSV(t *testing.T) {
	for _, d := range []safetensors.DType{safetensors.F32, safetensors.F64, safetensors.BF16} {
		slack := map[safetensors.DType]float64{safetensors.F32: 1e-5, safetensors.F64: 1e-7, safetensors.BF16: 4e-2}[d]
		base, models := family(t, 31, d, 3)
		spec := Spec{Base: base, Models: models, Method: "task_arithmetic", Prepare: Preparation{Name: PrepareTSV}}
		dir, got := prepared(t, spec, ExportOptions{})
		from := read(t, base)
		all := map[string]float64{}
		var again []Source
		for i, m := range models {
			all[m.Name] = 1
			again = append(again, Source{m.Name, filepath.Join(dir, m.Name)})
			own := read(t, m.Path)
			for name, v := range got[m.Name] {
				want := make([]float64, len(v.data))
				if len(v.shape) == 2 && len(v.data) > 0 {
					var deltas []*mat.Dense
					for _, other := range models {
						deltas = append(deltas, taskVector(read(t, other.Path)[name], from[name]))
					}
					copy(want, shares(t, deltas, int(min(v.shape[0], v.shape[1]))/3)[i].RawMatrix().Data)
				} else if v.dtype.Computable() {
					for e := range want {
						want[e] = (own[name].data[e] - from[name].data[e]) / 3
					}
				}
				for e := range want {
					want[e] += from[name].data[e]
				}
				closeTo(t, fmt.Sprintf("%s: %s of %s", d, name, m.Name), v.data, want, slack)
			}
			for _, name := range []string{"config.json", "tokenizer.json", RecipeFile, ReceiptFile} {
				if _, err := os.Stat(filepath.Join(dir, m.Name, name)); err != nil {
					t.Errorf("%s has no %s: %v", m.Name, name, err)
				}
			}
		}
		sum := one(t, Spec{Base: base, Models: again, Method: "task_arithmetic"}, all)
		for name, want := range one(t, spec, all) {
			closeTo(t, fmt.Sprintf("%s: the sum of %s", d, name), sum[name].data, want.data, slack)
		}
		if left, _ := filepath.Glob(filepath.Join(filepath.Dir(dir), ".*")); len(left) > 0 {
			t.Errorf("%v was left beside it", left)
		}
	}
}

// Nothing depends on how many workers there are or on how many files the output has; an empty name is one model.
func TestPrepareIsTheSame(t *testing.T) {
	base, models := family(t, 32, safetensors.F32, 3)
	for _, prep := range []Preparation{{Name: PrepareTSV, Rank: 0.5}, {Name: PrepareIsoC}, {Name: PrepareIsoCTS}} {
		spec := Spec{Base: base, Models: models, Method: "task_arithmetic", Prepare: prep}
		_, first := prepared(t, spec, ExportOptions{Workers: 1})
		_, other := prepared(t, spec, ExportOptions{Workers: 5, ShardSize: 600})
		if want := map[bool]int{true: 3, false: 1}[prep.each()]; len(first) != want {
			t.Errorf("%s: %d models were written, want %d", prep.Name, len(first), want)
		}
		for name := range first {
			sameBits(t, prep.Name+" "+name, other[name], first[name])
		}
		if !prep.each() {
			v := taskVector(first["."]["model.embed.weight"], read(t, base)["model.embed.weight"])
			if _, _, s := decomposed(t, v); s[len(s)-1] < 0.9999*s[0] {
				t.Errorf("%s: the singular values are %v, want all the same", prep.Name, s)
			}
		}
	}
}

// Matrices of many runs, tall and wide, are as those of one.
func TestPrepareOfManyRuns(t *testing.T) {
	r := rand.New(rand.NewPCG(33, 1))
	root, f := t.TempDir(), safetensors.F32
	m := model{"tall": drawn(r, f, 1, 2600, 101), "wide": drawn(r, f, 1, 31, 8500)}
	spec := Spec{Base: m.write(t, filepath.Join(root, "base")), Method: "task_arithmetic", Prepare: Preparation{Name: PrepareTSV}}
	var tuned []model
	for _, name := range []string{"a", "b"} {
		x := model{"tall": near2(r, m["tall"], 0.1), "wide": near2(r, m["wide"], 0.1)}
		tuned = append(tuned, x)
		spec.Models = append(spec.Models, Source{name, x.write(t, filepath.Join(root, name))})
	}
	_, got := prepared(t, spec, ExportOptions{})
	for name, rank := range map[string]int{"tall": 50, "wide": 15} {
		want := shares(t, []*mat.Dense{taskVector(tuned[0][name], m[name]), taskVector(tuned[1][name], m[name])}, rank)
		for i, model := range []string{"a", "b"} {
			closeTo(t, name+" of "+model, taskVector(got[model][name], m[name]).RawMatrix().Data, want[i].RawMatrix().Data, 1e-6)
		}
	}
}

// products are a base and two adapters on it, with their task vectors by module.
func products(t testing.TB) (spec Spec, deltas map[string][]*mat.Dense) {
	base, models, _, _ := thick(t)
	deltas = map[string][]*mat.Dense{}
	from := read(t, base)
	for _, m := range models {
		at := map[string]float64{"a": 0, "b": 0, "c": 0}
		at[m.Name] = 1
		for name, v := range one(t, Spec{Base: base, Models: models, Method: "task_arithmetic", DType: F32}, at) {
			module := strings.TrimSuffix(name, ".weight")
			deltas[module] = append(deltas[module], taskVector(v, from[name]))
		}
	}
	return Spec{Base: base, Models: models, Method: "task_arithmetic", Form: FormAdapter, Prepare: Preparation{Name: PrepareKnots}}, deltas
}

// Adapters in one basis do what they did, and have the left matrix in common.
func TestPrepareKnots(t *testing.T) {
	spec, deltas := products(t)
	dir, _ := prepared(t, spec, ExportOptions{})
	for module, want := range deltas {
		for i, m := range spec.Models {
			got, _ := ranked(t, filepath.Join(dir, m.Name), module)
			closeTo(t, module+" of "+m.Name, got.RawMatrix().Data, want[i].RawMatrix().Data, 1e-4)
		}
	}
	left := func(name string) []byte {
		f, err := safetensors.Open(filepath.Join(dir, name, adapterWeights))
		must(t, err)
		defer f.Close() //nolint:errcheck // read only
		tensor, _ := f.Tensor("base_model.model.model.tall.lora_B.weight")
		raw, err := f.Bytes(tensor)
		must(t, err)
		return raw
	}
	if string(left("a")) != string(left("b")) {
		t.Error("two adapters have other left matrices, want one basis for all")
	}
}

// Numpy makes the same of the papers' words.
func TestPrepareByNumpy(t *testing.T) {
	py := os.Getenv("PARFAIT_PYTHON")
	if py == "" || exec.Command(py, "-c", "import numpy").Run() != nil {
		t.Skip("PARFAIT_PYTHON names no Python with numpy")
	}
	numpy := func(prep Preparation, option float64, deltas []*mat.Dense) []*mat.Dense {
		list := make([][][]float64, len(deltas))
		for i, d := range deltas {
			rows, _ := d.Dims()
			for r := range rows {
				list[i] = append(list[i], d.RawRowView(r))
			}
		}
		in, err := json.Marshal(map[string]any{"name": prep.Name, "option": option, "deltas": list})
		must(t, err)
		cmd := exec.Command(py, "testdata/prepared.py")
		cmd.Stdin, cmd.Stderr = strings.NewReader(string(in)), os.Stderr
		said, err := cmd.Output()
		must(t, err)
		var back [][][]float64
		must(t, json.Unmarshal(said, &back))
		out := make([]*mat.Dense, len(back))
		for i, m := range back {
			out[i] = mat.NewDense(len(m), len(m[0]), nil)
			for r, row := range m {
				out[i].SetRow(r, row)
			}
		}
		return out
	}
	base, models := family(t, 34, safetensors.F64, 3)
	from := read(t, base)
	for _, c := range []struct {
		prep   Preparation
		option float64
	}{{Preparation{Name: PrepareTSV}, 0}, {Preparation{Name: PrepareTSV, Rank: 0.2}, 0.2}, {Preparation{Name: PrepareIsoC}, 0}, {Preparation{Name: PrepareIsoCTS}, 0.8}, {Preparation{Name: PrepareIsoCTS, Common: 0.5}, 0.5}} {
		_, got := prepared(t, Spec{Base: base, Models: models, Method: "task_arithmetic", Prepare: c.prep}, ExportOptions{})
		for _, name := range []string{"model.embed.weight", "model.layers.0.weight"} {
			var deltas []*mat.Dense
			for _, m := range models {
				deltas = append(deltas, taskVector(read(t, m.Path)[name], from[name]))
			}
			for i, want := range numpy(c.prep, c.option, deltas) {
				of := "."
				if c.prep.each() {
					of = models[i].Name
				}
				closeTo(t, fmt.Sprintf("%+v: %s of %s", c.prep, name, of), taskVector(got[of][name], from[name]).RawMatrix().Data, want.RawMatrix().Data, 1e-7)
			}
		}
	}
	spec, deltas := products(t)
	for _, density := range []float64{0, 0.3, 1} {
		spec.Prepare.Density = density
		dir, _ := prepared(t, spec, ExportOptions{})
		for module := range deltas {
			for i, want := range numpy(spec.Prepare, density, deltas[module]) {
				got, _ := ranked(t, filepath.Join(dir, spec.Models[i].Name), module)
				var diff mat.Dense
				diff.Sub(got, want)
				if d, size := mat.Norm(&diff, 2), mat.Norm(deltas[module][i], 2); d > 1e-4*size {
					t.Errorf("knots with a density of %g: %s of %s differs by %g of %g", density, module, spec.Models[i].Name, d, size)
				}
			}
		}
	}
}

// layers is a base and two models of some matrices.
func layers(t testing.TB, n int) Spec {
	r := rand.New(rand.NewPCG(35, 1))
	root, m := t.TempDir(), model{"bias": drawn(r, safetensors.BF16, 1, 8)}
	for i := range n {
		m[fmt.Sprintf("layers.%d.weight", i)] = drawn(r, safetensors.BF16, 1, 12, 8)
	}
	spec := Spec{Base: m.write(t, filepath.Join(root, "base")), Method: "task_arithmetic", Prepare: Preparation{Name: PrepareTSV}}
	for _, name := range []string{"a", "b"} {
		tuned := model{}
		for _, k := range sortedKeys(m) {
			tuned[k] = near2(r, m[k], 0.3)
		}
		spec.Models = append(spec.Models, Source{name, tuned.write(t, filepath.Join(root, name))})
	}
	return spec
}

// Wherever a preparation is ended, there is nothing under its name; what is written stays only where matrices are; and the
// same call makes what it would have made in one go, without those that are there.
func TestPrepareGoesOn(t *testing.T) {
	spec := layers(t, 4)
	whole, want := prepared(t, spec, ExportOptions{Workers: 1})
	count := paralleltest.EndAfter(-1)
	p := plan(t, spec)
	_, err := p.Prepare(count, filepath.Join(t.TempDir(), "out"), ExportOptions{Workers: 1}, nil)
	must(t, err)
	kept := map[int]bool{}
	for n := 0; n < count.Looks(); n += max(1, count.Looks()/80) {
		dir := filepath.Join(t.TempDir(), "out")
		_, err := p.Prepare(paralleltest.EndAfter(n), dir, ExportOptions{Workers: 1}, nil)
		if !errors.Is(err, context.Canceled) {
			t.Fatalf("ended after %d looks: %v, want that it was ended", n, err)
		}
		entries, err2 := os.ReadDir(filepath.Dir(dir))
		must(t, err2)
		var u *Unfinished
		if !errors.As(err, &u) {
			if len(entries) > 0 {
				t.Errorf("ended after %d looks with no matrix written, it left %v", n, entries)
			}
			continue
		}
		kept[u.Done] = true
		if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
			t.Fatalf("ended after %d looks, there is a target: %v", n, err)
		}
		if u.Of != 4 || u.Folder != filepath.Join(filepath.Dir(dir), ".out.parfait-unfinished") {
			t.Errorf("it says %+v, want some of 4 matrices", u)
		}
		again := paralleltest.EndAfter(-1)
		_, err = p.Prepare(again, dir, ExportOptions{Workers: 1}, nil)
		must(t, err)
		if u.Done == 4 && again.Looks() > count.Looks() {
			t.Errorf("with all matrices there it looked %d times, and %d times without", again.Looks(), count.Looks())
		}
		for _, m := range spec.Models {
			sameBits(t, fmt.Sprintf("ended after %d looks, %s", n, m.Name), read(t, filepath.Join(dir, m.Name)), want[m.Name])
			a, err := ReadReceipt(filepath.Join(dir, m.Name))
			must(t, err)
			b, err := ReadReceipt(filepath.Join(whole, m.Name))
			must(t, err)
			for i := range a.Outputs {
				if a.Outputs[i] != b.Outputs[i] {
					t.Errorf("ended after %d looks, the receipt has %+v, want %+v", n, a.Outputs[i], b.Outputs[i])
				}
			}
			for i := range a.Inputs {
				if fmt.Sprint(a.Inputs[i]) != fmt.Sprint(b.Inputs[i]) {
					t.Errorf("ended after %d looks, the receipt has the input %+v, want %+v", n, a.Inputs[i], b.Inputs[i])
				}
			}
		}
		if left, _ := filepath.Glob(filepath.Join(filepath.Dir(dir), ".*")); len(left) > 0 {
			t.Errorf("%v was left beside it", left)
		}
	}
	for _, n := range []int{1, 2, 3, 4} {
		if !kept[n] {
			t.Errorf("it was never ended with %d matrices written, only with %v", n, kept)
		}
	}
}

// half is an unfinished preparation of which some matrices are written.
func half(t *testing.T, p *Plan, dir string) *Unfinished {
	t.Helper()
	for n := 10; ; n += 3 {
		_, err := p.Prepare(paralleltest.EndAfter(n), dir, ExportOptions{Workers: 1}, nil)
		var u *Unfinished
		if errors.As(err, &u) && u.Done >= 2 {
			return u
		}
		if err == nil {
			t.Fatal("it was never ended with two matrices written")
		}
	}
}

// What was torn or changed since it was written is written again, and what is of something else is not touched.
func TestPrepareTrustsNothing(t *testing.T) {
	spec := layers(t, 4)
	p := plan(t, spec)
	_, want := prepared(t, spec, ExportOptions{Workers: 1})
	damage := map[string]func(u *Unfinished) error{
		"a byte of a matrix": func(u *Unfinished) error {
			path := filepath.Join(u.Folder, "b", "model.safetensors")
			data, err := os.ReadFile(path)
			data[len(data)-300] ^= 1
			return errors.Join(err, os.WriteFile(path, data, 0o644))
		},
		"a whole file": func(u *Unfinished) error { return os.Remove(filepath.Join(u.Folder, "a", "model.safetensors")) },
		"a torn line": func(u *Unfinished) error {
			info, err := os.Stat(u.Folder + ".journal")
			return errors.Join(err, os.Truncate(u.Folder+".journal", info.Size()-5))
		},
		"the journal": func(u *Unfinished) error { return os.Remove(u.Folder + ".journal") },
		"the folder":  func(u *Unfinished) error { return os.RemoveAll(u.Folder) },
		"strangers": func(u *Unfinished) error {
			return os.WriteFile(filepath.Join(u.Folder, "a", "model-00001-of-00002.safetensors"), nil, 0o644)
		},
	}
	for what, do := range damage {
		dir := filepath.Join(t.TempDir(), "out")
		must(t, do(half(t, p, dir)))
		_, err := p.Prepare(t.Context(), dir, ExportOptions{Workers: 1}, nil)
		must(t, err)
		for _, m := range spec.Models {
			sameBits(t, what+", "+m.Name, read(t, filepath.Join(dir, m.Name)), want[m.Name])
			v, err := Verify(t.Context(), filepath.Join(dir, m.Name), VerifyOptions{}, nil)
			if err != nil || len(v.Problems) > 0 {
				t.Errorf("%s: %v %v", what, err, v.Problems)
			}
		}
	}
	dir := filepath.Join(t.TempDir(), "out")
	u := half(t, p, dir)
	other := spec
	other.Prepare.Rank = 0.4
	later := filepath.Join(spec.Models[0].Path, "model.safetensors")
	check := func(what string, s Spec) {
		t.Helper()
		_, err := plan(t, s).Prepare(t.Context(), dir, ExportOptions{}, nil)
		if !errors.Is(err, Problem{Code: codes.Exists}) || !strings.Contains(err.Error(), u.Folder) {
			t.Errorf("%s: %v, want that what is there is of something else", what, err)
		}
	}
	check("another rank", other)
	must(t, os.Chtimes(later, time.Now(), time.Now().Add(time.Hour)))
	check("a model that was changed", spec)
	_, err := p.Prepare(t.Context(), spec.Base, ExportOptions{}, nil)
	if !errors.Is(err, Problem{Code: codes.Exists}) {
		t.Errorf("to a folder that is there: %v, want a problem", err)
	}
}

// Two cannot write one target at once.
func TestPrepareHasOneWriter(t *testing.T) {
	spec := layers(t, 2)
	dir := filepath.Join(t.TempDir(), "out")
	p := plan(t, spec)
	met := 0
	_, err := p.Prepare(t.Context(), dir, ExportOptions{}, func(Progress) {
		if met++; met == 1 {
			_, err := p.Prepare(t.Context(), dir, ExportOptions{}, nil)
			if !errors.Is(err, Problem{Code: codes.Exists}) || !strings.Contains(err.Error(), "another process") {
				t.Errorf("while it is written: %v, want that somebody writes it", err)
			}
		}
	})
	if err != nil || met == 0 {
		t.Errorf("the first one: %v, after %d reports", err, met)
	}
}

func TestPrepareIsChecked(t *testing.T) {
	base, models := family(t, 36, safetensors.F32, 2)
	adapters, _ := products(t)
	r := rand.New(rand.NewPCG(37, 1))
	narrow := model{"model.layers.0.weight": drawn(r, safetensors.F32, 1, 13, 16)}.write(t, filepath.Join(t.TempDir(), "narrow"))
	flat := model{"x": drawn(r, safetensors.F32, 1, 5)}.write(t, filepath.Join(t.TempDir(), "flat"))
	tsv := Spec{Base: base, Models: models, Method: "task_arithmetic", Prepare: Preparation{Name: PrepareTSV}}
	with := func(change func(*Spec)) Spec {
		s := tsv
		change(&s)
		return s
	}
	for what, c := range map[string]struct {
		spec Spec
		code Code
		says string
	}{
		"an adapter for tsv":            {with(func(s *Spec) { s.Base, s.Models = adapters.Base, adapters.Models }), codes.Adapter, "knots"},
		"a full model for knots":        {with(func(s *Spec) { s.Prepare.Name, s.Form = PrepareKnots, FormAdapter }), codes.Adapter, "parfait extract"},
		"no base":                       {with(func(s *Spec) { s.Base = "" }), codes.NeedsBase, "base"},
		"other shapes":                  {with(func(s *Spec) { s.Models = append([]Source{{"n", narrow}}, models...) }), codes.Shape, "[13 16]"},
		"one model":                     {with(func(s *Spec) { s.Models = models[:1] }), codes.ModelCount, "at least two"},
		"no matrix":                     {with(func(s *Spec) { s.Base, s.Models = flat, []Source{{"a", flat}, {"b", flat}} }), codes.Option, "no tensor is a matrix"},
		"another method":                {with(func(s *Spec) { s.Method = "ties" }), codes.Option, "summed"},
		"groups":                        {with(func(s *Spec) { s.Groups = []Group{{"all", "*"}} }), codes.Option, "beside prepare"},
		"masks":                         {with(func(s *Spec) { s.Masks = MasksUnion }), codes.Option, "beside prepare"},
		"an unknown one":                {with(func(s *Spec) { s.Prepare.Name = "tvs" }), codes.Option, "tsv"},
		"a rank above all":              {with(func(s *Spec) { s.Prepare.Rank = 1.5 }), codes.Option, "up to 1"},
		"an option of another":          {with(func(s *Spec) { s.Prepare.Density = 0.5 }), codes.Option, "no such option"},
		"an option without a name":      {with(func(s *Spec) { s.Prepare = Preparation{Rank: 0.5} }), codes.Option, "no name"},
		"knots as full checkpoints":     {with(func(s *Spec) { s.Prepare.Name = PrepareKnots }), codes.Option, "form: adapter"},
		"a model that is not there":     {with(func(s *Spec) { s.Models = append([]Source{{"gone", base + "-gone"}}, models...) }), codes.Open, "gone"},
		"a rank that is no number":      {with(func(s *Spec) { s.Prepare.Rank = math.NaN() }), codes.Option, "NaN"},
		"an adapter among whole models": {with(func(s *Spec) { s.Models = append([]Source{{"l", adapters.Models[0].Path}}, models...) }), codes.Adapter, "l"},
	} {
		p, err := NewPlan(t.Context(), c.spec)
		if !errors.Is(err, Problem{Code: c.code}) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want a problem %q that says %q", what, err, c.code, c.says)
		}
		if p != nil && err == nil {
			must(t, p.Close())
		}
	}
}

// A recipe keeps what is prepared, in both of its forms.
func TestPrepareInARecipe(t *testing.T) {
	base, models := family(t, 38, safetensors.F32, 2)
	for _, prep := range []Preparation{{Name: PrepareTSV}, {Name: PrepareTSV, Rank: 0.25}, {Name: PrepareIsoC}, {Name: PrepareIsoCTS, Common: 0.7}, {Name: PrepareKnots, Density: 0.2}} {
		spec := Spec{Base: base, Models: models, Method: "task_arithmetic", Prepare: prep}
		if prep.Name == PrepareKnots {
			spec.Form = FormAdapter
		}
		r, err := NewRecipe("test", spec, map[string]float64{"a": 1, "b": 0.5})
		must(t, err)
		asJSON, err := r.JSON()
		must(t, err)
		for _, text := range [][]byte{r.YAML(), asJSON} {
			back, err := ParseRecipe("r.yaml", text)
			must(t, err)
			if back.Spec().Prepare != prep {
				t.Errorf("%s comes back as %+v, want %+v", text, back.Spec().Prepare, prep)
			}
		}
	}
	_, err := ParseRecipe("r.yaml", []byte("version: 1\nbase: b\nmodels: [{name: a, path: a, weight: 1}]\nmethod: {name: task_arithmetic}\nprepare: {name: tvs, rang: 1}\n"))
	if err == nil || !strings.Contains(err.Error(), "tvs") || !strings.Contains(err.Error(), "rang") {
		t.Errorf("an unknown preparation in a recipe: %v, want both problems", err)
	}
}

// What it takes grows as it should: with the models, and with the matrices.
func TestPreparationCost(t *testing.T) {
	cost := func(n int) Cost { return plan(t, layers(t, n)).PreparationCost(2) }
	two, four := cost(2), cost(4)
	if two.Matrices != 2 || four.Work != 2*two.Work || two.Read <= 0 || two.Memory <= 0 || four.Memory != two.Memory {
		t.Errorf("two matrices take %+v, four %+v", two, four)
	}
	spec, _ := products(t)
	if c := plan(t, spec).PreparationCost(2); c.Matrices != 4 || c.Work <= 0 || c.Read <= 0 {
		t.Errorf("adapters take %+v", c)
	}
	if s := two.String(); !strings.Contains(s, "2 matrices") || !strings.Contains(s, "memory") {
		t.Errorf("in words: %s", s)
	}
	if d := two.Duration(); d <= 0 || d > time.Minute {
		t.Errorf("it would take %v", d)
	}
}
