package tui

import (
	"fmt"
	"math"
	"strings"

	"parfait/explore"
	"parfait/problem"
	"parfait/tui/chart"
)

// treePane draws the tree of a nested merge, and what there is to say about the selected branch.
type treePane modelsPane

func (p treePane) draw(c *chart.Canvas) {
	w, h := c.Size()
	rows := p.between.rows
	title := append(head("Merge tree", true), chart.Span{Text: " ─ models are merged two at a time, the closest first", Style: muted})
	below := min(max(h/3, 6), 12)
	if h < 12 {
		below = 0
	}
	box := chart.Box{Edge: accent, Title: chart.ClipSpans(title, w-6)}
	in := box.Draw(c.Sub(0, 0, w, h-below))
	_, ih := in.Size()
	if len(rows) == 0 {
		text := "The tree grows as pairs are measured: " + p.starts() + "."
		switch {
		case p.between.err != nil:
			text = problem.Text(p.between.err)
		case !p.between.shown.known:
			text = "working it out…"
		}
		message(in, text)
	} else {
		at := min(p.between.branch, len(rows)-1)
		first := window(at, len(rows), ih)
		for y := range min(ih, len(rows)-first) {
			p.row(in, y, rows[first+y], first+y == at)
		}
	}
	if below > 0 {
		p.details(c.Sub(0, h-below, w, below))
	}
}

// row is one branch: what the merge above scales it by, and what is known of it.
func (p treePane) row(c *chart.Canvas, y int, r explore.BranchRow, selected bool) {
	w, _ := c.Size()
	w = min(w, 118) // what belongs together stays together
	line := c.Sub(0, y, w, 1)
	bg := chart.Default
	if selected {
		bg = chart.Selection
		line.Fill(' ', chart.Style{BG: bg})
		line.Text(0, 0, "▸", accent.On(bg))
	}
	x := 2 + line.Text(2, 0, r.Stem, faded.On(bg))
	if !math.IsNaN(r.Scale) {
		x += line.Text(x, 0, explore.Decimal(r.Scale, 2)+" × ", accent.On(bg))
	}
	mark, style := '●', good
	switch {
	case r.Open:
		mark, style = '◐', warn
	case r.Trial < 0:
		mark, style = '○', muted
	}
	line.Set(x, 0, mark, style.On(bg))
	x += 2
	name := r.Title
	if len(r.Parts) > 0 && w >= 100 {
		name += " " + r.Name
	}
	state := p.state(r)
	room := w - x - 3
	if chart.Width(name)+chart.Width(state)+2 > room {
		state = chart.Clip(state, max(room-chart.Width(r.Title)-2, 0))
	}
	line.Text(x, 0, chart.Clip(name, max(room-chart.Width(state)-2, 0)), plain.On(bg))
	rightText(line, x, 0, w-x-1, state, muted.On(bg))
}

// state is what is known of a branch, with the value of what it answers for where that is one task.
func (p treePane) state(r explore.BranchRow) string {
	if len(r.Tasks) == 1 && r.Trial >= 0 {
		for i, t := range p.snap.Tasks {
			if v := p.measured(&p.snap.Trials[r.Trial], i); t.Name == r.Tasks[0] && !math.IsNaN(v) {
				return r.State + " " + explore.Number(t, v)
			}
		}
	}
	return r.State
}

// details are what is next, and the selected branch in figures.
func (p treePane) details(c *chart.Canvas) {
	rows := p.between.rows
	title := head("What is next", false)
	var r explore.BranchRow
	if len(rows) > 0 {
		r = rows[min(p.between.branch, len(rows)-1)]
		title = head("The merge", false)
		if len(r.Parts) == 0 {
			title = head("The model", false)
		}
		title = append(title, chart.Span{Text: " ─ ", Style: faded}, chart.Span{Text: r.Name, Style: strong})
	}
	w, _ := c.Size()
	in := chart.Box{Edge: faded, Title: chart.ClipSpans(title, w-6)}.Draw(c)
	iw, ih := in.Size()
	y := 0
	say := func(text string, s chart.Style) {
		for _, line := range wrapText(text, iw-2) {
			if y < ih {
				in.Text(1, y, line, s)
				y++
			}
		}
	}
	say(explore.NextBranch(p.snap, p.between.tree), accent)
	if len(rows) == 0 {
		return
	}
	if len(r.Parts) > 0 && r.X != nil {
		say(r.Name+" = "+r.Recipe(), plain)
	}
	say(p.figures(r), plain)
	if len(r.Tasks) > 0 {
		say("answers for "+strings.Join(r.Tasks, ", ")+": the pick of its pair looks at these, and at floors", muted)
	}
}

// figures are the metrics of a branch: measured, or predicted where they were not.
func (p treePane) figures(r explore.BranchRow) string {
	if r.X == nil {
		return "nothing is decided here yet"
	}
	words := []string{}
	if r.Trial >= 0 {
		t := &p.snap.Trials[r.Trial]
		for i, task := range p.snap.Tasks {
			words = append(words, task.Name+" "+explore.Number(task, p.measured(t, i)))
		}
		return fmt.Sprintf("measured (trial %d): %s", t.ID, strings.Join(words, ", "))
	}
	a := p.analysis()
	if a == nil {
		return "not measured yet"
	}
	for i, f := range a.Predict(r.X) {
		words = append(words, p.snap.Tasks[i].Name+" "+explore.Number(p.snap.Tasks[i], f.Value))
	}
	return "predicted: " + strings.Join(words, ", ")
}
