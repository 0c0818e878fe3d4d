package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
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
	surrogateStart    = 300 // evaluations spread over the region before the surrogates are asked
	surrogateRounds   = 6
	surrogateBatch    = 50
	archivedPoints    = 1500
)

// attain finds what a front of frontSize points can have: chosen on validation, from 20,000 direct
// evaluations by NSGA-III, from surrogates fitted to hundreds of evaluations on and off the front, and from
// the union of all; worth what they are on the test images.
func attain(ctx context.Context, t *truth, log io.Writer) error {
	var xs [][]float64
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
	sets := map[string][][]float64{"direct": front}
	xs = append(xs, front...)

	fronts, measured, err := t.surrogates(ctx, log)
	if err != nil {
		return err
	}
	for i, f := range fronts {
		sets[fmt.Sprintf("surrogates, round %d", i)] = f
		xs = append(xs, f...)
	}
	xs = append(xs, measured...)
	sets["union"] = xs

	a := attainable{Experts: t.n, Reference: t.reference(evaluator.Test), By: map[string]float64{}}
	truths := t.all(xs, evaluator.Test)
	for _, i := range pareto.NonDominated(truths) {
		if covers(truths[i], a.Reference) {
			a.Points = append(a.Points, truths[i])
		}
	}
	if len(a.Points) > archivedPoints {
		var kept [][]float64
		for _, i := range pareto.Subset(a.Points, archivedPoints) {
			kept = append(kept, a.Points[i])
		}
		a.Points = kept
	}
	slices.SortFunc(a.Points, slices.Compare)
	j := probe(a.Points, a.Reference)
	for name, set := range sets {
		seen := t.all(set, evaluator.Validation)
		var chosen [][]float64
		for _, i := range j.choose(seen, frontSize) {
			chosen = append(chosen, t.negated(set[i], evaluator.Test))
		}
		a.By[name] = j.hypervolume(chosen)
		a.Best = math.Max(a.Best, a.By[name])
		_, _ = fmt.Fprintf(log, "%s: %.5f\n", name, a.By[name])
	}
	b, err := json.Marshal(a)
	if err != nil {
		return err
	}
	path := filepath.Join("bench", "search", filepath.FromSlash(archiveName(t.n)))
	_, _ = fmt.Fprintf(log, "attainable %.5f of the box %.5f, %d points: %s\n", a.Best, j.box, len(a.Points), path)
	return os.WriteFile(path, append(b, '\n'), 0o644)
}

// surrogates returns the fronts that surrogates predict as they see more and more, and what was measured.
func (t *truth) surrogates(ctx context.Context, log io.Writer) (fronts [][][]float64, measured [][]float64, err error) {
	rng := rand.New(rand.NewPCG(3, 3))
	measured = t.anchors()
	for range surrogateStart {
		x := make([]float64, t.n)
		for i, c := range t.space.Coefficients {
			x[i] = t.shrink() * c.Hi * rng.Float64()
		}
		measured = append(measured, x)
	}
	ref := t.reference(evaluator.Validation)
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
