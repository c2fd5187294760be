#!/usr/bin/env bash
# Lets the k-th system call of a training run fail, for each k, with strace: openat, write, fsync, rename and others, with
# ENOSPC, EIO, EACCES, EINTR and EMFILE, in a run's start and in the saves and the end of one. What must hold each time:
# the run ends by itself, with the exit code of an output or input error and a line that names the system's reason, or
# goes on unharmed; no half-written file is left; and afterwards the run can be gone on with, to the bytes of one that was
# left alone.
# Usage: tests/torture/faults.sh [BASIN [LARGEST_K]] (build/release/basin, 1000; CALLS='write fsync': these alone)
# Ends with 0 if all of it holds, 1 where it does not, 77 where strace is missing or may not trace.
set -euo pipefail

if [[ ${1:-} == -* ]]; then
  sed -n '2,8s/^# //p' "${BASH_SOURCE[0]}"
  [[ $1 == -h || $1 == --help ]] && exit 0
  exit 2
fi
basin=$(realpath "${1:-build/release/basin}") largest=${2:-1000}
if ! strace -qq -o /dev/null true 2> /dev/null; then
  echo "skipped: strace is not there, or cannot trace"
  exit 77
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

train=(train --data synthetic --model mlp --sharpness sam --epochs 2 --limit 128 --batch-size 64 --seed 7 --threads 1
  --workers 0 --checkpoint-every 2steps --average swa --average-start 1 --swa-lr 0 --ensemble snapshot --cycles 2)
# The last weights, the average, the members of the ensemble.
weights() { cat "$1"/final*.safetensors "$1"/members/*.safetensors 2> /dev/null | sha256sum; }

"$basin" "${train[@]}" --run straight > /dev/null 2>&1
"$basin" "${train[@]}" --run begun --stop-after-steps 3 > /dev/null 2>&1
expected=$(weights straight)

declare -A reason=([ENOSPC]='No space left on device' [EIO]='Input/output error' [EACCES]='Permission denied'
  [EINTR]='Interrupted system call' [EMFILE]='Too many open files' [ENOMEM]='Cannot allocate memory')
faults=(openat:ENOSPC openat:EIO openat:EACCES openat:EINTR openat:EMFILE write:ENOSPC write:EIO write:EINTR
  pwrite64:EIO fallocate:ENOSPC fsync:EIO fsync:ENOSPC rename:EACCES rename:ENOSPC close:EIO close:EINTR mkdir:EACCES
  mkdir:ENOSPC unlink:EACCES unlink:EIO ftruncate:EIO mmap:ENOMEM)

bad=0 all=0
wrong() {
  bad=$((bad + 1))
  echo "$phase, $fault, call $k: $*"
}
for phase in start end; do
  for fault in "${faults[@]}"; do
    call=${fault%:*} number=${fault#*:}
    [[ -z ${CALLS:-} || " $CALLS " == *" $call "* ]] || continue
    declare -A codes=()
    # Calls of the loader and the libraries, before there is a program that could say anything.
    strace -f -qq -o trace -e "trace=$call" "$basin" --version > out
    before=$(grep -c "$call(" trace || true)
    for ((k = 1; k <= largest; ++k)); do
      rm -rf run
      if [[ $phase == end ]]; then
        cp -r begun run
        words=(train --resume run --threads 1 --workers 0)
      else
        words=("${train[@]}" --run run --stop-after-steps 1)
      fi
      code=0
      { timeout 60 strace -f -qq -o trace -e "trace=$call" -e "inject=$call:error=$number:when=$k" \
        "$basin" "${words[@]}" > out 2> err || code=$?; } 2> /dev/null # without the shell's word on a crash
      grep -q INJECTED trace || break # the run makes fewer such calls
      all=$((all + 1))
      if ((k <= before)) && ((code == 127 || code == 139)); then continue; fi
      codes[$code]=$((${codes[$code]:-0} + 1))
      case $code in
        0) ;;
        2 | 3 | 4 | 6 | 8) grep -qE "^(basin|warning): .*${reason[$number]}" err || ((code == 6)) ||
          wrong "exit $code without the system's reason: $(tail -n 1 err)" ;;
        *) wrong "exit $code: $(tail -n 1 err)" ;;
      esac
      if compgen -G 'run/.*.tmp' > /dev/null; then wrong "a temporary file is left"; fi
      if [[ -e run/config.toml ]]; then words=(train --resume run); else words=("${train[@]}" --run run --force); fi
      if ! "$basin" "${words[@]}" --quiet > out 2> err; then
        wrong "cannot be gone on with: $(tail -n 1 err)"
      elif [[ $(weights run) != "$expected" ]]; then
        wrong "gone on with, it ends in other bytes"
      fi
    done
    summary=''
    for code in "${!codes[@]}"; do summary+=" $code (${codes[$code]})"; done
    printf '%-6s %-16s %4d calls in turn; exit codes:%s\n' "$phase" "$fault" $((k - 1)) "$summary"
    unset codes
  done
done
echo "faults.sh: $all system calls failed in turn, $bad times something did not hold"
((bad == 0))
