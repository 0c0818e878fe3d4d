package main

import (
	"context"
	"fmt"
	"math"
	"slices"

	"parfait/evaluator"
	"parfait/pareto"
	"parfait/study"
)

// verdict is how often a sentence was said of cases of which the truth is known.
type verdict struct {
	Sentence string  `json:"sentence"`
	Of       string  `json:"of"`      // which cases
	Wanted   string  `json:"wanted"`  // the rate that it should have, in words
	Nominal  float64 `json:"nominal"` // and as a number; 1 where none is wanted
	Cases    int     `json:"cases"`   // looked at
	Said     int     `json:"said"`    // of them
	Rate     float64 `json:"rate"`    // Said / Cases
	Error    float64 `json:"stderr"`  // of Rate, taking cases as independent
	Missed   bool    `json:"missed"`  // Rate is beyond what was wanted
	atLeast  bool    // it is the least
}

// none is the bound of a rate that is only told.
const none = 1

// tally collects verdicts in the order in which they are first met.
type tally struct {
	all []*verdict
}

// count adds cases of which a sentence is wanted at most (or, with atLeast, at least) that often.
func (t *tally) count(sentence, of string, bound float64, atLeast bool, cases, said int) {
	i := slices.IndexFunc(t.all, func(v *verdict) bool { return v.Sentence == sentence && v.Of == of })
	if i < 0 {
		i = len(t.all)
		wanted := fmt.Sprintf("≤ %.3g", bound)
		switch {
		case atLeast && bound == 0, bound == none:
			wanted = "–"
		case atLeast:
			wanted = fmt.Sprintf("≥ %.3g", bound)
		}
		t.all = append(t.all, &verdict{Sentence: sentence, Of: of, Wanted: wanted, Nominal: bound, atLeast: atLeast})
	}
	v := t.all[i]
	v.Cases, v.Said = v.Cases+cases, v.Said+said
}

func (t *tally) finish() {
	for _, v := range t.all {
		n := float64(max(v.Cases, 1))
		v.Rate = float64(v.Said) / n
		v.Error = math.Sqrt(v.Rate * (1 - v.Rate) / n)
		v.Missed = !v.atLeast && v.Rate > v.Nominal || v.atLeast && v.Rate < v.Nominal
	}
}

func one(b bool) int {
	if b {
		return 1
	}
	return 0
}

// judge counts the sentences about one study.
func (t *tally) judge(ctx context.Context, w world, of string, snap *study.Snapshot) error {
	a := snap.Analysis
	t.predictions(w, of, a)
	t.flags(w, of, a)
	t.constant(w, of, a)
	t.exports(w, of, a)
	t.pairs(w, of, a)
	t.measuredPairs(w, of, a)
	if w.tasks < 2 {
		return nil
	}
	t.nondominated(w, of, a)
	return t.floors(ctx, w, of, a)
}

// scale carries a value to where it is fitted.
func (w world) scale(v float64) float64 {
	if w.loss {
		return math.Log(v)
	}
	v = min(max(v, 1e-4), 1-1e-4)
	return math.Log(v / (1 - v))
}

// predictions counts what intervals hold on the front.
func (t *tally) predictions(w world, of string, a *study.Analysis) {
	truth, here, next, cases := 0, 0, 0, 0
	for i := 0; i < len(a.Front); i += 5 {
		p := a.Front[i]
		again := w.again("again")
		for k := range w.tasks {
			in := func(v float64) int { return one(p.Predicted[k].Lo <= v && v <= p.Predicted[k].Hi) }
			others := 1.645 * w.stderr(k, p.X)
			value := p.Predicted[k].Value
			lo, hi := value-math.Hypot(value-p.Predicted[k].Lo, others), value+math.Hypot(p.Predicted[k].Hi-value, others)
			truth += one(lo <= w.rate(k, p.X) && w.rate(k, p.X) <= hi)
			here += in(w.here(k, p.X))
			next += in(again.next(k, p.X))
			cases++
		}
	}
	t.count("the true rate on these items is outside its 90 % interval", of, 0.1, false, cases, cases-here)
	t.count("the true rate on all items is outside that and the luck of as many items", of, 0.1, false, cases, cases-truth)
	t.count("the next measurement is outside its 90 % interval", of, 0.1, false, cases, cases-next)
}

// flags counts tasks that are flagged though the truth on these items is predicted well: on the front, against the
// variance of the truth over the trials; and those of which nothing is said, though it is predicted badly. That it is
// limited by noise is something.
func (t *tally) flags(w world, of string, a *study.Analysis) {
	for k := range w.tasks {
		var sum, square float64
		for _, tr := range a.Trials {
			v := w.scale(w.here(k, tr.X))
			sum, square = sum+v, square+v*v
		}
		n := float64(len(a.Trials))
		variance := square/n - sum/n*sum/n
		off := 0.0
		for _, p := range a.Front {
			e := w.scale(p.Predicted[k].Value) - w.scale(w.here(k, p.X))
			off += e * e / float64(len(a.Front))
		}
		trust := a.Fits[k].Trust
		if good := off < 0.1*variance; good {
			t.count("flagged, though it is predicted well", of, 0.05, false, 1, one(trust.Flagged))
		} else {
			t.count("neither flagged nor limited by noise, though it is predicted badly", of, 0.2, false, 1, one(!trust.Flagged && !trust.NoiseLimited))
		}
		t.count("a task is limited by noise", of, none, false, 1, one(trust.NoiseLimited))
	}
}

// exports counts what is said when points of the front are measured.
func (t *tally) exports(w world, of string, a *study.Analysis) {
	tasks := a.Tasks
	for i := 0; i < len(a.Front); i += 15 {
		p := a.Front[i]
		predicted := map[string]study.Prediction{}
		for k, task := range tasks {
			predicted[task.Name] = p.Predicted[k]
		}
		for draw := range 3 {
			again := w.again(fmt.Sprint("again", draw))
			measured := map[evaluator.Split]map[string]study.Metric{}
			for _, split := range []evaluator.Split{evaluator.Validation, evaluator.Test} {
				measured[split] = map[string]study.Metric{}
				for k, task := range tasks {
					measured[split][task.Name] = again.measured(k, p.X, split)
				}
			}
			missed := study.NotAsPredicted(tasks, predicted, measured)
			t.count("an export is not as predicted, though it is", of, 0.02, false, 1, one(len(missed) > 0))
			which := draw % len(tasks)
			step := 4 * w.stderr(which, p.X)
			off := tasks[which].Name
			for _, split := range []evaluator.Split{evaluator.Validation, evaluator.Test} {
				m := measured[split][off]
				was := m
				switch {
				case w.loss:
					m.Value += step
				case m.Value < step:
					continue
				default:
					m.Value = math.Round((m.Value-step)*float64(m.N)) / float64(m.N)
				}
				measured[split][off] = m
				t.count("a task is off by four standard errors on "+string(split)+", and not as predicted", of, map[evaluator.Split]float64{evaluator.Validation: 0.6}[split], true, 1, one(slices.Contains(study.NotAsPredicted(tasks, predicted, measured)[split], off)))
				measured[split][off] = was
			}
		}
	}
}

// run is a study that was played.
type run struct {
	w    world
	snap *study.Snapshot
}

// claims are how often it is said of several studies that one is better, and how often that is not true of their trials.
type claims struct{ said, wrong int }

// compared is what parfait compare says of runs.
func compared(ctx context.Context, runs ...run) (*study.Comparison, error) {
	var snaps []*study.Snapshot
	for i, r := range runs {
		s := *r.snap
		s.Name, s.Dir = fmt.Sprint(i), fmt.Sprint("/", i)
		snaps = append(snaps, &s)
	}
	return study.Compare(ctx, snaps)
}

// compare counts the claims about the front, of which there is one at most, and about tasks.
func compare(ctx context.Context, runs ...run) (front, tasks claims, leaders []int, err error) {
	c, err := compared(ctx, runs...)
	if err != nil {
		return front, tasks, nil, err
	}
	volumes, best := make([]float64, len(runs)), make([][]float64, len(c.Tasks))
	w := runs[0].w
	box := pareto.Box{Ideal: w.costs(c.Ideal), Ref: w.costs(c.Ref)}
	for i, r := range runs {
		var costs [][]float64
		for _, t := range r.snap.Analysis.Trials {
			row := make([]float64, len(c.Tasks))
			for k := range row {
				row[k] = r.w.rate(k, t.X)
			}
			costs = append(costs, r.w.costs(row))
		}
		if volumes[i], err = box.Volume(ctx, costs); err != nil {
			return front, tasks, nil, err
		}
		for k := range best {
			top := math.Inf(-1)
			for _, row := range costs {
				top = max(top, -row[k])
			}
			best[k] = append(best[k], top)
		}
	}
	judge := func(into *claims, s study.Standing, truth []float64) {
		if len(s.Leaders) == len(runs) {
			return
		}
		into.said++
		for i := range runs {
			if !slices.Contains(s.Leaders, i) && truth[i] >= truth[s.Order[0]] {
				into.wrong++
				return
			}
		}
	}
	judge(&front, c.Fronts, volumes)
	for k, s := range c.On {
		judge(&tasks, s, best[k])
	}
	return front, tasks, c.Fronts.Leaders, nil
}

// costs are what is minimised of the values of all tasks.
func (w world) costs(v []float64) []float64 {
	out := slices.Clone(v)
	for i := range v {
		if !w.loss {
			out[i] = -v[i]
		}
	}
	return out
}
