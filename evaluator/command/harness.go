//go:build linux || darwin

package command

import (
	"encoding/json"
	"slices"

	"parfait/evaluator"
	"parfait/evaluator/internal/report"
)

// source is where the figures of a split are in a report.
func (o Options) source(split evaluator.Split) report.Source {
	h := o.Harness
	if h == nil {
		return report.Source{Where: o.Metrics}
	}
	s := report.Source{Tasks: h.Tasks}
	if s.Tasks == nil {
		s.Tasks = map[string]string{}
	}
	if items := h.Items[split]; items != nil {
		s.Items = map[string]int{}
		for task, of := range items {
			s.Items[task] = len(of)
		}
	}
	return s
}

// names are lm-eval's tasks that have to be run for a study's.
func (o Options) names(tasks []string) []string {
	if o.Harness != nil && o.Harness.Run != nil {
		return o.Harness.Run
	}
	return o.source(evaluator.Validation).Names(tasks)
}

// samples is what --samples says of a split, "" where all items are measured.
func (o Options) samples(split evaluator.Split) string {
	if o.Harness == nil || o.Harness.Items[split] == nil {
		return ""
	}
	b, err := json.Marshal(o.Harness.Items[split]) // its keys are sorted
	if err != nil {
		panic(err) // there is nothing in it that could not be written
	}
	return string(b)
}

// command is the program with its arguments for a candidate, with placeholders.
func (o Options) command(c evaluator.Candidate) []string {
	args := slices.Clone(o.Command)
	if s := o.samples(c.Split); s != "" {
		args = append(args, "--samples", s)
	}
	return args
}
