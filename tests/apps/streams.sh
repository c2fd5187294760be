#!/bin/sh
# A training whose streams are closed, full or without a reader ends with the bits of one whose streams work, and
# says what it could not print.   usage: streams.sh BASIN
set -u
basin=$(realpath "$1")
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1

fail() { echo "FAILED: $*"; exit 1; }
expect() { [ "$2" = "$3" ] || fail "$1: $2, expected $3"; }
train() { run=$1; shift; "$basin" train --data synthetic --limit 64 --model mlp --batch-size 16 --epochs 2 --run "$run" "$@"; }
same() {  # the run $1 has what the run "good" has
  for file in final.safetensors result.json report.html config.toml; do [ -s "$1/$file" ] || fail "$1: no $file"; done
  cmp -s "$1/final.safetensors" good/final.safetensors || fail "$1: other weights"
  expect "$1: columns" "$(head -n 1 "$1/metrics.csv")" "$(head -n 1 good/metrics.csv)"
  expect "$1: epochs" "$(wc -l <"$1/metrics.csv")" 3
  grep -q "^data   synthetic" "$1/log.txt" || fail "$1: log.txt is not the log"
  grep -q "sha256 of final.safetensors" "$1/log.txt" || fail "$1: log.txt lacks the result"
}
# Descriptor 3: a pipe whose reader has gone.
unread() { rm -f fifo; mkfifo fifo; : <fifo & exec 3>fifo; wait $!; }

train good >out 2>err
expect "a run with streams that work" $? 0

train closed <&- >&- 2>&-
expect "streams closed by the caller" $? 0
same closed

train quiet 2>/dev/full >out
expect "a full stderr" $? 0
same quiet

train full >/dev/full 2>err
expect "a full stdout" $? 8
same full
grep -q "^warning: stdout: No space left on device" err || fail "a full stdout is not named: $(cat err)"

unread
train pipe >&3 2>err
expect "a training that nobody reads" $? 8
same pipe
grep -q "^warning: stdout: Broken pipe" err || fail "a broken pipe is not named: $(cat err)"
train both >&3 2>&3
expect "a training whose stdout and stderr nobody reads" $? 8
same both
"$basin" --version >&3 2>err
expect "another command that nobody reads" $? 141
[ -s err ] && fail "a broken pipe is no message: $(cat err)"
"$basin" info mlp >/dev/full 2>err
expect "another command on a full stdout" $? 8
grep -q "^basin: stdout: No space left on device" err || fail "a full stdout is not named: $(cat err)"
exec 3>&-
echo "passed"
