#!/usr/bin/env bash
# Disks that are full or read-only, and checkpoints that are damaged: truncated, one bit flipped at every 1000th byte,
# empty, a folder in their place, all of them at once. Each time a run must end with its documented exit code and the
# reason, lose nothing, and go on to the bytes of a run that was left alone once it can.
# Usage: tests/torture/disk.sh [BASIN] (build/release/basin; mounts a tmpfs in a namespace of its own)
# Ends with 0 if all of it holds, 1 where it does not, 77 where no tmpfs can be mounted.
set -euo pipefail

if [[ ${1:-} == -* && $1 != --inside ]]; then
  sed -n '2,6s/^# //p' "${BASH_SOURCE[0]}"
  [[ $1 == -h || $1 == --help ]] && exit 0
  exit 2
fi
if [[ ${1:-} != --inside ]]; then
  basin=$(realpath "${1:-build/release/basin}")
  if ! unshare --map-root-user --mount mount -t tmpfs none /mnt 2> /dev/null; then
    echo "skipped: no tmpfs can be mounted here"
    exit 77
  fi
  exec unshare --map-root-user --mount "$0" --inside "$basin"
fi

basin=$2 work=$(mktemp -d)
trap 'umount -q "$work/disk" || true; rm -rf "$work"' EXIT
cd "$work"
mkdir disk
bad=0 checks=0
# expect WHAT CODE [WORDS]: of the last call.
expect() {
  checks=$((checks + 1))
  if ((code != $2)) || { [[ -n ${3:-} ]] && ! grep -q -- "$3" err; }; then
    bad=$((bad + 1))
    echo "$1: exit $code, not $2 ${3:-}: $(tail -n 1 err)"
  fi
}
call() {
  code=0
  "$basin" "$@" --quiet > out 2> err || code=$?
}
same() { # WHAT RUN
  checks=$((checks + 1))
  if ! cmp -s straight/final.safetensors "$2/final.safetensors"; then
    bad=$((bad + 1))
    echo "$1: other weights than those of the run left alone"
  fi
}

train=(train --data synthetic --limit 96 --batch-size 32 --model resnet20 --sharpness sam --epochs 2 --seed 3
  --checkpoint-every 1steps)
call "${train[@]}" --run straight
expect 'a run left alone' 0
largest=$(stat -c %s straight/ckpt-*.safetensors | sort -n | tail -n 1)

# A disk of 4 MiB, which one of its checkpoints (weights and momentum) fits on, and two do not.
mount -t tmpfs -o size=4m none disk
call "${train[@]}" --run disk/run
expect 'a full disk' 8 'No space left on device'
call ckpt verify disk/run
expect 'what is left on the full disk' 0
if compgen -G 'disk/run/.*.tmp' > /dev/null; then bad=$((bad + 1)); echo "a full disk: a temporary file is left"; fi
call train --resume disk/run
expect 'a disk that is still full' 8 'No space left on device'
mount -o remount,size=64m disk
call train --resume disk/run
expect 'a disk that has room again' 0
same 'a disk that has room again' disk/run

# Read-only: nothing begins, nothing is lost.
rm -rf disk/run && call "${train[@]}" --run disk/run --stop-after-steps 3
expect 'three steps' 0
mount -o remount,ro disk
call "${train[@]}" --run disk/other
expect 'a new run on a read-only disk' 8 'Read-only file system'
call train --resume disk/run
expect 'a resumed run on a read-only disk' 8 'Read-only file system'
call ckpt verify disk/run
expect 'what is left on the read-only disk' 0
mount -o remount,rw disk
call train --resume disk/run
expect 'a disk that can be written again' 0
same 'a disk that can be written again' disk/run

# The newest checkpoint damaged: found by its checksums, passed over with a warning, the one before taken.
call "${train[@]}" --run begun --stop-after-steps 4
expect 'four steps' 0
checkpoints=(begun/ckpt-*.safetensors)
newest=${checkpoints[-1]} name=${newest##*/}
goes_on() { # WHAT
  call train --resume run
  expect "$1" 0 "$name"
  same "$1" run
}
flip() { # FILE OFFSET
  local byte
  byte=$(od -An -tu1 -j "$2" -N 1 "$1")
  printf '%b' "\\x$(printf '%02x' $((byte ^ 1)))" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}
size=$(stat -c %s "$newest") flips=0
cp "$newest" flipped.safetensors
for ((at = 0; at < size; at += 1000)); do
  flip flipped.safetensors "$at"
  call ckpt verify flipped.safetensors
  expect "byte $at flipped" 7
  flips=$((flips + 1))
  if ((at % 200000 == 0)); then
    rm -rf run && cp -r begun run && cp flipped.safetensors "run/$name"
    goes_on "byte $at flipped"
  fi
  flip flipped.safetensors "$at"
done
for bytes in 0 1 7 8 100 $((size / 2)) $((size - 1)); do
  rm -rf run && cp -r begun run && truncate -s "$bytes" "run/$name"
  goes_on "cut to $bytes bytes"
done
rm -rf run && cp -r begun run && rm "run/$name" && mkdir "run/$name"
goes_on 'a folder in its place'
rm -rf run && cp -r begun run
for file in run/ckpt-*.safetensors; do flip "$file" $((size / 2)); done
cp -r run before
call train --resume run
expect 'all of them damaged' 4 "$name"
checks=$((checks + 1))
if ! diff -rq before run > /dev/null; then
  bad=$((bad + 1))
  echo "all of them damaged: the refused call has changed the run: $(diff -rq before run | head -n 1)"
fi
echo "disk.sh: $((checks - bad)) of $checks checks hold; checkpoints of $largest bytes, $flips flipped bytes"
((bad == 0))
