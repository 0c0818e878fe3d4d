//go:build linux || darwin

package slurm

import (
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"parfait/evaluator"
	"parfait/evaluator/command"
	"parfait/evaluator/internal/report"
)

// What lies in Options.Folder: one folder for every question that is open, one for every array.
const (
	runPrefix   = "run-"
	arrayPrefix = "array-"
)

// What lies in the folder of a question, beside those of its tries and what evaluator.Keep puts there.
const (
	commandName = "command.sh"  // what is to be run
	sumName     = "sum"         // command.Options.Sum from before it was handed over
	taskName    = "task.json"   // which task of which array measures it; there before sbatch is called
	resultName  = "result.json" // what came of it: the first that is linked there counts
	recipeName  = "recipe.json" // what the task merges itself, where it does
	copiedName  = "copied.json" // how much of what its tries print is in the log
	tryPrefix   = "try-"        // with the array and how often Slurm has started the task again
)

// run is the folder of one question.
type run struct {
	dir string
	id  string
}

func (r run) String() string { return r.dir }

func (e *cluster) run(id string) run {
	return run{dir: filepath.Join(e.options.Folder, runPrefix+id), id: id}
}

// idOf is the candidate's id, or what stands for it where it has none.
func idOf(c evaluator.Candidate) string {
	if c.ID != "" {
		return c.ID
	}
	h := fnv.New64a()
	_, _ = fmt.Fprintf(h, "%q %d %q %q", c.Key, c.Attempt, c.Split, c.Tasks) // a hash takes everything
	return fmt.Sprintf("%016x", h.Sum64())
}

// task says which task measures a question, and what became of those before it.
type task struct {
	Array  string   `json:"array"`
	Index  int      `json:"index"`
	Unsure bool     `json:"unsure,omitempty"` // sbatch has failed in a way that leaves open whether it is in the queue
	Before []string `json:"before,omitempty"` // how the tasks before it ended
	Blind  int      `json:"blind,omitempty"`  // how many of those ended without having seen the folder
}

// result is what came of a question. A task writes the first four, a runner that gives up the others.
type result struct {
	Try     string         `json:"try,omitempty"` // in which folder the report and the output are
	Status  int            `json:"status"`        // exit status of the command
	Job     string         `json:"job,omitempty"`
	Node    string         `json:"node,omitempty"`
	Begun   string         `json:"begun,omitempty"` // seconds since 1970, by the node's clock
	From    string         `json:"from,omitempty"`  // since when the command ran
	Ended   string         `json:"ended,omitempty"`
	Merging bool           `json:"merging,omitempty"` // it was the merge that has ended so
	Code    evaluator.Code `json:"code,omitempty"`
	Error   string         `json:"error,omitempty"`
}

// took is how long the command ran, without waiting in the queue and merging; 0 where that is not known.
func (res result) took() time.Duration { return between(res.From, res.Ended) }

// held is how long the task held its node for it.
func (res result) held() time.Duration { return between(res.Begun, res.Ended) }

// between is the time between two of a node's clock in seconds, 0 where one is not known.
func between(from, to string) time.Duration {
	a, err := strconv.ParseFloat(from, 64)
	b, err2 := strconv.ParseFloat(to, 64)
	if err != nil || err2 != nil {
		return 0
	}
	return max(0, time.Duration((b-a)*float64(time.Second)))
}

// prepared says whether everything that a task needs is there.
func (r run) prepared() bool {
	_, err := os.Stat(filepath.Join(r.dir, commandName))
	return err == nil && r.inPlace()
}

// inPlace says whether the folder lies where it was made.
func (r run) inPlace() bool { return evaluator.InPlace(r.dir) }

// make makes the folder, with nothing of an earlier one.
func (r run) make() error {
	if err := evaluator.Drop(r.dir); err != nil {
		return err
	}
	if err := os.MkdirAll(r.dir, 0o755); err != nil {
		return err
	}
	return r.write(evaluator.PlaceName, []byte(r.dir))
}

// sum is command.Options.Sum from before it was handed over, "" where it is not known.
func (r run) sum() string {
	b, _ := os.ReadFile(filepath.Join(r.dir, sumName)) // without it nothing is kept
	return string(b)
}

// write writes a file of the folder, whole or not at all, and lasting.
func (r run) write(name string, b []byte) error { return writeFile(filepath.Join(r.dir, name), b) }

func writeFile(path string, b []byte) error {
	part := path + ".part"
	if err := writeSynced(part, b); err != nil {
		return err
	}
	if err := os.Rename(part, path); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(path))
}

func writeSynced(path string, b []byte) (err error) {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if _, err = f.Write(b); err != nil {
		return err
	}
	return f.Sync()
}

func syncFolder(path string) (err error) {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return f.Sync()
}

// task returns the task that measures the question, or false where none was ever to be submitted.
func (r run) task() (t task, ok bool) {
	b, err := os.ReadFile(filepath.Join(r.dir, taskName))
	return t, err == nil && json.Unmarshal(b, &t) == nil && t.Array != "" && r.inPlace()
}

func (r run) setTask(t task) error {
	b, err := json.Marshal(t)
	if err != nil {
		return err
	}
	return r.write(taskName, b)
}

// result returns what came of the question, false where nothing has yet. The folder is read first: that makes a network
// file system look again.
func (r run) result() (res result, ok bool) {
	entries, err := os.ReadDir(r.dir)
	if err != nil || !slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return e.Name() == resultName }) {
		return res, false
	}
	b, err := os.ReadFile(filepath.Join(r.dir, resultName))
	return res, err == nil && json.Unmarshal(b, &res) == nil
}

// give is a runner's result, where no task has left one. The first counts.
func (r run) give(res result) error {
	b, err := json.Marshal(res)
	if err != nil {
		return err
	}
	part := filepath.Join(r.dir, resultName+".runner")
	if err := writeSynced(part, b); err != nil {
		return err
	}
	err = os.Link(part, filepath.Join(r.dir, resultName))
	if errors.Is(err, fs.ErrExist) {
		err = nil
	}
	return errors.Join(err, os.Remove(part), syncFolder(r.dir))
}

// tries are the folders of its tries, in the order of their beginning.
func (r run) tries() []string {
	found, _ := filepath.Glob(filepath.Join(r.dir, tryPrefix+"*"))
	began := map[string]int64{}
	for _, path := range found {
		if info, err := os.Stat(filepath.Join(path, command.StderrFile)); err == nil {
			began[path] = info.ModTime().UnixNano()
		}
	}
	slices.SortStableFunc(found, func(a, b string) int { return int(min(1, max(-1, began[a]-began[b]))) })
	return found
}

// began says whether a task has begun to measure it.
func (r run) began(array string) bool {
	found, _ := filepath.Glob(filepath.Join(r.dir, tryPrefix+array+"-*"))
	return len(found) > 0
}

// log copies what its tries have printed since into the candidate's log, and says where it came from at the end.
func (r run) log(c evaluator.Candidate, res result) {
	r.copy(c)
	log, err := evaluator.OpenLog(c.Log, 0)
	if err != nil || log == nil {
		return
	}
	defer log.Close()
	switch {
	case res.Code != "":
		log.Say("%s", report.Printable(res.Error))
	default:
		log.Say("attempt %d of %s on %s: task %s on %s ended with exit status %d", c.Attempt, c.Key, c.Split, res.Job, res.Node, res.Status)
	}
}

// copy copies what its tries have printed since it was called last into the candidate's log, and returns the last that
// one told of its progress.
func (r run) copy(c evaluator.Candidate) (p evaluator.Progress, ok bool) {
	log, err := evaluator.OpenLog(c.Log, 0)
	if err != nil {
		return p, false
	}
	defer log.Close()
	at := map[string]int64{}
	if b, err := os.ReadFile(filepath.Join(r.dir, copiedName)); err == nil {
		_ = json.Unmarshal(b, &at) // else it is copied again
	}
	more := false
	for _, try := range r.tries() {
		for _, name := range []string{command.StdoutFile, command.StderrFile} {
			key := filepath.Join(filepath.Base(try), name)
			text, end := readFrom(filepath.Join(try, name), at[key])
			if len(text) == 0 {
				continue
			}
			more, at[key] = true, end
			if q, found := lastProgress(text); found {
				p, ok = q, true
			}
			_, _ = log.Write(text)
		}
	}
	if b, err := json.Marshal(at); more && err == nil {
		_ = os.WriteFile(filepath.Join(r.dir, copiedName), b, 0o644)
	}
	return p, ok
}

// readFrom returns the whole lines of a file from an offset on, at most 16 MiB of the last, and where they end.
func readFrom(path string, from int64) (text []byte, end int64) {
	f, err := os.Open(path)
	if err != nil {
		return nil, from
	}
	defer func() { _ = f.Close() }() // it was only read
	info, err := f.Stat()
	if err != nil {
		return nil, from
	}
	from = max(from, info.Size()-evaluator.MaxLog)
	text = make([]byte, max(0, info.Size()-from))
	n, _ := f.ReadAt(text, from)
	text = text[:n]
	if i := strings.LastIndexAny(string(text), "\r\n"); i >= 0 {
		text = text[:i+1]
	} else {
		text = nil
	}
	return text, from + int64(len(text))
}

// lastProgress is the last line of a text that tells of progress.
func lastProgress(text []byte) (evaluator.Progress, bool) {
	lines := strings.FieldsFunc(string(text), func(c rune) bool { return c == '\n' || c == '\r' })
	for _, line := range slices.Backward(lines) {
		if p, ok := report.ParseProgress([]byte(line)); ok {
			return p, true
		}
	}
	return evaluator.Progress{}, false
}
