#!/usr/bin/env bash
# Registers, stack and spills of every kernel, as ptxas tells them for A100 (sm_80) and H100 (sm_90): a Markdown table
# with a line for each kernel (of its instances for types and formulas, the most), then the sums. A kernel that keeps
# numbers on a stack, or spills them there, is slow: exit code 1, unless it is one of those below, which are known.
# Usage: registers.sh [SOURCE.cu...]  (all of cuda/ if none is named); the nvcc of NVCC, the PATH or /usr/local/cuda
set -Eeuo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
nvcc=${NVCC:-$(command -v nvcc || echo /usr/local/cuda/bin/nvcc)}
[[ -x $nvcc ]] || {
  echo 'registers.sh: no nvcc here' >&2
  exit 77
}

# Parts of mangled names, with the reason.
known=(
  'functors5UnaryILNS_7UnaryOpE22E' # pow_scalar of f64 calls NVIDIA's pow, which keeps 8 bytes on the stack
  'cross_entropy_grad_kernelId' # of f64, which is for checks: its exp in a loop spills 8 bytes on sm_90
)

sources=("$@")
((${#sources[@]} > 0)) || sources=("$root"/cuda/*.cu)
work=$(mktemp -d "${TMPDIR:-/tmp}/basin-registers.XXXXXX")
trap 'rm -rf "$work"' EXIT

# compile ARCHITECTURE SOURCE: the flags that cuda/CMakeLists.txt gives.
compile() {
  local log=$work/$1-${2##*/}.log
  "$nvcc" -std=c++20 -O3 -I "$root" --expt-relaxed-constexpr -fmad=false -w -cubin -arch="$1" -Xptxas=-v \
    -o "$work/$1-${2##*/}.cubin" "$2" >"$log" 2>&1 || {
    cat "$log" >&2
    return 1
  }
}
export -f compile
export work nvcc root
for source in "${sources[@]}"; do printf '%s\0%s\0' sm_80 "$source" sm_90 "$source"; done |
  xargs -0 -n 2 -P "$(nproc)" bash -c 'compile "$@"' compile

# "sm_80 MANGLED registers stack spilled" of each instance.
for architecture in sm_80 sm_90; do
  cat "$work/$architecture"-*.log | awk -v architecture="$architecture" '
    /Compiling entry function/ { split($0, part, "\x27"); name = part[2] }
    /bytes stack frame/ { stack = $1; spilled = $5 + $9 }
    /Used [0-9]+ registers/ {
      for (i = 1; i < NF; ++i) if ($i == "Used") print architecture, name, $(i + 1), stack, spilled
    }'
done >"$work/instances"

awk '{
  name = $2
  # _ZN5basin4cuda11fill_kernelI...: the number before the name is its length.
  sub(/^_ZN5basin4cuda/, "", name)
  match(name, /^[0-9]+/)
  kernel = substr(name, RLENGTH + 1, substr(name, 1, RLENGTH))
  column = $1 == "sm_80" ? 0 : 1
  seen[kernel] = 1
  ++instances[kernel, column]
  if ($3 > registers[kernel, column]) registers[kernel, column] = $3
  if ($4 > stack[kernel]) stack[kernel] = $4
  if ($5 > spilled[kernel]) spilled[kernel] = $5
}
END {
  for (kernel in seen)
    printf "| %s | %d | %d | %d | %d | %d |\n", kernel, instances[kernel, 1], registers[kernel, 0], registers[kernel, 1],
      stack[kernel], spilled[kernel]
}' "$work/instances" | sort >"$work/rows"

echo '| kernel | instances | registers sm_80 | registers sm_90 | stack, bytes | spilled, bytes |'
echo '| --- | ---: | ---: | ---: | ---: | ---: |'
cat "$work/rows"

pattern=$(IFS='|' && echo "${known[*]}")
awk '$4 > 0 || $5 > 0' "$work/instances" >"$work/slow"
grep -vE "$pattern" "$work/slow" >"$work/unknown" || true
printf '\n%d kernels, %d instances for each architecture; on the stack: %d known, %d not\n' "$(wc -l <"$work/rows")" \
  "$(($(wc -l <"$work/instances") / 2))" "$(($(wc -l <"$work/slow") - $(wc -l <"$work/unknown")))" \
  "$(wc -l <"$work/unknown")"
if [[ -s $work/unknown ]]; then
  c++filt <"$work/unknown" >&2
  exit 1
fi
[[ -s $work/rows ]]
