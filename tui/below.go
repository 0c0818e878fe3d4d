package tui

import (
	"slices"
	"strings"
	"unicode/utf8"

	"parfait/evaluator"
	"parfait/explore"
	"parfait/study"
	"parfait/tui/chart"
)

// belowMark stands beside what is below the base on an objective: predicted where a prediction is shown, measured where
// a measurement is. Terminals without it get a V.
const belowMark = "▼"

// belowShape is belowMark as the shape of a point.
func belowShape() rune {
	mark, _ := utf8.DecodeRuneInString(belowMark)
	return mark
}

// belowKey explains the mark in a legend.
func belowKey() chart.Key {
	return chart.Key{Glyph: belowShape(), Style: warn, Text: "below base", Short: "below"}
}

// marked is a point's label, with the mark where its predictions p are below the base.
func (s *props) marked(label string, p []study.Prediction) string {
	if s.below(p) {
		return strings.TrimSpace(label + " " + belowMark)
	}
	return label
}

// below says whether predictions p are below the base on an objective.
func (s *props) below(p []study.Prediction) bool {
	tasks, _ := s.analysis().BelowBase(p)
	return len(tasks) > 0
}

// trialBelow says whether a trial was measured below the base on an objective.
func (s *props) trialBelow(t *study.Trial) bool {
	a := s.analysis()
	if a == nil || t.State != evaluator.Done {
		return false
	}
	below, _ := a.MeasuredBelowBase(t.Metrics)
	return len(below) > 0
}

// exportBelow says on which objectives an export is below the base: as measured, where it was, else as predicted; "" for
// none.
func (s *props) exportBelow(x study.Export) string {
	if a := s.analysis(); a != nil && len(x.Measured[evaluator.Validation]) > 0 {
		if _, known := a.MeasuredBelowBase(nil); known {
			return explore.BelowBaseWords(a, x.Measured[evaluator.Validation])
		}
	}
	if len(x.BelowBase) == 0 {
		return ""
	}
	return "below the base as predicted: " + strings.Join(x.BelowBase, ", ")
}

// exportGains says how an export was measured against the base; "" where it was not.
func (s *props) exportGains(x study.Export) string {
	a := s.analysis()
	base, err := explore.RivalNamed(a, explore.RivalBase, nil)
	if err != nil || len(x.Measured[evaluator.Validation]) == 0 {
		return ""
	}
	return base.GainWords(a, x.Measured[evaluator.Validation])
}

// pickExport is a pick as an export that was not written.
func (s *props) pickExport(k study.Pick) study.Export {
	x := study.Export{X: k.X, Predicted: k.Predicted}
	a := s.analysis()
	if a == nil || slices.ContainsFunc(a.Tasks, func(t study.Task) bool { _, ok := k.Predicted[t.Name]; return !ok }) {
		return x
	}
	p := make([]study.Prediction, len(a.Tasks))
	for i, t := range a.Tasks {
		p[i] = k.Predicted[t.Name]
	}
	x.BelowBase = a.BelowBaseNames(p)
	return x
}
