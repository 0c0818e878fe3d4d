package tui

import (
	"context"
	"errors"
	"slices"

	tea "charm.land/bubbletea/v2"

	"parfait/evaluator"
	"parfait/explore"
	"parfait/internal/rescue"
	"parfait/problem"
	"parfait/study"
	"parfait/tui/chart"
)

// exportRun is an export that is being written, or was.
type exportRun struct {
	*progress
	request study.ExportRequest
	cost    study.ExportCost
	name    string
	cancel  context.CancelFunc
	over    bool // its end was told
	export  study.Export
	err     error

	ended  chan struct{} // closed when it has ended, told or not
	failed error         // how, once it has
}

type exportDoneMsg struct {
	export study.Export
	err    error
}

// startExport writes in the background. It does not end with the session: over SSH, hanging up stops
// nothing.
func (e *explorer) startExport(r study.ExportRequest, cost study.ExportCost) tea.Cmd {
	ctx, cancel := context.WithCancel(context.WithoutCancel(e.ctx))
	run := &exportRun{progress: newProgress(), request: r, cost: cost, name: e.read.Name, cancel: cancel, ended: make(chan struct{})}
	e.exporting, e.above = run, &exportProgress{}
	var x study.Export
	rescue.Go(func() { // and not as work of the session, which forgets it when it ends
		defer cancel()
		defer close(run.ended)
		defer run.end()
		run.failed = safely("export", func() (err error) { x, err = e.src.Export(ctx, r, run.tell); return err })
	})
	done := func() tea.Msg {
		<-run.ended
		return exportDoneMsg{x, run.failed}
	}
	return tea.Batch(done, run.next())
}

func (e *explorer) exportDone(m exportDoneMsg) tea.Cmd {
	run := e.exporting
	if run == nil {
		return nil
	}
	run.over, run.export, run.err = true, m.export, m.err
	if _, shown := e.above.(*exportProgress); shown {
		return nil
	}
	if m.err != nil {
		e.note = note{"the export failed: " + problem.Text(m.err), bad}
		return nil
	}
	e.note = note{"exported to " + m.export.Out, good}
	return nil
}

const scopeExporting scope = "exporting"

// exportProgress shows the export as it is written, and what came of it.
type exportProgress struct{}

func (*exportProgress) place() place { return place{scopeExporting, "An export being written"} }

func (*exportProgress) actions() []action {
	at := []scope{scopeExporting}
	return []action{
		{ID: "exporting.cancel", Scopes: at, Keys: []string{"x"}, Quiet: true, Title: "cancel the export; nothing is left behind", Hint: "cancel", Changes: true, Danger: true, disabled: notExporting, do: askCancel},
		{ID: "exporting.close", Scopes: at, Keys: []string{"enter", "q"}, Title: "close; the export goes on", Hint: "close", do: closeAbove},
	}
}

func (p *exportProgress) press(*explorer, tea.KeyPressMsg) tea.Cmd { return nil }

func (p *exportProgress) draw(e *explorer, c *chart.Canvas) {
	run := e.exporting
	cw, ch := c.Size()
	w := min(80, cw-2)
	title := "Exporting"
	if run.over {
		title = "Exported"
		if run.err != nil {
			title = "Not exported"
		}
	}
	in := floating(c, w, min(15+len(e.snap.Tasks), ch-2), head(title, true), keyHints(e, scopeExporting, w-6))
	iw, ih := in.Size()
	in = in.Sub(1, 0, iw-2, ih)
	iw -= 2
	y := 0
	say := func(text string, s chart.Style) {
		for _, line := range wrapText(text, iw) {
			in.Text(0, y, line, s)
			y++
		}
	}
	switch {
	case !run.over:
		p.drawRunning(in, run)
		return
	case run.err != nil && errors.Is(run.err, context.Canceled):
		say("The export was cancelled: nothing was left behind.", warn)
		return
	case run.err != nil && run.export.Out == "":
		say(problem.Text(run.err), bad)
		return
	}
	say("✓ "+explore.Bytes(run.export.Bytes)+" in "+run.export.Out+", read back and compared", good)
	if run.err != nil {
		say("It was written, but not measured: "+problem.Text(run.err), warn)
	}
	if run.export.Doubt != "" {
		say("! "+run.export.Doubt+": do not believe these predictions", warn)
	}
	y++
	y += drawMeasured(in.Sub(0, y, iw, ih-y), e.snap.Tasks, run.export)
	if words := e.exportBelow(run.export); words != "" {
		say(belowMark+" "+words, warn)
	}
	if words := e.exportGains(run.export); words != "" {
		say(words, muted)
	}
	y++
	if noTest(run.export) {
		say(noTestWords, muted)
	}
	if y < ih {
		in.Text(0, y, chart.Clip("receipt "+run.export.Receipt, iw), muted)
	}
}

func (p *exportProgress) drawRunning(c *chart.Canvas, run *exportRun) {
	w, _ := c.Size()
	c.Text(0, 0, chart.Clip(run.name+" → "+run.cost.Out, w), plain)
	stages := []string{"merge", "check", "measure validation", "measure test"}
	if !run.request.Verify {
		stages = stages[:2]
	}
	now := slices.Index(stages, run.Stage)
	if run.Stage == "hash" { // of the inputs: a part of the checks
		now = slices.Index(stages, "check")
	}
	for i, s := range stages {
		mark, style := "·", muted
		switch {
		case i < now:
			mark, style = "✓", good
		case i == now:
			mark, style = "▸", accent
		}
		c.Text(0, 2+i, mark+" "+s, style)
		if i == now {
			drawRate(c.Sub(22, 2+i, w-22, 1), run.progress)
		}
	}
}

// drawRate draws how far a stage is, how fast, and how long it will take.
func drawRate(c *chart.Canvas, p *progress) {
	if p.Total <= 0 {
		return
	}
	w, _ := c.Size()
	bar := max(w-26, 6)
	chart.Progress{Fraction: float64(p.Done) / float64(p.Total), Color: chart.Accent}.Draw(c.Sub(0, 0, bar, 1))
	c.Text(bar+1, 0, p.words(), muted)
}

// noTest says whether an export was measured, and not on a test split.
func noTest(x study.Export) bool {
	return len(x.Measured[evaluator.Validation]) > 0 && len(x.Measured[evaluator.Test]) == 0
}

const noTestWords = "no evaluator of the study offers a test split; a command does that has {split} in it, and what has splits: [validation, test]"

// drawMeasured draws predicted against measured, a row a task, and returns how many rows it took.
func drawMeasured(c *chart.Canvas, tasks []study.Task, x study.Export) int {
	names := nameWidth(taskNames(tasks), 6, 14)
	const column = 15
	heads := []string{"predicted", "validation", "test"}
	for i, h := range heads {
		c.Text(names+2+i*column, 0, h, muted)
	}
	y, missed := 1, study.NotAsPredicted(tasks, x.Predicted, x.Measured)
	for _, t := range tasks {
		c.Text(0, y, chart.Clip(t.Name, names), plain)
		p, ok := x.Predicted[t.Name]
		if ok {
			c.Spans(names+2, y, chart.ClipSpans([]chart.Span{{Text: explore.Number(t, p.Value), Style: chart.Ink(chart.Predicted)}, {Text: " " + explore.Interval(t, p), Style: muted}}, column-1)...)
		}
		for i, split := range []evaluator.Split{evaluator.Validation, evaluator.Test} {
			m, measured := x.Measured[split][t.Name]
			m = t.WithStderr(m)
			at := names + 2 + (i+1)*column
			if !measured {
				c.Text(at, y, "—", muted)
				continue
			}
			noise := ""
			if m.Stderr > 0 { // else nobody has said how noisy it is
				noise = " ±" + explore.Spread(t, m.Stderr)
			}
			n := c.Spans(at, y, chart.Span{Text: explore.Number(t, m.Value), Style: chart.Ink(chart.OnFront)}, chart.Span{Text: noise, Style: muted})
			_, learnt := t.Stderr(x.Measured[evaluator.Validation][t.Name])
			if ok && (learnt || split == evaluator.Validation) { // else nothing is judged
				mark, style := agreement(slices.Contains(missed[split], t.Name))
				c.Text(at+n+1, y, mark, style)
			}
		}
		y++
	}
	return y
}

// agreement marks whether noise explains the difference of a measurement from its prediction, as exit code 10 does.
func agreement(missed bool) (string, chart.Style) {
	if missed {
		return "≠", warn
	}
	return "✓", good
}

func askCancel(e *explorer) tea.Cmd {
	shown := e.above
	e.above = &question{
		title: "Cancel the export?", text: "Nothing of it is left behind, and what was merged so far is merged again next time.", back: shown,
		yes: func(e *explorer) tea.Cmd {
			e.exporting.cancel()
			e.above = shown
			return nil
		},
	}
	return nil
}

func notExporting(e *explorer) string {
	if e.exporting == nil || e.exporting.over {
		return "nothing is being written"
	}
	return ""
}
