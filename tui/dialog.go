package tui

import (
	"image"
	"strings"

	"charm.land/bubbles/v2/textinput"
	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"parfait/tui/chart"
)

// floating draws an empty box of at most w×h cells in the middle of the screen and returns its inside.
func floating(c *chart.Canvas, w, h int, title, footer []chart.Span) *chart.Canvas {
	cw, ch := c.Size()
	w, h = min(w, cw-2), min(h, ch-2)
	r := image.Rect(0, 0, w, h).Add(image.Pt((cw-w)/2, (ch-h)/2))
	box := sub(c, r)
	box.Fill(' ', plain)
	return chart.Box{Edge: accent, Title: title, Footer: footer}.Draw(box)
}

// field is a line of text being written.
type field struct{ textinput.Model }

func newField(value string) field {
	m := textinput.New()
	m.Prompt = ""
	m.SetVirtualCursor(false)
	m.SetValue(value)
	m.CursorEnd()
	m.Focus()
	return field{m}
}

func (f *field) press(k tea.KeyPressMsg) { f.Model, _ = f.Update(k) }

func (f *field) insert(text string) {
	f.Model, _ = f.Update(tea.PasteMsg{Content: strings.Join(strings.Fields(text), " ")})
}

// draw draws the text with its cursor, scrolled so that the cursor shows.
func (f *field) draw(c *chart.Canvas, focused bool) {
	w, _ := c.Size()
	c.Fill(' ', chart.Style{BG: chart.Track})
	runes := []rune(f.Value())
	at := min(f.Position(), len(runes))
	from := 0
	for chart.Width(string(runes[from:at])) > w-2 {
		from++
	}
	c.Text(0, 0, string(runes[from:]), chart.Style{BG: chart.Track})
	if !focused {
		return
	}
	under := " "
	if at < len(runes) {
		under = string(runes[at])
	}
	c.Text(chart.Width(string(runes[from:at])), 0, under, chart.Style{Attr: chart.Reverse})
}

const scopePrompt scope = "prompt"

// prompt asks for a line of text.
type prompt struct {
	title, label, help, value string
	replace                   bool                                              // what is typed first takes the place of the value
	done                      func(e *explorer, value string) (tea.Cmd, string) // the string says what is wrong

	field field
	wrong string
}

// ask opens a prompt.
func (e *explorer) ask(p prompt) tea.Cmd {
	p.field = newField(p.value)
	e.above = &p
	return nil
}

func (*prompt) place() place { return place{scopePrompt, "A line being typed"} }

func (*prompt) actions() []action {
	at := []scope{scopePrompt}
	return []action{
		{ID: "prompt.accept", Scopes: at, Keys: []string{"enter"}, Title: "take it", Hint: "take it", do: on(func(e *explorer, p *prompt) tea.Cmd { return p.accept(e) })},
	}
}

func (p *prompt) press(_ *explorer, k tea.KeyPressMsg) tea.Cmd {
	if p.replace && k.Text != "" {
		p.field.SetValue("")
	}
	p.replace = false
	p.field.press(k)
	p.wrong = ""
	return nil
}

func (p *prompt) paste(_ *explorer, m tea.PasteMsg) tea.Cmd { //nolint:unparam // as pasted is
	p.field.insert(m.Content)
	return nil
}

// accept takes the text, or says what is wrong with it.
func (p *prompt) accept(e *explorer) tea.Cmd {
	cmd, wrong := p.done(e, strings.TrimSpace(p.field.Value()))
	if p.wrong = wrong; wrong == "" && e.above == overlay(p) {
		e.above = nil
	}
	return cmd
}

func (p *prompt) draw(e *explorer, c *chart.Canvas) {
	cw, _ := c.Size()
	w := min(64, cw-4)
	help := wrapText(p.help, w-4)
	in := floating(c, w, 5+len(help), head(p.title, true), keyHints(e, scopePrompt, w-6))
	iw, _ := in.Size()
	in.Text(1, 0, p.label, muted)
	p.field.draw(in.Sub(1, 1, iw-2, 1), true)
	for i, line := range help {
		in.Text(1, 3+i, line, muted)
	}
	if p.wrong != "" {
		in.Text(1, 2, chart.Clip(p.wrong, iw-2), bad)
	}
}

const scopeQuestion scope = "question"

// question asks before something cannot be taken back.
type question struct {
	title, text string
	yes         func(e *explorer) tea.Cmd
	back        overlay // where no leads
}

func (*question) place() place { return place{scopeQuestion, "A question"} }

func (*question) actions() []action {
	at := []scope{scopeQuestion}
	return []action{
		{ID: "question.yes", Scopes: at, Keys: []string{"y", "enter"}, Title: "yes", Hint: "yes", do: on(func(e *explorer, q *question) tea.Cmd { e.above = nil; return q.yes(e) })},
		{ID: "question.no", Scopes: at, Keys: []string{"n"}, Title: "no", Hint: "no", do: closeAbove},
	}
}

func (q *question) press(*explorer, tea.KeyPressMsg) tea.Cmd { return nil }

func (q *question) draw(e *explorer, c *chart.Canvas) {
	cw, _ := c.Size()
	w := min(60, cw-4)
	lines := wrapText(q.text, w-4)
	in := floating(c, w, 4+len(lines), head(q.title, true), keyHints(e, scopeQuestion, w-6))
	for i, line := range lines {
		in.Text(1, 1+i, line, plain)
	}
}

const scopeReading scope = "log"

// reading is text to be read: a log, a recipe, a receipt.
type reading struct {
	title string
	lines []string
	top   int
	rows  int      // that were drawn
	shown []string // the lines as they were drawn: long ones are broken
	end   bool     // stays at the end while the text grows
	trial int      // whose log this is; 0: nobody's
}

func (*reading) place() place { return place{scopeReading, "A log, a recipe, a receipt"} }

func (*reading) actions() []action {
	at := []scope{scopeReading}
	return []action{
		{ID: "read.down", Scopes: at, Keys: []string{"down", "j"}, Pair: "↑↓", Title: "a line down", Hint: "scroll", do: on(func(_ *explorer, r *reading) tea.Cmd { r.scroll(1); return nil })},
		{ID: "read.up", Scopes: at, Keys: []string{"up", "k"}, Title: "a line up", do: on(func(_ *explorer, r *reading) tea.Cmd { r.scroll(-1); return nil })},
		{ID: "read.page-down", Scopes: at, Keys: []string{"pgdown", "space"}, Title: "a page down", do: on(func(_ *explorer, r *reading) tea.Cmd { r.scroll(max(r.rows-1, 1)); return nil })},
		{ID: "read.page-up", Scopes: at, Keys: []string{"pgup"}, Title: "a page up", do: on(func(_ *explorer, r *reading) tea.Cmd { r.scroll(-max(r.rows-1, 1)); return nil })},
		{ID: "read.end", Scopes: at, Keys: []string{"end", "G"}, Title: "to the end, and stay there", do: on(func(_ *explorer, r *reading) tea.Cmd { r.scroll(len(r.lines)); return nil })},
		{ID: "read.start", Scopes: at, Keys: []string{"home", "g"}, Title: "to the start", do: on(func(_ *explorer, r *reading) tea.Cmd { r.scroll(-len(r.lines)); return nil })},
	}
}

func (r *reading) press(*explorer, tea.KeyPressMsg) tea.Cmd { return nil }

func (r *reading) scroll(n int) {
	last := max(len(r.shown)-max(r.rows, 1), 0)
	r.top = max(min(r.top+n, last), 0)
	r.end = r.top == last
}

func (r *reading) draw(e *explorer, c *chart.Canvas) {
	cw, ch := c.Size()
	longest := 40
	for _, line := range r.lines {
		longest = max(longest, chart.Width(line))
	}
	w := min(longest+4, cw-2)
	r.shown = nil
	for _, line := range r.lines {
		r.shown = append(r.shown, strings.Split(ansi.Hardwrap(printable(strings.ReplaceAll(line, "\t", "    ")), w-4, true), "\n")...)
	}
	in := floating(c, w, min(len(r.shown)+2, ch-2), head(r.title, true), keyHints(e, scopeReading, w-6))
	_, ih := in.Size()
	r.rows = ih
	if last := max(len(r.shown)-ih, 0); r.end || r.top > last {
		r.top = last
	}
	for y, line := range limit(r.shown[min(r.top, len(r.shown)):], ih) {
		in.Text(1, y, line, plain)
	}
}

func splitLines(s string) []string { return strings.Split(strings.TrimRight(s, "\n"), "\n") }
