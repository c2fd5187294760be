#!/usr/bin/env bash
# One epoch of the first 2,000 training images of CIFAR-10 for a network of each family: the loss of the epoch's first
# and last ten steps, images a second, test accuracy. Usage: bench/models_cifar10.sh DATA_DIR RUNS_DIR [BASIN]
set -euo pipefail

[[ $# -ge 2 ]] || {
  echo "usage: models_cifar10.sh DATA_DIR RUNS_DIR [BASIN]" >&2
  exit 2
}
data=$1 runs=$2 basin=${3:-build/release/basin}
mkdir -p "$runs"

# mean_loss: of lines of steps.jsonl
mean_loss() { sed -n 's/.*"loss":\([0-9.e+-]*\).*/\1/p' | awk '{ sum += $1 } END { printf "%.3f", sum / NR }'; }

printf '| %s | %s | %s | %s | %s |\n| --- | --- | --- | --- | --- |\n' network 'loss, steps 1 to 10' 'last 10' \
  'images/s' 'test %'
# Rates that the families bear: at 0.1 and without warm-up ResNet-18's loss first rises to 8 here.
for entry in pyramidnet-110-48:0.1 wrn-16-4:0.1 vgg16-bn:0.05 vit-cifar:0.01 resnet18:0.02; do
  model=${entry%:*} run=$runs/${entry%:*}
  "$basin" train --data cifar10 --data-dir "$data" --limit 2000 --model "$model" --epochs 1 --batch-size 50 \
    --lr "${entry#*:}" --seed 1 --run "$run" --force --quiet > /dev/null
  first=$(head -n 10 "$run/steps.jsonl" | mean_loss)
  last=$(tail -n 10 "$run/steps.jsonl" | mean_loss)
  awk -F, -v model="$model" -v first="$first" -v last="$last" \
    'END { printf "| %s | %s | %s | %.0f | %.2f |\n", model, first, last, $14, 100 * $7 }' "$run/metrics.csv"
done
