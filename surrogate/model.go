package surrogate

import (
	"context"
	"math"
)

// model is what a fitter makes of a sample: a latent function with its leave-one-out predictions and their
// standard deviations (of a measurement), all on the link's scale.
type model struct {
	fitter  string
	f       latent
	loo, sd []float64
	noise   float64 // variance of a measurement about the function
	dof     float64 // Student's, behind the standard deviations; +Inf: many
	lack    float64 // by what these are too small, because parameters were taken for known; 0: not at all
	note    string
	judge   func(t *Trust) // corrects the held-out figures where they mean something else; nil: they stand
}

// result makes the surrogate and the held-out figures of s, or calls the metric constant where it is noise alone.
func (m model) result(s *sample) Result {
	t := newTrust(m, s)
	t.Note = m.note
	if m.judge != nil {
		m.judge(&t)
	} else if t.isNoise(s) {
		return fitConstant(s).result(s)
	}
	return Result{Surrogate: newFitted(s, m), Trust: t}
}

// q2 is 1 − PRESS/SS; 0 where nothing varies.
func (m model) q2(s *sample) float64 {
	_, variance := s.moments()
	if variance == 0 {
		return 0
	}
	press := 0.0
	for i, z := range s.z {
		press += (z - m.loo[i]) * (z - m.loo[i])
	}
	return 1 - press/(variance*math.Max(float64(s.n())-1, 1))
}

// logScore is the sum of the log densities of the measurements under their leave-one-out predictions, the
// predictive sample reuse of Geisser and Eddy (1979); least is the smallest standard deviation that counts.
func (m model) logScore(s *sample, least float64) float64 {
	sum := 0.0
	for _, v := range m.logScores(s, least) {
		sum += v
	}
	return sum
}

// logScores are the log densities of which logScore is the sum.
func (m model) logScores(s *sample, least float64) []float64 {
	out := make([]float64, s.n())
	for i, z := range s.z {
		sd := max(m.sd[i], least)
		e := (z - m.loo[i]) / sd
		out[i] = -(e*e/2 + math.Log(sd) + math.Log(2*math.Pi)/2)
	}
	return out
}

// fitting is a metric on its way to a model. Gaussian processes are fitted in two steps: alone, and then with
// what is common to all metrics.
type fitting struct {
	s   *sample
	p   *process // nil: m is there already
	m   model
	err error
}

func (c Choice) begin(ctx context.Context, s *sample) *fitting {
	f := &fitting{s: s}
	if !c.process(s) {
		f.m, f.err = c.fitQuadratic(ctx, s)
		return f
	}
	f.p = newProcess(s)
	f.err = f.p.fitSubset(ctx, vaguePrior(s.dim()))
	return f
}

// refine fits the hyperparameters of a process again, under a prior, and its noise with what the evaluation says of it.
func (f *fitting) refine(ctx context.Context, before prior) {
	if f.p != nil && f.err == nil {
		f.err = f.p.fitHyper(ctx, before)
	}
	if f.p != nil && f.err == nil {
		f.err = f.p.heed(ctx, f.s, before)
	}
}

// finish is the model as it stands.
func (f *fitting) finish(ctx context.Context) (model, error) {
	if f.p == nil {
		return f.m, f.err
	}
	return f.p.finish(ctx, f.s, f.err)
}
