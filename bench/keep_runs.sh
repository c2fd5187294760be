#!/usr/bin/env bash
# Copies of an experiment's runs what its tables are made of, without weights and logs: config.toml, result.json and
# run.json of each run that has ended, and what the laboratory found of it. `basin reproduce NAME --scale SCALE --out KEPT` writes the same tables from
# them, and trains what is missing.
# Usage: bench/keep_runs.sh OUT KEPT (OUT: as given to basin reproduce; KEPT: such as docs/results/runs/sam-clean)
set -euo pipefail

if (($# != 2)) || [[ $1 == -* ]]; then
  sed -n '2,5s/^# //p' "${BASH_SOURCE[0]}"
  [[ ${1:-} == -h || ${1:-} == --help ]] && exit 0
  exit 2
fi
out=$1 kept=$2 count=0
shopt -s nullglob
# A run that diverged has no result.json: run.json says so.
for config in "$out"/{runs,search,starts}/*/config.toml; do
  run=$(dirname "$config")
  [[ -f $run/result.json ]] || grep -q '"exit_code": 5,' "$run/run.json" || continue
  to=$kept/${run#"$out"/}
  mkdir -p "$to"
  for file in config.toml result.json run.json; do
    if [[ -f $run/$file ]]; then cp "$run/$file" "$to/"; fi
  done
  count=$((count + 1))
done
for answer in "$out"/flatness/*/*/answer.json; do
  to=$kept/flatness/${answer#"$out"/flatness/}
  mkdir -p "$(dirname "$to")"
  cp "$answer" "$to"
done
printf '%s\n' "$count runs are in $kept"
