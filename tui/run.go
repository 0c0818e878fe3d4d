package tui

import (
	"context"
	"errors"
	"fmt"
	"os"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/term"

	"parfait/internal/rescue"
	"parfait/study"
)

// ErrNoTerminal says that there is no screen to draw on; the message says what to run instead.
var ErrNoTerminal = errors.New("the explorer needs a terminal; as text: `parfait front`, `parfait trials`, `parfait run --headless`")

// Interrupted is how Run ends where ctx did.
type Interrupted struct {
	Export string // what became of an export that was being written, in words; "" where there was none
	Err    error  // that of ctx
}

// Error implements error.
func (i *Interrupted) Error() string {
	if i.Export == "" {
		return i.Err.Error()
	}
	return i.Err.Error() + "; " + i.Export
}

// Unwrap returns the error of the context.
func (i *Interrupted) Unwrap() error { return i.Err }

// Run shows the explorer on the process's terminal until the person leaves or ctx ends, which is an *Interrupted;
// signals are the caller's, who ends ctx. The terminal is restored whatever happens, also on a panic, which is a
// *rescue.Panic. An export that is being written is cancelled and waited for, so that nothing half-written is left.
// Where the person left while a runner is at work, it says so on stdout.
func Run(ctx context.Context, src Source, o Options) error {
	if os.Getenv("TERM") == "dumb" || !term.IsTerminal(os.Stdout.Fd()) || !term.IsTerminal(os.Stdin.Fd()) {
		return ErrNoTerminal
	}
	ctx, over := context.WithCancel(ctx)
	defer over()
	return show(ctx, newExplorer(ctx, src, o))
}

// show is Run once there is a terminal.
func show(ctx context.Context, e *explorer) error {
	g := guarded(ctx, e)
	p := tea.NewProgram(g, tea.WithoutSignalHandler(), tea.WithoutCatchPanics())
	defer context.AfterFunc(ctx, rescue.Guard(p.Quit))()
	err := rescue.Call(func() error { _, err := p.Run(); return err })
	saved := safely("keep the view", e.saver.flush)
	written := e.endExport()
	switch {
	case err != nil:
		p.Kill() // unless it has ended in order
	case g.Fault() != nil:
		return g.Fault()
	case ctx.Err() != nil:
		return &Interrupted{Export: written, Err: ctx.Err()}
	case saved == nil:
		sayGoodbye(e.src.Snapshot())
	}
	return errors.Join(err, saved)
}

// endExport cancels an export that is being written, waits until nothing is left of it, and says so.
func (e *explorer) endExport() string {
	run := e.exporting
	if run == nil || run.over {
		return ""
	}
	run.cancel()
	<-run.ended
	if run.failed != nil {
		return "the export to " + printable(run.cost.Out) + " was cancelled, and nothing of it is left"
	}
	return "the export to " + printable(run.cost.Out) + " is whole"
}

// sayGoodbye says what goes on without the screen.
func sayGoodbye(s *study.Snapshot) {
	switch a := s.Activity; a.Runner {
	case study.Sampling:
		fmt.Printf("the runner stays at work on %s: %d of %d trials\n", s.Name, a.Done, a.Budget)
	case study.Waits:
		fmt.Printf("the runner of %s waits at %d of %d trials and goes on by itself: %s\n", s.Name, a.Done, a.Budget, printable(a.Note))
	case study.Paused:
		fmt.Printf("the runner of %s stays paused at %d of %d trials: parfait run %s lets it go on\n", s.Name, a.Done, a.Budget, s.Dir)
	}
}
