#!/usr/bin/env bash
# For each kernel in objects that nvcc made, its twin in objects that the host compiler made of the same sources for the
# emulator. Writes OUT/twins.cpp, a table of them by nvcc's names, and OUT/twins.o, the twins under names of their
# own (a kernel's own name is that of nvcc's host code).
# Usage: twins.sh OUT KERNELS_FOLDER NVCC_OBJECT... -- EMULATED_OBJECT...
set -Eeuo pipefail

out=$1 kernels=$2
shift 2
nvcc=()
while [[ $1 != -- ]]; do
  nvcc+=("$1")
  shift
done
shift
mkdir -p "$out"

# nvcc's host code registers each kernel by a string, its mangled name.
for object in "${nvcc[@]}"; do
  for section in .rodata.str1.1 .rodata.str1.8; do readelf -p "$section" "$object" 2>/dev/null || true; done
done | grep -oE '_ZN5basin4cuda[0-9]+[a-z0-9_]*_kernel[IE].*' | sort -u >"$out/names.txt"
nm --defined-only "$@" | awk '$2 ~ /^[WT]$/ {print $3}' | sort -u | comm -12 - "$out/names.txt" >"$out/common.txt"
if ! cmp -s "$out/names.txt" "$out/common.txt"; then
  echo "twins.sh: kernels that the host compiler's objects lack:" >&2
  comm -23 "$out/names.txt" "$out/common.txt" | c++filt >&2
  exit 1
fi

sed 's/.*/& emulated_&/' "$out/names.txt" >"$out/renamed.txt"
ld -r -o "$out/all.o" "$@"
objcopy --weaken --redefine-syms="$out/renamed.txt" "$out/all.o" "$out/twins.o"

# "void basin::cuda::fill_kernel<float>(float, float*, long)": the name with its template arguments.
name_of() {
  c++filt | sed -E 's/^void //' | awk '{
    depth = 0
    for (i = 1; i <= length($0); ++i) {
      c = substr($0, i, 1)
      if (c == "<") ++depth
      if (c == ">") --depth
      if (c == "(" && depth == 0) break
    }
    print substr($0, 1, i - 1)
  }'
}
{
  echo '// Made by tests/cuda/nvcc/twins.sh.'
  echo '#include "tests/cuda/nvcc/registered.h"'
  for header in "$kernels"/*.cuh; do echo "#include \"cuda/kernels/${header##*/}\""; done
  echo 'namespace {'
  echo 'using namespace basin;'
  echo 'template <class K>'
  echo 'void add(const char* name, const char& twin) { fake::register_twin(name, &twin, fake::Binder<K>::bind); }'
  echo '}'
  sed 's/.*/extern "C" const char emulated_&;/' "$out/names.txt"
  echo 'static const bool all_registered = [] {'
  paste "$out/names.txt" <(name_of <"$out/names.txt") |
    awk -F'\t' '{printf "  add<decltype(&%s)>(\"%s\", emulated_%s);\n", $2, $1, $1}'
  echo '  return true;'
  echo '}();'
} >"$out/twins.cpp"
