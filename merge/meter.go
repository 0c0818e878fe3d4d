package merge

import (
	"sync/atomic"
	"time"

	"parfait/internal/rescue"
)

// Progress is where long work stands: a merge, and whatever else is told in the same way.
type Progress struct {
	Stage     string // "merge", "check", "recompute", "inspect", or what others do
	Done      int64  // bytes read and written, or what others count
	Total     int64
	Rate      float64 // of Done a second; 0: unknown
	Remaining time.Duration
	Work      bool // Done and Total are no bytes, and mean something relative to one another only
}

// meter counts bytes and reports a few times a second, and once at the end.
type meter struct {
	done   atomic.Int64
	known  atomic.Int64 // of done, what took no time
	report func(Progress)
	stage  string
	total  atomic.Int64
	start  time.Time
	stop   chan struct{}
	wg     rescue.Group
}

// reportEvery is how often progress is reported.
const reportEvery = 100 * time.Millisecond

func startMeter(stage string, total int64, report func(Progress)) *meter {
	m := &meter{report: report, stage: stage, start: time.Now(), stop: make(chan struct{})}
	m.total.Store(total)
	if report == nil {
		return m
	}
	m.wg.Go(func() {
		tick := time.NewTicker(reportEvery)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				m.say(m.done.Load())
			case <-m.stop:
				return
			}
		}
	})
	return m
}

func (m *meter) add(n int64) { m.done.Add(n) }

// skip adds n bytes that were known already.
func (m *meter) skip(n int64) {
	m.known.Add(n)
	m.done.Add(n)
}

// expect corrects the total by n bytes, where there is more or less to do than was thought.
func (m *meter) expect(n int64) { m.total.Add(n) }

func (m *meter) say(done int64) {
	total := m.total.Load()
	p := Progress{Stage: m.stage, Done: min(done, total), Total: total}
	if s, read := time.Since(m.start).Seconds(), p.Done-m.known.Load(); s > 0 && read > 0 {
		p.Rate = float64(read) / s
		p.Remaining = time.Duration(float64(p.Total-p.Done) / p.Rate * float64(time.Second))
	}
	m.report(p)
}

// end stops the reports; a stage that was completed is reported as such.
func (m *meter) end(completed bool) {
	close(m.stop)
	m.wg.Wait()
	if m.report != nil && completed {
		m.say(m.total.Load())
	}
}
