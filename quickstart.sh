#!/usr/bin/env bash
# From a bare Debian 12 to a trained network: installs the packages that are missing (as root or by sudo), builds
# Basin, and trains on Fashion-MNIST (60,000 real images, Debian's dataset-fashion-mnist) with SAM. About five minutes
# on two cores; a second call skips what is there. Usage: ./quickstart.sh
# shellcheck source=.ci/setup.sh
source "$(dirname "${BASH_SOURCE[0]}")/.ci/setup.sh"

required=0.88 # of the 10,000 test images
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

basin=build/release/basin folder=runs/quickstart
recipe=(--data fashion-mnist --model lenet5 --augment none --sharpness sam --rho 0.05 --epochs 5 --batch-size 128
  --lr 0.05 --warmup-epochs 0.25 --seed 1)
doing="training"
if [[ -f $folder/result.json ]]; then
  say "-- trained before; here is the evaluation (delete $folder to train again)"
  command=("$basin" eval --run "$folder")
elif compgen -G "$folder/ckpt-*.safetensors" >/dev/null; then
  say "-- $doing: going on with the run that was stopped"
  command=("$basin" train --resume "$folder")
else
  say "-- $doing: $basin train ${recipe[*]} --run $folder"
  command=("$basin" train "${recipe[@]}" --run "$folder" --force)
fi
status=0
"${command[@]}" </dev/null || status=$?
((status <= 128)) || exit "$status"
((status == 0)) || fail "$basin ended with exit code $status (README.md lists them)"

accuracy=$(sed -n 's/^  "test_accuracy": \([0-9.]*\),*$/\1/p' "$folder/result.json")
if ! awk -v got="$accuracy" -v wanted="$required" 'BEGIN { exit !(got >= wanted) }'; then
  fail "test accuracy ${accuracy:-unknown}, expected at least $required: please report it with $folder/run.json"
fi
say ''
say "Trained on 60,000 real images with SAM; $accuracy of the 10,000 test images are named rightly."
say "The run's files: $root/$folder"
say "Next: $basin train --help; README.md"
