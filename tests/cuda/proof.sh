#!/usr/bin/env bash
# The longer proofs of the CUDA backend on a machine without a GPU, stages of .ci/run:
#   sanitizers  the tests under ASan + UBSan, kernels on the emulator
#   races       those that can race under TSan
#   nvcc        the tests with the objects that nvcc made for the plug-in; every kernel must have been launched
#   planted     known mistakes, each found by the test that is to find it (planted/mistakes.txt)
#   rehearsal   every command of on_gpu.sh's stages, on the double
#   registers   registers, stack and spills of every kernel, for sm_80 and sm_90
# Builds what it needs in a build folder that is configured, without a sanitizer.
# Usage: proof.sh sanitizers|races|nvcc|planted|rehearsal|registers [BUILD_FOLDER]
set -Eeuo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
part=${1:-}
build=$(realpath "${2:-$root/build/release}")

make() { cmake --build "$build" -j "$(nproc)" --target "$@"; }

# Whole networks are not in the program (variants.cmake); every update rule would take a sanitizer minutes.
sanitizers() {
  make test_cuda_asan
  BASIN_TEST_EXACT_MEMORY=1 UBSAN_OPTIONS=print_stacktrace=1 \
    ASAN_OPTIONS=detect_leaks=0:detect_stack_use_after_return=0 \
    "$build/tests/cuda/test_cuda_asan" -tce='every update rule*'
}

# The cases below are those with shared memory, with sums over blocks and with small grids. Core's own threads, which
# TSan does not see into, would look like races, hence one CPU.
races() {
  make test_cuda_tsan
  BASIN_TEST_EXACT_MEMORY=1 BASIN_TEST_ONE_ORDER=1 TSAN_OPTIONS=halt_on_error=1 \
    taskset -c 0 "$build/tests/cuda/test_cuda_tsan" \
    -tc='weights are packed*,moments are*,log_softmax and*,argmax*,max_pool*,the other poolings*,image_batch*'
}

nvcc() {
  # Not local: it is removed when the script ends.
  make test_cuda_nvcc
  list=$(mktemp "${TMPDIR:-/tmp}/basin-kernels.XXXXXX")
  trap 'rm -f "$list"' EXIT
  BASIN_KERNELS=$list "$build/tests/cuda/test_cuda_nvcc" -tce='training:*'
  # A kernel's name stands behind its length: _ZN5basin4cuda11fill_kernelI...
  awk '{
    name = $2
    sub(/^_ZN5basin4cuda/, "", name)
    match(name, /^[0-9]+/)
    kernel = substr(name, RLENGTH + 1, substr(name, 1, RLENGTH))
    ++instances[kernel]
    launched[kernel] += $1 == "launched"
  }
  END {
    for (kernel in instances) {
      printf "%-36s %4d of %4d instances launched\n", kernel, launched[kernel], instances[kernel] | "sort"
      if (launched[kernel] == 0) never = never " " kernel
    }
    close("sort")
    if (never != "") print "proof.sh: no test launches" never
    exit never != "" || NR == 0
  }' "$list"
}

planted() {
  make test_cuda test_cuda_asan test_cuda_tsan test_optim
  "$root/tests/cuda/planted/planted.sh" "$build"
}

rehearsal() {
  make test_cuda basin basin_cuda_double_plugin
  local stage
  for stage in 1 2 3 4; do "$root/tests/cuda/on_gpu.sh" "$stage" --rehearse --build "$build"; done
}

registers() { "$root/tests/cuda/registers.sh"; }

case $part in
  sanitizers | races | nvcc | planted | rehearsal | registers) "$part" ;;
  *)
    sed -n 's/^# Usage: /usage: /p' "${BASH_SOURCE[0]}" >&2
    exit 2
    ;;
esac
