#!/usr/bin/env python3
"""Trains a network on one batch in PyTorch and prints its speed: the peer of `basin bench step`.

Cross-entropy on made-up 32x32x3 images in memory, SGD with momentum 0.9 and weight decay 5e-4, f32, channels-last.
SAM is the form most users have (github.com/davda54/sam): two forward-backward passes, the perturbation between them.
Prints one line of JSON. Called by bench/versus_pytorch.py, which sets up the allocator and the number of threads.
"""

import argparse
import json
import time

import torch
from torch.nn import functional as F

from torch_models import MODELS


@torch.no_grad()
def perturb(parameters, rho):
    """Moves the weights to w + rho g / |g| and returns copies of w."""
    norm = torch.norm(torch.stack([p.grad.norm() for p in parameters]))
    kept = [p.clone() for p in parameters]
    for p in parameters:
        p.add_(p.grad, alpha=float(rho / (norm + 1e-12)))
    return kept


@torch.no_grad()
def put_back(parameters, kept):
    for p, old in zip(parameters, kept):
        p.copy_(old)


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--model", choices=sorted(MODELS), default="resnet20")
    options.add_argument("--rule", choices=("sgd", "sam"), default="sgd")
    options.add_argument("--steps", type=int, default=10, help="timed steps, after as many (at most 3) that are not")
    options.add_argument("--threads", type=int, default=2)
    options.add_argument("--batch-size", type=int, default=128)
    options = options.parse_args()

    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    model = MODELS[options.model]().to(memory_format=torch.channels_last)
    images = torch.randn(options.batch_size, 3, 32, 32).contiguous(memory_format=torch.channels_last)
    labels = torch.randint(0, 10, (options.batch_size,))
    parameters = list(model.parameters())
    sgd = torch.optim.SGD(parameters, lr=0.001, momentum=0.9, weight_decay=5e-4)

    def gradient():
        sgd.zero_grad(set_to_none=True)
        F.cross_entropy(model(images), labels).backward()

    def step():
        gradient()
        if options.rule == "sam":
            kept = perturb(parameters, 0.05)
            gradient()
            put_back(parameters, kept)
        sgd.step()

    for _ in range(min(3, options.steps)):
        step()
    start = time.perf_counter()
    for _ in range(options.steps):
        step()
    took = time.perf_counter() - start
    print(json.dumps({"images_per_second": options.steps * options.batch_size / took,
                      "parameters": sum(p.numel() for p in parameters), "version": torch.__version__}))


if __name__ == "__main__":
    main()
