#!/usr/bin/env bash
# The day a GPU is there: four stages, each of at most 10 minutes, each runs alone and prints one table last.
#   1  the card; the weight-layout test; all tests of the CUDA backend; a recorded step = the same step by step
#   2  speed against PyTorch, eager and compiled, in turns
#   3  compute-sanitizer's four tools; the ten longest kernels under ncu
#   4  a real training run to a stated accuracy, with its time
# Runs in the folder that pack_for_gpu.sh makes; in a checkout, with --build, on what is built there.
# --minutes N: ends a stage's longer lists after N minutes [8]. --quick: one short round of each part.
# Usage: on_gpu.sh STAGE [--build build/release] [--minutes N] [--quick] [--out FOLDER]
set -Eeuo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
usage() {
  printf 'on_gpu.sh: %s\nusage: on_gpu.sh 1|2|3|4 [--build DIR] [--minutes N] [--quick] [--out FOLDER]\n' "$*" >&2
  exit 2
}
(($# > 0)) || usage 'which stage?'
stage=$1 build='' minutes=8 quick='' out=${OUT:-}
shift
[[ $stage =~ ^[1-4]$ ]] || usage "no stage '$stage'"
while (($# > 0)); do
  case $1 in
    --quick) quick=1 && shift && continue ;;
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
  "$basin" train --device cuda --run "$out/run-$name" --data fashion-mnist --data-dir "$fashion" --limit 1024 \
    --batch-size 64 --epochs 1 --no-progress --seed 3 "$@" >>"$log" 2>&1 || return 1
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
  part 'all tests on the card' "$tests"
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
  for item in $work; do
    time_is_left || { row "$item" 'left out: the time is over'; continue; }
    "$python" "$here/stage_table.py" speed --basin "$basin" --peer "$peer" --work "$item" --rounds "$rounds" \
      --steps "$steps" --log "$log.full" --json "$out/speed.jsonl" >"$out/part" 2>>"$log" || true
    row "$item bf16" "$(tail -n 1 "$out/part" | cut -c1-160)"
    grep -q . "$out/part" || failed=1
  done
}

stage_3() {
  facts
  if command -v compute-sanitizer >/dev/null; then
    local tool
    for tool in memcheck racecheck synccheck initcheck; do
      time_is_left || { row "compute-sanitizer $tool" 'left out: the time is over'; continue; }
      part "compute-sanitizer $tool" timeout 150 compute-sanitizer --tool "$tool" --error-exitcode 9 "$tests" \
        '-tce=training:*,steps:*,every update rule*'
    done
  else
    row 'compute-sanitizer' 'not on this machine'
  fi
  if command -v ncu >/dev/null && [[ -n $python ]]; then
    timeout 200 ncu --clock-control none --csv --page raw --launch-count 400 \
      --metrics gpu__time_duration.sum,dram__throughput.avg.pct_of_peak_sustained_elapsed,sm__throughput.avg.pct_of_peak_sustained_elapsed \
      "$basin" bench step --device cuda --model resnet20 --rules sam --rounds 1 --steps 1 --json \
      >"$out/ncu.csv" 2>>"$log" || true
    while IFS= read -r line; do row "${line%%;*}" "${line#*;}"; done \
      < <("$python" "$here/stage_table.py" kernels --csv "$out/ncu.csv" 2>>"$log" || true)
  else
    row 'ncu' 'not on this machine'
  fi
}

stage_4() {
  facts
  local precision epochs=20
  [[ -z $quick ]] || epochs=1
  for precision in f32 bf16; do
    time_is_left || break
    local start=$SECONDS run=$out/run-train-$precision
    rm -rf "$run"
    if "$basin" train --device cuda --precision "$precision" --data fashion-mnist --data-dir "$fashion" --model resnet20 \
      --sharpness sam --epochs "$epochs" --run "$run" --no-progress --seed 1 >>"$log" 2>&1; then
      row "Fashion-MNIST, ResNet-20, SAM, $precision" \
        "$("$python" "$here/stage_table.py" result --run "$run"), $((SECONDS - start)) s (aim: 93.5 % after 20 epochs)"
    else
      bad "Fashion-MNIST, ResNet-20, SAM, $precision" "$(tail -n 1 "$log" | cut -c1-120)"
    fi
  done
}

case $stage in
  1) stage_1 ;;
  2) stage_2 ;;
  3) stage_3 ;;
  4) stage_4 ;;
esac
printf '\nstage %s, %s, %d s; log: %s\n' "$stage" "$(cat "$here/PACKED" 2>/dev/null || echo 'a checkout')" "$SECONDS" "$log"
printf '| what | result |\n| --- | --- |\n'
printf '%s\n' "${rows[@]}"
exit "$failed"
