package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/pprof"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/charmbracelet/x/term"

	"parfait/evaluator"
	"parfait/internal/rescue"
	"parfait/problem"
)

// How the program ends before its work is done
//
// A signal (SIGINT, SIGTERM, SIGHUP, SIGQUIT), or a panic that nobody answers for, ends the context of the command.
// What is at work sees that at its next look, tidies up and returns, so that the command ends in order and says how to
// go on. That takes a moment; some things never look (a disk that hangs, a history that somebody else holds). So
// after leaveWithin, or at a second signal, the program leaves as it stands: the terminal is put right, a sentence
// is said, and the process is gone. That is safe: whatever is kept is recorded before anybody is told of it, and what
// is half-written has not got its name yet, as after a kill.
//
// A headless run that measures something lets the first ctrl-c end what it starts, not what is at work: that may have
// cost hours.

const (
	endWithin   = time.Second             // is what evaluators have to end in their own way
	leaveWithin = 1800 * time.Millisecond // in all; what asks for more is killed by many a scheduler
)

var errInterrupted = errors.New("interrupted")

// interrupted says whether a signal ended ctx.
func interrupted(ctx context.Context) bool { return errors.Is(context.Cause(ctx), errInterrupted) }

// ending is why a program ends before its work is done: a signal or a panic.
type ending struct {
	signal os.Signal
	panic  *rescue.Panic
	stacks string // after SIGQUIT: the file that says what everything was doing, or why there is none
}

// Error implements error.
func (e *ending) Error() string {
	if e.panic != nil {
		return e.panic.Error()
	}
	return "interrupted by " + e.signal.String()
}

// Is says that a signal interrupts; a panic is no interruption.
func (e *ending) Is(target error) bool { return target == errInterrupted && e.panic == nil }

// told is err, with which a command has ended, as it is told after an ending: in place of what merely says that
// something was cancelled, and with where the stacks are.
func (e *ending) told(err error) error {
	var own *fault
	switch {
	case e.panic != nil:
		return crashed(e.panic, e.panic)
	case err == nil && e.stacks == "":
		return nil // it was done all the same
	case err == nil:
		return &fault{exit: ExitInterrupted, what: "ended by " + e.signal.String() + ": " + e.stacks}
	case errors.Is(err, context.Canceled) && !errors.As(err, &own):
		err = &fault{exit: ExitInterrupted, what: "interrupted: what is recorded is kept, and nothing half-written is left", fix: "the same command again does it all"}
	}
	if e.stacks == "" {
		return err
	}
	what, fix := problem.Split(err)
	return &fault{exit: exitOf(err), what: what + "; " + e.stacks, fix: fix}
}

// crashed tells of a panic that ended the program, which err has more words for.
func crashed(err error, p *rescue.Panic) error {
	what, fix := err.Error()+"; what is recorded is safe", "the same command again goes on; please report this"
	if p.File != "" {
		return &fault{exit: ExitFailed, what: what, fix: fix + " with " + p.File}
	}
	return &fault{exit: ExitFailed, what: fmt.Sprintf("%s\n%s", what, p.Stack), fix: fix}
}

// leaver ends the program.
type leaver struct {
	app     *app
	json    bool // as it was before the flags were read, which may be going on
	cancel  context.CancelCauseFunc
	why     atomic.Pointer[ending] // the first of them
	goOn    atomic.Pointer[string] // what to do when it had to leave as it stood; nil: the same again
	screen  atomic.Pointer[term.State]
	over    atomic.Bool                 // somebody tells how it ended, and is the last to tell anything
	drain   atomic.Pointer[func() bool] // what the first ctrl-c does instead, where it can: to let what is at work end
	signals chan os.Signal
	undo    func()
}

// watch returns a context that a signal or a panic ends.
func (a *app) watch(ctx context.Context) (context.Context, *leaver) {
	ctx, cancel := context.WithCancelCause(ctx)
	l := &leaver{app: a, json: a.json, cancel: cancel, signals: make(chan os.Signal, 2)}
	l.undo = rescue.Install(keepStack, func(p *rescue.Panic) { l.begin(&ending{panic: p}) })
	heard := []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGQUIT}
	if !signal.Ignored(syscall.SIGHUP) { // nohup
		heard = append(heard, syscall.SIGHUP)
	}
	signal.Notify(l.signals, heard...)
	rescue.Go(func() {
		for s := range l.signals {
			if drain := l.drain.Load(); s == os.Interrupt && drain != nil && l.drain.CompareAndSwap(drain, nil) && (*drain)() {
				continue
			}
			l.begin(&ending{signal: s})
		}
	})
	return ctx, l
}

// begin ends the context, at the first call; at the second, or late, the program.
func (l *leaver) begin(e *ending) {
	if e.signal == syscall.SIGQUIT {
		e.stacks = dumpStacks()
	}
	if !l.why.CompareAndSwap(nil, e) {
		if e.stacks != "" || e.panic != nil { // there is more to tell
			l.why.Store(e)
		}
		l.leave()
		return
	}
	time.AfterFunc(leaveWithin, rescue.Guard(l.leave))
	l.cancel(&evaluator.Leaving{By: time.Now().Add(endWithin), Why: e})
}

// end is the end of the command: it returns how that is told. Nobody else tells anything from now on.
func (l *leaver) end(err error) error {
	if !l.over.CompareAndSwap(false, true) {
		select {} // the program is leaving as it stands
	}
	signal.Stop(l.signals)
	close(l.signals)
	l.cancel(nil)
	l.undo()
	if e := l.why.Load(); e != nil {
		return e.told(err)
	}
	if p := (*rescue.Panic)(nil); errors.As(err, &p) {
		return crashed(err, p)
	}
	return err
}

// leave ends the process as it stands.
func (l *leaver) leave() {
	if !l.over.CompareAndSwap(false, true) {
		return // it is about to end in order
	}
	err := l.why.Load().told(&fault{exit: ExitInterrupted, what: "interrupted: what is recorded is kept; what was at work did not end in time and was left as it stood", fix: l.fix()})
	said := make(chan struct{})
	rescue.Go(func() { // a terminal that nobody reads holds nobody
		defer close(said)
		l.restoreScreen()
		l.app.tell(err, l.json)
	})
	select {
	case <-said:
	case <-time.After(100 * time.Millisecond):
	}
	os.Exit(int(exitOf(err)))
}

func (l *leaver) fix() string {
	if fix := l.goOn.Load(); fix != nil {
		return *fix
	}
	return "the same command again does it all"
}

// onScreen says that the explorer has the terminal, until the returned function is called.
func (l *leaver) onScreen() (done func()) {
	state, err := term.GetState(l.app.in.Fd())
	if err != nil {
		return func() {}
	}
	l.screen.Store(state)
	return func() { l.screen.Store(nil) }
}

// screenOff ends what the explorer has asked of a terminal: a frame begun, colours, the mouse, reports of focus and
// keys, pasting in brackets, a hidden cursor, the other screen.
const screenOff = "\x1b[?2026l\x1b[0m\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?1004l\x1b[<u\x1b[>4m\x1b[?2004l\x1b[?25h\x1b[?1049l"

// restoreScreen puts the terminal right where the program has to leave without it being done in order.
func (l *leaver) restoreScreen() {
	if state := l.screen.Load(); state != nil {
		_, _ = io.WriteString(l.app.files[0], screenOff)
		_ = term.Restore(l.app.in.Fd(), state)
	} else if l.app.errTTY {
		_, _ = io.WriteString(l.app.files[1], "\r\x1b[K") // a line of progress
	}
}

// stackFolder is where stacks are kept: the logs of the study that is open. Like the stacks it is the process's.
var stackFolder atomic.Pointer[string]

// keepStacksOf has the stacks of panics kept with a study's logs.
func keepStacksOf(study string) {
	logs := filepath.Join(study, "logs")
	stackFolder.Store(&logs)
}

// stackFile makes a file for stacks: in the study's logs where those are there and can be written, else among the
// system's temporary files.
func stackFile(what string) (*os.File, error) {
	name := fmt.Sprintf("parfait-%s-%s-*.txt", what, time.Now().Format("20060102-150405"))
	if dir := stackFolder.Load(); dir != nil {
		if f, err := os.CreateTemp(*dir, name); err == nil {
			return f, nil
		}
	}
	return os.CreateTemp("", name)
}

// keepStack writes the stack of a panic to a file; "" where that cannot be.
func keepStack(p *rescue.Panic) string {
	f, err := stackFile("panic")
	if err != nil {
		return ""
	}
	_, err = fmt.Fprintf(f, "parfait %s, %q\n\npanic: %v\n\n%s", version(), os.Args, p.Value, p.Stack)
	if errors.Join(err, f.Close()) != nil {
		return ""
	}
	return f.Name()
}

// dumpStacks writes what every goroutine is doing to a file, and says where.
func dumpStacks() string {
	f, err := stackFile("stacks")
	if err == nil {
		_, err = fmt.Fprintf(f, "parfait %s, %q\n\n", version(), os.Args)
		err = errors.Join(err, pprof.Lookup("goroutine").WriteTo(f, 2), f.Close())
	}
	if err != nil {
		return "what it was doing could not be written down: " + err.Error()
	}
	return "what it was doing is in " + f.Name()
}
