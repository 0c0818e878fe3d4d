package tui

import (
	tea "charm.land/bubbletea/v2"

	"parfait/explore"
	"parfait/merge"
)

// models is the view of the models: how good each is by itself, and how they lie to each other.
type models struct {
	row, col int
	picture  int // on small screens one at a time
	found    *merge.Inspection
	asked    bool // whether something is known already
	busy     bool
}

// pictures of the models.
const (
	pictureTasks   = iota // what each is worth by itself
	pictureCosines        // of the task vectors
	pictureNorms          // of the task vectors, by group of layers
	modelPictures
)

type inspectMsg struct {
	found *merge.Inspection
	err   error
	asked bool // by the person, and not only for what is known already
}

// refresh looks whether the models were inspected before.
func (m *models) refresh(e *explorer) tea.Cmd {
	i, ok := e.src.(Inspector)
	if !ok || m.asked || m.found != nil {
		return nil
	}
	m.asked = true
	return e.work("look at the models", func() tea.Msg {
		found, err := i.Inspect(e.ctx, true, nil)
		return inspectMsg{found, err, false}
	})
}

// inspect reads every model once.
func (m *models) inspect(e *explorer) tea.Cmd {
	i := e.src.(Inspector)
	m.busy = true
	return e.work("inspect the models", func() tea.Msg {
		found, err := i.Inspect(e.ctx, false, nil)
		return inspectMsg{found, err, true}
	})
}

// inspected takes what an inspection found.
func (e *explorer) inspected(m inspectMsg) tea.Cmd {
	e.models.busy = false
	if m.found != nil {
		e.models.found = m.found
	}
	if m.err != nil && m.asked {
		return func() tea.Msg { return failed(m.err) }
	}
	return nil
}

func notInspectable(e *explorer) string {
	switch _, ok := e.src.(Inspector); {
	case !ok:
		return "these models cannot be read from here"
	case e.models.busy:
		return "they are being read"
	}
	return ""
}

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
		{ID: "models.take", Places: at, Keys: []string{"t"}, Title: "take it in hand", Hint: "take in hand", Bar: 2, Twin: "parfait predict --at …", disabled: noFront, do: takeModel},
		{ID: "models.inspect", Places: at, Keys: []string{"i"}, Title: "read every model once: norms, cosines, sign conflicts", Hint: "inspect", Bar: 2, Twin: "parfait inspect --stats", Changes: true, disabled: notInspectable, do: func(e *explorer) tea.Cmd { return e.models.inspect(e) }},
		{ID: "models.picture", Places: at, Keys: []string{"v"}, Title: "the next picture: by themselves, cosines, norms by layers", Hint: "picture", Bar: 2, Twin: "parfait inspect --stats", do: func(e *explorer) tea.Cmd {
			e.models.picture = (e.models.picture + 1) % modelPictures
			return nil
		}},
	}
}

func takeModel(e *explorer) tea.Cmd {
	refs := e.analysis().References
	if len(refs) == 0 {
		return nil
	}
	r := refs[min(e.models.row, len(refs)-1)]
	cmd := e.move(explore.Move{Kind: explore.Go, X: r.X})
	e.note = note{r.Name + " is in hand", good}
	return cmd
}
