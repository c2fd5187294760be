#!/usr/bin/env python3
"""Writes foreign.txt: networks of timm and of Hugging Face's transformers, by their own names, and their logits.

A network is a line "network BASIN'S-NAME SIDE CLASSES SOURCE", a line "tensor NAME EXTENTS..." for each tensor of its
state_dict, and a line "logits LARGEST LOGITS..."; weights are the formula of travel.py by THEIR names, computed in f64
from f32 weights and a f32 picture. "positions FROM TO DIM NUMBERS..." is timm's resample_abs_pos_embed() of positions
that are the formula of the name "positions", FROM x FROM tokens behind one for the class.
Made with torch 1.13.0, timm 0.9.16, transformers 4.30.2.
"""
import os

import timm
import torch
from timm.layers.pos_embed import resample_abs_pos_embed
from transformers import ResNetConfig, ResNetForImageClassification, ViTConfig, ViTForImageClassification

import travel

VIT = dict(hidden_size=192, num_hidden_layers=6, num_attention_heads=3, intermediate_size=768, image_size=32,
           patch_size=4, num_labels=10)
NETWORKS = [  # Basin's name, side, classes, whose, the network
    ("vit-cifar", 32, 10, "transformers-ViTForImageClassification", lambda: ViTForImageClassification(ViTConfig(**VIT))),
    ("vit-cifar", 32, 10, "timm-VisionTransformer", lambda: timm.models.vision_transformer.VisionTransformer(
        img_size=32, patch_size=4, embed_dim=192, depth=6, num_heads=3, num_classes=10)),
    ("resnet50-imagenet", 64, 1000, "transformers-ResNetForImageClassification",
     lambda: ResNetForImageClassification(ResNetConfig(num_labels=1000))),
    ("resnet50-imagenet", 64, 1000, "timm-resnet50", lambda: timm.create_model("resnet50")),
]


def numbers(values):
    return " ".join("%.9g" % x for x in values)


lines = []
with torch.no_grad():
    for name, side, classes, source, make in NETWORKS:
        model = travel.fill_by_formula(make()).double()
        out = model(travel.picture(side, side))
        logits = (out if torch.is_tensor(out) else out.logits)[0]
        lines.append("network %s %d %d %s" % (name, side, classes, source))
        for key, tensor in model.state_dict().items():
            if not key.endswith("num_batches_tracked"):
                lines.append("tensor %s %s" % (key, " ".join(map(str, tensor.shape))))
        lines.append("logits " + numbers([logits.abs().max().item()] + logits[:64].tolist()))
    for old, new in ((4, 7), (7, 3), (5, 5)):
        dim = 2
        positions = torch.from_numpy(travel.by_formula("positions", (1, 1 + old * old, dim)))
        resized = resample_abs_pos_embed(positions, [new, new])
        lines.append("positions %d %d %d %s" % (old, new, dim, numbers(resized.flatten().tolist())))
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "foreign.txt"), "w") as file:
    file.write("\n".join(lines) + "\n")
