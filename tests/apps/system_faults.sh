#!/usr/bin/env bash
# Processes that are killed or refused by the system at chosen calls, with strace: what is left can always be gone
# on with, to the bits of a run that was left alone, and no error of the system is told as a bug.
# 77 (skipped) where strace is missing or may not trace.   usage: system_faults.sh BASIN
set -u
basin=$(realpath "$1")
if ! strace -qq -o /dev/null true 2>/dev/null; then
  echo "skipped: strace is not there, or cannot trace"
  exit 77
fi
work=$(realpath "$(mktemp -d)") || exit 1
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1

bad=0
fail() { echo "FAILED: $*"; bad=1; }
new=(train --data synthetic --model mlp --limit 64 --batch-size 16 --epochs 2 --seed 7 --checkpoint-every 3steps)
inject() { local call=$1 fault=$2; shift 2; strace -f -qq -o trace -e "trace=$call" -e "inject=$call:$fault" "$@" >out 2>err; } 2>/dev/null
same() { cmp -s "$1/final.safetensors" straight/final.safetensors; }
"$basin" "${new[@]}" --run straight >out 2>err || { echo "FAILED: the run without faults: $(cat err)"; exit 1; }

# Killed at the k-th call as it begins: a new start, --force, and --resume where config.toml is whole.
for call in rename fsync write pwrite64 fallocate mkdir; do
  for k in 1 2 3; do
    for way in run force resume; do
      rm -rf run
      inject "$call" "signal=SIGKILL:when=$k" "$basin" "${new[@]}" --run run
      case $way in
        run) [ -e run/config.toml ] && continue; "$basin" "${new[@]}" --run run >out 2>err ;;
        force) "$basin" "${new[@]}" --run run --force >out 2>err ;;
        resume) [ -e run/config.toml ] || continue; "$basin" train --resume run >out 2>err ;;
      esac || { fail "$call $k, then --$way: $(tail -n 1 err)"; continue; }
      same run || fail "$call $k, then --$way: other weights"
      compgen -G 'run/.*.tmp' >/dev/null && fail "$call $k, then --$way: a temporary file stays"
    done
  done
done

# Killed amid --force, at each of its unlinks and at the rename of config.toml.
for k in 1 2 3 5 7 8 9 10 11 12; do
  for way in resume force; do
    rm -rf run && cp -r straight run
    inject unlink "signal=SIGKILL:when=$k" "$basin" "${new[@]}" --run run --force
    if [ $way = resume ]; then "$basin" train --resume run >out 2>err; else "$basin" "${new[@]}" --run run --force >out 2>err; fi \
      || { fail "unlink $k of --force, then --$way: $(tail -n 1 err)"; continue; }
    same run || fail "unlink $k of --force, then --$way: other weights"
  done
done

# Refused by the system: the documented code, the reason, and never "a bug".
refused() {  # WHAT CODES REASON
  local code=$?
  [[ " $2 " == *" $code "* ]] || fail "$1: exit $code, not $2: $(tail -n 1 err)"
  grep -q "$3" err || fail "$1: '$3' is not said: $(tail -n 1 err)"
  grep -q "a bug in basin" err && fail "$1: told as a bug: $(tail -n 1 err)"
}
"$basin" "${new[@]}" --run begun --stop-after-steps 5 >out 2>err
resumed() { rm -rf run && cp -r begun run && strace -f -qq -o trace -P "$work/run$1" -e "trace=$2" -e "inject=$2:$3" "$basin" train --resume "$work/run" >out 2>err; }
resumed /metrics.csv fstat,newfstatat error=EIO; refused "fstat of metrics.csv" 8 "metrics.csv: Input/output error"
same run || fail "fstat of metrics.csv: other weights"
resumed /steps.jsonl fstat,newfstatat error=EIO; refused "fstat of steps.jsonl" 8 "steps.jsonl: Input/output error"
[ "$(wc -l <run/steps.jsonl)" -ge 5 ] || fail "fstat of steps.jsonl: its records are gone"
resumed /metrics.csv pwrite64 error=ENOSPC; refused "a full disk for metrics.csv" 8 "metrics.csv: No space left"
same run || fail "a full disk for metrics.csv: other weights"
"$basin" train --resume run >out 2>err || fail "after a full disk for metrics.csv: $(tail -n 1 err)"
[ "$(wc -l <run/metrics.csv)" -eq 3 ] || fail "after a full disk for metrics.csv: rows are missing"
resumed "" getdents64 error=EIO:when=8+; refused "a folder that cannot be read on" "0 4 8" "Input/output error"
resumed /ckpt-000000005.safetensors pread64 error=EIO; refused "a checkpoint that cannot be read" 4 "may be whole, but cannot be read"
rm -rf run
(ulimit -v 300000; exec "$basin" "${new[@]}" --threads 64 --run run) >out 2>err; refused "threads that do not start" 6 "of 64 threads"
[ -e run ] && fail "threads that do not start leave a folder"
BASIN_ARCH=bogus "$basin" "${new[@]}" --run run >out 2>err; refused "BASIN_ARCH" 2 BASIN_ARCH
[ -e run ] && fail "BASIN_ARCH leaves a folder"
strace -f -qq -o trace -e trace=mkdir,fsync "$basin" "${new[@]}" --run very/deep/run >out 2>err
[ "$(grep -A 1 'mkdir(.*= 0' trace | grep -c 'fsync(')" = 3 ] || fail "a new folder is not synced into the one above"
[ $bad = 0 ] && echo passed
exit $bad
