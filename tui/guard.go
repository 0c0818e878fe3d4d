package tui

import (
	"context"
	"reflect"
	"sync"

	tea "charm.land/bubbletea/v2"

	"parfait/internal/rescue"
)

// guard keeps a panic of a model, in a message, a frame or work in the background, from leaving the terminal as it is:
// the session ends as if the person had left, which puts everything right, and fault is why.
type guard struct {
	tea.Model
	once  sync.Once
	over  <-chan struct{} // closed when the session is over
	ended chan struct{}   // closed by the first panic
	fault *rescue.Panic   // to be read once ended is closed
}

// guarded guards m, for as long as ctx.
func guarded(ctx context.Context, m tea.Model) *guard {
	return &guard{Model: m, over: ctx.Done(), ended: make(chan struct{})}
}

// caught is deferred around everything of the model.
func (g *guard) caught(value any) {
	if p := rescue.Recovered(value); p != nil {
		g.once.Do(func() {
			g.fault = p
			close(g.ended)
		})
	}
}

// Init implements tea.Model.
func (g *guard) Init() (cmd tea.Cmd) {
	leave := func() tea.Msg {
		select {
		case <-g.ended:
			return tea.QuitMsg{}
		case <-g.over:
			return nil
		}
	}
	defer func() { g.caught(recover()) }()
	return tea.Batch(leave, g.work(g.Model.Init()))
}

// Update implements tea.Model.
func (g *guard) Update(msg tea.Msg) (m tea.Model, cmd tea.Cmd) {
	m = g
	defer func() { g.caught(recover()) }()
	g.Model, cmd = g.Model.Update(msg)
	return m, g.work(cmd)
}

// View implements tea.Model.
func (g *guard) View() (v tea.View) {
	v.AltScreen = true
	defer func() { g.caught(recover()) }()
	return g.Model.View()
}

// Fault is the panic that ended the session, nil without one.
func (g *guard) Fault() error {
	select {
	case <-g.ended:
		return g.fault
	default:
		return nil
	}
}

var cmdType = reflect.TypeFor[tea.Cmd]()

// work guards a command and what it consists of: batches and sequences are messages that are lists of commands.
func (g *guard) work(cmd tea.Cmd) tea.Cmd {
	if cmd == nil {
		return nil
	}
	return func() (msg tea.Msg) {
		defer func() { g.caught(recover()) }()
		msg = cmd()
		if v := reflect.ValueOf(msg); v.Kind() == reflect.Slice && v.Type().Elem() == cmdType {
			for i := range v.Len() {
				each, _ := v.Index(i).Interface().(tea.Cmd)
				v.Index(i).Set(reflect.ValueOf(g.work(each)))
			}
		}
		return msg
	}
}
