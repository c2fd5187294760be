#!/usr/bin/env bash
# What a compiler does not check about the CUDA backend: the program itself needs none of its libraries, and kernels keep
# to the portable subset (docs/cuda.md), which the emulator and a card run alike.
# Usage: rules.sh PROGRAM
set -Eeuo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
bad=0

needed=$(readelf -d "$1" | grep NEEDED)
if grep -iE 'cud|nv|cublas' <<<"$needed"; then
  echo "rules.sh: $1 needs a library of CUDA" >&2
  bad=1
fi

# forbid WORDS WHY FILES...: no line of code (comments don't count) has them.
forbid() {
  local words=$1 why=$2 found
  shift 2
  found=$(grep -nE "$words" "$@" /dev/null | sed -E 's|^([^:]*:[0-9]+:) *//.*|\1|; s| // .*||' | grep -E ":[0-9]+:.*($words)" || true)
  [[ -z $found ]] || {
    printf '%s\nrules.sh: %s\n' "$found" "$why" >&2
    bad=1
  }
}
mapfile -t sources < <(find "$root/cuda" -name '*.cu' -o -name '*.cuh' -o -name '*.cpp' -o -name '*.h' | sort)
mapfile -t kernels < <(find "$root/cuda" -name '*.cu' -o -name '*.cuh' | grep -v '/device\.cuh$' | sort)
forbid '<<<' 'kernels are started by launch() (cuda/launch.h)' "${sources[@]}"
forbid '__shared__' 'shared memory is shared_array() (cuda/kernels/device.cuh)' "${kernels[@]}"
forbid 'cudaDeviceSynchronize|cudaStreamSynchronize\(0|cudaMemcpy\(' 'wait for a stream, not for all of the card' "${sources[@]}"
forbid '\basm\b|nvcuda|cooperative_groups|wmma' 'not in the portable subset of kernels' "${kernels[@]}"
mapfile -t others < <(printf '%s\n' "${sources[@]}" | grep -v '/cuda/memory\.cpp$')
forbid 'cudaSetDevice\(' 'the current card is set by make_current() alone' "${others[@]}"

# Each kernel is named by what it does and "_kernel", which the tools here go by, and says how many threads it has.
while IFS= read -r line; do
  grep -qE '__launch_bounds__' <<<"$line" || {
    printf '%s\nrules.sh: a kernel without __launch_bounds__\n' "$line" >&2
    bad=1
  }
done < <(grep -nE '__global__' "${kernels[@]}" | grep -vE ':[0-9]+: *//')

exit "$bad"
