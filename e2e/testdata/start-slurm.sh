#!/bin/bash
# start-slurm.sh DIR [NODES [CPUS_PER_NODE]] -- a private Slurm on loopback, as root, without systemd or cgroups.
# SLURM_TEST_MINJOBAGE=2: jobs leave squeue soon.
# Afterwards: . DIR/env ; sbatch ... ; stop-slurm.sh DIR
# start-slurm.sh DIR ctld|n1|n2|...  -- (re)start one daemon of an existing DIR.
set -euo pipefail
S=$(realpath -m "${1:?DIR}"); NODES=${2:-2}; CPUS=${3:-2}
export SLURM_CONF=$S/slurm.conf

die() { echo "start-slurm: $*" >&2; tail -n 15 "$S"/*.log "$S"/*.out >&2 2>/dev/null || :; exit 1; }
start_one() { # ctld | munged | nK ; the pid goes to DIR/run/<name>.pid
  local n=$1; shift
  setsid "$@" </dev/null >"$S/$n.out" 2>&1 & echo $! >"$S/run/$n.pid"
}
# With No[Ctld]InAddrAny the daemons bind to what the host name resolves to; where that is not 127.*, as in
# docker, they get a UTS namespace of their own in which the host is called localhost (same pid).
loopback_name() { case "$(getent ahostsv4 "$(uname -n)" | awk 'NR==1{print $1}')" in 127.*) ;; *) return 1;; esac; }
start_daemon() { # name command...
  if loopback_name; then start_one "$@"
  elif unshare -u true 2>/dev/null; then start_one "$1" unshare -u sh -c 'hostname localhost; exec "$@"' sh "${@:2}"
  else echo "start-slurm: warning: cannot bind to loopback only, listening on 0.0.0.0" >&2
    sed -i '/^CommunicationParameters=/d' "$S/slurm.conf"; start_one "$@"; fi
}
start_ctld() { start_daemon ctld slurmctld -D; }
start_node() { start_daemon "$1" slurmd -D -N "$1"; }
alive() { local p; p=$(cat "$S/run/$1.pid" 2>/dev/null) && grep -qv ') [ZX]' "/proc/$p/stat" 2>/dev/null; }
wait_for() { # name seconds command...
  local n=$1 end=$((SECONDS + $2)); shift 2
  until "$@" >/dev/null 2>&1; do
    alive "$n" || die "$n exited"; [ $SECONDS -lt $end ] || die "$n not ready"; sleep 0.1
  done
}
ctld_up() { timeout 5 scontrol ping | grep -q ' is UP'; }
node_up() { timeout 5 sinfo -h -N -n "$1" -o %T | grep -qxE 'idle|mixed|allocated|draining|drained'; }

case "${2:-}" in
  ctld) start_ctld; wait_for ctld 20 ctld_up; exit ;;
  n[0-9]*) start_node "$2"; wait_for "$2" 20 node_up "$2"; exit ;;
esac

for c in slurmctld slurmd sbatch munged; do command -v "$c" >/dev/null || die "$c is not installed: apt-get install slurmctld slurmd slurm-client munge"; done
[ ! -e "$S/run" ] || die "$S in use; stop-slurm.sh it first and remove it"
mkdir -p "$S"/{run,state,munge}; chmod 755 "$S" "$S/munge"; for i in $(seq "$NODES"); do mkdir -p "$S/spool-n$i"; done
: >"$S/plugstack.conf"
echo CgroupPlugin=cgroup/v1 >"$S/cgroup.conf" # unused, but autodetect fails where /sys/fs/cgroup is not mounted
# free block of ports below the ephemeral range
busy() { local p; for p in $(seq "$1" "$2"); do (exec 3<>"/dev/tcp/127.0.0.1/$p") 2>/dev/null && return 0; done; return 1; }
for P in $(shuf -i 20000-29000 -n 50); do busy "$P" $((P+NODES+2)) || break; done
cat >"$S/slurm.conf" <<C
ClusterName=test
SlurmctldHost=localhost(127.0.0.1)
SlurmUser=root
SlurmdUser=root
SlurmctldPort=$P
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
AuthType=auth/munge
AuthInfo=socket=$S/munge/munge.sock
StateSaveLocation=$S/state
SlurmdSpoolDir=$S/spool-%n
SlurmctldPidFile=$S/run/slurmctld.self.pid
SlurmdPidFile=$S/run/slurmd-%n.self.pid
SlurmctldLogFile=$S/slurmctld.log
SlurmdLogFile=$S/slurmd-%n.log
PlugStackConfig=$S/plugstack.conf
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
MpiDefault=none
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
JobCompType=jobcomp/filetxt
JobCompLoc=$S/jobcomp.log
ReturnToService=2
MinJobAge=${SLURM_TEST_MINJOBAGE:-300}
KillWait=3
SlurmdTimeout=10
SchedulerParameters=batch_sched_delay=0,sched_interval=2,bf_interval=2
NodeName=n[1-$NODES] NodeHostname=localhost NodeAddr=127.0.0.1 Port=$( [ "$NODES" = 1 ] && echo $((P+1)) || echo "$((P+1))-$((P+NODES))" ) CPUs=$CPUS RealMemory=1000 State=UNKNOWN
PartitionName=test Nodes=ALL Default=YES DefaultTime=10 MaxTime=INFINITE OverSubscribe=NO State=UP
C
[ "$NODES" != 1 ] || sed -i 's/n\[1-1\]/n1/' "$S/slurm.conf"
(umask 077; head -c 128 /dev/urandom >"$S/munge/key")
start_one munged munged -F --force --origin=127.0.0.1 --socket="$S/munge/munge.sock" --key-file="$S/munge/key" --pid-file="$S/run/munged.self.pid" --log-file="$S/munge/munged.log" --seed-file="$S/munge/seed"
wait_for munged 10 munge -n -S "$S/munge/munge.sock"
start_ctld; wait_for ctld 20 ctld_up
for i in $(seq "$NODES"); do start_node "n$i"; done
for i in $(seq "$NODES"); do wait_for "n$i" 20 node_up "n$i"; done
echo "export SLURM_CONF=$S/slurm.conf" >"$S/env"
sinfo -N -o '%N %T %c'
