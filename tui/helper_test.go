package tui

import (
	"context"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"

	"parfait/explore/exploretest"
	"parfait/merge"
	"parfait/study"
	"parfait/tui/chart"
)

// source is a study made by hand. What is asked of it is noted.
type source struct {
	snap     *study.Snapshot
	sub      chan *study.Snapshot
	commands []study.Command
	started  int
	picks    []study.Pick
	exports  []study.ExportRequest
	cost     study.ExportCost
	views    map[string][]byte
	logs     map[int]string
	damage   []string
	fail     error

	inspected bool
	writing   func(context.Context) error // an export, instead of the one that is done at once
}

func newSource(s *study.Snapshot) *source {
	src := &source{
		snap: s, sub: make(chan *study.Snapshot, 1), views: map[string][]byte{}, logs: map[int]string{},
		cost: study.ExportCost{Out: s.Dir + "/exports/pick-1", Bytes: 98_304, Free: 412_000_000_000, Estimate: 2 * time.Second},
	}
	src.sub <- s
	return src
}

func (s *source) Snapshot() *study.Snapshot                        { return s.snap }
func (s *source) Subscribe(context.Context) <-chan *study.Snapshot { return s.sub }
func (s *source) Do(c study.Command) error                         { s.commands = append(s.commands, c); return s.fail }

func (s *source) StartRunner() error { s.started++; return s.fail }

func (s *source) PlanExport(study.ExportRequest) (study.ExportCost, error) { return s.cost, s.fail }

func (s *source) Log(trial int) (string, error) { return s.logs[trial], s.fail }

func (s *source) LoadView(who string) ([]byte, error) { return s.views[who], s.fail }

func (s *source) SaveView(who string, b []byte) error { s.views[who] = b; return s.fail }

func (s *source) SavePick(p study.Pick) (study.Pick, error) {
	p.ID = len(s.picks) + 1
	s.picks = append(s.picks, p)
	return p, s.fail
}

func (s *source) Export(ctx context.Context, r study.ExportRequest, progress func(merge.Progress)) (study.Export, error) {
	s.exports = append(s.exports, r)
	if s.writing != nil {
		return study.Export{}, s.writing(ctx)
	}
	if s.fail != nil {
		return study.Export{}, s.fail
	}
	progress(merge.Progress{Stage: "merge", Done: 49_152, Total: 98_304, Rate: 2e8, Remaining: 3 * time.Second})
	made := exploretest.Snapshot(exploretest.Options{Trials: 30, Exports: 1}).Exports[0]
	made.Out, made.X = s.cost.Out, r.X
	return made, nil
}

func (s *source) Recipe(context.Context, []float64) ([]byte, error) {
	return []byte("version: 1\nbase: models/base\nmethod: task_arithmetic\n"), s.fail
}

func (s *source) CheckExport(context.Context, study.Export, func(merge.Progress)) ([]string, error) {
	return s.damage, s.fail
}

func (s *source) Inspect(_ context.Context, cached bool, _ func(merge.Progress)) (*merge.Inspection, error) {
	if cached && !s.inspected {
		return nil, nil
	}
	s.inspected = true
	stats := merge.GroupStats{
		Name: "total", Relative: []float64{0.12, 0.03, 0.07}, Zeros: []float64{0, 0.01, 0}, NonFinite: []int64{0, 0, 0, 0}, Conflicts: 0.31, VarianceRatio: 0.94,
		Cosines: [][]float64{{1, 0.2, -0.1}, {0.2, 1, 0.05}, {-0.1, 0.05, 1}},
	}
	early, late := stats, stats
	early.Name, late.Name = "layers.0", "layers.1"
	late.Relative, late.Conflicts = []float64{0.3, 0.1, 0.2}, 0.4
	return &merge.Inspection{Models: []string{"rotated", "mirrored", "upside_down"}, Total: stats, Groups: []merge.GroupStats{early, late}}, s.fail
}

// driver drives an explorer by messages, without a terminal, goroutines or time: background work is done
// at once, and what would come later comes at once unless it repeats.
type driver struct {
	t   testing.TB
	e   *explorer
	src *source
}

func drive(t testing.TB, o exploretest.Options, w, h int, options ...func(*Options)) *driver {
	t.Helper()
	return driveOn(t, newSource(exploretest.Snapshot(o)), w, h, options...)
}

func driveOn(t testing.TB, src *source, w, h int, options ...func(*Options)) *driver {
	t.Helper()
	d := driveSource(t, src, w, h, options...)
	d.src = src
	return d
}

// driveSource drives an explorer on any study.
func driveSource(t testing.TB, src Source, w, h int, options ...func(*Options)) *driver {
	t.Helper()
	opts := Options{Environ: []string{"LANG=en_US.UTF-8", "TERM=xterm-256color"}, Light: new(bool)}
	for _, f := range options {
		f(&opts)
	}
	d := &driver{t: t, e: newExplorer(t.Context(), src, opts)}
	d.e.after = func(_ time.Duration, msg tea.Msg) tea.Cmd {
		switch msg.(type) {
		case planDueMsg, otherPaneMsg:
			return func() tea.Msg { return msg }
		}
		return nil
	}
	d.do(d.e.Init())
	d.send(tea.ColorProfileMsg{Profile: colorprofile.TrueColor})
	d.send(tea.WindowSizeMsg{Width: w, Height: h})
	return d
}

func (d *driver) send(msg tea.Msg) {
	d.t.Helper()
	_, cmd := d.e.Update(msg)
	d.do(cmd)
}

// do runs a command and everything that follows from it.
func (d *driver) do(cmd tea.Cmd) {
	d.t.Helper()
	if cmd == nil {
		return
	}
	switch msg := cmd().(type) {
	case nil:
	case tea.BatchMsg:
		for _, c := range msg {
			d.do(c)
		}
	default:
		d.send(msg)
	}
}

// press presses keys by their names, "x" or "shift+tab", separated by spaces.
func (d *driver) press(keys string) {
	d.t.Helper()
	for _, k := range strings.Fields(keys) {
		d.send(keyPress(k))
	}
}

// write types text.
func (d *driver) write(text string) {
	d.t.Helper()
	for _, r := range text {
		d.send(tea.KeyPressMsg{Code: r, Text: string(r)})
	}
}

func keyPress(name string) tea.KeyPressMsg {
	k := tea.KeyPressMsg{}
	for {
		mod, rest, ok := strings.Cut(name, "+")
		if !ok || rest == "" || mod == "" {
			break
		}
		k.Mod |= map[string]tea.KeyMod{"ctrl": tea.ModCtrl, "alt": tea.ModAlt, "shift": tea.ModShift}[mod]
		name = rest
	}
	if code, ok := map[string]rune{
		"left": tea.KeyLeft, "right": tea.KeyRight, "up": tea.KeyUp, "down": tea.KeyDown, "enter": tea.KeyEnter, "tab": tea.KeyTab,
		"esc": tea.KeyEscape, "space": tea.KeySpace, "home": tea.KeyHome, "end": tea.KeyEnd, "pgup": tea.KeyPgUp, "pgdown": tea.KeyPgDown,
		"backspace": tea.KeyBackspace,
	}[name]; ok {
		k.Code = code
		return k
	}
	k.Code = []rune(name)[0]
	if k.Mod&^tea.ModShift == 0 {
		k.Text = name
	}
	return k
}

// shown is the scope of the view that is shown.
func (d *driver) shown() scope { return d.e.view.info().scope }

// text is the screen without styles.
func (d *driver) text() string { return d.e.screen().Plain() }

// sees fails unless the screen shows every text.
func (d *driver) sees(texts ...string) {
	d.t.Helper()
	screen := d.text()
	for _, text := range texts {
		if !strings.Contains(screen, text) {
			d.t.Errorf("the screen does not show %q:\n%s", text, screen)
			return
		}
	}
}

var _ = chart.ASCII
