#!/usr/bin/env bash
# Gives each reader of Basin damaged files for so many seconds, by libFuzzer with the address and undefined-behaviour
# sanitizers, and prints a table. What was found interesting stays in build/fuzz/found, so that the next call goes on
# from there, and counts executions of all calls together. A file that ends a reader in any other way than by an error
# in words, or that costs more memory than 64 MB and 10 bytes for each of its own, stays in build/fuzz/crashes; the exit
# code is then 7.
# Usage: tests/torture/fuzz.sh SECONDS [READER...] (without a reader: all; JOBS=2: so many at once)
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cd "$root"
if [[ ! ${1:-} =~ ^[1-9][0-9]*$ ]]; then
  sed -n '2,7s/^# //p' "${BASH_SOURCE[0]}"
  [[ ${1:-} == -h || ${1:-} == --help ]] && exit 0
  exit 2
fi
seconds=$1 jobs=${JOBS:-1}
shift
readers=("$@")
[[ ${#readers[@]} -gt 0 ]] || readers=(archive npz idx gzip cifar png jpeg tar csv lists toml json checkpoint command_line)
programs=("${readers[@]/#/fuzz_}")

mkdir -p build/fuzz/found
build() {
  cmake --preset fuzz && cmake --build --preset fuzz --target "${programs[@]}"
}
if ! build > build/fuzz/build.log 2>&1; then
  tail -n 20 build/fuzz/build.log >&2
  exit 1
fi

# one READER: its log is build/fuzz/found/READER.log
one() {
  local found=build/fuzz/found/$1 crashes=build/fuzz/crashes/$1 seeds=()
  mkdir -p "$found" "$crashes"
  [[ ! -d tests/torture/fuzz/corpus/$1 ]] || seeds+=("tests/torture/fuzz/corpus/$1")
  [[ $1 != png && $1 != jpeg ]] || seeds+=(tests/data/images)
  (cd build/fuzz/found && "../tests/torture/fuzz/fuzz_$1" "-max_total_time=$seconds" -timeout=10 -rss_limit_mb=4096 \
    -max_len=16384 -print_final_stats=1 -detect_leaks=1 "-artifact_prefix=../crashes/$1/" "$1" \
    "${seeds[@]/#/../../../}" > "$1.log" 2>&1) || true
  local executions
  executions=$(sed -n 's/^stat::number_of_executed_units: *//p' "$found.log")
  echo $((${executions:-0} + $(cat "$found.executions" 2> /dev/null || echo 0))) > "$found.executions"
}

running=0
for reader in "${readers[@]}"; do
  if ((running >= jobs)); then
    wait -n
    running=$((running - 1))
  fi
  one "$reader" &
  running=$((running + 1))
done
wait

total=0
printf '%-13s %12s %14s %9s %9s %7s %8s\n' reader 'executions' 'all calls' edges features files crashes
for reader in "${readers[@]}"; do
  log=build/fuzz/found/$reader.log
  last=$(grep -E '^#[0-9]+.* cov: ' "$log" | tail -n 1 || true)
  shopt -s nullglob
  files=("build/fuzz/found/$reader"/*) crashes=("build/fuzz/crashes/$reader"/*)
  total=$((total + ${#crashes[@]}))
  printf '%-13s %12s %14s %9s %9s %7s %8s\n' "$reader" \
    "$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")" "$(cat "build/fuzz/found/$reader.executions")" \
    "$(sed -n 's/.* cov: \([0-9]*\).*/\1/p' <<< "$last")" "$(sed -n 's/.* ft: \([0-9]*\).*/\1/p' <<< "$last")" \
    "${#files[@]}" "${#crashes[@]}"
done
echo "fuzz: $total crashes in ${#readers[@]} readers, $seconds seconds each"
((total == 0)) || exit 7
