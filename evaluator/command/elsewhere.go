//go:build linux || darwin

package command

import (
	"cmp"
	"context"
	"maps"

	"parfait/evaluator"
	"parfait/evaluator/internal/placeholder"
)

// What follows is for kinds that run the same commands elsewhere: on the nodes of a cluster. They take Options for
// what they mean here but for Parallel, Timeout and Grace.

// Files of an evaluation's folder: what it reports into, and what it prints.
const (
	OutFile    = outName
	StdoutFile = stdoutName
	StderrFile = stderrName
)

// PlaceholdersElsewhere are those that mean something on any machine.
func PlaceholdersElsewhere() placeholder.Names {
	names := maps.Clone(Placeholders)
	delete(names, "slot")
	return names
}

// ModelPath is Candidate.ModelPath in the form that is wanted.
func (o Options) ModelPath(ctx context.Context, c evaluator.Candidate) (path string, release func(), err error) {
	if !o.Model {
		return c.ModelPath(ctx, "")
	}
	return c.ModelPath(ctx, o.Form)
}

// Values are what PlaceholdersElsewhere stand for with one candidate.
func (o Options) Values(c evaluator.Candidate, model, out string) (map[string]string, error) {
	values, err := o.values(c, model, out, 0)
	delete(values, "slot")
	return values, err
}

// Environment returns the PARFAIT_ variables and the user's own, as KEY=value.
func (o Options) Environment(values map[string]string) []string { return environment(o, values) }

// Complete sets what was left open of what is measured: whether the model is wanted, in which form, and the splits.
func (o *Options) Complete() {
	o.Model = o.Model || o.mentions("model")
	o.Form = cmp.Or(o.Form, evaluator.Folder)
	if len(o.Splits) > 0 {
		return
	}
	o.Splits = []evaluator.Split{evaluator.Validation}
	if o.mentions("split") {
		o.Splits = append(o.Splits, evaluator.Test)
	}
}

// Known are the metrics of a candidate that an earlier run of the same has reported, where its report was kept.
func (o Options) Known(c evaluator.Candidate) (evaluator.Metrics, bool) { return o.kept(c).read() }

// Sum is of what a candidate's command measures and how, with the text of its scripts before it runs; "" where nothing
// is kept.
func (o Options) Sum(c evaluator.Candidate) string { return o.kept(c).sum }

// Outcome says what an evaluation came to that ended with the given exit status and has left OutFile, StdoutFile and
// StderrFile in dir: the metrics, or why there are none. sum is what Sum was before it ran.
func (o Options) Outcome(c evaluator.Candidate, sum, dir string, status int) (evaluator.Metrics, error) {
	return o.keptAs(c, sum).outcome(dir, status)
}
