#!/usr/bin/env bash
# The hot loops of the kernels keep their accumulators in registers: a compiler that spills them costs up to half of a
# kernel's speed. Disassembles the objects given, takes every innermost loop that holds at least eight multiply-adds of
# whole vectors, and fails if one stores vectors to the stack more often than once in 48 of them (g++ 12 does so once in
# 96 in the widest tiles, which cannot be measured). Winograd's transforms and elementwise formulas do not count: they
# sum nothing up, and compilers have no registers for all their values. Exit 77 (skipped) without objdump.
# Usage: tests/core/spills.sh OBJECT...
set -euo pipefail

command -v objdump > /dev/null || {
  echo "spills.sh: no objdump here (Debian: binutils)" >&2
  exit 77
}

for object in "$@"; do
  objdump -d --no-show-raw-insn -C "$object" | awk -v object="${object##*/}" '
    function value(hex,   i, v) {  # mawk has no strtonum
      v = 0
      for (i = 1; i <= length(hex); ++i) v = 16 * v + index("0123456789abcdef", substr(hex, i, 1)) - 1
      return v
    }
    # The loops of a function: a jump back to an address at or before it; innermost ones hold no other.
    function finish(   j, k, t, fma, store, inner) {
      for (j = 1; j <= jumps; ++j) {
        t = target[j]; inner = 1
        for (k = 1; k <= jumps; ++k) if (k != j && target[k] >= t && at[k] < at[j]) inner = 0
        if (!inner) continue
        fma = store = 0
        for (k = 1; k <= n; ++k) if (address[k] >= t && address[k] <= at[j]) { fma += is_fma[k]; store += is_store[k] }
        if (fma >= 8 && name !~ /winograd_(input|output|output_grad|weights|weight_grad)<|cpu::(map|unary_loop|binary_loop)</) { ++loops; if (48 * store > fma) { printf "%s: %s: %d stores to the stack in a loop of %d multiply-adds\n", object, name, store, fma; ++bad } }
      }
      n = jumps = 0
    }
    /^[0-9a-f]+ <.*>:$/ { finish(); name = $0; sub(/^[0-9a-f]+ </, "", name); sub(/>:$/, "", name); next }
    /^ +[0-9a-f]+:/ {
      a = $1; sub(/:$/, "", a); ++n; address[n] = value(a)
      is_fma[n] = $2 ~ /^vfn?m(add|sub)[0-9]+ps$/ && $0 ~ /%[yz]mm/
      is_store[n] = $2 ~ /^vmov[au]p[sd]$/ && $3 ~ /^%[yz]mm[0-9]+,-?(0x[0-9a-f]+)?\(%r[sb]p\)$/
      if ($2 ~ /^j/ && $3 ~ /^[0-9a-f]+$/ && value($3) <= address[n]) { ++jumps; at[jumps] = address[n]; target[jumps] = value($3) }
    }
    END { finish(); printf "%s: %d hot loops, %d with spills\n", object, loops, bad; exit bad > 0 || loops == 0 }'
done
