#!/usr/bin/env python3
"""Basin against PyTorch: images per second of a training step, and peak memory, in turns on the same threads.

Each round runs every side once, each in a process of its own: Basin, PyTorch as it comes, and PyTorch with glibc's
allocator tuned (huge pages, memory kept), which makes it faster. Ratios are Basin over the better PyTorch of the same
round; the table has medians and ranges over the rounds. Peak memory is what the system counted for the process.

PyTorch: that of --python, if given; else build/peer, a virtual environment that this script makes and fills from PyPI
(some gigabytes); with --debian, or where that fails, Debian's python3-torch (apt-get install python3-torch).
With --before FILE an earlier basin runs in the same rounds, and a column has Basin over it: what a change costs.
--no-pytorch leaves the peer out.
Usage: bench/versus_pytorch.py [--models resnet20:sgd,resnet20:sam,...] [--rounds 5] [--basin build/release/basin] ...
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
PEER = ROOT / "bench" / "peer" / "torch_step.py"
TUNED = ("glibc.malloc.hugetlb=1:glibc.malloc.mmap_max=0:glibc.malloc.trim_threshold=20000000000:"
         "glibc.malloc.top_pad=268435456")
# model: (batch, timed steps of a round)
WORK = {
    "resnet20": (128, 15), "resnet56": (128, 6), "resnet18": (128, 3), "wrn-16-4": (128, 4), "wrn-28-10": (32, 1),
    "pyramidnet-110-48": (128, 2), "pyramidnet-110-84": (128, 1), "pyramidnet-110-84-bottleneck": (128, 1),
    "vit-cifar": (128, 3),
}
ALL = ("resnet20:sgd,resnet20:sam,resnet56:sgd,resnet18:sgd,wrn-16-4:sgd,wrn-16-4:sam,wrn-28-10:sgd,"
       "pyramidnet-110-48:sgd,pyramidnet-110-84:sgd,pyramidnet-110-84-bottleneck:sgd,vit-cifar:sgd")


def has_torch(python):
    return subprocess.run([python, "-c", "import torch"], capture_output=True).returncode == 0


def find_python(options):
    """The interpreter whose PyTorch is the peer, or None."""
    if options.python:
        if not has_torch(options.python):
            sys.exit(f"versus_pytorch.py: {options.python} has no PyTorch")
        return options.python
    if not options.debian:
        place = ROOT / "build" / "peer"
        python = str(place / "bin" / "python")
        if not pathlib.Path(python).exists():
            print(f"making {place} and installing PyTorch from PyPI ...", file=sys.stderr)
            if subprocess.run([sys.executable, "-m", "venv", str(place)]).returncode == 0:
                subprocess.run([python, "-m", "pip", "install", "-q", "torch", "numpy"])
        if has_torch(python):
            return python
        print("PyTorch from PyPI cannot be had here; looking for Debian's", file=sys.stderr)
    if has_torch("/usr/bin/python3"):
        return "/usr/bin/python3"
    return None


def run(command, environment=None):
    """(the JSON that the command prints, its peak memory in bytes)"""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, env={**os.environ, **(environment or {})}, text=True)
    out = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"versus_pytorch.py: exit code {process.returncode} from {' '.join(command)}")
    return json.loads(out), usage.ru_maxrss * 1024


class Sides:
    def __init__(self, options, python):
        self.options, self.python = options, python
        self.names = (["before"] if options.before else []) + ["basin"] + (["torch", "torch-tuned"] if python else [])

    def one(self, side, model, rule, batch, steps):
        """(images per second, peak bytes)"""
        threads = str(self.options.threads)
        if side in ("basin", "before"):
            program = self.options.basin if side == "basin" else self.options.before
            algorithm = [] if model.startswith("vit-") else ["--conv-algo", self.options.conv_algo]
            found, memory = run([program, "bench", "step", "--model", model, "--rules", "plain" if rule == "sgd" else rule,
                                 "--rounds", "1", "--steps", str(steps), "--threads", threads, "--batch-size",
                                 str(batch), *algorithm, "--json"])
            return found["rules"][0]["images_per_second"], memory
        environment = {"OMP_NUM_THREADS": threads}
        if side == "torch-tuned":
            environment["GLIBC_TUNABLES"] = TUNED
        found, memory = run([self.python, str(PEER), "--model", model, "--rule", rule, "--steps", str(steps),
                             "--threads", threads, "--batch-size", str(batch)], environment)
        self.check(model, found["parameters"])
        return found["images_per_second"], memory

    def check(self, model, parameters):
        """Stops unless both sides have the same number of parameters: then the networks differ."""
        found, _ = run([self.options.basin, "info", model, "--json"])
        if found["parameters"] != parameters:
            sys.exit(f"versus_pytorch.py: {model} has {found['parameters']} parameters, the peer's {parameters}")


def spread(values, digits=0):
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f} to {max(values):.{digits}f})"


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--models", default=ALL, help="MODEL:RULE between commas; rule: sgd or sam")
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--steps", type=int, default=0, help="of a round; 0: fitted to the model")
    options.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    options.add_argument("--batch-size", type=int, default=0, help="0: fitted to the model")
    options.add_argument("--conv-algo", default="winograd4")
    options.add_argument("--basin", default=str(ROOT / "build" / "release" / "basin"))
    options.add_argument("--before", metavar="FILE", help="an earlier basin to compare with")
    options.add_argument("--no-pytorch", action="store_true", help="compare with --before alone")
    options.add_argument("--python", help="an interpreter that has PyTorch")
    options.add_argument("--debian", action="store_true", help="Debian's PyTorch, without asking PyPI")
    options.add_argument("--json", metavar="FILE", help="every single figure")
    options = options.parse_args()
    for program in (options.basin, options.before or options.basin):
        if not os.access(program, os.X_OK):
            sys.exit(f"versus_pytorch.py: no {program}; build it: cmake --preset release && cmake --build "
                     "--preset release")
    work = [tuple(word.split(":")) for word in options.models.split(",")]
    for word in work:
        if len(word) != 2 or word[0] not in WORK or word[1] not in ("sgd", "sam"):
            sys.exit(f"versus_pytorch.py: {':'.join(word)} is not MODEL:RULE with a model of {', '.join(WORK)}")

    python = None if options.no_pytorch else find_python(options)
    sides = Sides(options, python)
    version = "no PyTorch" if options.no_pytorch else "no PyTorch found (apt-get install python3-torch): Basin alone"
    if python:
        version = "PyTorch " + subprocess.check_output(
            [python, "-c", "import torch; print(torch.__version__)"], text=True).strip()
    print(f"{version}; {options.threads} threads, {options.rounds} rounds, {options.conv_algo}", flush=True)

    figures = {}
    for round_ in range(1, options.rounds + 1):
        for model, rule in work:
            batch, steps = WORK[model]
            batch, steps = options.batch_size or batch, options.steps or steps
            found = figures.setdefault(f"{model} {rule.upper()} (batch {batch})", {s: [] for s in sides.names})
            for side in sides.names if round_ % 2 else reversed(sides.names):  # nobody is always the first
                found[side].append(sides.one(side, model, rule, batch, steps))
            print(f"round {round_} {model} {rule}: " + ", ".join(
                f"{side} {found[side][-1][0]:.1f}" for side in sides.names), file=sys.stderr, flush=True)
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps({"peer": version, "figures": figures}, indent=1) + "\n")

    print("\n| model | " + " | ".join(sides.names) + (" | Basin / before" if options.before else "") +
          (" | Basin / best PyTorch" if python else "") + " | peak MiB |")
    print("| --- |" + " --- |" * (len(sides.names) + 1 + bool(options.before) + bool(python)))
    for name, found in figures.items():
        cells = [spread([speed for speed, _ in found[side]], 1) for side in sides.names]
        if options.before:
            cells.append(spread([new[0] / old[0] for new, old in zip(found["basin"], found["before"])], 3))
        if python:
            best = [max(a[0], b[0]) for a, b in zip(found["torch"], found["torch-tuned"])]
            cells.append(spread([ours[0] / peer for ours, peer in zip(found["basin"], best)], 2))
        memory = " / ".join(f"{statistics.median(m for _, m in found[side]) / 2**20:.0f}" for side in sides.names)
        print(f"| {name} | " + " | ".join(cells) + f" | {memory} |")
    print(f"\nimages per second and ratios: median (range) of {options.rounds} rounds; peak memory in the order of the "
          "columns")


if __name__ == "__main__":
    main()
