// Command prepare measures what preparing task vectors is worth on the networks that read handwritten digits: task
// arithmetic on models as they are, and on what parfait prepare makes of them, at the common weight that is best on the
// validation images, and at the best weights of their own that a search finds there; both measured on the test images too.
//
//	go run ./bench/prepare
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"

	"parfait/evaluator"
	"parfait/evaluator/digits"
	"parfait/merge"
)

func main() {
	tries := flag.Int("tries", 300, "merges that the search for weights of their own measures")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := measure(ctx, *tries)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// ways are what is made of the models before task arithmetic sums them up.
var ways = []struct {
	name    string
	prepare merge.Preparation
}{
	{"as they are", merge.Preparation{}},
	{"tsv, rank 1/N", merge.Preparation{Name: merge.PrepareTSV}},
	{"tsv, rank 1/2", merge.Preparation{Name: merge.PrepareTSV, Rank: 0.5}},
	{"tsv, whole rank", merge.Preparation{Name: merge.PrepareTSV, Rank: 1}},
	{"iso", merge.Preparation{Name: merge.PrepareIsoC}},
	{"iso --cts", merge.Preparation{Name: merge.PrepareIsoCTS}},
}

func measure(ctx context.Context, tries int) error {
	fmt.Println("| models | prepared | common weight | validation | test | weights of their own: validation | test |\n|---|---|---|---|---|---|---|")
	for _, n := range []int{2, 3, 4, 6} {
		dir, err := os.MkdirTemp("", "parfait-prepare-")
		if err != nil {
			return err
		}
		err = models(ctx, dir, n, tries)
		if err = errors.Join(err, os.RemoveAll(dir)); err != nil {
			return err
		}
	}
	return nil
}

// models measures every way for n models.
func models(ctx context.Context, dir string, n, tries int) error {
	made, err := digits.Write(ctx, filepath.Join(dir, "models"), n)
	if err != nil {
		return err
	}
	spec := merge.Spec{Base: made.Base, Method: "task_arithmetic", DType: merge.F32}
	for _, e := range made.Experts {
		spec.Models = append(spec.Models, merge.Source{Name: e.Name, Path: e.Path})
	}
	for i, way := range ways {
		of := spec
		if way.prepare.Name != "" {
			if of.Models, err = prepare(ctx, spec, way.prepare, filepath.Join(dir, fmt.Sprint("prepared-", i))); err != nil {
				return err
			}
		}
		w := &world{dir: filepath.Join(dir, "merges"), spec: of, tasks: digits.Tasks(n)}
		if err := w.report(ctx, fmt.Sprintf("| %d | %s |", n, way.name), tries); err != nil {
			return err
		}
	}
	return nil
}

// prepare writes what is prepared and says where it is.
func prepare(ctx context.Context, spec merge.Spec, p merge.Preparation, dir string) (out []merge.Source, err error) {
	spec.Prepare = p
	plan, err := merge.NewPlan(ctx, spec)
	if err != nil {
		return nil, err
	}
	made, err := plan.Prepare(ctx, dir, merge.ExportOptions{}, nil)
	for i, m := range made {
		out = append(out, merge.Source{Name: fmt.Sprint("m", i), Path: m.Target})
	}
	return out, errors.Join(err, plan.Close())
}

// world is merges of some models that are measured.
type world struct {
	dir   string
	spec  merge.Spec
	tasks []string
}

// report prints a line: the best common weight, and the best weights.
func (w *world) report(ctx context.Context, start string, tries int) error {
	k := len(w.spec.Models)
	var grid [][]float64
	for c := 1; c <= 80; c++ {
		grid = append(grid, repeated(float64(c)/20, k))
	}
	means, err := w.measure(ctx, grid, evaluator.Validation)
	if err != nil {
		return err
	}
	best := 0
	for i, m := range means {
		if m > means[best] {
			best = i
		}
	}
	own, found, err := w.search(ctx, grid[best], means[best], tries)
	if err != nil {
		return err
	}
	test, err := w.measure(ctx, [][]float64{grid[best], own}, evaluator.Test)
	if err == nil {
		fmt.Printf("%s %.2f | %.3f | %.3f | %.3f | %.3f |\n", start, grid[best][0], means[best], test[0], found, test[1])
	}
	return err
}

// search climbs from a point, with steps that become shorter, a batch at a time.
func (w *world) search(ctx context.Context, from []float64, value float64, tries int) ([]float64, float64, error) {
	if len(from) == 1 {
		return from, value, nil
	}
	const batch = 20
	r := rand.New(rand.NewPCG(1, 1))
	for done := 0; done < tries; done += batch {
		step := 0.4 * from[0] * (1 - float64(done)/float64(tries))
		list := make([][]float64, batch)
		for i := range list {
			list[i] = append([]float64(nil), from...)
			for e := range list[i] {
				list[i][e] += step * r.NormFloat64()
			}
		}
		means, err := w.measure(ctx, list, evaluator.Validation)
		if err != nil {
			return nil, 0, err
		}
		for i, m := range means {
			if m > value {
				from, value = list[i], m
			}
		}
	}
	return from, value, nil
}

func repeated(v float64, n int) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = v
	}
	return out
}

// measure is the mean accuracy over all tasks of the merges at some weights.
func (w *world) measure(ctx context.Context, points [][]float64, split evaluator.Split) ([]float64, error) {
	plan, err := merge.NewPlan(ctx, w.spec)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(w.dir, 0o755); err != nil {
		return nil, errors.Join(err, plan.Close())
	}
	var outs []merge.Output
	var batch []evaluator.Candidate
	for i, x := range points {
		at := map[string]float64{}
		for k, m := range w.spec.Models {
			at[m.Name] = x[k]
		}
		target := filepath.Join(w.dir, fmt.Sprint(i))
		outs = append(outs, merge.Output{At: at, Target: target})
		batch = append(batch, evaluator.Candidate{Key: fmt.Sprint(i), Attempt: 1, Tasks: w.tasks, Split: split, Model: func(context.Context, evaluator.Form) (evaluator.Lease, error) {
			return evaluator.Lease{Path: target}, nil
		}})
	}
	_, err = plan.Write(ctx, outs, merge.WriteOptions{}, nil)
	if err = errors.Join(err, plan.Close()); err != nil {
		return nil, err
	}
	means, measured := make([]float64, len(points)), 0
	err = digits.New(digits.Options{}).Submit(ctx, batch, func(e evaluator.Event) error {
		if e.State != evaluator.Done {
			return e.Err
		}
		var i int
		if _, err := fmt.Sscan(e.Key, &i); err != nil {
			return err
		}
		measured++
		for _, task := range w.tasks {
			means[i] += e.Metrics[task].Value / float64(len(w.tasks))
		}
		return nil
	})
	if err == nil && measured != len(points) {
		err = fmt.Errorf("%d of %d merges were measured", measured, len(points))
	}
	return means, errors.Join(err, os.RemoveAll(w.dir))
}
