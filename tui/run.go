package tui

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/term"

	"parfait/study"
)

// ErrNoTerminal says that there is no screen to draw on; the message says what to run instead.
var ErrNoTerminal = errors.New("the explorer needs a terminal; as text: `parfait front`, `parfait trials`, `parfait run --headless`")

// Run shows the explorer on the process's terminal until the person leaves or ctx ends. The terminal is
// restored whatever happens: on a panic, SIGTERM, SIGHUP and ctx too. Where the person left while a runner
// is at work, it says so on stdout.
func Run(ctx context.Context, src Source, o Options) error {
	if os.Getenv("TERM") == "dumb" || !term.IsTerminal(os.Stdout.Fd()) || !term.IsTerminal(os.Stdin.Fd()) {
		return ErrNoTerminal
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	e := newExplorer(ctx, src, o)
	p := tea.NewProgram(e, tea.WithContext(ctx))
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	defer signal.Stop(hangup)
	go func() {
		select {
		case <-hangup:
			p.Quit()
		case <-ctx.Done():
		}
	}()
	_, err := p.Run()
	if saved := safely("keep the view", e.saver.flush); err == nil {
		err = saved
	}
	if errors.Is(err, tea.ErrProgramKilled) && ctx.Err() != nil {
		err = ctx.Err()
	}
	if err == nil {
		sayGoodbye(src.Snapshot())
	}
	return err
}

// sayGoodbye says what goes on without the screen.
func sayGoodbye(s *study.Snapshot) {
	switch a := s.Activity; a.Runner {
	case study.Sampling:
		fmt.Printf("the runner stays at work on %s: %d of %d trials\n", s.Name, a.Done, a.Budget)
	case study.Paused:
		fmt.Printf("the runner of %s stays paused at %d of %d trials: parfait run %s lets it go on\n", s.Name, a.Done, a.Budget, s.Dir)
	}
}
