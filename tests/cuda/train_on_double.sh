#!/bin/sh
# `basin train --device cuda` from end to end on the doubles: train_on_double.sh BASIN PLUGIN. Two epochs of a small
# network, by records and by calls (the same bits), resumed there and on the CPU, and evaluated. The losses are the
# CPU's to 1e-4.
set -eu
basin=$1
export BASIN_CUDA_PLUGIN="$2"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM

images=40 batch=16 rate=0.05 rule='--sharpness sam --rho 0.05'
train() { # DIR WORD..., both epochs unless told otherwise
  dir=$1
  shift
  # shellcheck disable=SC2086 # words are words
  "$basin" train --quiet --data synthetic --limit "$images" --model mlp --epochs 2 --batch-size "$batch" --seed 7 \
    --workers 0 --lr "$rate" $rule --run "$work/$dir" "$@" > "$work/$dir.log" 2>&1 ||
    { code=$?; cat "$work/$dir.log"; exit "$code"; }
}
losses() { sed 's/.*"loss":\([^,]*\),.*/\1/' "$work/$1/steps.jsonl"; }
close() { # A B: numbers, line by line
  paste "$1" "$2" | awk '{ d = $1 > $2 ? $1 - $2 : $2 - $1
                           if (!(d <= 1e-4 * $1)) { print $1 " and " $2; bad = 1 } } END { exit bad }'
}
same() { # A B FILE: equal bytes
  cmp "$work/$1/$3" "$work/$2/$3" || { echo "$3 of $1 and $2 differ"; exit 1; }
}

train cpu --device cpu
train played --device cuda --deterministic
train called --device cuda --deterministic --no-graph
same played called final.safetensors

losses cpu > "$work/cpu.losses"
losses played > "$work/played.losses"
[ "$(wc -l < "$work/cpu.losses")" = "$(wc -l < "$work/played.losses")" ]
close "$work/cpu.losses" "$work/played.losses"

# The card cuts, mirrors, covers and mixes the images itself; two sets of places, for the last batch is smaller.
changes=crop=4,flip,cutout=8,mixup=0.5
train changed_cpu --device cpu --augment $changes
train changed --device cuda --deterministic --augment $changes
train changed_called --device cuda --deterministic --no-graph --augment $changes
same changed changed_called final.safetensors
losses changed_cpu > "$work/changed_cpu.losses"
losses changed > "$work/changed.losses"
close "$work/changed_cpu.losses" "$work/changed.losses"

# A run stops on the card and goes on there with the same bits, or on the CPU.
train halves --device cuda --deterministic --stop-after-steps 2
cp -r "$work/halves" "$work/moved"
"$basin" train --quiet --resume "$work/halves" --device cuda > /dev/null
same played halves final.safetensors
"$basin" train --quiet --resume "$work/moved" --device cpu > /dev/null

for device in cpu cuda; do
  "$basin" eval --run "$work/played" --device "$device" --json |
    sed -n 's/^ *"loss": *\([0-9.e-]*\),*$/\1/p' > "$work/$device.eval"
done
[ -s "$work/cuda.eval" ]
close "$work/cpu.eval" "$work/cuda.eval"

# The host never waits until the card has nothing to do but where a run begins and ends: 14 steps of an epoch have as
# many such moments as 11. Batches that the card makes, by records and by calls with an average that each step enters,
# and batches that come whole.
images=80 batch=4 rule='--sharpness none'
for case in 'drawn --augment crop=4,flip,cutout=8,mixup=0.5' 'called --no-graph --average ema --optimizer adamw' \
  'whole --augment randaugment=1:5'; do
  for steps in 11 14; do
    export DOUBLE_STALLS="$work/${case%% *}.$steps"
    # shellcheck disable=SC2086 # words are words
    train "${case%% *}-$steps" --device cuda --stop-after-steps "$steps" ${case#* }
    unset DOUBLE_STALLS
  done
  cmp "$work/${case%% *}.11" "$work/${case%% *}.14" || { echo "the card stands still in each step: $case"; exit 1; }
done
images=40 batch=16 rule='--sharpness sam --rho 0.05'

# Steps that are not finite: the run ends at the limit, with the CPU's exit code, records and state.
skipping() { # DIR WORD...
  dir=$1 code=0
  shift
  (rate=1e30 && train "$dir" --skip-limit 3 "$@" > "$work/$dir.said") || code=$?
  if [ "$code" != 5 ] || ! grep -q 'step 4 (epoch 2, lr .*nothing of this step was applied' "$work/$dir.said"; then
    echo "exit $code"
    cat "$work/$dir.said"
    exit 1
  fi
  grep -o '"step":[0-9]*\|"skipped":true' "$work/$dir/steps.jsonl" > "$work/$dir.steps"
}
skipping skipped_cpu --device cpu
skipping skipped --device cuda --deterministic
skipping skipped_called --device cuda --deterministic --no-graph
cmp "$work/skipped_cpu.steps" "$work/skipped.steps"
cmp "$work/skipped.steps" "$work/skipped_called.steps"

# A speed of each rule, in bf16 through a network with branches; the card's memory; what counts with a card.
bench() { "$basin" bench "$@" --device cuda --no-progress --json > "$work/bench.json"; }
has() { grep -q "$1" "$work/bench.json" || { cat "$work/bench.json"; exit 1; }; }
for words in '--precision bf16' '--precision bf16 --no-graph' '--deterministic --augment crop=4,flip,mixup=0.5'; do
  # shellcheck disable=SC2086 # words are words
  bench step --model resnet8 --image-size 16 --batch-size 2 --rounds 1 --steps 3 --rules plain,sam $words
  has '"device": "cuda:0"'
  has '"images_per_second": [0-9.]*[1-9]'
done
bench rules --model mlp --batch-size 2 --rounds 1 --steps 2 --rules sam --precision tf32
has '"precision": "tf32"'
bench memory --model mlp --batch-size 2 --rules sam
has '"held": [1-9]'

# run.json names the card.
for fact in '"device": "cuda:0"' '"compute": "[0-9]*[.][0-9]"' '"runtime": "1[0-9][.]' '"driver": "1' \
  '"cudnn": "9[.]'; do
  grep -q "$fact" "$work/played/run.json" || { echo "no $fact in run.json"; exit 1; }
done
if grep -q '"cudnn"' "$work/cpu/run.json"; then echo 'a run on the CPU names a card'; exit 1; fi

# A card that is too small is one line that says what was asked for, from train and from bench.
small() {
  code=0
  DOUBLE_MEMORY=8000000 "$basin" "$@" --device cuda > /dev/null 2> "$work/small.log" || code=$?
  if [ "$code" != 6 ] || [ "$(grep -c . "$work/small.log")" != 1 ] ||
    ! grep -q '^basin: \[cuda\] out of memory on cuda:0: [0-9]* bytes were asked for' "$work/small.log"; then
    echo "exit $code"
    cat "$work/small.log"
    exit 1
  fi
}
small train --quiet --data synthetic --limit 40 --model mlp --epochs 1 --batch-size 16 --workers 0 --run "$work/small"
small bench step --quiet --model mlp --batch-size 2 --rounds 1 --steps 1

code=0
"$basin" train --data synthetic --device cuda:7 --run "$work/none" 2> "$work/none.log" || code=$?
[ "$code" = 2 ]
grep -q "this machine's cards are cuda:0 to cuda:" "$work/none.log"
echo "played, called, resumed and evaluated"
