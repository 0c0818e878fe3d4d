//go:build linux || darwin

package slurm

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"parfait/evaluator"
)

// Job is a program that Slurm keeps at work until it ends by itself: a small job that submits itself again before its time
// limit. It is known by its name, of which only one runs at a time.
type Job struct {
	Name    string // nobody else's
	Command []string
	Dir     string   // where it works
	Script  string   // file for what the job runs; it has to stay, as the job submits it again
	Log     string   // file that everything is appended to
	Sbatch  []string // options of sbatch
	Bin     string   // as Options has it
}

// Placed is a job in the cluster.
type Placed struct {
	Job   string // its number
	Says  string // what the queue says of it; "" where it does not yet
	Found bool   // it was there already
}

// jobScript is what it runs: %[1]s are the arguments of sbatch, %[2]s the script, %[3]s where it works, %[4]s the program,
// %[5]s the command.
//
// SIGUSR1 comes some minutes before the time limit. Then the next job is submitted, which waits until this one is over, and
// the program is told to end. SIGTERM is for all of a job, where Slurm sends it; who sends it to the script alone has it
// passed on.
const jobScript = `#!/bin/sh
# A runner that Slurm keeps at work: it submits itself again before its time limit. It ends when its work is done, when
# somebody stops it, or with scancel.
child=
again() {
	until sbatch %[1]s <%[2]s; do
		echo "the next job could not be submitted; tried again in 10 s"
		sleep 10
	done
	kill -TERM "$child"
}
trap again USR1
trap 'sleep 5; kill -TERM "$child" 2>/dev/null' TERM
cd %[3]s || exit 66
[ -x %[4]s ] || { echo %[4]s" is not there on $(uname -n): let it be in a folder that all nodes see"; exit 127; }
echo "job $SLURM_JOB_ID on ${SLURMD_NODENAME:-$(uname -n)}, $(date)"
%[5]s </dev/null &
child=$!
wait "$child"; status=$?
while kill -0 "$child" 2>/dev/null; do wait "$child"; status=$?; done
exit $status
`

// kept are the options of sbatch that a job sets itself.
var kept = []string{
	"--array", "-a", "--job-name", "-J", "--comment", "--output", "-o", "--error", "-e", "--dependency", "-d", "--requeue", "--no-requeue",
	"--open-mode", "--chdir", "-D", "--parsable", "--wrap", "--wait", "-W", "--test-only", "--clusters", "-M",
}

// Submit submits the job, where none of its name waits or runs.
func (j Job) Submit(ctx context.Context) (p Placed, err error) {
	for _, arg := range j.Sbatch {
		if name, _, _ := strings.Cut(arg, "="); slices.Contains(kept, name) {
			return p, evaluator.Errorf(evaluator.BadOptions, "%s is the job's own", name)
		}
	}
	t := tools{bin: j.Bin}
	what := request{whose: "the runner's job", options: j.Sbatch, key: "--sbatch"}
	if err := t.check(ctx, what); err != nil {
		return p, err
	}
	if p, err = j.find(ctx, t); p.Found || err != nil {
		return p, err
	}
	sbatch := t.path("sbatch")
	args := append([]string{
		"--parsable", "--job-name=" + j.Name, "--comment=" + j.Name, "--dependency=singleton", "--requeue", "--open-mode=append",
		"--output=" + strings.ReplaceAll(j.Log, "%", "%%"), "--chdir=/",
	}, j.Sbatch...)
	if !slices.ContainsFunc(j.Sbatch, func(arg string) bool { return strings.HasPrefix(arg, "--signal") }) {
		args = append(args, "--signal=B:USR1@180")
	}
	words := func(list []string) string {
		var out []string
		for _, s := range list {
			out = append(out, quoted(s))
		}
		return strings.Join(out, " ")
	}
	text := fmt.Sprintf(jobScript, words(args), quoted(j.Script), quoted(j.Dir), quoted(j.Command[0]), words(j.Command))
	if t.bin != "" {
		text = strings.Replace(text, "until sbatch", "until "+quoted(sbatch), 1)
	}
	if err := errors.Join(os.MkdirAll(filepath.Dir(j.Script), 0o755), writeFile(j.Script, []byte(text))); err != nil {
		return p, evaluator.Errorf(evaluator.CannotStart, "the job's script cannot be written: %w", err)
	}
	said, err := t.call(ctx, text, "sbatch", args...)
	switch {
	case err != nil && unsure(err): // it may be there
		if p, lost := j.find(ctx, t); lost == nil && p.Found {
			p.Found = false
			return p, nil
		}
		return p, evaluator.Errorf(evaluator.CannotStart, "sbatch does not say whether the job was submitted: %s; the same again finds it where it was", wordsOf(err))
	case err != nil && t.passes(ctx, err, what):
		return p, evaluator.Errorf(evaluator.CannotStart, "no node is up that the job could run on: %s; try again when `sinfo` shows some", lastLine(wordsOf(err)))
	case err != nil:
		return p, refused(err, what)
	}
	p.Job, _, _ = strings.Cut(strings.TrimSpace(said), ";")
	if found, err := j.find(ctx, t); err == nil && found.Found {
		p.Says = found.Says
	}
	return p, nil
}

// find looks for a job of the name that waits or runs. A queue that does not answer says nothing.
func (j Job) find(ctx context.Context, t tools) (p Placed, err error) {
	rows, err := t.rows(ctx, j.Name)
	if err != nil {
		return p, evaluator.Errorf(evaluator.CannotStart, "the queue does not say whether a runner is in it: %s; nothing was submitted, try again later", wordsOf(err))
	}
	for _, r := range rows {
		if r.over() || p.Found && r.state != "RUNNING" {
			continue
		}
		p = Placed{Job: r.job, Says: r.stands(), Found: true}
	}
	return p, nil
}
