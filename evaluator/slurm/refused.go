//go:build linux || darwin

package slurm

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"parfait/evaluator"
)

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

// unset are sbatch's words where it knows of no cluster at all.
var unset = regexp.MustCompile(`(?i)establish a configuration source|unable to process configuration file|ClusterName needs to be specified`)

// wanting are its words where no node suits: none ever does, or none has registered since the controller started.
var wanting = regexp.MustCompile(`(?i)node configuration is not available|(required|requested) nodes? (is |are )?(not available|busy)|nodes required for job are down`)

// absent are the states of nodes, as scontrol has them, that no job gets now.
var absent = regexp.MustCompile(`\*|(^|\+)(UNKNOWN|DOWN|DRAIN\w*|FAIL\w*|FUTURE|MAINT\w*|REBOOT\w*|NOT_RESPONDING)(\+|$)`)

// request is what somebody wants to submit.
type request struct {
	whose   string   // for people
	options []string // of sbatch, that sbatch may refuse
	key     string   // where they are written
	taken   bool     // sbatch has taken them before
}

// check says what keeps the job from being submitted, as far as sbatch knows. What may pass keeps nothing from being
// submitted later: a controller that is away or full, nodes that have not registered with it yet.
func (t tools) check(ctx context.Context, r request) error {
	for _, name := range []string{"sbatch", "squeue", "scancel", "scontrol"} {
		if _, err := exec.LookPath(t.path(name)); err != nil {
			return evaluator.Errorf(evaluator.CannotStart, "Slurm's program %s is not here: %w; expected it in $PATH or in the folder that the option bin names: run parfait on a login node of the cluster (`module load slurm` where programs are loaded that way)", name, err)
		}
	}
	err := t.test(ctx, r)
	if err == nil || limited(err) || unsure(err) || ctx.Err() != nil || t.passes(ctx, err, r) {
		return ctx.Err()
	}
	return refused(err, r)
}

// passes says whether sbatch, which has submitted nothing, may take the same later.
func (t tools) passes(ctx context.Context, err error, r request) bool {
	switch words := wordsOf(err); {
	case unset.MatchString(words):
		return r.taken
	case !wanting.MatchString(words):
		return false
	case r.taken || t.noNode(ctx, r.options):
		return true
	}
	return !wanting.MatchString(wordsOf(t.test(ctx, r))) // a node may have registered since sbatch was asked
}

// test asks sbatch whether it would take the options.
func (t tools) test(ctx context.Context, r request) error {
	_, err := t.call(ctx, "", "sbatch", append(slices.Clone(r.options), "--test-only", "--wrap=true")...)
	return err
}

var nodeFields = regexp.MustCompile(`\b(State|Partitions)=(\S*)`)

// noNode says whether all nodes that the options leave are away, as they are until they have registered with a controller
// that was started again.
func (t tools) noNode(ctx context.Context, options []string) bool {
	out, err := t.call(ctx, "", "scontrol", "-o", "show", "node")
	if err != nil {
		return unsure(err)
	}
	wanted, seen := partitionsOf(options), false
	for line := range strings.Lines(out) {
		field := map[string]string{}
		for _, m := range nodeFields.FindAllStringSubmatch(line, -1) {
			field[m[1]] = m[2]
		}
		if field["State"] == "" {
			continue
		}
		in := func(partition string) bool {
			return slices.Contains(strings.Split(field["Partitions"], ","), partition)
		}
		if len(wanted) > 0 && !slices.ContainsFunc(wanted, in) {
			continue
		}
		if seen = true; !absent.MatchString(field["State"]) {
			return false
		}
	}
	return seen
}

// partitionsOf are those that options of sbatch name.
func partitionsOf(options []string) []string {
	for i, arg := range options {
		name, value, _ := strings.Cut(arg, "=")
		switch {
		case name == "--partition" && value != "":
			return strings.Split(value, ",")
		case (arg == "--partition" || arg == "-p") && i+1 < len(options):
			return strings.Split(options[i+1], ",")
		}
	}
	return nil
}

// refused tells what sbatch does not take.
func refused(err error, r request) error {
	words := wordsOf(err)
	switch {
	case unset.MatchString(words):
		return evaluator.Errorf(evaluator.CannotStart, "no cluster is configured here: run parfait on a login node, where `sinfo` answers, or set SLURM_CONF (sbatch says %q)", lastLine(words))
	case wanting.MatchString(words):
		return evaluator.Errorf(evaluator.CannotStart, "no node suits %s: %s\n(%s is %q; `scontrol show node` shows what nodes have, `sinfo` which are up)", r.whose, lastLine(words), r.key, r.options)
	}
	return evaluator.Errorf(evaluator.CannotStart, "sbatch does not take %s: %s\n(%s is %q; `sinfo` shows the partitions, `scontrol show node` what nodes have; try `%s`)", r.whose, words, r.key, r.options, strings.Join(append(append([]string{"sbatch"}, r.options...), "--test-only", "--wrap=true"), " "))
}

func lastLine(s string) string { return s[strings.LastIndex(s, "\n")+1:] }

// takenName is the file of an array's folder with the options that sbatch took it with.
const takenName = "taken.json"

// request is what the evaluator submits. Options that sbatch has taken for something that is still open it has taken
// before.
func (e *cluster) request() request {
	r := request{whose: "the evaluator's tasks", options: e.options.Sbatch, key: "the option sbatch"}
	found, _ := filepath.Glob(filepath.Join(e.options.Folder, arrayPrefix+"*", takenName))
	r.taken = slices.ContainsFunc(found, func(path string) bool {
		var options []string
		b, err := os.ReadFile(path)
		return err == nil && json.Unmarshal(b, &options) == nil && slices.Equal(options, e.options.Sbatch)
	})
	return r
}

// took notes that sbatch has taken an array. Where that cannot be noted the nodes are asked later.
func (e *cluster) took(array string) {
	e.taken = true
	if b, err := json.Marshal(e.options.Sbatch); err == nil {
		_ = writeSynced(filepath.Join(e.options.Folder, arrayPrefix+array, takenName), b)
	}
}
