package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"

	"parfait/evaluator"
	"parfait/pareto"
	"parfait/search"
)

const (
	directEvaluations = 20000
	directPopulation  = 200
	surrogateStart    = 200 // evaluations spread over the region before the surrogates are asked
	surrogateRounds   = 4
	surrogateBatch    = 50
	archivedPoints    = 1500
)

// attain finds what a front of frontSize points can have: chosen on validation, from 20,000 direct
// evaluations by NSGA-III, from surrogates fitted to hundreds of evaluations on and off the front, and from
// the union of all; worth what they are on the test images.
func attain(ctx context.Context, t *truth, log io.Writer) error {
	problem := pareto.Problem{Bounds: t.space.Bounds(), M: t.n, Eval: func(dst, x []float64) {
		copy(dst, t.negated(x, evaluator.Validation))
	}}
	front, _, err := pareto.NSGA3(ctx, problem, pareto.NSGA3Options{
		Directions: pareto.Directions(t.n, directPopulation), Population: directPopulation,
		Generations: directEvaluations/directPopulation - 1, Seed: 1, Starts: t.anchors(),
	})
	if err != nil {
		return err
	}
	_, _ = fmt.Fprintf(log, "direct: %d evaluations, a front of %d\n", len(t.known[evaluator.Validation]), len(front))
	sets := map[string][][]float64{"direct": front, union: slices.Clone(front)}
	if err := t.aim(ctx, sets, rim, log); err != nil {
		return err
	}
	a := t.attainable(rim, sets, archivedPoints, log)
	a.Experts = t.n
	if err := store(t.archived("attainable"), a, log); err != nil {
		return err
	}
	for _, name := range []string{base, average} {
		if err := t.aim(ctx, sets, name, log); err != nil {
			return err
		}
	}
	return store(t.archived("wanted"), wanted{
		Experts: t.n, Base: t.attainable(base, sets, wantedPoints, log), Average: t.attainable(average, sets, wantedPoints, log), Wishes: t.wished(sets[union]),
	}, log)
}

// union is the set of all that is in the others, and of what was measured for them.
const union = "union"

// aim adds the fronts that surrogates predict above a reference to the sets.
func (t *truth) aim(ctx context.Context, sets map[string][][]float64, name string, log io.Writer) error {
	fronts, measured, err := t.surrogates(ctx, t.reference(name, evaluator.Validation), log)
	for i, f := range fronts {
		sets[fmt.Sprintf("surrogates from the %s, round %d", name, i)] = f
		sets[union] = append(sets[union], f...)
	}
	sets[union] = append(sets[union], measured...)
	return err
}

// store writes an archive.
func store(name string, a any, log io.Writer) error {
	b, err := json.Marshal(a)
	if err != nil {
		return err
	}
	path := filepath.Join("bench", "search", filepath.FromSlash(name))
	_, _ = fmt.Fprintln(log, path)
	return os.WriteFile(path, append(b, '\n'), 0o644)
}

// attainable is the most that frontSize points of any of the sets, one of which is their union, are truly worth from
// a reference when they are chosen on validation. So many points are archived.
func (t *truth) attainable(name string, sets map[string][][]float64, most int, log io.Writer) attainable {
	a := attainable{Reference: t.reference(name, evaluator.Test), By: map[string]float64{}}
	truths := t.all(sets[union], evaluator.Test)
	for _, i := range pareto.NonDominated(truths) {
		if covers(truths[i], a.Reference) {
			a.Points = append(a.Points, truths[i])
		}
	}
	if len(a.Points) > most {
		var kept [][]float64
		for _, i := range pareto.Subset(a.Points, most) {
			kept = append(kept, a.Points[i])
		}
		a.Points = kept
	}
	slices.SortFunc(a.Points, slices.Compare)
	j := probe(a.Points, a.Reference)
	for _, set := range slices.Sorted(maps.Keys(sets)) {
		seen := t.all(sets[set], evaluator.Validation)
		by := j
		if name != rim { // whose box, as wide as the anchors, is about the same on both splits
			by = chooser(seen, t.reference(name, evaluator.Validation))
		}
		var chosen [][]float64
		for _, i := range by.choose(seen, frontSize) {
			chosen = append(chosen, t.negated(sets[set][i], evaluator.Test))
		}
		a.By[set] = j.hypervolume(chosen)
		a.Best = math.Max(a.Best, a.By[set])
		_, _ = fmt.Fprintf(log, "%s, %s: %.5f\n", name, set, a.By[set])
	}
	_, _ = fmt.Fprintf(log, "%s: attainable %.5f of the box %.5f, %d points\n", name, a.Best, j.box, len(a.Points))
	return a
}

// surrogates returns the fronts that surrogates predict as they see more and more, and what was measured,
// looking for what lies above ref.
func (t *truth) surrogates(ctx context.Context, ref []float64, log io.Writer) (fronts [][][]float64, measured [][]float64, err error) {
	rng := rand.New(rand.NewPCG(3, 3))
	measured = t.anchors()
	for range surrogateStart {
		x := make([]float64, t.n)
		for i, c := range t.space.Coefficients {
			x[i] = t.shrink() * c.Hi * rng.Float64()
		}
		measured = append(measured, x)
	}
	for round := range surrogateRounds {
		t.all(measured, evaluator.Validation)
		var points []search.Point
		for _, x := range measured {
			points = append(points, t.point(x))
		}
		l, err := search.Fit(ctx, search.Question{Space: t.space, Tasks: t.tasks, Done: points})
		if err != nil {
			return nil, nil, err
		}
		front, err := l.FrontByVolume(ctx, 2*frontSize, ref)
		if err != nil {
			return nil, nil, err
		}
		_, _ = fmt.Fprintf(log, "surrogates, round %d: %d evaluations\n", round, len(points))
		fronts = append(fronts, front)
		for _, i := range rng.Perm(len(front))[:min(surrogateBatch, len(front))] {
			measured = append(measured, front[i])
		}
	}
	return fronts, measured, nil
}
