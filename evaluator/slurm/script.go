//go:build linux || darwin

package slurm

import (
	"fmt"
	"path/filepath"
	"strings"

	"parfait/evaluator"
	"parfait/evaluator/internal/placeholder"
)

// taskScript is what every task of an array runs; %[1]s is the folder, %[2]s the array. It measures the questions that
// are listed under its index, one after another.
//
// A command whose task is told to end has no result, also where it ends well: that is Slurm's doing (the time limit, a
// preemption, scancel), which may have killed a part of it that it did not look after. What to make of it is the runner's to
// say. Signals that --signal asks for are passed on. $SLURM_RESTART_COUNT is in
// the names, so that a task that Slurm runs twice does not write over itself. A folder that this node does not see is
// exit status 66.
//
// When a try was begun, from when on its command ran, and until when, is in its result, by the node's clock.
//
// Where the task merges itself (materialise: there), a candidate has a recipe beside its command; see mergeScript.
const taskScript = `#!/bin/sh
cd %[1]s 2>/dev/null || { echo "the folder of the runner is not there on $(uname -n): "%[1]s; exit 66; }
list=%[2]s/$SLURM_ARRAY_TASK_ID
[ -e %[2]s ] || exit 0 # nobody waits for it any more
[ -r "$list" ] || { echo "$list cannot be read on $(uname -n)"; exit 66; }
here=$PWD told= child= room= full= merging=
trap 'told=1; [ -n "$child" ] && kill -TERM "$child" 2>/dev/null' TERM
for s in INT HUP USR1 USR2; do
	trap "[ -n \"\$child\" ] && [ -z \"\$merging\" ] && kill -$s \"\$child\" 2>/dev/null" $s
done
await() { # the child, also where a signal comes
	child=$!
	wait "$child"; status=$?
	while kill -0 "$child" 2>/dev/null; do wait "$child"; status=$?; done
	child=
}
job=${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID
node=${SLURMD_NODENAME:-$(uname -n)}
%[4]sfor id in $(cat "$list"); do
	[ -z "$told" ] || exit 143
	run=$here/run-$id
	[ -e "$run/task.json" ] && [ ! -e "$run/result.json" ] || continue
	try=try-%[3]s-${SLURM_RESTART_COUNT:-0}
	mkdir "$run/$try" && : >"$run/$try/stderr" || continue
	status=0 fault= begun=$(date +%%s.%%N) from=
	if [ -L "$run/model" ] && [ ! -d "$run/model/." ]; then
		fault=', "code": "no_model", "error": "the merged model '$(readlink "$run/model")' is not there on the node '$node': let candidates.path in study.yaml name a folder that all nodes share"'
	elif [ ! -e "$run/recipe.json" ] || merged; then
		from=$(date +%%s.%%N)
		PARFAIT_OUT=$run/$try/out.json sh "$run/command.sh" </dev/null >"$run/$try/stdout" 2>"$run/$try/stderr" &
		await
	fi
	ended=$(date +%%s.%%N)
	[ -z "$room" ] || rm -rf "${room:?}/$id"
	[ -z "$told" ] && [ "$status" != 143 ] || exit 143
	[ -z "$full" ] || { full=; continue; } # no result: another node may have room
	find "$run/$try" -type f -exec sync {} + 2>/dev/null
	part=$run/.$try.result
	printf '{"try": "%%s", "status": %%d, "job": "%%s", "node": "%%s", "begun": "%%s", "from": "%%s", "ended": "%%s"%%s}\n' "$try" "$status" "$job" "$node" "$begun" "$from" "$ended" "$fault" >"$part" ||
		{ rm -f "$part"; continue; } # the disk is full: half a result would be one for ever
	sync "$part" 2>/dev/null
	[ -z "$told" ] || { rm -f "$part"; exit 143; } # at the same moment: it may have ended for that
	ln "$part" "$run/result.json" 2>/dev/null # the first counts
	rm -f "$part"
	sync "$run" 2>/dev/null
done
exit 0
`

// scriptOf is the script of an array.
func (e *cluster) scriptOf(array string) string {
	return fmt.Sprintf(taskScript, quoted(e.options.Folder), quoted(arrayPrefix+array), array, e.mergeScript())
}

// What stands for paths that are another in every try: of the report, and of a model that is merged there.
const (
	outMark   = "\x01out\x01"
	modelMark = "\x01model\x01"
)

// script is what a task runs for one candidate.
func (e *cluster) script(c evaluator.Candidate, model string) (string, error) {
	o := e.options.Command
	values, err := o.Values(c, model, outMark)
	if err != nil {
		return "", err
	}
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	b.WriteString("# " + strings.ReplaceAll(c.Key, "\n", " ") + "\n")
	for _, variable := range o.Environment(values) {
		name, value, _ := strings.Cut(variable, "=")
		if name != "PARFAIT_OUT" && value != modelMark { // they are set already
			fmt.Fprintf(&b, "export %s=%s\n", name, quoted(value))
		}
	}
	b.WriteString("export PARFAIT_OUT\n")
	fmt.Fprintf(&b, "cd %s || { echo \"the working directory is not there on $(uname -n)\" >&2; exit 126; }\nexec", quoted(dir))
	for _, arg := range o.Command {
		b.WriteString(" " + quoted(placeholder.Expand(arg, values)))
	}
	return b.String() + "\n", nil
}

// quoted is a text as one word of the shell, with the paths that the marks stand for.
func quoted(s string) string {
	s = "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
	return strings.NewReplacer(outMark, `'"$PARFAIT_OUT"'`, modelMark, `'"$PARFAIT_MODEL"'`).Replace(s)
}
