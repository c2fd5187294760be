#!/usr/bin/env bash
# The day a GPU is there: four stages, each of at most 10 minutes, each runs alone and prints one table last.
#   1  the card; the weight-layout test; all tests of the CUDA backend; a recorded step = the same step by step
#   2  speed against PyTorch, eager and compiled, in turns
#   3  compute-sanitizer's four tools; the ten longest kernels under ncu
#   4  a real training run to a stated accuracy, with its time
# Runs in the folder that pack_for_gpu.sh makes; in a checkout, with --build, on what is built there.
# --minutes N: ends a stage's longer lists after N minutes [8]. --quick: one short round of each part.
# --rehearse: in a checkout without a card: every command of the stage on the double, with one or two images and one
# step; a tool that is not here is left out in front of its command, and so is PyTorch. Its figures mean nothing.
# Usage: on_gpu.sh STAGE [--build build/release] [--minutes N] [--quick] [--rehearse] [--out FOLDER]
set -Eeuo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
usage() {
  printf 'on_gpu.sh: %s\nusage: on_gpu.sh 1|2|3|4 [--build DIR] [--minutes N] [--quick] [--rehearse] [--out FOLDER]\n' "$*" >&2
  exit 2
}
(($# > 0)) || usage 'which stage?'
stage=$1 build='' minutes=8 quick='' rehearse='' out=${OUT:-}
shift
[[ $stage =~ ^[1-4]$ ]] || usage "no stage '$stage'"
while (($# > 0)); do
  case $1 in
    --quick) quick=1 && shift && continue ;;
    --rehearse) rehearse=1 minutes=60 && shift && continue ;;
    --build | --minutes | --out) (($# > 1)) || usage "$1 needs a value" ;;
    *) usage "unknown option $1" ;;
  esac
  case $1 in
    --build) build=$(realpath "$2") ;;
    --minutes) minutes=$2 ;;
    --out) out=$2 ;;
  esac
  shift 2
done

if [[ -d $here/bin ]]; then
  programs=$here/bin peer=$here/peer data=$here/data
  export LD_LIBRARY_PATH=$here/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
else
  root=$(cd "$here/../.." && pwd)
  build=${build:-$root/build/release}
  programs=$build peer=$root/bench/peer data=/usr/share/datasets
fi
basin=$programs/basin
tests=$programs/test_cuda_gpu
[[ -x $tests ]] || tests=$programs/tests/cuda/test_cuda_gpu
fashion=$data/fashion-mnist

python=$(command -v python3 || true)

# cuDNN and cuBLAS of PyTorch's wheels, where the system has none.
if [[ -n $python ]]; then
  wheels=$("$python" -c 'import glob, os, sysconfig
print(":".join(sorted(glob.glob(os.path.join(sysconfig.get_paths()["purelib"], "nvidia", "*", "lib")))))' || true)
  [[ -z $wheels ]] || export LD_LIBRARY_PATH=${LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}$wheels
fi

# What a rehearsal has in place of a card, its tests and its data: a Fashion-MNIST of two images, one to test with.
cases=() train_size=(--limit 1024 --batch-size 64)
if [[ -n $rehearse ]]; then
  [[ -n $build ]] || usage '--rehearse is for a checkout'
  export BASIN_CUDA_PLUGIN=$build/tests/cuda/libbasin_cuda_double.so
  tests=$build/tests/cuda/test_cuda cases=('-tc=weights are read by row*,dot adds up*')
  train_size=(--batch-size 2)
fi
for program in "$basin" "$tests"; do
  [[ -x $program ]] || usage "there is no $program: build it, or name the folder of the build by --build"
done

out=${out:-$(mktemp -d "${TMPDIR:-/tmp}/basin-gpu.XXXXXX")}
mkdir -p "$out"
log=$out/stage$stage.log
: >"$log"
rows=() failed=0
end=$((SECONDS + minutes * 60))
time_is_left() { ((SECONDS < end)); }

# row NAME VALUE: a line of the table. note: the same for what failed.
row() {
  rows+=("$(printf '| %-44s | %s |' "$1" "$2")")
  printf '   %s: %s\n' "$1" "$2"
}
bad() {
  failed=1
  row "$1" "FAILED: $2"
}
# part NAME COMMAND...: its output into the log; a row that says whether it worked and its last line.
part() {
  local name=$1 status=0 start=$SECONDS
  shift
  printf '\n== %s\n+ %s\n' "$name" "$*" >>"$log"
  "$@" >"$out/part" 2>&1 || status=$?
  cat "$out/part" >>"$log"
  if ((status == 0)); then
    row "$name" "ok, $((SECONDS - start)) s"
  elif ((status == 77)); then
    row "$name" 'SKIPPED: there is no GPU'
  else
    bad "$name" "exit code $status: $(grep -v '^ *$' "$out/part" | tail -n 1 | cut -c1-120)"
  fi
  return 0
}
# under TOOL OPTION... -- COMMAND...: the command under a tool; in a rehearsal without it.
under() {
  local word=("$@")
  if [[ -n $rehearse ]]; then
    while [[ ${word[0]} != -- ]]; do word=("${word[@]:1}"); done
    word=("${word[@]:1}")
  fi
  for i in "${!word[@]}"; do [[ ${word[i]} != -- ]] || unset 'word[i]'; done
  "${word[@]}"
}
# there TOOL: it is on this machine, or needn't be.
there() { [[ -n $rehearse ]] || command -v "$1" >/dev/null; }
sha() { sha256sum "$1" | cut -c1-16; }

facts() {
  if command -v nvidia-smi >/dev/null; then
    row 'card' "$(nvidia-smi --query-gpu=name,memory.total,driver_version,clocks.sm --format=csv,noheader | head -n 1)"
  else
    row 'card' 'no nvidia-smi'
  fi
  "$basin" info --json >"$out/info.json" 2>>"$log" || true
  row 'basin info' "$("$basin" info 2>>"$log" | grep -i -m 1 -E 'cuda|gpu' || echo 'no line about CUDA')"
}

train() { # train NAME OPTIONS...: a short run in a folder of its own; prints the hash of its weights
  local name=$1
  shift
  rm -rf "$out/run-$name"
  "$basin" train --device cuda --run "$out/run-$name" --data fashion-mnist --data-dir "$fashion" \
    "${train_size[@]}" --epochs 1 --no-progress --seed 3 "$@" >>"$log" 2>&1 || return 1
  sha "$out/run-$name/final.safetensors"
}

stage_1() {
  facts
  local seen=0
  "$tests" -tc='no such case' >>"$log" 2>&1 || seen=$?
  if ((seen == 77)); then
    row 'all of it' 'SKIPPED: there is no GPU'
    failed=77
    return
  fi
  part 'weight layout (KRSC, Cin != Cout)' "$tests" '-tc=weights are read by row*'
  part 'all tests on the card' "$tests" "${cases[@]}"
  local rule graph eager again
  for rule in none sam asam fsam looksam msam gam; do
    time_is_left || break
    graph=$(train "graph-$rule" --model resnet20 --sharpness "$rule" --deterministic) || graph='failed'
    eager=$(train "eager-$rule" --model resnet20 --sharpness "$rule" --deterministic --no-graph) || eager='failed'
    again=$(train "again-$rule" --model resnet20 --sharpness "$rule" --deterministic) || again='failed'
    if [[ $graph == failed || $graph != "$eager" || $graph != "$again" ]]; then
      bad "recorded = eager = again, $rule" "$graph $eager $again"
    else
      row "recorded = eager = again, $rule" "$graph"
    fi
  done
}

stage_2() {
  facts
  [[ -n $python ]] || { bad 'speed' 'no python3'; return; }
  local work='resnet20:128:sgd resnet20:128:sam resnet20:128:gam resnet18:128:sgd resnet18:128:sam wrn-28-10:128:sgd
    pyramidnet-110-84:128:sgd resnet50:64:sgd vit-cifar:128:sgd vit-cifar:128:sam wrn-28-10:128:sam resnet18:128:gam'
  local rounds=3 steps=50 item
  [[ -z $quick ]] || { rounds=1 steps=3 work='resnet20:128:sgd resnet20:128:sam'; }
  [[ -z $rehearse ]] || rounds=1 steps=1
  for item in $work; do
    time_is_left || { row "$item" 'left out: the time is over'; continue; }
    if [[ -n $rehearse ]]; then
      case $item in resnet50:*) item=${item/:*:/:1:} ;; *) item=${item/:*:/:2:} ;; esac
    fi
    "$python" "$here/stage_table.py" speed ${rehearse:+--rehearse} --basin "$basin" --peer "$peer" --work "$item" --rounds "$rounds" \
      --steps "$steps" --log "$log.full" --json "$out/speed.jsonl" >"$out/part" 2>>"$log" || true
    row "$item bf16" "$(tail -n 1 "$out/part" | cut -c1-160)"
    # A peer that fails is a finding; without a figure of our own the row is none.
    grep -q '^Basin [0-9]' "$out/part" || failed=1
  done
}

stage_3() {
  facts
  if there compute-sanitizer; then
    local tool
    for tool in memcheck racecheck synccheck initcheck; do
      time_is_left || { row "compute-sanitizer $tool" 'left out: the time is over'; continue; }
      part "${rehearse:+rehearsed without }compute-sanitizer $tool" under timeout 150 compute-sanitizer --tool "$tool" --error-exitcode 9 -- \
        "$tests" '-tce=training:*,steps:*,every update rule*' "${cases[@]}"
    done
  else
    row 'compute-sanitizer' 'not on this machine'
  fi
  if there ncu && [[ -n $python ]]; then
    under timeout 200 ncu --clock-control none --csv --page raw --launch-count 400 \
      --metrics gpu__time_duration.sum,dram__throughput.avg.pct_of_peak_sustained_elapsed,sm__throughput.avg.pct_of_peak_sustained_elapsed -- \
      "$basin" bench step --device cuda --model resnet20 --rules sam --rounds 1 --steps 1 --json \
      ${rehearse:+--batch-size 2} >"$out/ncu.csv" 2>>"$log" || bad 'ncu' "$(tail -n 1 "$log" | cut -c1-120)"
    [[ -z $rehearse ]] || ncu_example >"$out/ncu.csv"
    while IFS= read -r line; do row "${line%%;*}" "${line#*;}"; done \
      < <("$python" "$here/stage_table.py" kernels --csv "$out/ncu.csv" 2>>"$log" || true)
  else
    row 'ncu' 'not on this machine'
  fi
}

# What ncu prints: names, units, a launch each.
ncu_example() {
  local metrics='"gpu__time_duration.sum","dram__throughput.avg.pct_of_peak_sustained_elapsed","sm__throughput.avg.pct_of_peak_sustained_elapsed"'
  printf '%s\n' "==PROF== Connected" "\"ID\",\"Kernel Name\",$metrics" '"","","ns","%","%"' \
    '"0","moments_kernel","2,000","80","10"' '"1","moments_kernel","4,000","60","10"' '"2","fill_kernel","1,000","9","1"'
}

stage_4() {
  facts
  local precision epochs=20
  [[ -z $quick && -z $rehearse ]] || epochs=1
  [[ -n $rehearse ]] || train_size=()
  for precision in f32 bf16; do
    time_is_left || break
    local start=$SECONDS run=$out/run-train-$precision
    rm -rf "$run"
    if "$basin" train --device cuda --precision "$precision" --data fashion-mnist --data-dir "$fashion" --model resnet20 \
      --sharpness sam --epochs "$epochs" "${train_size[@]}" --run "$run" --no-progress --seed 1 >>"$log" 2>&1; then
      row "Fashion-MNIST, ResNet-20, SAM, $precision" \
        "$("$python" "$here/stage_table.py" result --run "$run"), $((SECONDS - start)) s (aim: 93.5 % after 20 epochs)"
    else
      bad "Fashion-MNIST, ResNet-20, SAM, $precision" "$(tail -n 1 "$log" | cut -c1-120)"
    fi
  done
}

# small_fashion FOLDER: two images to train with, one to test with, in the set's own format.
small_fashion() {
  mkdir -p "$1"
  head -c 1568 "$tests" | cat <(printf '\0\0\10\3\0\0\0\2\0\0\0\34\0\0\0\34') - >"$1/train-images-idx3-ubyte"
  printf '\0\0\10\1\0\0\0\2\3\5' >"$1/train-labels-idx1-ubyte"
  head -c 784 "$tests" | cat <(printf '\0\0\10\3\0\0\0\1\0\0\0\34\0\0\0\34') - >"$1/t10k-images-idx3-ubyte"
  printf '\0\0\10\1\0\0\0\1\7' >"$1/t10k-labels-idx1-ubyte"
}
if [[ -n $rehearse ]]; then
  fashion=$out/fashion-mnist
  small_fashion "$fashion"
fi

case $stage in
  1) stage_1 ;;
  2) stage_2 ;;
  3) stage_3 ;;
  4) stage_4 ;;
esac
what=${rehearse:+'a rehearsal on the double, no figure of which means anything'}
what=${what:-$(cat "$here/PACKED" 2>/dev/null || echo 'a checkout')}
printf '\nstage %s, %s, %d s; log: %s\n' "$stage" "$what" "$SECONDS" "$log"
printf '| what | result |\n| --- | --- |\n'
printf '%s\n' "${rows[@]}"
exit "$failed"
