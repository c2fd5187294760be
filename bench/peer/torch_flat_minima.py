#!/usr/bin/env python3
"""Trains ResNet-20 on the first images of CIFAR-10 in PyTorch by SGD and by SAM: the peer of the runs `sgd` and `sam`
of bench/flat_minima_cifar10.sh, to tell a property of the experiment from a fault of Basin's.

The same recipe, independently written: batch 128 (the incomplete last one kept), rate 0.1 by cosine to 0 over all
steps, momentum 0.9, weight decay 5e-4 at w, crop with 4 zeros and flip, initial convolutions Kaiming normal over
fan_in, SAM as github.com/davda54/sam does it (running statistics held in the second pass). Prints a line an epoch.
Usage: torch_flat_minima.py DATA_DIR sgd|sam [--seed S] [--epochs E] [--limit N] [--rho R] [--threads T]
"""

import argparse
import math
import pathlib
import time

import numpy as np
import torch
from torch.nn import functional as F

from torch_models import MODELS
from torch_step import perturb, put_back


def read(directory, names, limit=None):
    """Images {n,3,32,32} in float, scaled to [0,1], and labels."""
    raw = np.concatenate([np.fromfile(pathlib.Path(directory) / n, dtype=np.uint8) for n in names]).reshape(-1, 3073)
    raw = raw[:limit]
    images = torch.from_numpy(raw[:, 1:].reshape(-1, 3, 32, 32).astype(np.float32) / 255)
    return images, torch.from_numpy(raw[:, 0].astype(np.int64))


def augmented(images, generator):
    """A random crop of the image with 4 zeros around it, then a flip in half of the cases."""
    n = len(images)
    padded = F.pad(images, (4, 4, 4, 4))
    shifts = torch.randint(0, 9, (n, 2), generator=generator).tolist()
    flips = torch.rand(n, generator=generator) < 0.5
    crops = torch.stack([p[:, y:y + 32, x:x + 32] for p, (y, x) in zip(padded, shifts)])
    crops[flips] = crops[flips].flip(3)
    return crops.contiguous(memory_format=torch.channels_last)


def hold_statistics(model, hold):
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = 0.0 if hold else 0.1


@torch.no_grad()
def accuracy(model, images, labels):
    model.eval()
    right = sum((model(images[i:i + 500]).argmax(1) == labels[i:i + 500]).sum().item()
                for i in range(0, len(images), 500))
    model.train()
    return 100 * right / len(images)


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("data")
    options.add_argument("rule", choices=("sgd", "sam"))
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--epochs", type=int, default=20)
    options.add_argument("--limit", type=int, default=10000)
    options.add_argument("--rho", type=float, default=0.05)
    options.add_argument("--threads", type=int, default=2)
    o = options.parse_args()

    torch.set_num_threads(o.threads)
    torch.manual_seed(o.seed)
    generator = torch.Generator().manual_seed(o.seed)
    train, labels = read(o.data, [f"data_batch_{i}.bin" for i in range(1, 6)], o.limit)
    test, test_labels = read(o.data, ["test_batch.bin"])
    mean, deviation = train.mean((0, 2, 3), keepdim=True), train.std((0, 2, 3), keepdim=True)
    train, test = (train - mean) / deviation, (test - mean) / deviation

    model = MODELS["resnet20"]()
    for module in model.modules():
        if isinstance(module, torch.nn.Conv2d):
            torch.nn.init.kaiming_normal_(module.weight)
    model = model.to(memory_format=torch.channels_last)
    parameters = list(model.parameters())
    sgd = torch.optim.SGD(parameters, lr=0.1, momentum=0.9, weight_decay=5e-4)
    steps = math.ceil(len(train) / 128)
    schedule = torch.optim.lr_scheduler.LambdaLR(sgd, lambda t: 0.5 * (1 + math.cos(math.pi * t / (o.epochs * steps))))

    start = time.perf_counter()
    for epoch in range(1, o.epochs + 1):
        order = torch.randperm(len(train), generator=generator)
        right, total_loss = 0, 0.0
        for batch in order.split(128):
            x, y = augmented(train[batch], generator), labels[batch]
            sgd.zero_grad(set_to_none=True)
            logits = model(x)
            loss = F.cross_entropy(logits, y)
            loss.backward()
            right += (logits.argmax(1) == y).sum().item()
            total_loss += loss.item() * len(batch)
            if o.rule == "sam":
                kept = perturb(parameters, o.rho)
                hold_statistics(model, True)
                sgd.zero_grad(set_to_none=True)
                F.cross_entropy(model(x), y).backward()
                hold_statistics(model, False)
                put_back(parameters, kept)
            sgd.step()
            schedule.step()
        print(f"{o.rule} seed {o.seed} epoch {epoch}: train loss {total_loss / len(train):.4f} "
              f"{100 * right / len(train):.2f} %, test {accuracy(model, test, test_labels):.2f} %, "
              f"{time.perf_counter() - start:.0f} s", flush=True)


if __name__ == "__main__":
    main()
