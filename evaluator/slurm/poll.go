//go:build linux || darwin

package slurm

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"parfait/evaluator"
)

// place is a task of an array.
type place struct {
	array string
	index int
}

// poll asks the queue once, for all that is open, and says whether it has answered. Where it does not, nothing is known,
// and nothing concluded.
func (e *cluster) poll(ctx context.Context, open []*wait) (heard bool) {
	e.mu.Lock()
	name := e.jobName()
	e.mu.Unlock()
	rows, err := e.tools.queue(ctx, name)
	if err != nil {
		for _, w := range open {
			if w.task.Array != "" {
				w.say("the queue does not answer: %s", firstLine(wordsOf(err)))
			}
		}
		return false
	}
	known := map[place]row{}
	for _, r := range rows {
		known[place{r.array, r.index}] = r
	}
	for _, w := range open {
		if w.task.Array != "" {
			r, there := known[place{w.task.Array, w.task.Index}]
			e.judge(ctx, w, r, there)
		}
	}
	if heard = e.tidy(ctx, rows); heard {
		e.mu.Lock()
		e.chore = false
		e.mu.Unlock()
	}
	return heard
}

// judge takes what the queue says of a candidate's task.
func (e *cluster) judge(ctx context.Context, w *wait, r row, there bool) {
	if there {
		w.last = r
	}
	if there && !r.over() {
		w.since = time.Time{}
		w.task.Unsure = false
		e.tell(w)
		return
	}
	if w.since.IsZero() {
		w.since = time.Now()
	}
	if time.Since(w.since) < e.options.Lost || e.collect(w) {
		return
	}
	e.lose(ctx, w)
}

// tell shows where a task stands, with what its command has printed.
func (e *cluster) tell(w *wait) {
	if w.last.state == "RUNNING" {
		if p, ok := w.run.copy(w.candidate); ok {
			w.counts = p
		}
	}
	note := w.last.says()
	if w.last.state == "RUNNING" && !w.run.began(w.task.Array) {
		note += ", after others"
	}
	w.say("%s", note)
}

// lose decides what to do about a candidate whose task is over, or nowhere, and has left no result.
func (e *cluster) lose(ctx context.Context, w *wait) {
	state, began := e.ending(w), w.run.began(w.task.Array)
	node := w.last.nodes
	on := ""
	if node != "" {
		on = " on " + node
	}
	switch {
	case (state == "TIMEOUT" || state == "DEADLINE") && began:
		e.give(w, evaluator.TimedOut, "Slurm has ended its task %s%s at the time limit (%s): ask for more with --time=… in the evaluator's sbatch%s", w.last.job, on, limitOf(w.last), e.fewerATask())
		return
	case state == "OUT_OF_MEMORY" && began:
		e.give(w, evaluator.Killed, "its task %s%s has used more memory than it had asked for, and Slurm has ended it: ask for more with --mem=… (or --mem-per-cpu, --mem-per-gpu) in the evaluator's sbatch, or evaluate with a smaller batch size", w.last.job, on)
		return
	case w.run.full(w.task.Array):
		state = "no room to merge"
		for _, n := range nodeNames(node) {
			e.blame[n] = max(e.blame[n], 2) // at once: what fills its disk stays
		}
	case state == "NODE_FAIL" || state == "BOOT_FAIL" || state == "FAILED" && !began:
		for _, n := range nodeNames(node) {
			e.blame[n]++
		}
	}
	if state == "FAILED" && !began {
		if w.task.Blind++; w.task.Blind >= 2 {
			e.give(w, evaluator.CannotStart, "its task %s%s ended before it had begun%s: the nodes have to see the folder %s: keep the study in a file system that they share, or look at the node", w.last.job, on, e.exit(ctx, w), e.options.Folder)
			return
		}
	}
	if !w.task.Unsure && (began || state != "TIMEOUT" && state != "OUT_OF_MEMORY") {
		w.task.Before = append(w.task.Before, state+on)
	}
	if len(w.task.Before) >= e.options.Tries {
		e.give(w, Lost, "its task was lost %d times and has left no result: %s; see `sacct -n -X --name=%s` and the nodes, then try again (parfait trials --retry)", len(w.task.Before), strings.Join(w.task.Before, ", "), e.jobName())
		return
	}
	w.say("%s%s: submitted again", state, on)
	e.order(w)
}

// ending is how a task ended: what the queue says, or, where it has forgotten it, what Slurm has written.
func (e *cluster) ending(w *wait) string {
	if w.last.state != "" && w.last.over() {
		return w.last.state
	}
	b, _ := os.ReadFile(filepath.Join(e.options.Folder, arrayPrefix+w.task.Array, strconv.Itoa(w.task.Index)+".out"))
	text := strings.ToUpper(string(b))
	for _, known := range [][2]string{
		{"DUE TO TIME LIMIT", "TIMEOUT"},
		{"OUT OF MEMORY", "OUT_OF_MEMORY"},
		{"OOM-KILL", "OUT_OF_MEMORY"},
		{"OOM_KILL", "OUT_OF_MEMORY"},
		{"DUE TO NODE FAILURE", "NODE_FAIL"},
		{"DUE TO PREEMPTION", "PREEMPTED"},
		{"CANCELLED AT", "CANCELLED"},
	} {
		if strings.Contains(text, known[0]) {
			return known[1]
		}
	}
	return "gone from the queue"
}

// exit is how Slurm tells that a task ended.
func (e *cluster) exit(ctx context.Context, w *wait) string {
	code := e.tools.exitCode(ctx, w.last.job)
	switch code {
	case "":
		return ""
	case "0:53":
		return " (its output could not be written there: exit code 0:53)"
	}
	return " (exit code " + code + ")"
}

func (e *cluster) fewerATask() string {
	if e.options.Group > 1 {
		return fmt.Sprintf(", or have a task measure fewer candidates than %d (group)", e.options.Group)
	}
	return ""
}

func limitOf(r row) string {
	if r.limit == "" {
		return "which squeue does not tell any more"
	}
	return r.limit
}

// nodeNames are the names in a list of nodes, where it is a plain one.
func nodeNames(list string) []string {
	if list == "" || strings.ContainsAny(list, "[(") {
		return nil
	}
	return strings.Split(list, ",")
}

// tidy has tasks cancelled whose questions nobody asks any more, and deletes what is left of arrays. It says whether all
// is in order.
func (e *cluster) tidy(ctx context.Context, rows []row) bool {
	arrays, _ := filepath.Glob(filepath.Join(e.options.Folder, arrayPrefix+"*"))
	var cancel []string
	for _, path := range arrays {
		array := strings.TrimPrefix(filepath.Base(path), arrayPrefix)
		wanted := e.wanted(path, array)
		inQueue := false
		for _, r := range rows {
			if r.array != array || r.over() {
				continue
			}
			inQueue = true
			if !slices.Contains(wanted, r.index) && r.state != "COMPLETING" {
				cancel = append(cancel, r.job)
			}
		}
		if len(wanted) == 0 && !inQueue {
			_ = os.RemoveAll(path) // what stays is found the next time
		}
	}
	if len(cancel) == 0 {
		return true
	}
	return e.tools.cancel(ctx, cancel) == nil
}

// discard deletes what is left of arrays all of whose questions are settled, without asking the queue: what Slurm has not
// ended yet finds nothing to do.
func (e *cluster) discard() {
	e.tidy(context.Background(), nil)
	e.takeAway()
	_ = os.Remove(e.options.Folder) // where it is empty
}

// wanted are the tasks of an array that some question waits for.
func (e *cluster) wanted(path, array string) (indices []int) {
	entries, _ := os.ReadDir(path)
	for _, entry := range entries {
		index, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		b, err := os.ReadFile(filepath.Join(path, entry.Name()))
		if err != nil {
			indices = append(indices, index) // nothing is known of it
			continue
		}
		for _, id := range strings.Fields(string(b)) {
			if t, ok := e.run(id).task(); ok && t.Array == array && t.Index == index {
				indices = append(indices, index)
				break
			}
		}
	}
	return indices
}

// Close waits until tasks that nobody wants are cancelled, as far as Slurm answers; its error tells of those that go on.
// The evaluator may be used again.
func (e *cluster) Close() error {
	end := time.Now().Add(closePatience)
	for {
		e.mu.Lock()
		chore, tends, left := e.chore, e.tends, e.left
		e.mu.Unlock()
		if !tends {
			e.discard()
			return e.goOn(left)
		}
		if time.Now().After(end) {
			if chore {
				return evaluator.Errorf(evaluator.Internal, "tasks that nobody waits for could not be cancelled: Slurm does not answer; the next run cancels them, or you: scancel --name=%s", e.jobName())
			}
			return nil
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// goOn tells of tasks that go on, which somebody who pressed ctrl-c may not expect.
func (e *cluster) goOn(tasks int) error {
	if tasks == 0 {
		return nil
	}
	return evaluator.Errorf(evaluator.Interrupted, "%d candidates wait or are measured in the cluster without this runner, and the next run takes them up; scancel --name=%s ends them", tasks, e.jobName())
}

// closePatience is how long the end of a run waits for tasks to be cancelled.
const closePatience = 15 * time.Second
