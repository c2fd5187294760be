#!/usr/bin/env python3
"""The table of claims of docs/results/README.md: what the papers say, what kept runs say.

usage: bench/claims_table.py [RUNS]    RUNS: a folder of experiments as bench/keep_runs.sh keeps them, each with the
                                       tables of `basin reproduce` [docs/results/runs]
"""
import csv
import json
import pathlib
import sys


def hours_of(experiment):
    """Hours that all its runs took together, one thread each."""
    seconds = 0.0
    for part in ("runs", "search", "starts"):
        for file in experiment.glob(part + "/*/run.json"):
            for session in json.loads(file.read_text())["sessions"]:
                seconds += session.get("seconds") or 0.0
    return seconds / 3600


def main(words):
    if len(words) > 1 or (words and words[0].startswith("-")):
        print(__doc__.strip())
        return 0 if words[0] in ("-h", "--help") else 2
    folder = pathlib.Path(words[0] if words else "docs/results/runs")
    print("| experiment | claim | paper | ours | 95 % interval | n | Holm p | verdict | hours |")
    print("| --- | --- | ---: | ---: | ---: | ---: | ---: | --- | ---: |")
    for file in sorted(folder.glob("*/claims.csv")):
        experiment = file.parent
        with open(experiment / "rows.csv", newline="") as rows:
            counts = {row["n"] for row in csv.DictReader(rows)}
        with open(file, newline="") as claims:
            for i, claim in enumerate(csv.DictReader(claims)):
                name = f"[{experiment.name}]({experiment.name}.md)" if i == 0 else ""
                hours = f"{hours_of(experiment):.1f}" if i == 0 else ""
                cells = [name, claim["claim"], claim["paper"], claim["difference"], claim["95 % interval"],
                         " to ".join(sorted(counts, key=int)), claim["Holm p"], claim["verdict"], hours]
                print("| " + " | ".join(cells) + " |")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
