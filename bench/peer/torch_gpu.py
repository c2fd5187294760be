#!/usr/bin/env python3
"""Training steps of PyTorch on a GPU, as fast as PyTorch can: the peer of `basin bench step --device cuda`.

Cross-entropy on made-up images that live on the card, channels-last, SGD with momentum 0.9 and weight decay 5e-4 in
its fused form. Precisions: f32, tf32, bf16 (autocast, weights in f32). Rules: sgd; sam (Foret et al. 2021) and gam
(Zhang et al. 2023, the official code's four gradients), written over lists of tensors with torch's foreach kernels.
Modes: eager; default, reduce-overhead and max-autotune of torch.compile, which compile the forward and backward pass.
All modes asked for are timed in turns, --rounds times; prints one line of JSON: images per second of every turn.
Called by tests/cuda/on_gpu.sh; --device cpu tries the script itself where there is no card.
"""

import argparse
import contextlib
import json
import time

import torch
from torch.nn import functional as F

from torch_models import MODELS

EPSILON = 1e-12


def network(name, classes):
    if name == "resnet50":
        from torchvision.models import resnet50
        return resnet50(num_classes=classes)
    return MODELS[name]()


class Step:
    """One training step of a rule; every pass is the same (perhaps compiled) function of images and labels."""

    def __init__(self, options, mode):
        torch.manual_seed(0)
        self.rule, self.device, self.precision = options.rule, options.device, options.precision
        side, classes = (224, 1000) if options.model == "resnet50" else (32, 10)
        self.model = network(options.model, classes).to(self.device, memory_format=torch.channels_last)
        self.images = torch.randn(options.batch_size, 3, side, side, device=self.device).contiguous(
            memory_format=torch.channels_last)
        self.labels = torch.randint(0, classes, (options.batch_size,), device=self.device)
        self.parameters = list(self.model.parameters())
        self.sgd = torch.optim.SGD(self.parameters, lr=0.001, momentum=0.9, weight_decay=5e-4,
                                   fused=self.device != "cpu")
        self.loss = self.loss_of_batch if mode == "eager" else torch.compile(
            self.loss_of_batch, mode=None if mode == "default" else mode)

    def loss_of_batch(self):
        low = torch.autocast(self.device, torch.bfloat16) if self.precision == "bf16" else contextlib.nullcontext()
        with low:
            logits = self.model(self.images)
        return F.cross_entropy(logits.float(), self.labels)

    def gradient(self):
        for p in self.parameters:
            p.grad = None
        self.loss().backward()
        # A compiled pass that CUDA graphs replay hands out the same memory each time.
        return [p.grad.clone() for p in self.parameters] if self.rule == "gam" else [p.grad for p in self.parameters]

    @torch.no_grad()
    def move(self, direction, radius):
        """w <- w + radius d / |d|"""
        norm = torch.linalg.vector_norm(torch.stack(torch._foreach_norm(direction)))
        torch._foreach_add_(self.parameters, torch._foreach_mul(direction, radius / (norm + EPSILON)))

    @torch.no_grad()
    def put_back(self, kept):
        torch._foreach_copy_(self.parameters, kept)

    @torch.no_grad()
    def keep(self):
        return [p.clone() for p in self.parameters]

    def sam(self):
        kept = self.keep()
        self.move(self.gradient(), 0.05)
        self.gradient()
        self.put_back(kept)

    def gam(self, rho=0.2, rho_prime=0.2, alpha=0.4, beta=0.8, gamma=0.1):
        kept = self.keep()
        g0 = self.gradient()
        self.move(g0, rho_prime)
        g1 = self.gradient()
        self.put_back(kept)
        with torch.no_grad():
            across = torch._foreach_sub(g1, g0)
        self.move(across, rho)
        g2 = self.gradient()
        self.move(g2, rho_prime)
        g3 = self.gradient()
        self.put_back(kept)
        with torch.no_grad():
            plus = torch._foreach_add(torch._foreach_mul(g1, alpha), torch._foreach_mul(g3, 1 - alpha))
            minus = torch._foreach_add(g0, torch._foreach_mul(g2, 1 - beta))
            dots = [sum((a * b).sum() for a, b in zip(x, plus)) for x in (minus, plus)]
            across = torch._foreach_sub(minus, torch._foreach_mul(plus, dots[0] / dots[1]))
            torch._foreach_add_(plus, across, alpha=-gamma)
            for p, g in zip(self.parameters, plus):
                p.grad = g

    def __call__(self):
        if self.rule == "sgd":
            self.gradient()
        else:
            (self.sam if self.rule == "sam" else self.gam)()
        self.sgd.step()


def wait(device):
    if device != "cpu":
        torch.cuda.synchronize()


def images_per_second(step, options):
    wait(options.device)
    start = time.perf_counter()
    for _ in range(options.steps):
        step()
    wait(options.device)
    return options.steps * options.batch_size / (time.perf_counter() - start)


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--model", choices=sorted(MODELS) + ["resnet50"], default="resnet20")
    options.add_argument("--rule", choices=("sgd", "sam", "gam"), default="sgd")
    options.add_argument("--precision", choices=("f32", "tf32", "bf16"), default="bf16")
    options.add_argument("--modes", default="eager,default,reduce-overhead,max-autotune")
    options.add_argument("--steps", type=int, default=50, help="timed steps of a turn")
    options.add_argument("--warm-up", type=int, default=10, help="steps of each mode before the first turn")
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--batch-size", type=int, default=128)
    options.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    options = options.parse_args()

    torch.backends.cudnn.benchmark = True
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = options.precision != "f32"
    steps, failed = {}, {}
    for mode in options.modes.split(","):
        try:
            steps[mode] = Step(options, mode)
            for _ in range(options.warm_up):
                steps[mode]()
        except Exception as e:  # a mode that this PyTorch can't compile is a finding, not an end
            steps.pop(mode, None)
            failed[mode] = f"{type(e).__name__}: {str(e).splitlines()[0] if str(e) else ''}"[:200]
    found = {mode: [] for mode in steps}
    for round_ in range(options.rounds):
        for mode in steps if round_ % 2 == 0 else reversed(steps):
            found[mode].append(images_per_second(steps[mode], options))
    print(json.dumps({"images_per_second": found, "failed": failed, "version": torch.__version__,
                      "parameters": sum(p.numel() for p in next(iter(steps.values())).parameters) if steps else 0,
                      "cudnn": torch.backends.cudnn.version(),
                      "device": torch.cuda.get_device_name() if options.device != "cpu" else "cpu"}))


if __name__ == "__main__":
    main()
