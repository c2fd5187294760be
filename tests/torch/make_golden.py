#!/usr/bin/env python3
"""Writes golden.txt: the first logits of torchvision's networks, their weights by the formula of travel.py.

Computed in f64, from weights and a picture that are rounded to f32. A line is MODEL SIDE LARGEST LOGITS..., with
LARGEST the greatest magnitude of all logits. The tests read it and need no Python.
"""
import os

import torch

import travel

lines = []
with torch.no_grad():
    for name, make in travel.MODELS.items():
        logits = travel.fill_by_formula(make()).double()(travel.picture(travel.SIDE, travel.SIDE))[0]
        numbers = [logits.abs().max().item()] + logits[:64].tolist()
        lines.append(" ".join([name, str(travel.SIDE)] + ["%.9g" % x for x in numbers]))
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "golden.txt"), "w") as file:
    file.write("\n".join(lines) + "\n")
