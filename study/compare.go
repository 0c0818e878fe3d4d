package study

import (
	"context"
	"math"

	"parfait/pareto"
)

// Comparison is how several studies of the same tasks stand against each other. Rows of objectives are on the
// metrics' scales, in the order of Tasks.
type Comparison struct {
	Tasks    []Task       // those that are optimised, as the first study has them
	Studies  []Contestant // in the order in which they were given
	Ideal    []float64    // the best that any has measured
	Ref      []float64    // the worst anchor of all less a tenth of their range: where hypervolume is counted from
	Front    int          // points of the front of all measurements
	Fronts   Standing     // of the hypervolumes of what is true of the trials, shares of the box
	On       []Standing   // a task: of the best that is true of a trial, on the metric's scale
	Groups   []Group      // of studies that differ in nothing but the seed
	Seeds    []SeedTest   // of every two groups, of which one has several runs
	Surfaces []Surface    // of three studies and more: attained by one, by half of them, by all
	Differ   []string     // what was asked for differently: method, strategy, seed
	Notes    []string     // what keeps the comparison from being one of like with like
}

// Contestant is one of the studies that are compared. Figures are shares of the box between Ideal and Ref, or of
// its sides.
type Contestant struct {
	Name     string // its own, with as much of its path as it takes to tell it from the others
	Snapshot *Snapshot
	Trials   int               // of which every task was measured
	Measured pareto.Indicators // of the front of its trials, against the front of all
	Early    float64           // hypervolume of as many of its first trials as the study with the fewest has
	// Predicted is the hypervolume of the predicted front.
	Predicted float64
	Best      []Best  // a task
	Noise     []Noise // a task
}

// Noise is what is known of the noise of a task's measurements, over the trials that are compared.
type Noise struct {
	Least, Most int  // items of a measurement; Least 0: not known of some
	Known       bool // whether the standard error of every one is
}

// Best is the best measurement of a task, with its standard error as far as it is known.
type Best struct {
	Metric
	Trial int // its id
}

// Surface is what a number of the studies attain.
type Surface struct {
	Level  int         // how many of them, at least
	Points [][]float64 // the corners
	Volume float64
}

// Compare compares studies that optimise the same tasks, each with its analysis. Otherwise an *Error says all that
// differs.
func Compare(ctx context.Context, snaps []*Snapshot) (*Comparison, error) {
	if err := sameTasks(snaps); err != nil {
		return nil, err
	}
	c := &Comparison{}
	first := snaps[0].Analysis
	for _, t := range first.Objectives {
		c.Tasks = append(c.Tasks, first.Tasks[t])
	}
	names := distinctNames(snaps)
	all := make([]contest, len(snaps))
	for i, s := range snaps {
		all[i] = c.enter(s.Analysis)
		c.Studies = append(c.Studies, Contestant{Name: names[i], Snapshot: s, Trials: len(all[i].costs), Noise: all[i].noise(c.Tasks), Best: all[i].best(c.Tasks)})
	}
	box := boxOf(all)
	c.Ideal, c.Ref = c.metrics(box.Ideal), c.metrics(box.Ref)
	if err := c.stand(ctx, box, all); err != nil {
		return nil, err
	}
	if err := c.draw(ctx, box, all); err != nil {
		return nil, err
	}
	c.group()
	if err := c.attain(ctx, box, all); err != nil {
		return nil, err
	}
	c.Differ, c.Notes = c.asked(), append(c.notes(), c.repeated(all)...)
	return c, nil
}

// contest is what of one study is compared: costs in the order of Comparison.Tasks.
type contest struct {
	a        *Analysis
	fits     []Fit
	costs    [][]float64 // of the trials of which every task was measured
	stderrs  [][]float64
	trials   []int // their indices in Analysis.Trials
	front    []int // which of them are on the measured front
	anchors  []int // which of them are the base, a model alone, or the average of all
	forecast [][]float64
}

func (c *Comparison) enter(a *Analysis) contest {
	in := contest{a: a}
	at := make([]int, len(c.Tasks)) // in the analysis' objectives
	for k, task := range c.Tasks {
		for o, t := range a.Objectives {
			if a.Tasks[t].Name == task.Name {
				at[k] = o
				in.fits = append(in.fits, a.Fits[t])
			}
		}
	}
	ordered := func(costs []float64) []float64 {
		out := make([]float64, len(at))
		for k, o := range at {
			out[k] = costs[o]
		}
		return out
	}
	costs, trials := a.measuredCosts()
	in.trials = trials
	for i, row := range costs {
		in.costs = append(in.costs, ordered(row))
		stderrs := make([]float64, len(at))
		for k, o := range at {
			t := a.Tasks[a.Objectives[o]]
			stderrs[k], _ = t.Stderr(a.Trials[trials[i]].Metrics[t.Name])
		}
		in.stderrs = append(in.stderrs, stderrs)
		for _, r := range a.References {
			if r.Trial == trials[i] {
				in.anchors = append(in.anchors, i)
			}
		}
	}
	in.front = pareto.NonDominated(in.costs)
	for _, p := range a.Front {
		in.forecast = append(in.forecast, ordered(a.costs(func(t int) float64 { return p.Predicted[t].Value })))
	}
	return in
}

// noise is what is known of the tasks' noise.
func (in contest) noise(tasks []Task) []Noise {
	out := make([]Noise, len(tasks))
	for k, task := range tasks {
		out[k] = Noise{Least: math.MaxInt, Known: true}
		for i, row := range in.stderrs {
			n := in.a.Trials[in.trials[i]].Metrics[task.Name].N
			out[k].Least, out[k].Most = min(out[k].Least, n), max(out[k].Most, n)
			out[k].Known = out[k].Known && row[k] > 0
		}
	}
	return out
}

// best are the best measurements, a task each.
func (in contest) best(tasks []Task) []Best {
	out := make([]Best, len(tasks))
	for k, task := range tasks {
		top := 0
		for i, row := range in.costs {
			if row[k] < in.costs[top][k] {
				top = i
			}
		}
		t := in.a.Trials[in.trials[top]]
		m := t.Metrics[task.Name]
		m.Stderr = in.stderrs[top][k]
		out[k] = Best{Metric: m, Trial: t.ID}
	}
	return out
}

// boxOf spans the best of all measurements and, for every task, the worst anchor less a tenth of the anchors'
// range, as the searches count: what is worse than every model is worth nothing. Where no anchors were measured
// that differ, all measurements count.
func boxOf(all []contest) pareto.Box {
	m := len(all[0].costs[0])
	box := pareto.Box{Ideal: make([]float64, m), Ref: make([]float64, m)}
	for k := range m {
		span := func(anchors bool) (lo, hi float64) {
			lo, hi = math.Inf(1), math.Inf(-1)
			for _, in := range all {
				if anchors {
					for _, i := range in.anchors {
						lo, hi = min(lo, in.costs[i][k]), max(hi, in.costs[i][k])
					}
					continue
				}
				for _, row := range in.costs {
					lo, hi = min(lo, row[k]), max(hi, row[k])
				}
			}
			return lo, hi
		}
		best, worst := span(false)
		lo, hi := span(true)
		if !(hi > lo) {
			lo, hi = best, worst
		}
		box.Ideal[k], box.Ref[k] = best, pareto.Reference(lo, hi)
	}
	return box
}

// metrics turns costs into values on the metrics' scales.
func (c *Comparison) metrics(costs []float64) []float64 {
	out := make([]float64, len(costs))
	for k, v := range costs {
		if out[k] = v; c.Tasks[k].Sense == Maximize {
			out[k] = -v
		}
	}
	return out
}

// rows picks rows by their indices.
func rows(of [][]float64, at []int) [][]float64 {
	out := make([][]float64, len(at))
	for k, i := range at {
		out[k] = of[i]
	}
	return out
}

// fronts are the measured fronts of all.
func fronts(all []contest) [][][]float64 {
	out := make([][][]float64, len(all))
	for i, in := range all {
		out[i] = rows(in.costs, in.front)
	}
	return out
}

// stand fills in how each study stands.
func (c *Comparison) stand(ctx context.Context, box pareto.Box, all []contest) error {
	indicators, front, err := box.Compare(ctx, fronts(all))
	if err != nil {
		return err
	}
	fewest := c.fewest()
	c.Front = front
	for i, in := range all {
		s := &c.Studies[i]
		s.Measured, s.Early = indicators[i], indicators[i].Volume
		s.Predicted, err = box.Volume(ctx, in.forecast)
		if err == nil && fewest < len(in.costs) {
			s.Early, err = box.Volume(ctx, in.costs[:fewest])
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// maxSurface bounds the points of the fronts to the power of the objectives but one, which is about what
// attainment surfaces cost: some ten seconds.
const maxSurface = 5e7

// attain finds the attainment surfaces, where there are any and they do not take too long.
func (c *Comparison) attain(ctx context.Context, box pareto.Box, all []contest) error {
	n, points := len(all), 0
	for _, in := range all {
		points += len(in.front)
	}
	if n < 3 || math.Pow(float64(points), float64(len(c.Tasks)-1)) > maxSurface {
		return nil
	}
	for _, level := range []int{1, (n + 1) / 2, n} {
		corners, err := pareto.Attainment(ctx, fronts(all), level)
		if err != nil {
			return err
		}
		volume, err := box.Volume(ctx, corners)
		if err != nil {
			return err
		}
		s := Surface{Level: level, Volume: volume, Points: [][]float64{}}
		for _, p := range corners {
			s.Points = append(s.Points, c.metrics(p))
		}
		c.Surfaces = append(c.Surfaces, s)
	}
	return nil
}
