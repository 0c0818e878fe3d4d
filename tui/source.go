package tui

import (
	"context"

	"parfait/merge"
	"parfait/study"
)

// Source is the study that is looked at; *study.Study is one. It is safe for concurrent use.
type Source interface {
	// Snapshot returns the newest state without waiting.
	Snapshot() *study.Snapshot
	// Subscribe returns a channel that always ends up holding the newest snapshot, closed when ctx ends.
	Subscribe(ctx context.Context) <-chan *study.Snapshot
	// Do records a command for the runner.
	Do(c study.Command) error
	// StartRunner starts a detached runner, or resumes a paused one.
	StartRunner() error
	// SavePick records a decision.
	SavePick(p study.Pick) (study.Pick, error)
	// PlanExport says what an export will cost and why it cannot be.
	PlanExport(r study.ExportRequest) (study.ExportCost, error)
	// Export writes and checks a checkpoint. ctx ends when somebody cancels it, not with the session.
	Export(ctx context.Context, r study.ExportRequest, progress func(merge.Progress)) (study.Export, error)
	// Log returns the end of a trial's log.
	Log(trial int) (string, error)
	// LoadView and SaveView keep the interface's state of one person.
	LoadView(who string) ([]byte, error)
	SaveView(who string, b []byte) error
}

// What a Source may offer beyond that; *study.Study offers all of it.
type (
	// Inspector says how the models stand to each other. With cached only what is known already is looked at.
	Inspector interface {
		Inspect(ctx context.Context, cached bool, progress func(merge.Progress)) (*merge.Inspection, error)
	}
	// Reciper writes a point as a recipe that can be executed without the study.
	Reciper interface {
		Recipe(ctx context.Context, x []float64) ([]byte, error)
	}
	// Checker compares an export with its receipt.
	Checker interface {
		CheckExport(ctx context.Context, e study.Export, progress func(merge.Progress)) (problems []string, err error)
	}
)

// Role says what a person may do.
type Role uint8

// Roles. The zero value may do everything.
const (
	Operator Role = iota // evaluates, picks, exports
	Viewer               // looks and asks what if
)

// Options are one session's.
type Options struct {
	Who        string            // whose view is kept, and who asked for what; "" for the person at this machine
	Role       Role              // what they may do
	Environ    []string          // the session's environment; nil: the process's
	Glyphs     string            // "braille", "block", "ascii", or "" for what the environment can show
	Light      *bool             // the background; nil: ask the terminal, dark until it answers
	Remote     bool              // under SSH: no suspending, nothing of this machine's terminal
	Tour       bool              // show the hints for a first time
	TourDone   func()            // called once the hints were seen or dismissed
	Confidence float64           // with which floors are kept, where some point can; 0: the usual
	Notify     string            // "bell" or "osc9" when a run finishes; "" for neither
	Audit      func(what string) // told of everything that changes the study; nil for nobody
}
