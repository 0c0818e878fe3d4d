package tui

import (
	"fmt"
	"time"

	tea "charm.land/bubbletea/v2"

	"parfait/explore"
	"parfait/merge"
)

// progress is how far a long piece of background work is.
type progress struct {
	merge.Progress
	news chan merge.Progress
	over chan struct{} // closed when the work is over
}

type (
	progressMsg struct {
		of *progress
		at merge.Progress
	}
	progressTick struct{ of *progress }
	progressEnd  struct{ of *progress }
)

func newProgress() *progress {
	return &progress{news: make(chan merge.Progress, 1), over: make(chan struct{})}
}

// tell is called by the work, from one goroutine at a time: the newest report wins.
func (p *progress) tell(at merge.Progress) {
	select {
	case <-p.news:
	default:
	}
	select {
	case p.news <- at:
	default:
	}
}

// end is called once by the work when it is over. A report that comes later is lost.
func (p *progress) end() { close(p.over) }

// next waits for the next report.
func (p *progress) next() tea.Cmd {
	return func() tea.Msg {
		select {
		case <-p.over:
			return progressEnd{p}
		case at := <-p.news:
			return progressMsg{p, at}
		}
	}
}

// progressed takes a report; the next one is taken when it can be drawn.
func (e *explorer) progressed(m progressMsg) tea.Cmd {
	m.of.Progress = m.at
	return e.after(second/framesASecond, progressTick{m.of})
}

// ended forgets a work that is over, whatever came of it.
func (e *explorer) ended(p *progress) {
	for _, v := range e.views {
		if v, ok := v.(worker); ok {
			v.ended(p)
		}
	}
}

// words are "43% 1.2 GB/s 12 s", as far as they are known; "" at first.
func (p *progress) words() string {
	if p.Total <= 0 {
		return ""
	}
	words := fmt.Sprintf("%.0f%%", 100*float64(p.Done)/float64(p.Total))
	if p.Rate > 0 {
		words += " " + explore.Bytes(int64(p.Rate)) + "/s"
	}
	if p.Remaining > time.Second {
		words += " " + duration(p.Remaining)
	}
	return words
}

// underWay says in the header what long work is being done, and how far it is.
func (e *explorer) underWay() []string {
	var out []string
	say := func(what string, p *progress) {
		if w := p.words(); w != "" {
			what += " " + w
		}
		out = append(out, what)
	}
	if x := e.exporting; x != nil && !x.over {
		say("export "+x.Stage, x.progress)
	}
	for _, v := range e.views {
		if v, ok := v.(worker); ok {
			if what, p := v.underWay(); p != nil {
				say(what, p)
			}
		}
	}
	return out
}
