package tui

import (
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"parfait/explore"
	"parfait/problem"
	"parfait/study"
	"parfait/tui/chart"
)

const scopeExportForm scope = "export"

// exportForm asks what to write, and says what it will cost before anything is written.
type exportForm struct {
	x      []float64
	fields []formField
	at     int
	verify bool
	seq    int // of the newest plan asked for
	cost   study.ExportCost
	ready  bool // the cost is that of the fields as they are
	eager  bool // to be written as soon as the cost is known and nothing speaks against it
	wrong  string
}

type formField struct {
	label, hint string
	field       field
}

// Fields of the form.
const (
	fieldName = iota
	fieldOut
	fieldDType
	fieldShard
	fieldWhy
	fields
)

func openExport(e *explorer) tea.Cmd {
	if e.exporting != nil && !e.exporting.over {
		e.above = &exportProgress{}
		return nil
	}
	f := &exportForm{x: slices.Clone(e.state.X), verify: true}
	for i := range fields {
		f.fields = append(f.fields, [...]formField{
			fieldName:  {label: "name", hint: "of the export in the study; empty: the next pick-N", field: newField("")},
			fieldOut:   {label: "folder", hint: "must not exist yet; empty: exports/NAME in the study", field: newField("")},
			fieldDType: {label: "dtype", hint: "bf16, f16, f32 or as-base; empty: as study.yaml says", field: newField("")},
			fieldShard: {label: "shard size", hint: "largest file; empty: 5 GB", field: newField("")},
			fieldWhy:   {label: "why", hint: "goes into the receipt and the model card", field: newField(e.why())},
		}[i])
	}
	e.above = f
	return f.plan(e)
}

func (*exportForm) place() place { return place{scopeExportForm, "The export form"} }

func (*exportForm) actions() []action {
	at := []scope{scopeExportForm}
	return []action{
		{ID: "form.start", Scopes: at, Keys: []string{"enter"}, Title: "write it", Hint: "write it", Twin: "parfait export", Changes: true, do: on(func(e *explorer, f *exportForm) tea.Cmd { return f.start(e) })},
		{ID: "form.next", Scopes: at, Keys: []string{"down", "tab"}, Pair: "↑↓", Title: "the next field", Hint: "field", do: on(func(_ *explorer, f *exportForm) tea.Cmd { f.step(1); return nil })},
		{ID: "form.previous", Scopes: at, Keys: []string{"up", "shift+tab"}, Title: "the previous field", do: on(func(_ *explorer, f *exportForm) tea.Cmd { f.step(-1); return nil })},
		{ID: "form.verify", Scopes: at, Keys: []string{"ctrl+v"}, Title: "measure the written model, or not", Hint: "measure", Twin: "parfait export --verify", do: on(func(_ *explorer, f *exportForm) tea.Cmd { f.verify = !f.verify; return nil })},
	}
}

func (f *exportForm) press(e *explorer, k tea.KeyPressMsg) tea.Cmd {
	if f.at == fields {
		return nil
	}
	f.fields[f.at].field.press(k)
	return f.plan(e)
}

func (f *exportForm) paste(e *explorer, m tea.PasteMsg) tea.Cmd {
	if f.at == fields {
		return nil
	}
	f.fields[f.at].field.insert(m.Content)
	return f.plan(e)
}

func (f *exportForm) step(n int) { f.at = (f.at + n + fields + 1) % (fields + 1) }

func (f *exportForm) value(i int) string { return strings.TrimSpace(f.fields[i].field.Value()) }

// request is what the form says, or what is wrong with it.
func (f *exportForm) request(e *explorer) (study.ExportRequest, string) {
	shard, ok := bytesOf(f.value(fieldShard))
	if !ok {
		return study.ExportRequest{}, "shard size: expected a size such as 5GB, found " + f.value(fieldShard)
	}
	return study.ExportRequest{
		X: f.x, Name: f.value(fieldName), Out: f.value(fieldOut), DType: f.value(fieldDType), ShardSize: shard,
		Why: f.value(fieldWhy), Who: e.o.Who, Verify: f.verify,
	}, ""
}

func bytesOf(s string) (int64, bool) {
	if s == "" {
		return 0, true
	}
	return study.ParseSize(s)
}

// plan asks for the cost once nothing has been typed for a moment.
func (f *exportForm) plan(e *explorer) tea.Cmd {
	f.seq++
	f.ready, f.eager, f.wrong = false, false, ""
	return e.after(second/5, planDueMsg{f.seq})
}

type planMsg struct {
	seq  int
	cost study.ExportCost
	err  error
}

func (e *explorer) planDue(seq int) tea.Cmd {
	f, ok := e.above.(*exportForm)
	if !ok || f.seq != seq {
		return nil
	}
	r, wrong := f.request(e)
	if f.wrong = wrong; wrong != "" {
		return nil
	}
	return e.work("plan the export", func() tea.Msg {
		c, err := e.src.PlanExport(r)
		return planMsg{seq, c, err}
	})
}

func (e *explorer) planned(m planMsg) tea.Cmd {
	f, ok := e.above.(*exportForm)
	if !ok || f.seq != m.seq {
		return nil
	}
	f.cost, f.ready = m.cost, true
	if m.err != nil {
		f.cost.Problems = append(f.cost.Problems, problem.Text(m.err))
	}
	if f.eager {
		return f.start(e)
	}
	return nil
}

// start begins to write, unless there is a reason why not.
func (f *exportForm) start(e *explorer) tea.Cmd {
	r, wrong := f.request(e)
	switch {
	case wrong != "":
		f.wrong = wrong
		return nil
	case !f.ready:
		f.eager = true
		return nil
	case len(f.cost.Problems) > 0:
		f.wrong = "it cannot be written: see above"
		return nil
	}
	cost := f.cost
	return e.anyway(f.x, func(e *explorer) tea.Cmd { return e.startExport(r, cost) })
}

func (f *exportForm) draw(e *explorer, c *chart.Canvas) {
	cw, ch := c.Size()
	w := min(80, cw-2)
	title := append(head("Export", true), chart.Span{Text: " ─ ", Style: faded}, chart.Span{Text: e.read.Name, Style: chart.Ink(chart.InHand)})
	in := floating(c, w, min(19, ch-2), title, keyHints(e, scopeExportForm, w-6))
	iw, ih := in.Size()
	in.Text(1, 0, fitting(valued(e.coefficients(), f.x), iw-2), muted)
	y := 1
	if ih >= 16 {
		y++
	}
	for i := range f.fields {
		fl := &f.fields[i]
		style := plain
		if i == f.at {
			style = accent.With(chart.Bold)
		}
		rightText(in, 0, y, 11, fl.label, style)
		fl.field.draw(in.Sub(13, y, iw-14, 1), i == f.at)
		if fl.field.Value() == "" {
			in.Text(15, y, chart.Clip(fl.hint, iw-17), chart.Ink(chart.Muted).On(chart.Track))
		}
		y++
	}
	f.drawVerify(in, y)
	y += 2
	f.drawCost(in.Sub(1, y, iw-2, ih-y))
}

func (f *exportForm) drawVerify(c *chart.Canvas, y int) {
	style, box := plain, "[ ]"
	if f.at == fields {
		style = accent.With(chart.Bold)
	}
	if f.verify {
		box = "[x]"
	}
	rightText(c, 0, y, 11, "measure it", style)
	c.Text(13, y, box+" on validation and test, beside the predictions (ctrl+v)", muted)
}

// drawCost says what it will take, or why it cannot be.
func (f *exportForm) drawCost(c *chart.Canvas) {
	w, _ := c.Size()
	y := 0
	say := func(text string, s chart.Style) {
		for _, line := range wrapText(text, w) {
			c.Text(0, y, line, s)
			y++
		}
	}
	switch {
	case f.wrong != "":
		say(f.wrong, bad)
	case f.eager && !f.ready:
		say("working out what it costs; then it is written…", accent)
		return
	case !f.ready:
		say("working out what it costs…", muted)
		return
	}
	for _, p := range f.cost.Problems {
		say("✗ "+p, bad)
	}
	for _, p := range f.cost.Warnings {
		say("! "+p, warn)
	}
	if len(f.cost.Problems) == 0 && f.ready {
		words := explore.Bytes(f.cost.Bytes) + " into " + f.cost.Out
		if f.cost.Free > 0 {
			words += ", " + explore.Bytes(f.cost.Free) + " free"
		}
		if f.cost.Estimate > 0 {
			words += ", about " + duration(f.cost.Estimate)
		}
		say("✓ "+words, good)
	}
}
