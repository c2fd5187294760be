#!/usr/bin/env bash
# How flat the minima of SGD, SAM and GAM are: everything in docs/results/flatness.md. ResNet-20 on the first 10,000
# training images of CIFAR-10, not augmented, batches of 32, 30 epochs, seeds 1 to 3; then the laboratory. Three hours
# on one core. What is there already is kept, and what was interrupted goes on, so the script may be stopped and started
# at will; no result depends on the number of threads.
# Usage: [THREADS=1] bench/flatness.sh DATA_DIR RUNS_DIR [BASIN]
set -euo pipefail

[[ $# -ge 2 ]] || {
  echo "usage: flatness.sh DATA_DIR RUNS_DIR [BASIN]" >&2
  exit 2
}
data=$1 runs=$2 basin=${3:-build/release/basin}
mkdir -p "$runs"
cpu=(--threads "${THREADS:-1}" --workers 0 --quiet)

common=(--data cifar10 --data-dir "$data" --limit 10000 --augment none --batch-size 32 --lr 0.05 --schedule cosine
  --momentum 0.9 --weight-decay 5e-4 --epochs 30 --checkpoint-every 5epochs)
gam=(--sharpness gam --gam-form differences --gam-with-sam --rho 0.05 --rho-prime 0.05 --alpha 0.5)
# Three solutions of one run, at the lowest rates of three cycles, and their mean.
cycles=(--ensemble fge --fge-start 26 --fge-cycle-epochs 2 --average swa --average-at cycle --average-start 26
  --swa-lr 0)

# one NAME SEED MODEL OPTIONS...
one() {
  local run=$runs/$1-s$2
  if [[ -f $run/result.json ]]; then
    return
  elif [[ -f $run/config.toml ]] && ls "$run"/ckpt-*.safetensors > /dev/null 2>&1; then
    "$basin" train --resume "$run" "${cpu[@]}" > "$run.out"
  else
    "$basin" train "${common[@]}" "${cpu[@]}" --seed "$2" --model "$3" --run "$run" --force "${@:4}" > "$run.out"
  fi
}

# ask COMMAND RUN... OPTIONS: an answer, in its directory below lab/; one that is there is shown and not computed.
ask() {
  local command=$1
  shift
  "$basin" "$command" "$@" "${cpu[@]}"
}

curvature() { # RUN OPTIONS...
  ask hessian "$1" --images 1000 "${@:2}"
}

for seed in 1 2 3; do
  one sgd "$seed" resnet20
  one sam "$seed" resnet20 --sharpness sam --rho 0.1
  one gam "$seed" resnet20 "${gam[@]}"
done
one noshort 1 resnet20-noshort
one cycles 1 resnet20 "${cycles[@]}"

for rule in sgd sam gam; do
  curvature "$runs/$rule-s1" --top 5 --tolerance 0.01 --trace-products 30 --density-steps 40 --density-starts 1
  curvature "$runs/$rule-s1" --split test --top 1 --tolerance 0.02 --trace-products 20 --no-density
  for seed in 2 3; do
    curvature "$runs/$rule-s$seed" --top 1 --tolerance 0.02 --trace-products 16 --no-density
  done
  for seed in 1 2 3; do ask sharpness "$runs/$rule-s$seed" --images 500 --rho 0.05,0.1,0.2; done
done
ask landscape "$runs"/{sgd,sam,gam}-s1 --images 500 --grid 21x21 -o "$runs/landscape-rules"
ask landscape "$runs"/{sgd,noshort}-s1 --images 500 --grid 31x31 -o "$runs/landscape-shortcuts"
ask landscape "$runs/cycles-s1" --directions plane --solutions member:1,member:2,member:3,swa --test --images 500 \
  --grid 21x21
ask curve "$runs"/sgd-s{1,2} --epochs 6 --images 1000 --align -o "$runs/curve-seeds"
