package tui

import (
	"slices"

	tea "charm.land/bubbletea/v2"

	"parfait/explore"
	"parfait/merge"
	"parfait/tui/chart"
)

// scopeModels is the view of the models.
const scopeModels scope = "models"

// modelsView is the models: how good each is by itself, and how they stand to each other.
type modelsView struct {
	row, col int
	picture  int // on small screens one at a time
	found    *merge.Inspection
	looked   bool      // whether something is known already
	reading  *progress // of every model; nil while none are read
	between  between
}

// pictures of the models.
const (
	pictureTasks   = iota // what each is worth by itself
	pictureCosines        // of the task vectors
	pictureNorms          // of the task vectors, by group of layers
	pictureLines          // what was measured between every two, where that is known
	pictureTree           // of a nested merge, where there is one
)

type inspectMsg struct {
	found *merge.Inspection
	err   error
	asked bool // by the person, and not only for what is known already
}

func newModelsView() view { return &modelsView{} }

func (m *modelsView) info() viewInfo {
	return viewInfo{scope: scopeModels, key: "5", title: "Models", heading: "Models"}
}

func (m *modelsView) draw(e *explorer, s props, c *chart.Canvas) {
	shown := *m
	shown.picture = m.page(e)
	modelsPane{props: s, modelsView: shown}.draw(c)
}

func (m *modelsView) take(e *explorer, msg tea.Msg) (tea.Cmd, bool) {
	switch msg := msg.(type) {
	case inspectMsg:
		return m.inspected(msg), true
	case betweenMsg:
		m.between.found(msg)
		if e.view != view(m) {
			return nil, true
		}
		return m.between.refresh(e), true // what came meanwhile
	}
	return nil, false
}

func (m *modelsView) underWay() (string, *progress) { return "reading the models", m.reading }

func (m *modelsView) ended(p *progress) {
	if m.reading == p {
		m.reading = nil
	}
}

// asked turns to what the study is about.
func (m *modelsView) asked(e *explorer) {
	switch e.snap.Spec.Search.Strategy {
	case "nested":
		m.picture = pictureTree
	case "barrier":
		m.picture = pictureLines
	}
}

// refresh looks whether the models were inspected before, and what was built of them.
func (m *modelsView) refresh(e *explorer) tea.Cmd {
	return tea.Batch(m.look(e), m.between.refresh(e))
}

func (m *modelsView) look(e *explorer) tea.Cmd {
	i, ok := e.src.(Inspector)
	if !ok || m.looked || m.found != nil {
		return nil
	}
	m.looked = true
	return e.work("look at the models", func() tea.Msg {
		found, err := i.Inspect(e.ctx, true, nil)
		return inspectMsg{found, err, false}
	})
}

// inspect reads every model once.
func (m *modelsView) inspect(e *explorer) tea.Cmd {
	i := e.src.(Inspector)
	p := newProgress()
	m.reading = p
	read := e.work("inspect the models", func() tea.Msg {
		defer p.end()
		found, err := i.Inspect(e.ctx, false, p.tell)
		return inspectMsg{found, err, true}
	})
	return tea.Batch(read, p.next())
}

// inspected takes what an inspection found.
func (m *modelsView) inspected(msg inspectMsg) tea.Cmd {
	if msg.found != nil {
		m.found = msg.found
	}
	if msg.err != nil && msg.asked {
		return func() tea.Msg { return failed(msg.err) }
	}
	return nil
}

func notInspectable(e *explorer, m *modelsView) string {
	switch _, ok := e.src.(Inspector); {
	case !ok:
		return "these models cannot be read from here"
	case m.reading != nil:
		return "they are being read"
	}
	return ""
}

func (m *modelsView) actions() []action {
	at := []scope{scopeModels}
	step := func(row, col int) func(*explorer) tea.Cmd {
		return in(func(e *explorer, m *modelsView) tea.Cmd {
			m.step(e, row, col)
			return nil
		})
	}
	return []action{
		{ID: "models.down", Scopes: at, Keys: []string{"down", "j"}, Pair: "↑↓", Title: "the next model, line or merge", Hint: "select", Bar: 1, do: step(1, 0)},
		{ID: "models.up", Scopes: at, Keys: []string{"up", "k"}, Title: "the previous model, line or merge", do: step(-1, 0)},
		{ID: "models.right", Scopes: at, Keys: []string{"right", "l"}, Title: "the next task", do: step(0, 1)},
		{ID: "models.left", Scopes: at, Keys: []string{"left", "h"}, Title: "the previous task", do: step(0, -1)},
		{ID: "models.take", Scopes: at, Keys: []string{"t"}, Title: "take it in hand", Hint: "take in hand", Bar: 2, Twin: "parfait predict --at …", disabled: noFront, do: in(takeModel)},
		{ID: "models.inspect", Scopes: at, Keys: []string{"i"}, Title: "read every model once: norms, cosines, sign conflicts", Hint: "inspect", Bar: 2, Twin: "parfait inspect --stats", Changes: true, disabled: in(notInspectable), do: in(func(e *explorer, m *modelsView) tea.Cmd { return m.inspect(e) })},
		{ID: "models.picture", Scopes: at, Keys: []string{"v"}, Title: "the next picture: by themselves, cosines, norms by layers, lines, merge tree", Hint: "picture", Bar: 2, Twin: "parfait inspect --stats", disabled: in(onePicture), do: in(func(e *explorer, m *modelsView) tea.Cmd {
			pages := m.pages(e)
			m.picture = pages[(slices.Index(pages, m.page(e))+1)%len(pages)]
			return nil
		})},
		{ID: "models.lines", Scopes: at, Keys: []string{"B"}, Quiet: true, Title: "barriers: what was measured on the lines between every two models", Hint: "barriers", Bar: 3, Twin: "parfait barriers", disabled: in(noLines), do: turnTo(pictureLines)},
		{ID: "models.tree", Scopes: at, Keys: []string{"T"}, Quiet: true, Title: "the merge tree: which pairs were merged, and what is next", Hint: "tree", Bar: 3, Twin: "parfait tree", disabled: noTree, do: turnTo(pictureTree)},
	}
}

func turnTo(picture int) func(*explorer) tea.Cmd {
	return in(func(_ *explorer, m *modelsView) tea.Cmd {
		m.picture = picture
		return nil
	})
}

// pages are the pictures that v leads through: where there is room, the first three are one.
func (m *modelsView) pages(e *explorer) []int {
	pages := []int{pictureTasks, pictureCosines, pictureNorms}
	if m.together(e) {
		pages = pages[:1]
	}
	if noLines(e, m) == "" {
		pages = append(pages, pictureLines)
	}
	if noTree(e) == "" {
		pages = append(pages, pictureTree)
	}
	return pages
}

// page is the one of the pages that is shown.
func (m *modelsView) page(e *explorer) int {
	if pages := m.pages(e); !slices.Contains(pages, m.picture) {
		return pages[0]
	}
	return m.picture
}

// together says whether the pictures of the models are shown side by side.
func (m *modelsView) together(e *explorer) bool {
	main := arrange(e.w, e.h, m.info().hasSide(e.w)).main
	p := modelsPane{props: e.props, modelsView: *m}
	return together(main.Dx(), main.Dy()-p.specRows(main.Dy()))
}

func onePicture(e *explorer, m *modelsView) string {
	if len(m.pages(e)) == 1 {
		return "all of them are shown"
	}
	return ""
}

// step selects another row and column of the picture that is shown.
func (m *modelsView) step(e *explorer, row, col int) {
	move := func(at *int, by, n int) { *at = max(min(*at+by, n-1), 0) }
	switch tasks := len(e.snap.Tasks); m.page(e) {
	case pictureLines:
		move(&m.between.line, row, len(m.between.lines))
		move(&m.between.task, col, tasks)
	case pictureTree:
		move(&m.between.branch, row, len(m.between.rows))
	default:
		if a := e.analysis(); a != nil {
			move(&m.row, row, len(a.References))
			move(&m.col, col, tasks)
		}
	}
}

func takeModel(e *explorer, m *modelsView) tea.Cmd {
	name, x := m.selected(e)
	if x == nil {
		e.note = note{"nothing is decided there yet", warn}
		return nil
	}
	cmd := e.move(explore.Move{Kind: explore.Go, X: x})
	e.note = note{name + " is in hand", good}
	return cmd
}

// selected is what t takes in hand: a model, the worst place of a line, a merge.
func (m *modelsView) selected(e *explorer) (name string, x []float64) {
	switch m.page(e) {
	case pictureLines:
		return m.between.worst(e.snap.Tasks)
	case pictureTree:
		if i := m.between.branch; i < len(m.between.rows) {
			return m.between.rows[i].Name, m.between.rows[i].X
		}
		return "", nil
	}
	if refs := e.analysis().References; len(refs) > 0 {
		r := refs[min(m.row, len(refs)-1)]
		return r.Name, r.X
	}
	return "", nil
}
