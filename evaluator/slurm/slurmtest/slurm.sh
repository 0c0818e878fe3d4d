#!/bin/sh
# A Slurm of one machine for tests, under the names sbatch, squeue, scancel and scontrol: tasks start at once. Beside it
# lie its jobs, and what tests ask it to do wrong:
#   down       it does not answer
#   limit      how many tasks there may be
#   fates      a line for each task that is submitted next: how it ends without having run, or RUN
#   swallow    sbatch submits, and then fails as if it had not heard the answer; once
#   forget     sbatch says that it has submitted, and has not; once
#   nodes      the state of its nodes, none of which suits any job: UNKNOWN, as until they have registered, or IDLE
#   unset      there is no slurm.conf
#   calls      a line for each call
here=$(cd "$(dirname "$0")" && pwd)
tool=$(basename "$0")
echo "$tool" >>"$here/calls"
[ ! -e "$here/down" ] || { echo "$tool: error: Unable to contact slurm controller (connect failure)" >&2; exit 1; }
[ ! -e "$here/unset" ] || { echo "$tool: error: fetch_config: DNS SRV lookup failed" >&2; echo "$tool: fatal: Could not establish a configuration source" >&2; exit 1; }
mkdir -p "$here/jobs"

active() { grep -l -e RUNNING -e PENDING "$here"/jobs/*/state 2>/dev/null | wc -l; }

submit() {
	name= comment= out=/dev/null n=1 test= array=
	for arg; do
		case $arg in
		--job-name=*) name=${arg#*=} ;;
		--comment=*) comment=${arg#*=} ;;
		--output=*) out=${arg#*=} ;;
		--array=1-*) n=${arg#--array=1-} array=1 ;;
		--partition=nowhere) echo "sbatch: error: invalid partition specified: nowhere" >&2; echo "sbatch: error: Batch job submission failed: Invalid partition name specified" >&2; exit 1 ;;
		--test-only) test=1 ;;
		esac
	done
	[ ! -e "$here/nodes" ] || { echo "allocation failure: Requested node configuration is not available" >&2; exit 1; }
	[ -z "$test" ] || exit 0
	if [ -e "$here/limit" ] && [ $(($(active) + n)) -gt "$(cat "$here/limit")" ]; then
		echo "sbatch: error: QOSMaxSubmitJobPerUserLimit" >&2
		echo "sbatch: error: Batch job submission failed: Job violates accounting/QOS policy (job submit limit, user's size and/or time limits)" >&2
		exit 1
	fi
	until mkdir "$here/number.lock" 2>/dev/null; do sleep 0.01; done
	job=$(($(cat "$here/number" 2>/dev/null || echo 0) + 1))
	echo $job >"$here/number"
	rmdir "$here/number.lock"
	if [ -e "$here/forget" ]; then
		rm "$here/forget"
		echo "$job;fake"
		exit 0
	fi
	cat >"$here/script-$job"
	for i in $(seq "$n"); do start "$i"; done
	if [ -e "$here/swallow" ]; then
		rm "$here/swallow"
		echo "sbatch: error: Batch job submission failed: Socket timed out on send/recv operation" >&2
		exit 1
	fi
	echo "$job;fake"
}

start() { # INDEX
	dir=$here/jobs/${job}_$1
	mkdir "$dir"
	if [ -n "$array" ]; then echo "$job|$1"; else echo "$job|N/A"; fi >"$dir/id"
	echo "$name" >"$dir/name"
	echo "$comment" >"$dir/comment"
	fate=RUN
	if [ -s "$here/fates" ]; then
		fate=$(head -n 1 "$here/fates")
		sed -i 1d "$here/fates"
	fi
	case $fate in
	RUN) ;;
	GONE) rm -r "$dir"; return ;;
	*) echo "$fate" >"$dir/state"; return ;;
	esac
	echo RUNNING >"$dir/state"
	SLURM_JOB_ID=$job SLURM_ARRAY_JOB_ID=$job SLURM_ARRAY_TASK_ID=$1 SLURMD_NODENAME=n1 setsid sh -c '
		end=COMPLETED
		sh "$1" || end=FAILED
		[ -e "$2/cancelled" ] || echo $end >"$2/state"
	' task "$here/script-$job" "$dir" >>"$(echo "$out" | sed "s/%a/$1/")" 2>&1 </dev/null &
	echo $! >"$dir/pid"
}

cancel() {
	for arg; do
		dir=$here/jobs/$arg
		[ -e "$dir/state" ] && grep -q RUNNING "$dir/state" || continue
		: >"$dir/cancelled"
		kill -s TERM -- "-$(cat "$dir/pid")" 2>/dev/null
		for i in $(seq 50); do kill -s 0 -- "-$(cat "$dir/pid")" 2>/dev/null && sleep 0.02; done
		kill -s KILL -- "-$(cat "$dir/pid")" 2>/dev/null
		echo "${CANCELLED:-CANCELLED}" >"$dir/state"
	done
}

case $tool in
sbatch) submit "$@" ;;
squeue)
	want=
	while [ $# -gt 0 ]; do
		[ "$1" != -n ] || want=$2
		shift
	done
	for dir in "$here"/jobs/*/; do
		[ -e "$dir/state" ] && [ "$(cat "$dir/name")" = "$want" ] || continue
		echo "$(cat "$dir/id")|$(cat "$dir/state")|None|n1|0:01|1:00|$(cat "$dir/comment")"
	done
	;;
scancel) cancel "$@" ;;
scontrol)
	case "$*" in
	*config*) echo "MaxArraySize            = 1001" ;;
	*node*)
		for i in 1 2; do echo "NodeName=n$i CPUTot=2 State=$(cat "$here/nodes" 2>/dev/null || echo IDLE) ThreadsPerCore=1 Partitions=test,gpu "; done ;;
	*) echo "JobId=1 ExitCode=0:53 NodeList=n1" ;;
	esac
	;;
esac
exit 0
