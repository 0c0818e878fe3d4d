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

	"parfait/evaluator"
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
	cmd.Env = append(slices.DeleteFunc(os.Environ(), func(v string) bool {
		// A person's own view of the queue, or to be asked back, is not for programs.
		return strings.HasPrefix(v, "SQUEUE_") || strings.HasPrefix(v, "SCANCEL_")
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

// full are Slurm's words for more jobs than are allowed: there is room again when some have ended.
var full = regexp.MustCompile(`(?i)Max(Submit|Jobs)|MaxJobCount|MaxArraySize|job submit limit|maximum number of jobs|(resource )?temporarily unable to accept|Slurm temporarily|too many jobs`)

// away are its words where it is not known whether the controller has taken the job.
var away = regexp.MustCompile(`(?i)contact slurm controller|timed out|connect(ion)? failure|Zero Bytes|Transport endpoint|Unexpected message|Connection (refused|reset)|Insane message|Protocol authentication|munge|slurm_receive|in standby|not responding|try again`)

// limited says whether sbatch has refused for the number of jobs.
func limited(err error) bool {
	return full.MatchString(wordsOf(err)) && !strings.Contains(wordsOf(err), "WallDuration")
}

// unsure says whether sbatch may have submitted although it failed.
func unsure(err error) bool {
	var exit *exec.ExitError
	return away.MatchString(wordsOf(err)) || errors.As(err, &exit) && !exit.Exited() || errors.Is(err, context.DeadlineExceeded)
}

func wordsOf(err error) string {
	if t := (*toolError)(nil); errors.As(err, &t) {
		return t.words
	}
	return ""
}

// check says what keeps tasks with these options from being submitted, as far as sbatch knows. A controller that is
// away, or that is full, keeps nothing from being submitted later.
func (t tools) check(ctx context.Context, options []string) error {
	for _, name := range []string{"sbatch", "squeue", "scancel", "scontrol"} {
		if _, err := exec.LookPath(t.path(name)); err != nil {
			return evaluator.Errorf(evaluator.CannotStart, "Slurm's program %s is not here: %w; expected it in $PATH or in the folder that the option bin names: run parfait on a login node of the cluster (`module load slurm` where programs are loaded that way)", name, err)
		}
	}
	_, err := t.call(ctx, "", "sbatch", append(append([]string{}, options...), "--test-only", "--wrap=true")...)
	if err == nil || limited(err) || unsure(err) || ctx.Err() != nil {
		return ctx.Err()
	}
	return refused(err, options)
}

// refused tells what sbatch does not take.
func refused(err error, options []string) error {
	return evaluator.Errorf(evaluator.CannotStart, "sbatch does not take the evaluator's tasks: %s\n(the option sbatch is %q; `sinfo` shows the partitions, `scontrol show node` what nodes have; try `sbatch --test-only --wrap=true %s`)", wordsOf(err), options, strings.Join(options, " "))
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
	out, err := t.call(ctx, "", "squeue", "-h", "-r", "-t", "all", "-n", name, "-o", "%F|%K|%T|%r|%N|%M|%l|%k")
	if err != nil {
		return nil, err
	}
	var rows []row
	for line := range strings.Lines(out) {
		f := strings.SplitN(strings.TrimSpace(line), "|", 8)
		if len(f) < 8 || !strings.HasPrefix(f[7], commentPrefix) {
			continue
		}
		index, err := strconv.Atoi(f[1])
		if err != nil {
			continue
		}
		rows = append(rows, row{job: f[0] + "_" + f[1], state: f[2], reason: f[3], nodes: f[4], time: f[5], limit: f[6], array: strings.TrimPrefix(f[7], commentPrefix), index: index})
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

// says is the row for people.
func (r row) says() string {
	switch {
	case r.state == "RUNNING":
		return fmt.Sprintf("RUNNING on %s, %s of %s (task %s)", r.nodes, r.time, r.limit, r.job)
	case r.reason != "" && r.reason != "None":
		return fmt.Sprintf("%s (%s, task %s)", r.state, r.reason, r.job)
	}
	return fmt.Sprintf("%s (task %s)", r.state, r.job)
}
