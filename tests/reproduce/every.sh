#!/usr/bin/env bash
# Every experiment of `basin reproduce` at the scale tiny, which shows that each can be run from its search to its table.
# Usage: every.sh BASIN
set -euo pipefail

basin=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$basin" reproduce --list --json --quiet > "$work/list.json"
mapfile -t names < <(sed -n 's/^ *"experiment": "\(.*\)",$/\1/p' "$work/list.json" | sort -u)
[[ ${#names[@]} -gt 0 ]]
for name in "${names[@]}"; do
  "$basin" reproduce "$name" --scale tiny --quiet --out "$work/$name" > "$work/out"
  grep -q 'not tested' "$work/$name/table.md"
  if grep -q '^\[tiny.flatness\]' "$work/$name/table.md"; then grep -q '^lambda_max,' "$work/$name/flatness-ranks.csv"; fi
  echo "$name: $(wc -l < "$work/$name/rows.csv") lines of rows"
done
