#!/usr/bin/env python3
"""Writes train.csv, test.csv and classes.txt for `basin train --data cars` from the annotations of Stanford Cars.

Usage: cars_to_csv.py DIR, with DIR/devkit, DIR/cars_train, DIR/cars_test, DIR/cars_test_annos_withlabels.mat.
Needs scipy.
"""
import csv, os, sys
from scipy.io import loadmat

folder = sys.argv[1]
meta = loadmat(os.path.join(folder, "devkit", "cars_meta.mat"), squeeze_me=True)
names = [str(name) for name in meta["class_names"]]
with open(os.path.join(folder, "classes.txt"), "w", encoding="utf-8") as out:
    out.writelines(name + "\n" for name in names)
for split, annotations in [("train", "devkit/cars_train_annos.mat"), ("test", "cars_test_annos_withlabels.mat")]:
    rows = loadmat(os.path.join(folder, annotations), squeeze_me=True)["annotations"]
    with open(os.path.join(folder, split + ".csv"), "w", newline="", encoding="utf-8") as out:
        table = csv.writer(out, lineterminator="\n")
        table.writerow(["file", "class"])
        for row in rows:
            table.writerow([f"cars_{split}/{row['fname']}", names[int(row["class"]) - 1]])
