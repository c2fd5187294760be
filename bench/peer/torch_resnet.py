#!/usr/bin/env python3
"""Trains the CIFAR ResNet-20 in PyTorch and prints its speed: the peer of bench/train_resnet20.cpp.

The same work on both sides: He et al. 2016, section 4.2 with shortcuts of option A (269,722 parameters), batch 128 of
made-up 32x32x3 images in memory, cross-entropy, SGD with momentum 0.9 and weight decay 5e-4, in float32. SAM is the
form most users have (github.com/davda54/sam): two forward-backward passes, the perturbation between them. Tensors are
channels_last, which is PyTorch's faster layout here. Prints one line, `images_per_second X`, over all timed steps.
Called by bench/train_resnet20.sh, which sets up the allocator.
"""

import argparse
import time

import torch
from torch import nn
from torch.nn import functional as F


class BasicBlock(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.new_channels = outputs - inputs

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)), inplace=True)
        y = self.bn2(self.conv2(y))
        if self.new_channels:
            half = self.new_channels // 2
            x = F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, half, half))
        return F.relu(y + x, inplace=True)


class ResNet20(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        blocks, inputs = [], 16
        for outputs in (16, 32, 64):
            for i in range(3):
                blocks.append(BasicBlock(inputs, outputs, 2 if i == 0 and outputs > 16 else 1))
                inputs = outputs
        self.blocks = nn.Sequential(*blocks)
        self.fc = nn.Linear(64, 10)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)), inplace=True)
        return self.fc(self.blocks(x).mean((2, 3)))


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
    options.add_argument("--rule", choices=("sgd", "sam"), default="sgd")
    options.add_argument("--steps", type=int, default=10, help="timed steps, after 3 that are not")
    options.add_argument("--threads", type=int, default=2)
    options.add_argument("--batch-size", type=int, default=128)
    options = options.parse_args()

    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    model = ResNet20().to(memory_format=torch.channels_last)
    images = torch.randn(options.batch_size, 3, 32, 32).contiguous(memory_format=torch.channels_last)
    labels = torch.randint(0, 10, (options.batch_size,))
    parameters = list(model.parameters())
    assert sum(p.numel() for p in parameters) == 269722
    sgd = torch.optim.SGD(parameters, lr=0.01, momentum=0.9, weight_decay=5e-4)

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

    for _ in range(3):
        step()
    start = time.perf_counter()
    for _ in range(options.steps):
        step()
    took = time.perf_counter() - start
    print(f"images_per_second {options.steps * options.batch_size / took:.1f}")


if __name__ == "__main__":
    main()
