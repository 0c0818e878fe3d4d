package tui

import (
	"math"

	tea "charm.land/bubbletea/v2"

	"parfait/explore"
	"parfait/tui/chart"
)

// models is the view of the models: how good each is by itself, and what inspection says of them.
type models struct {
	row, col int
	lines    []string
}

type inspectMsg struct{ lines []string }

func (m *models) refresh(*explorer) tea.Cmd { return nil }

func (m *models) inspected(msg inspectMsg) { m.lines = msg.lines }

func modelActions() []action {
	at := []Place{PlaceModels}
	step := func(row, col int) func(*explorer) tea.Cmd {
		return func(e *explorer) tea.Cmd {
			if a := e.analysis(); a != nil {
				e.models.row = max(min(e.models.row+row, len(a.References)-1), 0)
				e.models.col = max(min(e.models.col+col, len(a.Tasks)-1), 0)
			}
			return nil
		}
	}
	return []action{
		{ID: "models.down", Places: at, Keys: []string{"down", "j"}, Title: "the next model", Hint: "select", Bar: 1, do: step(1, 0)},
		{ID: "models.up", Places: at, Keys: []string{"up", "k"}, Title: "the previous model", do: step(-1, 0)},
		{ID: "models.right", Places: at, Keys: []string{"right", "l"}, Title: "the next task", do: step(0, 1)},
		{ID: "models.left", Places: at, Keys: []string{"left", "h"}, Title: "the previous task", do: step(0, -1)},
		{ID: "models.take", Places: at, Keys: []string{"t"}, Title: "take it in hand", Hint: "take in hand", Bar: 2, Twin: "parfait predict --at …", disabled: noFront, do: func(e *explorer) tea.Cmd {
			refs := e.analysis().References
			if len(refs) == 0 {
				return nil
			}
			r := refs[min(e.models.row, len(refs)-1)]
			cmd := e.move(explore.Move{Kind: explore.Go, X: r.X})
			e.note = note{r.Name + " is in hand", good}
			return cmd
		}},
	}
}

// modelsPane draws the models.
type modelsPane struct {
	sight
	models
}

func (p modelsPane) draw(c *chart.Canvas) {
	w, h := c.Size()
	spec := min(len(p.snap.Spec.Models)+4, h/2)
	box := chart.Box{Edge: faded, Title: append(head("Models", true), chart.Span{Text: " ─ " + p.snap.Spec.Method.Name, Style: muted})}
	p.drawSpec(box.Draw(c.Sub(0, 0, w, spec)))
	box = chart.Box{Edge: accent, Title: append(head("By themselves", true), chart.Span{Text: " ─ measured, or predicted where they were not", Style: muted})}
	in := box.Draw(c.Sub(0, spec, w, h-spec))
	if p.analysis() == nil {
		_, ih := in.Size()
		centred(in, ih/2, "shown once three trials are measured", muted)
		return
	}
	m := p.heat()
	m.Draw(in)
}

func (p modelsPane) drawSpec(c *chart.Canvas) {
	w, _ := c.Size()
	names := []string{"base"}
	for _, m := range p.snap.Spec.Models {
		names = append(names, m.Name)
	}
	n := nameWidth(names, 6, max(w/3, 10))
	c.Text(1, 0, "base", strong)
	c.Text(n+3, 0, chart.Clip(p.snap.Spec.Base, w-n-4), muted)
	for i, m := range p.snap.Spec.Models {
		c.Text(1, i+1, chart.Clip(m.Name, n), plain)
		c.Text(n+3, i+1, "["+explore.Decimal(m.Range[0], 2)+", "+explore.Decimal(m.Range[1], 2)+"]", accent)
		c.Text(n+18, i+1, chart.Clip(m.Path, w-n-19), muted)
	}
}

// heat is the table of references and tasks; each column is coloured by its own range.
func (p modelsPane) heat() *chart.HeatMap {
	a := p.analysis()
	m := &chart.HeatMap{Cols: taskNames(p.snap.Tasks), Row: min(p.row, len(a.References)-1), Col: p.col, Selected: true, Range: chart.Range{Lo: 0, Hi: 1}, Format: chart.Rate}
	allRates := true
	for _, t := range p.snap.Tasks {
		allRates = allRates && t.Rate()
	}
	if !allRates {
		m.Range, m.Format = chart.Range{}, chart.Plain
	}
	for _, r := range a.References {
		m.Rows = append(m.Rows, r.Name)
		var row []float64
		for i := range p.snap.Tasks {
			v := r.Predicted[i].Value
			if r.Trial >= 0 {
				if got := p.measured(&a.Trials[r.Trial], i); !math.IsNaN(got) {
					v = got
				}
			}
			row = append(row, v)
		}
		m.Values = append(m.Values, row)
	}
	return m
}
