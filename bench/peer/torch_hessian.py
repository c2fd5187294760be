#!/usr/bin/env python3
"""What a Hessian-vector product costs over a gradient in PyTorch: the peer of bench/hessian_product.cpp.

ResNet-20, made-up 32x32x3 images, f32, channels-last, in turns; double backward (Pearlmutter 1994).
Prints one line. --memory gradient|product prints the peak memory of the process that does only that.
"""

import argparse
import resource
import statistics
import time

import torch
from torch.nn import functional as F

from torch_models import MODELS


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--threads", type=int, default=2)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--batch", type=int, default=128)
    options.add_argument("--mode", choices=("train", "eval"), default="train")
    options.add_argument("--memory", choices=("gradient", "product"))
    o = options.parse_args()
    torch.set_num_threads(o.threads)
    torch.manual_seed(0)
    model = MODELS["resnet20"]().to(memory_format=torch.channels_last)
    model.train(o.mode == "train")
    images = torch.randn(o.batch, 3, 32, 32).to(memory_format=torch.channels_last)
    labels = torch.randint(10, (o.batch,))
    parameters = list(model.parameters())
    v = [torch.randn_like(p) for p in parameters]

    def gradient():
        torch.autograd.grad(F.cross_entropy(model(images), labels), parameters)

    def product():
        g = torch.autograd.grad(F.cross_entropy(model(images), labels), parameters, create_graph=True)
        torch.autograd.grad(g, parameters, grad_outputs=v)

    if o.memory:
        for _ in range(3):
            gradient() if o.memory == "gradient" else product()
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"torch, {o.memory}: peak {peak:.0f} MiB")
        return

    def timed(body):
        wall, processor = time.perf_counter(), time.process_time()
        body()
        return time.perf_counter() - wall, time.process_time() - processor

    gradient()
    product()
    rounds = [(timed(gradient), timed(product)) for _ in range(o.rounds)]
    ratios = [h[0] / g[0] for g, h in rounds]
    print(f"torch: gradient {1e3 * statistics.median(g[0] for g, _ in rounds):.0f} ms, "
          f"product {1e3 * statistics.median(h[0] for _, h in rounds):.0f} ms; "
          f"ratio {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f}) by the wall, "
          f"{statistics.median(h[1] / g[1] for g, h in rounds):.2f} of the processor")


main()
