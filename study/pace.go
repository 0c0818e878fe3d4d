package study

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"parfait/evaluator"
)

// Elapsed is how long the trial was measured by the moment of the snapshot, or has been; 0 where it was not begun.
func (s *Snapshot) Elapsed(t *Trial) time.Duration {
	switch {
	case t.Started.IsZero():
		return 0
	case t.Ended.IsZero() || t.State == evaluator.Running:
		return max(0, s.Now.Sub(t.Started))
	}
	return t.Ended.Sub(t.Started)
}

// Remaining is how much longer a trial that runs is expected to be measured, by how long the same evaluators took for as
// many tasks of the newest others. It is not known before one has finished, and where it takes longer than all of them.
func (s *Snapshot) Remaining(t *Trial) (left time.Duration, known bool) {
	if t.State != evaluator.Running || t.Started.IsZero() {
		return 0, false
	}
	missing := map[string]int{}
	for _, task := range s.Tasks {
		if !t.answered(task.Name) {
			missing[task.Evaluator]++
		}
	}
	for name, tasks := range missing {
		of, ok := beyond(took(s.Trials, name, tasks), s.Elapsed(t))
		if !ok {
			return 0, false
		}
		left, known = max(left, of), true
	}
	return left, known
}

// took is how long the newest evaluations took of so many tasks, from when their trial was begun.
func took(trials []Trial, name string, tasks int) (times []time.Duration) {
	for _, t := range slices.Backward(trials) {
		for _, m := range t.Measurements {
			// An attempt before the last was begun at another time.
			if m.Attempt == t.Attempt && m.Evaluator == name && len(m.Metrics) == tasks && m.Split == evaluator.Validation && m.At.After(t.Started) && !t.Started.IsZero() {
				times = append(times, m.At.Sub(t.Started))
			}
		}
		if len(times) >= recent {
			break
		}
	}
	return times
}

// beyond is how much longer what was begun so long ago will take: the median over those that took longer, of how much.
func beyond(times []time.Duration, elapsed time.Duration) (left time.Duration, known bool) {
	var longer []time.Duration
	for _, took := range times {
		if took > elapsed {
			longer = append(longer, took-elapsed)
		}
	}
	if len(longer) == 0 {
		return 0, false
	}
	slices.Sort(longer)
	return longer[len(longer)/2], true
}

// lookEvery is how often is looked what evaluations print.
const lookEvery = time.Second

// printing has the trials that run say the last line of their logs, and returns them; before is how they were seen before.
func printing(trials, before []Trial, anew bool) []Trial {
	var out []Trial
	for i, t := range trials {
		if t.State != evaluator.Running {
			continue
		}
		if out == nil {
			out = slices.Clone(trials) // others may have them
		}
		switch {
		case anew:
			out[i].Line = evaluator.LastLine(t.Log)
		case i < len(before) && before[i].Attempt == t.Attempt:
			out[i].Line = before[i].Line
		}
	}
	if out == nil {
		return trials
	}
	return out
}

// see is what runs with what it prints now, where that was not looked at for a while. The caller holds loading, or
// nobody else knows s yet.
func (s *Study) see(trials []Trial) []Trial {
	now := time.Now()
	s.mu.Lock()
	var before []Trial
	if s.snap != nil {
		before = s.snap.Trials
	}
	anew := now.Sub(s.looked) >= lookEvery
	if anew {
		s.looked = now
	}
	s.mu.Unlock()
	return printing(trials, before, anew)
}

// glance publishes what evaluations have printed since, and that time has passed: nothing else may change for hours.
func (s *Study) glance() {
	s.loading.Lock()
	defer s.loading.Unlock()
	trials := s.see(s.Snapshot().Trials)
	s.mu.Lock()
	defer s.mu.Unlock()
	next := *s.snap
	next.Now, next.Trials = time.Now(), trials
	s.publish(&next)
}

// Underway says how far a trial is that runs, in words: how much is done as its evaluator says, what is expected to remain,
// and the last that it printed; "" where nothing of that is known, or it does not run.
func (s *Snapshot) Underway(t *Trial) string {
	if t.State != evaluator.Running {
		return ""
	}
	var parts []string
	if p := t.Progress; p.Total > 0 {
		parts = append(parts, fmt.Sprintf("%d of %d", p.Done, p.Total))
	}
	alive := s.Activity.Runner.Alive()
	if left, known := s.Remaining(t); known && alive {
		parts = append(parts, "≈ "+roughly(left)+" left")
	}
	for _, said := range []string{t.Progress.Note, t.Line} {
		if said != "" {
			parts = append(parts, said)
		}
	}
	if len(parts) > 0 && !alive {
		parts[0] = "no runner looks at it; seen last: " + parts[0]
	}
	return strings.Join(parts, " · ")
}

// roughly is a time as one says it who does not know it well.
func roughly(d time.Duration) string {
	switch {
	case d < 90*time.Second:
		return fmt.Sprintf("%d s", int(math.Ceil(d.Seconds())))
	case d < 90*time.Minute:
		return fmt.Sprintf("%d min", int(math.Round(d.Minutes())))
	}
	return fmt.Sprintf("%.1f h", d.Hours())
}
