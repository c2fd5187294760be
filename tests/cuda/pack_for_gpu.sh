#!/usr/bin/env bash
# Puts together a folder for a GPU machine that has neither network nor Debian's packages: programs, the small
# libraries and data that they need, the scripts of the four stages. At most 60 MiB as .tar.gz.
# There: tar xzf basin_gpu.tar.gz && basin_gpu/on_gpu.sh 1      (then 2, 3, 4; each by itself)
# Usage: tests/cuda/pack_for_gpu.sh [--build build/release] [--cifar DIR] [--out build/basin_gpu.tar.gz]
# --cifar: a folder with cifar-10-batches-bin; its first training batch and the test batch travel (or a part, if the
# whole would be too large). Without it only Fashion-MNIST does.
set -Eeuo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
build=$root/build/release cifar='' out=$root/build/basin_gpu.tar.gz
most=$((60 << 20))

fail() {
  printf 'pack_for_gpu.sh: %s\n' "$*" >&2
  exit 2
}
while (($# > 0)); do
  (($# > 1)) || fail "$1 needs a value"
  case $1 in
    --build) build=$(realpath "$2") ;;
    --cifar) cifar=$2 ;;
    --out) out=$2 ;;
    *) fail "unknown option $1" ;;
  esac
  shift 2
done
for program in basin libbasin_cuda.so tests/cuda/test_cuda_gpu; do
  [[ -e $build/$program ]] || fail "no $build/$program; build it: cmake --preset release && cmake --build --preset release --target basin basin_cuda test_cuda_gpu"
done

folder=$(mktemp -d "${TMPDIR:-/tmp}/basin-pack.XXXXXX")
trap 'rm -rf "$folder"' EXIT
pack=$folder/basin_gpu
mkdir -p "$pack"/{bin,lib,peer,data}
cp "$build/basin" "$build/libbasin_cuda.so" "$build/tests/cuda/test_cuda_gpu" "$pack/bin/"
strip "$pack"/bin/*
cp "$root/tests/cuda/on_gpu.sh" "$root/tests/cuda/stage_table.py" "$pack/"
cp "$root"/bench/peer/torch_*.py "$pack/peer/"

# What the programs load, but for glibc and what every CUDA machine brings itself.
for program in "$pack"/bin/*; do ldd "$program"; done |
  awk '$2 == "=>" && $3 ~ /^\// { print $3 }' | sort -u |
  grep -v -E '/(libc|libm|ld-linux[^/]*|libdl|libpthread|librt|libcu[^/]*|libnv[^/]*|libcudnn[^/]*)\.so' |
  while read -r library; do cp -L "$library" "$pack/lib/"; done

fashion=/usr/share/datasets/fashion-mnist
[[ -d $fashion ]] || fail "no $fashion (apt-get install dataset-fashion-mnist)"
cp -rL "$fashion" "$pack/data/fashion-mnist"
if [[ -n $cifar ]]; then
  batches=$(find -L "$cifar" -maxdepth 3 -type d -name cifar-10-batches-bin | head -n 1)
  [[ -n $batches ]] || fail "no cifar-10-batches-bin in $cifar"
  mkdir -p "$pack/data/cifar-10-batches-bin"
  # The first 5000 images of the first batch stand for all five: the format wants five files of whole records.
  for i in 1 2 3 4 5; do head -c $((3073 * 400)) "$batches/data_batch_$i.bin" >"$pack/data/cifar-10-batches-bin/data_batch_$i.bin"; done
  head -c $((3073 * 400)) "$batches/test_batch.bin" >"$pack/data/cifar-10-batches-bin/test_batch.bin"
  cp "$batches/batches.meta.txt" "$pack/data/cifar-10-batches-bin/"
fi
printf 'packed %s from %s\n' "$(date -u +%Y-%m-%dT%H:%MZ)" \
  "$(git -C "$root" describe --always --dirty 2>/dev/null || echo 'no git')" >"$pack/PACKED"

mkdir -p "$(dirname "$out")"
tar -C "$folder" -czf "$out" basin_gpu
size=$(stat -c %s "$out")
printf '%s: %d KiB\n' "$out" $((size / 1024))
du -a --max-depth=1 -k "$pack" | sort -rn | sed 's/^/  KiB /; s#'"$folder"'/##'
((size <= most)) || fail "$out has $size bytes, more than $most: leave out --cifar"
