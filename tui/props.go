package tui

import (
	"math"
	"path/filepath"
	"slices"
	"strings"

	"parfait/explore"
	"parfait/study"
	"parfait/tui/chart"
)

// props is what panes see: a snapshot, what the person does with it, and what there is to say about it.
// It is replaced, never changed.
type props struct {
	snap  *study.Snapshot
	state explore.State
	read  explore.Readout
	pins  []pinned // as state.Pins, with their predictions

	traced   *study.Analysis // the front of what is asked for, of the snapshot's analysis tracedOf; nil where it is that
	tracedOf *study.Analysis

	viewer bool // who looks changes nothing
}

// pinned is a pin with its predictions, which are too dear to be worked out for every frame.
type pinned struct {
	explore.Pin
	predicted []study.Prediction
	of        *study.Analysis
}

// predictPins are the pins with their predictions; those that are known already are kept.
func (s *props) predictPins() []pinned {
	a := s.analysis()
	if a == nil {
		return nil
	}
	out := make([]pinned, len(s.state.Pins))
	for i, p := range s.state.Pins {
		out[i] = pinned{p, nil, a}
		for _, old := range s.pins {
			if old.of == a && slices.Equal(old.X, p.X) {
				out[i].predicted = old.predicted
			}
		}
		if out[i].predicted == nil {
			out[i].predicted = a.Predict(p.X)
		}
	}
	return out
}

// analysis is the snapshot's, with the front under what is asked for where that is traced; or nil.
func (s *props) analysis() *study.Analysis {
	if s.snap == nil || s.snap.Analysis == nil || len(s.snap.Analysis.Front) == 0 {
		return nil
	}
	if s.traced != nil && s.tracedOf == s.snap.Analysis {
		return s.traced
	}
	return s.snap.Analysis
}

// coefficients are the names of the coefficients.
func (s *props) coefficients() []string {
	var names []string
	for _, c := range s.snap.Space.Coefficients {
		names = append(names, c.Name)
	}
	return names
}

// columns are the names of what an axis can show.
func (s *props) columns() []string { return explore.Columns(s.snap.Tasks, s.coefficients()) }

// columnFormat writes values of a column.
func (s *props) columnFormat(c int) chart.Format {
	if c >= 0 && c < len(s.snap.Tasks) {
		return taskFormat(s.snap.Tasks[c])
	}
	return chart.Rate
}

func taskFormat(t study.Task) chart.Format {
	if t.Rate() {
		return chart.Rate
	}
	return chart.Plain
}

// better says whether less is better in a column.
func (s *props) minimised(c int) bool {
	return c >= 0 && c < len(s.snap.Tasks) && s.snap.Tasks[c].Sense == study.Minimize
}

// measured is the value of a column at a trial, NaN where it was not measured.
func (s *props) measured(t *study.Trial, c int) float64 {
	if c < 0 {
		return math.NaN()
	}
	if c >= len(s.snap.Tasks) {
		if i := c - len(s.snap.Tasks); i < len(t.X) {
			return t.X[i]
		}
		return math.NaN()
	}
	if m, ok := t.Metrics[s.snap.Tasks[c].Name]; ok {
		return m.Value
	}
	return math.NaN()
}

// trustMark is how far predictions of a task are to be believed: ● ◐ ○, in colour too.
func trustMark(a *study.Analysis, task int) (rune, chart.Style) {
	switch t := a.Fits[task].Trust; {
	case a.Flagged(task) == "":
		return '●', chart.Ink(chart.Good)
	case t.Q2 >= 0.5:
		return '◐', chart.Ink(chart.Warn)
	default:
		return '○', chart.Ink(chart.Bad)
	}
}

// trusted is the mark of task i, a blank where nothing is fitted yet.
func (s *props) trusted(i int) (rune, chart.Style) {
	if a := s.analysis(); a != nil && i < len(a.Fits) {
		return trustMark(a, i)
	}
	return '·', chart.Ink(chart.Faded)
}

// nameWidth is how many cells names need, between least and most.
func nameWidth(names []string, least, most int) int {
	n := least
	for _, s := range names {
		n = max(n, chart.Width(s))
	}
	return min(n, most)
}

func taskNames(tasks []study.Task) []string {
	names := make([]string, len(tasks))
	for i, t := range tasks {
		names[i] = t.Name
	}
	return names
}

// within is a text in which files of the study are named from its folder: there is little room.
func (s *props) within(text string) string {
	return strings.ReplaceAll(text, s.snap.Dir+string(filepath.Separator), "")
}
