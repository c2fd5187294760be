#!/usr/bin/env python3
"""The figures of on_gpu.sh's stages.

speed:   Basin (recorded step) and PyTorch (eager and its compiled modes) in turns; prints one line:
         images per second of Basin, of PyTorch eager, of its best mode, and the two ratios, medians of the rounds.
kernels: from ncu's CSV the ten kernels with the most time: name; time, share, memory and arithmetic throughput.
result:  the last epoch's test accuracy of a run.
"""

import argparse
import collections
import csv
import json
import pathlib
import statistics
import subprocess
import sys


def run(command, log):
    done = subprocess.run(command, capture_output=True, text=True)
    with open(log, "a") as file:
        file.write(f"\n+ {' '.join(command)}\n{done.stdout}{done.stderr}\n")
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        raise RuntimeError(f"{pathlib.Path(command[0]).name}: {last}")
    return json.loads(done.stdout)


def basin(options, model, batch, rule):
    side = ["--image-size", "224"] if model == "resnet50" else []
    found = run([options.basin, "bench", "step", "--device", "cuda", "--precision", "bf16", "--model", model, "--rules",
                 "plain" if rule == "sgd" else rule, "--batch-size", batch, "--rounds", "1", "--steps",
                 str(options.steps), "--json", *side], options.log)
    return found["rules"][0]["images_per_second"]


def torch(options, model, batch, rule, modes):
    if options.rehearse:
        return run([sys.executable, str(pathlib.Path(options.peer) / "torch_gpu.py"), "--model", model, "--rule", rule,
                    "--precision", "bf16", "--batch-size", batch, "--steps", "1", "--rounds", "1", "--modes", "eager",
                    "--device", "cpu", "--warm-up", "0"], options.log)
    return run([sys.executable, str(pathlib.Path(options.peer) / "torch_gpu.py"), "--model", model, "--rule", rule,
                "--precision", "bf16", "--batch-size", batch, "--steps", str(options.steps), "--rounds", "1", "--modes",
                modes], options.log)


def speed(options):
    model, batch, rule = options.work.split(":")
    ours, eager, compiled, notes = [], [], collections.defaultdict(list), []
    try:
        modes = "eager,default,reduce-overhead,max-autotune"
        for _ in range(options.rounds):
            ours.append(basin(options, model, batch, rule))
            found = torch(options, model, batch, rule, modes)
            for mode, speeds in found["images_per_second"].items():
                (eager if mode == "eager" else compiled[mode]).extend(speeds)
            notes = [f"{mode} failed: {why}" for mode, why in found["failed"].items()]
            if len(compiled) > 1:  # later rounds: its best mode alone, for compiling takes minutes
                modes = "eager," + max(compiled, key=lambda mode: statistics.median(compiled[mode]))
    except RuntimeError as e:
        notes.append(str(e))
    best = max(compiled, key=lambda mode: statistics.median(compiled[mode]), default=None)
    with open(options.json, "a") as file:
        file.write(json.dumps({"work": options.work, "basin": ours, "eager": eager, "compiled": compiled}) + "\n")
    words = [f"Basin {statistics.median(ours):.0f}" if ours else "Basin -"]
    words.append(f"eager {statistics.median(eager):.0f}" if eager else "eager -")
    words.append(f"{best} {statistics.median(compiled[best]):.0f}" if best else "compiled -")
    if ours and eager:
        words.append(f"{statistics.median(ours) / statistics.median(eager):.2f}x eager")
    if ours and best:
        words.append(f"{statistics.median(ours) / statistics.median(compiled[best]):.2f}x compiled")
    print("; ".join(words + notes))


def kernels(options):
    lines = [line for line in open(options.csv, errors="replace") if line.startswith('"')]
    rows = list(csv.DictReader(lines))
    units, rows = rows[0], rows[1:]
    scale = {"ns": 1e-3, "us": 1.0, "usecond": 1.0, "nsecond": 1e-3, "ms": 1e3}
    time_of, columns = collections.Counter(), collections.defaultdict(list)
    key = "gpu__time_duration.sum"
    for row in rows:
        name = row["Kernel Name"][:70]
        time_of[name] += float(row[key].replace(",", "")) * scale.get(units[key], 1.0)
        columns[name].append([float(row[k].replace(",", "")) for k in row if k.endswith("pct_of_peak_sustained_elapsed")])
    total = sum(time_of.values())
    for name, time in time_of.most_common(10):
        share = [statistics.mean(c) for c in zip(*columns[name])]
        print(f"{name[:44]};{len(columns[name])} launches, {time:.0f} us, {100 * time / total:.1f} %, throughput of "
              + ", ".join(f"{s:.0f} %" for s in share) + " (memory, arithmetic)")


def result(options):
    found = json.loads((pathlib.Path(options.run) / "result.json").read_text())
    print(f"{100 * found['last']['test_accuracy']:.2f} %")


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("what", choices=("speed", "kernels", "result"))
    for name in ("--basin", "--peer", "--work", "--log", "--json", "--csv", "--run"):
        options.add_argument(name)
    options.add_argument("--rehearse", action="store_true", help="without a card: PyTorch eager on the CPU, if it is there")
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--steps", type=int, default=50)
    options = options.parse_args()
    {"speed": speed, "kernels": kernels, "result": result}[options.what](options)


if __name__ == "__main__":
    main()
