//go:build linux || darwin

package slurm

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"parfait/evaluator"
	"parfait/internal/rescue"
)

// wait is a candidate that somebody waits for.
type wait struct {
	run       run
	candidate evaluator.Candidate
	progress  func(evaluator.Progress)
	ended     chan struct{} // closed when the result is there

	// The rest is the tender's.
	task   task      // Array is "" until one is to be submitted
	asked  time.Time // since when it is to be submitted
	last   row       // what the queue said last
	since  time.Time // since when it is over or absent there, zero where it is not
	counts evaluator.Progress
}

// follow has the tender care for a candidate.
func (e *cluster) follow(w *wait) {
	e.know(w.run.id)
	e.mu.Lock()
	w.asked = time.Now()
	e.waits[w.run.id] = w
	e.mu.Unlock()
	e.tend()
}

func (e *cluster) unfollow(w *wait) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.waits, w.run.id)
}

// withdraw has the task of a candidate ended that nobody wants any more.
func (e *cluster) withdraw(w *wait) {
	if _, ok := w.run.task(); !ok {
		return
	}
	_ = os.Remove(filepath.Join(w.run.dir, taskName)) // its absence says so to the task itself, too
	e.mu.Lock()
	e.chore = true
	e.mu.Unlock()
	e.tend()
}

// beat is how often the tender looks for results, and how long it waits for more that could go out together.
func (e *cluster) beat() time.Duration { return min(time.Second, e.options.Poll/5) }

// tend wakes the tender: the one goroutine that submits, asks the queue and looks for results, while there is something
// to do.
func (e *cluster) tend() {
	e.mu.Lock()
	start := !e.tends && (e.chore || len(e.waits) > 0)
	e.tends = e.tends || start
	e.mu.Unlock()
	if start {
		rescue.Go(e.tender)
		return
	}
	select {
	case e.wake <- struct{}{}:
	default:
	}
}

func (e *cluster) tender() {
	ctx := context.Background()
	var polled time.Time
	heard := true // the queue has answered
	for {
		e.mu.Lock()
		chore, open := e.chore, e.openLocked()
		if e.tends = chore || len(open) > 0; !e.tends {
			e.mu.Unlock()
			return
		}
		e.mu.Unlock()
		open = slices.DeleteFunc(open, e.collect)
		submitted := slices.ContainsFunc(open, func(w *wait) bool { return w.task.Array != "" })
		soon := e.options.Poll
		if chore && heard { // many are withdrawn one after another
			soon /= 5
		}
		if (chore || submitted) && time.Since(polled) >= soon {
			heard = e.poll(ctx, open)
			polled = time.Now()
		}
		e.submitDue(ctx, open)
		select {
		case <-e.wake:
		case <-time.After(e.beat()):
		}
	}
}

func (e *cluster) openLocked() []*wait {
	open := slices.Collect(maps.Values(e.waits))
	slices.SortFunc(open, func(a, b *wait) int { return cmp.Or(a.asked.Compare(b.asked), strings.Compare(a.run.id, b.run.id)) })
	return open
}

// collect says whether a candidate has its result, and tells who waits.
func (e *cluster) collect(w *wait) bool {
	_, ok := w.run.result()
	if ok {
		e.end(w)
	}
	return ok
}

func (e *cluster) end(w *wait) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.waits[w.run.id] == w {
		delete(e.waits, w.run.id)
		close(w.ended)
	}
}

// give gives a candidate a runner's result.
func (e *cluster) give(w *wait, code evaluator.Code, format string, args ...any) {
	if err := w.run.give(result{Code: code, Error: fmt.Sprintf(format, args...)}); err != nil {
		w.say("its end cannot be noted: %v", err)
		return // it is tried again with the next answer of the queue
	}
	e.collect(w)
}

// say shows a note, before that of the last progress.
func (w *wait) say(format string, args ...any) {
	p := w.counts
	note := fmt.Sprintf(format, args...)
	if p.Note != "" {
		note += " · " + p.Note
	}
	p.Note = note
	w.progress(p)
}

// submitDue submits the candidates that are to be, as arrays, when no more have come for a beat.
func (e *cluster) submitDue(ctx context.Context, open []*wait) {
	var due []*wait
	for _, w := range open {
		if w.task.Array == "" {
			due = append(due, w)
		}
	}
	if len(due) == 0 || time.Since(due[len(due)-1].asked) < e.beat() && time.Since(due[0].asked) < 5*e.beat() || time.Now().Before(e.again) {
		return
	}
	if e.largest == 0 {
		e.largest = e.tools.largestArray(ctx)
	}
	for len(due) > 0 {
		n := min(len(due), e.largest*e.options.Group)
		e.submitArray(ctx, due[:n])
		due = due[n:]
	}
}

// submitArray submits candidates as one array, or as two where that is more than may be submitted at once.
func (e *cluster) submitArray(ctx context.Context, list []*wait) {
	array, list, err := e.writeArray(list)
	if err != nil {
		for _, w := range list {
			e.give(w, evaluator.CannotStart, "its task cannot be handed to Slurm: %v", err)
		}
		return
	}
	if len(list) == 0 {
		return
	}
	tasks := (len(list) + e.options.Group - 1) / e.options.Group
	out := filepath.Join(e.options.Folder, arrayPrefix+array, "%a.out")
	args := append(e.options.arguments(e.avoided()),
		"--parsable", "--job-name="+e.jobName(), "--comment="+commentPrefix+array, "--output="+strings.ReplaceAll(e.options.Folder, "%", "%%")+strings.TrimPrefix(out, e.options.Folder),
		"--open-mode=append", "--no-requeue", "--chdir=/")
	err = e.tools.submit(ctx, e.scriptOf(array), tasks, args)
	switch {
	case err == nil:
		e.again = time.Time{}
		e.took(array)
		for _, w := range list {
			w.say("handed to Slurm")
		}
	case limited(err):
		e.takeBack(list)
		if half := len(list) / 2; tasks > 1 {
			e.submitArray(ctx, list[:half])
			if time.Now().After(e.again) {
				e.submitArray(ctx, list[half:])
			}
			return
		}
		e.again = time.Now().Add(e.options.Poll)
		for _, w := range list {
			w.say("waits until it may be submitted: %s", firstLine(wordsOf(err)))
		}
	case unsure(err):
		for _, w := range list {
			w.task.Unsure = true
			_ = w.run.setTask(w.task) // it says how an absence counts, no more
			w.say("sbatch does not say whether it is submitted: %s", firstLine(wordsOf(err)))
		}
	case len(e.avoided()) > 0: // perhaps there is no other node
		e.takeBack(list)
		clear(e.blame)
	default:
		e.refuse(ctx, err, list)
	}
}

// refuse has candidates submitted later whose array sbatch does not take now, or gives them up.
func (e *cluster) refuse(ctx context.Context, err error, list []*wait) {
	r := e.request()
	if r.taken = e.taken; !e.tools.passes(ctx, err, r) {
		for _, w := range list {
			e.give(w, evaluator.CannotStart, "%v", refused(err, r))
		}
		return
	}
	e.takeBack(list)
	e.again = time.Now().Add(e.options.Poll)
	for _, w := range list {
		w.say("waits until nodes are there for it: %s", lastLine(wordsOf(err)))
	}
}

// writeArray puts on disk which candidates are about to be submitted. It returns those that somebody still waits for.
func (e *cluster) writeArray(list []*wait) (array string, wanted []*wait, err error) {
	array = rand.Text()
	dir := filepath.Join(e.options.Folder, arrayPrefix+array)
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, w := range list {
		if e.waits[w.run.id] == w {
			wanted = append(wanted, w)
		}
	}
	if len(wanted) == 0 {
		return array, nil, nil
	}
	// First who wants which task: an array that nobody wants is deleted.
	for i, w := range wanted {
		w.task.Array, w.task.Index, w.task.Unsure = array, i/e.options.Group+1, false
		w.last, w.since = row{}, time.Time{}
		if err := w.run.setTask(w.task); err != nil {
			return "", wanted, err
		}
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", wanted, err
	}
	index := 0
	for some := range slices.Chunk(wanted, e.options.Group) {
		index++
		var ids []string
		for _, w := range some {
			ids = append(ids, w.run.id)
		}
		if err := writeSynced(filepath.Join(dir, strconv.Itoa(index)), []byte(strings.Join(ids, "\n")+"\n")); err != nil {
			return "", wanted, err
		}
	}
	return array, wanted, errors.Join(syncFolder(dir), syncFolder(e.options.Folder))
}

// takeBack has candidates submitted later whose array was refused.
func (e *cluster) takeBack(list []*wait) {
	for _, w := range list {
		e.order(w)
	}
}

// order has a candidate submitted, once more.
func (e *cluster) order(w *wait) {
	w.task.Array, w.task.Index, w.task.Unsure = "", 0, false
	w.last, w.since, w.asked = row{}, time.Time{}, time.Now()
}

// avoided are the nodes that have lost two tasks.
func (e *cluster) avoided() []string {
	var nodes []string
	for _, node := range slices.Sorted(maps.Keys(e.blame)) {
		if e.blame[node] >= 2 {
			nodes = append(nodes, node)
		}
	}
	return nodes
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}
