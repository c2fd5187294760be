#!/usr/bin/env bash
# Kills training runs by SIGKILL at random moments, once to three times each, resumes them until they are done, and
# compares all that they leave with a run of the same options that was left alone: weights, averages, members of the
# ensemble, records without their times. Runs go over gradient rule x update rule x average or ensemble, with mixup, label
# noise, validation and folders of pictures among them; the state is saved after each step, so that many a kill falls into
# a save.
# Usage: [VERBOSE=1] tests/torture/kill.sh [N [SEED [BASIN]]] (20 runs, seed 1, build/release/basin)
# Ends with 0 if all N end in the same bytes, else with 1 and the commands that show it.
set -euo pipefail

if [[ ${1:-} == -* ]]; then
  sed -n '2,8s/^# //p' "${BASH_SOURCE[0]}"
  [[ $1 == -h || $1 == --help ]] && exit 0
  exit 2
fi
runs=${1:-20} seed=${2:-1} basin=$(realpath "${3:-build/release/basin}")
images=$(realpath "$(dirname "${BASH_SOURCE[0]}")/../data/images")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
RANDOM=$seed

rules=(none sam asam gsam gnp fsam looksam msam vasso gam 'sam --micro own --micro-size 8' 'gam --gam-form differences'
  'sam --every 2')
updates=(sgd adam adamw rmsprop lion muon 'schedule-free-sgd --schedule constant'
  'schedule-free-adamw --schedule constant' 'sgd --nesterov --weight-decay 5e-4'
  'sgd --lookahead 2')
others=('' '--average swa --average-start 1 --swa-lr 0' '--average ema' '--average lawa' '--ensemble snapshot --cycles 2'
  '--ensemble fge --fge-start 1 --fge-cycle-epochs 1')
images_of=('--data synthetic --limit 64' '--data synthetic --limit 64 --augment basic,mixup=0.4'
  '--data synthetic --limit 64 --label-noise 0.4' '--data synthetic --limit 80 --validation 16'
  '--data synthetic --limit 64 --augment crop=2,cutmix=1' "--data folder --data-dir $work/pictures --image-size 32")
models=(lenet5 mlp resnet8)

# Two classes of pictures.
for part in train test; do
  for class in a b; do mkdir -p "pictures/$part/$class"; done
  n=0
  for picture in "$images"/{photo,palette,grey,flat}.png "$images"/{photo,full,grey,odd}.jpg; do
    for copy in 1 2 3 4; do
      n=$((n + 1))
      cp "$picture" "pictures/$part/$([[ $((n % 2)) == 0 ]] && echo a || echo b)/$n-$copy.${picture##*.}"
    done
  done
done

# left_by RUN: digests of what must be equal.
left_by() {
  (
    cd "$1"
    for file in final*.safetensors members/*; do
      if [[ -f $file ]]; then sha256sum "$file"; fi
    done
    # Times are the last fields of a step and the last columns of an epoch.
    sed 's/,"seconds":.*//' steps.jsonl | sha256sum
    sed 's/^\(\([^,]*,\)\{12\}\).*/\1/' metrics.csv | sha256sum
  )
}

milliseconds() { echo $(($(date +%s%N) / 1000000)); }

done_runs=0 same=0 kills=0 in_saves=0 refused=0
for ((i = 0; done_runs < runs; ++i)); do
  # Every rule meets every update rule, and so on, before a pair comes again.
  options="--sharpness ${rules[i % ${#rules[@]}]} --optimizer ${updates[(i + i / ${#rules[@]}) % ${#updates[@]}]}"
  options+=" ${others[(i + i / 7) % ${#others[@]}]} ${images_of[(i + i / 11) % ${#images_of[@]}]}"
  options+=" --model ${models[i % ${#models[@]}]} --batch-size 16 --epochs 3 --seed $((seed + i))"
  options+=" --checkpoint-every 1steps --threads $((1 + i % 2)) --workers $((i % 3))"
  rm -rf straight killed
  begin=$(milliseconds)
  # shellcheck disable=SC2086 # words
  if ! "$basin" train $options --run straight --quiet > straight.out 2>&1; then
    # Not everything goes with everything: a refusal is no run. Whatever else ends a run is a failure.
    if [[ $(tail -n 1 straight.out) == "basin: "* && ! -d straight ]]; then
      refused=$((refused + 1))
      [[ -z ${VERBOSE:-} ]] || echo "refused: $options: $(tail -n 1 straight.out)"
      continue
    fi
    echo "the run left alone failed: basin train $options: $(tail -n 1 straight.out)"
    exit 1
  fi
  took=$(($(milliseconds) - begin))
  killed=0 moments='' more=$((1 + RANDOM % 3))
  while true; do
    # A run that ended before config.toml was written has not begun: the same call starts it.
    if [[ -e killed/config.toml ]]; then call="train --resume killed"; else call="train $options --run killed --force"; fi
    # shellcheck disable=SC2086
    "$basin" $call --quiet > killed.out 2>&1 &
    child=$!
    if ((killed < more)); then
      moment=$((RANDOM * (took + 50) / 32768))
      sleep "$(printf '%d.%03d' $((moment / 1000)) $((moment % 1000)))"
      if kill -KILL $child 2> /dev/null; then
        moments+=" $moment ms"
        killed=$((killed + 1))
      fi
    fi
    status=0
    { wait $child || status=$?; } 2> /dev/null # without the shell's word that it was killed
    ((status == 137)) || break
    kills=$((kills + 1))
    if compgen -G 'killed/.*.tmp' > /dev/null; then in_saves=$((in_saves + 1)); fi
  done
  done_runs=$((done_runs + 1))
  if ((status == 0)) && [[ $(left_by straight) == "$(left_by killed)" ]] && ! compgen -G 'killed/.*.tmp' > /dev/null; then
    same=$((same + 1))
  else
    echo "basin train $options: killed after$moments, then exit $status: $(tail -n 1 killed.out)"
    diff <(left_by straight) <(left_by killed) | head -n 4 || true
  fi
done
echo "kill.sh: $same of $runs runs ended in the bytes of the run left alone; $kills kills, $in_saves of them left a" \
  "save half done; $refused combinations were refused; seed $seed"
((same == runs))
