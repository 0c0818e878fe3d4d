//go:build linux || darwin

package slurm

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"parfait/evaluator/internal/report"
)

// tools are Slurm's programs.
type tools struct {
	bin string // their folder, "": $PATH
}

// toolPatience is how long one of them may take. While the controller is away they give up by themselves before.
const toolPatience = 2 * time.Minute

// call runs one of the programs and returns what it printed. Its error has the program's own words.
func (t tools) call(ctx context.Context, in string, name string, args ...string) (string, error) {
	ctx, stop := context.WithTimeout(ctx, toolPatience)
	defer stop()
	cmd := exec.CommandContext(ctx, t.path(name), args...)
	_, inJob := os.LookupEnv("SLURM_JOB_ID")
	cmd.Env = append(slices.DeleteFunc(os.Environ(), func(v string) bool {
		// A person's own view of the queue, or to be asked back, is not for programs; and what the runner's own job was given,
		// where it is one, is not for its tasks.
		name, _, _ := strings.Cut(v, "=")
		return strings.HasPrefix(v, "SQUEUE_") || strings.HasPrefix(v, "SCANCEL_") || inJob && strings.HasPrefix(v, "SLURM_") && !slices.Contains(everyJobs, name)
	}), "LC_ALL=C")
	cmd.Stdin = strings.NewReader(in)
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	cmd.WaitDelay = time.Second
	err := cmd.Run()
	if err != nil {
		words := strings.TrimSpace(report.Printable(said.String()))
		if words == "" {
			words = err.Error()
		}
		err = &toolError{name: name, words: words, cause: err}
	}
	return out.String(), err
}

// everyJobs are Slurm's variables that say which cluster is meant.
var everyJobs = []string{"SLURM_CONF", "SLURM_CLUSTERS", "SLURM_JWT"}

func (t tools) path(name string) string {
	if t.bin == "" {
		return name
	}
	return filepath.Join(t.bin, name)
}

// toolError is what a program of Slurm said that failed.
type toolError struct {
	name, words string
	cause       error
}

func (e *toolError) Error() string { return e.name + ": " + e.words }
func (e *toolError) Unwrap() error { return e.cause }

func wordsOf(err error) string {
	if t := (*toolError)(nil); errors.As(err, &t) {
		return t.words
	}
	return ""
}

// submit submits the script as an array of n tasks.
func (t tools) submit(ctx context.Context, script string, n int, args []string) error {
	_, err := t.call(ctx, script, "sbatch", append(args, "--array=1-"+strconv.Itoa(n))...)
	return err
}

// row is what the queue says of one task.
type row struct {
	job    string // 12_3
	state  string
	reason string
	nodes  string
	time   string // that it has run for
	limit  string
	array  string
	index  int
}

// queue returns the study's tasks that the controller knows, also those that have ended lately.
func (t tools) queue(ctx context.Context, name string) ([]row, error) {
	rows, err := t.rows(ctx, name)
	return slices.DeleteFunc(rows, func(r row) bool { return r.array == "" || r.index == 0 }), err
}

// rows are all jobs and tasks of a name that the controller knows. Those of arrays have an index.
func (t tools) rows(ctx context.Context, name string) ([]row, error) {
	out, err := t.call(ctx, "", "squeue", "-h", "-r", "-t", "all", "-n", name, "-o", "%F|%K|%T|%r|%N|%M|%l|%k")
	if err != nil {
		return nil, err
	}
	var rows []row
	for line := range strings.Lines(out) {
		f := strings.SplitN(strings.TrimSpace(line), "|", 8)
		if len(f) < 8 {
			continue
		}
		r := row{job: f[0], state: f[2], reason: f[3], nodes: f[4], time: f[5], limit: f[6]}
		if index, err := strconv.Atoi(f[1]); err == nil {
			r.job, r.index = f[0]+"_"+f[1], index
		}
		if array, ok := strings.CutPrefix(f[7], commentPrefix); ok {
			r.array = array
		}
		rows = append(rows, r)
	}
	return rows, nil
}

// commentPrefix begins the comment of a job; the array's name follows.
const commentPrefix = "parfait:"

// cancel has tasks ended.
func (t tools) cancel(ctx context.Context, jobs []string) error {
	_, err := t.call(ctx, "", "scancel", append([]string{"--quiet"}, jobs...)...)
	return err
}

// exitCode is a job's as Slurm tells it: 0:53 where its output could not be written; "" where it does not know any more.
func (t tools) exitCode(ctx context.Context, job string) string {
	out, err := t.call(ctx, "", "scontrol", "-o", "show", "job", job)
	if err != nil {
		return ""
	}
	if m := regexp.MustCompile(`\bExitCode=(\d+:\d+)`).FindStringSubmatch(out); m != nil {
		return m[1]
	}
	return ""
}

// largestArray is how many tasks an array may have: its largest index is one less than MaxArraySize.
func (t tools) largestArray(ctx context.Context) int {
	const usual = 1001
	out, err := t.call(ctx, "", "scontrol", "show", "config")
	if m := regexp.MustCompile(`MaxArraySize\s*=\s*(\d+)`).FindStringSubmatch(out); err == nil && m != nil {
		if n, err := strconv.Atoi(m[1]); err == nil && n > 1 {
			return n - 1
		}
	}
	return usual - 1
}

// over says whether a task in this state will not run on.
func (r row) over() bool {
	switch r.state {
	case "PENDING", "RUNNING", "SUSPENDED", "COMPLETING", "CONFIGURING", "STAGE_OUT", "SIGNALING", "STOPPED", "RESIZING", "REQUEUED", "REQUEUE_FED", "REQUEUE_HOLD", "RESV_DEL_HOLD", "SPECIAL_EXIT":
		return false
	}
	return true
}

// says is the row for people, with the task.
func (r row) says() string {
	if r.state == "RUNNING" {
		return r.stands() + " (task " + r.job + ")"
	}
	if r.reason != "" && r.reason != "None" {
		return fmt.Sprintf("%s (%s, task %s)", r.state, r.reason, r.job)
	}
	return fmt.Sprintf("%s (task %s)", r.state, r.job)
}

// stands is the row for people.
func (r row) stands() string {
	switch {
	case r.state == "RUNNING":
		return fmt.Sprintf("RUNNING on %s, %s of %s", r.nodes, r.time, r.limit)
	case r.reason != "" && r.reason != "None":
		return fmt.Sprintf("%s (%s)", r.state, r.reason)
	}
	return r.state
}
