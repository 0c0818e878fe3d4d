package cli

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/term"

	"parfait/evaluator"
	"parfait/internal/rescue"
	"parfait/study"
	"parfait/visible"
)

// progress is a line on stderr that says where long work stands. On a terminal it rewrites itself, four
// times a second at most; elsewhere a line appears every tenth of the way, and every minute.
type progress struct {
	app *app

	mu     sync.Mutex
	drawn  int    // lines that stand on the terminal, of which the last has no end yet
	below  string // a second line, for terminals; "" for none
	last   time.Time
	tenth  int
	stage  string
	silent bool
	begin  time.Time
}

func (a *app) progress() *progress { return &progress{app: a, tenth: -1} }

const (
	redrawEvery = 250 * time.Millisecond
	repeatEvery = time.Minute
	quietFor    = 2 * time.Second
)

// show says that done of total is done; text is what else there is to say.
func (p *progress) show(stage string, done, total int64, text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.silent {
		return
	}
	tenth := 0
	if total > 0 {
		tenth = int(10 * done / total)
	}
	since := time.Since(p.last)
	turn := stage != p.stage || (done == total && tenth != p.tenth)
	p.stage = stage
	if p.app.errTTY {
		if turn || since >= redrawEvery {
			p.last = time.Now()
			p.draw(fmt.Sprintf("%s %s %s", stage, bar(done, total), text))
		}
		return
	}
	if p.begin.IsZero() {
		p.begin = time.Now()
	}
	if stage != samplingStage && time.Since(p.begin) < quietFor {
		return // what is over before anybody reads it is not worth a line in a log
	}
	if turn || tenth != p.tenth || since >= repeatEvery {
		p.tenth, p.last = tenth, time.Now()
		_, _ = fmt.Fprintf(p.app.err, "%s: %s\n", stage, text)
	}
}

func (p *progress) draw(line string) {
	width := 80
	if w, _, err := term.GetSize(p.app.files[1].Fd()); err == nil && w > 1 {
		width = w
	}
	p.clear()
	lines := []string{line}
	if p.below != "" {
		lines = append(lines, "  "+p.below)
	}
	for i, line := range lines {
		if i > 0 {
			_, _ = io.WriteString(p.app.tty, "\r\n")
		}
		_, _ = io.WriteString(p.app.err, ansi.Truncate(visible.Line(line), width-1, "…"))
	}
	p.drawn = len(lines)
}

// say prints a line of its own above the progress.
func (p *progress) say(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clear()
	_, _ = fmt.Fprintf(p.app.err, format+"\n", args...)
}

// slow says what is being done where it takes a while, until the returned function is called.
func (p *progress) slow(format string, args ...any) (done func()) {
	late := time.AfterFunc(quietFor, rescue.Guard(func() { p.say(format, args...) }))
	return func() { late.Stop() }
}

// end takes the line away.
func (p *progress) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clear()
	p.silent = true
}

func (p *progress) clear() {
	for ; p.drawn > 0; p.drawn-- {
		_, _ = io.WriteString(p.app.tty, "\r"+ansi.EraseLineRight)
		if p.drawn > 1 {
			_, _ = io.WriteString(p.app.tty, ansi.CUU1)
		}
	}
}

// samplingStage is the progress of a run, which is always worth a line.
const samplingStage = "sampling"

const barWidth = 20

func bar(done, total int64) string {
	if total <= 0 {
		return strings.Repeat("─", barWidth)
	}
	full := int(barWidth * min(done, total) / total)
	return strings.Repeat("━", full) + strings.Repeat("─", barWidth-full)
}

// underway shows how far a study's run has come, and on a terminal what the trial says that was begun first of those that
// run.
func (p *progress) underway(snap *study.Snapshot) {
	below := ""
	var first *study.Trial
	for i := range snap.Trials {
		if t := &snap.Trials[i]; t.State == evaluator.Running && (first == nil || t.Started.Before(first.Started)) {
			first = t
		}
	}
	if first != nil {
		below = fmt.Sprintf("trial %d · %s", first.ID, durationText(snap.Elapsed(first)))
		if said := snap.Underway(first); said != "" {
			below += " · " + said
		}
	}
	p.mu.Lock()
	p.below = below
	p.mu.Unlock()
	p.activity(snap.Activity)
}

// activity shows how far a study's run has come.
func (p *progress) activity(act study.Activity) {
	text := fmt.Sprintf("%d/%d", act.Done, act.Budget)
	if act.Running > 0 {
		text += fmt.Sprintf(" · %d running", act.Running)
	}
	if act.Failed > 0 {
		text += fmt.Sprintf(" · %d failed", act.Failed)
	}
	if act.Runner == study.Waits {
		text += " · waits: " + visible.Line(act.Note)
	}
	if act.ETA > 0 && act.Done < act.Budget {
		text += " · eta " + durationText(act.ETA)
	}
	p.show(samplingStage, int64(act.Done), int64(act.Budget), text)
}
