#!/bin/bash
# stop-slurm.sh DIR [ctld|n1|...] [SIGNAL] -- stop all (or one) of what start-slurm.sh started; only those processes.
set -uo pipefail
S=$(realpath -m "${1:?DIR}"); export SLURM_CONF=$S/slurm.conf
gone() { case "$(sed 's/.*) //' "/proc/$1/stat" 2>/dev/null)" in ''|Z*|X*) return 0;; esac; return 1; } # a zombie has stopped too
stop_one() { # name signal
  local p i; p=$(cat "$S/run/$1.pid" 2>/dev/null) || return 0
  if grep -zqx "SLURM_CONF=$SLURM_CONF" "/proc/$p/environ" 2>/dev/null; then # still ours, not a reused pid
    kill -"${2:-TERM}" "$p"
    for i in $(seq 100); do gone "$p" && break; sleep 0.1; done
    gone "$p" || kill -KILL "$p"
  fi
  rm -f "$S/run/$1.pid"
}
if [ -n "${2:-}" ]; then stop_one "$2" "${3:-TERM}"; exit; fi
ours() { grep -lzx "SLURM_CONF=$SLURM_CONF" /proc/[0-9]*/environ 2>/dev/null | cut -d/ -f3; } # stepds, jobs that kept the environment
steps() { local p; for p in $(ours); do case "$(tr '\0' ' ' 2>/dev/null </proc/$p/cmdline)" in slurmstepd*) echo "$p";; esac; done; }
if timeout 5 scontrol ping 2>/dev/null | grep -q ' is UP'; then
  timeout 10 scancel --quiet --partition=test 2>/dev/null   # TERM, KillWait (3 s), KILL
  for i in $(seq 100); do [ -n "$(timeout 5 squeue -h 2>/dev/null)" ] || [ -n "$(steps)" ] || break; sleep 0.1; done
fi
for f in "$S"/run/n*.pid; do [ -e "$f" ] && stop_one "$(basename "$f" .pid)"; done
stop_one ctld
for p in $(steps); do kill -KILL "$p" 2>/dev/null; done
stop_one munged
rm -rf "$S/run"
