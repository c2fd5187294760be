#!/bin/sh
# The laboratory's commands on a card: lab_on_double.sh BASIN PLUGIN. Every number of every figure of an answer that was
# found on the doubles is the CPU's, to 1e-3 of the largest of its column.
set -eu
basin=$1
export BASIN_CUDA_PLUGIN="$2"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM
cd "$work"

for seed in 1 2; do
  "$basin" train --quiet --data synthetic --limit 24 --model resnet8 --epochs 1 --batch-size 8 --seed $seed --workers 0 \
    --lr 0.05 --run run-$seed > log 2>&1 || { code=$?; cat log; exit "$code"; }
done

# ask NAME WORD...: the command on both devices, and its figures' numbers beside each other.
ask() {
  name=$1
  shift
  for device in cpu cuda; do
    "$basin" "$@" --device $device --quiet -o "$name-$device" > log 2>&1 || { code=$?; cat log; exit "$code"; }
  done
  figures=0
  for file in "$name"-cpu/*.csv; do
    figures=$((figures + 1))
    paste -d '\n' "$file" "$name-cuda/${file##*/}" | tr -d '"' | awk -F, -v file="$file" '
      NR % 2 { split($0, cpu); next }
      { for (i = 1; i <= NF; ++i) {
          if (cpu[i] + 0 == 0 && $i + 0 == 0) { if (cpu[i] != $i) bad = bad "\n" cpu[i] " and " $i; continue }
          size = cpu[i] < 0 ? -cpu[i] : cpu[i] + 0
          if (size > largest[i]) largest[i] = size
          apart = cpu[i] - $i
          if (apart < 0) apart = -apart
          if (apart > most[i]) most[i] = apart
          ++numbers
        } }
      END {
        for (i in most) if (most[i] > 1e-3 * largest[i]) bad = bad "\ncolumn " i ": apart by " most[i] " of " largest[i]
        if (bad != "" || numbers == 0) { print file ": " numbers + 0 " numbers" bad; exit 1 }
      }'
  done
  [ "$figures" -gt 0 ] || { echo "$name has no figures"; exit 1; }
}

measured='--images 8 --batch-size 4'
# shellcheck disable=SC2086 # words are words
for operator in hessian gauss-newton; do
  ask $operator hessian run-1 $measured --operator $operator --top 1 --tolerance 0.03 --no-density --trace-products 6
done
# shellcheck disable=SC2086
ask sharpness sharpness run-1 $measured --rho 0.05 --m 4 --micro-batches 2 --steps 2 --draws 2
# shellcheck disable=SC2086
ask landscape landscape run-1 $measured --grid 3x3
# shellcheck disable=SC2086
ask plane landscape run-1 run-2 $measured --dims 1 --directions plane --grid 3
# shellcheck disable=SC2086
ask curve curve run-1 run-2 $measured --points 3 --steps 2
ask rates lr-find run-1 --steps 5
echo "seven answers of a card are the CPU's"
