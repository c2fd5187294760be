#!/usr/bin/env python3
"""Prints the tables (Markdown) of docs/results/flatness.md from what bench/flatness.sh left in a directory.

A row is a rule; a number is the mean over its seeds and the sample's deviation (n - 1), in the second table each
seed's own. Usage: bench/flatness_table.py RUNS_DIR
"""
import json
import pathlib
import statistics
import sys

RULES = ["sgd", "sam", "gam"]


def read(path):
    return json.loads(path.read_text()) if path.exists() else None


def figures(run):
    """The numbers of one run, by name; those that are not there yet are missing."""
    found = {}
    result = read(run / "result.json")
    if result:
        last = result["variants"][0]
        found["test %"] = 100 * last["test_accuracy"]
        found["test loss"] = last["test_loss"]
    for path in sorted(run.glob("lab/hessian*/answer.json")):
        answer = read(path)
        result, split = answer["result"], answer["question"]["measured"]["split"]
        values = [pair["value"] for pair in result["top"]]
        found[f"{split} loss, {answer['question']['measured']['images']} images"] = result["loss"]
        found[f"lambda_1, {split}"] = values[0]
        if len(values) > 4:
            found[f"lambda_1 / lambda_5, {split}"] = values[0] / values[4]
        found[f"trace, {split}"] = result["trace"]["value"]
        found[f"lambda_1 / loss, {split}"] = values[0] / result["loss"]
        found[f"trace / loss, {split}"] = result["trace"]["value"] / result["loss"]
    sharpness = read(run / "lab/sharpness/answer.json")
    if sharpness:
        for row in sharpness["result"]["rho"]:
            rho = row["rho"]
            found[f"R0({rho:g})"] = row["r0"]
            found[f"R1({rho:g})"] = row["r1"]
            found[f"random({rho:g})"] = row["random"]["mean"]
    return found


def number(x):
    return f"{x:.2f}" if abs(x) >= 10 else f"{x:.4g}"


def main(directory):
    runs = {rule: [figures(path) for path in sorted(pathlib.Path(directory).glob(f"{rule}-s[0-9]*"))
                   if path.is_dir()] for rule in RULES}
    names = list(dict.fromkeys(name for rows in runs.values() for row in rows for name in row))
    if not names:
        sys.exit(f"flatness_table.py: no finished run in {directory}")
    head = "| number | " + " | ".join(rule.upper() for rule in RULES) + " |"
    print(head)
    print("| --- |" + " --- |" * len(RULES))
    for name in names:
        cells = []
        for rule in RULES:
            values = [row[name] for row in runs[rule] if name in row]
            spread = f" ± {number(statistics.stdev(values))}" if len(values) > 1 else ""
            cells.append(f"{number(statistics.mean(values))}{spread} (n={len(values)})" if values else "")
        print(f"| {name} | " + " | ".join(cells) + " |")
    print()
    print(head.replace("number", "each seed"))
    print("| --- |" + " --- |" * len(RULES))
    for name in names:
        print(f"| {name} | " + " | ".join(", ".join(number(row[name]) for row in runs[rule] if name in row)
                                            for rule in RULES) + " |")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
