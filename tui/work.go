package tui

import (
	"errors"
	"fmt"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"parfait/internal/rescue"
	"parfait/problem"
	"parfait/study"
	"parfait/tui/chart"
)

const second = time.Second

// work does something in the background. A panic becomes an error that is shown, and the session lives.
func (e *explorer) work(what string, f func() tea.Msg) tea.Cmd {
	return func() (msg tea.Msg) {
		if err := safely(what, func() error { msg = f(); return nil }); err != nil {
			return failed(err)
		}
		return msg
	}
}

// safely is for what has to be done where nobody shows a message: a panic becomes an error.
func safely(what string, f func() error) error {
	err := rescue.Call(f)
	if p := (*rescue.Panic)(nil); errors.As(err, &p) {
		return fmt.Errorf("could not %s: %w", what, err)
	}
	return err
}

// failed is the message that shows an error; nil where there is none.
func failed(err error) tea.Msg {
	if err == nil {
		return nil
	}
	return noteMsg{note{strings.Join(strings.Fields(problem.Text(err)), " "), bad}}
}

// refusedMsg says why what somebody has just asked for was not done.
type refusedMsg struct{ text string }

// refused is the message that shows an error to who caused it.
func refused(err error) tea.Msg { return refusedMsg{problem.Text(err)} }

// refuse says it at the bottom where it fits, else where there is room for it.
func (e *explorer) refuse(m refusedMsg) {
	line := strings.Join(strings.Fields(e.within(m.text)), " ")
	if chart.Width(line) > e.w-2 && e.above == nil {
		e.above = &reading{title: "That was not done", lines: e.broken(m.text)}
		return
	}
	e.note = note{line, bad}
}

// broken is a message in lines that a dialog has room for.
func (e *explorer) broken(text string) []string {
	return splitLines(ansi.Wordwrap(e.within(text), min(e.w-8, 96), ""))
}

// said is the message that shows something.
func said(text string) tea.Msg { return noteMsg{note{text, good}} }

// listen waits for the next snapshot.
func (e *explorer) listen() tea.Cmd {
	ch := e.sub
	return func() tea.Msg {
		s, ok := <-ch
		if !ok {
			return nil
		}
		return snapshotMsg{s}
	}
}

// do asks the runner for something and says what comes of it.
func (e *explorer) do(c study.Command, done string) tea.Cmd {
	c.Who = e.o.Who
	return e.work(string(c.Kind), func() tea.Msg {
		if err := e.src.Do(c); err != nil {
			return refused(err)
		}
		return said(done)
	})
}
