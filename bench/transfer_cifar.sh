#!/usr/bin/env bash
# Do weights that travel help? ResNet-20 trained on CIFAR-100, exported, and fine-tuned on CIFAR-10 with a new head,
# against the same steps from fresh weights: same recipe, seeds 1 to 3. Runs that are finished are kept, an interrupted
# one goes on where it stopped. The table comes from bench/results_table.py.
# Usage: [SEEDS="1 2 3"] [EPOCHS=5] [STEPS=500] [LIMIT=0] bench/transfer_cifar.sh DATA100 DATA10 RUNS_DIR [BASIN]
# EPOCHS on CIFAR-100, STEPS on CIFAR-10; LIMIT takes the first images of both alone, for a trial.
set -euo pipefail

[[ $# -ge 3 ]] || {
  echo "usage: transfer_cifar.sh DATA100 DATA10 RUNS_DIR [BASIN]" >&2
  exit 2
}
data100=$1 data10=$2 runs=$3 basin=${4:-build/release/basin}
mkdir -p "$runs"

common=(--model resnet20 --limit "${LIMIT:-0}" --batch-size 128 --lr 0.1 --momentum 0.9 --weight-decay 5e-4
  --schedule cosine --augment basic)
cifar100=(--data cifar100 --data-dir "$data100" --epochs "${EPOCHS:-5}")
cifar10=(--data cifar10 --data-dir "$data10" --steps "${STEPS:-500}")

# one NAME SEED DATA_DIR OPTIONS...
one() {
  local run=$runs/$1-seed$2
  if [[ -f $run/result.json ]]; then
    return
  elif [[ -f $run/config.toml ]] && ls "$run"/ckpt-*.safetensors > /dev/null 2>&1; then
    "$basin" train --resume "$run" --data-dir "$3" --quiet > "$run.out"
  else
    "$basin" train "${common[@]}" --seed "$2" --run "$run" --force --quiet "${@:4}" > "$run.out"
  fi
}

for seed in ${SEEDS:-1 2 3}; do
  one cifar100 "$seed" "$data100" "${cifar100[@]}"
  weights=$runs/cifar100-seed$seed.safetensors
  "$basin" export --run "$runs/cifar100-seed$seed" -o "$weights" --quiet
  one scratch "$seed" "$data10" "${cifar10[@]}"
  one transfer "$seed" "$data10" "${cifar10[@]}" --init "$weights" --ignore-head
done
"$(dirname "$0")/results_table.py" "$runs"
