#!/bin/bash
# TensorBoard's own reader finds in a run's event files what its records say, also of a run that was resumed. Skipped
# (77) where Python has no tensorboard. Usage: tensorboard.sh BASIN PYTHON
set -eu
basin=$1 python=$2
"$python" -c 'import tensorboard' 2>/dev/null || { echo "$python has no tensorboard"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
common=(--data synthetic --limit 160 --model resnet8 --epochs 2 --batch-size 64 --lr 0.05 --workers 0 --quiet)
"$basin" train "${common[@]}" --tensorboard --run "$work/run" --stop-after-steps 4 > "$work/out"
"$basin" train --resume "$work/run" --quiet >> "$work/out"
"$python" - "$work/run" <<'PYTHON'
import csv, json, struct, sys
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

run = sys.argv[1]
f32 = lambda x: struct.unpack("f", struct.pack("f", x))[0]
events = EventAccumulator(run + "/tensorboard", size_guidance={"scalars": 0})
events.Reload()
steps = [json.loads(line) for line in open(run + "/steps.jsonl")]
epochs = list(csv.DictReader(open(run + "/metrics.csv")))
found = lambda tag: [(e.step, e.value) for e in events.Scalars(tag)]
assert len(steps) == 6, steps
for tag, key in [("train/loss", "loss"), ("train/lr", "lr"), ("train/gradient_norm", "gradient_norm")]:
    assert found(tag) == [(s["step"], f32(s[key])) for s in steps], (tag, found(tag))
for key in ["train_loss", "test_loss", "test_accuracy"]:
    assert found("epoch/" + key) == [(int(e["step"]), f32(float(e[key]))) for e in epochs], key
print("TensorBoard reads", sum(len(found(t)) for t in events.Tags()["scalars"]), "values")
PYTHON
