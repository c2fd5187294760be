#!/usr/bin/env bash
# From a bare Debian 12 to a trained network: installs the packages that are missing (as root or by sudo), builds
# Basin, and trains on Fashion-MNIST (60,000 real images, Debian's dataset-fashion-mnist) with SAM. About five minutes
# on two cores; a second call skips what is there. Usage: ./quickstart.sh
# shellcheck source=tools/setup.sh
source "$(dirname "${BASH_SOURCE[0]}")/tools/setup.sh"

required=88.00 # percent of the 10,000 test images
case ${1:-} in
  '') ;;
  -h | --help)
    sed -n '2,4s/^# //p' "${BASH_SOURCE[0]}"
    exit 0
    ;;
  *) wrong_usage "takes no options; to train with your own, call build/release/basin train (see --help)" ;;
esac

say "Basin quickstart: install, build, train on real images with SAM."
need "${build_packages[@]}" "${data_packages[@]}"
cd "$root"
configure release
run "compiling (a few minutes the first time)" build cmake --build --preset release --target basin

folder=runs/quickstart
train=(build/release/basin train --data fashion-mnist --model lenet5
  --sharpness sam --rho 0.05 --epochs 3 --batch-size 128 --lr 0.1 --schedule cosine --seed 1)
if [[ -f $folder/result.json ]]; then
  say "-- trained before: $folder (delete it to train again)"
else
  rm -rf "$folder"
  doing="training"
  say "-- $doing: ${train[*]} --run $folder"
  "${train[@]}" --run "$folder" </dev/null || fail "training ended with exit code $? (see README.md, exit codes)"
fi
