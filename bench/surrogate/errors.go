package main

import (
	"context"
	"errors"
	"math"
	"slices"

	"parfait/parallel"
	"parfait/surrogate"
)

// contender fits all tasks of a landscape.
type contender struct {
	name   string
	doc    string
	link   surrogate.Link
	choice surrogate.Choice
	alone  bool // each task by itself
}

// contenders, the program's own first. Each is fitted through the logit but for ols.
var contenders = []contender{
	{"gp", "what the program uses: Gaussian processes, scales shared between tasks, or the quadratic where that is clearly better", surrogate.Logit, surrogate.Choice{}, false},
	{"gp-alone", "a Gaussian process a task, nothing shared", surrogate.Logit, surrogate.Choice{Kind: surrogate.KindGP}, true},
	{"ridge", "the quadratic with a hierarchical ridge", surrogate.Logit, surrogate.Choice{Kind: surrogate.KindQuadratic}, false},
	{"ols", "a quadratic by plain least squares on the accuracy itself", surrogate.Identity, surrogate.Choice{Kind: surrogate.KindQuadratic, Plain: true, FromZero: true}, false},
	{"map", "MAP's published recipe: least squares through a sigmoid, started from ones", surrogate.Logit, surrogate.Choice{Kind: surrogate.KindQuadratic, Plain: true}, false},
	{"map-zero", "the same, started from zero", surrogate.Logit, surrogate.Choice{Kind: surrogate.KindQuadratic, Plain: true, FromZero: true}, false},
}

// fit fits all tasks.
func (c contender) fit(ctx context.Context, data []surrogate.Data) []surrogate.Result {
	if !c.alone {
		return surrogate.Fit(ctx, data, c.choice)
	}
	var out []surrogate.Result
	for i := range data {
		out = append(out, surrogate.Fit(ctx, data[i:i+1], c.choice)...)
	}
	return out
}

// failures are the errors of fits, joined.
func failures(fits []surrogate.Result) error {
	var errs []error
	for _, f := range fits {
		errs = append(errs, f.Err)
	}
	return errors.Join(errs...)
}

// row is how one contender did with n measurements: medians over seeds.
type row struct {
	Experts  int                `json:"experts"`
	Fitter   string             `json:"fitter"`
	N        int                `json:"n"`
	Items    int                `json:"n_eval"`   // drawn anew a measurement; 0: all, no noise
	RMSE     map[string]float64 `json:"rmse"`     // a test set: mean over tasks, on the accuracy's scale
	Q25      map[string]float64 `json:"q25"`      // its quartiles over seeds
	Q75      map[string]float64 `json:"q75"`      //
	Coverage map[string]float64 `json:"coverage"` // a test set: share of true values in their 90 % interval
}

// reliability is what became of fits, by whether their worst task's Q² reached .90.
type reliability struct {
	Place   string  `json:"place"`
	Fits    int     `json:"fits"`            // with 15 measurements or more
	Reached int     `json:"reached"`         // worst-task Q² of .90 or more
	Good    float64 `json:"truly_good"`      // of these, the share whose worst task has a held-out R² of goodR2 or more
	Bad     float64 `json:"bad_of_the_rest"` // of the others, the share below
	GoodR2  float64 `json:"r2"`
}

// goodR2 is what a fit must reach at a test set on its worst task, on the logit's scale, to be truly good there.
const goodR2 = 0.8

// fitErrors are those of one fit of all tasks.
type fitErrors struct {
	rmse, coverage, r2 map[string]float64 // a test set; r2 of the worst task there
	q2                 float64            // of the worst task
}

// evaluate fits c to the first n points of a design and compares it with the truth.
func (l *landscape) evaluate(ctx context.Context, c contender, xs [][]float64, items int, seed uint64) (fitErrors, error) {
	data := l.data(xs, items, seed)
	for i := range data {
		data[i].Link = c.link
	}
	fits := c.fit(ctx, data)
	if err := failures(fits); err != nil {
		return fitErrors{}, err
	}
	t := fitErrors{rmse: map[string]float64{}, coverage: map[string]float64{}, r2: map[string]float64{}, q2: 1}
	for task, fit := range fits {
		t.q2 = min(t.q2, fit.Trust.Q2)
		for _, p := range l.testSets {
			rmse, inside := 0.0, 0.0
			var truth, off []float64
			for i, x := range p.xs {
				y := p.ys[i][task]
				m, _ := fit.Surrogate.Predict(x)
				lo, hi := fit.Surrogate.Interval(x, 0.9)
				rmse += (m - y) * (m - y)
				if lo <= y && y <= hi {
					inside++
				}
				truth, off = append(truth, logit(y)), append(off, logit(m)-logit(y))
			}
			n := float64(len(p.xs))
			t.rmse[p.name] += math.Sqrt(rmse/n) / float64(l.n)
			t.coverage[p.name] += inside / n / float64(l.n)
			r2 := 1 - squares(off)/(squares(truth)-n*math.Pow(mean(truth), 2))
			if worst, ok := t.r2[p.name]; !ok || r2 < worst {
				t.r2[p.name] = r2
			}
		}
	}
	return t, nil
}

// logit is the empirical one of an accuracy on all images.
func logit(p float64) float64 {
	return math.Log((p*images + 0.5) / (images - p*images + 0.5))
}

func mean(v []float64) float64 {
	sum := 0.0
	for _, a := range v {
		sum += a
	}
	return sum / float64(len(v))
}

func squares(v []float64) float64 {
	sum := 0.0
	for _, a := range v {
		sum += a * a
	}
	return sum
}

// measure tries c on as many designs of n points as there are seeds, two at a time.
func (l *landscape) measure(ctx context.Context, c contender, designs [][][]float64, n, items int) (row, []fitErrors, error) {
	trials, errs := make([]fitErrors, len(designs)), make([]error, len(designs))
	err := parallel.For(ctx, 0, len(designs), func(s int) {
		trials[s], errs[s] = l.evaluate(ctx, c, designs[s][:n], items, uint64(s))
	})
	if err := errors.Join(append(errs, err)...); err != nil {
		return row{}, nil, err
	}
	r := row{Experts: l.n, Fitter: c.name, N: n, Items: items, RMSE: map[string]float64{}, Q25: map[string]float64{}, Q75: map[string]float64{}, Coverage: map[string]float64{}}
	for _, p := range l.testSets {
		var rmse, coverage []float64
		for _, t := range trials {
			rmse, coverage = append(rmse, t.rmse[p.name]), append(coverage, t.coverage[p.name])
		}
		r.RMSE[p.name], r.Q25[p.name], r.Q75[p.name] = quantile(rmse, 0.5), quantile(rmse, 0.25), quantile(rmse, 0.75)
		r.Coverage[p.name] = quantile(coverage, 0.5)
	}
	return r, trials, nil
}

// quantile interpolates between the sorted values.
func quantile(v []float64, q float64) float64 {
	v = slices.Clone(v)
	slices.Sort(v)
	at := q * float64(len(v)-1)
	lo, hi := v[int(math.Floor(at))], v[int(math.Ceil(at))]
	return lo + (hi-lo)*(at-math.Floor(at))
}

// reliabilityOf counts how often Q² of .90 on the worst task told the truth about a test set.
func reliabilityOf(trials []fitErrors, set string) reliability {
	v := reliability{Place: set, GoodR2: goodR2}
	good, bad := 0, 0
	for _, t := range trials {
		v.Fits++
		switch {
		case t.q2 >= 0.9:
			v.Reached++
			if t.r2[set] >= goodR2 {
				good++
			}
		case t.r2[set] < goodR2:
			bad++
		}
	}
	v.Good, v.Bad = share(good, v.Reached), share(bad, v.Fits-v.Reached)
	return v
}

func share(k, n int) float64 {
	if n == 0 {
		return 0
	}
	return float64(k) / float64(n)
}
