package pareto

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"

	"parfait/parallel"
	"parfait/problem"
)

// NSGA3Options choose how NSGA-III runs; the zero value has the settings of Deb and Jain (2014).
type NSGA3Options struct {
	Directions  [][]float64 // reference directions: Directions(M, 100) where nil
	Population  int         // the number of directions, rounded up to a multiple of four, where 0
	Generations int         // 200 where 0
	Crossover   float64     // distribution index of simulated binary crossover, the larger the nearer to the parents: 30 where 0
	Mutation    float64     // distribution index of polynomial mutation, the larger the smaller: 20 where 0
	Seed        uint64
	Starts      [][]float64 // points of the first generation; they are moved into the bounds
	Workers     int         // goroutines that evaluate: GOMAXPROCS where 0; changes nothing but the time
}

// NSGA3 returns the non-dominated points xs of the last generation with their objectives fs, ordered by the first
// objective. It needs no derivatives and is good at escaping local fronts, but takes many more evaluations than
// Front and comes less near. It evaluates Population × (Generations + 1) points, O(population · (directions · M +
// log^(M−1))) a generation besides. Deterministic.
//
// Errors are a problem.List: BadProblem, BadOption, NotANumber where no objective could be evaluated; and ctx's.
//
// Deb and Jain, An evolutionary many-objective optimization algorithm using reference-point-based
// non-dominated sorting approach, part I, 2014.
func NSGA3(ctx context.Context, p Problem, o NSGA3Options) (xs, fs [][]float64, err error) {
	var e problem.List
	p.check(&e)
	if err := e.Err(); err != nil {
		return nil, nil, err
	}
	v, err := NewEvolution(p.Bounds, p.M, o)
	if err != nil {
		return nil, nil, err
	}
	generations := o.Generations
	if generations == 0 {
		generations = 200
	}
	for range generations + 1 {
		xs := v.Ask(v.size)
		fs := make([][]float64, len(xs))
		if err := parallel.For(ctx, o.Workers, len(xs), func(i int) {
			fs[i] = make([]float64, p.M)
			p.eval(fs[i], xs[i])
		}); err != nil {
			return nil, nil, err
		}
		v.Tell(xs, fs)
	}
	all, values := v.Population()
	if len(all) == 0 {
		e.Add(NotANumber, "none of the points of %d generations has finite numbers as objectives: look at what the problem returns", generations+1)
		return nil, nil, e
	}
	keep := NonDominated(values)
	slices.SortFunc(keep, func(a, b int) int { return slices.Compare(values[a], values[b]) })
	for _, i := range keep {
		xs, fs = append(xs, all[i]), append(fs, values[i])
	}
	return xs, fs, nil
}

// Evolution is NSGA-III for callers who evaluate points themselves: Ask for points, Tell what came of them, in any
// order and number. Not safe for concurrent use.
type Evolution struct {
	b          Bounds
	dom        *domain
	m, size    int
	crossover  float64
	mutation   float64
	directions [][]float64
	starts     [][]float64
	rng        *rand.Rand
	xs, fs     [][]float64
	normalization
}

// NewEvolution starts an evolution of m objectives within the bounds; Generations and Workers of the
// options do not matter. A problem.List with BadProblem or BadOption.
func NewEvolution(b Bounds, m int, o NSGA3Options) (*Evolution, error) {
	var e problem.List
	b.check(&e)
	if m < 1 {
		e.Add(BadProblem, "%d objectives: expected at least one", m)
	}
	for i, r := range o.Directions {
		if len(r) != m || !finite(r) || slices.Min(r) < 0 || slices.Max(r) == 0 {
			e.Add(BadOption, "direction %d is %v: expected %d numbers, none negative and not all zero", i, r, m)
		}
	}
	b.checkStarts(&e, o.Starts)
	if o.Population < 0 || o.Generations < 0 || o.Crossover < 0 || o.Mutation < 0 {
		e.Add(BadOption, "population %d, generations %d, crossover %g, mutation %g: expected none below zero", o.Population, o.Generations, o.Crossover, o.Mutation)
	}
	if err := e.Err(); err != nil {
		return nil, err
	}
	v := &Evolution{
		b: b, dom: b.unit(), m: m, size: o.Population, crossover: o.Crossover, mutation: o.Mutation,
		rng: rand.New(rand.NewPCG(o.Seed, 0x6e7367613349)), normalization: newNormalization(m),
	}
	directions := o.Directions
	if directions == nil {
		directions = Directions(m, 100)
	}
	for _, r := range directions {
		unit, length := slices.Clone(r), math.Sqrt(dot(r, r))
		for k := range unit {
			unit[k] /= length
		}
		v.directions = append(v.directions, unit)
	}
	for _, x := range o.Starts {
		x = slices.Clone(x)
		b.Project(x)
		v.starts = append(v.starts, x)
	}
	if v.size == 0 {
		v.size = (len(v.directions) + 3) / 4 * 4
	}
	if v.crossover == 0 {
		v.crossover = 30
	}
	if v.mutation == 0 {
		v.mutation = 20
	}
	return v, nil
}

// Population returns the points that survive, with their objectives; NonDominated tells which of them are the
// front.
func (v *Evolution) Population() (xs, fs [][]float64) { return slices.Clone(v.xs), slices.Clone(v.fs) }

// Ask returns n points to evaluate: a Latin hypercube (after the starts) before anything was told,
// offspring of the population after. No point of one Ask is equal to another or to the population, unless
// the bounds leave no room.
func (v *Evolution) Ask(n int) [][]float64 {
	if n <= 0 {
		return nil
	}
	var out [][]float64
	if len(v.xs) < 2 {
		out = append(out, v.starts[:min(n, len(v.starts))]...)
		v.starts = v.starts[len(out):]
		for _, u := range v.dom.latinHypercube(n-len(out), v.rng) {
			x := make([]float64, len(u))
			v.dom.fromUnit(x, u)
			out = append(out, x)
		}
		return out
	}
	var parents []int
	for tries := 0; len(out) < n; tries++ {
		if len(parents) < 2 {
			parents = append(parents, v.rng.Perm(len(v.xs))...)
		}
		for _, x := range v.mate(v.xs[parents[0]], v.xs[parents[1]]) {
			same := func(y []float64) bool { return slices.Equal(x, y) }
			if len(out) < n && (tries > 100*n || !slices.ContainsFunc(v.xs, same) && !slices.ContainsFunc(out, same)) {
				out = append(out, x)
			}
		}
		parents = parents[2:]
	}
	return out
}

// Tell enters evaluated points, whether asked for or not, and keeps the best of them and the population.
// Rows whose objectives are not m finite numbers are left out.
func (v *Evolution) Tell(xs, fs [][]float64) {
	for i := range min(len(xs), len(fs)) {
		if len(fs[i]) == v.m && finite(fs[i]) && len(xs[i]) == len(v.b.Lo) {
			v.xs, v.fs = append(v.xs, slices.Clone(xs[i])), append(v.fs, slices.Clone(fs[i]))
		}
	}
	if len(v.xs) == 0 {
		return
	}
	keep := v.survivors()
	xs, fs = make([][]float64, len(keep)), make([][]float64, len(keep))
	for i, k := range keep {
		xs[i], fs[i] = v.xs[k], v.fs[k]
	}
	v.xs, v.fs = xs, fs
}
