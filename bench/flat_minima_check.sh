#!/usr/bin/env bash
# Is it the experiment or the program? Short runs (5 epochs, one seed) beside those of bench/flat_minima_cifar10.sh:
# SGD and SAM at several radii by Basin and, independently, by PyTorch (bench/peer/torch_flat_minima.py, skipped where
# /usr/bin/python3 has no torch), and GAM with its authors' radii and with small ones. Where SAM is right, both programs
# lose the same with a growing radius; where GAM is right, small radii bring it back to SGD.
# Usage: [EPOCHS=5] bench/flat_minima_check.sh DATA_DIR RUNS_DIR [BASIN]
set -euo pipefail

[[ $# -ge 2 ]] || {
  echo "usage: flat_minima_check.sh DATA_DIR RUNS_DIR [BASIN]" >&2
  exit 2
}
data=$1 runs=$2 basin=${3:-build/release/basin} epochs=${EPOCHS:-5}
mkdir -p "$runs"
common=(--data cifar10 --data-dir "$data" --limit 10000 --model resnet20 --epochs "$epochs" --batch-size 128 --lr 0.1
  --momentum 0.9 --weight-decay 5e-4 --augment basic --seed 1 --force --quiet)

# basin_run NAME OPTIONS...: "NAME train-loss train-accuracy test-accuracy"
basin_run() {
  "$basin" train "${common[@]}" --run "$runs/$1" "${@:2}" > /dev/null
  awk -F, -v name="basin $1" 'END { printf "%-26s train loss %.4f %.2f %%, test %.2f %%\n", name, $3, 100 * $5, 100 * $7 }' \
    "$runs/$1/metrics.csv"
}

gam=(--sharpness gam --gam-form paper --alpha 0.1 --gam-beta 0.1 --gam-gamma 0.05)
basin_run sgd
for rho in 0.01 0.05 0.2; do basin_run "sam-$rho" --sharpness sam --rho "$rho"; done
basin_run gam-0.2-0.03 "${gam[@]}" --rho 0.2 --rho-prime 0.03
basin_run gam-0.02-0.01 "${gam[@]}" --rho 0.02 --rho-prime 0.01
if /usr/bin/python3 -c 'import torch' 2> /dev/null; then
  peer=$(dirname "$0")/peer/torch_flat_minima.py
  for rho in 0 0.05 0.2; do
    rule=(sam --rho "$rho")
    [[ $rho != 0 ]] || rule=(sgd)
    /usr/bin/python3 "$peer" "$data" "${rule[@]}" --epochs "$epochs" | tail -n 1 | sed "s/^/torch rho $rho: /"
  done
fi
